package analyse

import (
	"cmp"
	"slices"
	"strings"
)

// Cut is a small set of fixes that together end paths.
type Cut struct {
	// Fixes in the order in which they end most, each with the paths that it is the
	// first to end.
	Fixes []CutFix `json:"fixes"`
	// AtLeast is how few fixes could do: that many of the paths have no fix in common.
	AtLeast int `json:"atLeast"`
	// Left are the ids of paths that no single fix ends.
	Left []string `json:"left"`
}

// CutFix is a fix and what it ends.
type CutFix struct {
	Fix     Fix    `json:"fix"`
	Cluster string `json:"cluster"`
	// Ends are the ids of the paths.
	Ends []string `json:"ends"`
}

// MinimumCut chooses fixes until every path is ended that some fix ends: always the one
// that ends most of those left, the worst of them where that is the same. What a
// fix ends is what the path itself says of it.
func MinimumCut(paths []Path) Cut {
	out := Cut{Fixes: []CutFix{}, Left: []string{}}
	fixes, order := map[string]*CutFix{}, []string{} // order: those of the worst paths first
	breaks := map[string][]string{}                  // by path
	for _, p := range paths {
		for _, f := range p.Fixes {
			if f.Effect != Breaks {
				continue
			}
			key := p.Cluster + "\n" + f.Kind + "\n" + f.Title + "\n" + strings.Join(f.Concerns, "\n")
			if fixes[key] == nil {
				fixes[key] = &CutFix{Fix: f, Cluster: p.Cluster}
				order = append(order, key)
			}
			breaks[p.key()] = merged(breaks[p.key()], []string{key})
		}
		if breaks[p.key()] == nil {
			out.Left = append(out.Left, p.ID)
		}
	}
	ended := map[string]bool{}
	for {
		ends := map[string][]string{}
		for _, p := range paths {
			for _, key := range breaks[p.key()] {
				if !ended[p.key()] {
					ends[key] = append(ends[key], p.ID)
				}
			}
		}
		if len(ends) == 0 {
			break
		}
		best := slices.MaxFunc(order, func(a, b string) int { return cmp.Compare(len(ends[a]), len(ends[b])) })
		chosen := *fixes[best]
		chosen.Ends = ends[best]
		out.Fixes = append(out.Fixes, chosen)
		for _, p := range paths {
			if slices.Contains(breaks[p.key()], best) {
				ended[p.key()] = true
			}
		}
	}
	out.AtLeast = apart(paths, breaks)
	return out
}

// apart counts paths no two of which have a fix in common, those with few fixes first:
// no set of fixes that ends them all is smaller.
func apart(paths []Path, breaks map[string][]string) (n int) {
	byFew := slices.SortedStableFunc(slices.Values(paths), func(a, b Path) int {
		return cmp.Compare(len(breaks[a.key()]), len(breaks[b.key()]))
	})
	taken := map[string]bool{}
	for _, p := range byFew {
		own := breaks[p.key()]
		if len(own) == 0 || slices.ContainsFunc(own, func(f string) bool { return taken[f] }) {
			continue
		}
		n++
		for _, f := range own {
			taken[f] = true
		}
	}
	return n
}
