package analyse

import (
	"cmp"
	"container/heap"
	"slices"
)

// Bounds of what is drawn of one path; beyond them there are "many" routes.
const (
	maxDrawn  = 24   // steps beside the most likely route
	maxLooked = 2000 // steps that are looked at for them
	many      = 999
)

// picture is all that one foothold reaches, told by groups: place 0 is the
// foothold, the others are groups and goals. Replicas are one place, so a route
// of the picture may change over from one to another: what no route of it avoids,
// no attacker avoids.
type picture struct {
	groups  []group
	patches [][]int32 // of each place
	goal    []bool
	edges   []stretch // by from, to, rule, kind: each once
	out, in [][]int32 // edges of a place
	cost    []int32   // of the cheapest route to a place
	before  []int32   // the edge it ends with; -1 at the foothold
	ground  *ground
	at      []int32 // the place of each group by number, -1 where it is none
	ends    []int32 // and of what goals are told as
	idom    []int32 // the last place before that no route avoids; -1 where none leads
	stop    int32   // no route goes on from this place; 0: from all
	toward  []bool  // whether a place leads to the goal that is asked about; nil: all are looked at
}

// stretch is one technique between two places, at its least cost.
type stretch struct {
	from, to int32
	arc      // its `to` is of the ground and says nothing here
}

// newPicture draws what a walk reached. goals chooses those that are some to this
// foothold; a group of starts other than the foothold's own is a place that the
// foothold leads to.
func newPicture(w *walk, foothold group, starts []int32, goals func(*goal) bool) *picture {
	p := &picture{ground: w.ground, groups: []group{foothold}, patches: [][]int32{nil}, goal: []bool{false},
		at: slices.Repeat([]int32{-1}, len(w.groups)), ends: slices.Repeat([]int32{-1}, len(w.aimed))}
	if own, there := w.known[foothold]; there {
		p.at[own] = 0
	}
	place := func(at *int32, told group, goal bool) int32 {
		if *at < 0 {
			*at = int32(len(p.groups))
			p.groups, p.patches, p.goal = append(p.groups, told), append(p.patches, nil), append(p.goal, goal)
		}
		return *at
	}
	for _, q := range w.reached {
		var i int32
		if goal := w.goalOf(q); goal == nil {
			told := w.groupOf(q)
			i = place(&p.at[told], w.groups[told], false)
		} else if goals(goal) {
			i = place(&p.ends[goal.told], goal.group, true)
		} else {
			w.place[q] = -1
			continue
		}
		p.patches[i] = append(p.patches[i], q)
		w.place[q] = i
	}
	var tied []uint64
	for from := range p.patches {
		tied = tied[:0]
		if from == 0 {
			for _, s := range starts {
				if to := w.place[s]; to != 0 {
					tied = append(tied, tie(to, arc{rule: -1, kind: -1}))
				}
			}
		}
		for _, q := range p.patches[from] {
			for _, a := range w.steps(q) {
				if w.cost[a.to] == costOfMost {
					continue // what leads to no goal is not walked to
				}
				if to := w.place[a.to]; to > 0 && int(to) != from && w.takes(q, a) {
					tied = append(tied, tie(to, a))
				}
			}
		}
		p.draw(int32(from), tied)
	}
	p.join()
	return p
}

// tie is a step to a place as a number: those to one place stand together, those of one
// technique behind each other, the cheapest first.
func tie(to int32, a arc) uint64 {
	return uint64(to)<<32 | uint64(uint16(a.rule+1))<<16 | uint64(uint8(a.kind+1))<<8 | uint64(uint8(a.cost))
}

// draw adds the steps from a place, each once, at its least cost.
func (p *picture) draw(from int32, tied []uint64) {
	slices.Sort(tied)
	for i, t := range tied {
		if i == 0 || tied[i-1]>>8 != t>>8 {
			step := arc{rule: int16(uint16(t>>16)) - 1, kind: int16(uint8(t>>8)) - 1, cost: int32(uint8(t))}
			p.edges = append(p.edges, stretch{from, int32(t >> 32), step})
		}
	}
}

// to is the picture of the routes to a goal. Who is at a place of the goal's own group
// has come to the goal: where every step to that place leads to the goal as well,
// what goes on from there is no route. What ends each step to the goal ends those
// to the place with it, so nothing is said to be needed that is not.
func (p *picture) to(goal int32) *picture {
	there := p.place(p.groups[goal], false)
	if there <= 0 || !p.arrivesWith(there, goal) {
		if p.idom == nil {
			p.measure()
			p.dominate()
		}
		return p
	}
	q := *p
	q.stop = there
	q.toward = q.leadingTo(goal)
	q.measure()
	q.dominate()
	return &q
}

// leadingTo are the places from which a route goes on to a goal, and the goal.
func (p *picture) leadingTo(goal int32) []bool {
	out := make([]bool, len(p.groups))
	out[goal] = true
	for walk := []int32{goal}; len(walk) > 0; {
		at := walk[len(walk)-1]
		walk = walk[:len(walk)-1]
		for _, i := range p.in[at] {
			if from := p.edges[i].from; !out[from] && !p.stopsAt(from) {
				out[from] = true
				walk = append(walk, from)
			}
		}
	}
	return out
}

// passedBy says whether a place is none that is looked at.
func (p *picture) passedBy(at int32) bool { return p.toward != nil && !p.toward[at] }

// goesOn says whether a route to a goal may go on from a place.
func (p *picture) goesOn(from int32) bool { return p.stop == 0 || from != p.stop && p.idom[from] >= 0 }

func (p *picture) stopsAt(at int32) bool { return at > 0 && at == p.stop }

// arrivesWith says that each technique that leads to a place leads to a goal, too.
func (p *picture) arrivesWith(place, goal int32) bool {
	return !slices.ContainsFunc(p.in[place], func(i int32) bool {
		e := p.edges[i]
		return !slices.ContainsFunc(p.in[goal], func(j int32) bool {
			o := p.edges[j]
			return o.from == e.from && o.rule == e.rule && o.kind == e.kind
		})
	})
}

// place is that of a group, or of a goal that is told as it; -1 if there is none.
func (p *picture) place(told group, goal bool) int32 {
	if goal {
		return p.ends[p.ground.aimed[told]-1]
	}
	if i, there := p.ground.known[told]; there {
		return p.at[i]
	}
	return -1
}

// join says which stretches lead from and to each place.
func (p *picture) join() {
	p.out, p.in = make([][]int32, len(p.groups)), make([][]int32, len(p.groups))
	in := make([]int32, len(p.groups))
	for _, e := range p.edges {
		in[e.to]++
	}
	all := make([]int32, 2*len(p.edges))
	out, into := all[:len(p.edges)], all[len(p.edges):]
	for i, n := range in {
		p.in[i], into = into[:0:n], into[n:]
	}
	from := 0
	for i, e := range p.edges {
		out[i] = int32(i)
		if e.from != p.edges[from].from {
			from = i
		}
		p.out[e.from] = out[from : i+1]
		p.in[e.to] = append(p.in[e.to], int32(i))
	}
}

// measure finds the cheapest route to each place.
func (p *picture) measure() {
	p.cost, p.before = make([]int32, len(p.groups)), make([]int32, len(p.groups))
	for i := range p.cost {
		p.cost[i], p.before[i] = costOfMost, -1
	}
	p.cost[0] = 0
	waiting := [][]int32{{0}}
	for c := int32(0); int(c) < len(waiting); c++ {
		for i := 0; i < len(waiting[c]); i++ {
			at := waiting[c][i]
			if p.cost[at] != c || p.stopsAt(at) {
				continue
			}
			for _, i := range p.out[at] {
				e := p.edges[i]
				total := c + e.cost
				if total >= p.cost[e.to] || p.passedBy(e.to) {
					continue
				}
				p.cost[e.to], p.before[e.to] = total, i
				for int(total) >= len(waiting) {
					waiting = append(waiting, nil)
				}
				waiting[total] = append(waiting[total], e.to)
			}
		}
	}
}

// dominate finds what no route avoids (Cooper, Harvey and Kennedy's algorithm).
func (p *picture) dominate() {
	order := p.lastFirst()
	rank := make([]int32, len(p.groups))
	p.idom = make([]int32, len(p.groups))
	for i := range p.idom {
		p.idom[i] = -1
	}
	for r, at := range order {
		rank[at] = int32(r)
	}
	p.idom[0] = 0
	for changed := true; changed; {
		changed = false
		for _, at := range order[1:] {
			now, before := int32(-1), int32(-1)
			for _, i := range p.in[at] {
				from := p.edges[i].from
				if from == before || p.stopsAt(from) || p.idom[from] < 0 { // several techniques stand behind each other
					continue
				}
				before = from
				if now < 0 {
					now = from
				}
				for now != from { // up to where both come from
					if rank[now] > rank[from] {
						now = p.idom[now]
					} else {
						from = p.idom[from]
					}
				}
			}
			if now != p.idom[at] {
				p.idom[at], changed = now, true
			}
		}
	}
}

// lastFirst orders the places so that each stands before what only it leads to
// (reverse postorder).
func (p *picture) lastFirst() (order []int32) {
	seen, next := make([]bool, len(p.groups)), make([]int, len(p.groups))
	walk := []int32{0}
	seen[0] = true
	for len(walk) > 0 {
		at := walk[len(walk)-1]
		if next[at] == len(p.out[at]) || p.stopsAt(at) {
			walk = walk[:len(walk)-1]
			order = append(order, at)
			continue
		}
		to := p.edges[p.out[at][next[at]]].to
		next[at]++
		if !seen[to] && !p.passedBy(to) {
			seen[to] = true
			walk = append(walk, to)
		}
	}
	slices.Reverse(order)
	return order
}

// needed are the places that no route to one avoids, from the foothold on.
func (p *picture) needed(to int32) (out []int32) {
	for at := to; at > 0; at = p.idom[at] {
		out = append(out, at)
	}
	out = append(out, 0)
	slices.Reverse(out)
	return out
}

// passes says that every route to a place leads through another one, or to it.
func (p *picture) passes(at, through int32) bool {
	for ; at > 0; at = p.idom[at] {
		if at == through {
			return true
		}
	}
	return through == 0
}

// only is how many techniques make the step between two places, if every route to a
// goal takes it: without these techniques there is no route. 0 if some routes do not.
func (p *picture) only(from, to, goal int32) (techniques int) {
	if !p.passes(goal, to) {
		return 0
	}
	for _, i := range p.in[to] {
		e := p.edges[i]
		if !p.goesOn(e.from) || p.passes(e.from, to) {
			continue // it comes from behind
		}
		if e.from != from {
			return 0
		}
		techniques++
	}
	return techniques
}

// pair is two places that a step joins.
type pair struct{ from, to int32 }

// beside are steps of other routes to a goal, those of the cheapest first, beside
// those that are drawn; whole says that there are no more.
func (p *picture) beside(goal int32, drawn []pair) (more []pair, whole bool) {
	after := map[int32]int32{goal: 0} // cost from a place to the goal
	var open through
	looked := 0
	push := func(to int32) {
		for _, i := range p.in[to] {
			e := p.edges[i]
			if !p.goesOn(e.from) || p.passes(e.from, to) || p.goal[e.from] {
				continue
			}
			if looked++; looked <= maxLooked {
				heap.Push(&open, detour{p.cost[e.from] + e.cost + after[to], i})
			}
		}
	}
	add := func(s pair) {
		if !slices.Contains(drawn, s) && !slices.Contains(more, s) {
			more = append(more, s)
		}
	}
	for push(goal); len(open) > 0 && len(more) < maxDrawn; {
		next := heap.Pop(&open).(detour)
		e := p.edges[next.edge]
		add(pair{e.from, e.to})
		for at := e.from; at > 0; at = p.edges[p.before[at]].from {
			add(pair{p.edges[p.before[at]].from, at})
		}
		if _, known := after[e.from]; !known {
			after[e.from] = after[e.to] + e.cost
			push(e.from)
		}
	}
	return more, len(open) == 0 && looked <= maxLooked
}

// detour is a step and the cost of the cheapest route that takes it.
type detour struct{ cost, edge int32 }

// through are steps by the cost of the cheapest route through each.
type through []detour

func (t through) Len() int { return len(t) }
func (t through) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(t[i].cost, t[j].cost), cmp.Compare(t[i].edge, t[j].edge)) < 0
}
func (t through) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *through) Push(x any)   { *t = append(*t, x.(detour)) }
func (t *through) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// routes counts the routes over some steps from place 0 to a goal; beyond many it
// stops.
func routes(steps []pair, goal int32) (n int) {
	next := map[int32][]int32{}
	for _, s := range steps {
		next[s.from] = append(next[s.from], s.to)
	}
	on := map[int32]bool{}
	tried := 0
	var from func(at int32)
	from = func(at int32) {
		if at == goal {
			n++
			return
		}
		on[at] = true
		for _, to := range next[at] {
			if tried++; !on[to] && n < many && tried < 100*many {
				from(to)
			}
		}
		on[at] = false
	}
	from(0)
	return n
}
