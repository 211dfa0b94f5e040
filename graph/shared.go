package graph

import (
	"fmt"
	"maps"
	"slices"
)

// Shared grows the shared segment. A node never moves while it is there, so what
// a cluster's segment resolved stays right in every later version; the edges out
// of one node are replaced as a whole. Freeze takes as long as what changed since
// the last one is large, not as what is there. Shared is for one goroutine; the
// segments it freezes are for everyone.
type Shared struct {
	vocab *Vocabulary
	kinds []sharedKind
	rels  []*sharedRel
	// version counts the segments frozen; removed is the last one that lacks a
	// node which the one before had.
	version, removed uint64
	last             *Segment
	changed          bool
	leaving          map[sharedRow]bool // dependent nodes that lost an edge since the last version
	atOnce           int                // see sharedRel
}

// sharedRow is a node of the shared segment.
type sharedRow struct {
	kind int
	row  uint32
}

// sharedKind is the writer's side of the nodes of one kind: the table of the
// last version and what changed since.
type sharedKind struct {
	Kind
	table *Table
	index *ids
	fresh map[string]uint32 // nodes that the table does not have
	vals  map[cell]Value    // values that the table does not have
	rows  uint32
	free  []uint32 // rows whose node left
	refs  []int32  // edges to each row, for dependent kinds
}

// cell is a column in the high half, a row in the low one.
type cell uint64

const (
	idColumn   = 0
	bornColumn = 1
	columns    = 2 // where the kind's own columns begin
)

func cellOf(column int, row uint32) cell { return cell(column)<<32 | cell(row) }

// flushAt bounds the memory of values that wait for the next version.
const flushAt = 1 << 16

// NewShared starts an empty shared segment.
func NewShared(v *Vocabulary) *Shared {
	s := &Shared{vocab: v, kinds: make([]sharedKind, len(v.kinds)), leaving: map[sharedRow]bool{}, atOnce: mergeAtOnce}
	for i, k := range v.kinds {
		t := &Table{ids: column{bits: pieceBits}, born: column{bits: pieceBits}, cols: make([]column, len(k.Columns))}
		for c := range t.cols {
			t.cols[c].bits = pieceBits
		}
		s.kinds[i] = sharedKind{Kind: k, table: t, index: newIDs(0), fresh: map[string]uint32{}, vals: map[cell]Value{}}
	}
	return s
}

// find is the row of a node that is there.
func (n *sharedKind) find(id string) (uint32, bool) {
	if row, there := n.fresh[id]; there {
		return row, true
	}
	row, there := n.index.find(n.table, id)
	if there {
		if _, changed := n.vals[cellOf(idColumn, row)]; changed {
			return 0, false // it left, or another has its row
		}
	}
	return row, there
}

func (n *sharedKind) value(column int, row uint32) Value {
	if v, changed := n.vals[cellOf(columns+column, row)]; changed {
		return v
	}
	return n.table.cols[column].value(row)
}

// Put adds a node, or sets properties of one that is there. It reports whether
// anything changed.
func (s *Shared) Put(kind, id string, props ...Prop) bool {
	k := s.kind(kind)
	n := &s.kinds[k]
	row, ok := n.find(id)
	changed := !ok
	if !ok {
		row = n.add(id, s.version+1)
	}
	for _, p := range props {
		c := columnIndex(n.Columns, p.Name)
		if c < 0 {
			panic(fmt.Sprintf("graph: kind %s has no column %q", kind, p.Name))
		}
		if !n.value(c, row).same(p.Value) {
			n.vals[cellOf(columns+c, row)] = p.Value
			changed = true
		}
	}
	s.changed = s.changed || changed
	if len(n.vals) >= flushAt {
		n.flush()
	}
	return changed
}

// add gives a new node a row.
func (n *sharedKind) add(id string, version uint64) (row uint32) {
	if last := len(n.free) - 1; last >= 0 {
		row, n.free = n.free[last], n.free[:last]
		n.vals[cellOf(bornColumn, row)] = IntValue(int64(version))
	} else {
		row = n.rows
		n.rows++
		if n.Dependent {
			n.refs = append(n.refs, 0)
		}
	}
	n.fresh[id] = row
	n.vals[cellOf(idColumn, row)] = TextValue(id)
	return row
}

// Has says whether a node is there.
func (s *Shared) Has(kind, id string) bool {
	_, there := s.kinds[s.kind(kind)].find(id)
	return there
}

// Remove takes a node away with all its edges. A cluster's segment that was built
// before has no edge to it any more, not even if it comes back. It reports
// whether the node was there.
func (s *Shared) Remove(kind, id string) bool {
	k := s.kind(kind)
	row, there := s.kinds[k].find(id)
	if there {
		s.remove(k, row, id)
	}
	return there
}

func (s *Shared) remove(k int, row uint32, id string) {
	n := &s.kinds[k]
	for _, r := range s.rels {
		if int(r.key.from) == k {
			s.setEdges(r, row, nil)
		}
		if int(r.key.to) == k && (!n.Dependent || n.refs[row] > 0) {
			for _, from := range r.sources(row) {
				left := slices.DeleteFunc(slices.Clone(r.edges(from)), func(e relEdge) bool { return e.to == row })
				s.setEdges(r, from, left)
			}
		}
	}
	for c := range n.Columns {
		if !n.value(c, row).IsNull() {
			n.vals[cellOf(columns+c, row)] = Value{}
		}
	}
	n.vals[cellOf(idColumn, row)] = Value{}
	delete(n.fresh, id)
	n.free = append(n.free, row)
	delete(s.leaving, sharedRow{k, row})
	s.removed, s.changed = s.version+1, true
}

// sweep removes the dependent nodes that nothing leads to any more, and what is
// left without an edge by that.
func (s *Shared) sweep() {
	for len(s.leaving) > 0 {
		rows := slices.SortedFunc(maps.Keys(s.leaving), func(a, b sharedRow) int {
			return int(a.kind-b.kind)<<32 + int(a.row) - int(b.row)
		})
		clear(s.leaving)
		for _, at := range rows {
			if n := &s.kinds[at.kind]; n.refs[at.row] == 0 {
				s.remove(at.kind, at.row, n.id(at.row))
			}
		}
	}
}

func (n *sharedKind) id(row uint32) string {
	if v, changed := n.vals[cellOf(idColumn, row)]; changed {
		return v.str
	}
	return string(n.table.id(row))
}

// Target is the far end of an edge given to SetEdges.
type Target struct {
	Kind, ID string
	Props    []Prop
}

// SetEdges replaces all edges of a kind from one node to nodes of one kind. Both
// ends must have been Put. It reports whether anything changed.
func (s *Shared) SetEdges(edge, fromKind, fromID, toKind string, to []Target) bool {
	r := s.rel(edge, fromKind, toKind)
	from, ok := s.kinds[r.key.from].find(fromID)
	if !ok {
		panic(fmt.Sprintf("graph: no %s %q in the shared segment", fromKind, fromID))
	}
	list := make([]relEdge, 0, len(to))
	for _, t := range to {
		row, ok := s.kinds[r.key.to].find(t.ID)
		if !ok {
			panic(fmt.Sprintf("graph: no %s %q in the shared segment", toKind, t.ID))
		}
		list = append(list, relEdge{from, row, t.Props})
	}
	return s.setEdges(r, from, inOrder(list))
}

func (s *Shared) setEdges(r *sharedRel, from uint32, list []relEdge) bool {
	if r.is(from, list) {
		return false
	}
	if far := &s.kinds[r.key.to]; far.Dependent {
		for _, to := range r.targets(from) {
			if far.refs[to]--; far.refs[to] == 0 {
				s.leaving[sharedRow{int(r.key.to), to}] = true
			}
		}
		for _, e := range list {
			far.refs[e.to]++
		}
	}
	r.fresh[from] = list
	s.changed = true
	return true
}

// rel is the writer of an edge kind between two kinds.
func (s *Shared) rel(edge, from, to string) *sharedRel {
	e := s.vocab.EdgeIndex(edge)
	if e < 0 {
		panic(fmt.Sprintf("graph: no edge kind %q", edge))
	}
	key := relKey{int32(e), int32(s.kind(from)), int32(s.kind(to))}
	for _, r := range s.rels {
		if r.key == key {
			return r
		}
	}
	r := &sharedRel{key: key, kind: s.vocab.edges[e], fresh: map[uint32][]relEdge{}, atOnce: s.atOnce}
	s.rels = append(s.rels, r)
	return r
}

func (s *Shared) kind(name string) int {
	k := s.vocab.KindIndex(name)
	if k < 0 || !s.vocab.kinds[k].Shared {
		panic(fmt.Sprintf("graph: %q is no shared kind", name))
	}
	return k
}

// Freeze makes a segment of the present state, or returns the last one where
// nothing changed.
func (s *Shared) Freeze() *Segment { return s.freeze((*sharedRel).seal) }

// Compact is a Freeze that waits for merges and leaves nothing to merge.
func (s *Shared) Compact() *Segment { return s.freeze((*sharedRel).compact) }

func (s *Shared) freeze(seal func(*sharedRel) bool) *Segment {
	s.sweep()
	for _, r := range s.rels {
		s.changed = seal(r) || s.changed
	}
	if !s.changed && s.last != nil {
		return s.last
	}
	s.version++
	s.changed = false
	seg := &Segment{vocab: s.vocab, shared: true, version: s.version, removed: s.removed, tables: make([]*Table, len(s.kinds)),
		index: make([]*ids, len(s.kinds)), rels: map[int][]*Rel{}, stubs: make([][]uint32, len(s.kinds))}
	for k := range s.kinds {
		s.kinds[k].flush()
		seg.tables[k], seg.index[k] = s.kinds[k].table, s.kinds[k].index
	}
	for _, r := range s.rels {
		seg.rels[int(r.key.edge)] = append(seg.rels[int(r.key.edge)], r.rels...)
	}
	s.last = seg
	return seg
}

// flush brings the table and the index up to date.
func (n *sharedKind) flush() {
	if len(n.vals) == 0 {
		return
	}
	t := *n.table
	t.n, t.cols = int(n.rows), slices.Clone(t.cols)
	cells := slices.Sorted(maps.Keys(n.vals))
	for len(cells) > 0 {
		c := int(cells[0] >> 32)
		var changes []change
		for len(cells) > 0 && int(cells[0]>>32) == c {
			changes = append(changes, change{uint32(cells[0]), n.vals[cells[0]]})
			cells = cells[1:]
		}
		switch c {
		case idColumn:
			t.ids = t.ids.changed(Column{Name: "id", Type: Text}, t.n, changes)
		case bornColumn:
			t.born = t.born.changed(Column{Name: "born", Type: Int}, t.n, changes)
		default:
			t.cols[c-columns] = t.cols[c-columns].changed(n.Columns[c-columns], t.n, changes)
		}
	}
	n.vals = emptied(n.vals)
	if n.index.full(len(n.fresh)) {
		n.index = grown(&t, len(n.fresh))
	} else {
		for id, row := range n.fresh {
			n.index.add(id, row)
		}
	}
	n.fresh = emptied(n.fresh)
	n.table = &t
}

// emptied is an empty map. A large one is not kept: to clear it again would take
// as long as it was ever large.
func emptied[K comparable, V any](m map[K]V) map[K]V {
	if len(m) > 1024 {
		return map[K]V{}
	}
	clear(m)
	return m
}
