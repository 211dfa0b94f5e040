package collect

import (
	"fmt"
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

// ByReason tells gaps of one reason and one consequence as one, that names the first of what
// it is about and counts all. It is for people; Together keeps each by its name.
func ByReason(gaps []Gap) []Gap {
	type reason struct{ cluster, source, why, consequence string }
	var out []Gap
	var about [][]string
	at := map[reason]int{}
	for _, g := range Together(gaps) {
		r := reason{g.Cluster, g.Source, g.Why, g.Consequence}
		i, told := at[r]
		if !told {
			i, at[r] = len(out), len(out)
			out, about = append(out, g), append(about, nil)
		}
		if g.Times() > 1 {
			g.What = fmt.Sprintf("%s (%d times)", g.What, g.Times())
		}
		about[i] = append(about[i], g.What)
	}
	for i := range out {
		out[i].What, out[i].Count = few(about[i]), len(about[i])
	}
	return out
}

// few names the first of many.
func few(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
