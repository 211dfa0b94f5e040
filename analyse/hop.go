package analyse

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// hop is a group on a path, with the individuals reached there and the
// edges that reached them, which may be of several kinds and rules.
type hop struct {
	group   group
	members members
	edge    string // the kind that gains most
	kinds   []string
	edges   []graph.Edge
	rules   []string

	// Many paths have the hop, so what is told of it is made once.
	sum   uint64 // of its members
	shown *shown
	fixes []Fix // of its techniques, and of all of them together

	record *record // what was read for all of this
}

// shown is a hop as a path shows it.
type shown struct {
	to   Thing
	step Step
}

func (h *hop) add(e graph.Edge) {
	if kind := e.Kind(); !slices.Contains(h.kinds, kind) {
		h.kinds = append(h.kinds, kind)
	}
	if last := len(h.members) - 1; last < 0 || h.members[last] != e.To {
		h.members = append(h.members, e.To)
	}
	h.edges = append(h.edges, e)
	if r := e.Value("rule").Str(); r != "" && !slices.Contains(h.rules, r) {
		h.rules = append(h.rules, r)
	}
}

// order sorts what a hop holds, once all its edges are known: the technique that
// costs least first.
func (s *search) order(h *hop) {
	h.members = h.members.sorted()
	h.sum = h.members.sum()
	h.edges = sortedEdges(h.edges)
	rank := func(kind string) int { return slices.Index(stepKinds(), kind) }
	slices.SortFunc(h.kinds, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	h.edge = h.kinds[0]
	cost := func(id string) int32 {
		t := s.rules.byID[id]
		if t == nil {
			return costOfMost
		}
		return t.cost(false)
	}
	slices.SortFunc(h.rules, func(a, b string) int {
		return cmp.Or(compareBools(s.ends(a), s.ends(b)), cmp.Compare(cost(a), cost(b)), strings.Compare(a, b))
	})
}

func (s *search) ends(rule string) bool { t := s.rules.byID[rule]; return t != nil && t.Ends }

// edgeAt is an edge to be put in order: an Edge is too large to be moved about.
type edgeAt struct {
	from, to uint64
	at       int32
}

// sortedEdges drops repetitions.
func sortedEdges(edges []graph.Edge) []graph.Edge {
	number := func(n graph.Node) uint64 { return uint64(n.KindIndex())<<32 | uint64(n.Index()) }
	order := make([]edgeAt, len(edges))
	for i, e := range edges {
		order[i] = edgeAt{number(e.From), number(e.To), int32(i)}
	}
	before := func(a, b edgeAt) int {
		if c := cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(edges[a.at].Value("rule").Str(), edges[b.at].Value("rule").Str()), cmp.Compare(a.at, b.at))
	}
	if slices.IsSortedFunc(order, before) {
		return slices.Compact(edges)
	}
	slices.SortFunc(order, before)
	out := make([]graph.Edge, 0, len(edges))
	for _, o := range order {
		if e := edges[o.at]; len(out) == 0 || out[len(out)-1] != e {
			out = append(out, e)
		}
	}
	return out
}

// by is the first of its edges that a rule made.
func (h *hop) by(rule string) graph.Edge {
	return h.edges[slices.IndexFunc(h.edges, func(e graph.Edge) bool { return e.Value("rule").Str() == rule })]
}

// on is the hop as one of another view of the same segments, of which nothing is told yet.
func (h *hop) on(v *graph.View) hop {
	c := *h
	c.shown, c.fixes, c.record = nil, nil, nil
	c.members, c.edges = h.members.on(v), make([]graph.Edge, len(h.edges))
	for i, e := range h.edges {
		c.edges[i] = e.On(v)
	}
	return c
}

func (m members) on(v *graph.View) members {
	out := make(members, len(m))
	for i, n := range m {
		out[i] = n.On(v)
	}
	return out
}
