package graph

import "slices"

// A cluster's segment refers to shared nodes by their rows. Where a node left,
// its row may have been given to another: the segment of an older version must
// not show that one in its place.

// on is the segment as seen with a version of the shared one: itself, or a copy
// without the edges to nodes that have left.
func (s *Segment) on(shared *Segment) *Segment {
	if s.base >= shared.removed {
		return s
	}
	var now *Segment
	for kind, stubs := range s.stubs {
		left := func(i uint32) bool { return shared.left(kind, i, s.base) }
		if !slices.ContainsFunc(stubs, left) {
			continue
		}
		if now == nil {
			c := *s
			c.stubs, c.rels = slices.Clone(s.stubs), map[int][]*Rel{}
			now = &c
		}
		now.stubs[kind] = slices.DeleteFunc(slices.Clone(stubs), left)
	}
	if now == nil {
		return s
	}
	for e, rels := range s.rels {
		for _, r := range rels {
			if len(s.stubs[r.From]) == len(now.stubs[r.From]) && len(s.stubs[r.To]) == len(now.stubs[r.To]) {
				now.rels[e] = append(now.rels[e], r)
			} else {
				now.keep(s, r)
			}
		}
	}
	return now
}

// left says that the node which a version had in a row is not there any more.
func (s *Segment) left(kind int, row uint32, version uint64) bool {
	t := s.tables[kind]
	return t.id(row) == nil || uint64(t.born.value(row).Int()) > version
}

// keep adds the edges of an older segment's Rel of which both ends are there.
func (s *Segment) keep(old *Segment, r *Rel) {
	find := func(kind int, i uint32) (uint32, bool) {
		if !s.vocab.kinds[kind].Shared {
			return i, true
		}
		return s.Stub(kind, old.stubs[kind][i])
	}
	var list []relEdge
	for from, at := range r.out.all() {
		f, there := find(r.From, from)
		for pos := at[0]; there && pos < at[1]; pos++ {
			if t, there := find(r.To, r.out.dst[pos]); there {
				list = append(list, relEdge{f, t, r.props(s.vocab.edges[r.Edge], pos)})
			}
		}
	}
	if len(list) > 0 {
		s.rels[r.Edge] = append(s.rels[r.Edge], s.newRel(relKey{int32(r.Edge), int32(r.From), int32(r.To)}, list))
	}
}
