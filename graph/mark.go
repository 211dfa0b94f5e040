package graph

import "slices"

// mark is how far a Builder had come when it was marked, and what was built since.
type mark struct {
	ids, vals []int // of each kind, how many there were
	edges     map[relKey]int
	names     []Ref // that were given afterwards to nodes which were only referred to
	last      *built
}

// Mark has the Builder remember how far it has come: Rewind forgets what is added from now on. What Build makes of what comes
// before the mark, and nothing after it touches, is made once.
func (b *Builder) Mark() {
	b.mark = &mark{ids: make([]int, len(b.nodes)), vals: make([]int, len(b.nodes)), edges: make(map[relKey]int, len(b.edges))}
	for k := range b.nodes {
		b.mark.ids[k], b.mark.vals[k] = len(b.nodes[k].ids), b.nodes[k].vals.len()
	}
	for k, all := range b.edges {
		b.mark.edges[k] = all.len()
	}
}

// Rewind makes the Builder what it was when it was marked.
func (b *Builder) Rewind() {
	for _, r := range b.mark.names {
		b.nodes[r.kind].set[r.row] = false
	}
	b.mark.names = nil
	for k := range b.nodes {
		n, ids := &b.nodes[k], b.mark.ids[k]
		for _, id := range n.ids[ids:] {
			delete(n.row, id)
		}
		clear(n.ids[ids:])
		n.ids, n.set = n.ids[:ids], n.set[:ids]
		n.vals.cut(b.mark.vals[k])
	}
	for k, all := range b.edges {
		if n := b.mark.edges[k]; n > 0 {
			all.cut(n)
		} else {
			delete(b.edges, k)
		}
	}
}

// named notes that a node got its name.
func (m *mark) named(r Ref) {
	if m != nil {
		m.names = append(m.names, r)
	}
}

// cut leaves the first n.
func (r *runs[T]) cut(n int) {
	for i := range r.of {
		keep := min(n, len(r.of[i]))
		clear(r.of[i][keep:])
		r.of[i], n = r.of[i][:keep], n-keep
	}
	for len(r.of) > 0 && len(r.of[len(r.of)-1]) == 0 {
		r.of = r.of[:len(r.of)-1]
	}
}

// after yields all but the first n.
func (r *runs[T]) after(n int, yield func(*T)) {
	for _, run := range r.of {
		skip := min(n, len(run))
		n -= skip
		for i := range run[skip:] {
			yield(&run[skip+i])
		}
	}
}

// built is what was made of a Builder, and what of it rests on more than what was before the mark.
type built struct {
	segment  *Segment
	place    [][]int32
	dangling map[relKey][]Dangling
	added    []bool   // by kind: nodes
	filled   [][]bool // by kind and column: values
	joined   map[relKey]bool
}

// beyond is what was added after the mark; nil without one.
func (b *Builder) beyond(s *Segment, place [][]int32) *built {
	if b.mark == nil {
		return nil
	}
	now := &built{segment: s, place: place, dangling: map[relKey][]Dangling{}, added: make([]bool, len(b.nodes)),
		filled: make([][]bool, len(b.nodes)), joined: map[relKey]bool{}}
	for k := range b.nodes {
		now.added[k] = len(b.nodes[k].ids) > b.mark.ids[k]
		now.filled[k] = make([]bool, len(b.vocab.kinds[k].Columns))
		b.nodes[k].vals.after(b.mark.vals[k], func(v *builderVal) { now.filled[k][v.col] = true })
	}
	for _, r := range b.mark.names {
		now.added[r.kind] = true
	}
	for k, all := range b.edges {
		now.joined[k] = all.len() > b.mark.edges[k]
	}
	return now
}

// lastBuilt is what was built before; nil if that is nothing.
func (b *Builder) lastBuilt() *built {
	if b.mark == nil {
		return nil
	}
	return b.mark.last
}

// table is what stays of a kind's table: nil if that is nothing. Columns that do not stay have no pieces.
func (last *built) table(now *built, k int) *Table {
	if last == nil || last.added[k] || now.added[k] {
		return nil
	}
	t := *last.segment.tables[k]
	t.cols = slices.Clone(t.cols)
	whole := true
	for c := range t.cols {
		if last.filled[k][c] || now.filled[k][c] {
			t.cols[c], whole = column{}, false
		}
	}
	if whole {
		return last.segment.tables[k]
	}
	return &t
}

// rel is the adjacency between two kinds, and what could not be joined of it, if both are as they were.
func (last *built) rel(now *built, k relKey) (r *Rel, dangling []Dangling, there bool) {
	if last == nil || last.joined[k] || now.joined[k] || !slices.Equal(last.place[k.from], now.place[k.from]) ||
		!slices.Equal(last.place[k.to], now.place[k.to]) {
		return nil, nil, false
	}
	for _, one := range last.segment.rels[int(k.edge)] {
		if one.From == int(k.from) && one.To == int(k.to) {
			r = one
		}
	}
	return r, last.dangling[k], true
}
