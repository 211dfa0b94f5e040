package analyse

import (
	"slices"
)

// sketch is what a picture says of the routes to one of its goals, before anything of them is told.
type sketch struct {
	pic    *picture
	goal   int32   // its place
	route  []int32 // patches of the cheapest route
	cost   int32
	places []int32 // that the cheapest route comes to, the foothold first
	more   []pair  // steps of other routes
	// alternatives is how many routes there are beside the first.
	alternatives int
}

// sketch looks at the routes to a goal that the walk reached.
func (s *search) sketch(f *foothold, pic *picture, end int32) *sketch {
	goal := s.field.goalOf(end)
	k := &sketch{goal: pic.place(goal.group, true), route: s.walk.route(end), cost: s.walk.cost[end], places: []int32{0}}
	k.pic = pic.to(k.goal)
	for i, p := range k.route {
		at := s.field.groups[s.field.groupOf(p)]
		if i == len(k.route)-1 {
			at = goal.group
		}
		if i > 0 || at != f.group {
			k.places = append(k.places, k.pic.place(at, at == goal.group))
		}
	}
	var main []pair
	for i, at := range k.places[1:] {
		main = append(main, pair{k.places[i], at})
	}
	more, whole := k.pic.beside(k.goal, main)
	k.more, k.alternatives = more, many
	if whole {
		k.alternatives = min(many, routes(append(main, more...), k.goal)*max(1, len(f.arrivals))-1)
	}
	return k
}

// shape is a sketch as a number of each patch tells it, the same in every survey: where two are equal, and all that was read for
// one is the same, the same is told of them.
type shape struct {
	route        []uint64
	cost         int32
	alternatives int
	more         []strokes
	needed       []group
	hops         []crossing
}

// strokes is a step of another route.
type strokes struct {
	from, to     group
	fromGoal     bool
	toGoal       bool
	all, towards uint64 // the patches that it leads from, and the one that it leads to
}

// crossing is what decides what ends a step of the cheapest route.
type crossing struct {
	techniques   int // that are the only ones
	passed, acts bool
}

func (s *search) shapeOf(k *sketch) (out shape) {
	if k == nil {
		return shape{}
	}
	out = shape{cost: k.cost, alternatives: k.alternatives}
	for _, p := range k.route {
		out.route = append(out.route, s.prints[p])
	}
	pic := k.pic
	for _, m := range k.more {
		out.more = append(out.more, s.strokesOf(pic, m))
	}
	for _, at := range pic.needed(k.goal) {
		out.needed = append(out.needed, pic.groups[at])
	}
	from := int32(0)
	for i := range k.places[1:] {
		to := k.fixedAt(i)
		c := crossing{techniques: pic.only(from, to, k.goal), passed: pic.passes(k.goal, from)}
		c.acts = c.passed && pic.acts(from)
		out.hops = append(out.hops, c)
		from = to
	}
	return out
}

func (s *search) strokesOf(pic *picture, m pair) strokes {
	out := strokes{from: pic.groups[m.from], to: pic.groups[m.to], fromGoal: pic.goal[m.from], toGoal: pic.goal[m.to],
		towards: s.prints[pic.patches[m.to][0]]}
	for _, p := range pic.patches[m.from] {
		out.all += mixed(s.prints[p]) // whatever their order
	}
	return out
}

// fixedAt is the place of a hop where what ends it is looked for: only the last is a goal.
func (k *sketch) fixedAt(hop int) int32 {
	at := k.places[hop+1]
	if hop < len(k.places)-2 && k.pic.goal[at] {
		return k.pic.place(k.pic.groups[at], false)
	}
	return at
}

func (a *shape) equals(b *shape) bool {
	return a.cost == b.cost && a.alternatives == b.alternatives && slices.Equal(a.route, b.route) && slices.Equal(a.more, b.more) &&
		slices.Equal(a.needed, b.needed) && slices.Equal(a.hops, b.hops)
}
