// Package pipeline turns what clusters send into alerts. A batch goes through
// stages, each in a file of its own: decode, match, state, alert, correlate,
// notify. Before the last one everything that came of the batch is committed in
// one transaction.
//
// Every source, a cluster's events of one kind, has a lane: a goroutine that owns its
// detections and all they remember. So sources are analysed beside each other, the order
// within one holds, and one whose batches are heavy holds up no other: the lane that used
// the processors least has the next turn. While a batch is judged and committed, the next
// one is decoded and matched already.
//
// The package knows no transport and no graph: batches come from a Source, and
// what is known of a cluster's pods is asked through Clusters.
package pipeline

import (
	"context"
	"log/slog"
	"net/netip"
	goruntime "runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// window is how long after it was last seen the same thing is the same alert.
const window = 24 * time.Hour

// Source hands batches to a handler until ctx ends: those of one cluster and kind in their
// order, and again until the handler returned nil.
type Source func(ctx context.Context, handler func(context.Context, ingest.Batch) error) error

// Records keeps what was found.
type Records interface {
	Alerts(ctx context.Context, f store.AlertFilter, cursor string, limit int) (page []store.Alert, next string, err error)
	AlertedClusters(ctx context.Context, since time.Time) ([]string, error)
	EventPositions(ctx context.Context, cluster string) (map[string]store.EventPosition, error)
	AnalyticStates(ctx context.Context, cluster, analytic string) ([]store.AnalyticState, error)
	PutAnalysed(ctx context.Context, a store.Analysed) error
}

// Clusters knows the present state of clusters.
type Clusters interface {
	detect.Context
	// Place says in which pod a container runs.
	Place(cluster string, c *runtime.Container) (runtime.Place, bool)
	// Knows says why a cluster's pods are not known; "" if they are.
	Knows(cluster string) (why string)
	// Provider is whose cluster it is, one of audit.Providers; "" if that is not known.
	Provider(cluster string) string
}

// noClusters knows no cluster, and so not why a pod of one is unknown.
type noClusters struct{}

func (noClusters) About(string, event.Entity) (detect.About, bool) { return detect.About{}, false }
func (noClusters) Place(string, *runtime.Container) (runtime.Place, bool) {
	return runtime.Place{}, false
}
func (noClusters) Knows(string) string    { return "" }
func (noClusters) Provider(string) string { return "" }

// Config is what a Pipeline needs.
type Config struct {
	Rules   *detect.Rules
	Records Records
	// Clusters is nil if nothing is known of any.
	Clusters Clusters
	// Analytics makes those that a lane has beside the built-in ones; nil if
	// there are none.
	Analytics func() []Analytic
	// Proxies are the load balancers before API servers.
	Proxies []netip.Prefix
	// Tell lets people who look on know that there is something new.
	Tell func()
	Log  *slog.Logger
}

// Pipeline is the stages and the clusters' lanes.
type Pipeline struct {
	config     Config
	turns      *turns
	kinds      map[string]ingest.Kind // of the events that a rule is about
	unreadable counts
	blind      counts
}

// New makes a pipeline.
func New(c Config) *Pipeline {
	if c.Analytics == nil {
		c.Analytics = func() []Analytic { return nil }
	}
	if c.Clusters == nil {
		c.Clusters = noClusters{}
	}
	kinds := map[string]ingest.Kind{}
	if c.Rules != nil {
		for id, source := range c.Rules.Sources() {
			kinds[id] = kindOf(source)
		}
	}
	return &Pipeline{config: c, turns: newTurns(max(8, 4*goruntime.GOMAXPROCS(0))), kinds: kinds}
}

// Run analyses what comes from the source until it ends, and goes on with the
// alerts of before.
func (p *Pipeline) Run(ctx context.Context, from Source) error {
	alerted, err := p.config.Records.AlertedClusters(ctx, time.Now().Add(-window))
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	g, ctx := errgroup.WithContext(ctx)
	l := lanes{pipeline: p, start: func(one *lane) { g.Go(func() error { one.run(ctx); return nil }) }}
	for _, cluster := range alerted { // whose alerts may become complete before an event comes
		l.of(sender{cluster, ingest.Runtime})
	}
	g.Go(func() error {
		defer end()
		return from(ctx, func(ctx context.Context, b ingest.Batch) error {
			return l.of(sender{b.Cluster, b.Kind}).analyse(ctx, b)
		})
	})
	return g.Wait()
}

// lanes are the sources that are analysed.
type lanes struct {
	pipeline *Pipeline
	start    func(*lane)
	mu       struct {
		sync.Mutex
		by map[sender]*lane
	}
}

// of finds a source's lane or starts it.
func (l *lanes) of(s sender) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.mu.by[s]
	if one == nil {
		one = newLane(l.pipeline, s)
		if l.mu.by == nil {
			l.mu.by = map[sender]*lane{}
		}
		l.mu.by[s] = one
		l.start(one)
	}
	return one
}
