package query

import "slices"

// reduce makes every variable's set exact: a node stays only if some row
// contains it. Bottom-up first, each set narrowed by what hangs from it, then
// top-down, each by what it hangs from.
func (e *engine) reduce() {
	e.sets = make([]nodeSet, len(e.vars))
	e.up(e.vars[0], e.within(e.vars[0], e.universe(e.vars[0].kinds)))
	e.down(e.vars[0])
}

// within applies the caller's own restriction of a variable.
func (e *engine) within(v *variable, set nodeSet) nodeSet {
	nodes, limited := e.opts.Within[v.as]
	if v.as == "" || !limited {
		return set
	}
	only := e.empty(v.kinds)
	for _, n := range nodes {
		if k := slices.Index(v.kinds, n.KindIndex()); k >= 0 {
			e.add(only, k, n)
		}
	}
	only.and(set)
	return only
}

func (e *engine) up(v *variable, from nodeSet) {
	set := e.filter(v, from)
	for _, child := range selective(v.below) {
		if child.hop.optional {
			continue
		}
		lanes, _ := e.lanesOf(child.hop, false)
		e.up(child, e.within(child, e.candidates(lanes, set, child)))
		_, up := e.lanesOf(child.hop, true)
		set = e.image(up, e.sets[child.id], set)
	}
	e.sets[v.id] = set
}

// selective orders children so that those with the most conditions narrow
// first and the others start from less.
func selective(below []*variable) []*variable {
	out := slices.Clone(below)
	slices.SortStableFunc(out, func(a, b *variable) int { return weight(b) - weight(a) })
	return out
}

func weight(v *variable) int {
	n := 0
	if v.where != nil || v.onEdge != nil {
		n = 4
	}
	for _, child := range v.below {
		n += weight(child)
	}
	return n
}

func (e *engine) down(v *variable) {
	for _, child := range v.below {
		lanes, _ := e.lanesOf(child.hop, false)
		if child.hop.optional {
			near := e.image(lanes, e.sets[v.id], e.within(child, e.universe(child.kinds)))
			e.sets[child.id] = e.filter(child, near)
		}
		lanes, _ = e.lanesOf(child.hop, true)
		e.sets[child.id] = e.image(lanes, e.sets[v.id], e.sets[child.id])
		e.down(child)
	}
}
