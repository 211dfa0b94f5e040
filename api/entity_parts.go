package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// alertsLooked is among how many of a cluster's last open alerts those that name a
// thing are looked for.
const alertsLooked = 1000

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
func (s session) peopleInAlerts(ctx context.Context) ([]Ref, error) {
	stored, _, err := s.Alerts(ctx, store.AlertFilter{}, "", alertsLooked)
	if err != nil {
		return nil, err
	}
	var out []Ref
	seen := map[string]bool{}
	for _, one := range stored {
		var a detect.Alert
		if err := json.Unmarshal(one.Body, &a); err != nil {
			return nil, fmt.Errorf("read stored alert %s of %s: %w", one.ID, one.Cluster, err)
		}
		for _, e := range a.Entities {
			id := one.Cluster + "/" + ref.Ref{Kind: "User", Name: e.Name}.ID()
			if e.Kind == "User" && !seen[id] {
				seen[id] = true
				out = append(out, Ref{Kind: "User", Id: id, Name: e.Name, Cluster: new(one.Cluster)})
			}
		}
	}
	return out, nil
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
		alerts, err := s.alertsOf(ctx, *p.Cluster, map[string]bool{id: true}, map[string]bool{p.Kind + "  " + p.Name: true})
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
	cluster, ids, names := "", map[string]bool{}, map[string]bool{}
	for n := range parts {
		cluster = n.Cluster()
		ids[n.ID()] = true
		names[n.Kind()+" "+n.Text("namespace")+" "+n.Text("name")] = true
	}
	return s.alertsOf(ctx, cluster, ids, names)
}

// alertsOf lists the open alerts of a cluster that name a thing by its id, or by
// kind, namespace and name.
func (s session) alertsOf(ctx context.Context, cluster string, ids, names map[string]bool) ([]AlertRow, error) {
	out := []AlertRow{}
	if cluster == "" {
		return out, nil
	}
	stored, _, err := s.Alerts(ctx, store.AlertFilter{Clusters: []string{cluster},
		Statuses: []store.AlertStatus{store.AlertNew, store.AlertInProgress}}, "", alertsLooked)
	if err != nil {
		return nil, err
	}
	for _, one := range stored {
		var a detect.Alert
		if err := json.Unmarshal(one.Body, &a); err != nil {
			return nil, fmt.Errorf("read stored alert %s of %s: %w", one.ID, cluster, err)
		}
		for _, e := range a.Entities {
			if ids[e.ID] || names[e.Kind+" "+e.Namespace+" "+e.Name] {
				out = append(out, alertRow(one))
				break
			}
		}
	}
	return out, nil
}
