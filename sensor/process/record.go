package process

import (
	"cmp"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

var namespaceNames = [...]string{"pid", "net", "mnt", "ipc", "uts", "user", "cgroup"}

// naming turns the kernel's numbers into words.
type naming struct {
	first        namespaces // of the node's first process
	capabilities *capabilities
}

// record makes of a kernel's event what the server reads. Node, run and number
// are for the sensor to fill in.
func (p *Probe) record(e *kernelEvent) *runtime.Record {
	r := &runtime.Record{Version: runtime.RecordVersion, Kind: runtime.Exec, Time: p.clock.time(e.Time)}
	groups := make([]*runtime.Container, len(e.groups))
	for i, g := range e.groups {
		groups[i] = containerOf(g)
	}
	if len(groups) > 0 {
		r.Container = cmp.Or(groups[0], p.names.named(e))
	}
	r.Process = &runtime.Process{
		PID:       e.PID,
		InnerPID:  e.Inner,
		StartedAt: p.clock.time(e.Started),
		Name:      text(e.Name[:]),
		UID:       e.UID,
		GID:       e.GID,
	}
	if e.Kind == kindExit {
		r.Kind = runtime.Exit
		r.Exit = &runtime.ExitCode{Code: int(e.ExitCode >> 8 & 0xff), Signal: int(e.ExitCode & 0x7f)}
		return r
	}
	p.program(r.Process, e)
	r.Ancestors = p.ancestors(e, groups, r.Container)
	return r
}

// program adds what the start of a program tells.
func (p *Probe) program(to *runtime.Process, e *kernelEvent) {
	to.Path, to.Arguments, to.Cut = e.path, e.arguments, e.Flags&(pathCut|argumentsCut) != 0
	to.Unlinked, to.Added = e.Flags&unlinked != 0, e.Flags&added != 0
	to.Capabilities, to.All = p.names.capabilities.of(e.Capabilities)
	to.HostNamespaces = p.names.shared(e.Namespaces)
}

func (p *Probe) ancestors(e *kernelEvent, groups []*runtime.Container, in *runtime.Container) []runtime.Process {
	var out []runtime.Process
	for _, a := range e.Ancestor[:e.Ancestors] {
		of := runtime.Process{PID: a.PID, StartedAt: p.clock.time(a.Started), Name: text(a.Name[:]), UID: a.UID, GID: a.GID}
		switch {
		case int(a.Group) >= len(groups):
			of.Container = "unknown" // more groups than the kernel was asked for
		case groups[a.Group] != nil:
			of.Container = cmp.Or(groups[a.Group].ID, "unknown")
		case in != nil && groups[0] == nil && a.Mount == e.Namespaces[mountNamespace]: // of the same container, by its files
			of.Container = in.ID
		}
		out = append(out, of)
	}
	return out
}

// shared names the namespaces that are those of the first process. One that
// could not be read is 0 and shared by nobody.
func (n *naming) shared(of namespaces) []string {
	var out []string
	for i, name := range namespaceNames {
		if of[i] != 0 && of[i] == n.first[i] {
			out = append(out, name)
		}
	}
	return out
}
