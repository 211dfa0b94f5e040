package collect

import (
	"slices"
	"strings"
)

// Together tells identical gaps once, with how often each was met, in the order in which
// they came. Since is when the first was.
func Together(gaps []Gap) []Gap {
	type same struct{ cluster, source, what, why, consequence, kinds string }
	out := make([]Gap, 0, len(gaps))
	at := map[same]int{}
	for _, g := range gaps {
		key := same{g.Cluster, g.Source, g.What, g.Why, g.Consequence, strings.Join(g.Kinds, " ")}
		i, told := at[key]
		if !told {
			at[key] = len(out)
			out = append(out, g)
			continue
		}
		out[i].Count = out[i].Times() + g.Times()
		if !g.Since.IsZero() && (out[i].Since.IsZero() || g.Since.Before(out[i].Since)) {
			out[i].Since = g.Since
		}
	}
	return slices.Clip(out)
}

// Times is how often a gap was met.
func (g Gap) Times() int { return max(g.Count, 1) }
