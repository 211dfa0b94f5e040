package analyse

import (
	"math"
	"slices"
)

// leastFixes is a lower bound of how many fixes end all of some paths, by any choice. It is
// the greatest flow of attackers along the drawn routes of the paths, from each foothold to its
// target, where each fix lets only one of them pass at all the steps that it ends: any fixes that end every path
// stop every attacker, and each stops at most one. The flow is of many
// kinds at once and in fractions, found nearly (Garg and Könemann), and what is found
// is a flow: the bound may be low and is never high for the routes that are drawn. A step whose fix
// no path names counts as one that a fix of its own technique, where it starts, would end.
func leastFixes(paths []Path, also []Fix) int {
	n := network{numbers: map[string]int32{}}
	fixes := append(Fixes(paths), also...)
	for i := range paths[:min(len(paths), maxFlows)] {
		r := n.routesOf(&paths[i], fixes)
		// Nothing that is known ends it, or what is drawn does not lead to its target.
		if cost := r.cost(n.zeros(1)); cost > 0 && !math.IsInf(cost, 1) {
			n.routes = append(n.routes, r)
		}
	}
	return int(math.Ceil(n.flow() - 1e-6))
}

const (
	maxFlows = 1000   // paths that are looked at
	maxTries = 50_000 // routes that are tried
	accuracy = 0.1
)

// network is the routes of several paths; labels are the fixes that their steps share.
type network struct {
	numbers map[string]int32 // of labels
	routes  []*routeGraph
}

func (n *network) zeros(value float64) []float64 {
	return slices.Repeat([]float64{value}, len(n.numbers))
}

func (n *network) label(name string) int32 {
	i, known := n.numbers[name]
	if !known {
		i = int32(len(n.numbers))
		n.numbers[name] = i
	}
	return i
}

// routeGraph is the routes of one path: place 0 is its entry, place 1 its target.
type routeGraph struct {
	steps  []labelled
	places int
	length []float64 // of the shortest way to each place, and the step it ends with
	by     []int
}

type labelled struct {
	from, to int
	labels   []int32
}

func (n *network) routesOf(p *Path, fixes []Fix) *routeGraph {
	r := &routeGraph{places: 2}
	at := map[string]int{p.Entry.ID: 0}
	place := func(id string) int {
		i, known := at[id]
		if !known {
			i = r.places
			at[id], r.places = i, i+1
		}
		return i
	}
	for _, s := range slices.Concat(p.Steps, p.Also) {
		to := 1
		if s.To != p.Target.ID || p.Target.ID != p.Foothold.ID && !s.Derived { // a node may be both on the way in and the target
			to = place(s.To)
		}
		for _, rule := range append(s.Rules, "")[:max(1, len(s.Rules))] {
			r.steps = append(r.steps, labelled{place(s.From), to, n.labelsOf(s, rule, fixes)})
		}
	}
	r.length, r.by = make([]float64, r.places), make([]int, r.places)
	return r
}

// labelsOf are the fixes that end a step, taken by one rule.
func (n *network) labelsOf(s Step, rule string, fixes []Fix) (out []int32) {
	add := func(name string) {
		if l := n.label(name); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	for _, f := range fixes {
		if f.Kind == fixRule && f.Rule == "" {
			continue // all together: its parts are fixes
		}
		for _, e := range f.endings {
			if e.edge != s.Edge || e.from.id != s.From || rule != "" && (e.by != rule || e.to.id != s.To) {
				continue
			}
			switch {
			case len(f.grants) > 0: // what a binding gives, it gives at once
				add("binding " + f.grants[0].Binding)
			case e.to.id == s.To:
				add(f.ID)
			}
		}
	}
	if len(out) == 0 && (s.Derived || s.Edge == "HOLDS") {
		add(s.Edge + " " + rule + " " + s.From)
	}
	return out
}

// flow is how much passes when no label lets more than one pass.
func (n *network) flow() float64 {
	if len(n.routes) == 0 {
		return 0
	}
	labels := float64(len(n.numbers))
	least := (1 + accuracy) / math.Pow((1+accuracy)*labels, 1/accuracy)
	lengths, used, sum := n.zeros(least), n.zeros(0), 0.0
	tries := 0
	for level := least; level < 1 && tries < maxTries; level *= 1 + accuracy {
		for _, r := range n.routes {
			for ; tries < maxTries; tries++ {
				if d := r.cost(lengths); d >= min(1, level*(1+accuracy)) {
					break
				}
				times := r.shortest()
				most := 0.0
				for _, k := range times {
					most = max(most, k)
				}
				sum += 1 / most
				for l, k := range times {
					used[l] += k / most
					lengths[l] *= 1 + accuracy*k/most
				}
			}
		}
	}
	if crowd := slices.Max(used); crowd > 0 {
		return sum / crowd
	}
	return 0
}

// cost is the length of the shortest route from entry to target (Bellman and Ford's way: what is
// drawn of a path is small).
func (r *routeGraph) cost(lengths []float64) float64 {
	for i := range r.length {
		r.length[i], r.by[i] = math.Inf(1), -1
	}
	r.length[0] = 0
	for changed := true; changed; {
		changed = false
		for i, s := range r.steps {
			total := r.length[s.from]
			for _, l := range s.labels {
				total += lengths[l]
			}
			if total < r.length[s.to] {
				r.length[s.to], r.by[s.to], changed = total, i, true
			}
		}
	}
	return r.length[1]
}

// shortest says how often the route that was found last passes each label.
func (r *routeGraph) shortest() map[int32]float64 {
	out := map[int32]float64{}
	for at := 1; at != 0; at = r.steps[r.by[at]].from {
		for _, l := range r.steps[r.by[at]].labels {
			out[l]++
		}
	}
	return out
}
