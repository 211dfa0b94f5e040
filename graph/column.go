package graph

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Col is the storage of one column: null bitmap plus typed values. Text that
// repeats shares a dictionary; other text lies in one byte arena.
type Col struct {
	Column
	present Bitmap
	nums    []uint64 // Int, Float, Time
	bools   Bitmap
	codes   []uint32 // Enum, Dict
	dict    []string
	dictID  map[string]uint32 // while building
	off     []uint32          // Text: arena offsets, n+1
	arena   []byte
	lists   *lists
}

func newCol(c Column, n int) *Col {
	col := &Col{Column: c, present: NewBitmap(n)}
	switch {
	case c.Type == Enum:
		col.codes, col.dict = make([]uint32, n), c.Enum
	case c.Type == Text && c.Dict:
		col.codes, col.dictID = make([]uint32, n), map[string]uint32{}
	case c.Type == Text:
		col.off = make([]uint32, n+1)
	case c.Type == Bool:
		col.bools = NewBitmap(n)
	case c.Type == List:
		col.lists = newLists(n)
	default:
		col.nums = make([]uint64, n)
	}
	return col
}

// fill writes the rows' values in order; text arenas need that.
func (c *Col) fill(n int, value func(i int) Value) error {
	for i := range n {
		v := value(i)
		if c.off != nil {
			c.off[i] = uint32(len(c.arena))
		}
		if v.IsNull() {
			continue
		}
		if err := c.set(uint32(i), v); err != nil {
			return err
		}
	}
	if c.off != nil {
		c.off[n] = uint32(len(c.arena))
	}
	c.filled()
	return nil
}

// filled forgets what only filling needs.
func (c *Col) filled() {
	c.dictID = nil
	if c.lists != nil {
		c.lists.filled()
	}
}

func (c *Col) set(i uint32, v Value) error {
	if v.typ != c.Type && !(c.Type == Enum && v.typ == Text) {
		return fmt.Errorf("column %s is %s, not %s", c.Name, c.Type, v.typ)
	}
	switch {
	case c.Type == Enum:
		rank := -1
		for r, name := range c.Enum {
			if name == v.str {
				rank = r
			}
		}
		if rank < 0 {
			return fmt.Errorf("column %s knows no value %q", c.Name, v.str)
		}
		c.codes[i] = uint32(rank)
	case c.codes != nil:
		c.codes[i] = c.code(v.str)
	case c.Type == Text:
		c.arena = append(c.arena, v.str...)
	case c.Type == Bool:
		if v.Bool() {
			c.bools.Set(i)
		}
	case c.Type == List:
		c.lists.set(i, v.list)
	default:
		c.nums[i] = v.num
	}
	c.present.Set(i)
	return nil
}

// code is a text's number in the dictionary. While a whole column is filled a
// map finds it; a few changes of a small dictionary do without.
func (c *Col) code(text string) uint32 {
	code, known := c.dictID[text]
	if c.dictID == nil {
		at := slices.Index(c.dict, text)
		code, known = uint32(at), at >= 0
	}
	if !known {
		code = uint32(len(c.dict))
		c.dict = append(c.dict, text)
		if c.dictID != nil {
			c.dictID[text] = code
		}
	}
	return code
}

// change is a new value of one row; null takes the value away.
type change struct {
	row uint32
	val Value
}

// changed is a copy of the column for n rows, no fewer than before, with other
// values in some of them. The changes are sorted by row; c may be nil.
func (c *Col) changed(column Column, n int, changes []change) *Col {
	out := newCol(column, n)
	out.filled()
	if c != nil {
		copy(out.present, c.present)
		copy(out.nums, c.nums)
		copy(out.bools, c.bools)
		copy(out.codes, c.codes)
		out.dict = slices.Clip(c.dict)
		if c.lists != nil {
			out.lists = c.lists.grown(n)
		}
	}
	if out.off != nil {
		out.splice(c, changes)
	}
	for _, ch := range changes {
		out.present.Clear(ch.row)
		if out.bools != nil {
			out.bools.Clear(ch.row)
		}
		if ch.val.IsNull() {
			continue
		}
		if out.off != nil && ch.val.typ == Text {
			out.present.Set(ch.row) // spliced in already
			continue
		}
		if err := out.set(ch.row, ch.val); err != nil {
			panic("graph: " + err.Error())
		}
	}
	if column.Dict && len(out.dict) > 2*n || out.lists != nil && len(out.lists.all) > 2*n {
		return out.rebuilt(column, n) // words that nothing says any more
	}
	return out
}

// splice writes the texts of the old column with the changed ones among them.
func (c *Col) splice(old *Col, changes []change) {
	size := 0
	if old != nil {
		size = len(old.arena)
	}
	for _, ch := range changes {
		size += len(ch.val.str)
	}
	c.arena = make([]byte, 0, size)
	row := uint32(0)
	keep := func(end uint32) { // rows that stay as they were
		for ; row < end; row++ {
			c.off[row] = uint32(len(c.arena))
			if old != nil && int(row) < len(old.off)-1 {
				c.arena = append(c.arena, old.Bytes(row)...)
			}
		}
	}
	for _, ch := range changes {
		keep(ch.row)
		c.off[row] = uint32(len(c.arena))
		c.arena = append(c.arena, ch.val.str...)
		row++
	}
	keep(uint32(len(c.off) - 1))
	c.off[row] = uint32(len(c.arena))
}

func (c *Col) rebuilt(column Column, n int) *Col {
	out := newCol(column, n)
	if err := out.fill(n, func(i int) Value { return c.Value(uint32(i)) }); err != nil {
		panic("graph: " + err.Error())
	}
	return out
}

// joined copies runs of rows of several columns one after the other.
type joined struct {
	*Col
	next  int
	codes map[*Col][]uint32 // a source's code, or number of a list → ours
}

func join(column Column, n int) *joined {
	return &joined{Col: newCol(column, n), codes: map[*Col][]uint32{}}
}

// add appends the rows from lo up to hi of a column, nulls if it is nil.
func (j *joined) add(src *Col, lo, hi uint32) {
	for i := lo; i < hi; i++ {
		at := uint32(j.next)
		j.next++
		if j.off != nil {
			j.off[at] = uint32(len(j.arena))
		}
		if src == nil || !src.present.Has(i) {
			continue
		}
		j.present.Set(at)
		switch {
		case j.Col.codes != nil:
			j.Col.codes[at] = j.translate(src)[src.codes[i]]
		case j.off != nil:
			j.arena = append(j.arena, src.Bytes(i)...)
		case j.bools != nil:
			if src.bools.Has(i) {
				j.bools.Set(at)
			}
		case j.lists != nil:
			j.lists.of[at] = j.list(src, src.lists.of[i])
		default:
			j.nums[at] = src.nums[i]
		}
	}
}

func (j *joined) translate(src *Col) []uint32 {
	table := j.codes[src]
	if table == nil {
		table = make([]uint32, len(src.dict))
		for code, text := range src.dict {
			table[code] = uint32(code) // an enum's are ranks
			if j.dictID != nil {
				table[code] = j.code(text)
			}
		}
		j.codes[src] = table
	}
	return table
}

// list is the number here of a source's list. Those that no row says any more are not taken along.
func (j *joined) list(src *Col, n uint32) uint32 {
	const none = math.MaxUint32
	table := j.codes[src]
	if table == nil {
		table = slices.Repeat([]uint32{none}, len(src.lists.all))
		j.codes[src] = table
	}
	if table[n] == none {
		table[n] = j.lists.number(src.lists.all[n])
	}
	return table[n]
}

// done ends the column.
func (j *joined) done() *Col {
	if j.off != nil {
		j.off[j.next] = uint32(len(j.arena))
		j.arena = slices.Clip(j.arena)
	}
	j.filled()
	return j.Col
}

// Value reads one row.
func (c *Col) Value(i uint32) Value {
	if !c.present.Has(i) {
		return Value{}
	}
	switch {
	case c.codes != nil:
		return Value{typ: c.Type, str: c.dict[c.codes[i]]}
	case c.Type == Text:
		return TextValue(string(c.arena[c.off[i]:c.off[i+1]]))
	case c.Type == Bool:
		return BoolValue(c.bools.Has(i))
	case c.Type == List:
		return ListValue(c.lists.at(i))
	}
	return Value{typ: c.Type, num: c.nums[i]}
}

// Present is the set of rows with a value; callers must not change it.
func (c *Col) Present() Bitmap { return c.present }

// Bools is the set of true rows of a Bool column; callers must not change it.
func (c *Col) Bools() Bitmap { return c.bools }

// Dict gives codes and dictionary of an Enum or Dict column, else nil: a
// predicate is then evaluated once per distinct value. Enum codes are ranks.
func (c *Col) Dict() (codes []uint32, dict []string) { return c.codes, c.dict }

// Bytes is the text of a row without a copy; valid only for Text without Dict.
func (c *Col) Bytes(i uint32) []byte { return c.arena[c.off[i]:c.off[i+1]] }

// IntAt, FloatAt and TimeAt read a number without making a Value.
func (c *Col) IntAt(i uint32) int64      { return int64(c.nums[i]) }
func (c *Col) FloatAt(i uint32) float64  { return math.Float64frombits(c.nums[i]) }
func (c *Col) TimeAt(i uint32) time.Time { return time.Unix(0, int64(c.nums[i])) }
