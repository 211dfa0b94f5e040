package graph

import "iter"

// Table is the nodes of one kind. The columns of a cluster's table are in one
// piece; those of a shared one in pieces of pieceRows rows, so that a change
// copies the pieces it touches and leaves all others to every version.
type Table struct {
	n    int
	ids  column // a shared row without an id is empty: its node left
	cols []column
	born column // shared only: the version that put a new node into a used row
}

const (
	pieceBits = 10
	pieceRows = 1 << pieceBits
	whole     = 31 // pieceBits of a column in one piece
)

// column is a column in pieces of one length; a piece is nil where no row has a
// value.
type column struct {
	bits   uint8
	pieces []*Col
}

func oneColumn(c *Col) column { return column{whole, []*Col{c}} }

// unmade says that nobody has looked yet whether a row has a value.
func (c column) unmade() bool { return c.bits == 0 }

// at finds a row's piece and its row there.
func (c column) at(i uint32) (*Col, uint32) {
	if p := int(i >> c.bits); p < len(c.pieces) {
		return c.pieces[p], i & (1<<c.bits - 1)
	}
	return nil, 0
}

func (c column) value(i uint32) Value {
	col, at := c.at(i)
	if col == nil {
		return Value{}
	}
	return col.Value(at)
}

// Part is a run of rows of a column, beginning at a multiple of 64. Col has them
// as rows 0 to Len; it is nil where none of them has a value.
type Part struct {
	First, Len uint32
	Col        *Col
}

// Of is the part's rows of a set of all rows, sharing its memory.
func (p Part) Of(set Bitmap) Bitmap { return set[p.First>>6 : (p.First+p.Len+63)>>6] }

func (t *Table) parts(c column) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for first := uint32(0); first < uint32(t.n); first += 1 << c.bits {
			col, _ := c.at(first)
			if !yield(Part{first, min(1<<c.bits, uint32(t.n)-first), col}) {
				return
			}
		}
	}
}

// id is a row's id, nil if its node left or has not come yet.
func (t *Table) id(i uint32) []byte {
	col, at := t.ids.at(i)
	if col == nil || !col.present.Has(at) {
		return nil
	}
	return col.Bytes(at)
}

// nodes is the set of rows that hold a node.
func (t *Table) nodes() Bitmap {
	if t.ids.bits == whole {
		return Full(t.n)
	}
	out := NewBitmap(t.n)
	for p := range t.parts(t.ids) {
		if p.Col != nil {
			copy(out[p.First>>6:], p.Col.present) // no bit beyond n is ever set
		}
	}
	return out
}

// changed is the column for n rows with other values in some, sorted by row.
func (c column) changed(what Column, n int, changes []change) column {
	out := column{pieceBits, make([]*Col, (n+pieceRows-1)>>pieceBits)}
	copy(out.pieces, c.pieces)
	for len(changes) > 0 {
		p := changes[0].row >> pieceBits
		var here []change
		for len(changes) > 0 && changes[0].row>>pieceBits == p {
			here = append(here, change{changes[0].row & (pieceRows - 1), changes[0].val})
			changes = changes[1:]
		}
		col := out.pieces[p].changed(what, pieceRows, here)
		if col.present.Empty() {
			col = nil
		}
		out.pieces[p] = col
	}
	return out
}
