package main

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
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/detect"
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
	engine *detect.Engine
	rules  []rule.Head
	store  *store.Store
	live   *live.Live
	log    *slog.Logger
	// proxies are the load balancers before API servers.
	proxies []netip.Prefix
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
	a := &alerting{server: s, engine: detect.New(rules, v.live, detect.Options{Window: alertWindow}), store: v.store, live: v.live, log: v.log, proxies: proxies}
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
			a.engine.Resume(open)
			return nil
		}
	}
}

// run receives and analyses until ctx ends.
func (a *alerting) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.server.Run(ctx) })
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
	if b.Kind != ingest.Audit {
		return fmt.Errorf("no decoder for %s events", b.Kind)
	}
	d := audit.Decoder{Cluster: b.Cluster, Proxies: a.proxies}
	var events []event.Event
	err := d.Read(bytes.NewReader(b.Lines), func(part *audit.Batch) error {
		events = append(events, part.Events...)
		for _, r := range part.Rejected {
			a.log.Warn("an audit event cannot be read", "cluster", b.Cluster, "position", r.Position, "why", r.Why)
		}
		return nil
	})
	if err != nil {
		return err
	}
	found := a.engine.Feed(events)
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
		return fmt.Errorf("%w: %w", ingest.ErrLater, err)
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
