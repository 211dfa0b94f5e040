package analyse

import "slices"

// course is the cheapest routes over a picture to some of its places, and what none of
// them avoids. It is used for one picture after the other.
type course struct {
	stop   int32   // no route goes on from this place; 0: from all
	on     []int32 // the places that are looked at, in order
	cost   []int32 // of the cheapest route to a place; costOfMost where none leads
	before []int32 // the edge it ends with; -1 at the foothold
	idom   []int32 // the last place before that no route avoids; -1 where none leads

	// Where some places are looked at only: which, and the edges between them.
	some          bool
	is            []bool
	first, leaves []int32 // where those from a place begin, and how many there are
	onward        []int32

	// What follows is needed for a moment.
	waiting      [][]int32 // by cost
	order, route []int32
	rank, next   []int32
	after        []int32
	open         through
}

// begin forgets what was looked at, for a picture of n places.
func (c *course) begin(n int) {
	for _, at := range c.on {
		c.cost[at], c.before[at], c.idom[at], c.is[at], c.leaves[at], c.next[at] = costOfMost, -1, -1, false, 0, 0
	}
	c.on, c.some, c.stop = c.on[:0], false, 0
	for len(c.cost) < n {
		c.cost, c.before, c.idom = append(c.cost, costOfMost), append(c.before, -1), append(c.idom, -1)
		c.is, c.first, c.leaves = append(c.is, false), append(c.first, 0), append(c.leaves, 0)
		c.rank, c.next = append(c.rank, 0), append(c.next, 0)
	}
}

// look makes a place one that is looked at.
func (c *course) look(at int32) {
	if !c.is[at] {
		c.is[at] = true
		c.on = append(c.on, at)
	}
}

func (c *course) stopsAt(at int32) bool { return at > 0 && at == c.stop }

// goesOn says whether a route to a goal may go on from a place.
func (c *course) goesOn(from int32) bool { return c.stop == 0 || from != c.stop && c.idom[from] >= 0 }

// findRoutes finds the routes to all places.
func (p *picture) findRoutes() {
	if p.course == nil {
		p.course = &course{}
	}
	p.begin(len(p.groups))
	for at := range p.groups {
		p.look(int32(at))
	}
	p.measure()
	p.dominate()
}

// to is the picture of the routes to a goal, until it is asked for the next. Who is at a
// place of the goal's own group has come to the goal: where every step to that place
// leads to the goal as well, what goes on from there is no route. What ends each step to
// the goal ends those to the place with it, so nothing is said to be needed that is not.
func (p *picture) to(goal int32) *picture {
	there := p.place(p.groups[goal], false)
	if there <= 0 || !p.arrivesWith(there, goal) {
		return p
	}
	if p.apart == nil {
		p.apart = &course{}
	}
	q := *p
	q.course = p.apart
	if !q.lookAt(goal, there) {
		return p
	}
	q.measure()
	q.dominate()
	return &q
}

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

// lookAt looks at the places from which a route goes on to a goal without passing
// another place, and says whether any route passes that.
func (p *picture) lookAt(goal, without int32) (passes bool) {
	p.begin(len(p.groups))
	p.stop, p.some = without, true
	p.look(0)
	p.look(goal)
	for i := 1; i < len(p.on); i++ {
		for _, e := range p.in[p.on[i]] {
			if from := p.edges[e].from; from == without {
				passes = true
			} else {
				p.look(from)
			}
		}
	}
	if passes {
		p.gather()
	}
	return passes
}

// gather notes the edges between the places that are looked at, in their order.
func (p *picture) gather() {
	slices.Sort(p.on)
	each := func(do func(from, edge int32)) {
		for _, to := range p.on {
			for _, i := range p.in[to] {
				if from := p.edges[i].from; from != p.stop {
					do(from, i)
				}
			}
		}
	}
	total := int32(0)
	each(func(from, _ int32) { p.leaves[from]++; total++ })
	p.onward = slices.Grow(p.onward[:0], int(total))[:total]
	at := int32(0)
	for _, from := range p.on {
		p.first[from], at, p.leaves[from] = at, at+p.leaves[from], 0
	}
	each(func(from, edge int32) {
		p.onward[p.first[from]+p.leaves[from]] = edge
		p.leaves[from]++
	})
}

// leaving are the edges from a place to others that are looked at.
func (p *picture) leaving(at int32) []int32 {
	switch {
	case p.some:
		return p.onward[p.first[at] : p.first[at]+p.leaves[at]]
	case p.stopsAt(at):
		return nil
	}
	return p.out[at]
}

// measure finds the cheapest route to each place.
func (p *picture) measure() {
	p.cost[0] = 0
	p.wait(0, 0)
	for c := int32(0); int(c) < len(p.waiting); c++ {
		for i := 0; i < len(p.waiting[c]); i++ {
			at := p.waiting[c][i]
			if p.cost[at] != c {
				continue
			}
			for _, i := range p.leaving(at) {
				e := &p.edges[i]
				if total := c + e.cost; total < p.cost[e.to] {
					p.cost[e.to], p.before[e.to] = total, i
					p.wait(e.to, total)
				}
			}
		}
		p.waiting[c] = p.waiting[c][:0]
	}
}

func (c *course) wait(at, cost int32) {
	for int(cost) >= len(c.waiting) {
		c.waiting = append(c.waiting, nil)
	}
	c.waiting[cost] = append(c.waiting[cost], at)
}

// dominate finds what no route avoids (Cooper, Harvey and Kennedy's algorithm).
func (p *picture) dominate() {
	p.lastFirst()
	for r, at := range p.order {
		p.rank[at] = int32(r)
	}
	p.idom[0] = 0
	for changed := true; changed; {
		changed = false
		for _, at := range p.order[1:] {
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
					if p.rank[now] > p.rank[from] {
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
func (p *picture) lastFirst() {
	p.order, p.route, p.next[0] = p.order[:0], append(p.route[:0], 0), 1 // next is 0 where nobody came
	for len(p.route) > 0 {
		at := p.route[len(p.route)-1]
		leaving := p.leaving(at)
		if int(p.next[at]) > len(leaving) {
			p.route = p.route[:len(p.route)-1]
			p.order = append(p.order, at)
			continue
		}
		to := p.edges[leaving[p.next[at]-1]].to
		p.next[at]++
		if p.next[to] == 0 {
			p.next[to] = 1
			p.route = append(p.route, to)
		}
	}
	slices.Reverse(p.order)
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
