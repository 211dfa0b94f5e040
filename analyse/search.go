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
)

// maxPaths is how many paths of a cluster are told; more are a gap that counts them.
const maxPaths = 20_000

// search finds the paths of one cluster: for each foothold, what it leads to. It
// walks individuals and tells groups.
type search struct {
	*survey
	unseen []string
	groups map[graph.Node]group
	facts  *evidence
	walk   *walk
	trail  map[int32]hop       // of the foothold that is walked from, by the patch reached
	asides map[[2]place]*aside // that were drawn

	// near are the patches of what the internet is known to get into.
	near  map[int32]bool
	found []Path
	gaps  []collect.Gap
	most  int // paths that are told
	left  int // paths beyond them
}

func newSearch(on *survey, unseen []string) *search {
	s := &search{survey: on, unseen: unseen, groups: map[graph.Node]group{}, walk: newWalk(on.field, on.reach.some), trail: map[int32]hop{},
		asides: map[[2]place]*aside{}, most: maxPaths}
	s.facts = newEvidence(s)
	return s
}

// run finds the paths from the footholds that the graph tells.
func (s *search) run(ctx context.Context) ([]Path, error) { return s.follow(ctx, s.footholds()) }

// follow finds the paths from footholds, worst first.
func (s *search) follow(ctx context.Context, footholds []*foothold) ([]Path, error) {
	s.near = map[int32]bool{}
	for _, f := range footholds {
		if f.class == Known {
			for _, p := range s.starts(f) {
				s.near[p] = true
			}
		}
	}
	for _, f := range footholds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.from(f)
	}
	if s.left > 0 {
		s.gaps = append(s.gaps, collect.Gap{Cluster: s.cluster(), Source: "analyse", What: "attack paths", Kinds: []string{"CAN_EXPLOIT"},
			Why:         fmt.Sprintf("there are %d more than the %d that are told", s.left, s.most),
			Consequence: "Attack paths beyond them are not listed; how much each workload and identity reaches is told by its blast radius."})
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
		return cmp.Or(compareNodes(a.From, b.From), compareNodes(a.To, b.To),
			strings.Compare(a.Value("rule").Str(), b.Value("rule").Str()))
	})
	return slices.Compact(edges)
}

// from tells every path from a foothold: to itself, where entering it is what a
// type of paths means, and to each goal that it leads to.
func (s *search) from(f *foothold) {
	f.all = f.all.sorted()
	if len(f.entered.edges) > 0 {
		s.order(&f.entered)
		s.enter(f)
	}
	starts := s.starts(f)
	wanted := s.wanted(f, starts)
	switch {
	case len(wanted) == 0:
		return
	case len(s.found) >= s.most: // nothing more is told, and so nothing is walked
		s.left += len(wanted)
		return
	}
	s.walk.near = nil
	if f.class == Possible {
		s.walk.near = s.near
	}
	s.walk.from(starts)
	clear(s.trail)
	ends := map[group]int32{} // the cheapest patch of each goal
	var goals []group
	for _, p := range s.walk.reached {
		g := s.field.goalOf(p)
		if g == nil || !f.wants(g) {
			continue
		}
		if _, there := ends[g.group]; !there {
			ends[g.group] = p
			goals = append(goals, g.group)
		}
	}
	pic := newPicture(s.walk, f.group, starts, f.wants)
	slices.SortStableFunc(goals, func(a, b group) int {
		return cmp.Compare(s.field.goalOf(ends[b]).of.Gain, s.field.goalOf(ends[a]).of.Gain)
	})
	for _, g := range goals {
		s.tell(f, pic, ends[g])
	}
}

// wanted are the goals that a foothold leads to.
func (s *search) wanted(f *foothold, starts []int32) map[group]bool {
	out := map[group]bool{}
	leads := s.reach.from(starts)
	for _, p := range s.reach.goals {
		if g := s.field.goalOf(p); s.reach.has(leads, p) && f.wants(g) {
			out[g.group] = true
		}
	}
	return out
}

// starts are the patches that a foothold stands on.
func (s *search) starts(f *foothold) (out []int32) {
	for _, n := range f.walks {
		if i := s.field.find(n); i >= 0 {
			out = append(out, s.field.patch[i])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wants says whether a goal is one for this foothold.
func (f *foothold) wants(g *goal) bool {
	own := f.all[0]
	switch g.of.Only {
	case sameWorkload:
		return g.group != f.group && own.Kind() == "Container" && g.workload == workloadOf(own).ID()
	case otherNamespace:
		return own.Text("namespace") != g.namespace
	}
	return g.group != f.group
}

// enter tells the path that ends where it begins: with code in the first container, or
// with what it discloses.
func (s *search) enter(f *foothold) {
	way := byNetwork
	if len(f.arrivals) > 0 {
		way = f.arrivals[0].way
	}
	for i, p := range s.types {
		if p.Only != otherNamespace && (p.Arrival == "" || p.Arrival == way) && slices.Contains(p.Arrive, f.entered.edge) &&
			slices.ContainsFunc(f.entered.members, func(n graph.Node) bool { return s.targets[i][n] }) {
			s.add(f, f.group, func() Path { return s.write(p, f, nil, nil, 0) })
			return
		}
	}
}

// tell tells the path to a goal.
func (s *search) tell(f *foothold, pic *picture, end int32) {
	goal := s.field.goalOf(end)
	s.add(f, goal.group, func() Path {
		pic := pic.to(pic.place(goal.group, true))
		return s.write(goal.of, f, s.retrace(f, s.walk.route(end)), pic, s.walk.cost[end])
	})
}

// add writes a path, or counts it.
func (s *search) add(f *foothold, target group, write func() Path) {
	if len(s.found) >= s.most {
		s.left++
		return
	}
	p := write()
	p.ID = identity(f.class, f.group, target)
	s.found = append(s.found, p)
}

// retrace walks a route again with all individuals of the foothold at once, as
// far as they can take it, and gathers the edges that they take. Routes of one
// foothold are a tree, so each step is taken once.
func (s *search) retrace(f *foothold, route []int32) (hops []hop) {
	at := f.walks
	if first := s.field.groupOf(route[0]); s.field.groups[first] != f.group {
		at = slices.DeleteFunc(slices.Clone(at), func(n graph.Node) bool { return s.groupOf(n) != s.field.groups[first] })
		hops = append(hops, s.stepInside(f, at))
	}
	for _, p := range route[1:] {
		h, known := s.trail[p]
		if !known {
			h = s.stepTo(f, at, p)
			s.trail[p] = h
		}
		hops, at = append(hops, h), h.members
	}
	return hops
}

// stepInside is the first step of who has a workload or an image: into a container.
func (s *search) stepInside(f *foothold, to []graph.Node) hop {
	return hop{group: s.groupOf(to[0]), members: members(slices.Clone(to)).sorted(), edge: "RUNS"}
}

// stepTo is the step from some individuals to the group of a patch, or to a goal.
func (s *search) stepTo(hold *foothold, from []graph.Node, patch int32) hop {
	f := s.field
	if goal := f.goalOf(patch); goal != nil {
		return s.stepToGoal(hold, from, goal, len(f.before(f.members[patch][0])))
	}
	told := f.groupOf(patch)
	h := hop{group: f.groups[told]}
	take := func(e graph.Edge) {
		if r := e.Value("rule").Str(); (r == "" || !s.ends(r)) && !s.without.has(e) {
			h.add(e)
		}
	}
	is, out := s.leaving(from)
	in := 0
	for _, i := range f.told[told] {
		in += len(f.before(i))
	}
	for _, kind := range stepKinds {
		if in < out { // from the end where there is less to look at
			for _, i := range f.told[told] {
				for e := range f.nodes[i].In(kind) {
					if is[e.From] {
						take(e)
					}
				}
			}
			continue
		}
		for _, n := range from {
			for e := range n.Out(kind) {
				if i := f.find(e.To); i >= 0 && f.group[i] == told {
					take(e)
				}
			}
		}
	}
	s.order(&h)
	return h
}

// leaving is a set of individuals, and how many steps lead from them.
func (s *search) leaving(from []graph.Node) (is map[graph.Node]bool, steps int) {
	is = make(map[graph.Node]bool, len(from))
	for _, n := range from {
		is[n] = true
		if i := s.field.find(n); i >= 0 {
			steps += len(s.field.ground.arcsOf(i))
		}
	}
	return is, steps
}

// stepToGoal looks from the goal, to which `in` steps lead, or from the individuals.
func (s *search) stepToGoal(f *foothold, from []graph.Node, g *goal, in int) hop {
	h := hop{group: g.group}
	at := slices.Index(s.types, g.of)
	if is, out := s.leaving(from); !g.of.Together && in < out {
		for _, n := range s.aims[aim{g.of, g.group}] {
			for _, kind := range g.of.Arrive {
				for e := range n.In(kind) {
					if is[e.From] && !s.without.has(e) {
						h.add(e)
					}
				}
			}
		}
		s.order(&h)
		return h
	}
	for _, n := range from {
		for _, kind := range g.of.Arrive {
			for e := range n.Out(kind) {
				if s.targets[at][e.To] && g.of.groupOf(e.To) == g.group && f.wants(goalAt(g.of, e.To)) && !s.without.has(e) {
					h.add(e)
				}
			}
		}
	}
	s.order(&h)
	return h
}

// within evaluates a query on some nodes only.
func (s *search) within(q *query.Query, nodes map[string][]graph.Node, yield func(query.Binding) bool) {
	// The queries are those of rules that ran on this graph a moment ago.
	_ = query.MatchWith(background(), s.view, graph.Everything, q, query.Options{Within: nodes}, yield)
}
