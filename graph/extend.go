package graph

import (
	"fmt"
	"slices"
)

// Extension adds derived edges and computed properties to a finished segment.
// The result shares everything that did not change.
type Extension struct {
	view  *View
	seg   *Segment
	edges map[relKey][]relEdge
	vals  map[[2]int][]said // by kind and column, a place for each row
	refs  map[int][]uint32  // shared nodes not yet among the stubs
	kept  map[relKey]*Rel
}

// said is a value that is set, which may be null.
type said struct {
	Value
	so bool
}

// NewExtension starts from a cluster's segment as seen in a view.
func NewExtension(v *View, seg *Segment) *Extension {
	if seen := v.byName[seg.name]; seen != nil {
		seg = seen
	}
	return &Extension{view: v, seg: seg, edges: map[relKey][]relEdge{}, vals: map[[2]int][]said{}, refs: map[int][]uint32{},
		kept: map[relKey]*Rel{}}
}

// Edge adds an edge between nodes of the view: each end lies in the extended
// segment or in the shared one. The properties are the Extension's from then on.
func (x *Extension) Edge(kind string, from, to Node, props ...Prop) {
	e := x.view.vocab.EdgeIndex(kind)
	if e < 0 {
		panic(fmt.Sprintf("graph: no edge kind %q", kind))
	}
	for _, n := range []Node{from, to} {
		if n.seg.shared {
			x.refs[n.kind] = append(x.refs[n.kind], n.i)
		} else if n.seg.name != x.seg.name {
			panic("graph: an edge cannot join two clusters")
		}
	}
	k := relKey{int32(e), int32(from.kind), int32(to.kind)}
	x.edges[k] = append(x.edges[k], relEdge{from.i, to.i, props})
}

// Keep takes over all edges of a kind between two kinds of nodes from an earlier extension of the cluster's segment, in which
// these nodes had the same rows. None of the kinds is shared, and no such edges are added otherwise.
func (x *Extension) Keep(r *Rel) {
	if kinds := x.view.vocab.kinds; kinds[r.From].Shared || kinds[r.To].Shared {
		panic("graph: stubs have other numbers in every segment")
	}
	x.kept[relKey{int32(r.Edge), int32(r.From), int32(r.To)}] = r
}

// Set gives a node of the extended segment a property.
func (x *Extension) Set(n Node, props ...Prop) {
	for _, p := range props {
		c := columnIndex(x.view.vocab.kinds[n.kind].Columns, p.Name)
		if c < 0 || n.seg.name != x.seg.name || n.seg.shared {
			panic(fmt.Sprintf("graph: cannot set %s of %s here", p.Name, n.ID()))
		}
		k := [2]int{n.kind, c}
		if x.vals[k] == nil {
			x.vals[k] = make([]said, x.seg.Len(n.kind))
		}
		x.vals[k][n.i] = said{p.Value, true}
	}
}

// Build makes the extended segment.
func (x *Extension) Build() *Segment {
	s := *x.seg
	s.base = x.view.shared.version
	s.tables, s.rels, s.stubs = slices.Clone(x.seg.tables), map[int][]*Rel{}, slices.Clone(x.seg.stubs)
	for kind, refs := range x.refs {
		x.addStubs(&s, kind, refs)
	}
	for e, rels := range x.seg.rels {
		for _, r := range rels {
			s.rels[e] = append(s.rels[e], r.restub(x.seg, &s))
		}
	}
	for k := range x.kept {
		if _, twice := x.edges[k]; twice {
			panic("graph: edges are kept and added")
		}
		x.edges[k] = nil
	}
	keys := inOrderOfKinds(x.edges)
	made := make([]*Rel, len(keys))
	beside(len(keys), func(n int) {
		k := keys[n]
		if made[n] = x.kept[k]; made[n] != nil {
			return
		}
		list := x.edges[k]
		for i := range list {
			list[i].from, list[i].to = s.local(int(k.from), list[i].from), s.local(int(k.to), list[i].to)
		}
		made[n] = s.newRel(k, list)
	})
	for _, r := range made {
		s.rels[r.Edge] = append(s.rels[r.Edge], r)
	}
	for k, vals := range x.vals {
		x.setColumn(&s, k[0], k[1], vals)
	}
	return &s
}

func (x *Extension) addStubs(s *Segment, kind int, refs []uint32) {
	all := append(slices.Clone(s.stubs[kind]), refs...)
	slices.Sort(all)
	s.stubs[kind] = slices.Compact(all)
}

// local turns a shared index into a stub number; local indices stay.
func (s *Segment) local(kind int, i uint32) uint32 {
	if !s.vocab.kinds[kind].Shared {
		return i
	}
	stub, _ := s.Stub(kind, i)
	return stub
}

// restub renumbers a Rel whose ends are stubs of kinds that gained some.
func (r *Rel) restub(old, now *Segment) *Rel {
	grew := func(kind int) bool { return len(old.stubs[kind]) != len(now.stubs[kind]) }
	if !grew(r.From) && !grew(r.To) {
		return r
	}
	renumber := func(kind int, i uint32) uint32 {
		if !now.vocab.kinds[kind].Shared {
			return i
		}
		return now.local(kind, old.stubs[kind][i])
	}
	c := *r
	c.out = pack(now.Len(r.From), r.Len(), func(i int) (uint32, uint32) {
		return renumber(r.From, r.source(uint32(i))), renumber(r.To, r.out.dst[i])
	}, nil)
	c.in = pack(now.Len(r.To), r.Len(), func(i int) (uint32, uint32) {
		return renumber(r.To, r.out.dst[i]), renumber(r.From, r.source(uint32(i)))
	}, c.inPos)
	return &c
}

// source finds the source of the edge at a forward position.
func (r *Rel) source(pos uint32) uint32 {
	i, _ := slices.BinarySearchFunc(r.out.off, pos+1, func(off, p uint32) int {
		if off < p {
			return -1
		}
		return 1
	})
	return uint32(i - 1)
}

func (x *Extension) setColumn(s *Segment, kind, column int, vals []said) {
	t := *s.tables[kind]
	t.cols = slices.Clone(t.cols)
	old, _ := t.cols[column].at(0)
	col := newCol(s.vocab.kinds[kind].Columns[column], t.n)
	err := col.fill(t.n, func(i int) Value {
		if vals[i].so {
			return vals[i].Value
		}
		if old != nil {
			return old.Value(uint32(i))
		}
		return Value{}
	})
	if err != nil {
		panic("graph: " + err.Error())
	}
	t.cols[column] = oneColumn(col)
	s.tables[kind] = &t
}
