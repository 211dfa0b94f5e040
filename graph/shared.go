package graph

import "fmt"

// Shared grows the shared segment: nodes are appended and never move, so what
// a cluster's segment resolved stays right in every later version; the edges
// out of one node are replaced as a whole. It is for one goroutine; the
// segments it freezes are for everyone.
type Shared struct {
	vocab *Vocabulary
	kinds []sharedKind
	edges map[relKey]map[uint32][]relEdge // by source
}

type sharedKind struct {
	ids  []string
	row  map[string]uint32
	vals []map[int32]Value
}

// NewShared starts an empty shared segment.
func NewShared(v *Vocabulary) *Shared {
	s := &Shared{vocab: v, kinds: make([]sharedKind, len(v.kinds)), edges: map[relKey]map[uint32][]relEdge{}}
	for i := range s.kinds {
		s.kinds[i].row = map[string]uint32{}
	}
	return s
}

// Put adds a node, or sets properties of one that is there. It reports whether
// anything changed.
func (s *Shared) Put(kind, id string, props ...Prop) bool {
	k := s.kind(kind)
	n := &s.kinds[k]
	row, ok := n.row[id]
	changed := !ok
	if !ok {
		row = uint32(len(n.ids))
		n.row[id] = row
		n.ids = append(n.ids, id)
		n.vals = append(n.vals, nil)
	}
	for _, p := range props {
		c := columnIndex(s.vocab.kinds[k].Columns, p.Name)
		if c < 0 {
			panic(fmt.Sprintf("graph: kind %s has no column %q", kind, p.Name))
		}
		if n.vals[row] == nil {
			n.vals[row] = map[int32]Value{}
		}
		if old := n.vals[row][int32(c)]; !old.Equal(p.Value) {
			n.vals[row][int32(c)] = p.Value
			changed = true
		}
	}
	return changed
}

// Has says whether a node was Put.
func (s *Shared) Has(kind, id string) bool {
	_, there := s.kinds[s.kind(kind)].row[id]
	return there
}

// Target is the far end of an edge given to SetEdges.
type Target struct {
	Kind, ID string
	Props    []Prop
}

// SetEdges replaces all edges of a kind from one node to nodes of one kind.
// Both ends must have been Put.
func (s *Shared) SetEdges(edge, fromKind, fromID, toKind string, to []Target) {
	e := s.vocab.EdgeIndex(edge)
	if e < 0 {
		panic(fmt.Sprintf("graph: no edge kind %q", edge))
	}
	fk, tk := s.kind(fromKind), s.kind(toKind)
	from, ok := s.kinds[fk].row[fromID]
	if !ok {
		panic(fmt.Sprintf("graph: no %s %q in the shared segment", fromKind, fromID))
	}
	list := make([]relEdge, 0, len(to))
	for _, t := range to {
		row, ok := s.kinds[tk].row[t.ID]
		if !ok {
			panic(fmt.Sprintf("graph: no %s %q in the shared segment", toKind, t.ID))
		}
		list = append(list, relEdge{from, row, t.Props})
	}
	k := relKey{int32(e), int32(fk), int32(tk)}
	if s.edges[k] == nil {
		s.edges[k] = map[uint32][]relEdge{}
	}
	s.edges[k][from] = list
}

func (s *Shared) kind(name string) int {
	k := s.vocab.KindIndex(name)
	if k < 0 || !s.vocab.kinds[k].Shared {
		panic(fmt.Sprintf("graph: %q is no shared kind", name))
	}
	return k
}

// Freeze makes a segment of the present state.
func (s *Shared) Freeze() *Segment {
	seg := &Segment{vocab: s.vocab, shared: true, tables: make([]*Table, len(s.kinds)), rels: map[int][]*Rel{},
		stubs: make([][]uint32, len(s.kinds)), lookID: make([]map[string]uint32, len(s.kinds))}
	for k := range s.kinds {
		n := &s.kinds[k]
		seg.lookID[k] = make(map[string]uint32, len(n.row))
		place := make([]int32, len(n.ids))
		var vals []builderVal
		for row, id := range n.ids {
			seg.lookID[k][id] = uint32(row)
			place[row] = int32(row)
			for c, v := range n.vals[row] {
				vals = append(vals, builderVal{int32(row), c, v})
			}
		}
		seg.tables[k] = newTable(s.vocab.kinds[k].Columns, append([]string(nil), n.ids...), vals, place)
	}
	for k, bySource := range s.edges {
		var list []relEdge
		for _, es := range bySource {
			list = append(list, es...)
		}
		if len(list) > 0 {
			seg.addRel(k, list)
		}
	}
	return seg
}
