package graph

import (
	"cmp"
	"maps"
	"slices"
)

// The edges of a shared segment lie in tiers, as documents do in a search index.
// Sealing what is new makes a small tier; what it says of a source replaces what
// older tiers say. Tiers are merged so that each is larger than all newer ones
// together: there are few of them, and an edge is written anew few times.

// tier tells which sources of a Rel still count in a version of the segment.
type tier struct {
	lo, hi uint32 // the seals that were merged into it
	gone   Bitmap // sources that a newer tier speaks for, up to the last of them
	stale  int    // their edges
}

// has says that a source of the tier still counts.
func (t *tier) has(source uint32) bool {
	return int(source>>6) >= len(t.gone) || !t.gone.Has(source)
}

// current leaves out the sources that do not count any more.
func (t *tier) current(src, pos []uint32) (s, p []uint32) {
	at := 0
	for at < len(src) && t.has(src[at]) {
		at++
	}
	if at == len(src) {
		return src, pos
	}
	s = append(make([]uint32, 0, len(src)-1), src[:at]...)
	if pos != nil {
		p = append(make([]uint32, 0, len(src)-1), pos[:at]...)
	}
	for at++; at < len(src); at++ {
		if t.has(src[at]) {
			s = append(s, src[at])
			if pos != nil {
				p = append(p, pos[at])
			}
		}
	}
	return s, p
}

// without is the tier in the next version, in which sources with so many edges do
// not count either.
func (r *Rel) without(sources []uint32, edges int) *Rel {
	if len(sources) == 0 {
		return r
	}
	c, t := *r, *r.tier
	last := int(slices.Max(sources)>>6) + 1
	t.gone = append(make(Bitmap, 0, max(last, len(t.gone))), t.gone...)
	t.gone = t.gone[:cap(t.gone)]
	for _, i := range sources {
		t.gone.Set(i)
	}
	t.stale += edges
	c.tier = &t
	return &c
}

// sharedRel is the writer's side of the edges of one kind between two kinds.
type sharedRel struct {
	key   relKey
	kind  EdgeKind
	fresh map[uint32][]relEdge // by source, since the last seal; empty: none any more
	rels  []*Rel               // oldest first
	owner []uint32             // the seal that each source's edges were written by, 0 for none
	seals uint32
	// merged brings the outcome of a merge that goes on beside the writer, of
	// the tiers up to the seal busy.
	merged chan *Rel
	busy   uint32
	atOnce int // up to so many edges are merged while the writer waits
}

const (
	mergeAtOnce = 4096
	// mergeRatio is how much larger a tier is than all newer ones together.
	mergeRatio = 2
)

// targets is where the edges of a source lead.
func (r *sharedRel) targets(from uint32) (out []uint32) {
	if list, there := r.fresh[from]; there {
		for _, e := range list {
			out = append(out, e.to)
		}
		return out
	}
	if at := r.rel(from); at >= 0 {
		out, _ = r.rels[at].Out(from)
	}
	return out
}

// edges is what a source's edges are now.
func (r *sharedRel) edges(from uint32) (out []relEdge) {
	if list, there := r.fresh[from]; there {
		return list
	}
	at := r.rel(from)
	if at < 0 {
		return nil
	}
	rel := r.rels[at]
	dst, pos := rel.Out(from)
	for i, to := range dst {
		out = append(out, relEdge{from, to, rel.props(r.kind, pos+uint32(i))})
	}
	return out
}

// sources is which sources have an edge to a node.
func (r *sharedRel) sources(to uint32) (out []uint32) {
	for _, rel := range r.rels {
		src, _ := rel.In(to)
		for _, from := range src {
			if _, newer := r.fresh[from]; !newer {
				out = append(out, from)
			}
		}
	}
	for from, list := range r.fresh {
		if slices.ContainsFunc(list, func(e relEdge) bool { return e.to == to }) {
			out = append(out, from)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rel is the position of the tier with a source's edges, -1 if it has none.
func (r *sharedRel) rel(from uint32) int {
	if int(from) >= len(r.owner) || r.owner[from] == 0 {
		return -1
	}
	seal := r.owner[from]
	at, _ := slices.BinarySearchFunc(r.rels, seal, func(rel *Rel, s uint32) int { return cmp.Compare(rel.tier.hi, s) })
	return at
}

// is says that a source has exactly these edges, sorted.
func (r *sharedRel) is(from uint32, list []relEdge) bool {
	if fresh, there := r.fresh[from]; there {
		return slices.EqualFunc(fresh, list, func(a, b relEdge) bool { return a.to == b.to && r.equal(a, b.value) })
	}
	at := r.rel(from)
	if at < 0 {
		return len(list) == 0
	}
	rel := r.rels[at]
	dst, pos := rel.Out(from)
	if len(dst) != len(list) {
		return false
	}
	for i, e := range list {
		if dst[i] != e.to || !r.equal(e, func(column string) Value {
			if c := rel.Col(columnIndex(r.kind.Columns, column)); c != nil {
				return c.Value(pos + uint32(i))
			}
			return Value{}
		}) {
			return false
		}
	}
	return true
}

func (r *sharedRel) equal(e relEdge, other func(column string) Value) bool {
	for _, c := range r.kind.Columns {
		if !e.value(c.Name).same(other(c.Name)) {
			return false
		}
	}
	return true
}

// props reads the properties of the edge at a position.
func (r *Rel) props(kind EdgeKind, pos uint32) (out []Prop) {
	for c, column := range kind.Columns {
		if col := r.Col(c); col != nil && col.present.Has(pos) {
			out = append(out, Prop{column.Name, col.Value(pos)})
		}
	}
	return out
}

// seal makes a tier of what is new, takes over what was merged meanwhile, and
// merges what has to be. It reports whether anything is different.
func (r *sharedRel) seal() bool {
	different := r.take()
	if len(r.fresh) > 0 {
		r.add()
		different = true
	}
	if different {
		r.merge()
	}
	return different
}

// add makes the new tier.
func (r *sharedRel) add() {
	r.seals++
	sources := slices.Sorted(maps.Keys(r.fresh))
	stale, gone := make([]int, len(r.rels)), make([][]uint32, len(r.rels))
	var list []relEdge
	for _, from := range sources {
		if at := r.rel(from); at >= 0 {
			dst, _ := r.rels[at].Out(from)
			stale[at], gone[at] = stale[at]+len(dst), append(gone[at], from)
		}
		list = append(list, r.fresh[from]...)
		if short := int(from) + 1 - len(r.owner); short > 0 {
			r.owner = append(r.owner, make([]uint32, short)...)
		}
		r.owner[from] = 0
		if len(r.fresh[from]) > 0 {
			r.owner[from] = r.seals
		}
	}
	for at, rel := range r.rels {
		r.rels[at] = rel.without(gone[at], stale[at])
	}
	if len(list) > 0 {
		rel := r.pack(len(list), func(i int) (from, to uint32) { return list[i].from, list[i].to })
		rel.cols = relColumns(r.kind, list)
		rel.tier = &tier{lo: r.seals, hi: r.seals}
		r.rels = append(r.rels, rel)
	}
	r.rels = slices.DeleteFunc(r.rels, func(rel *Rel) bool { return rel.Len() == 0 })
	r.fresh = emptied(r.fresh)
}

// pack makes a Rel of edges that are sorted by source and target.
func (r *sharedRel) pack(edges int, edge func(i int) (from, to uint32)) *Rel {
	rel := &Rel{Edge: int(r.key.edge), From: int(r.key.from), To: int(r.key.to)}
	if len(r.kind.Columns) > 0 {
		rel.inPos = make([]uint32, edges)
	}
	rel.out = packFew(edges, edge, nil)
	rel.in = packFew(edges, func(i int) (uint32, uint32) {
		from, to := edge(i)
		return to, from
	}, rel.inPos)
	return rel
}

// due is where the tiers begin that should be one, among those that no merge is
// busy with; their number if none should.
func (r *sharedRel) due() int {
	due, newer := len(r.rels), 0
	for at := len(r.rels) - 1; at >= 0 && r.rels[at].tier.lo > r.busy; at-- {
		n := r.rels[at].Len()
		if n < mergeRatio*newer || r.rels[at].tier.stale > n {
			due = at
		}
		newer += n
	}
	return due
}

// merge merges small tiers now and larger ones in the background.
func (r *sharedRel) merge() {
	due := r.due()
	if due == len(r.rels) {
		return
	}
	parts := slices.Clone(r.rels[due:])
	edges := 0
	for _, rel := range parts {
		edges += rel.Len()
	}
	switch {
	case edges <= r.atOnce:
		r.rels = append(r.rels[:due:due], r.join(parts))
	case r.merged == nil:
		done := make(chan *Rel, 1)
		r.merged, r.busy = done, parts[len(parts)-1].tier.hi
		go func() { done <- r.join(parts) }()
	}
}

// take puts a tier that was merged in the background in the place of its parts.
func (r *sharedRel) take() bool {
	select {
	case rel := <-r.merged: // never, if nil
		r.put(rel)
		return true
	default:
		return false
	}
}

func (r *sharedRel) put(rel *Rel) {
	first := slices.IndexFunc(r.rels, func(p *Rel) bool { return p.tier.lo >= rel.tier.lo })
	last := first
	for last >= 0 && last < len(r.rels) && r.rels[last].tier.hi <= rel.tier.hi {
		last++
	}
	r.merged, r.busy = nil, 0
	if first < 0 || first == last {
		return // all of it was replaced meanwhile
	}
	var gone []uint32
	stale := 0
	for from, at := range rel.out.all() {
		if seal := r.owner[from]; seal < rel.tier.lo || seal > rel.tier.hi {
			gone, stale = append(gone, from), stale+int(at[1]-at[0])
		}
	}
	r.rels = slices.Replace(slices.Clone(r.rels), first, last, rel.without(gone, stale))
}

// compact waits for merges and makes one tier of all.
func (r *sharedRel) compact() bool {
	different := r.seal()
	if r.merged != nil {
		r.put(<-r.merged)
		different = true
	}
	if len(r.rels) > 1 || len(r.rels) == 1 && r.rels[0].tier.stale > 0 {
		r.rels = []*Rel{r.join(r.rels)}
		different = true
	}
	return different
}

// join makes one tier of several that follow each other. It reads nothing that
// changes, so that it may run beside the writer.
func (r *sharedRel) join(parts []*Rel) *Rel {
	type run struct {
		from, lo, hi uint32
		rel          *Rel
	}
	var runs []run
	edges := 0
	for _, rel := range parts {
		for from, at := range rel.out.all() {
			if rel.tier.has(from) {
				runs = append(runs, run{from, at[0], at[1], rel})
				edges += int(at[1] - at[0])
			}
		}
	}
	slices.SortFunc(runs, func(a, b run) int { return cmp.Compare(a.from, b.from) })
	from, to := make([]uint32, 0, edges), make([]uint32, 0, edges)
	for _, n := range runs {
		for range n.hi - n.lo {
			from = append(from, n.from)
		}
		to = append(to, n.rel.out.dst[n.lo:n.hi]...)
	}
	rel := r.pack(edges, func(i int) (uint32, uint32) { return from[i], to[i] })
	rel.cols = make([]*Col, len(r.kind.Columns))
	for c, column := range r.kind.Columns {
		if !slices.ContainsFunc(parts, func(p *Rel) bool { return p.Col(c) != nil }) {
			continue
		}
		col := join(column, edges)
		for _, n := range runs {
			col.add(n.rel.Col(c), n.lo, n.hi)
		}
		rel.cols[c] = col.done()
	}
	rel.tier = &tier{lo: parts[0].tier.lo, hi: parts[len(parts)-1].tier.hi}
	return rel
}
