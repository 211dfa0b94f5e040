package analyse

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// gains is what techniques gained in a cluster, and in which graph.
type gains struct {
	read, shared *graph.Segment // that they read
	seg          *graph.Segment // with what pods have of their images
	derived      *graph.Segment // with what is gained
	of           [][]gain       // by technique, sorted by ends
	rules        *Rules
	// What is known of the gains before these:
	since *graph.Difference // nil: nothing
	kept  []*kept           // by technique
	was   *graph.Segment    // with what was gained then
}

// gain is an edge that a technique makes.
type gain struct {
	from, to  spot
	witness   []string
	uncertain string
}

// spot is a node by its kind and index.
type spot struct {
	kind  int32
	index uint32
}

func spotOf(n graph.Node) spot { return spot{int32(n.KindIndex()), n.Index()} }

// in is the node in a view of one cluster.
func (s spot) in(v *graph.View) graph.Node {
	if v.Vocabulary().Kinds()[s.kind].Shared {
		return v.At(v.Shared(), int(s.kind), s.index)
	}
	return v.At(v.Clusters()[0], int(s.kind), s.index)
}

func (s spot) compare(o spot) int {
	return cmp.Or(cmp.Compare(s.kind, o.kind), cmp.Compare(s.index, o.index))
}

// between is from what to what something is gained.
type between struct{ from, to spot }

func (g gain) between() between { return between{g.from, g.to} }

func (g gain) compare(o gain) int { return cmp.Or(g.from.compare(o.from), g.to.compare(o.to)) }

func (g gain) equal(o gain) bool {
	return g.between() == o.between() && g.uncertain == o.uncertain && slices.Equal(g.witness, o.witness)
}

func (g gained) kept() gain {
	return gain{spotOf(g.from), spotOf(g.to), kindIDs(g.witness), g.uncertain}
}

func (g gain) props(t *technique) []graph.Prop {
	props := []graph.Prop{graph.S("rule", t.ID)}
	if len(g.witness) > 0 {
		props = append(props, graph.L("witness", g.witness))
	}
	if g.uncertain != "" {
		props = append(props, graph.S("uncertain", g.uncertain))
	}
	return props
}

// gain runs every technique on the view of one cluster and extends its segment by what they gain. Techniques read
// facts only, so they run beside each other; what they gain is told in their order. Of one that ran on the cluster before,
// only that is found anew which may be different now.
func (r *Rules) gain(ctx context.Context, v *graph.View, before *gains) (*gains, error) {
	x := graph.NewExtension(v, v.Clusters()[0])
	inherit(x, v)
	now := &gains{read: v.Clusters()[0], seg: x.Build(), shared: v.Shared(), rules: r, of: make([][]gain, len(r.attack)),
		kept: make([]*kept, len(r.attack))}
	c := newCarrier(before, now, v)
	wrong := make([]error, len(r.attack))
	err := share(ctx, runtime.GOMAXPROCS(0), len(r.attack), func(_, i int) {
		var err error
		if now.of[i], now.kept[i], err = c.gains(ctx, i, r.attack[i], v); err != nil {
			wrong[i] = fmt.Errorf("rule %s: %w", r.attack[i].ID, err)
		}
	})
	for _, e := range wrong {
		err = cmp.Or(err, e)
	}
	if err != nil {
		return nil, err
	}
	now.extend(v)
	return now, nil
}

// all is what the technique gains in a view.
func (t *technique) all(ctx context.Context, v *graph.View) (out []gain, err error) {
	err = t.run(ctx, v, func(g gained) bool {
		if g.prevented == "" {
			out = append(out, g.kept())
		}
		return true
	})
	slices.SortFunc(out, gain.compare)
	return slices.Clip(out), err
}

// forget lets go of what was before.
func (g *gains) forget() { g.since, g.kept, g.was = nil, nil, nil }

// touched says that what a technique gains between two nodes was not carried over as it was, and nothing that it rests on is different.
func (g *gains) touched(t *technique, from, to graph.Node) bool {
	at := slices.Index(g.rules.attack, t)
	return at < 0 || g.kept[at] == nil || g.kept[at].whole || g.kept[at].touched[between{spotOf(from), spotOf(to)}]
}

// junction is which kinds of nodes edges of a kind join.
type junction struct {
	edge     string
	from, to int32
}

// extend adds what is gained to the segment. Edges between nodes of the cluster are those of before, but for those between pairs of
// which something else is gained, and of nodes that are gone.
func (g *gains) extend(v *graph.View) {
	x := graph.NewExtension(graph.NewView(v.Vocabulary(), v.Shared(), g.seg), g.seg)
	stays := g.staying(v)
	but := map[junction]map[between]bool{}
	for i, k := range g.kept {
		if k == nil {
			continue
		}
		for _, pair := range k.different {
			j := junction{g.rules.attack[i].edge, pair.from.kind, pair.to.kind}
			if but[j] == nil {
				but[j] = map[between]bool{}
			}
			but[j][pair] = true
		}
	}
	for i, gained := range g.of {
		t := g.rules.attack[i]
		for _, one := range gained {
			if j := (junction{t.edge, one.from.kind, one.to.kind}); !stays(j) || but[j][one.between()] {
				x.Edge(t.edge, one.from.in(v), one.to.in(v), one.props(t)...)
			}
		}
	}
	if g.since != nil {
		for _, e := range v.Vocabulary().Edges() {
			for _, r := range g.was.Rels(v.Vocabulary().EdgeIndex(e.Name)) {
				if j := (junction{e.Name, int32(r.From), int32(r.To)}); stays(j) {
					x.Keep(r, g.since, endsOf(but[j])...)
				}
			}
		}
	}
	g.derived = x.Build()
}

func endsOf(pairs map[between]bool) (out []graph.Ends) {
	for p := range pairs {
		out = append(out, graph.Ends{From: p.from.index, To: p.to.index})
	}
	return out
}

// staying says of which joints edges are those of before, with few others.
func (g *gains) staying(v *graph.View) func(junction) bool {
	anew := map[string]bool{}
	for _, e := range v.Vocabulary().Edges() {
		anew[e.Name] = !edgeOf(e.Name).Derived || len(g.read.Rels(v.Vocabulary().EdgeIndex(e.Name))) > 0
	}
	shared := func(kind int32) bool { return v.Vocabulary().Kinds()[kind].Shared }
	stays := map[junction]bool{}
	return func(j junction) bool {
		is, known := stays[j]
		if !known {
			is = g.since != nil && !anew[j.edge] && !shared(j.from) && !shared(j.to)
			stays[j] = is
		}
		return is
	}
}
