// Package live owns the moving picture: changes of clusters in, an immutable
// World out, results to the store and a notice to subscribers. Each cluster
// has one goroutine that owns its Facts and recomputes them whole; readers take
// the current World and need no lock.
//
// It does not know where changes come from (a Source is a func), how images are
// opened (Config.Scan is a func) or what HTTP is.
package live

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// Source is where one cluster's facts come from.
type Source struct {
	// Name is the cluster's name in every stable id.
	Name string
	// Watch emits changes until ctx ends; an error makes live wait and call it
	// again. Everything listed must end in Resynced per kind and one Synced.
	Watch func(ctx context.Context, emit func(collect.Change)) error
	// Saved is what was known before the last stop, or nil; Save keeps what is
	// known now. Either may be nil.
	Saved func() (*collect.Facts, error)
	Save  func(*collect.Facts) error
}

// Records is what live asks of the store.
type Records interface {
	Apply(context.Context, store.Analysis) (store.Applied, []store.PathLife, error)
	OpenPaths(ctx context.Context, cluster string) ([]store.PathLife, error)
	Rename(ctx context.Context, cluster string, ids map[string]string, at time.Time) error
	Synced(ctx context.Context, cluster string, at time.Time) error
	ClusterVersion(ctx context.Context, cluster string) (uint64, error)
}

// Images is told what clusters use. What is known of it comes by Assessed.
type Images interface {
	Want(cluster string, uses []assess.Use)
	// Exposed replaces which images a cluster runs where the internet reaches them.
	Exposed(cluster string, images []string)
	Machines
}

// Machines says what is known of the software that a node reports.
type Machines interface {
	Machine(*collect.Node) *assess.Assessment
}

// Config is what a Live needs; nothing of it changes while it runs.
type Config struct {
	Records Records
	Rules   *analyse.Rules
	// Images, if not nil, is waited for: a cluster is computed when something is known
	// of every image that it uses.
	Images Images
	Log    *slog.Logger
	// SaveEvery is the least time between two savings of a cluster's facts.
	SaveEvery time.Duration
}

// Live is the moving picture.
type Live struct {
	config   Config
	shared   shared
	images   *images
	clusters []*cluster
	hub      hub
	turn     turns
	world    atomic.Pointer[World]
	publish  sync.Mutex // orders the makers of worlds
}

// New prepares a Live over the sources; Run starts it.
func New(c Config, sources []Source) (*Live, error) {
	l := &Live{config: c, images: newImages(), turn: newTurns(max(1, runtime.GOMAXPROCS(0)-1))}
	l.shared.graph = graph.NewShared(schema.Vocabulary())
	names := map[string]bool{}
	for _, s := range sources {
		if names[s.Name] {
			return nil, fmt.Errorf("two clusters are named %q: give one of them another name", s.Name)
		}
		names[s.Name] = true
		l.clusters = append(l.clusters, newCluster(l, s))
	}
	w := &World{View: graph.NewView(schema.Vocabulary(), nil), Clusters: map[string]*Cluster{}}
	for _, c := range l.clusters {
		w.Clusters[c.source.Name] = &Cluster{Name: c.source.Name, State: Loading}
	}
	l.world.Store(w)
	return l, nil
}

// Run moves the picture until ctx ends, and then waits for everything it began.
func (l *Live) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { l.draw(ctx); return nil })
	for _, c := range l.clusters {
		g.Go(func() error { return c.run(ctx) })
	}
	err := g.Wait()
	l.hub.close()
	return err
}

// World is the current picture.
func (l *Live) World() *World { return l.world.Load() }

// Subscribe yields an Event for every new World until ctx ends; a subscriber who
// is slow gets several worlds' events as one.
func (l *Live) Subscribe(ctx context.Context) <-chan Event { return l.hub.subscribe(ctx) }

// Tell lets subscribers know of something new that is not of the graph: an alert.
func (l *Live) Tell(kinds ...string) { l.hub.send(Event{Version: l.World().Version, Kinds: kinds}) }

// AdvisoriesChanged computes every cluster again: what its nodes report means something else now.
func (l *Live) AdvisoriesChanged(ctx context.Context) {
	for _, c := range l.clusters {
		c.poked(ctx, "Node")
	}
}

// Facts lets look see the facts of a cluster, in the goroutine that owns them;
// look must not keep or change them. It reports whether there is such a cluster.
func (l *Live) Facts(ctx context.Context, name string, look func(*collect.Facts)) (bool, error) {
	for _, c := range l.clusters {
		if c.source.Name != name {
			continue
		}
		done := make(chan struct{})
		select {
		case c.asks <- func(f *collect.Facts) { defer close(done); look(f) }:
		case <-ctx.Done():
			return true, ctx.Err()
		}
		<-done
		return true, nil
	}
	return false, nil
}
