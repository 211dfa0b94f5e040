package analyse

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// survey is what every search in one cluster needs and none changes: the ground,
// and what leads where.
type survey struct {
	view    *graph.View
	rules   *Rules
	types   []*pathType // what gains most first
	targets *targets
	aims    map[aim][]graph.Node // the targets of a goal that is not told together with others
	field   *field
	reach   *reachable
	without *endings // steps that are taken to be no more
}

// aim is what a type of paths ends in.
type aim struct {
	of    *pathType
	group group
}

// newSurvey looks at a view with derived edges, as it is or without some steps.
func newSurvey(ctx context.Context, v *graph.View, rules *Rules, without *endings) (*survey, error) {
	s := &survey{view: v, rules: rules, types: slices.Clone(rules.paths), without: without, targets: newTargets(),
		aims: map[aim][]graph.Node{}}
	slices.SortStableFunc(s.types, func(a, b *pathType) int { return cmp.Compare(b.Gain, a.Gain) })
	for i, p := range s.types {
		t, err := p.targets(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("path type %s: %w", p.ID, err)
		}
		for n := range t {
			s.targets.add(n, i)
			if !p.Together {
				at := aim{p, p.groupOf(n)}
				s.aims[at] = append(s.aims[at], n)
			}
		}
	}
	s.field = newField(newGround(v, rules, s.types, s.targets, without.has))
	s.reach = newReachable(s.field)
	s.reach.prune(s.field)
	return s, ctx.Err()
}
