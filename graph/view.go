package graph

import (
	"iter"
	"slices"
	"strings"
)

// View pins one shared segment and the cluster segments built on it. It never
// changes; readers need no lock.
type View struct {
	vocab    *Vocabulary
	shared   *Segment
	clusters []*Segment
	byName   map[string]*Segment
	sight    *sight // nil: everything is seen
	witness  Witness
}

// NewView joins segments; shared may be nil when nothing is shared. A cluster's
// segment may be older than the shared one: it shows no edge to what has left.
func NewView(v *Vocabulary, shared *Segment, clusters ...*Segment) *View {
	if shared == nil {
		shared = NewShared(v).Freeze()
	}
	view := &View{vocab: v, shared: shared, byName: map[string]*Segment{}}
	for _, c := range clusters {
		c = c.on(shared)
		view.clusters = append(view.clusters, c)
		view.byName[c.name] = c
	}
	slices.SortFunc(view.clusters, func(a, b *Segment) int { return strings.Compare(a.name, b.name) })
	return view
}

func (v *View) Vocabulary() *Vocabulary { return v.vocab }
func (v *View) Shared() *Segment        { return v.shared }
func (v *View) Clusters() []*Segment    { return v.clusters }

// Node finds a node by kind and stable id ("cluster/…" for what is not shared).
func (v *View) Node(kind, id string) (Node, bool) {
	k := v.vocab.KindIndex(kind)
	if k < 0 {
		return Node{}, false
	}
	seg := v.shared
	if !v.vocab.kinds[k].Shared {
		name, rest, _ := strings.Cut(id, "/")
		if seg = v.byName[name]; seg == nil {
			return Node{}, false
		}
		id = rest
	}
	i, ok := seg.lookup(k, id)
	n := Node{v, seg, k, i}
	return n, ok && v.sees(n)
}

// Nodes yields all nodes of a kind, by segment and id.
func (v *View) Nodes(kind string) iter.Seq[Node] {
	k := v.vocab.KindIndex(kind)
	return func(yield func(Node) bool) {
		if k < 0 {
			return
		}
		for _, seg := range v.Segments(k) {
			for i := range seg.Nodes(k).All() {
				if n := (Node{v, seg, k, i}); v.sees(n) && !yield(n) {
					return
				}
			}
		}
	}
}

// Segments lists the segments that hold nodes of a kind.
func (v *View) Segments(kind int) []*Segment {
	if v.vocab.kinds[kind].Shared {
		return []*Segment{v.shared}
	}
	return v.clusters
}

// At is the node with an index in a segment.
func (v *View) At(seg *Segment, kind int, i uint32) Node { return Node{v, seg, kind, i} }

// Node is a node of a View: a small value, comparable, valid as long as the view.
type Node struct {
	view *View
	seg  *Segment
	kind int
	i    uint32
}

func (n Node) Kind() string      { return n.view.vocab.kinds[n.kind].Name }
func (n Node) KindIndex() int    { return n.kind }
func (n Node) Index() uint32     { return n.i }
func (n Node) Segment() *Segment { return n.seg }
func (n Node) IsZero() bool      { return n.view == nil }

// Cluster is the name of the node's segment, empty if shared.
func (n Node) Cluster() string { return n.seg.name }

// ID is the stable id, the same in every run.
func (n Node) ID() string {
	if n.seg.shared {
		return n.seg.ID(n.kind, n.i)
	}
	return n.seg.name + "/" + n.seg.ID(n.kind, n.i)
}

// Value reads a property; null if unknown or not a column of the kind.
func (n Node) Value(column string) Value {
	if n.view.witness != nil {
		n.view.witness.Properties(n)
	}
	return n.seg.Value(n.kind, columnIndex(n.view.vocab.kinds[n.kind].Columns, column), n.i)
}

// Text is Value as text, empty if unknown.
func (n Node) Text(column string) string { return n.Value(column).Str() }

// Edge is an edge of a View.
type Edge struct {
	From, To Node
	rel      *Rel
	pos      uint32
	vocab    *Vocabulary
}

// Kind is the edge kind's name.
func (e Edge) Kind() string { return e.vocab.edges[e.rel.Edge].Name }

// Value reads an edge property.
func (e Edge) Value(column string) Value {
	c := e.rel.Col(columnIndex(e.vocab.edges[e.rel.Edge].Columns, column))
	if c == nil {
		return Value{}
	}
	return c.Value(e.pos)
}

// Out yields the edges from n: of one kind, or of all if edge is empty.
func (n Node) Out(edge string) iter.Seq[Edge] { return n.edges(edge, true) }

// In yields the edges to n.
func (n Node) In(edge string) iter.Seq[Edge] { return n.edges(edge, false) }

func (n Node) edges(edge string, out bool) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		only := -1
		if edge != "" {
			if only = n.view.vocab.EdgeIndex(edge); only < 0 {
				return
			}
		}
		if n.view.witness != nil {
			n.view.witness.Edges(n, only, out)
		}
		segs := []*Segment{n.seg}
		if n.seg.shared {
			segs = append(segs, n.view.clusters...)
		}
		for _, seg := range segs {
			at := n.i
			if n.seg.shared && !seg.shared {
				stub, ok := seg.Stub(n.kind, n.i)
				if !ok {
					continue
				}
				at = stub
			}
			for e := range n.view.vocab.edges {
				if only >= 0 && e != only {
					continue
				}
				for _, r := range seg.rels[e] {
					if !n.yieldRel(seg, r, at, out, yield) {
						return
					}
				}
			}
		}
	}
}

func (n Node) yieldRel(seg *Segment, r *Rel, at uint32, out bool, yield func(Edge) bool) bool {
	if out && r.From == n.kind {
		dst, pos := r.Out(at)
		for i, d := range dst {
			if to := n.view.far(seg, r.To, d); n.view.sees(to) && !yield(Edge{n, to, r, pos + uint32(i), n.view.vocab}) {
				return false
			}
		}
	}
	if !out && r.To == n.kind {
		src, pos := r.In(at)
		for i, s := range src {
			var p uint32
			if pos != nil {
				p = pos[i]
			}
			if from := n.view.far(seg, r.From, s); n.view.sees(from) && !yield(Edge{from, n, r, p, n.view.vocab}) {
				return false
			}
		}
	}
	return true
}

// far resolves an adjacency entry: a stub leads to the shared segment.
func (v *View) far(seg *Segment, kind int, i uint32) Node {
	if !seg.shared && v.vocab.kinds[kind].Shared {
		return Node{v, v.shared, kind, seg.stubs[kind][i]}
	}
	return Node{v, seg, kind, i}
}
