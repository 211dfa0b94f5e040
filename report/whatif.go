package report

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/scope"
)

// WhatIf is the document of what fixes would change, and with them other changes.
type WhatIf struct {
	// Fixes are those that are done on the copy.
	Fixes []analyse.Fix `json:"fixes"`
	Difference
}

// Try does fixes on a copy of a cluster: see scope.Trial.
type Try func(ctx context.Context, cluster string, fixes []analyse.Fix, assume string) (*scope.Trial, error)

// ErrFix is of a fix that cannot be tried.
var ErrFix = errors.New("cannot try this fix")

// TryFixes does fixes, named by the ids that paths give them, on copies of the clusters they
// are for. before is where the paths are that they are fixes of, after is what the fixes are done to: the
// same, or what another change makes of it, told by so.
func TryFixes(ctx context.Context, before, after *scope.World, so Difference, ids []string, assume string, try Try) (WhatIf, error) {
	out := WhatIf{Fixes: []analyse.Fix{}, Difference: so}
	was, err := PathsFrom(ctx, before, assume)
	if err != nil {
		return out, err
	}
	is := was
	if after != before {
		if is, err = PathsFrom(ctx, after, assume); err != nil {
			return out, err
		}
	}
	chosen, trials := map[string][]analyse.Fix{}, map[string]*scope.Trial{}
	for at := was; len(ids) > 0; at = is { // another route may show itself, with its own fixes, where the first is ended
		found, rest, err := chosenFixes(at, ids)
		if err != nil {
			return out, err
		}
		for cluster, fixes := range found {
			chosen[cluster] = append(chosen[cluster], fixes...)
			t, err := try(ctx, cluster, chosen[cluster], assume)
			if err != nil {
				return out, fmt.Errorf("try fixes in cluster %s: %w", cluster, err)
			}
			trials[cluster] = t
			is = slices.DeleteFunc(slices.Clone(is), func(p analyse.Path) bool { return p.Cluster == cluster })
			is = append(is, t.Paths...)
		}
		if len(found) == 0 {
			return out, fmt.Errorf("%w: no attack path has a fix %q: want the id of one that paths or a cut list", ErrFix, rest[0])
		}
		ids = rest
	}
	for _, cluster := range slices.Sorted(maps.Keys(trials)) {
		out.add(cluster, chosen[cluster], trials[cluster])
	}
	out.Difference.Difference = analyse.Compare(was, is, analyse.Hold(after.View, after.Gaps()))
	out.order()
	return out, nil
}

// add tells what fixes take from those who use the cluster as it is meant.
func (d *WhatIf) add(cluster string, fixes []analyse.Fix, t *scope.Trial) {
	d.Fixes = append(d.Fixes, fixes...)
	for _, c := range t.Closed {
		d.Lost = append(d.Lost, Lost{From: internet, To: c.Workload, Before: c.Ports, After: c.Left})
	}
	for _, l := range t.Lost {
		d.PermissionsLost = append(d.PermissionsLost, permissionLost(cluster, l))
	}
	d.RoutesLost, d.PermissionsGone = d.RoutesLost+len(t.Closed), d.PermissionsGone+len(t.Lost)
	for _, f := range fixes {
		if why := f.Unknown(); why != "" {
			d.NotKnown = append(d.NotKnown, f.Title+": "+why)
		}
	}
	d.Gaps = append(d.Gaps, t.Gaps...)
}

// PathsFrom are the paths that there are, or those from what is assumed.
func PathsFrom(ctx context.Context, w *scope.World, assume string) ([]analyse.Path, error) {
	if assume == "" {
		return Open(w).Paths, nil
	}
	d, err := AssumedPaths(ctx, w, assume)
	return d.Paths, err
}

// chosenFixes are the fixes of the ids, by cluster, and the ids that no path has.
func chosenFixes(paths []analyse.Path, ids []string) (found map[string][]analyse.Fix, rest []string, err error) {
	byCluster := map[string][]analyse.Path{}
	for _, p := range paths {
		byCluster[p.Cluster] = append(byCluster[p.Cluster], p)
	}
	found, rest = map[string][]analyse.Fix{}, slices.Clone(ids)
	for cluster, paths := range byCluster {
		for _, f := range analyse.Fixes(paths) {
			if !slices.Contains(ids, f.ID) {
				continue
			}
			if !f.Shown() {
				return nil, nil, fmt.Errorf("%w: %s (%s) says what to look into, not what would change", ErrFix, f.ID, f.Title)
			}
			rest = slices.DeleteFunc(rest, func(id string) bool { return id == f.ID })
			found[cluster] = append(found[cluster], f)
		}
	}
	return found, rest, nil
}

// Unchanged is what nothing changes.
func Unchanged(w *scope.World) Difference { return Differ(State{World: w}, State{World: w}) }

// Listed is the document with of each path only what a list of paths says.
func (d WhatIf) Listed() WhatIf {
	list := func(all []analyse.Path) []analyse.Path {
		out := make([]analyse.Path, len(all))
		for i, p := range all {
			out[i] = p.Outline()
		}
		return out
	}
	d.Opened, d.Closed, d.Changed, d.Hidden = list(d.Opened), list(d.Closed), slices.Clone(d.Changed), slices.Clone(d.Hidden)
	for i, c := range d.Changed {
		d.Changed[i].Path = c.Path.Outline()
	}
	for i, h := range d.Hidden {
		d.Hidden[i].Path = h.Path.Outline()
	}
	return d
}
