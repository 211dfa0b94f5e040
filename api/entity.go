package api

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/scope"
)

// relationItems is how many of a relation's ends an entity shows; the question
// beside them lists all.
const relationItems = 12

// GetEntity implements StrictServerInterface.
func (s session) GetEntity(ctx context.Context, r GetEntityRequestObject) (GetEntityResponseObject, error) {
	w := s.World
	kind, known := schema.KindNamed(r.Params.Kind)
	if !known {
		return nil, asked{fmt.Errorf("kind %q: want one of the schema", r.Params.Kind)}
	}
	n, there := w.View.Node(r.Params.Kind, r.Params.Id)
	if !there {
		n, there = memberOf(w.View, r.Params.Kind, r.Params.Id)
	}
	if !there && kind.Name == "User" {
		if person, err := s.person(ctx, kind, r.Params.Id); person != nil || err != nil {
			return GetEntity200JSONResponse(deref(person)), err
		}
	}
	if !there {
		return nil, missing(fmt.Sprintf("no %s %s (any more)", kind.Label, r.Params.Id))
	}
	on := func(l scope.Life) bool { return l.Has(r.Params.Id) }
	if n.Kind() == "Cluster" { // what goes through a cluster, not only what ends in it
		on = func(l scope.Life) bool { return l.Cluster == n.Cluster() }
	}
	paths := rowsWhere(w, on)
	parts := partsOf(n)
	alerts, err := s.alertsNaming(ctx, parts)
	if err != nil {
		return nil, err
	}
	e := Entity{Ref: refOf(n), KindLabel: kind.Label, KindSentence: kind.Sentence, Insights: []Insight{}, Properties: []EntityProperty{},
		Relations: relationsOf(n), Paths: paths[:min(len(paths), relationItems)], PathsTotal: len(paths), AsOf: w.AsOf(),
		Images: s.imagesOf(parts), Alerts: alerts[:min(len(alerts), relationItems)], AlertsTotal: len(alerts)}
	for _, p := range kind.Properties {
		v := n.Value(p.Name)
		if p.Insight {
			if v.Bool() {
				e.Insights = append(e.Insights, Insight{Name: p.Name, Label: p.Label, Sentence: p.Sentence, Evidence: text(evidenceOf(n, p.Name))})
			}
			continue
		}
		e.Properties = append(e.Properties, EntityProperty{Name: p.Name, Label: p.Label, Sentence: p.Sentence, Value: v.Any()})
	}
	return GetEntity200JSONResponse(e), nil
}

// memberOf finds one pod or container of a workload: attack paths name replicas
// by what owns them, "cluster/namespace/Deployment/web" or ".../web/app".
func memberOf(v *graph.View, kind, id string) (graph.Node, bool) {
	owner, container, ok := ref.Parse(id)
	if kind != "Pod" && kind != "Container" || !ok {
		return graph.Node{}, false
	}
	w, there := v.Node(owner.Kind, owner.ID())
	if !there {
		return w, false
	}
	for pod := range podsOwned(w, 3) {
		if kind == "Pod" {
			return pod, true
		}
		for e := range pod.Out("RUNS") {
			if e.To.Text("name") == container {
				return e.To, true
			}
		}
	}
	return w, false
}

// podsOwned yields the pods that a workload owns, through others if need be.
func podsOwned(n graph.Node, depth int) iter.Seq[graph.Node] {
	return func(yield func(graph.Node) bool) {
		if n.Kind() == "Pod" {
			yield(n)
			return
		}
		for e := range n.Out("OWNS") {
			if depth == 0 {
				return
			}
			for p := range podsOwned(e.To, depth-1) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// evidenceOf is what an insight rests on, where an edge of the graph tells it.
func evidenceOf(n graph.Node, insight string) string {
	var edges []graph.Edge
	tell := ""
	switch insight {
	case "exposed":
		edges, tell = slices.Collect(n.In("ROUTES_TO")), "via"
	case "clusterAdmin":
		edges, tell = slices.Collect(n.Out("HOLDS")), "binding"
	}
	var said []string
	for _, e := range edges {
		if s := e.Value(tell).Str(); s != "" && !slices.Contains(said, s) {
			said = append(said, s)
		}
	}
	slices.Sort(said)
	return strings.Join(said[:min(len(said), 3)], "; ")
}

// relationsOf groups the edges of a node by kind, direction and what is at the end.
func relationsOf(n graph.Node) []Relation {
	out := []Relation{}
	at := map[string]int{}
	add := func(e graph.Edge, far graph.Node, dir RelationDir) {
		key := string(dir) + e.Kind() + " " + far.Kind()
		i, known := at[key]
		if !known {
			kind, _ := schema.EdgeNamed(e.Kind())
			farKind, _ := schema.KindNamed(far.Kind())
			label := kind.Verb
			if dir == In {
				label = kind.Inverse
			}
			i = len(out)
			at[key] = i
			out = append(out, Relation{Edge: e.Kind(), Dir: dir, Label: label + " · " + farKind.Plural, Derived: kind.Derived,
				Items: []RelationItem{}, Query: relationText(n, e.Kind(), dir, far.Kind())})
		}
		out[i].Count++
		if len(out[i].Items) < relationItems {
			out[i].Items = append(out[i].Items, RelationItem{Ref: refOf(far), Properties: edgeProperties(e)})
		}
	}
	for e := range n.Out("") {
		add(e, e.To, Out)
	}
	for e := range n.In("") {
		add(e, e.From, In)
	}
	slices.SortStableFunc(out, func(a, b Relation) int {
		return cmp.Or(compareBool(a.Derived, b.Derived), cmp.Compare(a.Label, b.Label))
	})
	return out
}

func edgeProperties(e graph.Edge) map[string]any {
	out := map[string]any{}
	kind, _ := schema.EdgeNamed(e.Kind())
	for _, p := range kind.Properties {
		if v := e.Value(p.Name); !v.IsNull() {
			out[p.Name] = v.Any()
		}
	}
	return out
}

// relationText is the question that lists all ends of a relation.
func relationText(n graph.Node, edge string, dir RelationDir, far string) string {
	return query.Print(&query.Query{Find: &query.Node{As: "a", Kinds: []string{n.Kind()},
		Where: &query.Expr{Prop: "id", Op: query.OpEq, Value: query.Lit(n.ID())},
		With:  []*query.Rel{{Edge: []string{edge}, Dir: string(dir), To: &query.Node{As: "b", Kinds: []string{far}}}}},
		Return: []query.Item{{Of: "b"}}})
}
