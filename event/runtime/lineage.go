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
}

// lineageOf parts the ancestors where the container ends: at its first process,
// at one that the sensor says is elsewhere, or at what runs containers.
func lineageOf(r *Record) lineage {
	if r.Container == nil {
		return lineage{outside: r.Ancestors}
	}
	if r.Process.InnerPID == 1 {
		return lineage{outside: r.Ancestors}
	}
	for i, a := range r.Ancestors {
		if a.Container != "" && a.Container != r.Container.ID || isTool(a.Name) {
			return lineage{r.Ancestors[:i], r.Ancestors[i:]}
		}
		if a.InnerPID == 1 {
			return lineage{r.Ancestors[:i+1], r.Ancestors[i+1:]}
		}
	}
	return lineage{inside: r.Ancestors}
}

// server is the program that answers strangers and has this process below it,
// with nothing between but shells, wrappers and what reads scripts.
func (l lineage) server(at time.Time) string {
	for i := range l.inside {
		a := &l.inside[i]
		name := a.Name
		if a.Path != "" {
			name = programOf(a).name
		}
		switch {
		case is(servers, name):
			return base(name)
		case is(runtimes, name) && at.Sub(l.since(i)) >= serving:
			return base(name)
		case !is(shells, name) && !is(wrappers, name) && !is(runtimes, name) && !isScript(a.Name):
			return ""
		}
	}
	return ""
}

// since is when the oldest of a server's processes started: what forks for each
// request has young ones.
func (l lineage) since(i int) time.Time {
	oldest := l.inside[i].StartedAt
	for _, a := range l.inside[i:] {
		if a.Name != l.inside[i].Name {
			break
		}
		oldest = a.StartedAt
	}
	return oldest
}

// isScript tells a script by its name, which is all that is known of an ancestor.
func isScript(name string) bool {
	return slices.ContainsFunc([]string{".sh", ".cgi", ".py", ".pl", ".rb", ".bash"}, func(end string) bool { return strings.HasSuffix(name, end) })
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
