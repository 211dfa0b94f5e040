package analyse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
)

// Bounds of a search; reaching one is a gap.
const (
	maxPaths  = 20_000
	maxLength = 16 // derived steps of one path
)

// search finds the paths of one cluster. It walks individuals and tells groups.
type search struct {
	view    *graph.View
	rules   *Rules
	unseen  []string
	targets []map[graph.Node]bool // by path type
	derived []string              // edge kinds that attack rules make
	groups  map[graph.Node]group
	facts   *evidence
	found   []Path
	gaps    []collect.Gap
	most    int // paths; more are a gap
	full    bool
	long    bool // a path goes on beyond maxLength
}

func newSearch(v *graph.View, rules *Rules, unseen []string) *search {
	s := &search{view: v, rules: rules, unseen: unseen, groups: map[graph.Node]group{}, most: maxPaths}
	for _, e := range schema.Edges {
		if e.Derived && e.Step {
			s.derived = append(s.derived, e.Name)
		}
	}
	s.facts = newEvidence(s)
	return s
}

func (s *search) run(ctx context.Context) ([]Path, error) {
	for _, p := range s.rules.paths {
		t, err := p.targets(ctx, s.view)
		if err != nil {
			return nil, fmt.Errorf("path type %s: %w", p.ID, err)
		}
		s.targets = append(s.targets, t)
	}
	for _, f := range s.footholds() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.from(f)
	}
	if s.full {
		s.gaps = append(s.gaps, collect.Gap{Cluster: s.cluster(), Source: "analyse", What: "attack paths", Kinds: []string{"CAN_EXPLOIT"},
			Why:         fmt.Sprintf("there are more than the %d that are told", s.most),
			Consequence: "Attack paths beyond them are not listed."})
	}
	if s.long {
		s.gaps = append(s.gaps, collect.Gap{Cluster: s.cluster(), Source: "analyse", What: "long attack paths", Kinds: []string{"CAN_EXPLOIT"},
			Why:         fmt.Sprintf("there are paths of more than %d steps", maxLength),
			Consequence: "Where they lead is not told."})
	}
	slices.SortFunc(s.found, func(a, b Path) int {
		return cmp.Or(cmp.Compare(b.RiskScore, a.RiskScore), strings.Compare(a.Title, b.Title), strings.Compare(a.ID, b.ID))
	})
	return s.found, nil
}

func (s *search) cluster() string {
	for _, seg := range s.view.Clusters() {
		return seg.Name()
	}
	return ""
}

func (s *search) groupOf(n graph.Node) group {
	g, known := s.groups[n]
	if !known {
		g = groupOf(n)
		s.groups[n] = g
	}
	return g
}

// foothold is a container group that traffic from the internet can exploit.
type foothold struct {
	group group
	// arrival is how traffic gets there, empty for the paths to which it is all one.
	arrival  string
	arrivals []arrival // most certain first, then shortest
	entered  hop       // the CAN_EXPLOIT step
	weak     *weakness // read when first asked for
}

// hop is a group on a path, with the individuals reached there and the
// edges that reached them, which may be of several kinds and rules.
type hop struct {
	group   group
	members members
	edge    string // the kind that gains most
	kinds   []string
	edges   []graph.Edge
	rules   []string
}

// footholds gathers the containers that can be exploited from outside, by group
// and by how traffic arrives.
func (s *search) footholds() (out []*foothold) {
	type key struct {
		group   group
		arrival string
	}
	byKey := map[key]*foothold{}
	for pod := range s.view.Nodes("Pod") {
		var edges []graph.Edge
		for e := range pod.Out("CAN_EXPLOIT") {
			edges = append(edges, e)
		}
		if len(edges) == 0 {
			continue
		}
		for way, routes := range s.routesTo(pod) {
			for i := range 2 * len(edges) {
				e, k := edges[i/2], key{s.groupOf(edges[i/2].To), way}
				if i%2 == 1 {
					k.arrival = "" // the same container, however it is reached
				}
				f := byKey[k]
				if f == nil {
					f = &foothold{group: k.group, arrival: k.arrival, entered: hop{group: k.group}}
					byKey[k] = f
					out = append(out, f)
				}
				f.entered.add(e)
				f.arrive(routes, way)
			}
		}
	}
	slices.SortFunc(out, func(a, b *foothold) int {
		return cmp.Or(strings.Compare(a.group.id, b.group.id), strings.Compare(a.arrival, b.arrival))
	})
	return out
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

// from tells every path through a foothold.
func (s *search) from(f *foothold) {
	s.order(&f.entered)
	s.record(f, []hop{f.entered})
	if slices.ContainsFunc(s.rules.paths, func(p *pathType) bool { return p.Arrival == f.arrival && p.goesOn() }) {
		s.extend(f, []hop{f.entered}, map[group]bool{f.group: true})
	}
}

// extend walks on from the last hop. near is every group that an earlier
// hop reaches by itself: a path that has a shortcut is told by the shortcut,
// so the paths are finite in number and none is a detour of another.
func (s *search) extend(f *foothold, path []hop, near map[group]bool) {
	last, ok := s.controlled(path[len(path)-1])
	if !ok {
		return
	}
	path = append(slices.Clone(path[:len(path)-1]), last)
	next := s.next(last.members)
	reach := make(map[group]bool, len(near)+len(next))
	for g := range near {
		reach[g] = true
	}
	for _, st := range next {
		reach[st.group] = true
	}
	for _, st := range next {
		if near[st.group] {
			continue
		}
		if len(path) > maxLength {
			s.long = true
			return
		}
		if len(s.found) >= s.most {
			s.full = true
			return
		}
		on := append(slices.Clone(path), st)
		s.record(f, on)
		s.extend(f, on, reach)
	}
}

// order sorts what a hop holds, once all its edges are known.
func (s *search) order(h *hop) {
	h.members = h.members.sorted()
	h.edges = sortedEdges(h.edges)
	rank := func(kind string) int { return slices.Index(s.derived, kind) }
	slices.SortFunc(h.kinds, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	h.edge = h.kinds[0]
	slices.SortFunc(h.rules, func(a, b string) int { return cmp.Or(compareBools(s.ends(a), s.ends(b)), strings.Compare(a, b)) })
}

// sortedEdges drops repetitions.
func sortedEdges(edges []graph.Edge) []graph.Edge {
	slices.SortStableFunc(edges, func(a, b graph.Edge) int {
		return cmp.Or(compareNodes(a.From, b.From), compareNodes(a.To, b.To),
			strings.Compare(a.Value("rule").Str(), b.Value("rule").Str()))
	})
	return slices.Compact(edges)
}

// controlled is what of a hop the attacker has in hand: what rules that end
// a path lead to is reached, but nothing goes on from there.
func (s *search) controlled(h hop) (hop, bool) {
	held := hop{group: h.group}
	for _, e := range h.edges {
		if !s.ends(e.Value("rule").Str()) {
			held.add(e)
		}
	}
	if len(held.edges) == 0 {
		return held, false
	}
	s.order(&held)
	return held, true
}

func (s *search) ends(rule string) bool { return s.rules.byID[rule].Ends }

// next is where one derived step leads from a set of individuals, by group, in a
// fixed order. Several techniques that lead to the same
// group are one step.
func (s *search) next(from members) (out []hop) {
	at := map[group]int{}
	for _, n := range from {
		for _, edge := range s.derived {
			for e := range n.Out(edge) {
				g := s.groupOf(e.To)
				i, known := at[g]
				if !known {
					i = len(out)
					at[g] = i
					out = append(out, hop{group: g})
				}
				out[i].add(e)
			}
		}
	}
	for i := range out {
		s.order(&out[i])
	}
	slices.SortFunc(out, func(a, b hop) int {
		return cmp.Or(strings.Compare(a.group.kind, b.group.kind), strings.Compare(a.group.id, b.group.id))
	})
	return out
}

// record writes a path of every type whose end the last hop is.
func (s *search) record(f *foothold, path []hop) {
	last := path[len(path)-1]
	for i, p := range s.rules.paths {
		if p.Arrival != f.arrival || !slices.ContainsFunc(last.kinds, func(k string) bool { return slices.Contains(p.Arrive, k) }) {
			continue
		}
		if slices.ContainsFunc(last.members, func(n graph.Node) bool { return s.targets[i][n] }) {
			s.found = append(s.found, s.write(p, f, path))
		}
	}
}

// within evaluates a query on some nodes only.
func (s *search) within(q *query.Query, nodes map[string][]graph.Node, yield func(query.Binding) bool) {
	// The queries are those of rules that ran on this graph a moment ago.
	_ = query.MatchWith(background(), s.view, graph.Everything, q, query.Options{Within: nodes}, yield)
}
