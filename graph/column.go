package graph

import (
	"fmt"
	"math"
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
	lists   [][]string
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
		col.lists = make([][]string, n)
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
	c.dictID = nil
	return nil
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
		code, ok := c.dictID[v.str]
		if !ok {
			code = uint32(len(c.dict))
			c.dict, c.dictID[v.str] = append(c.dict, v.str), code
		}
		c.codes[i] = code
	case c.Type == Text:
		c.arena = append(c.arena, v.str...)
	case c.Type == Bool:
		if v.Bool() {
			c.bools.Set(i)
		}
	case c.Type == List:
		c.lists[i] = v.list
	default:
		c.nums[i] = v.num
	}
	c.present.Set(i)
	return nil
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
		return ListValue(c.lists[i])
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
