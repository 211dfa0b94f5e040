package live

import (
	"context"
	"fmt"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// Trial is a cluster as it would be once some fixes are done: nothing of it is shown
// or stored.
type Trial struct {
	analyse.Remainder
	// Lost is what identities might do before and may not after.
	Lost []analyse.Loss
}

// Revoking says that fixes take something from identities: to try them takes the cluster's facts.
func Revoking(fixes []analyse.Fix) bool {
	for i := range fixes {
		if len(fixes[i].Revokes()) > 0 {
			return true
		}
	}
	return false
}

// under computes facts under another name; nobody else sees the world that it makes.
func (l *Live) under(images known) func(context.Context, *collect.Facts, string) (*World, error) {
	return func(ctx context.Context, f *collect.Facts, name string) (*World, error) {
		done, err := l.turn.take(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		f.Cluster.Name = name
		c, err := l.compute(ctx, f, images)
		if err != nil {
			return nil, fmt.Errorf("compute the copy: %w", err)
		}
		c.State = Current
		return &World{View: graph.NewView(schema.Vocabulary(), l.shared.frozen(), c.Segment), Clusters: map[string]*Cluster{name: c}}, nil
	}
}

// try does fixes on a copy of what was computed. What they revoke is taken from the facts,
// as another binding may grant the same.
func (l *Live) try(b *analyse.Breach, images known) func(context.Context, *collect.Facts, []analyse.Fix, string) (*Trial, error) {
	return func(ctx context.Context, f *collect.Facts, fixes []analyse.Fix, assume string) (*Trial, error) {
		var out Trial
		on := b
		if Revoking(fixes) {
			done, err := l.turn.take(ctx)
			if err != nil {
				return nil, err
			}
			defer done()
			changed, lost := analyse.Revoke(f, fixes)
			c, err := l.compute(ctx, changed, images)
			if err != nil {
				return nil, fmt.Errorf("compute the copy: %w", err)
			}
			on, out.Lost = c.breach, lost
		}
		left, err := on.Without(ctx, fixes, assume)
		if err != nil {
			return nil, err
		}
		out.Remainder = *left
		return &out, nil
	}
}
