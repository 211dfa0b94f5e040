package graph

import (
	"fmt"
	"slices"
)

// stretch is a run of edges of an adjacency that is made of two: of the one that is kept, or of what is added.
type stretch struct {
	added  bool
	lo, hi uint32
}

// now is where a row is, if it is there; rows are nil where all are where they were.
func now(rows []int32, was uint32) (uint32, bool) {
	if rows == nil {
		return was, true
	}
	return uint32(rows[was]), rows[was] >= 0
}

// changed is an adjacency without the edges between some ends, and with others between these; nil if none is left. Nodes that stay keep
// their order, so that edges do. What the columns say is copied, not looked for again.
func (s *Segment) changed(was kept, added []relEdge) *Rel {
	added = inOrder(added)
	var ends []Ends
	var order []stretch
	take := func(of bool, at uint32, e Ends) {
		if last := len(order) - 1; last >= 0 && order[last].added == of && order[last].hi == at {
			order[last].hi++
		} else {
			order = append(order, stretch{of, at, at + 1})
		}
		ends = append(ends, e)
	}
	but, next := was.but, 0
	until := func(e Ends) { // what is added before some ends
		for ; next < len(added) && (Ends{added[next].from, added[next].to}).compare(e) < 0; next++ {
			take(true, uint32(next), Ends{added[next].from, added[next].to})
		}
	}
	for from, span := range was.out.all() {
		from, there := now(was.from, from)
		for at := span[0]; at < span[1] && there; at++ {
			to, there := now(was.to, was.out.dst[at])
			if !there {
				continue
			}
			e := Ends{from, to}
			for len(but) > 0 && but[0].compare(e) < 0 {
				but = but[1:]
			}
			if until(e); len(but) == 0 || but[0] != e {
				take(false, at, e)
			}
		}
	}
	until(Ends{^uint32(0), ^uint32(0)})
	if len(ends) == 0 {
		return nil
	}
	r := &Rel{Edge: was.Edge, From: was.From, To: was.To}
	kind := s.vocab.edges[r.Edge]
	if len(kind.Columns) > 0 {
		r.inPos = make([]uint32, len(ends))
	}
	r.out = pack(s.Len(r.From), len(ends), func(i int) (uint32, uint32) { return ends[i].From, ends[i].To }, nil)
	r.in = pack(s.Len(r.To), len(ends), func(i int) (uint32, uint32) { return ends[i].To, ends[i].From }, r.inPos)
	more := relColumns(kind, added)
	r.cols = make([]*Col, len(kind.Columns))
	for c := range r.cols {
		if was.Col(c) == nil && more[c] == nil {
			continue
		}
		j := join(kind.Columns[c], len(ends))
		for _, run := range order {
			if src := was.Col(c); run.added {
				j.add(more[c], run.lo, run.hi)
			} else {
				j.add(src, run.lo, run.hi)
			}
		}
		r.cols[c] = j.done()
	}
	if slices.ContainsFunc(added, func(e relEdge) bool {
		_, meant := slices.BinarySearchFunc(was.but, Ends{e.from, e.to}, Ends.compare)
		return !meant
	}) {
		panic(fmt.Sprintf("graph: edges %s are kept and added", kind.Name))
	}
	return r
}
