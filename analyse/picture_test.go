package analyse

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// scribbled is a picture of places that all can be reached from the foothold; the
// last is a goal.
func scribbled(seed uint64, places int) *picture {
	r := rand.New(rand.NewPCG(seed, 7))
	p := &picture{groups: make([]group, places), goal: make([]bool, places)}
	goal := int32(places - 1)
	p.goal[goal] = true
	for to := int32(1); to < int32(places); to++ { // a way to each
		p.edges = append(p.edges, stretch{r.Int32N(to), to, arc{rule: int16(r.IntN(2)), cost: r.Int32N(5)}})
	}
	for range r.IntN(2 * places) {
		if from, to := r.Int32N(goal), 1+r.Int32N(goal); from != to {
			p.edges = append(p.edges, stretch{from, to, arc{rule: int16(r.IntN(2)), cost: r.Int32N(5)}})
		}
	}
	p.sorted().join()
	p.findRoutes()
	return p
}

// leads says whether a goal is reached over the edges that are left.
func (p *picture) leads(goal int32, left func(stretch) bool) bool { return p.leadsOver(0, goal, left) }

func (p *picture) leadsFrom(place, goal int32) bool {
	return p.leadsOver(place, goal, func(stretch) bool { return true })
}

func (p *picture) leadsOver(place, goal int32, left func(stretch) bool) bool {
	seen, next := map[int32]bool{place: true}, []int32{place}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		for _, e := range p.edges {
			if e.from == at && left(e) && !seen[e.to] {
				seen[e.to] = true
				next = append(next, e.to)
			}
		}
	}
	return seen[goal]
}

// simple lists every route without a circle, as the pairs of places that it joins.
func (p *picture) simple(goal int32) (out [][]pair) {
	var from func(at int32, on []int32, route []pair)
	from = func(at int32, on []int32, route []pair) {
		if at == goal {
			out = append(out, slices.Clone(route))
			return
		}
		var last pair
		for _, i := range p.out[at] {
			s := pair{at, p.edges[i].to}
			if s != last && !slices.Contains(on, s.to) {
				from(s.to, append(slices.Clone(on), s.to), append(slices.Clone(route), s))
			}
			last = s
		}
	}
	from(0, []int32{0}, nil)
	return out
}

func TestWhatNoRouteAvoidsIsWhatEndsThemAllWhenItIsGone(t *testing.T) {
	needed, only := 0, 0
	for seed := range uint64(400) {
		p := scribbled(seed, 7)
		goal := int32(6)
		for at := int32(1); at < goal; at++ {
			want := !p.leads(goal, func(e stretch) bool { return e.from != at && e.to != at })
			if got := slices.Contains(p.needed(goal), at); got != want {
				t.Errorf("seed %d: place %d is needed: %t, want %t", seed, at, got, want)
			} else if got {
				needed++
			}
		}
		for _, e := range p.edges {
			want := !p.leads(goal, func(o stretch) bool { return o.from != e.from || o.to != e.to })
			got := p.only(e.from, e.to, goal)
			if got > 0 != want {
				t.Errorf("seed %d: without all of step %d to %d there is no route: %d techniques, want %t", seed, e.from, e.to, got, want)
			}
			if alone := !p.leads(goal, func(o stretch) bool { return o != e }); got == 1 != alone {
				t.Errorf("seed %d: step %d to %d is made by one technique alone: %d, want %t", seed, e.from, e.to, got, alone)
			} else if alone {
				only++
			}
		}
	}
	if needed < 100 || only < 100 {
		t.Errorf("%d places and %d steps: the test says little", needed, only)
	}
}

func TestEveryRouteIsDrawnBesideTheFirstAndCounted(t *testing.T) {
	several := 0
	for seed := range uint64(400) {
		p := scribbled(seed, 7)
		goal := int32(6)
		all := p.simple(goal)
		more, whole := p.beside(goal, all[0])
		if !whole {
			t.Fatalf("seed %d: so few steps are drawn whole", seed)
		}
		drawn := slices.Concat(all[0], more)
		for _, route := range all {
			for _, s := range route {
				if !slices.Contains(drawn, s) {
					t.Errorf("seed %d: step %v of a route is not drawn", seed, s)
				}
			}
		}
		if n := routes(drawn, goal); n != len(all) {
			t.Errorf("seed %d: %d routes, want %d", seed, n, len(all))
		}
		if len(all) > 2 {
			several++
		}
	}
	if several < 100 {
		t.Errorf("only %d pictures have several routes", several)
	}
}

func TestWhereEverythingReachesEverythingThePictureIsBounded(t *testing.T) {
	const places = 120
	p := &picture{groups: make([]group, places), goal: make([]bool, places)}
	p.goal[places-1] = true
	for from := range int32(places - 1) {
		for to := int32(1); to < places; to++ {
			if from != to {
				p.edges = append(p.edges, stretch{from, to, arc{cost: 1}})
			}
		}
	}
	p.sorted().join()
	p.findRoutes()
	more, whole := p.beside(places-1, []pair{{0, places - 1}})
	if whole || len(more) < maxDrawn || len(more) > 3*maxDrawn {
		t.Errorf("%d steps beside the first, whole: %t", len(more), whole)
	}
	if n := routes(append(more, pair{0, places - 1}), places-1); n < 1 || n > many {
		t.Errorf("%d routes", n)
	}
	if got := fmt.Sprint(p.needed(places - 1)); got != "[0 119]" {
		t.Errorf("needed are %s", got)
	}
}

func TestWhatGoesOnFromAGoalsOwnPlaceIsNoRouteToIt(t *testing.T) {
	passed := 0
	defer func() {
		if passed < 100 || passed > 380 {
			t.Errorf("%d places are on routes to their own goals: the test says little", passed)
		}
	}()
	for seed := range uint64(400) {
		p := scribbled(seed, 8)
		goal, place := int32(7), int32(6)
		for i := range p.groups {
			p.groups[i] = group{kind: "Node", id: string(rune('a' + i))}
		}
		p.groups[place] = p.groups[goal]
		p.walk = &walk{field: &field{ground: &ground{
			known: map[group]int32{p.groups[place]: 0}, aimed: map[group]int32{p.groups[goal]: 1}}}}
		p.at, p.ends = []int32{place}, []int32{goal}
		for _, e := range slices.Clone(p.edges) { // who comes to the place comes to the goal
			if e.to == place {
				e.to = goal
				p.edges = append(p.edges, e)
			}
		}
		p.sorted().join()
		p.findRoutes()
		q := p.to(goal)
		if passes := p.leadsFrom(place, goal); passes != (q != p) {
			t.Fatalf("seed %d: the place is on routes to its own goal: %t, and is left out: %t", seed, passes, q != p)
		} else if passes {
			passed++
		}
		for at := int32(1); at < place; at++ {
			want := !p.leads(goal, func(e stretch) bool { return e.from != at && e.to != at })
			if got := slices.Contains(q.needed(goal), at); got != want {
				t.Errorf("seed %d: place %d is needed: %t, want %t", seed, at, got, want)
			}
		}
		if q != p && q.goesOn(place) {
			t.Errorf("seed %d: routes go on from the goal's own place", seed)
		}
		for _, s := range q.edges {
			if !q.goesOn(s.from) {
				continue
			}
			twin := func(o stretch) bool { return o.from == s.from && (o.to == s.to || s.to == goal && o.to == place) }
			want := !p.leads(goal, func(o stretch) bool { return !twin(o) })
			if got := q.only(s.from, s.to, goal) > 0; got && !want {
				t.Errorf("seed %d: step %d to %d ends all routes: %t, want %t", seed, s.from, s.to, got, want)
			}
		}
	}
}

func TestOfWaitingStepsTheOneOfTheCheapestRouteComesFirst(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var open through
		var waiting []detour
		for n := range int32(200) {
			if r.IntN(3) > 0 {
				d := detour{r.Int32N(20), n}
				open.push(d)
				waiting = append(waiting, d)
			} else if len(waiting) > 0 {
				slices.SortFunc(waiting, func(a, b detour) int { return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.edge, b.edge)) })
				if got := open.pop(); got != waiting[0] {
					t.Fatalf("seed %d: %v comes before %v", seed, got, waiting[0])
				}
				waiting = waiting[1:]
			}
		}
		if len(open) != len(waiting) {
			t.Fatalf("seed %d: %d wait, want %d", seed, len(open), len(waiting))
		}
	}
}

func TestATechniqueIsDrawnOnceBetweenTwoPlacesAtItsLeastCost(t *testing.T) {
	p := &picture{tied: []uint64{tie(2, arc{rule: 3, kind: 1, cost: 9}), tie(1, arc{rule: -1, kind: 0, cost: 0}),
		tie(2, arc{rule: 3, kind: 1, cost: 4}), tie(2, arc{rule: 3, kind: 2, cost: 7}),
		tie(1, arc{rule: 300, kind: 5, cost: 1}), tie(1, arc{rule: -1, kind: 0, cost: 8})}}
	p.stretch(7)
	want := []stretch{{7, 1, arc{rule: -1}}, {7, 1, arc{rule: 300, kind: 5, cost: 1}}, {7, 2, arc{rule: 3, kind: 1, cost: 4}},
		{7, 2, arc{rule: 3, kind: 2, cost: 7}}}
	if !slices.Equal(p.edges, want) {
		t.Errorf("drawn are %v, want %v", p.edges, want)
	}
}

func TestAPathIsToldTheSameWhateverElseIsToldOfItsFoothold(t *testing.T) {
	rules, several := builtIn(t), 0
	for seed := range uint64(20) {
		f, images := random(seed, plainNames)
		view, _ := analysed(t, f, rules, images)
		s, other := searchOn(t, view, rules), searchOn(t, view, rules)
		for _, hold := range append(s.footholds(), s.assumed(assumption{kind: "any"})...) {
			s.sortHeld(hold)
			var all []claim
			for _, end := range s.goals(hold) {
				all = append(all, claim{end: end})
			}
			for i, together := range s.tell(hold, all, nil).paths {
				if alone := other.tell(hold, all[i:i+1], nil).paths[0]; !reflect.DeepEqual(alone, together) {
					t.Fatalf("seed %d: alone %q is told as %+v, with others as %+v", seed, together.Title, alone, together)
				}
				if len(all) > 1 && together.Alternatives > 0 {
					several++
				}
			}
		}
	}
	if several < 100 {
		t.Errorf("only %d paths have several routes: the test says little", several)
	}
}

// sorted puts the steps of a picture made by hand in order, each once.
func (p *picture) sorted() *picture {
	slices.SortFunc(p.edges, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(tie(a.to, a.arc), tie(b.to, b.arc)))
	})
	p.edges = slices.CompactFunc(p.edges, func(a, b stretch) bool {
		return a.from == b.from && a.to == b.to && a.rule == b.rule && a.kind == b.kind
	})
	return p
}
