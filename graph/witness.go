package graph

// Witness is told what is read of a view's nodes, so that what was made of it can be said to be still so
// when none of that has changed.
type Witness interface {
	// Properties of a node are read.
	Properties(n Node)
	// Edges from or to a node are looked at: of one kind, or of all if edge is negative.
	Edges(n Node, edge int, out bool)
}

// Witnessed is the view whose reads a witness is told. Its nodes are not equal to those of the other: see On.
func (v *View) Witnessed(by Witness) *View {
	w := *v
	w.witness = by
	return &w
}

// On is the node as one of another view of the same segments.
func (n Node) On(v *View) Node {
	n.view = v
	return n
}

// On is the edge as one of another view of the same segments.
func (e Edge) On(v *View) Edge {
	e.From, e.To = e.From.On(v), e.To.On(v)
	return e
}

// Same says that two nodes of one kind have the same properties, whatever views they are of.
func (n Node) Same(other Node) bool {
	now, was := n.seg.tables[n.kind], other.seg.tables[n.kind]
	for c := range n.view.vocab.kinds[n.kind].Columns {
		if !now.cols[c].sameAt(n.i, was.cols[c], other.i) {
			return false
		}
	}
	return true
}

// Same says that two edges of one kind have the same properties.
func (e Edge) Same(other Edge) bool {
	return e.rel.Edge == other.rel.Edge && e.rel.sameAt(e.pos, other.rel, other.pos)
}

// Rows says, of the nodes of a kind in a cluster's segment, in which rows another segment has them; -1 where it has
// none of that id.
func (s *Segment) Rows(kind int, other *Segment) []int32 {
	out := make([]int32, s.Len(kind))
	if s.tables[kind] == nil {
		return out
	}
	theirs, at := other.Len(kind), 0
	for i := range out {
		id := s.tables[kind].id(uint32(i))
		for at < theirs && string(other.tables[kind].id(uint32(at))) < string(id) {
			at++
		}
		out[i] = -1
		if at < theirs && string(other.tables[kind].id(uint32(at))) == string(id) {
			out[i] = int32(at)
		}
	}
	return out
}
