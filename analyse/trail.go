package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// trail is what individuals did on the routes that were walked again. Most paths of a
// cluster share their last steps, so each step is taken once.
type trail struct {
	steps map[taken]*hop // which all who stand there take
	own   map[taken]*hop // to goals that are some only to one foothold
	held  int            // edges of steps
}

// maxHeld is how many edges are kept for the next foothold.
const maxHeld = 200_000

// next forgets what the next foothold cannot use, and all if it is too much.
func (t *trail) next() {
	clear(t.own)
	if t.held > maxHeld {
		clear(t.steps)
		t.held = 0
	}
}

// taken is a step: of all who stand somewhere, to a patch.
type taken struct {
	from uint64
	to   int32
}

// retrace walks a route again with all individuals of the foothold at once, as
// far as they can take it, and gathers the edges that they take.
func (s *search) retrace(f *foothold, route []int32) (hops []*hop) {
	at := members(f.walks)
	if first := s.field.groupOf(route[0]); s.field.groups[first] != f.group {
		at = slices.DeleteFunc(slices.Clone(at), func(n graph.Node) bool { return s.groupOf(n) != s.field.groups[first] })
		hops = append(hops, s.stepInside(at))
	}
	sum := slices.Clone(at).sorted().sum()
	for _, p := range route[1:] {
		h := s.step(f, at, sum, p)
		hops, at, sum = append(hops, h), h.members, h.sum
	}
	return hops
}

// stepInside is the first step of who has a workload or an image: into a container.
func (s *search) stepInside(to members) *hop {
	return &hop{group: s.groupOf(to[0]), members: slices.Clone(to).sorted(), edge: "RUNS"}
}

// step is stepTo, once for all who stand at the same place.
func (s *search) step(f *foothold, from members, sum uint64, patch int32) *hop {
	at, known := taken{sum, patch}, s.trail.steps
	if g := s.field.goalOf(patch); g != nil && g.of.Only != "" {
		known = s.trail.own
	}
	h := known[at]
	if h != nil {
		s.reader.again(h.record)
		return h
	}
	var read *record
	s.reader.apart(&read, func() { h = s.stepTo(f, from, patch) })
	h.record, known[at] = read, h
	s.trail.held += len(h.edges)
	return h
}

// stepTo is the step from some individuals to the group of a patch, or to a goal.
func (s *search) stepTo(hold *foothold, from []graph.Node, patch int32) *hop {
	f := s.field
	if goal := f.goalOf(patch); goal != nil {
		defer s.reader.steps(from, aimed{goal.group, goal.of.Together})()
		return s.stepToGoal(hold, from, goal, len(f.before(f.members[patch][0])))
	}
	told := f.groupOf(patch)
	defer s.reader.steps(from, aimed{group: f.groups[told]})()
	h := &hop{group: f.groups[told]}
	out, in := s.stand(from), 0
	for _, i := range f.told[told] {
		in += len(f.before(i))
	}
	inward := in < out // from the end where there is less to look at
	ends := s.endsOf(from, told, inward, h)
	for kind, name := range stepKinds() {
		for _, end := range ends {
			if end.by&(1<<kind) == 0 {
				continue
			}
			n := s.individual(end.at)
			steps, taken := n.Out(name), func(e graph.Edge) bool { i := f.find(e.To); return i >= 0 && f.group[i] == told }
			if inward {
				steps, taken = n.In(name), func(e graph.Edge) bool { return s.stands(e.From) }
			}
			for e := range steps {
				if taken(e) && s.leadsOn(e) {
					h.add(e)
				}
			}
		}
	}
	s.order(h)
	return h
}

// leadsOn says whether who takes a step can take another one.
func (s *search) leadsOn(e graph.Edge) bool {
	r := e.Value("rule").Str()
	return (r == "" || !s.ends(r)) && !s.without.has(e)
}

// endsOf are the individuals at which steps from some to a group begin or, inward, end; the hop
// is made to hold these steps.
func (s *search) endsOf(from []graph.Node, told int32, inward bool, h *hop) (out []end) {
	steps := 0
	note := func(at int32, by []int16) {
		if len(by) == 0 {
			return
		}
		steps += len(by)
		e := end{at: at}
		for _, kind := range by {
			e.by |= 1 << kind
		}
		out = append(out, e)
	}
	var by []int16
	if inward {
		for _, i := range s.field.told[told] {
			by = by[:0]
			for _, b := range s.field.before(i) {
				if s.standing[b.from] == s.stood {
					by = append(by, b.kind)
				}
			}
			note(i, by)
		}
	} else {
		for _, n := range from {
			by = by[:0]
			i := s.field.find(n)
			if i < 0 {
				continue // it takes no step
			}
			for _, a := range s.field.ground.arcsOf(i) {
				if s.field.group[a.to] == told {
					by = append(by, a.kind)
				}
			}
			note(i, by)
		}
	}
	h.edges = make([]graph.Edge, 0, steps)
	return out
}

// end is an individual at which steps begin or end, and of which kinds they are.
type end struct {
	at int32
	by uint64
}

// stand notes where some individuals stand, and says how many steps lead from them.
func (s *search) stand(on []graph.Node) (steps int) {
	s.stood++
	for _, n := range on {
		if i := s.field.find(n); i >= 0 {
			s.standing[i] = s.stood
			steps += len(s.field.ground.arcsOf(i))
		}
	}
	return steps
}

// stands says whether an individual is one of those noted last. One that has no number takes no step.
func (s *search) stands(n graph.Node) bool {
	i := s.field.find(n)
	return i >= 0 && s.standing[i] == s.stood
}

// stepToGoal looks from the goal, to which `in` steps lead, or from the individuals.
func (s *search) stepToGoal(f *foothold, from []graph.Node, g *goal, in int) *hop {
	h := &hop{group: g.group}
	at := slices.Index(s.types, g.of)
	if out := s.stand(from); !g.of.Together && in < out {
		for _, n := range s.aims[aim{g.of, g.group}] {
			for _, kind := range g.of.Arrive {
				for e := range n.On(s.view).In(kind) {
					if s.stands(e.From) && !s.without.has(e) {
						h.add(e)
					}
				}
			}
		}
		s.order(h)
		return h
	}
	for _, n := range from {
		for _, kind := range g.of.Arrive {
			for e := range n.Out(kind) {
				if s.targets.has(at, e.To) && s.isTold(g, e.To) && (g.of.Only == "" || f.wants(goalAt(g.of, e.To))) && !s.without.has(e) {
					h.add(e)
				}
			}
		}
	}
	s.order(h)
	return h
}

// isTold says whether a target is told as a goal.
func (s *search) isTold(g *goal, n graph.Node) bool {
	if g.of.Together {
		return n.Kind() == g.group.kind
	}
	return s.groupOf(n) == g.group
}
