package query

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// star says that rows are grouped by the variable the walk begins at and that
// every distinct count is of a node one edge away: the question people ask most
// ("vulnerabilities by number of images"), which needs no rows at all.
func (g *grouping) star() bool {
	if len(g.by) == 0 || !g.alone() || slices.ContainsFunc(g.walk.below, func(b *walk) bool { return len(b.below) > 0 }) {
		return false
	}
	distinct := 0
	for _, c := range g.counts {
		if c.distinct && c.of.edge {
			return false
		}
		if c.distinct {
			distinct++
		}
	}
	return distinct == len(g.counts) && distinct == len(g.walk.below)
}

// collectStar counts each group's different neighbours by marking them.
func (g *grouping) collectStar() {
	e := g.e
	branches := make([]*starBranch, len(g.counts))
	for n, c := range g.counts {
		at := slices.IndexFunc(g.walk.below, func(b *walk) bool { return b.v == c.of.v })
		branches[n] = e.newStarBranch(g.walk.below[at])
	}
	for c := range e.members(g.walk.v) {
		e.use(200)
		grp := &group{row: make([]cell, 1+len(branches)), counts: make([]uint64, len(branches))}
		grp.row[0] = c
		for n, b := range branches {
			grp.counts[n] = b.count(e, c)
		}
		g.groups = append(g.groups, grp)
	}
}

type starBranch struct {
	walk  *walk
	set   nodeSet
	marks *marks
}

func (e *engine) newStarBranch(w *walk) *starBranch {
	set := e.sets[w.v.id]
	return &starBranch{walk: w, set: set, marks: e.newMarks(set)}
}

// marks tell which nodes of a set the open group has seen.
type marks struct {
	seen [][][]uint32 // by which group last, as its number
	now  uint32
}

func (e *engine) newMarks(set nodeSet) *marks {
	m := &marks{seen: make([][][]uint32, len(set.bits))}
	for k := range set.bits {
		m.seen[k] = make([][]uint32, len(set.bits[k]))
		for slot, b := range set.bits[k] {
			if b != nil {
				e.use(len(b) * 64 * 4)
				m.seen[k][slot] = make([]uint32, len(b)*64)
			}
		}
	}
	return m
}

// open begins the next group.
func (m *marks) open() { m.now++ }

// first says that the open group sees a node for the first time.
func (m *marks) first(k, slot int, i uint32) bool {
	at := &m.seen[k][slot][i]
	if *at == m.now {
		return false
	}
	*at = m.now
	return true
}

func (s *starBranch) count(e *engine, near cell) (n uint64) {
	s.marks.open()
	lanes := s.walk.byNear[s.walk.slots[near.k]+near.slot]
	apart := s.apart(lanes)
	for _, at := range lanes {
		l := &s.walk.lanes[at]
		i := near.i
		if l.nearStubs != nil {
			stub, ok := slices.BinarySearch(l.nearStubs, near.i)
			if !ok {
				continue
			}
			i = uint32(stub)
		}
		set := s.set.bits[l.farKind][l.farSlot]
		ends, first, pos := l.edges(i)
		e.tick(len(ends) + 1)
		if apart && l.test == nil && l.farStubs == nil && set != nil {
			n += different(ends, set)
			continue
		}
		for j, f := range ends {
			if l.farStubs != nil {
				f = l.farStubs[f]
			}
			if set != nil && set.Has(f) && l.passes(i, ends[j], first, pos, j) && s.marks.first(l.farKind, l.farSlot, f) {
				n++
			}
		}
	}
	return n
}

// apart says that no two lanes have the same far end: of one edge kind, the
// shared segment holds each source's edges in one adjacency only.
func (s *starBranch) apart(lanes []int) bool {
	for _, at := range lanes {
		if l := &s.walk.lanes[at]; len(lanes) > 1 && (l.seg != 0 || l.rel.Edge != s.walk.lanes[lanes[0]].rel.Edge) {
			return false
		}
	}
	return true
}

// different counts the members of a set in an ascending list that may repeat.
func different(list []uint32, set graph.Bitmap) (n uint64) {
	last := ^uint32(0)
	for _, f := range list {
		if f != last && set.Has(f) {
			n++
		}
		last = f
	}
	return n
}
