package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
)

// looks is what a pattern looks at, place by place.
type looks struct {
	nodes []nodeLook
	hops  []hopLook
	// whole says that a match is one node in each place, and what is different in it can be followed from there.
	whole bool
	// unknown says that something is looked at of which nobody knows the kinds.
	unknown bool
	// shared says that edges are looked at which no cluster has of its own.
	shared bool
}

type nodeLook struct {
	as    string
	kinds []int
}

// hopLook is a step from one place to another.
type hopLook struct {
	edge, near, far int
	in              bool
	through         int // an edge that may follow to make one of this kind; -1 if none may
}

// lookAt reads a pattern.
func lookAt(n *query.Node) *looks {
	l := &looks{whole: true}
	l.node(n)
	return l
}

func (l *looks) node(n *query.Node) int {
	at := len(l.nodes)
	l.nodes = append(l.nodes, nodeLook{n.As, l.kinds(n.Kinds)})
	if n.As == "" {
		l.whole = false
	}
	for _, r := range n.With {
		l.rel(at, r)
	}
	l.condition(at, n.Where)
	return at
}

func (l *looks) rel(near int, r *query.Rel) {
	if r.Optional || r.UpTo > 0 {
		l.whole = false
	}
	if r.UpTo > 0 {
		l.unknown = true // what lies between
	}
	far := l.node(r.To)
	for _, name := range r.Edge {
		e := schema.Vocabulary().EdgeIndex(name)
		if e < 0 {
			l.whole, l.unknown = false, true
			continue
		}
		l.shared = l.shared || l.sharedHop(name, near, far, r.Dir == query.In)
		l.hops = append(l.hops, hopLook{edge: e, near: near, far: far, in: r.Dir == query.In,
			through: schema.Vocabulary().EdgeIndex(edgeOf(name).Through)})
	}
}

func (l *looks) sharedHop(edge string, near, far int, in bool) bool {
	if in {
		near, far = far, near
	}
	v := schema.Vocabulary()
	return slices.ContainsFunc(edgeOf(edge).Joins, func(j schema.Pair) bool {
		from, to := v.KindIndex(j.From), v.KindIndex(j.To)
		return v.Kinds()[from].Shared && v.Kinds()[to].Shared && slices.Contains(l.nodes[near].kinds, from) &&
			slices.Contains(l.nodes[far].kinds, to)
	})
}

func (l *looks) condition(at int, e *query.Expr) {
	if e == nil {
		return
	}
	for _, each := range [][]*query.Expr{e.And, e.Or, {e.Not}} {
		for _, sub := range each {
			l.condition(at, sub)
		}
	}
	for _, r := range []*query.Rel{e.Exists, e.Count} {
		if r != nil {
			l.whole = false
			l.rel(at, r)
		}
	}
}

// kinds are those of some names; all if there are none, or one is of something else.
func (l *looks) kinds(names []string) (out []int) {
	v := schema.Vocabulary()
	for _, name := range names {
		if k := v.KindIndex(name); k >= 0 {
			out = append(out, k)
		} else {
			names = nil
		}
	}
	if len(names) > 0 {
		return out
	}
	out = make([]int, 0, len(v.Kinds()))
	for k := range v.Kinds() {
		out = append(out, k)
	}
	return out
}
