package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/enrichment"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/store"
)

// alertWindow is how long after it was last seen the same thing is the same alert.
const alertWindow = 24 * time.Hour

// alerting is the pipeline of events: received, decoded, matched, stored.
type alerting struct {
	server *ingest.Server
	rules  []rule.Head
	store  *store.Store
	live   *live.Live
	// context says what the graph and the clusters know of what events name.
	context *enrichment.Context
	log     *slog.Logger
	// proxies are the load balancers before API servers.
	proxies []netip.Prefix
	mu      struct {
		sync.Mutex
		engine *detect.Engine
		// unsaid are alerts that changed and are not stored yet.
		unsaid []detect.Alert
		// unreadable counts, by what sent them, well-formed texts that are no events.
		unreadable map[sender]int
	}
}

// sender is a cluster and the kind of its events.
type sender struct {
	cluster string
	kind    ingest.Kind
}

// openAlerting opens the endpoint that clusters send events to, and goes on with
// the alerts of before.
func (v *server) openAlerting(ctx context.Context, servers map[string]kube.Config) (*alerting, error) {
	proxies, err := prefixes(v.config.proxies)
	if err != nil {
		return nil, err
	}
	rules, err := loadDetections(v.config.rules)
	if err != nil {
		return nil, err
	}
	ca, err := ingest.OpenAuthority(v.data.authority())
	if err != nil {
		return nil, err
	}
	hosts := append([]string{"localhost", "127.0.0.1"}, v.config.hosts...)
	if host, _, err := net.SplitHostPort(v.config.ingest); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	s, err := ingest.New(ctx, ingest.Config{Listen: v.config.ingest, TLS: ca.TLS(hosts...), Tokens: v.store, Sensors: v.store, Dir: filepath.Join(string(v.data), "events"), Log: v.log, Lost: lostBy(servers)})
	if err != nil {
		return nil, fmt.Errorf("--ingest-listen %s: %w", v.config.ingest, err)
	}
	a := &alerting{server: s, store: v.store, live: v.live, context: v.context, log: v.log, proxies: proxies}
	a.mu.engine, a.mu.unreadable = detect.New(rules, v.context, detect.Options{Window: alertWindow}), map[sender]int{}
	for _, r := range rules.All() {
		a.rules = append(a.rules, *r.Header())
	}
	if err := a.resume(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return a, nil
}

// lostBy asks API servers what their webhooks gave up.
func lostBy(servers map[string]kube.Config) func(context.Context, string) (uint64, error) {
	return func(ctx context.Context, cluster string) (uint64, error) {
		c, known := servers[cluster]
		if !known {
			return 0, errors.New("its API server is not connected: start with --from context:NAME")
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		metrics, err := kube.Metrics(ctx, c)
		if err != nil {
			return 0, err
		}
		defer metrics.Close()
		n, _, err := ingest.AuditErrors(metrics)
		return n, err
	}
}

// resume gives the engine the alerts that events may still belong to.
func (a *alerting) resume(ctx context.Context) error {
	var open []detect.Alert
	for cursor := ""; ; {
		page, next, err := a.store.Alerts(ctx, store.AlertFilter{Since: time.Now().Add(-alertWindow)}, cursor, 500)
		if err != nil {
			return err
		}
		for _, stored := range page {
			var one detect.Alert
			if err := json.Unmarshal(stored.Body, &one); err != nil {
				return fmt.Errorf("read stored alert %s: %w", stored.ID, err)
			}
			open = append([]detect.Alert{one}, open...) // oldest first
		}
		if cursor = next; cursor == "" {
			a.mu.engine.Resume(open)
			return nil
		}
	}
}

// run receives and analyses until ctx ends.
func (a *alerting) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.server.Run(ctx) })
	g.Go(func() error { a.complete(ctx); return nil })
	g.Go(func() error { return a.server.Consume(ctx, func(b ingest.Batch) error { return a.analyse(ctx, b) }) })
	return errors.Join(g.Wait(), a.server.Close())
}

// receiving is which clusters send events, for the portal.
func (a *alerting) receiving(ctx context.Context) ([]api.Receiving, error) {
	counts, err := a.server.Counts(ctx)
	out := []api.Receiving{}
	for _, c := range counts {
		r := api.Receiving{Cluster: c.Cluster, Kind: api.ReceivingKind(c.Kind), Accepted: int(c.Accepted), Analysed: int(c.Analysed),
			Waiting: int(c.Waiting), Parked: int(c.Parked), Rejected: map[string]int{}}
		if c.Kind == ingest.Audit {
			r.Reconciled, r.LostWhy = new(int(c.Reconciled)), optional(c.Lost.Why)
			if c.Lost.Events != nil {
				r.Lost = new(int(*c.Lost.Events))
			}
		}
		for why, n := range c.Rejected {
			r.Rejected[why] = int(n)
		}
		if n := a.unreadableOf(sender{c.Cluster, c.Kind}); n > 0 {
			r.Rejected["no event"] = n
		}
		if !c.LastReceived.IsZero() {
			r.LastReceived = &c.LastReceived
		}
		out = append(out, r)
	}
	return out, err
}

// analyse turns a batch into alerts. The batch is forgotten only when they are
// stored, and seeing it again makes the same ones.
func (a *alerting) analyse(ctx context.Context, b ingest.Batch) error {
	events, err := a.decode(ctx, b)
	if err != nil {
		return err
	}
	if err := a.say(ctx, func(e *detect.Engine) []detect.Alert { return e.Feed(events) }); err != nil {
		return fmt.Errorf("%w: %w", ingest.ErrLater, err)
	}
	return nil
}

// say stores the alerts that change makes or alters. What could not be stored is
// tried again with the next: the engine tells each change once. The lock is held
// throughout, so that an older word of an alert never replaces a newer one.
func (a *alerting) say(ctx context.Context, change func(*detect.Engine) []detect.Alert) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, found := range change(a.mu.engine) {
		same := func(have detect.Alert) bool { return have.Cluster == found.Cluster && have.ID == found.ID }
		a.mu.unsaid = append(slices.DeleteFunc(a.mu.unsaid, same), found)
	}
	if err := a.keep(ctx, a.mu.unsaid); err != nil {
		return err
	}
	a.mu.unsaid = nil
	return nil
}

func (a *alerting) decode(ctx context.Context, b ingest.Batch) ([]event.Event, error) {
	switch b.Kind {
	case ingest.Audit:
		return a.audit(b)
	case ingest.Runtime:
		return a.runtime(ctx, b)
	}
	return nil, fmt.Errorf("no decoder for %s events", b.Kind)
}

func (a *alerting) audit(b ingest.Batch) (events []event.Event, err error) {
	d := audit.Decoder{Cluster: b.Cluster, Proxies: a.proxies}
	err = d.Read(bytes.NewReader(b.Lines), func(part *audit.Batch) error {
		events = append(events, part.Events...)
		for _, r := range part.Rejected {
			a.unread(b, 1, r.Position, r.Why)
		}
		a.unread(b, part.Dropped, 0, "")
		return nil
	})
	return events, err
}

// unread counts what is no event, and says why.
func (a *alerting) unread(b ingest.Batch, n, position int, why string) {
	if n == 0 {
		return
	}
	a.mu.Lock()
	a.mu.unreadable[sender{b.Cluster, b.Kind}] += n
	a.mu.Unlock()
	if why != "" {
		a.log.Warn("an event cannot be read", "cluster", b.Cluster, "kind", b.Kind, "position", position, "why", why)
	}
}

func (a *alerting) unreadableOf(s sender) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.unreadable[s]
}

// keep stores alerts and tells of them.
func (a *alerting) keep(ctx context.Context, found []detect.Alert) error {
	if len(found) == 0 {
		return nil
	}
	seen := make([]store.AlertSeen, 0, len(found))
	for _, f := range found {
		body, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("store alert %s: %w", f.ID, err)
		}
		seen = append(seen, store.AlertSeen{Cluster: f.Cluster, ID: f.ID, Rule: f.Rule, Severity: f.Severity, FirstSeen: f.First, LastSeen: f.Last, Events: f.Acts, Body: body})
	}
	if err := a.store.PutAlerts(ctx, seen...); err != nil {
		return err
	}
	for _, f := range found {
		a.log.Info("alert", "cluster", f.Cluster, "severity", f.Severity, "title", f.Title, "count", f.Count)
	}
	a.live.Tell("Alert")
	return nil
}

// optional is nil for what is not there.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
