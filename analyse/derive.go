package analyse

import (
	"cmp"
	"context"
	"fmt"

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
	seg, _, paths, gaps, err := m.Breached(ctx, view, seg, rules, gaps...)
	return seg, paths, gaps, err
}

// Breached is Cluster, and what then finds the paths from what an attacker is said to have. Where nothing is remembered, that
// has the survey of this analysis; else the survey is the Memory's, and one of its own is made when somebody asks.
func (m *Memory) Breached(
	ctx context.Context, view *graph.View, seg *graph.Segment, rules *Rules, gaps ...collect.Gap,
) (*graph.Segment, *Breach, []Path, []collect.Gap, error) {
	alone := graph.NewView(view.Vocabulary(), view.Shared(), seg)
	gained, err := rules.gain(ctx, alone, m.gained())
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("derive edges of cluster %s: %w", seg.Name(), err)
	}
	m.gain(gained)
	defer gained.forget()
	derived := gained.derived
	on, err := newSurvey(ctx, graph.NewView(view.Vocabulary(), view.Shared(), derived), rules, nil)
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("survey cluster %s: %w", seg.Name(), err)
	}
	s := newSearch(on, unseen(gaps))
	s.memory, s.gains = m, gained
	var found []Path
	x := graph.NewExtension(s.view, derived)
	beside := share(ctx, 2, 2, func(_, i int) {
		if i == 0 {
			newSearch(on, nil).tellBlast(x) // who has what: it changes nothing of the search
		} else {
			found, err = s.run(ctx)
		}
	})
	if err = cmp.Or(err, beside); err != nil {
		return nil, nil, nil, nil, fmt.Errorf("find attack paths of cluster %s: %w", seg.Name(), err)
	}
	seg = x.Build()
	b := NewBreach(graph.NewView(view.Vocabulary(), view.Shared(), seg), rules)
	if m == nil {
		b.survey = on
	}
	return seg, b, found, s.gaps, nil
}

// kindID names a node for people and links: "Pod prod/shop/Pod/cart-1".
func kindID(n graph.Node) string { return ref.KindID(n.Kind(), n.ID()) }

func kindIDs(nodes []graph.Node) (out []string) {
	for _, n := range nodes {
		out = append(out, kindID(n))
	}
	return out
}
