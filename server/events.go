package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/pipeline"
	"github.com/breakwater-sec/breakwater/rule"
)

// alerting is what takes events and makes alerts of them.
type alerting struct {
	server   *ingest.Server
	pipeline *pipeline.Pipeline
	rules    []rule.Head
	hasRoom  func() error
}

// openAlerting opens the endpoint that clusters send events to.
func (v *Server) openAlerting(ctx context.Context, servers map[string]kube.Config) (*alerting, error) {
	proxies, err := Prefixes(v.config.Proxies)
	if err != nil {
		return nil, err
	}
	rules, err := LoadDetections(v.config.Rules)
	if err != nil {
		return nil, err
	}
	ca, err := ingest.OpenAuthority(v.Data.Authority())
	if err != nil {
		return nil, err
	}
	clients, err := ingest.OpenClients(v.Data.Authority())
	if err != nil {
		return nil, err
	}
	hosts := append([]string{"localhost", "127.0.0.1"}, v.config.Hosts...)
	if host, _, err := net.SplitHostPort(v.config.Ingest); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	c := ingest.Config{Listen: v.config.Ingest, TLS: ca.TLS(hosts...), Tokens: v.Store, Sensors: v.Store, Clients: clients,
		CertificateLife: v.config.SensorCertificates, SensorTokens: v.config.SensorTokens,
		HasNode: v.Context.HasNode, SensorPods: v.Context.Sensors,
		HasRoom: v.disk.hasRoom, NoRoom: v.disk.noRoom, Clean: clean, Unpack: audit.Unpack, Version: Version(), NATS: v.nats(),
		Dir: filepath.Join(string(v.Data), "events"), Log: v.log, Lost: lostBy(servers)}
	v.limits.bound(&c)
	s, err := ingest.New(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("--ingest-listen %s: %w", v.config.Ingest, err)
	}
	a := &alerting{server: s, hasRoom: v.disk.hasRoom}
	a.pipeline = pipeline.New(pipeline.Config{Rules: rules, Records: v.Store, Clusters: v.Context, Proxies: proxies,
		Tell: func() { v.Live.Tell("Alert") }, Log: v.log})
	for _, r := range rules.All() {
		a.rules = append(a.rules, *r.Header())
	}
	return a, nil
}

// clean takes out of an event what must not lie on a disk.
func clean(kind ingest.Kind, event []byte) []byte {
	switch kind {
	case ingest.Audit:
		return audit.Clean(event)
	case ingest.Runtime:
		return runtime.Clean(event)
	}
	return event // ours
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

// run receives and analyses until ctx ends.
func (a *alerting) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.server.Run(ctx) })
	g.Go(func() error { return a.pipeline.Run(ctx, a.server.Consume) })
	return errors.Join(g.Wait(), a.server.Close())
}

// Analysed is how many events of a kind a cluster has sent, in all, that were analysed.
func (v *Server) Analysed(ctx context.Context, cluster string, kind ingest.Kind) (uint64, error) {
	tallies, err := v.alerting.pipeline.Tallies(ctx)
	return tallies[cluster][kind].Events, err
}

// receiving is which clusters send events, for the portal: since the start of this
// process, and in all.
func (a *alerting) receiving(ctx context.Context) ([]api.Receiving, error) {
	tallies, err := a.pipeline.Tallies(ctx)
	if err != nil {
		return nil, err
	}
	undecided, err := a.pipeline.Undecided(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := a.server.Counts(ctx)
	if a.hasRoom() != nil {
		err = nil // the stream may have ended for that, which every page says: what is known is told
	}
	for cluster, kinds := range tallies {
		for kind := range kinds {
			if !slices.ContainsFunc(counts, func(c ingest.Count) bool { return c.Cluster == cluster && c.Kind == kind }) {
				counts = append(counts, ingest.Count{Cluster: cluster, Kind: kind}) // it sent before this process
			}
		}
	}
	counts = slices.DeleteFunc(counts, func(c ingest.Count) bool { return c.Kind == ingest.Noticed }) // nobody sends these
	slices.SortFunc(counts, func(a, b ingest.Count) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Kind, b.Kind))
	})
	out := []api.Receiving{}
	for _, c := range counts {
		r := a.received(c, tallies[c.Cluster][c.Kind])
		if by := undecided[c.Cluster]; c.Kind == ingest.Audit && len(by) > 0 {
			r.Undecided = &by
		}
		out = append(out, r)
	}
	return out, err
}

// coverage is which rules can fire on which clusters.
func (a *alerting) coverage(ctx context.Context) ([]api.AlertCoverage, error) {
	covered, err := a.pipeline.Coverage(ctx)
	out := []api.AlertCoverage{}
	for _, cluster := range slices.Sorted(maps.Keys(covered)) {
		for _, r := range covered[cluster] {
			out = append(out, api.AlertCoverage{Cluster: cluster, Rule: r.Rule, Title: r.Title, Severity: r.Severity,
				Can: api.AlertCoverageCan(r.Can), Why: r.Why, Matched: r.Matched, Blind: r.Blind, Forgotten: r.Forgotten, Full: r.Full})
		}
	}
	return out, err
}

// waiting are the nodes that want to join and may not yet, whichever server they asked.
func (v *Server) waiting(ctx context.Context) (out []api.NodeWaits, err error) {
	all, err := v.Store.WaitingNodes(ctx)
	for _, w := range all {
		out = append(out, api.NodeWaits(w))
	}
	return out, err
}

func (a *alerting) received(c ingest.Count, t pipeline.Tally) api.Receiving {
	r := api.Receiving{Cluster: c.Cluster, Kind: api.ReceivingKind(c.Kind), Accepted: int(c.Accepted), Analysed: int(c.Analysed),
		Waiting: int(c.Waiting), DeadLettered: int(c.DeadLettered), Rejected: map[string]int{}}
	if t.Events > 0 {
		r.Total, r.Since = new(int(t.Events)), &t.Since
	}
	if c.Kind == ingest.Audit {
		r.Blind = new(a.pipeline.Blind(c.Cluster))
		r.Reconciled, r.LostWhy = new(int(c.Reconciled)), optional(c.Lost.Why)
		if c.Lost.Events != nil {
			r.Lost = new(int(*c.Lost.Events))
		}
	}
	for why, n := range c.Rejected {
		r.Rejected[why] = int(n)
	}
	if n := a.pipeline.Unreadable(c.Cluster, c.Kind); n > 0 {
		r.Rejected["no event"] = n
	}
	if !c.LastReceived.IsZero() {
		r.LastReceived = &c.LastReceived
	}
	return r
}

// optional is nil for what is not there.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// nats is the NATS cluster to use, if any.
func (v *Server) nats() ingest.NATS {
	n := v.config.NATS
	if !v.config.Sample { // whose events wait in its own folder
		n.URL = cmp.Or(n.URL, os.Getenv(NATSVariable))
	}
	return n
}

// Prefixes reads the values of --trusted-proxy.
func Prefixes(texts []string) (out []netip.Prefix, err error) {
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}
