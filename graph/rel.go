package graph

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// Rel is the adjacency of one edge kind between two node kinds in one
// segment. Ends of shared kinds are stub numbers in a cluster's segment (see
// Segment.Stubs) and plain indices in the shared one. A segment may hold
// several Rels for one such triple; their union counts.
type Rel struct {
	Edge, From, To int // numbers in the Vocabulary
	out, in        csr
	inPos          []uint32  // position in forward order of each reverse edge; nil without columns
	cols           []*Col    // by the EdgeKind's columns, nil where nobody filled one
	tier           *tier     // shared segment only
	made           *composed // of edges that are not held: nothing else is there
}

// csr is compressed adjacency. Dense, it has an offset for every node from first
// on; sparse, for the nodes in keys only.
type csr struct {
	first    uint32
	keys     []uint32
	off, dst []uint32
}

// span is where the neighbours of i lie.
func (c *csr) span(i uint32) (lo, hi uint32) {
	if c.keys != nil {
		at, ok := slices.BinarySearch(c.keys, i)
		if !ok {
			return 0, 0
		}
		return c.off[at], c.off[at+1]
	}
	if i -= c.first; i >= uint32(len(c.off)-1) {
		return 0, 0 // before the first or after the last; also a node newer than the edges
	}
	return c.off[i], c.off[i+1]
}

// all yields the nodes that have neighbours, ascending, and where these lie.
func (c *csr) all() iter.Seq2[uint32, [2]uint32] {
	return func(yield func(uint32, [2]uint32) bool) {
		for at := range len(c.off) - 1 {
			i := c.first + uint32(at)
			if c.keys != nil {
				i = c.keys[at]
			}
			if c.off[at] < c.off[at+1] && !yield(i, [2]uint32{c.off[at], c.off[at+1]}) {
				return
			}
		}
	}
}

// Len is the number of edges.
func (r *Rel) Len() int {
	switch {
	case r.made != nil:
		return r.made.edges
	case r.tier != nil:
		return len(r.out.dst) - r.tier.stale
	}
	return len(r.out.dst)
}

// Out is the targets of i in ascending order; edge columns of the first lie at pos.
func (r *Rel) Out(i uint32) (dst []uint32, pos uint32) {
	if r.made != nil {
		return r.made.out(i), 0
	}
	if r.tier != nil && r.tier.stale > 0 && !r.tier.has(i) {
		return nil, 0
	}
	lo, hi := r.out.span(i)
	return r.out.dst[lo:hi], lo
}

// In is the sources of j, and the edge column positions where there are columns.
func (r *Rel) In(j uint32) (src, pos []uint32) {
	if r.made != nil {
		return r.made.in(j), nil
	}
	lo, hi := r.in.span(j)
	src = r.in.dst[lo:hi]
	if r.inPos != nil {
		pos = r.inPos[lo:hi]
	}
	if r.tier != nil && r.tier.stale > 0 {
		return r.tier.current(src, pos)
	}
	return src, pos
}

// Col is the column of that name, nil if no edge here has a value for it.
func (r *Rel) Col(i int) *Col {
	if i < 0 || i >= len(r.cols) {
		return nil
	}
	return r.cols[i]
}

type relEdge struct {
	from, to uint32
	props    []Prop
}

// placed is where an edge stands in a list: an edge is too large to be moved about.
type placed struct {
	ends uint64
	at   int
}

// inOrder sorts edges, those between the same ends as they came, and drops exact repetitions.
func inOrder(list []relEdge) []relEdge {
	order := make([]placed, len(list))
	for i, e := range list {
		order[i] = placed{uint64(e.from)<<32 | uint64(e.to), i}
	}
	slices.SortFunc(order, func(a, b placed) int { return cmp.Or(cmp.Compare(a.ends, b.ends), cmp.Compare(a.at, b.at)) })
	out := make([]relEdge, 0, len(list))
	for _, o := range order {
		e, twice := list[o.at], false
		for at := len(out) - 1; at >= 0 && out[at].from == e.from && out[at].to == e.to && !twice; at-- {
			twice = out[at].says(e) && e.says(out[at])
		}
		if !twice {
			out = append(out, e)
		}
	}
	return out
}

// says that it has all the properties of the other.
func (e relEdge) says(other relEdge) bool {
	return !slices.ContainsFunc(other.props, func(p Prop) bool { return !p.Equal(e.value(p.Name)) })
}

// newRel packs a cluster's edges in both directions.
func (s *Segment) newRel(k relKey, list []relEdge) *Rel {
	list = inOrder(list)
	r := &Rel{Edge: int(k.edge), From: int(k.from), To: int(k.to)}
	if columns := s.vocab.edges[k.edge].Columns; len(columns) > 0 {
		r.inPos = make([]uint32, len(list))
	}
	r.out = pack(s.Len(r.From), len(list), func(i int) (uint32, uint32) { return list[i].from, list[i].to }, nil)
	r.in = pack(s.Len(r.To), len(list), func(i int) (uint32, uint32) { return list[i].to, list[i].from }, r.inPos)
	r.cols = relColumns(s.vocab.edges[k.edge], list)
	return r
}

// relColumns fills the columns that some edge has a value for.
func relColumns(kind EdgeKind, list []relEdge) []*Col {
	cols := make([]*Col, len(kind.Columns))
	for c, column := range kind.Columns {
		if !slices.ContainsFunc(list, func(e relEdge) bool {
			return slices.ContainsFunc(e.props, func(p Prop) bool { return p.Name == column.Name && !p.IsNull() })
		}) {
			continue
		}
		cols[c] = newCol(column, len(list))
		if err := cols[c].fill(len(list), func(i int) Value { return list[i].value(column.Name) }); err != nil {
			panic(fmt.Sprintf("graph: edge %s: %v", kind.Name, err))
		}
	}
	return cols
}

func (e relEdge) value(column string) Value {
	for _, p := range e.props {
		if p.Name == column {
			return p.Value
		}
	}
	return Value{}
}

// pack counts, sums and places: a counting sort by key that keeps order. pos,
// if given, receives each edge's original position.
func pack(n, edges int, edge func(int) (key, val uint32), pos []uint32) csr {
	c := csr{off: make([]uint32, n+1), dst: make([]uint32, edges)}
	for i := range edges {
		k, _ := edge(i)
		c.off[k+1]++
	}
	for i := range n {
		c.off[i+1] += c.off[i]
	}
	next := slices.Clone(c.off[:n])
	for i := range edges {
		k, v := edge(i)
		c.dst[next[k]] = v
		if pos != nil {
			pos[next[k]] = uint32(i)
		}
		next[k]++
	}
	return c
}

// packFew is pack for edges of which few nodes of many may have some: it takes
// space for those nodes, not for all.
func packFew(edges int, edge func(int) (key, val uint32), pos []uint32) csr {
	if edges == 0 {
		return csr{off: []uint32{0}}
	}
	keys := make([]uint32, edges)
	for i := range edges {
		keys[i], _ = edge(i)
	}
	first, last := slices.Min(keys), slices.Max(keys)
	if width := int(last-first) + 1; width <= 2*edges {
		c := pack(width, edges, func(i int) (uint32, uint32) {
			_, v := edge(i)
			return keys[i] - first, v
		}, pos)
		c.first = first
		return c
	}
	slices.Sort(keys)
	keys = slices.Clip(slices.Compact(keys))
	c := pack(len(keys), edges, func(i int) (uint32, uint32) {
		k, v := edge(i)
		at, _ := slices.BinarySearch(keys, k)
		return uint32(at), v
	}, pos)
	c.keys = keys
	return c
}
