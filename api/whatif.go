package api

import (
	"context"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/report"
)

// WhatIf implements StrictServerInterface.
func (s session) WhatIf(ctx context.Context, r WhatIfRequestObject) (WhatIfResponseObject, error) {
	so := report.Unchanged(s.World)
	so.Gaps = *s.unseen()
	out, err := report.TryFixes(ctx, s.World, s.World, so, r.Body.Fixes, deref(r.Body.Assume), s.Try)
	if err != nil {
		return nil, err
	}
	return WhatIf200JSONResponse(out.Listed()), nil
}

// GetCut implements StrictServerInterface.
func (s session) GetCut(ctx context.Context, r GetCutRequestObject) (GetCutResponseObject, error) {
	q := r.Params
	lives, err := s.lives(ctx, q.Assume)
	if err != nil {
		return nil, err
	}
	like := ListPathsParams{Risk: q.Risk, Type: q.Type, Cluster: q.Cluster, Namespace: q.Namespace, Entity: q.Entity, Q: q.Q,
		EntryClass: q.EntryClass, Target: q.Target, Entry: q.Entry}
	chosen := map[string]bool{}
	for _, l := range lives {
		if fits(l, like) && enters(l, like) && (q.Id == nil || slices.Contains(*q.Id, l.ID)) {
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
	return GetCut200JSONResponse(out), nil
}
