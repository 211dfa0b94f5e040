package query

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// tri is an answer in three-valued logic.
type tri int8

const (
	no      tri = -1
	unknown tri = 0
	yes     tri = 1
)

func is(b bool) tri {
	if b {
		return yes
	}
	return no
}

// matcher is a test made ready for any number of columns.
type matcher struct {
	*test
	text func(b []byte) bool // made when first needed
}

func (t *test) ready() *matcher { return &matcher{test: t} }

func (t *matcher) matches() func(b []byte) bool {
	if t.text == nil {
		t.text = textTest(t.op, t.value, t.fold)
	}
	return t.text
}

// on makes the test of one column: an answer for each row.
func (t *matcher) on(col *graph.Col) func(i uint32) tri {
	if col == nil {
		return func(uint32) tri { return t.ofNull() }
	}
	present := col.Present()
	row := t.row(col)
	return func(i uint32) tri {
		if !present.Has(i) {
			return t.ofNull()
		}
		return is(row(i))
	}
}

// ofNull is the answer for a missing value.
func (t *test) ofNull() tri {
	switch t.op {
	case OpNull:
		return yes
	case OpNotNull:
		return no
	case OpIn:
		if list, ok := t.value.V.([]Value); ok && len(list) == 0 {
			return no
		}
	}
	return unknown
}

// row tests a value that is there.
func (t *matcher) row(col *graph.Col) func(i uint32) bool {
	switch {
	case t.op == OpNull:
		return func(uint32) bool { return false }
	case t.op == OpNotNull:
		return func(uint32) bool { return true }
	}
	switch col.Type {
	case graph.Bool:
		want := t.op == OpTrue || t.value.V == (t.op == OpEq)
		bools := col.Bools()
		return func(i uint32) bool { return bools.Has(i) == want }
	case graph.Int:
		return t.ints(col)
	case graph.Float:
		f := numberTest(t.op, t.value)
		return func(i uint32) bool { return f(col.FloatAt(i)) }
	case graph.Time:
		return t.times(col)
	case graph.List:
		want, _ := t.value.V.(string)
		return func(i uint32) bool { return slices.Contains(col.Value(i).List(), want) }
	}
	return t.texts(col)
}

func (t *matcher) texts(col *graph.Col) func(i uint32) bool {
	codes, dict := col.Dict()
	if codes == nil {
		f := t.matches()
		return func(i uint32) bool { return f(col.Bytes(i)) }
	}
	table := make([]bool, len(dict))
	if col.Type == graph.Enum && slices.Contains(comparisons[2:], t.op) && !t.fold {
		want := slices.Index(dict, t.value.V.(string))
		for rank := range dict {
			table[rank] = want >= 0 && ordered(t.op, rank-want)
		}
	} else {
		f := t.matches()
		for code, s := range dict {
			table[code] = f([]byte(s))
		}
	}
	return func(i uint32) bool { return table[codes[i]] }
}

// ordered holds a three-way comparison against an operator.
func ordered(op string, c int) bool {
	switch op {
	case OpEq:
		return c == 0
	case OpNe:
		return c != 0
	case OpLt:
		return c < 0
	case OpLe:
		return c <= 0
	case OpGt:
		return c > 0
	}
	return c >= 0
}

func textTest(op string, v Value, fold bool) func(b []byte) bool {
	inner := plainTest(op, v)
	if fold {
		return func(b []byte) bool { return inner([]byte(strings.ToLower(string(b)))) }
	}
	return inner
}

func plainTest(op string, v Value) func(b []byte) bool {
	if op == OpIn {
		list := map[string]bool{}
		for _, x := range v.V.([]Value) {
			if s, ok := x.V.(string); ok {
				list[s] = true
			}
		}
		return func(b []byte) bool { return list[string(b)] }
	}
	want := []byte(v.V.(string))
	switch op {
	case OpContains:
		return func(b []byte) bool { return bytes.Contains(b, want) }
	case OpStarts:
		return func(b []byte) bool { return bytes.HasPrefix(b, want) }
	case OpEnds:
		return func(b []byte) bool { return bytes.HasSuffix(b, want) }
	}
	return func(b []byte) bool { return ordered(op, bytes.Compare(b, want)) }
}

func (t *test) ints(col *graph.Col) func(i uint32) bool {
	if want, ok := t.value.V.(int64); ok {
		op := t.op
		return func(i uint32) bool {
			n := col.IntAt(i)
			switch {
			case n < want:
				return ordered(op, -1)
			case n > want:
				return ordered(op, 1)
			}
			return ordered(op, 0)
		}
	}
	f := numberTest(t.op, t.value)
	return func(i uint32) bool { return f(float64(col.IntAt(i))) }
}

func number(v Value) float64 {
	if n, ok := v.V.(int64); ok {
		return float64(n)
	}
	f, _ := v.V.(float64)
	return f
}

func numberTest(op string, v Value) func(f float64) bool {
	if list, ok := v.V.([]Value); ok {
		return func(f float64) bool {
			return slices.ContainsFunc(list, func(x Value) bool { return number(x) == f })
		}
	}
	want := number(v)
	return func(f float64) bool {
		switch {
		case f < want:
			return ordered(op, -1)
		case f > want:
			return ordered(op, 1)
		}
		return ordered(op, 0)
	}
}

func (t *test) times(col *graph.Col) func(i uint32) bool {
	list, isList := t.value.V.([]Value)
	if !isList {
		list = []Value{t.value}
	}
	var want []time.Time
	for _, v := range list {
		s, _ := v.V.(string)
		m, _ := moment(s)
		want = append(want, m)
	}
	op := t.op
	if isList {
		op = OpEq
	}
	return func(i uint32) bool {
		return slices.ContainsFunc(want, func(w time.Time) bool { return ordered(op, col.TimeAt(i).Compare(w)) })
	}
}

// onID is the test of the stable id, which is in no column.
func (t *test) onID(seg *graph.Segment, kind int) func(i uint32) tri {
	if t.op == OpNull || t.op == OpNotNull {
		return func(uint32) tri { return is(t.op == OpNotNull) }
	}
	f := textTest(t.op, t.value, t.fold)
	var buf []byte
	if !seg.Shared() {
		buf = []byte(seg.Name() + "/")
	}
	n := len(buf)
	return func(i uint32) tri {
		buf = append(buf[:n], seg.ID(kind, i)...)
		return is(f(buf))
	}
}
