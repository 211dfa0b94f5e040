package query

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// answers is where a condition is true and where it is false, among the nodes
// that were asked about; it is unknown for the rest of them.
type answers struct{ yes, no nodeSet }

// filter is the part of a candidate set for which a variable's own conditions
// are true. Conditions with patterns come last, when few candidates remain.
func (e *engine) filter(v *variable, from nodeSet) nodeSet {
	if v.where == nil && v.onEdge == nil {
		return from
	}
	set := from
	for _, part := range byCost(v.where) {
		set = e.eval(part, v, set).yes
	}
	for _, part := range nodeParts(v.onEdge, nil) {
		a := e.eval(part, v, set)
		e.mixed[part] = [2]nodeSet{a.yes, a.no}
	}
	return set
}

// byCost lists the parts of a conjunction, cheap ones first.
func byCost(c *cond) []*cond {
	if c == nil {
		return nil
	}
	parts := []*cond{c}
	if c.kind == condAnd {
		parts = slices.Clone(c.sub)
	}
	slices.SortStableFunc(parts, func(a, b *cond) int { return cost(a) - cost(b) })
	return parts
}

func cost(c *cond) int {
	n := 0
	switch c.kind {
	case condTest:
		if c.test.prop == "id" || c.test.op == OpContains || c.test.op == OpHas {
			return 2
		}
		return 1
	case condExists, condCount:
		return 100
	}
	for _, sub := range c.sub {
		n += cost(sub)
	}
	return n
}

// nodeParts gathers the parts of an edge's condition that need only the node.
func nodeParts(c *cond, out []*cond) []*cond {
	if c == nil {
		return out
	}
	if !c.edge {
		return append(out, c)
	}
	for _, sub := range c.sub {
		out = nodeParts(sub, out)
	}
	return out
}

// eval answers a condition for every node of a set.
func (e *engine) eval(c *cond, v *variable, set nodeSet) answers {
	switch c.kind {
	case condTest:
		return e.evalTest(c.test, v, set)
	case condNot:
		a := e.eval(c.sub[0], v, set)
		return answers{a.no, a.yes}
	case condExists:
		return e.decided(set, e.exists(c.to, set))
	case condCount:
		return e.decided(set, e.counted(c, set))
	}
	if len(c.sub) == 0 {
		return answers{set.clone(), e.empty(set.kinds)}
	}
	out := e.eval(c.sub[0], v, set)
	for _, sub := range c.sub[1:] {
		a := e.eval(sub, v, set)
		if c.kind == condAnd {
			out.yes.and(a.yes)
			out.no.or(a.no)
		} else {
			out.yes.or(a.yes)
			out.no.and(a.no)
		}
	}
	return out
}

// decided makes answers without unknowns.
func (e *engine) decided(set, true_ nodeSet) answers {
	false_ := set.clone()
	for k := range false_.bits {
		for slot, b := range false_.bits[k] {
			if t := true_.bits[k][slot]; b != nil && t != nil {
				b.AndNot(t)
			}
		}
	}
	return answers{true_, false_}
}

func (e *engine) evalTest(t *test, v *variable, set nodeSet) answers {
	if known, is := e.record(t, v.kinds); is {
		known.and(set)
		return e.decided(set, known)
	}
	a := answers{e.empty(set.kinds), e.empty(set.kinds)}
	for k, kind := range set.kinds {
		for slot, b := range set.bits[k] {
			if b == nil {
				continue
			}
			e.use(2 * len(b) * 8)
			a.yes.bits[k][slot], a.no.bits[k][slot] = e.testSlot(t, kind, slot, b)
		}
	}
	return a
}

func (e *engine) testSlot(t *test, kind, slot int, set graph.Bitmap) (yesBits, noBits graph.Bitmap) {
	seg, ready := e.segment(kind, slot), t.ready()
	yesBits, noBits = graph.NewBitmap(len(set)*64), graph.NewBitmap(len(set)*64)
	e.tick(len(set) * 17)
	if t.prop == "id" {
		sortOut(t.onID(seg, kind), set, yesBits, noBits)
		return yesBits, noBits
	}
	column := columnAt(e.voc.kinds[kind].Properties, t.prop)
	if column < 0 {
		sortOut(ready.on(nil), set, yesBits, noBits)
		return yesBits, noBits
	}
	for p := range seg.Parts(kind, column) {
		here, y, n := p.Of(set), p.Of(yesBits), p.Of(noBits)
		switch {
		case here.Empty() || p.Col == nil && t.ofNull() == unknown:
		case p.Col != nil && p.Col.Type == graph.Bool && (t.op == OpTrue || t.op == OpEq || t.op == OpNe):
			boolPart(p.Col, here, y, n, t.op == OpTrue || t.value.V == (t.op == OpEq))
		default:
			sortOut(ready.on(p.Col), here, y, n)
		}
	}
	return yesBits, noBits
}

// sortOut answers a condition row by row.
func sortOut(row func(uint32) tri, set, yesBits, noBits graph.Bitmap) {
	for i := range set.All() {
		switch row(i) {
		case yes:
			yesBits.Set(i)
		case no:
			noBits.Set(i)
		}
	}
}

// boolPart answers a condition on a Bool column a word at a time.
func boolPart(col *graph.Col, set, yesBits, noBits graph.Bitmap, want bool) {
	if !want {
		yesBits, noBits = noBits, yesBits
	}
	present, true_ := col.Present(), col.Bools()
	for w := range set {
		known := set[w] & present[w]
		yesBits[w], noBits[w] = known&true_[w], known&^true_[w]
	}
}

// exists is the part of a set that the pattern hanging from it matches.
func (e *engine) exists(to *variable, near nodeSet) nodeSet {
	h := to.hop
	if h.upTo > 0 {
		return e.reach(h, e.filter(to, e.universe(to.kinds)), near)
	}
	lanes, _ := e.lanesOf(h, false)
	far := e.filter(to, e.candidates(lanes, near, to))
	_, up := e.lanesOf(h, true)
	return e.image(up, far, near)
}

// candidates is where the far end of a connection may lie: what the near set
// is joined to, if following its edges is less work than looking at all there
// is.
func (e *engine) candidates(lanes []lane, near nodeSet, far *variable) nodeSet {
	all := e.universe(far.kinds)
	edges, ends := 0.0, 1.0
	for i := range lanes {
		edges += float64(lanes[i].rel.Len())
		ends += float64(lanes[i].nearLen)
	}
	follow := float64(near.count()) * edges / ends
	if follow < float64(all.count())*lookCost(far) {
		return e.image(lanes, near, all)
	}
	return all
}

// lookCost is how dear it is to evaluate a variable's conditions, and what
// hangs from it, for one candidate, compared with following one edge.
func lookCost(v *variable) float64 {
	look := 1.0 / 32
	for _, part := range byCost(v.where) {
		look += float64(min(cost(part), 8)) / 4
	}
	for _, child := range v.below {
		if !child.hop.optional {
			look += 1 + lookCost(child)
		}
	}
	return look
}

// counted is the part of a set with the wanted number of matching edges.
func (e *engine) counted(c *cond, near nodeSet) nodeSet {
	h := c.to.hop
	lanes, _ := e.lanesOf(h, false)
	far := e.filter(c.to, e.candidates(lanes, near, c.to))
	lanes, _ = e.lanesOf(h, true)
	sums := e.sums(lanes, near, far, nil)
	out := near.clone()
	for k := range out.bits {
		for slot, b := range out.bits[k] {
			if b == nil {
				continue
			}
			for i := range near.bits[k][slot].All() {
				if n := sums.at(k, slot, i); !ordered(c.op, compareCount(n, c.n)) {
					b.Clear(i)
				}
			}
		}
	}
	return out
}

func compareCount(n uint64, want int64) int {
	switch {
	case n < uint64(want):
		return -1
	case n > uint64(want):
		return 1
	}
	return 0
}

// arm gives the lanes to a variable the conditions on its edge. Its node
// conditions have been evaluated by filter.
func (e *engine) arm(lanes []lane, v *variable) {
	if v.onEdge == nil {
		return
	}
	for i := range lanes {
		l := &lanes[i]
		row := e.edgeCond(v.onEdge, l)
		l.test = func(pos, child uint32) bool { return row(pos, child) == yes }
	}
}

// edgeCond compiles a condition for the edges of a lane.
func (e *engine) edgeCond(c *cond, l *lane) func(pos, child uint32) tri {
	if !c.edge {
		return e.mixedCond(c, l)
	}
	if c.kind == condTest {
		row := c.test.ready().on(l.rel.Col(columnAt(e.voc.edges[l.rel.Edge].Properties, c.test.prop)))
		return func(pos, _ uint32) tri { return row(pos) }
	}
	subs := make([]func(pos, child uint32) tri, len(c.sub))
	for i, sub := range c.sub {
		subs[i] = e.edgeCond(sub, l)
	}
	switch c.kind {
	case condNot:
		return func(pos, child uint32) tri { return -subs[0](pos, child) }
	case condAnd:
		return func(pos, child uint32) tri {
			out := yes
			for _, sub := range subs {
				out = min(out, sub(pos, child))
			}
			return out
		}
	}
	return func(pos, child uint32) tri {
		out := no
		for _, sub := range subs {
			out = max(out, sub(pos, child))
		}
		return out
	}
}

// mixedCond looks up what filter found out about the node.
func (e *engine) mixedCond(c *cond, l *lane) func(pos, child uint32) tri {
	k, slot, stubs := l.farKind, l.farSlot, l.farStubs
	if l.flipped {
		k, slot, stubs = l.nearKind, l.nearSlot, l.nearStubs
	}
	a := e.mixed[c]
	return func(_, child uint32) tri {
		if stubs != nil {
			child = stubs[child]
		}
		switch {
		case a[0].has(k, slot, child):
			return yes
		case a[1].has(k, slot, child):
			return no
		}
		return unknown
	}
}
