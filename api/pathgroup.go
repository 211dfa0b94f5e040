package api

import (
	"cmp"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/scope"
)

// by names what a path shares with others, by the keys that the filter of the same name takes.
type by func(*analyse.Path) []PathGroup

var groupings = map[ListPathsParamsGroup]by{ListPathsParamsGroupTarget: byTarget, ListPathsParamsGroupEntry: byEntry,
	ListPathsParamsGroupTechnique: byTechnique, ListPathsParamsGroupFix: byFix}

func byTarget(p *analyse.Path) []PathGroup { return []PathGroup{groupOf(p.Target)} }

func byEntry(p *analyse.Path) []PathGroup { return []PathGroup{groupOf(p.Foothold)} }

func byTechnique(p *analyse.Path) (out []PathGroup) {
	for _, st := range slices.Concat(p.Steps, p.Also) {
		for _, id := range st.Rules {
			name := id
			if id == st.Rule {
				name = st.RuleTitle
			}
			out = append(out, PathGroup{Key: id, Name: name})
		}
	}
	return out
}

func byFix(p *analyse.Path) (out []PathGroup) {
	for _, f := range p.Fixes {
		if f.Effect == analyse.Breaks {
			out = append(out, PathGroup{Key: f.Title, Name: f.Title})
		}
	}
	return out
}

func groupOf(t analyse.Thing) PathGroup {
	return PathGroup{Key: t.ID, Kind: text(t.Kind), Name: t.Name}
}

// has says whether a path has what a filter names.
func (of by) has(p *analyse.Path, key *string) bool {
	return deref(key) == "" || slices.ContainsFunc(of(p), func(g PathGroup) bool { return g.Key == *key })
}

// grouped counts each path once in every group it belongs to, worst first.
func (of by) grouped(lives []scope.Life) []PathGroup {
	at, out := map[string]int{}, []PathGroup{}
	for _, l := range lives {
		seen := map[string]bool{}
		for _, g := range of(l.Path.Path) {
			i, known := at[g.Key]
			if !known {
				i = len(out)
				at[g.Key], out = i, append(out, g)
			}
			if out[i].Name == g.Key { // another path may know it by its title
				out[i].Name = g.Name
			}
			if seen[g.Key] {
				continue
			}
			seen[g.Key] = true
			out[i].Count++
			if out[i].Risk == "" || l.RiskScore > out[i].RiskScore {
				out[i].Risk, out[i].RiskScore = l.Risk, l.RiskScore
			}
		}
	}
	slices.SortStableFunc(out, func(a, b PathGroup) int {
		return cmp.Or(b.RiskScore-a.RiskScore, b.Count-a.Count, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return out
}
