package analyse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
)

// Cluster derives what an attacker gains in one cluster and finds its attack
// paths. seg is the cluster's segment as built, view anything it is part of;
// gaps is what could not be seen of the cluster: paths remember it, so that Hold
// can tell what was lost since. It returns the segment with derived edges, the
// paths, worst first, and the gaps of the analysis itself.
func Cluster(
	ctx context.Context, view *graph.View, seg *graph.Segment, rules *Rules, gaps ...collect.Gap,
) (*graph.Segment, []Path, []collect.Gap, error) {
	return (*Memory)(nil).Cluster(ctx, view, seg, rules, gaps...)
}

// Cluster is as the func of that name, and tells again what it told the last time where nothing that it rests on
// is different. A nil Memory remembers nothing.
func (m *Memory) Cluster(
	ctx context.Context, view *graph.View, seg *graph.Segment, rules *Rules, gaps ...collect.Gap,
) (*graph.Segment, []Path, []collect.Gap, error) {
	alone := graph.NewView(view.Vocabulary(), view.Shared(), seg)
	derived, err := rules.derive(ctx, alone, seg)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("derive edges of cluster %s: %w", seg.Name(), err)
	}
	on, err := newSurvey(ctx, graph.NewView(view.Vocabulary(), view.Shared(), derived), rules, nil)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("survey cluster %s: %w", seg.Name(), err)
	}
	s := newSearch(on, unseen(gaps))
	s.memory = m
	found, err := s.run(ctx)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("find attack paths of cluster %s: %w", seg.Name(), err)
	}
	x := graph.NewExtension(s.view, derived)
	s.tellBlast(x)
	return x.Build(), found, s.gaps, nil
}

// derive runs every technique and extends the segment by what they gain. Techniques read
// facts only, so they run beside each other; what they gain is told in their order.
func (r *Rules) derive(ctx context.Context, v *graph.View, seg *graph.Segment) (*graph.Segment, error) {
	all, wrong := make([][]gained, len(r.attack)), make([]error, len(r.attack))
	err := share(ctx, runtime.GOMAXPROCS(0), len(all), func(_, i int) {
		t := r.attack[i]
		err := t.run(ctx, v, func(g gained) bool {
			if g.prevented == "" {
				all[i] = append(all[i], g)
			}
			return true
		})
		if err != nil {
			wrong[i] = fmt.Errorf("rule %s: %w", t.ID, err)
		}
	})
	if err := cmp.Or(errors.Join(wrong...), err); err != nil {
		return nil, err
	}
	x := graph.NewExtension(v, seg)
	for _, gains := range all {
		for _, g := range gains {
			x.Edge(g.technique.edge, g.from, g.to, g.props()...)
		}
	}
	inherit(x, v)
	return x.Build(), nil
}

func (g gained) props() []graph.Prop {
	props := []graph.Prop{graph.S("rule", g.technique.ID)}
	if len(g.witness) > 0 {
		props = append(props, graph.L("witness", kindIDs(g.witness)))
	}
	if g.uncertain != "" {
		props = append(props, graph.S("uncertain", g.uncertain))
	}
	return props
}

// kindID names a node for people and links: "Pod prod/shop/Pod/cart-1".
func kindID(n graph.Node) string { return ref.KindID(n.Kind(), n.ID()) }

func kindIDs(nodes []graph.Node) (out []string) {
	for _, n := range nodes {
		out = append(out, kindID(n))
	}
	return out
}
