package live

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// State is how far a cluster's facts can be trusted to be the present.
type State string

const (
	// Loading: nothing has been read yet.
	Loading State = "loading"
	// Saved: served from the dump of an earlier run while it is read again.
	Saved State = "saved"
	// Current: read whole and watched.
	Current State = "current"
	// Lost: the source does not answer; the facts are as of when it last did.
	Lost State = "lost"
)

// World is one moment of everything. It never changes.
type World struct {
	// Version grows by one with every world.
	Version uint64
	View    *graph.View
	// Clusters holds every configured cluster, read or not.
	Clusters map[string]*Cluster
	// RegistryGaps is what is not seen of the connected registries.
	RegistryGaps []collect.Gap
}

// Cluster is what is known of one cluster at one moment.
type Cluster struct {
	Name  string
	Info  collect.ClusterInfo
	State State
	// AsOf is when the source last said that this is the present.
	AsOf time.Time
	// Version is of the analysis, growing within a cluster over restarts.
	Version uint64
	Segment *graph.Segment
	// Paths are what the analysis found; Open are they and those that could not be
	// judged again, each with its life, worst first.
	Paths []analyse.Path
	Open  []Path
	// Gaps are the collector's, the judges' and the analysis's.
	Gaps []collect.Gap
	// Counts is the number of objects read, by Kubernetes kind; Unread the
	// number of objects of kinds that are seen and not interpreted.
	Counts map[string]int
	Unread map[string]int
	// Assume finds the paths from what an asker says that an attacker has; found is
	// false where there is no such thing. Nil while nothing was computed.
	Assume func(ctx context.Context, what string) (paths []analyse.Path, gaps []collect.Gap, found bool, err error)
	// Try finds what is left once fixes are done on a copy, from what is assumed or from the
	// footholds that there are; it takes the cluster's facts if the fixes revoke something.
	Try func(ctx context.Context, f *collect.Facts, fixes []analyse.Fix, assume string) (*Trial, error)
	// Under computes a copy of the cluster's facts, which it may keep, under another name:
	// two clusters are compared as one. Nil while nothing was computed.
	Under func(ctx context.Context, f *collect.Facts, name string) (*World, error)
	// Took is how long the last recomputation lasted.
	Took   time.Duration
	images []assess.Use
	// exposed are those of them that run where the internet reaches them.
	exposed []string
	breach  *analyse.Breach
}

// Ordered lists the clusters by name.
func (w *World) Ordered() []*Cluster {
	var out []*Cluster
	for _, name := range slices.Sorted(maps.Keys(w.Clusters)) {
		out = append(out, w.Clusters[name])
	}
	return out
}

// Gaps lists every gap of every cluster, each with its cluster's name, and of
// every registry; identical ones once.
func (w *World) Gaps() []collect.Gap {
	var out []collect.Gap
	for _, c := range w.Ordered() {
		if c.State == Loading {
			out = append(out, collect.Gap{Cluster: c.Name, Source: "api", What: "cluster", Why: "it has not been read yet",
				Consequence: "Nothing of it is in any answer."})
		}
		for _, g := range c.Gaps {
			g.Cluster = c.Name
			out = append(out, g)
		}
	}
	return collect.Together(append(out, w.RegistryGaps...))
}

// put makes a new world in which one cluster is different, and tells.
func (l *Live) put(c *Cluster, kinds []string) {
	l.publish.Lock()
	defer l.publish.Unlock()
	old := l.world.Load()
	w := &World{Version: old.Version + 1, Clusters: maps.Clone(old.Clusters), RegistryGaps: old.RegistryGaps}
	w.Clusters[c.Name] = c
	l.swap(w, Event{Cluster: c.Name, Kinds: kinds})
}

// refresh makes a new world of the same clusters on the shared nodes of now.
func (l *Live) refresh(kinds []string) {
	l.publish.Lock()
	defer l.publish.Unlock()
	old := l.world.Load()
	l.swap(&World{Version: old.Version + 1, Clusters: old.Clusters, RegistryGaps: old.RegistryGaps}, Event{Kinds: kinds})
}

// SetRegistryGaps takes what is not seen of the connected registries. It is asked for
// in its turn, so that an older word never replaces a newer one.
func (l *Live) SetRegistryGaps(gaps func() []collect.Gap) {
	l.publish.Lock()
	defer l.publish.Unlock()
	old := l.world.Load()
	l.swap(&World{Version: old.Version + 1, Clusters: old.Clusters, RegistryGaps: gaps()}, Event{Kinds: []string{"Registry", "Gap"}})
}

// swap is called with publish held.
func (l *Live) swap(w *World, e Event) {
	var segments []*graph.Segment
	for _, c := range w.Ordered() {
		if c.Segment != nil {
			segments = append(segments, c.Segment)
		}
	}
	// Shared indices are append-only, so older segments fit the newest shared one.
	w.View = graph.NewView(schema.Vocabulary(), l.shared.frozen(), segments...)
	l.world.Store(w)
	e.Version = w.Version
	l.hub.send(e)
}
