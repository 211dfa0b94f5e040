package analyse

import (
	"context"
	"errors"
	"fmt"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
)

// Assume finds the paths of one cluster from what the asker says that an attacker
// has: workload:shop/cart, sa:shop/cart, node:worker-1, any. view holds the cluster's
// segment as Cluster returned it. found is false where there is no such thing.
func Assume(ctx context.Context, view *graph.View, rules *Rules, text string) (paths []Path, gaps []collect.Gap, found bool, err error) {
	a, err := parseAssumption(text)
	if err != nil {
		return nil, nil, false, err
	}
	s := newSearch(view, rules, nil)
	if err := s.survey(ctx); err != nil {
		return nil, nil, false, err
	}
	footholds := s.assumed(a)
	if paths, err = s.follow(ctx, s.worstFirst(footholds)); err != nil {
		return nil, nil, false, fmt.Errorf("find attack paths from %s: %w", text, err)
	}
	return paths, s.gaps, len(footholds) > 0, nil
}

// ErrAssumption is of a text that says no assumption.
var ErrAssumption = errors.New("cannot assume this")
