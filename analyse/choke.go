package analyse

import (
	"cmp"
	"slices"
	"strings"
)

// ChokePoint is a thing that several paths pass: what is done there ends them all.
type ChokePoint struct {
	Thing Thing `json:"thing"`
	// Paths are the ids of the paths that cannot do without it.
	Paths []string `json:"paths"`
	Count int      `json:"count"`
	// Risk is the highest among them.
	Risk string `json:"risk"`
}

// ChokePoints finds the things that at least two paths cannot do without, those
// with most paths first. Entry and targets do not count, nor what is only a way of
// seeing pods.
func ChokePoints(paths []Path) []ChokePoint {
	at := map[string]int{}
	var all []ChokePoint
	score := map[string]int{}
	for _, p := range paths {
		for _, t := range p.Nodes {
			if t.ID == p.Target.ID || t.Kind == "NetClass" || !p.needs(t.ID) {
				continue
			}
			key := t.Kind + " " + t.ID
			i, known := at[key]
			if !known {
				i = len(all)
				at[key] = i
				all = append(all, ChokePoint{Thing: t})
			}
			all[i].Paths = append(all[i].Paths, p.ID)
			score[key] = max(score[key], p.RiskScore)
		}
	}
	out := []ChokePoint{}
	for _, c := range all {
		if c.Count = len(c.Paths); c.Count > 1 {
			c.Risk = riskWord(score[c.Thing.Kind+" "+c.Thing.ID])
			slices.Sort(c.Paths)
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b ChokePoint) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Thing.ID, b.Thing.ID))
	})
	return out
}

// needs says that without the thing no way leads from entry to target. A path that
// was found says it itself: not all of its steps may be drawn.
func (p Path) needs(id string) bool {
	if len(p.Unavoidable) > 0 {
		return slices.Contains(p.Unavoidable, id)
	}
	steps := slices.Concat(p.Steps, p.Also)
	reached := map[string]bool{p.Entry.ID: true}
	for grew := true; grew; {
		grew = false
		for _, s := range steps {
			if !reached[s.From] || s.To == id {
				continue
			}
			if s.Derived && s.To == p.Target.ID { // a node may be both on the way in and the target
				return false
			}
			if !reached[s.To] {
				reached[s.To], grew = true, true
			}
		}
	}
	return true
}
