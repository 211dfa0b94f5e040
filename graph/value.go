package graph

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Value is one property's value. The zero Value is null: unknown, which is not
// false, not zero and not empty.
type Value struct {
	typ  Type
	num  uint64
	str  string
	list []string
}

// Prop is a named value, as handed to a Builder.
type Prop struct {
	Name string
	Value
}

func TextValue(s string) Value   { return Value{typ: Text, str: s} }
func IntValue(n int64) Value     { return Value{typ: Int, num: uint64(n)} }
func FloatValue(f float64) Value { return Value{typ: Float, num: math.Float64bits(f)} }
func BoolValue(b bool) Value {
	v := Value{typ: Bool}
	if b {
		v.num = 1
	}
	return v
}
func TimeValue(t time.Time) Value { return Value{typ: Time, num: uint64(t.UnixNano())} }
func ListValue(l []string) Value  { return Value{typ: List, list: l} }

// S, I, F, B, T and L make properties: text (or enum), int, float, bool, time, list.
func S(name, s string) Prop           { return Prop{name, TextValue(s)} }
func I(name string, n int64) Prop     { return Prop{name, IntValue(n)} }
func F(name string, f float64) Prop   { return Prop{name, FloatValue(f)} }
func B(name string, b bool) Prop      { return Prop{name, BoolValue(b)} }
func T(name string, t time.Time) Prop { return Prop{name, TimeValue(t)} }
func L(name string, l []string) Prop  { return Prop{name, ListValue(l)} }

func (v Value) Type() Type   { return v.typ }
func (v Value) IsNull() bool { return v.typ == Null }
func (v Value) Str() string  { return v.str }
func (v Value) Int() int64   { return int64(v.num) }
func (v Value) Float() float64 {
	if v.typ == Int {
		return float64(int64(v.num))
	}
	return math.Float64frombits(v.num)
}
func (v Value) Bool() bool      { return v.typ == Bool && v.num == 1 }
func (v Value) Time() time.Time { return time.Unix(0, int64(v.num)).UTC() }
func (v Value) List() []string  { return v.list }

// Any is the value as encoding/json would like it.
func (v Value) Any() any {
	switch v.typ {
	case Text, Enum:
		return v.str
	case Int:
		return v.Int()
	case Float:
		return v.Float()
	case Bool:
		return v.Bool()
	case Time:
		return v.Time().Format(time.RFC3339)
	case List:
		return v.list
	}
	return nil
}

// String is the value for people; null is empty.
func (v Value) String() string {
	switch v.typ {
	case Text, Enum:
		return v.str
	case Int:
		return strconv.FormatInt(v.Int(), 10)
	case Float:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Time:
		return v.Time().Format(time.RFC3339)
	case List:
		return strings.Join(v.list, ", ")
	}
	return ""
}

// same is Equal for a value that a column gave back: an enum's was put in as text.
func (v Value) same(w Value) bool {
	if v.typ == Enum {
		v.typ = Text
	}
	if w.typ == Enum {
		w.typ = Text
	}
	return v.Equal(w)
}

// Equal compares type and value; null equals null.
func (v Value) Equal(w Value) bool {
	return v.typ == w.typ && v.num == w.num && v.str == w.str && slices.Equal(v.list, w.list)
}
