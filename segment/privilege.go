package segment

import (
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
)

// defaultCapabilities are what containerd and Docker give a container that asks for
// nothing. CRI-O gives fewer of them.
var defaultCapabilities = []string{"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
	"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}

// otherCapabilities complete the list of capabilities(7).
var otherCapabilities = []string{"AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "IPC_LOCK",
	"IPC_OWNER", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST", "PERFMON", "SYS_ADMIN", "SYS_BOOT",
	"SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM"}

var allCapabilities = sorted(slices.Concat(defaultCapabilities, otherCapabilities))

// everyCapability is how it is told of a privileged container: one word for the list.
var everyCapability = []string{"ALL"}

func sorted(l []string) []string {
	slices.Sort(l)
	return slices.Compact(l)
}

// capabilities are what a container's root has: the runtime's default set, what is
// added and what is dropped, each ALL taken apart as runtimes do: first ALL, added
// before dropped, then the names.
func capabilities(s *collect.ContainerShape) []string {
	if len(s.AddCaps) == 0 && len(s.DropCaps) == 0 {
		return defaultCapabilities
	}
	have := defaultCapabilities
	if slices.Contains(s.AddCaps, "ALL") {
		have = allCapabilities
	}
	if slices.Contains(s.DropCaps, "ALL") {
		have = nil
	}
	have = sorted(slices.Concat(have, s.AddCaps))
	return slices.DeleteFunc(have, func(c string) bool { return c == "ALL" || slices.Contains(s.DropCaps, c) })
}

// capabilitiesOf is capabilities, made once for all containers that share a shape.
func (c *cluster) capabilitiesOf(s *collect.ContainerShape) []string {
	if s.Privileged {
		return everyCapability
	}
	known, told := c.capabilities[s]
	if !told {
		known = capabilities(s)
		c.capabilities[s] = known
	}
	return known
}

// held is every capability of a container's root by name.
func held(s *collect.ContainerShape) []string {
	if s.Privileged {
		return allCapabilities
	}
	return capabilities(s)
}

// user is the user id that a container runs as, nil where its image decides.
func user(pod *collect.PodShape, s *collect.ContainerShape) *int64 {
	if s.RunAsUser != nil {
		return s.RunAsUser
	}
	return pod.Security.RunAsUser
}

// runsAsRoot is known where the spec says a user; an image's own user is not read.
func runsAsRoot(pod *collect.PodShape, s *collect.ContainerShape) *bool {
	nonRoot := s.RunAsNonRoot
	if nonRoot == nil {
		nonRoot = pod.Security.RunAsNonRoot
	}
	root := false
	switch u := user(pod, s); {
	case u != nil:
		root = *u == 0
	case nonRoot != nil && *nonRoot:
	default:
		return nil
	}
	return &root
}

// sharedProcesses joins the containers of a pod that see each other's processes, and
// says whether one may act on the other's: enter its files, read its memory.
func (c *cluster) sharedProcesses(p *collect.Pod, ref func(container string) graph.Ref) {
	if !p.Shape.ShareProcessNamespace && !p.Shape.HostPID {
		return
	}
	for i := range p.Shape.Containers {
		for j := range p.Shape.Containers {
			a, b := &p.Shape.Containers[i], &p.Shape.Containers[j]
			if i != j && a.Type != collect.Init && b.Type != collect.Init {
				c.b.Edge("SHARES_PROCESSES", ref(a.Name), ref(b.Name), told([]graph.Prop{maybe("able", actsOn(p.Shape, a, b))})...)
			}
		}
	}
}

// actsOn is the kernel's rule, ptrace(2): the same user, whose capabilities are no
// fewer, or the capability to trace. Root may become any user. It is not known where
// an image decides on a user.
func actsOn(pod *collect.PodShape, a, b *collect.ContainerShape) *bool {
	yes, no := true, false
	root, has := runsAsRoot(pod, a), held(a)
	asRoot, other := runsAsRoot(pod, b), user(pod, b)
	covers := !slices.ContainsFunc(held(b), func(c string) bool { return !slices.Contains(has, c) })
	switch self := user(pod, a); {
	case root != nil && *root && slices.Contains(has, "SYS_PTRACE"):
		return &yes
	case root != nil && asRoot != nil && *root != *asRoot:
		could := *root && slices.Contains(has, "SETUID")
		return &could
	case root != nil && *root && asRoot != nil:
		return &covers
	case root != nil && self != nil && other != nil: // both are users of their own
		same := *self == *other
		return &same
	case root == nil && asRoot == nil && a.Image == b.Image && covers:
		return &yes // whatever user the image names
	case !covers && (asRoot == nil || *asRoot) && !slices.Contains(has, "SYS_PTRACE") && b.Privileged:
		return &no
	}
	return nil
}
