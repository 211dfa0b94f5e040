package query

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

func prop(name string, t graph.Type, more ...string) schema.Property {
	p := schema.Property{Column: graph.Column{Name: name, Type: t}}
	if t == graph.Enum {
		p.Enum = more
	} else if len(more) > 0 {
		p.Dict = true
	}
	return p
}

// testVocabulary has every column type, shared and local kinds, a family, a
// tenant, parallel edges and edges in both directions across segments.
var testVocabulary = func() *Vocabulary {
	ranks := []string{"Zero", "Low", "High"}
	properties := []schema.Property{prop("name", graph.Text), prop("ns", graph.Text, "dict"), prop("n", graph.Int), prop("f", graph.Float),
		prop("b", graph.Bool), prop("t", graph.Time), prop("l", graph.List), prop("e", graph.Enum, ranks...)}
	edge := []schema.Property{prop("w", graph.Int), prop("e", graph.Enum, ranks...), prop("b", graph.Bool)}
	return NewVocabulary([]schema.Kind{
		{Name: "A", Label: "Ay", Plural: "Ays", Family: "F", Tenant: "ns", Properties: properties},
		{Name: "B", Label: "Bee", Plural: "Bees", Family: "F", Tenant: "ns", Properties: properties},
		{Name: "C", Properties: properties[:3]},
		{Name: "S", Label: "Ess", Plural: "Esses", Shared: true, Coverage: "b", Uncovered: "were never seen", Properties: properties},
		{Name: "T", Shared: true, Properties: properties},
	}, []schema.Edge{
		{Name: "X", Through: "X", Properties: edge, Joins: []schema.Pair{{From: "A", To: "B"}, {From: "A", To: "S"}, {From: "B", To: "B"}}},
		{Name: "Y", Joins: []schema.Pair{{From: "B", To: "C"}, {From: "S", To: "T"}, {From: "A", To: "A"}}},
		{Name: "Z", Through: "Y", Properties: edge, Coverage: schema.Pair{From: "S", To: "b"},
			Joins: []schema.Pair{{From: "S", To: "T"}, {From: "S", To: "A"}, {From: "T", To: "C"}}},
		{Name: "W", Through: "Y",
			Joins: []schema.Pair{{From: "A", To: "B"}, {From: "A", To: "C"}, {From: "B", To: "A"}, {From: "T", To: "S"}, {From: "T", To: "T"}}},
	}, []schema.Composed{{Name: "XY", From: "A", To: "C", Steps: []schema.Step{{Edge: "X", To: "B"}, {Edge: "Y", To: "C"}}}})
}()

func (v *Vocabulary) graphVocabulary() *graph.Vocabulary {
	columns := func(ps []schema.Property) (out []graph.Column) {
		for _, p := range ps {
			out = append(out, p.Column)
		}
		return out
	}
	var kinds []graph.Kind
	for _, k := range v.kinds {
		kinds = append(kinds, graph.Kind{Name: k.Name, Shared: k.Shared, Tenant: k.Tenant, Columns: columns(k.Properties)})
	}
	var edges []graph.EdgeKind
	for _, e := range v.edges {
		edges = append(edges, graph.EdgeKind{Name: e.Name, Columns: columns(e.Properties)})
	}
	return graph.NewVocabulary(kinds, edges)
}

type generator struct{ *rand.Rand }

func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (g generator) props(ps []schema.Property) []graph.Prop {
	var out []graph.Prop
	for _, p := range ps {
		if g.IntN(3) == 0 {
			continue
		}
		switch p.Type {
		case graph.Text:
			out = append(out, graph.S(p.Name, pick(g, "a", "b", "Ab", "ba")))
		case graph.Enum:
			out = append(out, graph.S(p.Name, pick(g, p.Enum...)))
		case graph.Int:
			out = append(out, graph.I(p.Name, int64(g.IntN(4)-1)))
		case graph.Float:
			out = append(out, graph.F(p.Name, float64(g.IntN(4))/2))
		case graph.Bool:
			out = append(out, graph.B(p.Name, g.IntN(2) == 0))
		case graph.Time:
			out = append(out, graph.T(p.Name, epoch.AddDate(0, 0, g.IntN(3))))
		case graph.List:
			out = append(out, graph.L(p.Name, slices.Compact([]string{pick(g, "a", "b"), pick(g, "b", "c")})))
		}
	}
	return out
}

// view makes a small random graph.
func (g generator) view(voc *Vocabulary) *graph.View {
	gv := voc.graphVocabulary()
	shared := graph.NewShared(gv)
	sharedIDs := map[string][]string{}
	for _, k := range voc.kinds {
		for i := range g.IntN(5) {
			if k.Shared {
				id := fmt.Sprintf("%s%d", strings.ToLower(k.Name), i)
				shared.Put(k.Name, id, g.props(k.Properties)...)
				sharedIDs[k.Name] = append(sharedIDs[k.Name], id)
			}
		}
	}
	if g.IntN(2) == 0 {
		g.live(voc, shared, sharedIDs)
	}
	g.sharedEdges(voc, shared, sharedIDs)
	frozen := shared.Freeze()
	var clusters []*graph.Segment
	for c := range g.IntN(4) {
		clusters = append(clusters, g.cluster(voc, gv, fmt.Sprintf("c%d", c), frozen, sharedIDs))
	}
	return graph.NewView(gv, frozen, clusters...)
}

// live gives a shared segment a past: edges that are replaced later, in tiers of
// their own, and nodes that have left.
func (g generator) live(voc *Vocabulary, shared *graph.Shared, ids map[string][]string) {
	before := maps.Clone(ids)
	for _, k := range voc.kinds {
		if k.Shared {
			shared.Put(k.Name, "left", g.props(k.Properties)...)
			before[k.Name] = append(slices.Clone(ids[k.Name]), "left")
		}
	}
	g.sharedEdges(voc, shared, before)
	shared.Freeze()
	for _, k := range voc.kinds {
		if k.Shared {
			shared.Remove(k.Name, "left")
		}
	}
}

// sharedEdges draws edges anew, some of them in a version of their own.
func (g generator) sharedEdges(voc *Vocabulary, shared *graph.Shared, ids map[string][]string) {
	for _, e := range voc.edges {
		for _, j := range e.Joins {
			if !gvShared(voc, j.From) || !gvShared(voc, j.To) {
				continue
			}
			for _, from := range ids[j.From] {
				var to []graph.Target
				for _, id := range ids[j.To] {
					for range g.IntN(3) {
						to = append(to, graph.Target{Kind: j.To, ID: id, Props: g.props(e.Properties)})
					}
				}
				shared.SetEdges(e.Name, j.From, from, j.To, to)
				if g.IntN(4) == 0 {
					shared.Freeze()
				}
			}
		}
	}
}

func (g generator) cluster(voc *Vocabulary, gv *graph.Vocabulary, name string, shared *graph.Segment,
	sharedIDs map[string][]string) *graph.Segment {
	b := graph.NewBuilder(gv, name)
	ids := map[string][]graph.Ref{}
	for _, k := range voc.kinds {
		if k.Shared {
			for _, id := range sharedIDs[k.Name] {
				if g.IntN(2) == 0 {
					ids[k.Name] = append(ids[k.Name], b.Ref(k.Name, id))
				}
			}
			continue
		}
		for i := range g.IntN(6) {
			ids[k.Name] = append(ids[k.Name], b.Node(k.Name, fmt.Sprintf("%s%d", strings.ToLower(k.Name), i), g.props(k.Properties)...))
		}
	}
	for _, e := range voc.edges {
		for _, j := range e.Joins {
			if gvShared(voc, j.From) && gvShared(voc, j.To) {
				continue
			}
			for _, from := range ids[j.From] {
				for _, to := range ids[j.To] {
					for range g.IntN(4) - 1 {
						b.Edge(e.Name, from, to, g.props(e.Properties)...)
					}
				}
			}
		}
	}
	seg, _ := b.Build(shared)
	return seg
}

func gvShared(voc *Vocabulary, kind string) bool { return voc.kinds[voc.kind[kind]].Shared }

func (g generator) scope() graph.Scope {
	switch g.IntN(3) {
	case 0:
		s := graph.Scope{Segments: map[string][]string{}}
		for c := range 3 {
			if g.IntN(2) == 0 {
				s.Segments[fmt.Sprintf("c%d", c)] = [][]string{nil, {"a"}, {"a", "Ab"}}[g.IntN(3)]
			}
		}
		return s
	}
	return graph.Everything
}

func rowText(voc *Vocabulary, row []Cell) string {
	var out []string
	for _, c := range row {
		if c.Edge != nil {
			var props []string
			for _, p := range voc.edges[voc.edge[c.Edge.Kind]].Properties {
				s := p.Name + "="
				for _, q := range c.Edge.Props {
					if q.Name == p.Name {
						s += q.String()
					}
				}
				props = append(props, s)
			}
			out = append(out, fmt.Sprintf("%s|%s|%s|%s", c.Edge.Kind, c.Edge.From.ID(), c.Edge.To.ID(), strings.Join(props, ",")))
			continue
		}
		out = append(out, c.String())
	}
	return strings.Join(out, " ; ")
}

func TestTheEngineAgreesWithABruteForceEvaluatorOnRandomGraphsAndQueries(t *testing.T) {
	pairs := 6000
	if testing.Short() {
		pairs = 600
	}
	seed := uint64(20260101)
	checked, withRows := 0, 0
	for n := 0; checked < pairs && n < 40*pairs; n++ {
		g := generator{rand.New(rand.NewPCG(seed, uint64(n)))}
		m := &queryMaker{generator: g}
		q := m.query()
		if len(Check(testVocabulary, q)) > 0 {
			continue
		}
		view, scope := g.view(testVocabulary), g.scope()
		checked++
		if agree(t, view, scope, q) > 0 {
			withRows++
		}
		if t.Failed() {
			t.Fatalf("pair %d\n%s", n, Print(q))
		}
	}
	t.Logf("%d pairs agree, %d of them with rows", checked, withRows)
	if checked < pairs || withRows < checked/5 {
		t.Errorf("the generator makes too few interesting pairs: %d of %d have rows", withRows, checked)
	}
}

func agree(t *testing.T, view *graph.View, scope graph.Scope, q *Query) int {
	params := map[string]any{"p": 1}
	o := newOracle(testVocabulary, view, scope, map[string]any{"p": int64(1)})
	opts := Options{Vocabulary: testVocabulary, Params: params, Limit: AllRows}
	res, err := Run(context.Background(), view, scope, q, opts)
	if err != nil {
		t.Errorf("run: %v", err)
		return 0
	}
	p := &plan{query: q, voc: testVocabulary}
	want, total, roots := o.answer(q, p.items())
	var got []string
	for _, row := range res.Rows {
		got = append(got, rowText(testVocabulary, row))
	}
	inOrder := slices.Clone(got)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("rows\n got %q\nwant %q", got, want)
	}
	if int(res.Total) != total || res.Roots != roots {
		t.Errorf("total %d, roots %d; want %d, %d", res.Total, res.Roots, total, roots)
	}
	if res.Partial != "" {
		t.Errorf("partial: %s", res.Partial)
	}
	matched := map[string]map[graph.Node]bool{}
	all, _ := o.rows(q)
	for _, row := range all {
		for name, v := range row {
			if n, ok := v.(graph.Node); ok && name != "" {
				if matched[name] == nil {
					matched[name] = map[graph.Node]bool{}
				}
				matched[name][n] = true
			}
		}
	}
	for name, n := range res.Matched {
		if n != len(matched[name]) {
			t.Errorf("%d nodes matched as %s, want %d", n, name, len(matched[name]))
		}
	}
	inKeyOrder(t, o, q, p.items(), res)
	pages(t, view, scope, q, opts, inOrder)
	return total
}

// inKeyOrder: rows never fall back in the order of the keys that are columns.
func inKeyOrder(t *testing.T, o *oracle, q *Query, items []Item, res *Result) {
	var at []int
	for _, k := range q.Order {
		i := slices.IndexFunc(items, func(it Item) bool {
			return k.Name != "" && it.Column() == k.Name || k.Name == "" && it.Of == k.Of && it.Prop == k.Prop && !it.Count && it.Fold == k.Fold
		})
		if i < 0 {
			return
		}
		at = append(at, i)
	}
	ranks := []string{"Zero", "Low", "High"}
	for n := 1; n < len(res.Rows); n++ {
		for i, k := range q.Order {
			a, b := res.Rows[n-1][at[i]], res.Rows[n][at[i]]
			c := 0
			switch {
			case a.IsNull() || b.IsNull():
				c = boolInt(a.IsNull()) - boolInt(b.IsNull())
			case a.Value.Type() == graph.Enum:
				c = slices.Index(ranks, a.Value.Str()) - slices.Index(ranks, b.Value.Str())
			case a.Value.Type() == graph.Int || a.Value.Type() == graph.Float:
				c = int(2*a.Value.Float()) - int(2*b.Value.Float())
			case a.Edge == nil:
				c = strings.Compare(a.String(), b.String())
			default:
				return
			}
			if k.Desc {
				c = -c
			}
			if c > 0 {
				t.Errorf("row %d comes before row %d: %s, %s", n-1, n, a, b)
			}
			if c != 0 {
				break
			}
		}
	}
}

// pages: every page is that part of the whole, and the whole is sorted.
func pages(t *testing.T, view *graph.View, scope graph.Scope, q *Query, opts Options, whole []string) {
	for skip := 0; skip < min(len(whole), 9); skip += 3 {
		opts.Skip, opts.Limit = skip, 3
		res, err := Run(context.Background(), view, scope, q, opts)
		if err != nil {
			t.Error(err)
			return
		}
		var got []string
		for _, row := range res.Rows {
			got = append(got, rowText(testVocabulary, row))
		}
		if want := whole[skip:min(skip+3, len(whole))]; !slices.Equal(got, want) {
			t.Errorf("page at %d\n got %q\nwant %q", skip, got, want)
		}
		if int(res.Total) != len(whole) {
			t.Errorf("total %d on a page, want %d", res.Total, len(whole))
		}
	}
}
