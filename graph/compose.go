package graph

import "slices"

// Compose is the edges that two adjacencies of a segment make together, as edges of
// another kind: from where first begins to where then ends, each pair once. It has
// no columns. Pairs that besides holds already are left out.
func (s *Segment) Compose(edge int, first, then *Rel, besides []*Rel) *Rel {
	var from, to []uint32
	for i := range first.out.all() {
		var ends []uint32
		middle, _ := first.Out(i)
		for _, m := range middle {
			next, _ := then.Out(m)
			ends = append(ends, next...)
		}
		slices.Sort(ends)
		for _, end := range slices.Compact(ends) {
			if !slices.ContainsFunc(besides, func(r *Rel) bool { return r.joins(first.From, then.To, i, end) }) {
				from, to = append(from, i), append(to, end)
			}
		}
	}
	r := &Rel{Edge: edge, From: first.From, To: then.To}
	r.out = pack(s.Len(r.From), len(from), func(i int) (uint32, uint32) { return from[i], to[i] }, nil)
	r.in = pack(s.Len(r.To), len(from), func(i int) (uint32, uint32) { return to[i], from[i] }, nil)
	return r
}

// joins says whether it holds an edge between two nodes of these kinds.
func (r *Rel) joins(fromKind, toKind int, from, to uint32) bool {
	if r.From != fromKind || r.To != toKind {
		return false
	}
	ends, _ := r.Out(from)
	_, there := slices.BinarySearch(ends, to)
	return there
}
