package analyse

import "slices"

// reachable says which goals each patch leads to: patches that lead to each other
// are one knot, and knots are walked from the goals back, each step once.
type reachable struct {
	knot  []int32 // of each patch
	bits  []uint64
	words int
	goals []int32 // patches, in the order of bits
	bit   map[int32]int
	// groups are those that goals are told as.
	groups map[group]bool
	leads  []bool // whether a knot leads to any
}

func newReachable(f *field) *reachable {
	r := &reachable{knot: make([]int32, len(f.members)), bit: map[int32]int{}, groups: map[group]bool{}}
	for p := range f.members {
		if g := f.goalOf(int32(p)); g != nil {
			r.groups[g.group] = true
			r.bit[int32(p)] = len(r.goals)
			r.goals = append(r.goals, int32(p))
		}
	}
	r.words = (len(r.goals) + 63) / 64
	knots := r.tie(f)
	r.bits, r.leads = make([]uint64, len(knots)*r.words), make([]bool, len(knots))
	for k, patches := range knots { // what a knot leads to comes before it
		own := r.of(int32(k))
		for _, p := range patches {
			if i, is := r.bit[p]; is {
				own[i/64] |= 1 << (i % 64)
			}
			for _, a := range f.steps(p) {
				if to := r.knot[a.to]; to != int32(k) {
					for w, x := range r.of(to) {
						own[w] |= x
					}
				}
			}
		}
		r.leads[k] = slices.ContainsFunc(own, func(x uint64) bool { return x != 0 })
	}
	return r
}

func (r *reachable) of(knot int32) []uint64 { return r.bits[int(knot)*r.words : (int(knot)+1)*r.words] }

// from is the set of goals that any of the patches leads to.
func (r *reachable) from(patches []int32) []uint64 {
	out := make([]uint64, r.words)
	for _, p := range patches {
		for w, x := range r.of(r.knot[p]) {
			out[w] |= x
		}
	}
	return out
}

// knots is a number made of the knots that patches are of: equal for those that lead
// to the same.
func (r *reachable) knots(patches []int32) (n uint64) {
	var all []int32
	for _, p := range patches {
		all = append(all, r.knot[p])
	}
	return sum(all)
}

// some says whether a patch leads to any goal.
func (r *reachable) some(patch int32) bool { return r.leads[r.knot[patch]] }

// prune leaves out the steps that lead to no goal: nobody walks them.
func (r *reachable) prune(f *field) {
	kept := int32(0)
	for p := range f.members {
		steps := f.steps(int32(p))
		f.off[p] = kept
		for _, a := range steps {
			if r.some(a.to) {
				f.arcs[kept] = a
				kept++
			}
		}
	}
	f.off[len(f.members)] = kept
	f.arcs = slices.Clone(f.arcs[:kept])
	f.back, f.backOff = reversed(len(f.members), f.arcs, f.steps)
}

// tie finds the knots (Tarjan's strongly connected components, without recursion:
// the ground may be deep). Those that are led to come first.
func (r *reachable) tie(f *field) (knots [][]int32) {
	n := len(f.members)
	order, low, next := make([]int32, n), make([]int32, n), make([]int32, n)
	var stack, walk []int32
	on := make([]bool, n)
	count := int32(0)
	for start := range n {
		if order[start] != 0 {
			continue
		}
		walk = append(walk, int32(start))
		for len(walk) > 0 {
			p := walk[len(walk)-1]
			if order[p] == 0 {
				count++
				order[p], low[p], on[p] = count, count, true
				stack = append(stack, p)
			}
			deeper := false
			for steps := f.steps(p); int(next[p]) < len(steps); {
				to := steps[next[p]].to
				if order[to] == 0 {
					walk, deeper = append(walk, to), true
					break
				}
				next[p]++
				if on[to] {
					low[p] = min(low[p], low[to])
				}
			}
			if deeper {
				continue
			}
			walk = walk[:len(walk)-1]
			if low[p] != order[p] {
				continue
			}
			from := len(stack) - 1
			for stack[from] != p {
				from--
			}
			knot := slices.Clone(stack[from:])
			stack = stack[:from]
			for _, q := range knot {
				on[q], r.knot[q] = false, int32(len(knots))
			}
			knots = append(knots, knot)
		}
	}
	return knots
}
