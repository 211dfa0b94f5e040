package graph

import (
	"bytes"
	"cmp"
	"slices"
)

// Difference is what is not the same in two segments of one cluster: which nodes and which edges. Of shared nodes those
// count that the segments mention.
type Difference struct {
	sides [2]side // before and after
	rows  [][]int32
	back  [][]int32
	moved []bool // by kind: some row is not where it was
	// shared says that both are of one shared segment.
	shared bool
	nodes  [2][]Bitmap // by side and kind: what is only there or says something else
	edges  map[relKey]*[2][]Ends
	ends   map[endKey]Bitmap // rows of after of which edges are others
}

// Ends are the rows that an edge joins; those of shared kinds are numbers of stubs.
type Ends struct{ From, To uint32 }

func (e Ends) compare(o Ends) int {
	return cmp.Or(cmp.Compare(e.From, o.From), cmp.Compare(e.To, o.To))
}

type side struct{ seg, shared *Segment }

type endKey struct {
	edge, kind int
	out        bool
}

// Before and After are the sides of a Difference.
const (
	Before = iota
	After
)

// NewDifference compares a cluster's segment with what it was, each with the shared segment that it was built on.
func NewDifference(before, wasShared, after, isShared *Segment) *Difference {
	d := &Difference{sides: [2]side{{before, wasShared}, {after, isShared}}, shared: wasShared == isShared,
		edges: map[relKey]*[2][]Ends{}, ends: map[endKey]Bitmap{}}
	kinds := len(after.vocab.kinds)
	for s := range d.sides {
		d.nodes[s] = make([]Bitmap, kinds)
	}
	d.rows, d.back, d.moved = make([][]int32, kinds), make([][]int32, kinds), make([]bool, kinds)
	for k := range kinds {
		d.align(k)
		d.compareNodes(k)
	}
	for e := range after.vocab.edges {
		d.compareEdges(e)
	}
	return d
}

// Extended is the difference of segments that extend those compared by edges. The rest of them is not looked at again: of shared
// nodes, which may have other numbers since, it has the rows, and the edges that differ, but not NodeDiffers and EdgesDiffer.
func (d *Difference) Extended(before, after *Segment) *Difference {
	x := *d
	x.sides[Before].seg, x.sides[After].seg = before, after
	x.rows, x.back, x.moved = slices.Clone(d.rows), slices.Clone(d.back), slices.Clone(d.moved)
	for k, kind := range after.vocab.kinds {
		if kind.Shared {
			x.align(k)
		}
	}
	x.edges, x.ends = map[relKey]*[2][]Ends{}, map[endKey]Bitmap{}
	for e := range after.vocab.edges {
		if slices.Equal(before.rels[e], d.sides[Before].seg.rels[e]) && slices.Equal(after.rels[e], d.sides[After].seg.rels[e]) {
			x.take(d, e)
		} else {
			x.compareEdges(e)
		}
	}
	return &x
}

// take is the difference in edges of a kind that another found.
func (d *Difference) take(of *Difference, edge int) {
	for k, ends := range of.edges {
		if int(k.edge) == edge {
			d.edges[k] = ends
		}
	}
	for k, rows := range of.ends {
		if k.edge == edge {
			d.ends[k] = rows
		}
	}
}

// align finds each row of a kind in the other segment.
func (d *Difference) align(kind int) {
	before, after := d.sides[Before], d.sides[After]
	if after.seg.vocab.kinds[kind].Shared {
		d.rows[kind], d.back[kind] = stubRows(kind, after, before), stubRows(kind, before, after)
	} else {
		d.rows[kind], d.back[kind] = after.seg.Rows(kind, before.seg), before.seg.Rows(kind, after.seg)
	}
	d.moved[kind] = len(d.rows[kind]) != len(d.back[kind])
	for i, was := range d.rows[kind] {
		if int(was) != i {
			d.moved[kind] = true
			break
		}
	}
}

// stubRows says, of the shared nodes that a segment mentions, which numbers another has for them.
func stubRows(kind int, of, other side) []int32 {
	out, at := make([]int32, len(of.seg.stubs[kind])), 0
	theirs := other.seg.stubs[kind]
	for i, row := range of.seg.stubs[kind] {
		for at < len(theirs) && theirs[at] < row {
			at++
		}
		out[i] = -1
		if at < len(theirs) && theirs[at] == row &&
			(of.shared == other.shared || bytes.Equal(of.shared.tables[kind].id(row), other.shared.tables[kind].id(row))) {
			out[i] = int32(at)
		}
	}
	return out
}

// table is where a side has what a kind's nodes say, and the row there.
func (s side) table(kind int, row uint32) (*Table, uint32) {
	if s.seg.vocab.kinds[kind].Shared {
		return s.shared.tables[kind], s.seg.stubs[kind][row]
	}
	return s.seg.tables[kind], row
}

func (d *Difference) compareNodes(kind int) {
	var differ [2]Bitmap
	mark := func(side int, row uint32) {
		if differ[side] == nil {
			differ[side] = NewBitmap(d.sides[side].seg.Len(kind))
		}
		differ[side].Set(row)
	}
	shared := d.sides[After].seg.vocab.kinds[kind].Shared
	columns := len(d.sides[After].seg.vocab.kinds[kind].Columns)
	var compared []int
	for c := range columns {
		if !shared && !d.moved[kind] && d.sides[After].seg.tables[kind] != nil && d.sides[Before].seg.tables[kind] != nil &&
			slices.Equal(d.sides[After].seg.tables[kind].cols[c].pieces, d.sides[Before].seg.tables[kind].cols[c].pieces) {
			continue // the very same
		}
		compared = append(compared, c)
	}
	for i, was := range d.rows[kind] {
		if was < 0 {
			mark(After, uint32(i))
			continue
		}
		if shared && d.shared {
			continue
		}
		now, at := d.sides[After].table(kind, uint32(i))
		old, from := d.sides[Before].table(kind, uint32(was))
		for _, c := range compared {
			if !now.cols[c].sameAt(at, old.cols[c], from) {
				mark(After, uint32(i))
				mark(Before, uint32(was))
				break
			}
		}
	}
	for j, is := range d.back[kind] {
		if is < 0 {
			mark(Before, uint32(j))
		}
	}
	d.nodes[Before][kind], d.nodes[After][kind] = differ[Before], differ[After]
}

func (d *Difference) compareEdges(edge int) {
	type pair struct{ was, is []*Rel }
	pairs := map[relKey]*pair{}
	at := func(r *Rel) *pair {
		k := relKey{int32(r.Edge), int32(r.From), int32(r.To)}
		if pairs[k] == nil {
			pairs[k] = &pair{}
		}
		return pairs[k]
	}
	for _, r := range d.sides[Before].seg.rels[edge] {
		at(r).was = append(at(r).was, r)
	}
	for _, r := range d.sides[After].seg.rels[edge] {
		at(r).is = append(at(r).is, r)
	}
	for k, p := range pairs {
		switch {
		case len(p.was) == 1 && len(p.is) == 1:
			if p.was[0] != p.is[0] || d.moved[k.from] || d.moved[k.to] {
				d.compareRels(k, p.was[0], p.is[0])
			}
		default: // several that together count: they are taken for different
			for _, r := range p.was {
				d.compareRels(k, r, nil)
			}
			for _, r := range p.is {
				d.compareRels(k, nil, r)
			}
		}
	}
}

// compareRels finds the edges of one that the other has not; nil has none.
func (d *Difference) compareRels(k relKey, was, is *Rel) {
	rows, back := d.rows[k.from], d.back[k.to]
	if is != nil {
		for i := range is.out.all() {
			ends, at := is.Out(i)
			var old []uint32
			var from uint32
			j := rows[i]
			if was != nil && j >= 0 {
				old, from = was.Out(uint32(j))
			}
			a, b := 0, 0
			for a < len(ends) || b < len(old) {
				to := int32(-1)
				if b < len(old) {
					if to = back[old[b]]; to < 0 || a == len(ends) || uint32(to) < ends[a] {
						d.gone(k, Ends{uint32(j), old[b]})
						b++
						continue
					}
				}
				if b == len(old) || ends[a] < uint32(to) {
					d.come(k, Ends{i, ends[a]})
					a++
					continue
				}
				if !is.sameAt(at+uint32(a), was, from+uint32(b)) {
					d.come(k, Ends{i, ends[a]})
					d.gone(k, Ends{uint32(j), old[b]})
				}
				a, b = a+1, b+1
			}
		}
	}
	if was == nil {
		return
	}
	for j := range was.out.all() {
		i := d.back[k.from][j]
		if i >= 0 && is != nil {
			if ends, _ := is.Out(uint32(i)); len(ends) > 0 {
				continue // looked at
			}
		}
		old, _ := was.Out(j)
		for _, to := range old {
			d.gone(k, Ends{j, to})
		}
	}
}

func (d *Difference) come(k relKey, e Ends) {
	d.note(k, After, e)
	d.touch(k, true, int32(e.From))
	d.touch(k, false, int32(e.To))
}

func (d *Difference) gone(k relKey, e Ends) {
	d.note(k, Before, e)
	d.touch(k, true, d.back[k.from][e.From])
	d.touch(k, false, d.back[k.to][e.To])
}

func (d *Difference) note(k relKey, side int, e Ends) {
	if d.edges[k] == nil {
		d.edges[k] = &[2][]Ends{}
	}
	d.edges[k][side] = append(d.edges[k][side], e)
}

func (d *Difference) touch(k relKey, out bool, row int32) {
	if row < 0 {
		return
	}
	at := endKey{int(k.edge), int(k.to), out}
	if out {
		at.kind = int(k.from)
	}
	if d.ends[at] == nil {
		d.ends[at] = NewBitmap(d.sides[After].seg.Len(at.kind))
	}
	d.ends[at].Set(uint32(row))
}

// Rows says, by kind, in which row of before each row of after was; Back the contrary. -1 is in none.
func (d *Difference) Rows(kind int) []int32 { return d.rows[kind] }
func (d *Difference) Back(kind int) []int32 { return d.back[kind] }

// Moved says that a node of a kind is not in the row in which it was, came, or is gone.
func (d *Difference) Moved(kind int) bool { return d.moved[kind] }

// SameShared says that both are built on the same version of the shared segment.
func (d *Difference) SameShared() bool { return d.shared }

// Nodes are the rows of a side that the other has not, or where it says something else. It may be nil.
func (d *Difference) Nodes(side, kind int) Bitmap { return d.nodes[side][kind] }

// Edges yields the edges of a kind that only one side has, or that say something else there, by the kinds that they join.
func (d *Difference) Edges(side, edge int, yield func(from, to int, all []Ends)) {
	for k, ends := range d.edges {
		if int(k.edge) == edge && len(ends[side]) > 0 {
			yield(int(k.from), int(k.to), ends[side])
		}
	}
}

// NodeDiffers says that a row of after is new or says something else; EdgesDiffer that its edges of a kind, or of all
// if that is negative, are not those of before.
func (d *Difference) NodeDiffers(kind int, row uint32) bool {
	return d.nodes[After][kind] != nil && d.nodes[After][kind].Has(row)
}

func (d *Difference) EdgesDiffer(kind int, row uint32, edge int, out bool) bool {
	if edge < 0 {
		for e := range d.sides[After].seg.vocab.edges {
			if d.EdgesDiffer(kind, row, e, out) {
				return true
			}
		}
		return false
	}
	rows := d.ends[endKey{edge, kind, out}]
	return rows != nil && rows.Has(row)
}

// EdgesStay says that no node of a kind that is there after has other edges of a kind, or of all if that is negative, than before.
func (d *Difference) EdgesStay(kind, edge int, out bool) bool {
	if edge >= 0 {
		return d.ends[endKey{edge, kind, out}] == nil
	}
	for of := range d.ends {
		if of.kind == kind && of.out == out {
			return false
		}
	}
	return true
}

// sameAt says that two rows of columns of one kind say the same.
func (c column) sameAt(i uint32, other column, j uint32) bool {
	a, at := c.at(i)
	b, from := other.at(j)
	return a.sameAt(at, b, from)
}

// sameAt says that two rows say the same; a column that is nil says nothing.
func (c *Col) sameAt(i uint32, other *Col, j uint32) bool {
	said, too := c != nil && c.present.Has(i), other != nil && other.present.Has(j)
	if !said || !too {
		return said == too
	}
	switch {
	case c.codes != nil:
		return c.dict[c.codes[i]] == other.dict[other.codes[j]]
	case c.Type == Text:
		return bytes.Equal(c.Bytes(i), other.Bytes(j))
	case c.Type == Bool:
		return c.bools.Has(i) == other.bools.Has(j)
	case c.Type == List:
		return slices.Equal(c.lists.at(i), other.lists.at(j))
	}
	return c.nums[i] == other.nums[j]
}

// sameAt says that two edges of one kind say the same.
func (r *Rel) sameAt(pos uint32, other *Rel, from uint32) bool {
	for c := range max(len(r.cols), len(other.cols)) {
		if !r.Col(c).sameAt(pos, other.Col(c), from) {
			return false
		}
	}
	return true
}
