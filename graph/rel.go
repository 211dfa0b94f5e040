package graph

import (
	"fmt"
	"slices"
	"sort"
)

// Rel is the adjacency of one edge kind between two node kinds in one
// segment. Ends of shared kinds are stub numbers in a cluster's segment (see
// Segment.Stubs) and plain indices in the shared one. A segment may hold
// several Rels for one such triple; their union counts.
type Rel struct {
	Edge, From, To int // numbers in the Vocabulary
	out, in        csr
	inPos          []uint32 // position in forward order of each reverse edge; nil without columns
	cols           []*Col   // by the EdgeKind's columns, nil where nobody filled one
}

type csr struct {
	off []uint32
	dst []uint32
}

func (c csr) of(i uint32) []uint32 { return c.dst[c.off[i]:c.off[i+1]] }

// Len is the number of edges.
func (r *Rel) Len() int { return len(r.out.dst) }

// Out is the targets of i in ascending order; edge columns of the first lie at pos.
func (r *Rel) Out(i uint32) (dst []uint32, pos uint32) { return r.out.of(i), r.out.off[i] }

// In is the sources of j, and the edge column positions where there are columns.
func (r *Rel) In(j uint32) (src, pos []uint32) {
	if r.inPos == nil {
		return r.in.of(j), nil
	}
	return r.in.of(j), r.inPos[r.in.off[j]:r.in.off[j+1]]
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

// addRel sorts the edges, drops exact repetitions and packs both directions.
func (s *Segment) addRel(k relKey, list []relEdge) {
	sort.SliceStable(list, func(i, j int) bool {
		return list[i].from < list[j].from || list[i].from == list[j].from && list[i].to < list[j].to
	})
	list = slices.CompactFunc(list, func(a, b relEdge) bool {
		return a.from == b.from && a.to == b.to && slices.EqualFunc(a.props, b.props,
			func(p, q Prop) bool { return p.Name == q.Name && p.Equal(q.Value) })
	})
	r := &Rel{Edge: int(k.edge), From: int(k.from), To: int(k.to)}
	r.out = pack(s.Len(int(k.from)), len(list), func(i int) (uint32, uint32) { return list[i].from, list[i].to }, nil)
	columns := s.vocab.edges[k.edge].Columns
	if len(columns) > 0 {
		r.inPos = make([]uint32, len(list))
	}
	r.in = pack(s.Len(int(k.to)), len(list), func(i int) (uint32, uint32) { return list[i].to, list[i].from }, r.inPos)
	r.cols = make([]*Col, len(columns))
	for c, column := range columns {
		value := func(i int) Value {
			for _, p := range list[i].props {
				if p.Name == column.Name {
					return p.Value
				}
			}
			return Value{}
		}
		if !slices.ContainsFunc(list, func(e relEdge) bool {
			return slices.ContainsFunc(e.props, func(p Prop) bool { return p.Name == column.Name })
		}) {
			continue
		}
		r.cols[c] = newCol(column, len(list))
		if err := r.cols[c].fill(len(list), value); err != nil {
			panic(fmt.Sprintf("graph: edge %s: %v", s.vocab.edges[k.edge].Name, err))
		}
	}
	s.rels[r.Edge] = append(s.rels[r.Edge], r)
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
