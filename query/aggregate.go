package query

import (
	"math"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// aggregate answers RETURN with count(). Only the variables that are grouped
// by or counted distinctly are enumerated; all other branches are numbers from
// the sum-product pass.
func (e *engine) aggregate(res *Result, out *pager) {
	g := e.newGrouping()
	g.collect()
	if len(g.by) == 0 && len(g.groups) == 0 {
		g.groups = append(g.groups, &group{counts: make([]uint64, len(g.counts))})
	}
	res.Total = 0
	for _, grp := range g.inOrder(out.need()) {
		if !out.push(func() []Cell { return g.cells(grp) }) {
			break
		}
	}
	res.Total = int64(len(g.groups))
}

type grouping struct {
	e      *engine
	walk   *walk // the enumerated part
	by     []output
	keys   *rowKeys
	counts []counter
	index  map[string]*group
	groups []*group
	last   *group
	// open is, of each count, the group that has what was counted, and most how much one had.
	open []*group
	most []int
	// marks count nodes where groups come one after the other, nil for counts that need a set of each group's own.
	marks []*marks
}

// group is one row of the answer in the making.
type group struct {
	row      []cell
	counts   []uint64
	distinct []map[cellKey]struct{}
}

// cellKey tells nodes apart, and edges where rel is set.
type cellKey struct {
	k, slot   int
	i         uint32
	rel       *graph.Rel
	near, pos uint32
}

// counter is one count() item.
type counter struct {
	of       output
	distinct bool
	factors  []*tally // by step of the enumerated walk, of the branches left out
	zero     []bool   // steps whose left-out branch holds the counted variable
}

func (e *engine) newGrouping() *grouping {
	g := &grouping{e: e, index: map[string]*group{}}
	wanted := map[*variable]bool{}
	for _, it := range e.items() {
		b := e.names[it.Of]
		if it.Count && !it.Distinct {
			continue
		}
		wanted[b.v] = true
		if b.edge {
			wanted[b.v.parent] = true
		}
	}
	start := e.vars[0]
	if v := e.groupStart(); v != nil {
		start = v
	}
	full := e.walkFrom(start, everyone)
	g.walk = &walk{v: start}
	g.prune(full, g.walk, wanted)
	g.by = e.outputs(g.walk)
	g.keys = e.newRowKeys(g.by)
	for _, it := range e.items() {
		if it.Count {
			g.counts = append(g.counts, g.counter(it, full))
		}
	}
	g.open, g.most, g.marks = make([]*group, len(g.counts)), make([]int, len(g.counts)), make([]*marks, len(g.counts))
	return g
}

// groupStart is a grouped variable that a walk can begin at: groups then come
// one after the other.
func (e *engine) groupStart() *variable {
	for _, it := range e.items() {
		if b := e.names[it.Of]; !it.Count && !b.edge && canStart(b.v) {
			return b.v
		}
	}
	return nil
}

// prune copies the branches that lead to a wanted variable.
func (g *grouping) prune(full, into *walk, wanted map[*variable]bool) {
	for _, b := range full.below {
		if !b.leads(wanted) {
			continue
		}
		c := *b
		c.from, c.below = into, nil
		g.prune(b, &c, wanted)
		into.below = append(into.below, &c)
	}
}

func (w *walk) leads(wanted map[*variable]bool) bool {
	return wanted[w.v] || slices.ContainsFunc(w.below, func(b *walk) bool { return b.leads(wanted) })
}

// counter prepares one count: for each enumerated step, what the branches left
// out there multiply a row by.
func (g *grouping) counter(it Item, full *walk) counter {
	b := g.e.names[it.Of]
	c := counter{distinct: it.Distinct, of: output{v: b.v, edge: b.edge, step: stepOf(g.walk.flat(), b)}}
	if c.distinct {
		return c
	}
	var counted *variable
	if !canStart(b.v) {
		counted = b.v
	}
	byVar := map[*variable]*walk{}
	for _, w := range full.flat() {
		byVar[w.v] = w
	}
	steps := g.walk.flat()
	kept := map[*variable]bool{}
	for _, s := range steps {
		kept[s.v] = true
	}
	c.of.step = slices.IndexFunc(steps, func(s *walk) bool { return s.v == b.v })
	for _, s := range steps {
		w, t, zero := byVar[s.v], &tally{}, false
		for _, branch := range w.below {
			if !kept[branch.v] {
				t.add(g.e, w, branch, counted)
				zero = zero || counted != nil && branch.holds(counted)
			}
		}
		c.factors, c.zero = append(c.factors, t), append(c.zero, zero)
	}
	return c
}

// rows is how many rows of the whole pattern an enumerated row stands for.
func (c *counter) rows(row []cell) uint64 {
	if c.of.step >= 0 && row[c.of.step].null {
		return 0
	}
	product := uint64(1)
	for n, t := range c.factors {
		switch {
		case row[n].null && c.zero[n]:
			return 0
		case !row[n].null:
			product = times(product, t.of(row[n].k, row[n].slot, row[n].i))
		}
	}
	return product
}

func (g *grouping) collect() {
	e := g.e
	if g.star() {
		g.collectStar()
		return
	}
	for n, c := range g.counts {
		if c.distinct && !c.of.edge && g.alone() {
			g.marks[n] = e.newMarks(e.sets[c.of.v.id])
		}
	}
	e.rows(g.walk, e.members(g.walk.v), func(row []cell) bool {
		grp := g.of(row)
		for n := range g.counts {
			c := &g.counts[n]
			if !c.distinct {
				grp.counts[n] = plus(grp.counts[n], c.rows(row))
			} else if at := row[c.of.step]; !at.null {
				g.addDistinct(grp, n, at)
			}
		}
		return true
	})
	for _, grp := range g.groups {
		for n := range g.counts {
			if grp.distinct[n] != nil {
				grp.counts[n] = uint64(len(grp.distinct[n]))
			}
		}
	}
}

// roomy is a set that is larger than to be emptied for the next group: emptying takes as long as it was ever large.
const roomy = 256

// counting is what a group counts distinctly. Where groups come one after the other, the next has the room of the one before.
func (g *grouping) counting(grp *group, n int) map[cellKey]struct{} {
	if grp.distinct[n] != nil {
		return grp.distinct[n]
	}
	if done := g.open[n]; done != nil && g.alone() {
		done.counts[n] = uint64(len(done.distinct[n]))
		grp.distinct[n], done.distinct[n] = done.distinct[n], nil
		clear(grp.distinct[n])
	}
	if grp.distinct[n] == nil || g.most[n] > roomy {
		grp.distinct[n], g.most[n] = map[cellKey]struct{}{}, 0
	}
	g.open[n] = grp
	return grp.distinct[n]
}

func (g *grouping) addDistinct(grp *group, n int, at cell) {
	if m := g.marks[n]; m != nil {
		if g.open[n] != grp {
			m.open()
			g.open[n] = grp
		}
		if m.first(at.k, at.slot, at.i) {
			grp.counts[n]++
		}
		return
	}
	k := cellKey{k: at.k, slot: at.slot, i: at.i}
	if g.counts[n].of.edge {
		k.rel, k.near = at.lane.rel, at.near
		if len(g.e.voc.edges[k.rel.Edge].Properties) > 0 {
			k.pos = at.pos // tells parallel edges apart
		}
	}
	found := g.counting(grp, n)
	before := len(found)
	found[k] = struct{}{}
	switch {
	case len(found) == before:
	case !g.alone(), len(found) > g.most[n]:
		g.most[n] = len(found)
		g.e.use(48)
	}
}

// of finds a row's group. Rows of one group that follow each other, which is
// the rule, need no lookup.
func (g *grouping) of(row []cell) *group {
	if g.last != nil && len(g.by) == 0 {
		return g.last
	}
	if g.last != nil && g.alone() && g.last.row[0].same(row[0]) {
		return g.last
	}
	key := ""
	if !g.alone() {
		key = g.keys.of(row)
		if grp := g.index[key]; grp != nil {
			return grp
		}
	}
	grp := &group{row: slices.Clone(row), counts: make([]uint64, len(g.counts)), distinct: make([]map[cellKey]struct{}, len(g.counts))}
	g.e.use(160 + 80*len(row) + len(key))
	g.groups, g.last = append(g.groups, grp), grp
	if !g.alone() {
		g.index[key] = grp
	}
	return grp
}

// alone says that rows are grouped by the variable the walk begins at, and by
// nothing else.
func (g *grouping) alone() bool {
	return !slices.ContainsFunc(g.by, func(o output) bool { return o.step != 0 })
}

func (c cell) same(d cell) bool { return c.k == d.k && c.slot == d.slot && c.i == d.i }

func (g *grouping) cells(grp *group) []Cell {
	var out []Cell
	by, n := 0, 0
	for _, it := range g.e.items() {
		if it.Count {
			out = append(out, Cell{Value: graph.IntValue(int64(min(grp.counts[n], math.MaxInt64)))})
			n++
			continue
		}
		out = append(out, g.e.cell(g.by[by], grp.row))
		by++
	}
	return out
}

// inOrder sorts the groups as far as the page needs.
func (g *grouping) inOrder(need int) []*group {
	if len(g.e.query.Order) == 0 || len(g.groups) < 2 {
		return g.groups
	}
	s := g.e.sorter(g.walk)
	for i, k := range g.e.query.Order {
		if n := g.countOf(k); n >= 0 {
			s.get[i] = func(row []cell) sortKey {
				count := int64(row[len(row)-1-n].pos)<<32 | int64(row[len(row)-1-n].i)
				return sortKey{class: classNumber, num: float64(count), whole: count}
			}
		}
	}
	t := &top{e: g.e, sorter: s, need: min(need, len(g.groups))}
	out := make([]*group, 0, t.need)
	at := map[int]*group{}
	for n, grp := range g.groups {
		t.offer(g.withCounts(grp))
		at[n+1] = grp
	}
	for _, r := range t.ranked() {
		out = append(out, at[r.seen])
	}
	return out
}

// withCounts appends the counts to a group's row, so that keys can read them.
func (g *grouping) withCounts(grp *group) []cell {
	row := slices.Clone(grp.row)
	for n := len(grp.counts) - 1; n >= 0; n-- {
		row = append(row, cell{i: uint32(grp.counts[n]), pos: uint32(grp.counts[n] >> 32)})
	}
	return row
}

// countOf is which count a key sorts by, or -1.
func (g *grouping) countOf(k Key) int {
	it, n := g.e.keyItem(k), 0
	if !it.Count {
		return -1
	}
	for _, other := range g.e.items() {
		if other.Count {
			if other.Column() == it.Column() {
				return n
			}
			n++
		}
	}
	return -1
}
