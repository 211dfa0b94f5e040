package graph

import "slices"

// Compose is the edges that two adjacencies of a segment make together, as edges of
// another kind: from where first begins to where then ends, each pair once. It has
// no columns. Pairs that besides holds already are left out.
func (s *Segment) Compose(edge int, first, then *Rel, besides []*Rel) *Rel {
	var from, to, gathered []uint32
	for i := range first.out.all() {
		middle, _ := first.Out(i)
		ends := gathered[:0]
		if len(middle) == 1 {
			ends, _ = then.Out(middle[0]) // in order already
		} else {
			for _, m := range middle {
				next, _ := then.Out(m)
				ends = append(ends, next...)
			}
			slices.Sort(ends)
			gathered = ends
		}
		held := heldBy(besides, first.From, then.To, i)
		for n, end := range ends {
			if n > 0 && end == ends[n-1] || slices.ContainsFunc(held, func(h []uint32) bool { return has(h, end) }) {
				continue
			}
			from, to = append(from, i), append(to, end)
		}
	}
	r := &Rel{Edge: edge, From: first.From, To: then.To}
	r.out = pack(s.Len(r.From), len(from), func(i int) (uint32, uint32) { return from[i], to[i] }, nil)
	r.in = pack(s.Len(r.To), len(from), func(i int) (uint32, uint32) { return to[i], from[i] }, nil)
	return r
}

// heldBy is where adjacencies between two kinds lead from a node, of each that leads anywhere.
func heldBy(rels []*Rel, from, to int, i uint32) (out [][]uint32) {
	for _, r := range rels {
		if r.From != from || r.To != to {
			continue
		}
		if ends, _ := r.Out(i); len(ends) > 0 {
			out = append(out, ends)
		}
	}
	return out
}

func has(sorted []uint32, i uint32) bool {
	_, there := slices.BinarySearch(sorted, i)
	return there
}
