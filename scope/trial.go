package scope

import (
	"context"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/live"
)

// Trial is a cluster as it would be, as far as the asker sees it.
type Trial = live.Trial

// Try does fixes, those of paths that the asker sees, on a copy of a cluster, and tells of
// what is left what they see.
func (r *Reader) Try(ctx context.Context, cluster string, fixes []analyse.Fix, assume string) (*live.Trial, error) {
	c := r.Clusters[cluster]
	if c == nil || c.Try == nil {
		return nil, fmt.Errorf("cluster %s: %w", cluster, ErrNothing)
	}
	var facts *collect.Facts
	if live.Revoking(fixes) {
		// What is seen of the facts is what trialWithin lets through.
		var err error
		if facts, err = r.copied(ctx, cluster); err != nil {
			return nil, err
		}
	}
	return c.Try(ctx, facts, fixes, assume)
}

// trialWithin is a trial as somebody sees it who sees some namespaces.
func trialWithin(t *live.Trial, tenants []string, assumed bool) *live.Trial {
	e := eyes{tenants}
	var out live.Trial
	for i := range t.Paths {
		if p := pathWithin(&t.Paths[i], tenants); p != nil && !(assumed && p.Entry.ID == Outside) {
			out.Paths = append(out.Paths, *p)
		}
	}
	for _, c := range t.Closed {
		if e.id("", c.Workload) {
			out.Closed = append(out.Closed, c)
		}
	}
	for _, l := range t.Lost {
		if slices.Contains(tenants, l.Subject.Namespace) && slices.Contains(tenants, l.Request.Namespace) {
			out.Lost = append(out.Lost, l)
		}
	}
	return &out
}
