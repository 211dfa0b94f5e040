package analyse

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
)

// Breach finds the paths of one cluster from what the asker says that an attacker
// has. The cluster is surveyed when it is first asked, once for all who ask.
type Breach struct {
	view  *graph.View
	rules *Rules

	once   sync.Mutex
	survey *survey
}

// NewBreach takes a view of a cluster's segment as Cluster returned it.
func NewBreach(view *graph.View, rules *Rules) *Breach { return &Breach{view: view, rules: rules} }

// Assume finds the paths from workload:shop/cart, sa:shop/cart, node:worker-1, any.
// found is false where there is no such thing.
func (b *Breach) Assume(ctx context.Context, text string) (paths []Path, gaps []collect.Gap, found bool, err error) {
	a, err := parseAssumption(text)
	if err != nil {
		return nil, nil, false, err
	}
	on, err := b.surveyed(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	s := newSearch(on, nil)
	footholds := s.assumed(a)
	if paths, err = s.follow(ctx, footholds); err != nil {
		return nil, nil, false, fmt.Errorf("find attack paths from %s: %w", text, err)
	}
	return paths, s.gaps, len(footholds) > 0, nil
}

// surveyed keeps no survey of an asker who did not wait for it.
func (b *Breach) surveyed(ctx context.Context) (*survey, error) {
	b.once.Lock()
	defer b.once.Unlock()
	if b.survey == nil {
		s, err := newSurvey(ctx, b.view, b.rules, nil)
		if err != nil {
			return nil, err
		}
		b.survey = s
	}
	return b.survey, nil
}

// ErrAssumption is of a text that says no assumption.
var ErrAssumption = errors.New("cannot assume this")
