package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
)

// WhatIf implements StrictServerInterface.
func (s session) WhatIf(ctx context.Context, r WhatIfRequestObject) (WhatIfResponseObject, error) {
	if err := s.room(ctx, s.largest()...); err != nil { // clusters are tried one after the other
		return nil, err
	}
	so := report.Unchanged(s.World)
	so.Gaps = *s.unseen()
	var stale []scope.Life
	if deref(r.Body.Assume) == "" {
		stale = slices.DeleteFunc(slices.Clone(s.Lives()), func(l scope.Life) bool { return l.Status != store.Stale })
	}
	if len(stale) > 0 {
		so.NotKnown = append(so.NotKnown,
			fmt.Sprintf("whether attack paths that could not be judged again would be gone: %d of them", len(stale)))
	}
	out, err := report.TryFixes(ctx, s.World, s.World, so, r.Body.Fixes, deref(r.Body.Assume), s.Try)
	if errors.Is(err, report.ErrFix) {
		return nil, s.untriedFix(r.Body.Fixes, stale, err)
	}
	if err != nil {
		return nil, err
	}
	return WhatIf200JSONResponse(out.Listed()), nil
}

// untriedFix is a better error than err if one of the fixes is known of stale paths alone.
func (s session) untriedFix(ids []string, stale []scope.Life, err error) error {
	known := report.Open(s.World).Paths
	has := func(p analyse.Path, id string) bool {
		return slices.ContainsFunc(p.Fixes, func(f analyse.Fix) bool { return f.ID == id })
	}
	for _, id := range ids {
		if slices.ContainsFunc(known, func(p analyse.Path) bool { return has(p, id) }) {
			continue
		}
		for _, l := range stale {
			if has(*l.Path.Path, id) {
				return asked{fmt.Errorf("fix %s of attack path %q cannot be tried: %s", id, l.Title, untried(l))}
			}
		}
	}
	return err
}

// GetCut implements StrictServerInterface.
func (s session) GetCut(ctx context.Context, r GetCutRequestObject) (GetCutResponseObject, error) {
	q := r.Params
	if err := s.room(ctx, s.largest()...); err != nil {
		return nil, err
	}
	lives, err := s.lives(ctx, q.Assume)
	if err != nil {
		return nil, err
	}
	like := ListPathsParams{Risk: q.Risk, Type: q.Type, Cluster: q.Cluster, Namespace: q.Namespace, Entity: q.Entity, Q: q.Q,
		EntryClass: q.EntryClass, Target: q.Target, Entry: q.Entry}
	chosen, stale := map[string]bool{}, 0
	for _, l := range lives {
		switch {
		case !fits(l, like) || !enters(l, like) || q.Id != nil && !slices.Contains(*q.Id, l.ID):
		case l.Status == store.Stale:
			stale++
		default:
			chosen[l.Cluster+" "+l.ID] = true
		}
	}
	all, err := report.PathsFrom(ctx, s.World, deref(q.Assume)) // as they were found: a stored path does not know what its fixes end
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p analyse.Path) bool { return !chosen[p.Cluster+" "+p.ID] })
	out, err := report.CutOf(ctx, all, *s.unseen(), deref(q.Assume), s.Try)
	if err != nil {
		return nil, err
	}
	out.Stale = stale
	return GetCut200JSONResponse(out), nil
}
