package api

import (
	"context"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
)

// accepted says of findings what people accepted, and reads the inventory of an image once while a request is answered.
type accepted struct {
	*report.Accepting
	ctx   context.Context
	s     session
	files map[graph.Node]map[string][]string
	// found is each exception with the images in which it holds for something.
	found map[string]map[string]bool
}

// accepts asks what the server's file says now. A file that cannot be read now counts as it was.
func (s session) accepts(ctx context.Context) *accepted {
	set, _ := s.exceptions(ctx) // what is wrong with it is told by ListExceptions and the log
	return s.acceptsBy(ctx, set)
}

func (s session) acceptsBy(ctx context.Context, set *exception.Set) *accepted {
	a := &accepted{ctx: ctx, s: s, files: map[graph.Node]map[string][]string{}, found: map[string]map[string]bool{}}
	a.Accepting = report.NewAccepting(set, time.Now(), a.filesOf)
	return a
}

// of is the exception for a HAS_VULNERABILITY edge, nil for none.
func (a *accepted) of(e graph.Edge) *exception.Applied {
	found := a.Of(e)
	if found != nil {
		if a.found[found.Where] == nil {
			a.found[found.Where] = map[string]bool{}
		}
		a.found[found.Where][e.From.ID()] = true
	}
	return found
}

// filesOf are the files of a package. The inventory is read for an exception that names paths, and for no other; one that
// cannot be read leaves the finding to count.
func (a *accepted) filesOf(n graph.Node, at string) []string {
	if a.files[n] == nil {
		a.files[n] = map[string][]string{}
		if inv, err := a.s.Inventory(a.ctx, n.ID()); err == nil && inv != nil {
			for _, p := range inv.Packages {
				key := p.Name + " " + p.Version
				a.files[n][key] = append(a.files[n][key], p.Files...)
			}
		}
	}
	return a.files[n][at]
}

// finding tells a HAS_VULNERABILITY edge, with the exception for it.
func (a *accepted) finding(e graph.Edge) Finding {
	f := findingOf(e)
	f.Exception = a.of(e)
	return f
}

// onPath are those of the vulnerabilities that open a path that people accepted.
func (a *accepted) onPath(p analyse.Path) (out []AcceptedOnPath) {
	if a.None() {
		return nil
	}
	for _, v := range p.Vulnerabilities {
		n, there := a.s.imageNamed(v.Image)
		if !there {
			continue
		}
		for e := range n.Out("HAS_VULNERABILITY") {
			name, _, _ := strings.Cut(e.Value("package").Str(), " ")
			if e.To.ID() != v.ID || name != v.Package {
				continue
			}
			if found := a.of(e); found != nil {
				out = append(out, AcceptedOnPath{Id: v.ID, Package: v.Package, Image: v.Image, Exception: *found})
			}
			break
		}
	}
	return out
}
