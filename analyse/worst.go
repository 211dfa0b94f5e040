package analyse

import (
	"cmp"
	"slices"
)

// claim is a path before it is written: where it begins and ends, and what can be said of
// its risk already.
type claim struct {
	foothold int32 // by number
	end      int32 // patch; -1 where the foothold itself is the target
	worth    int32
}

// worst are the claims of most worth among those that were noted; left counts the others.
type worst struct {
	most int
	kept []claim
	left int
}

// note keeps at most twice as many as are wanted.
func (w *worst) note(c claim) {
	w.kept = append(w.kept, c)
	if len(w.kept) >= 2*w.most {
		w.cut()
	}
}

// cut drops what is beyond the bound.
func (w *worst) cut() {
	if len(w.kept) <= w.most {
		return
	}
	slices.SortFunc(w.kept, func(a, b claim) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.foothold, b.foothold), cmp.Compare(a.end, b.end))
	})
	w.left += len(w.kept) - w.most
	w.kept = w.kept[:w.most]
}

// gathered are the worst of what several found.
func gathered(most int, all []worst) worst {
	out := worst{most: most}
	for _, w := range all {
		out.kept, out.left = append(out.kept, w.kept...), out.left+w.left
	}
	out.cut()
	return out
}

// byFoothold are the claims of each foothold that has some.
func (w *worst) byFoothold() (out [][]claim) {
	slices.SortFunc(w.kept, func(a, b claim) int { return cmp.Or(cmp.Compare(a.foothold, b.foothold), cmp.Compare(a.end, b.end)) })
	for from, c := range w.kept {
		if from > 0 && w.kept[from-1].foothold == c.foothold {
			out[len(out)-1] = append(out[len(out)-1], c)
		} else {
			out = append(out, []claim{c})
		}
	}
	return out
}

// points are those that a foothold gives each of its paths.
func (s *search) points(f *foothold) (points int) {
	w := &writer{search: s, foothold: f}
	w.rateEntry()
	if f.class == Known {
		w.rateWeakness(w.weakness())
	}
	for _, each := range w.path.RiskFactors {
		points += each.Points
	}
	return points
}

// worth is what the way to a goal that was walked to adds.
func (s *search) worth(end int32) int32 {
	g := s.field.goalOf(end)
	worth := g.of.Gain - min(int(s.walk.cost[end]), mostForSteps)
	if g.group.role == "control-plane" {
		worth += pointsOfControlPlane
	}
	if s.walk.moved[end] {
		worth -= pointsOfMoving
	}
	return int32(worth)
}
