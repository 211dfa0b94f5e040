package report

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/scope"
)

// WhatIf is the document of what fixes would change, and with them other changes.
type WhatIf struct {
	// Fixes are those that are done on the copy.
	Fixes []analyse.Fix `json:"fixes"`
	Difference
}

// Try does fixes on a copy of a cluster: see live.Trial.
type Try func(ctx context.Context, cluster string, fixes []analyse.Fix, assume string) (*live.Trial, error)

// ErrFix is of a fix that cannot be tried.
var ErrFix = errors.New("cannot try this fix")

// TryFixes does fixes, named by the ids that paths give them, on copies of the clusters they
// are for. before is where the paths are that they are fixes of, after is what the fixes are done to: the
// same, or what another change makes of it, told by so.
func TryFixes(ctx context.Context, before, after *scope.World, so Difference, ids []string, assume string, try Try) (WhatIf, error) {
	out := WhatIf{Fixes: []analyse.Fix{}, Difference: so}
	was, err := pathsFrom(ctx, before, assume)
	if err != nil {
		return out, err
	}
	is := was
	if after != before {
		if is, err = pathsFrom(ctx, after, assume); err != nil {
			return out, err
		}
	}
	chosen, err := chosenFixes(was, ids)
	if err != nil {
		return out, err
	}
	for cluster, fixes := range chosen {
		trial, err := try(ctx, cluster, fixes, assume)
		if err != nil {
			return out, fmt.Errorf("try fixes in cluster %s: %w", cluster, err)
		}
		is = slices.DeleteFunc(slices.Clone(is), func(p analyse.Path) bool { return p.Cluster == cluster })
		is = append(is, trial.Paths...)
		out.Fixes = append(out.Fixes, fixes...)
		for _, c := range trial.Closed {
			out.Lost = append(out.Lost, Lost{From: internet, To: c.Workload, Before: c.Ports, After: c.Left})
		}
		for _, l := range trial.Lost {
			out.PermissionsLost = append(out.PermissionsLost, permissionLost(cluster, l))
		}
		out.RoutesLost, out.PermissionsGone = out.RoutesLost+len(trial.Closed), out.PermissionsGone+len(trial.Lost)
		for _, f := range fixes {
			if why := f.Unknown(); why != "" {
				out.NotKnown = append(out.NotKnown, f.Title+": "+why)
			}
		}
		out.Gaps = append(out.Gaps, trial.Gaps...)
	}
	out.Difference.Difference = analyse.Compare(was, is, analyse.Hold(after.View, after.Gaps()))
	out.order()
	return out, nil
}

// pathsFrom are the paths that there are, or those from what is assumed.
func pathsFrom(ctx context.Context, w *scope.World, assume string) ([]analyse.Path, error) {
	if assume == "" {
		return AttackPaths(w).Paths, nil
	}
	d, err := AssumedPaths(ctx, w, assume)
	return d.Paths, err
}

// chosenFixes are the fixes of the ids, by cluster.
func chosenFixes(paths []analyse.Path, ids []string) (map[string][]analyse.Fix, error) {
	byCluster, out, found := map[string][]analyse.Path{}, map[string][]analyse.Fix{}, map[string]bool{}
	for _, p := range paths {
		byCluster[p.Cluster] = append(byCluster[p.Cluster], p)
	}
	for cluster, paths := range byCluster {
		for _, f := range analyse.Fixes(paths) {
			if !slices.Contains(ids, f.ID) {
				continue
			}
			if found[f.ID] = true; !f.Shown() {
				return nil, fmt.Errorf("%w: %s (%s) says what to look into, not what would change", ErrFix, f.ID, f.Title)
			}
			out[cluster] = append(out[cluster], f)
		}
	}
	for _, id := range ids {
		if !found[id] {
			return nil, fmt.Errorf("%w: no attack path has a fix %q: want the id of one that paths or a cut list", ErrFix, id)
		}
	}
	return out, nil
}
