// Package scope limits the World and the records to what an asker may see; nothing is
// shown that did not pass here. A World is a live.World of
// which only that is there, so that who works on one cannot show, count or infer
// anything else; a Reader adds the records that belong to it.
//
// It knows neither who asks nor how: a session says the graph.Scope, the API
// speaks HTTP.
package scope

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// World is one moment of everything that one asker may see. It never changes.
type World struct {
	*live.World
	scope graph.Scope
	memo  sync.Map // by type: see Once
}

// Of is a world as far as a scope lets it be seen.
func Of(w *live.World, s graph.Scope) *World {
	if s.All {
		return &World{World: w, scope: s}
	}
	seen := &live.World{View: w.View.Within(s).Restated("Image", "running", running), Clusters: map[string]*live.Cluster{}}
	for name, c := range w.Clusters {
		tenants, there := s.Segments[name]
		switch {
		case !there:
			continue
		case len(tenants) > 0:
			c = part(c, seen.View, tenants)
		default:
			whole := *c
			c = &whole
			seen.Version += c.Version
		}
		c.Segment = nil // it holds everything; the view leads to what is seen of it
		seen.Clusters[name] = c
	}
	return &World{World: seen, scope: s}
}

// running says whether a container that has not finished uses an image, of those
// that are seen.
func running(image graph.Node) graph.Value {
	for use := range image.In("USES_IMAGE") {
		for run := range use.From.In("RUNS") {
			if phase := run.From.Text("phase"); phase != "Succeeded" && phase != "Failed" {
				return graph.BoolValue(true)
			}
		}
	}
	return graph.BoolValue(false)
}

// Scope is what may be seen.
func (w *World) Scope() graph.Scope { return w.scope }

// All says that everything may be seen.
func (w *World) All() bool { return w.scope.All }

// Whole says that all of a cluster may be seen, also what lies in no namespace.
func (w *World) Whole(cluster string) bool {
	tenants, there := w.scope.Segments[cluster]
	return w.scope.All || there && len(tenants) == 0
}

// AsOf is when the oldest of the pictures shown was true, nil if nothing is.
func (w *World) AsOf() *time.Time {
	var oldest *time.Time
	for _, c := range w.Ordered() {
		if !c.AsOf.IsZero() && (oldest == nil || c.AsOf.Before(*oldest)) {
			oldest = new(c.AsOf)
		}
	}
	return oldest
}

// Once is what was made of a world: the first who asks makes it, for all.
func Once[T any](w *World, make func() T) T {
	made, _ := w.memo.LoadOrStore(reflect.TypeFor[T](), sync.OnceValue(make))
	return made.(func() T)()
}

// Open lists the open attack paths, worst first.
func (w *World) Open() []live.Path {
	return Once(w, func() []live.Path {
		var out []live.Path
		for _, c := range w.Ordered() {
			out = append(out, c.Open...)
		}
		slices.SortStableFunc(out, live.WorstFirst)
		return out
	})
}

// ErrNothing says that there is nothing of the name in what the asker sees.
var ErrNothing = errors.New("there is no such thing, or nothing is reached from it, in what is seen of the clusters")

// Assumed lists the paths from what the asker says that an attacker has, worst
// first. They have no lives: nobody has found an attacker there.
func (w *World) Assumed(ctx context.Context, what string) (out []Life, gaps []collect.Gap, err error) {
	some := false
	for _, c := range w.Ordered() {
		if c.Assume == nil {
			continue
		}
		paths, more, found, err := c.Assume(ctx, what)
		if err != nil {
			return nil, nil, err
		}
		some, gaps = some || found, append(gaps, more...)
		for i := range paths {
			out = append(out, Life{live.Path{Path: &paths[i], Status: store.Active, FirstSeen: c.AsOf}, c.AsOf})
		}
	}
	if !some {
		return nil, nil, fmt.Errorf("assume %s: %w", what, ErrNothing)
	}
	slices.SortStableFunc(out, func(a, b Life) int { return live.WorstFirst(a.Path, b.Path) })
	return out, gaps, nil
}

// unattributed is the gap of somebody who sees only some namespaces: it is always
// there, and so says nothing of the others.
func unattributed(cluster string) collect.Gap {
	return collect.Gap{Cluster: cluster, Source: "scope", What: "what could not be read of the cluster as a whole",
		Why:         "only some namespaces are in your scope",
		Consequence: "What is said here rests on what could be read of the whole cluster; who sees all of it sees what could not."}
}

// notJudged is all that somebody who sees only some namespaces is told of why a path may not be gone.
const notJudged = "it could not be judged again"

// part is what is seen of a cluster by somebody who sees only some namespaces.
func part(c *live.Cluster, v *graph.View, tenants []string) *live.Cluster {
	out := &live.Cluster{Name: c.Name, State: c.State, AsOf: c.AsOf, Info: collect.ClusterInfo{Name: c.Info.Name, Version: c.Info.Version},
		Gaps: []collect.Gap{unattributed(c.Name)}, Counts: map[string]int{}}
	if c.Assume != nil {
		out.Assume = func(ctx context.Context, what string) (within []analyse.Path, gaps []collect.Gap, found bool, err error) {
			paths, _, _, err := c.Assume(ctx, what)
			for i := range paths {
				if p := pathWithin(&paths[i], tenants); p != nil && p.Entry.ID != Outside {
					within = append(within, *p)
				}
			}
			return within, nil, len(within) > 0, err
		}
	}
	if c.Try != nil {
		out.Try = func(ctx context.Context, f *collect.Facts, fixes []analyse.Fix, assume string) (*live.Trial, error) {
			t, err := c.Try(ctx, f, fixes, assume)
			if err != nil {
				return nil, err
			}
			return trialWithin(t, tenants, assume != ""), nil
		}
	}
	images := map[string]bool{}
	for n := range v.Nodes("Image") {
		images["image "+n.Text("name")] = true
	}
	for _, g := range c.Gaps {
		if g.Source == "image" && images[g.What] {
			out.Gaps = append(out.Gaps, g)
		}
	}
	for _, k := range schema.Kinds() {
		if _, counted := c.Counts[k.Name]; counted {
			for n := range v.Nodes(k.Name) {
				if n.Cluster() == c.Name {
					out.Counts[k.Name]++
				}
			}
		}
	}
	for i := range c.Paths {
		if p := pathWithin(&c.Paths[i], tenants); p != nil {
			out.Paths = append(out.Paths, *p)
		}
	}
	for _, p := range c.Open {
		if within := pathWithin(p.Path, tenants); within != nil {
			shown := live.Path{Path: within, Status: p.Status, FirstSeen: p.FirstSeen}
			if p.StaleReason != "" {
				shown.StaleReason = notJudged
			}
			out.Open = append(out.Open, shown)
		}
	}
	return out
}

// ChokePoints are the things that several paths cannot do without and that are seen.
func ChokePoints(paths []analyse.Path) []analyse.ChokePoint {
	return slices.DeleteFunc(analyse.ChokePoints(paths), func(c analyse.ChokePoint) bool { return c.Thing.ID == Outside })
}
