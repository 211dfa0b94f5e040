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
	shown *shown
	fixes []Fix // of its techniques, and of all of them together
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
	h.members = append(h.members, e.To)
	h.edges = append(h.edges, e)
	if r := e.Value("rule").Str(); r != "" && !slices.Contains(h.rules, r) {
		h.rules = append(h.rules, r)
	}
}

// order sorts what a hop holds, once all its edges are known: the technique that
// costs least first.
func (s *search) order(h *hop) {
	h.members = h.members.sorted()
	h.edges = sortedEdges(h.edges)
	rank := func(kind string) int { return slices.Index(stepKinds, kind) }
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

// sortedEdges drops repetitions.
func sortedEdges(edges []graph.Edge) []graph.Edge {
	slices.SortStableFunc(edges, func(a, b graph.Edge) int {
		if c := cmp.Or(compareNodes(a.From, b.From), compareNodes(a.To, b.To)); c != 0 {
			return c
		}
		return strings.Compare(a.Value("rule").Str(), b.Value("rule").Str())
	})
	return slices.Compact(edges)
}

// by is the first of its edges that a rule made.
func (h *hop) by(rule string) graph.Edge {
	return h.edges[slices.IndexFunc(h.edges, func(e graph.Edge) bool { return e.Value("rule").Str() == rule })]
}
