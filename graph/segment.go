package graph

import (
	"iter"
	"slices"
)

// Segment is one cluster's nodes and edges, or the shared ones. It never changes.
type Segment struct {
	vocab  *Vocabulary
	name   string
	shared bool
	tables []*Table
	rels   map[int][]*Rel
	// stubs holds, per shared kind, the sorted shared indices that a cluster's
	// segment mentions; adjacency inside it uses positions in this list.
	stubs [][]uint32
	base  uint64 // the version of the shared segment that the stubs are of
	// Of the shared segment only:
	index            []*ids
	version, removed uint64 // see Shared
}

// Name is the cluster's name, empty for the shared segment.
func (s *Segment) Name() string { return s.name }

// Shared says that this is the shared segment.
func (s *Segment) Shared() bool { return s.shared }

// Vocabulary is what the segment was built with.
func (s *Segment) Vocabulary() *Vocabulary { return s.vocab }

// Len is the number of nodes of a kind, or of stubs for a shared kind in a
// cluster's segment.
func (s *Segment) Len(kind int) int {
	if !s.shared && s.vocab.kinds[kind].Shared {
		return len(s.stubs[kind])
	}
	if s.tables[kind] == nil {
		return 0
	}
	return s.tables[kind].n
}

// Stubs maps stub numbers to indices in the shared segment, ascending.
func (s *Segment) Stubs(kind int) []uint32 { return s.stubs[kind] }

// Stub is the stub number of a shared node, if this cluster mentions it.
func (s *Segment) Stub(kind int, shared uint32) (uint32, bool) {
	i, ok := slices.BinarySearch(s.stubs[kind], shared)
	return uint32(i), ok
}

// Rels lists the adjacencies of an edge kind.
func (s *Segment) Rels(edge int) []*Rel { return s.rels[edge] }

// Nodes is the set of a kind's nodes. Len counts also places of the shared segment
// whose node left.
func (s *Segment) Nodes(kind int) Bitmap {
	if s.tables[kind] == nil {
		return nil
	}
	return s.tables[kind].nodes()
}

// Parts yields a column of a kind's table, run by run.
func (s *Segment) Parts(kind, column int) iter.Seq[Part] {
	return s.tables[kind].parts(s.tables[kind].cols[column])
}

// Value reads a column of a node; null where it is no column.
func (s *Segment) Value(kind, column int, i uint32) Value {
	if column < 0 {
		return Value{}
	}
	return s.tables[kind].cols[column].value(i)
}

// ID is a node's id within the segment, without the segment's name.
func (s *Segment) ID(kind int, i uint32) string { return string(s.tables[kind].id(i)) }

func (s *Segment) lookup(kind int, id string) (uint32, bool) {
	t := s.tables[kind]
	if t == nil {
		return 0, false
	}
	if s.shared {
		return s.index[kind].find(t, id)
	}
	ids, _ := t.ids.at(0)
	lo, hi := 0, t.n
	for lo < hi {
		mid := (lo + hi) / 2
		if string(ids.Bytes(uint32(mid))) < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < t.n && string(ids.Bytes(uint32(lo))) == id {
		return uint32(lo), true
	}
	return 0, false
}
