package analyse

// walk is what is reached from some patches: the cost of the cheapest route to
// each and the patch before it. It is used for one foothold after the other.
type walk struct {
	*field
	// near are the patches that nobody of the foothold comes to over the cluster's
	// network: who takes that step takes it from the internet. Nil are none.
	near    []bool
	open    []bool    // whether a patch is what listens to the cluster's network
	moved   []bool    // whether the cheapest route to what is reached passes such a patch
	cost    []int32   // costOfMost: not reached
	before  []int32   // -1 where the walk starts
	reached []int32   // in order of cost
	waiting [][]int32 // by cost
	place   []int32   // that a picture gives what is reached
}

func newWalk(f *field) *walk {
	n := len(f.members)
	w := &walk{field: f, open: make([]bool, n), moved: make([]bool, n), cost: make([]int32, n), before: make([]int32, n),
		place: make([]int32, n)}
	for i := range w.cost {
		w.cost[i] = costOfMost
		w.open[i] = f.groups[f.groupOf(int32(i))].kind == "NetClass"
	}
	return w
}

// from walks anew (Dijkstra's algorithm; costs are small, so those that wait stand
// in a list for each cost).
func (w *walk) from(starts []int32) {
	for _, p := range w.reached {
		w.cost[p] = costOfMost
	}
	w.reached = w.reached[:0]
	for _, p := range starts { // each once
		w.arrive(p, -1, 0)
	}
	for c := int32(0); int(c) < len(w.waiting); c++ {
		for i := 0; i < len(w.waiting[c]); i++ {
			p := w.waiting[c][i]
			if w.cost[p] != c {
				continue // it was reached at less
			}
			w.reached = append(w.reached, p)
			w.moved[p] = w.open[p] || w.before[p] >= 0 && w.moved[w.before[p]]
			for _, a := range w.steps(p) {
				if total := c + a.cost; total < w.cost[a.to] && w.takes(p, a) {
					w.arrive(a.to, p, total)
				}
			}
		}
		w.waiting[c] = w.waiting[c][:0]
	}
}

// takes says whether the foothold's attacker takes a step.
func (w *walk) takes(from int32, a arc) bool {
	return w.near == nil || !w.near[a.to] || !w.open[from]
}

func (w *walk) arrive(at, before, cost int32) {
	w.cost[at], w.before[at] = cost, before
	for int(cost) >= len(w.waiting) {
		w.waiting = append(w.waiting, nil)
	}
	w.waiting[cost] = append(w.waiting[cost], at)
}

// route is the patches from where the walk starts to one that was reached.
func (w *walk) route(to int32) (out []int32) {
	for p := to; p >= 0; p = w.before[p] {
		out = append(out, p)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}
