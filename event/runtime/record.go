// Package runtime holds what a node's sensor says, one JSON object a line, and
// decodes it into events: processes that started and ended, with their container,
// ancestry and privileges as the kernel knew them.
//
// It knows no kernel, no rule and no graph. The sensor names containers by id
// only; which pod one belongs to is for the receiver to say.
package runtime

import "time"

// RecordVersion is raised when a reader of older records would misread newer ones.
const RecordVersion = 1

// RecordKind says what happened.
type RecordKind string

// The kinds of records.
const (
	Exec RecordKind = "exec" // a process started a program
	Exit RecordKind = "exit" // a process ended
	Lost RecordKind = "lost" // records that the sensor had and could not keep
)

// Record is one line.
type Record struct {
	Version int        `json:"version"`
	Kind    RecordKind `json:"kind"`
	// Node is the node's name in its cluster. Boot tells two runs of the sensor
	// apart: it is the kernel's boot id, a dash and a text of that run. Sequence
	// counts the records that a run kept, from 1 without a hole: what is missing
	// was lost on its way. What the sensor could not keep has no number; a Lost
	// record says how many there were.
	Node     string    `json:"node"`
	Boot     string    `json:"boot"`
	Sequence uint64    `json:"sequence"`
	Time     time.Time `json:"time"`
	// Process is what started or ended; Ancestors are its parents, nearest first.
	// What ended is told by pid and StartedAt; only its start tells program,
	// privileges and ancestors.
	Process   *Process  `json:"process,omitempty"`
	Ancestors []Process `json:"ancestors,omitempty"`
	// Container is nil for a process of the node itself.
	Container *Container `json:"container,omitempty"`
	Exit      *ExitCode  `json:"exit,omitempty"`
	// Lost is how many records a Lost record stands for, and why.
	Lost uint64 `json:"lost,omitempty"`
	Why  string `json:"why,omitempty"`
	// Refused is why what a sensor sent is no record; see Clean.
	Refused string `json:"refused,omitempty"`
}

// Process is a process as the kernel sees it. An ancestor may know less: what is
// empty is not known.
type Process struct {
	PID       uint32    `json:"pid"`                 // in the node's own namespace
	InnerPID  uint32    `json:"innerPid,omitempty"`  // in its own pid namespace: 1 is a container's first
	StartedAt time.Time `json:"startedAt,omitzero"`  // of the process, not of the program
	Name      string    `json:"name"`                // comm
	Path      string    `json:"path,omitempty"`      // of the program, as it was asked for
	Arguments []string  `json:"arguments,omitempty"` // argv, the first included
	// Cut says that Arguments or Path were longer than the sensor keeps. What is not
	// UTF-8 in them has become U+FFFD.
	Cut bool `json:"cut,omitempty"`
	// Unlinked says that the file the kernel runs has no name in any folder: it was
	// removed, or never had one (memfd). Added says that it lies in the container's
	// own layer (of overlayfs) and so did not come with the image. For a script both
	// are about its interpreter.
	Unlinked bool   `json:"unlinked,omitempty"`
	Added    bool   `json:"added,omitempty"`
	UID      uint32 `json:"uid"` // the effective one, in the node's own user namespace
	GID      uint32 `json:"gid"`
	// Capabilities are the effective ones by name (CAP_SYS_ADMIN); All says that
	// these are all the kernel knows.
	Capabilities []string `json:"capabilities,omitempty"`
	All          bool     `json:"allCapabilities,omitempty"`
	// HostNamespaces are those shared with the node's first process: pid, net, mnt,
	// ipc, uts, user, cgroup.
	HostNamespaces []string `json:"hostNamespaces,omitempty"`
	// Container is the id of the container an ancestor is in: empty for a process of
	// the node itself, "unknown" where the kernel was asked for too little. The
	// container of Record.Process stands in the record.
	Container string `json:"container,omitempty"`
}

// Container is told by the control group a process is in.
type Container struct {
	// ID is the 64 hexadecimal digits the runtime gave it, as in a pod's status; or
	// the name of a group that was made for one (ctr and runc let people choose it);
	// or "namespace-" and the number of the mount namespace, where the group is not
	// its own. It is empty if the group lies deeper than the kernel was asked for:
	// whether it is a container's is then not known.
	ID string `json:"id"`
	// Cgroup is the group's path from the root as far up as the kernel was asked,
	// such as kubepods/burstable/pod0f…/4d….
	Cgroup string `json:"cgroup,omitempty"`
	// Kubernetes says that a kubelet made the group: its path names kubepods.
	Kubernetes bool `json:"kubernetes"`
	// PodUID is the pod's uid, where the path tells it.
	PodUID string `json:"podUid,omitempty"`
}

// ExitCode is how a process ended.
type ExitCode struct {
	Code   int `json:"code"`
	Signal int `json:"signal,omitempty"`
}

// Status is what a sensor says of itself, every half minute and at its end.
type Status struct {
	Version  int       `json:"version"`
	Node     string    `json:"node"`
	Boot     string    `json:"boot"`
	Build    string    `json:"build"`  // of the sensor
	Kernel   string    `json:"kernel"` // release
	Started  time.Time `json:"started"`
	Interval int       `json:"intervalSeconds"` // until the next one
	// Probes are what the sensor looks at, and what the kernel said of it.
	Probes []Probe `json:"probes"`
	// Seen = Sent + Waiting + the sum of Lost, always.
	Seen    uint64            `json:"seen"` // records that the kernel made, lost ones too
	Sent    uint64            `json:"sent"` // that the server answered for
	Waiting uint64            `json:"waiting"`
	Lost    map[string]uint64 `json:"lost"` // by reason
	// Processor and Memory are what the sensor costs its node.
	Processor float64 `json:"processorSeconds"`
	Memory    uint64  `json:"memoryBytes"`
	// Ends says that the sensor was asked to stop: what follows is unseen.
	Ends bool `json:"ends,omitempty"`
}

// Probe is one thing a sensor looks at.
type Probe struct {
	Name  string `json:"name"`  // exec, exit
	State string `json:"state"` // on, off
	Why   string `json:"why,omitempty"`
}
