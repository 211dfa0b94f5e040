package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// aside is a step of another route, as it is drawn.
type aside struct {
	from, to Thing
	step     Step
}

// place is where a step begins or ends, for all who come there: a group, or a goal told
// as it, with the patches that are reached of it.
type place struct {
	group   group
	goal    bool
	patches uint64
}

// detour draws the step between two places of a picture, nil if no individual takes
// it. Most paths of a cluster end by the same steps, so each is drawn once.
func (w *writer) detour(pic *picture, s pair) *aside {
	if !w.sameFromAll(pic, s) {
		return w.aside(pic, s)
	}
	key := [2]place{{pic.groups[s.from], false, pic.sum(s.from)}, {pic.groups[s.to], pic.goal[s.to], 0}}
	d, known := w.asides[key]
	if known {
		w.reader.again(d.record)
		return d.aside
	}
	if w.memory != nil {
		d.strokes = w.strokesOf(pic, s)
	}
	if before := w.remembered.aside(d.strokes); before != nil {
		d = *before
		w.reader.again(d.record)
	} else {
		w.reader.apart(&d.record, func() { d.aside = w.aside(pic, s) })
	}
	w.asides[key] = d
	return d.aside
}

// redrawn is an aside, nil if nobody takes the step, which step it is in every survey, and what was read for it.
type redrawn struct {
	*aside
	strokes strokes
	record  *record
}

// aside is what was drawn of a step, nil if it is to be drawn anew.
func (c *checker) aside(s strokes) *redrawn {
	if c == nil || c.comparison == nil || !c.steady {
		return nil
	}
	d, known := c.asides[s]
	if !known || !c.stands(d.record) {
		return nil
	}
	return &d
}

// kept are the asides that searches have drawn, and those of before that something which is told again rests on.
func (c *comparison) kept(searches []*search) map[strokes]redrawn {
	out := map[strokes]redrawn{}
	for _, s := range searches {
		for _, d := range s.asides {
			if d.record != nil {
				out[d.strokes] = d
			}
		}
	}
	if c != nil && c.steady {
		for s, d := range c.asides {
			if d.record.count == c.count && d.record.holds {
				out[s] = d
			}
		}
	}
	return out
}

// sameFromAll says that the step is the same from every foothold.
func (w *writer) sameFromAll(pic *picture, s pair) bool {
	if s.from == 0 {
		return false
	}
	goal := w.field.goalOf(pic.patches[s.to][0])
	return goal == nil || goal.of.Only == ""
}

func (w *writer) aside(pic *picture, s pair) *aside {
	st := w.between(pic, s)
	if len(st.members) == 0 {
		return nil
	}
	d := &aside{from: Thing{ID: pic.groups[s.from].id}, to: w.thing(st.group, st.members)}
	if s.from != 0 {
		d.from = w.thing(pic.groups[s.from], w.individuals(pic, s.from))
	}
	at := w.at
	w.at = d.from.ID
	d.step = w.derivedStep(d.from.ID, d.to.ID, st)
	w.at = at
	return d
}

// between is the step between two places, taken by one individual of each patch.
func (w *writer) between(pic *picture, s pair) *hop {
	if len(pic.patches[s.from]) == 0 { // the containers of what is assumed
		return &hop{group: pic.groups[s.to], members: w.individuals(pic, s.to).sorted(), edge: "RUNS"}
	}
	var from []graph.Node
	for _, p := range pic.patches[s.from] {
		from = append(from, w.individual(w.field.members[p][0]))
	}
	return w.stepTo(w.foothold, from, pic.patches[s.to][0])
}

// sum is a number made of a set.
func sum(set []int32) (n uint64) {
	set = slices.Clone(set)
	slices.Sort(set)
	for _, x := range slices.Compact(set) {
		n = mixed(n ^ uint64(uint32(x)))
	}
	return n
}
