package analyse

import "slices"

// Bounds of what is drawn of one path; beyond them there are "many" routes.
const (
	maxDrawn  = 24   // steps beside the most likely route
	maxLooked = 2000 // steps that are looked at for them
	many      = 999
)

// pair is two places that a step joins.
type pair struct{ from, to int32 }

// beside are steps of other routes to a goal, those of the cheapest first, beside
// those that are drawn; whole says that there are no more.
func (p *picture) beside(goal int32, drawn []pair) (more []pair, whole bool) {
	const unknown = -1
	after := sized(p.after, len(p.groups)) // cost from a place to the goal
	for i := range after {
		after[i] = unknown
	}
	after[goal] = 0
	open, looked := p.open[:0], 0
	defer func() { p.after, p.open = after, open }()
	push := func(to int32) {
		for _, i := range p.in[to] {
			e := &p.edges[i]
			if !p.goesOn(e.from) || p.passes(e.from, to) || p.goal[e.from] {
				continue
			}
			if looked++; looked <= maxLooked {
				open.push(detour{p.cost[e.from] + e.cost + after[to], i})
			}
		}
	}
	add := func(s pair) {
		if !slices.Contains(drawn, s) && !slices.Contains(more, s) {
			more = append(more, s)
		}
	}
	for push(goal); len(open) > 0 && len(more) < maxDrawn; {
		next := open.pop()
		e := p.edges[next.edge]
		add(pair{e.from, e.to})
		for at := e.from; at > 0; at = p.edges[p.before[at]].from {
			add(pair{p.edges[p.before[at]].from, at})
		}
		if after[e.from] == unknown {
			after[e.from] = after[e.to] + e.cost
			push(e.from)
		}
	}
	return more, len(open) == 0 && looked <= maxLooked
}

// detour is a step and the cost of the cheapest route that takes it.
type detour struct{ cost, edge int32 }

// through are steps by the cost of the cheapest route through each: a heap, the least first.
type through []detour

func (t through) less(i, j int) bool {
	return t[i].cost < t[j].cost || t[i].cost == t[j].cost && t[i].edge < t[j].edge
}

func (t *through) push(d detour) {
	*t = append(*t, d)
	h := *t
	for at := len(h) - 1; at > 0 && h.less(at, (at-1)/2); at = (at - 1) / 2 {
		h[at], h[(at-1)/2] = h[(at-1)/2], h[at]
	}
}

func (t *through) pop() detour {
	h := *t
	least, last := h[0], len(h)-1
	h[0], h = h[last], h[:last]
	for at, next := 0, 1; next < last; at, next = next, 2*next+1 {
		if next+1 < last && h.less(next+1, next) {
			next++
		}
		if !h.less(next, at) {
			break
		}
		h[at], h[next] = h[next], h[at]
	}
	*t = h
	return least
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
