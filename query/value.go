package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value is a literal, a list of literals or a parameter. V is one of string,
// int64, float64, bool, []Value and Param. As JSON a parameter is
// {"param": "name"}; everything else is itself.
type Value struct{ V any }

// Param is the name of a parameter, `$name` in a text.
type Param string

func itoa(n int) string { return strconv.Itoa(n) }

// Lit makes a literal of a Go value; an int becomes an int64.
func Lit(v any) *Value {
	switch x := v.(type) {
	case int:
		return &Value{int64(x)}
	case []string:
		list := make([]Value, len(x))
		for i, s := range x {
			list[i] = Value{s}
		}
		return &Value{list}
	}
	return &Value{v}
}

func (v Value) MarshalJSON() ([]byte, error) {
	switch x := v.V.(type) {
	case Param:
		return json.Marshal(map[string]string{"param": string(x)})
	case float64:
		return []byte(formatFloat(x)), nil
	case []Value:
		if x == nil {
			return []byte("[]"), nil
		}
	}
	return json.Marshal(v.V)
}

func (v *Value) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil {
		return err
	}
	out, err := valueOf(raw, 0)
	if err != nil {
		return err
	}
	*v = out
	return nil
}

func valueOf(raw any, depth int) (Value, error) {
	switch x := raw.(type) {
	case string, bool:
		return Value{x}, nil
	case json.Number:
		return parseNumber(string(x))
	case []any:
		if depth > 0 {
			return Value{}, fmt.Errorf("a list of values may not hold lists")
		}
		list := make([]Value, len(x))
		for i := range x {
			v, err := valueOf(x[i], depth+1)
			if err != nil {
				return Value{}, err
			}
			list[i] = v
		}
		return Value{list}, nil
	case map[string]any:
		if name, ok := x["param"].(string); ok && len(x) == 1 {
			return Value{Param(name)}, nil
		}
	}
	return Value{}, fmt.Errorf(`a value is a string, a number, true, false, a list or {"param": "name"}`)
}

// parseNumber reads an int where there is no point or exponent, else a float.
func parseNumber(s string) (Value, error) {
	if !strings.ContainsAny(s, ".eE") {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return Value{}, fmt.Errorf("%s does not fit in 64 bits", s)
		}
		return Value{n}, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return Value{}, fmt.Errorf("%s is too large a number", s)
	}
	return Value{f}, nil
}

// formatFloat always shows a point or an exponent, and never a plus sign in
// one, so that JSON and Cypher both read a float back.
func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	s = strings.Replace(s, "e+", "e", 1)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// String is the value as a query text writes it.
func (v Value) String() string {
	switch x := v.V.(type) {
	case string:
		return quote(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return formatFloat(x)
	case bool:
		return strconv.FormatBool(x)
	case Param:
		return "$" + name(string(x))
	case []Value:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = x[i].String()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "''"
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
