package api

import (
	"context"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// alertsPage is how many alerts are read at once, thingsAsked how many things the store is
// asked about at once.
const (
	alertsPage  = 1000
	thingsAsked = 10_000
)

// partsOf is a thing with the pods that are of it, on it or run as it, and their
// containers: what is so of them concerns it. Of a cluster or namespace that would
// be everything.
func partsOf(n graph.Node) map[graph.Node]bool {
	parts := map[graph.Node]bool{n: true}
	pod := func(p graph.Node) {
		parts[p] = true
		for e := range p.Out("RUNS") {
			parts[e.To] = true
		}
	}
	switch n.Kind() {
	case "Container":
		for e := range n.In("RUNS") {
			parts[e.From] = true
		}
	case "Node":
		for e := range n.In("RUNS_ON") {
			pod(e.From)
		}
	case "ServiceAccount":
		for e := range n.In("RUNS_AS") {
			pod(e.From)
		}
	default:
		for p := range podsOwned(n, 3) {
			pod(p)
		}
	}
	return parts
}

// imagesOf lists the images that containers among the parts use, worst first.
func (s session) imagesOf(parts map[graph.Node]bool) []ImageRow {
	used := map[string]bool{}
	for n := range parts {
		if n.Kind() == "Container" {
			for e := range n.Out("USES_IMAGE") {
				used[e.To.ID()] = true
			}
		}
	}
	out := []ImageRow{}
	if len(used) == 0 {
		return out
	}
	for _, row := range s.imageRows(s.World) {
		if used[row.Id] {
			out = append(out, row)
		}
	}
	return out
}

// peopleInAlerts lists the users that alerts name, each once. Who holds no role by
// name, as people of a group do, is known from events alone.
func (s session) peopleInAlerts(ctx context.Context) (out []Ref, err error) {
	users, err := s.AlertedUsers(ctx)
	for _, u := range users {
		out = append(out, Ref{Kind: "User", Id: u.Cluster + "/" + ref.Ref{Kind: "User", Name: u.Name}.ID(), Name: u.Name, Cluster: &u.Cluster})
	}
	return out, err
}

// person is the page of a user whom alerts name and the graph does not.
func (s session) person(ctx context.Context, kind schema.Kind, id string) (*Entity, error) {
	people, err := s.peopleInAlerts(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		if p.Kind != kind.Name || p.Id != id {
			continue
		}
		alerts, err := s.alertsOf(ctx, *p.Cluster, []string{id, store.Thing(p.Kind, "", p.Name)})
		if err != nil {
			return nil, err
		}
		return &Entity{Ref: p, KindLabel: kind.Label, KindSentence: "Known from events alone: no binding that was read names it; " +
			"what its groups may do is not said here.", Insights: []Insight{}, Properties: []EntityProperty{}, Relations: []Relation{},
			Paths: []PathRow{}, Images: []ImageRow{}, Alerts: alerts[:min(len(alerts), relationItems)], AlertsTotal: len(alerts),
			AsOf: s.AsOf()}, nil
	}
	return nil, nil
}

// alertsNaming lists the open alerts that name one of the parts.
func (s session) alertsNaming(ctx context.Context, parts map[graph.Node]bool) ([]AlertRow, error) {
	cluster, things := "", []string{}
	for n := range parts {
		cluster = n.Cluster()
		things = append(things, n.ID(), store.Thing(n.Kind(), n.Text("namespace"), n.Text("name")))
	}
	return s.alertsOf(ctx, cluster, things)
}

// alertsOf lists the open alerts of a cluster that name one of some things, those seen last first.
func (s session) alertsOf(ctx context.Context, cluster string, things []string) ([]AlertRow, error) {
	out, seen := []AlertRow{}, map[string]bool{}
	if cluster == "" {
		return out, nil
	}
	for some := range slices.Chunk(things, thingsAsked) {
		f := store.AlertFilter{Clusters: []string{cluster}, Things: some, Statuses: []store.AlertStatus{store.AlertNew, store.AlertInProgress}}
		for cursor, more := "", true; more; more = cursor != "" {
			page, next, err := s.Alerts(ctx, f, cursor, alertsPage)
			if err != nil {
				return nil, err
			}
			for _, one := range page {
				if !seen[one.ID] {
					seen[one.ID] = true
					out = append(out, alertRow(one))
				}
			}
			cursor = next
		}
	}
	slices.SortStableFunc(out, func(a, b AlertRow) int { return b.LastSeen.Compare(a.LastSeen) })
	return out, nil
}
