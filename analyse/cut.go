package analyse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// Cut is a small set of fixes that together end paths.
type Cut struct {
	// Fixes in the order in which they end most, each with the paths that it is the
	// first to end.
	Fixes []CutFix `json:"fixes"`
	// AtLeast is how few fixes could do: what the most attackers at once would need if each
	// fix let one of them pass. See leastFixes.
	AtLeast int `json:"atLeast"`
	// Left are the ids of paths that are there still once the fixes are done on a copy.
	Left []string `json:"left"`
}

// CutFix is a fix and what it ends.
type CutFix struct {
	Fix     Fix    `json:"fix"`
	Cluster string `json:"cluster"`
	// Ends are the ids of the paths.
	Ends []string `json:"ends"`
}

// maxRounds is how often fixes are done on a copy to see what is left.
const maxRounds = 40

// MinimumCut chooses fixes until no path is left: those that end a path by themselves,
// always the one that ends most of those left; and where there is none, the one that is on most of their
// routes. After each choice the fixes are done on a copy, by left, which says what paths
// the fixes of a cluster leave. What is left in the end is no guess.
func MinimumCut(
	ctx context.Context,
	paths []Path,
	left func(ctx context.Context, cluster string, fixes []Fix) ([]Path, error),
) (Cut, error) {
	out := Cut{Fixes: []CutFix{}, Left: []string{}}
	byCluster := map[string][]Path{}
	for _, p := range paths {
		byCluster[p.Cluster] = append(byCluster[p.Cluster], p)
	}
	for _, cluster := range slices.Sorted(maps.Keys(byCluster)) {
		none, err := left(ctx, cluster, nil)
		if err != nil {
			return out, fmt.Errorf("see what there is without fixes: %w", err)
		}
		c := cut{chosen: map[string]bool{}, ends: map[string][]string{}, known: map[string]bool{}}
		for _, p := range none {
			c.known[p.ID] = true
		}
		at := byCluster[cluster]
		for range maxRounds {
			picks := c.pick(at)
			if len(picks) == 0 {
				break
			}
			is, err := left(ctx, cluster, c.fixes)
			if err != nil {
				return out, fmt.Errorf("see what the fixes leave of the attack paths: %w", err)
			}
			at = c.done(picks, at, is)
		}
		for _, p := range at {
			out.Left = append(out.Left, p.ID)
		}
		for _, f := range c.fixes {
			out.Fixes = append(out.Fixes, CutFix{Fix: f, Cluster: cluster, Ends: append([]string{}, c.ends[f.ID]...)})
		}
		out.AtLeast += min(leastFixes(byCluster[cluster], c.fixes), len(c.fixes))
	}
	slices.SortStableFunc(out.Fixes, func(a, b CutFix) int { return cmp.Compare(len(b.Ends), len(a.Ends)) })
	return out, nil
}

// Widest is the fix that ends most of some paths by itself, by what they say of it; found is
// false where none does.
func Widest(paths []Path) (best CutFix, found bool) {
	for _, f := range Fixes(paths) {
		if ends := fixedBy(paths, f.ID, func(_ Path, effect string) bool { return effect == Breaks }); len(ends) > len(best.Ends) {
			best, found = CutFix{Fix: f, Ends: ends}, true
		}
	}
	for _, p := range paths {
		if found && p.ID == best.Ends[0] {
			best.Cluster = p.Cluster
		}
	}
	return best, found
}

// cut is a choice of fixes under way, in one cluster.
type cut struct {
	fixes  []Fix
	chosen map[string]bool
	ends   map[string][]string // paths, by fix
	known  map[string]bool     // paths that there are without fixes
}

// done notes which of the paths at hand each new fix ended, and returns the others, with those
// that only the fixes show: of an image that was read in part nobody knows what else is in it.
func (c *cut) done(picks []Fix, at, is []Path) (still []Path) {
	there := map[string]int{}
	for i, p := range is {
		there[p.ID] = i
	}
	for _, p := range at {
		if i, stays := there[p.ID]; stays {
			still = append(still, is[i])
			continue
		}
		by := slices.IndexFunc(picks, func(f Fix) bool {
			return slices.ContainsFunc(p.Fixes, func(whole Fix) bool {
				return whole.Effect == Breaks && slices.ContainsFunc(partsOf(whole, picks), func(part Fix) bool { return part.ID == f.ID })
			})
		})
		id := picks[max(0, by)].ID
		if c.known[p.ID] {
			c.ends[id] = append(c.ends[id], p.ID)
		}
	}
	for _, p := range is {
		if !c.known[p.ID] && !slices.ContainsFunc(at, func(o Path) bool { return o.ID == p.ID }) {
			still = append(still, p)
		}
	}
	return still
}

// pick chooses what to do next: fixes that end paths by themselves, else one that is on most routes.
func (c *cut) pick(paths []Path) []Fix {
	all := slices.DeleteFunc(Fixes(paths), func(f Fix) bool { return c.chosen[f.ID] || !f.Shown() })
	var picks []Fix
	ended := map[string]bool{}
	for {
		best, ends := []Fix(nil), []string(nil)
		for _, f := range all {
			breaks := fixedBy(paths, f.ID, func(p Path, effect string) bool { return effect == Breaks && !ended[p.ID] })
			if parts := partsOf(f, all); len(breaks)*max(1, len(best)) > len(ends)*len(parts) {
				best, ends = parts, breaks
			}
		}
		if len(ends) == 0 {
			break
		}
		picks = c.take(picks, best)
		for _, id := range ends {
			ended[id] = true
		}
	}
	if len(picks) > 0 {
		return picks
	}
	best, most := Fix{}, 0
	for _, f := range all {
		if n := len(fixedBy(paths, f.ID, func(Path, string) bool { return true })); n > most && len(partsOf(f, all)) == 1 {
			best, most = f, n
		}
	}
	if most == 0 {
		return nil
	}
	return c.take(nil, []Fix{best})
}

func (c *cut) take(picks, more []Fix) []Fix {
	for _, f := range more {
		if !c.chosen[f.ID] {
			c.chosen[f.ID] = true
			c.fixes, picks = append(c.fixes, f), append(picks, f)
		}
	}
	return picks
}

// fixedBy are the ids of the paths that a fix is one of, and that count.
func fixedBy(paths []Path, fix string, counts func(p Path, effect string) bool) (out []string) {
	for _, p := range paths {
		if slices.ContainsFunc(p.Fixes, func(f Fix) bool { return f.ID == fix && counts(p, f.Effect) }) {
			out = append(out, p.ID)
		}
	}
	return out
}

// partsOf are the fixes that one consists of: several where it is "all together".
func partsOf(f Fix, all []Fix) (out []Fix) {
	if f.Kind != fixRule || f.Rule != "" {
		return []Fix{f}
	}
	for _, part := range all {
		if part.Rule != "" && slices.ContainsFunc(part.endings, func(e ending) bool { return slices.Contains(f.endings, e) }) {
			out = append(out, part)
		}
	}
	return out
}
