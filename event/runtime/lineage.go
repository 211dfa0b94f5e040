package runtime

import (
	"slices"
	"strings"
	"time"
)

// lineage is where a process comes from.
type lineage struct {
	inside  []Process // its ancestors in the same container, nearest first
	outside []Process // those beyond it; all, of a process of the node itself
	own     []Process // those where the process itself is, in its container or on the node
}

// lineageOf parts the ancestors where the container ends. One of which the sensor
// does not know where it is counts as inside, unless it is what runs containers.
func lineageOf(r *Record) lineage {
	if r.Container == nil {
		return lineage{outside: r.Ancestors, own: r.Ancestors}
	}
	for i, a := range r.Ancestors {
		if a.Container != r.Container.ID && (a.Container != unknown || isTool(a.Name)) {
			return lineage{inside: r.Ancestors[:i], outside: r.Ancestors[i:], own: r.Ancestors[:i]}
		}
	}
	return lineage{inside: r.Ancestors, own: r.Ancestors}
}

// unknown stands for an ancestor's container of which the sensor knows nothing.
const unknown = "unknown"

// server is the program that answers strangers and has this process below it,
// with nothing between but shells, wrappers and what reads scripts. On the node
// itself a runtime is most often what tends it, and calls shells all day.
func (l lineage) server(at time.Time) string {
	for i := range l.own {
		a := &l.own[i]
		name := a.Name
		if a.Path != "" {
			name = programOf(a).name
		}
		switch {
		case is(servers, name):
			return base(name)
		case is(runtimes, name) && len(l.inside) > 0 && at.Sub(since(l.own[i:])) >= serving:
			return base(name)
		case !is(shells, name) && !is(wrappers, name) && !is(runtimes, name) && !isScript(a.Name):
			return ""
		}
	}
	return ""
}

// since is when the oldest of a server's processes started: what forks for each
// request has young ones. The nearest comes first.
func since(ancestors []Process) time.Time {
	oldest := ancestors[0].StartedAt
	for _, a := range ancestors {
		if a.Name != ancestors[0].Name {
			break
		}
		oldest = a.StartedAt
	}
	return oldest
}

// isScript tells a script by its name, which is all that is known of an ancestor.
func isScript(name string) bool {
	return slices.ContainsFunc([]string{".sh", ".cgi", ".py", ".pl", ".rb", ".bash"},
		func(end string) bool { return strings.HasSuffix(name, end) })
}

// starter is what started the container: the tool nearest to it that a person
// calls, or what runs containers for one.
func (l lineage) starter() (name string) {
	for _, a := range l.outside {
		if isTool(a.Name) && !strings.HasPrefix(a.Name, "runc:[") {
			name = base(a.Name)
		}
	}
	return name
}

// names are those of the ancestors, nearest first.
func (r *Record) names() (out []string) {
	for _, a := range r.Ancestors {
		out = append(out, a.Name)
	}
	return out
}
