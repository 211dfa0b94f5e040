package process

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

// The places of namespaces in namespaceNames.
const (
	pidNamespace   = 0
	mountNamespace = 2
)

// named is the container of a process whose control group holds no id: ctr and
// runc call a container what a person says. A group of its own and files that are
// not the node's make one; so do files and processes that are not the node's,
// in any group.
func (n *naming) named(e *kernelEvent) *runtime.Container {
	if len(e.groups) == 0 || !n.apart(e.Namespaces, mountNamespace) {
		return nil
	}
	c := &runtime.Container{ID: ownGroup(e.groups[0].names), Cgroup: strings.Join(e.groups[0].names, "/")}
	if c.ID != "" && !n.shares(e) {
		return c
	}
	if !n.apart(e.Namespaces, pidNamespace) {
		return nil
	}
	c.ID = fmt.Sprintf("namespace-%d", e.Namespaces[mountNamespace])
	return c
}

// shares says that a process of the node is in the group too, so that it was not
// made for a container.
func (n *naming) shares(e *kernelEvent) bool {
	return slices.ContainsFunc(e.Ancestor[:e.Ancestors], func(a kernelAncestor) bool {
		return a.Group == 0 && (a.Mount == 0 || a.Mount == n.first[mountNamespace])
	})
}

// apart says that a namespace is known and not that of the node's first process.
func (n *naming) apart(of namespaces, i int) bool {
	return of[i] != 0 && of[i] != n.first[i]
}

// ownGroup is the name of a group that somebody made for a container: not one of
// systemd's for a service, a session or a part of the node.
func ownGroup(names []string) string {
	if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".service") }) {
		return ""
	}
	name := names[len(names)-1]
	if scope, is := strings.CutSuffix(name, ".scope"); is {
		tool, id, _ := strings.Cut(scope, "-")
		if !slices.Contains([]string{"runc", "crun", "machine", "lxc"}, tool) {
			return ""
		}
		name = id
	}
	if strings.HasSuffix(name, ".slice") || !runtime.IsID(name) {
		return ""
	}
	return name
}
