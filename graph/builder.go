package graph

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Ref is a node within a Builder.
type Ref struct {
	kind int32
	row  int32
}

// Builder gathers nodes and edges in any order. Naming a node twice merges it,
// later values winning. It is for one goroutine.
type Builder struct {
	vocab *Vocabulary
	name  string
	nodes []builderKind
	edges map[relKey]*runs[builderEdge]
	mark  *mark
}

type builderKind struct {
	ids  []string
	row  map[string]int32
	set  []bool // named by Node, not only by Ref
	vals runs[builderVal]
}

// runs is a list that is never moved while it grows: there may be millions in it.
type runs[T any] struct{ of [][]T }

func (r *runs[T]) add(one T) {
	last := len(r.of) - 1
	if last < 0 || len(r.of[last]) == cap(r.of[last]) {
		size := 64
		if last >= 0 {
			size = min(2*cap(r.of[last]), 8192)
		}
		r.of = append(r.of, make([]T, 0, size))
		last++
	}
	r.of[last] = append(r.of[last], one)
}

func (r *runs[T]) all(yield func(*T) bool) {
	for _, run := range r.of {
		for i := range run {
			if !yield(&run[i]) {
				return
			}
		}
	}
}

func (r *runs[T]) len() (n int) {
	for _, run := range r.of {
		n += len(run)
	}
	return n
}

type builderVal struct {
	row int32
	col int32
	val Value
}

type builderEdge struct {
	from, to int32
	props    []Prop
}

type relKey struct{ edge, from, to int32 }

// NewBuilder starts the segment of one cluster.
func NewBuilder(v *Vocabulary, name string) *Builder {
	b := &Builder{vocab: v, name: name, edges: map[relKey]*runs[builderEdge]{}, nodes: make([]builderKind, len(v.kinds))}
	for i := range b.nodes {
		b.nodes[i].row = map[string]int32{}
	}
	return b
}

// Node adds or extends a node. id is the stable id within the segment; the
// segment's name is put in front of it for kinds that are not shared. An
// unknown kind, column or type is a programming error and panics.
func (b *Builder) Node(kind, id string, props ...Prop) Ref {
	r := b.Ref(kind, id)
	if n := &b.nodes[r.kind]; !n.set[r.row] {
		n.set[r.row] = true
		b.mark.named(r)
	}
	b.Set(r, props...)
	return r
}

// Ref names a node that may be added later, or that the shared segment holds.
func (b *Builder) Ref(kind, id string) Ref {
	k := b.vocab.KindIndex(kind)
	if k < 0 {
		panic(fmt.Sprintf("graph: no kind %q", kind))
	}
	n := &b.nodes[k]
	row, ok := n.row[id]
	if !ok {
		row = int32(len(n.ids))
		n.row[id] = row
		n.ids = append(n.ids, id)
		n.set = append(n.set, false)
	}
	return Ref{int32(k), row}
}

// Set gives a node more properties.
func (b *Builder) Set(r Ref, props ...Prop) {
	cols := b.vocab.kinds[r.kind].Columns
	for _, p := range props {
		c := columnIndex(cols, p.Name)
		if c < 0 {
			panic(fmt.Sprintf("graph: kind %s has no column %q", b.vocab.kinds[r.kind].Name, p.Name))
		}
		b.nodes[r.kind].vals.add(builderVal{r.row, int32(c), p.Value})
	}
}

// Edge joins two nodes. The same edge twice with the same properties is one.
func (b *Builder) Edge(kind string, from, to Ref, props ...Prop) {
	e := b.vocab.EdgeIndex(kind)
	if e < 0 {
		panic(fmt.Sprintf("graph: no edge kind %q", kind))
	}
	for _, p := range props {
		if columnIndex(b.vocab.edges[e].Columns, p.Name) < 0 {
			panic(fmt.Sprintf("graph: edge %s has no column %q", kind, p.Name))
		}
	}
	k := relKey{int32(e), from.kind, to.kind}
	if b.edges[k] == nil {
		b.edges[k] = &runs[builderEdge]{}
	}
	b.edges[k].add(builderEdge{from.row, to.row, slices.Clone(props)})
}

// Dangling is an edge that could not be joined: an end was never added.
type Dangling struct {
	Edge, From, To string // edge kind and the ids of both ends
	Missing        string // kind of the missing end
}

// SharedRefs yields kind and id of every shared node a cluster's builder
// mentions, so that the shared segment can be given them before Build.
func (b *Builder) SharedRefs(yield func(kind, id string) bool) {
	for k := range b.nodes {
		if !b.vocab.kinds[k].Shared {
			continue
		}
		for _, id := range b.nodes[k].ids {
			if !yield(b.vocab.kinds[k].Name, id) {
				return
			}
		}
	}
}

// Build freezes a cluster's segment on top of a shared one. What could not be
// joined is returned, not lost.
func (b *Builder) Build(shared *Segment) (*Segment, []Dangling) {
	s := &Segment{vocab: b.vocab, name: b.name, tables: make([]*Table, len(b.vocab.kinds)),
		rels: map[int][]*Rel{}, stubs: make([][]uint32, len(b.vocab.kinds))}
	if shared != nil {
		s.base = shared.version
	}
	place := make([][]int32, len(b.nodes)) // builder row → segment row or stub, -1 if missing
	last, now := b.lastBuilt(), b.beyond(s, place)
	beside(len(b.nodes), func(k int) {
		if b.vocab.kinds[k].Shared {
			place[k] = b.buildStubs(s, k, shared)
		} else {
			place[k] = b.buildTable(s, k, last.table(now, k))
		}
	})
	dangling := b.buildRels(s, place, last, now)
	if now != nil {
		b.mark.last = now
	}
	return s, dangling
}

func (b *Builder) buildStubs(s *Segment, k int, shared *Segment) []int32 {
	n := &b.nodes[k]
	place := make([]int32, len(n.ids))
	for row, id := range n.ids {
		place[row] = -1
		if shared == nil {
			continue
		}
		if i, ok := shared.lookup(k, id); ok {
			place[row] = int32(i)
			s.stubs[k] = append(s.stubs[k], i)
		}
	}
	slices.Sort(s.stubs[k])
	s.stubs[k] = slices.Compact(s.stubs[k])
	for row, i := range place {
		if i >= 0 {
			at, _ := slices.BinarySearch(s.stubs[k], uint32(i))
			place[row] = int32(at)
		}
	}
	return place
}

func (b *Builder) buildTable(s *Segment, k int, stays *Table) []int32 {
	n := &b.nodes[k]
	if stays != nil {
		s.tables[k] = stays
		stays.fillIn(b.vocab.kinds[k].Columns, &n.vals, b.mark.last.place[k])
		return b.mark.last.place[k]
	}
	order := make([]int32, 0, len(n.ids))
	for row := range n.ids {
		if n.set[row] {
			order = append(order, int32(row))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(n.ids[a], n.ids[b]) })
	place := make([]int32, len(n.ids))
	for i := range place {
		place[i] = -1
	}
	ids := make([]string, len(order))
	for at, row := range order {
		place[row], ids[at] = int32(at), n.ids[row]
	}
	s.tables[k] = newTable(b.vocab.kinds[k].Columns, ids, &n.vals, place)
	return place
}

func newTable(columns []Column, ids []string, vals *runs[builderVal], place []int32) *Table {
	t := &Table{n: len(ids), cols: make([]column, len(columns))}
	names := newCol(Column{Name: "id", Type: Text}, len(ids))
	if err := names.fill(len(ids), func(i int) Value { return TextValue(ids[i]) }); err != nil {
		panic(err)
	}
	t.ids = oneColumn(names)
	t.fillIn(columns, vals, place)
	return t
}

// fillIn makes the columns that the table has not.
func (t *Table) fillIn(columns []Column, vals *runs[builderVal], place []int32) {
	if !slices.ContainsFunc(t.cols, column.unmade) {
		return
	}
	perCol := make([]runs[*builderVal], len(columns))
	for v := range vals.all {
		if place[v.row] >= 0 && t.cols[v.col].unmade() {
			perCol[v.col].add(v)
		}
	}
	rows := make([]Value, t.n)
	for c := range perCol {
		if !t.cols[c].unmade() {
			continue
		}
		t.cols[c].bits = whole
		if len(perCol[c].of) == 0 {
			continue // a column nobody filled costs nothing
		}
		clear(rows)
		for v := range perCol[c].all {
			rows[place[(*v).row]] = (*v).val
		}
		col := newCol(columns[c], t.n)
		t.cols[c] = oneColumn(col)
		if err := col.fill(t.n, func(i int) Value { return rows[i] }); err != nil {
			panic("graph: " + err.Error())
		}
	}
}

func (b *Builder) buildRels(s *Segment, place [][]int32, last, now *built) []Dangling {
	keys := inOrderOfKinds(b.edges)
	made, dangling := make([]*Rel, len(keys)), make([][]Dangling, len(keys))
	beside(len(keys), func(i int) {
		k := keys[i]
		var stays bool
		if made[i], dangling[i], stays = last.rel(now, k); stays {
			return
		}
		list := make([]relEdge, 0, b.edges[k].len())
		for e := range b.edges[k].all {
			f, t := place[k.from][e.from], place[k.to][e.to]
			if f < 0 || t < 0 {
				missing := k.to
				if f < 0 {
					missing = k.from
				}
				dangling[i] = append(dangling[i], Dangling{b.vocab.edges[k.edge].Name,
					b.nodes[k.from].ids[e.from], b.nodes[k.to].ids[e.to], b.vocab.kinds[missing].Name})
				continue
			}
			list = append(list, relEdge{uint32(f), uint32(t), e.props})
		}
		if len(list) > 0 {
			made[i] = s.newRel(k, list)
		}
	})
	for i, r := range made {
		if r != nil {
			s.rels[r.Edge] = append(s.rels[r.Edge], r)
		}
		if now != nil {
			now.dangling[keys[i]] = dangling[i]
		}
	}
	return slices.Concat(dangling...)
}

// beside does n pieces of work on all processors. One that breaks off does so in who asked.
func beside(n int, do func(i int)) {
	var next atomic.Int64
	var working sync.WaitGroup
	var broke atomic.Pointer[any]
	for range min(n, runtime.GOMAXPROCS(0)) {
		working.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					broke.Store(&p)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	working.Wait()
	if p := broke.Load(); p != nil {
		panic(*p)
	}
}

// inOrderOfKinds are the keys of edges in the one order in which a segment has its adjacencies.
func inOrderOfKinds[T any](edges map[relKey]T) []relKey {
	return slices.SortedFunc(maps.Keys(edges), func(a, b relKey) int {
		return cmp.Or(cmp.Compare(a.edge, b.edge), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
}
