package analyse

import "slices"

// picture is what leads from one foothold to the goals that are told of it, by groups:
// place 0 is the foothold, the others are groups and goals. Replicas are one place, so a
// route of the picture may change over from one to another: what no route of it avoids,
// no attacker avoids. It is drawn for one foothold after the other.
type picture struct {
	walk    *walk
	groups  []group
	patches [][]int32 // of each place
	goal    []bool
	number  []*int32  // of each place, where it is looked up by group
	edges   []stretch // by from, to, rule, kind: each once
	out, in [][]int32 // edges of a place
	sums    []uint64  // made of the patches of a place, 0 where not yet
	at      []int32   // the place of each group by number, -1 where it is none
	ends    []int32   // and of what goals are told as

	*course         // the routes to all places or, of what `to` returns, to one goal
	apart   *course // of that goal

	// What follows is needed for a moment.
	begun                 int32
	members, many, joined []int32
	relevant              []bool
	tied                  []uint64
}

// stretch is one technique between two places, at its least cost.
type stretch struct {
	from, to int32
	arc      // its `to` is of the ground and says nothing here
}

// What stands for the place of a patch that has none.
const (
	unwanted   = -1 // it is no goal of this foothold
	irrelevant = -2 // it leads to no goal that is told
)

func newPicture(w *walk) *picture {
	return &picture{walk: w, at: slices.Repeat([]int32{-1}, len(w.groups)), ends: slices.Repeat([]int32{-1}, len(w.aimed)),
		course: &course{}, apart: &course{}}
}

// draw draws, of what the walk reached from a foothold, what leads to goals that are told. A
// group of starts other than the foothold's own is a place that the foothold leads to.
func (p *picture) draw(f *foothold, starts, told []int32) {
	p.lay(f)
	p.choose(told)
	w := p.walk
	p.edges = p.edges[:0]
	for from := range p.patches {
		p.tied = p.tied[:0]
		if from == 0 {
			for _, s := range starts {
				if to := w.place[s]; to > 0 {
					p.tied = append(p.tied, tie(to, arc{rule: -1, kind: -1}))
				}
			}
		}
		for _, q := range p.patches[from] {
			for _, a := range w.steps(q) {
				if to := w.place[a.to]; to > 0 && int(to) != from && w.cost[a.to] != costOfMost && w.takes(q, a) {
					p.tied = append(p.tied, tie(to, a))
				}
			}
		}
		p.stretch(int32(from))
	}
	p.join()
	p.findRoutes()
	p.sums = sized(p.sums, len(p.groups))
	clear(p.sums)
}

// sum is a number made of the patches of a place.
func (p *picture) sum(at int32) uint64 {
	if p.sums[at] == 0 {
		p.sums[at] = sum(p.patches[at])
	}
	return p.sums[at]
}

// lay gives what was reached its places, in the order in which it was.
func (p *picture) lay(f *foothold) {
	for _, number := range p.number {
		*number = -1
	}
	p.groups, p.goal, p.number = p.groups[:0], p.goal[:0], p.number[:0]
	place := func(number *int32, told group, goal bool) int32 {
		if *number < 0 {
			*number = int32(len(p.groups))
			p.groups, p.goal, p.number = append(p.groups, told), append(p.goal, goal), append(p.number, number)
		}
		return *number
	}
	w := p.walk
	first := &p.begun
	if own, there := w.known[f.group]; there {
		first = &p.at[own]
	}
	*first = -1
	place(first, f.group, false)
	for _, q := range w.reached {
		switch goal := w.goalOf(q); {
		case goal == nil:
			told := w.groupOf(q)
			w.place[q] = place(&p.at[told], w.groups[told], false)
		case f.wants(goal):
			w.place[q] = place(&p.ends[goal.told], goal.group, true)
		default:
			w.place[q] = unwanted
		}
	}
	p.part()
}

// part notes the patches of each place, in the order in which they were reached.
func (p *picture) part() {
	w := p.walk
	p.many = sized(p.many, len(p.groups))
	clear(p.many)
	for _, q := range w.reached {
		if at := w.place[q]; at >= 0 {
			p.many[at]++
		}
	}
	p.members, p.patches = sized(p.members, len(w.reached)), sized(p.patches, len(p.groups))
	rest := p.members
	for at, n := range p.many {
		p.patches[at], rest = rest[:0:n], rest[n:]
	}
	for _, q := range w.reached {
		if at := w.place[q]; at >= 0 {
			p.patches[at] = append(p.patches[at], q)
		}
	}
}

// choose leaves out the places that lead to none of the goals, given as patches.
func (p *picture) choose(told []int32) {
	w := p.walk
	p.relevant = sized(p.relevant, len(p.groups))
	clear(p.relevant)
	p.relevant[0] = true
	var next []int32
	look := func(at int32) {
		if at >= 0 && !p.relevant[at] {
			p.relevant[at] = true
			next = append(next, at)
		}
	}
	for _, q := range told {
		look(w.place[q])
	}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		for _, q := range p.patches[at] {
			for _, b := range w.stepsTo(q) {
				if w.cost[b.from] != costOfMost && w.takes(b.from, arc{to: q}) {
					look(w.place[b.from])
				}
			}
		}
	}
	kept := int32(0)
	for at, is := range p.relevant {
		now := int32(irrelevant)
		if is {
			now = kept
			kept++
			p.groups[now], p.goal[now], p.number[now] = p.groups[at], p.goal[at], p.number[at]
		}
		for _, q := range p.patches[at] {
			w.place[q] = now
		}
		*p.number[at] = max(now, -1)
		if is {
			p.patches[now] = p.patches[at]
		}
	}
	p.groups, p.goal, p.number, p.patches = p.groups[:kept], p.goal[:kept], p.number[:kept], p.patches[:kept]
}

// tie is a step to a place as a number: those to one place stand together, those of one
// technique behind each other, the cheapest first.
func tie(to int32, a arc) uint64 {
	return uint64(to)<<32 | uint64(uint16(a.rule+1))<<16 | uint64(uint8(a.kind+1))<<8 | uint64(uint8(a.cost))
}

// stretch adds the steps from a place, each once, at its least cost.
func (p *picture) stretch(from int32) {
	slices.Sort(p.tied)
	for i, t := range p.tied {
		if i == 0 || p.tied[i-1]>>8 != t>>8 {
			step := arc{rule: int16(uint16(t>>16)) - 1, kind: int16(uint8(t>>8)) - 1, cost: int32(uint8(t))}
			p.edges = append(p.edges, stretch{from, int32(t >> 32), step})
		}
	}
}

// place is that of a group, or of a goal that is told as it; -1 if there is none.
func (p *picture) place(told group, goal bool) int32 {
	if goal {
		return p.ends[p.walk.aimed[told]-1]
	}
	if i, there := p.walk.known[told]; there {
		return p.at[i]
	}
	return -1
}

// acts says whether a technique leads on from a place, wherever to.
func (p *picture) acts(at int32) bool {
	w := p.walk
	return slices.ContainsFunc(p.patches[at], func(q int32) bool {
		return slices.ContainsFunc(w.steps(q), func(a arc) bool {
			to := w.place[a.to]
			return a.rule >= 0 && to != 0 && to != unwanted && to != at && w.cost[a.to] != costOfMost && w.takes(q, a)
		})
	})
}

// join says which stretches lead from and to each place.
func (p *picture) join() {
	p.many = sized(p.many, len(p.groups))
	clear(p.many)
	for _, e := range p.edges {
		p.many[e.to]++
	}
	p.joined = sized(p.joined, 2*len(p.edges))
	out, into := p.joined[:len(p.edges)], p.joined[len(p.edges):]
	p.out, p.in = sized(p.out, len(p.groups)), sized(p.in, len(p.groups))
	for i, n := range p.many {
		p.out[i], p.in[i], into = nil, into[:0:n], into[n:]
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

// sized is a slice of n of anything, in the memory of another one.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
