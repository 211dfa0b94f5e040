package detect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

func TestAListOfSelectionsHoldsIfOneOfThemDoes(t *testing.T) {
	tests := []struct {
		list       string
		verb, name string
		want       bool
	}{
		{"[{verb: get, name: x}]", "get", "x", true}, {"[{verb: get, name: x}]", "get", "y", false},
		{"[{verb: get, name: x}, {name: y}]", "list", "y", true}, {"[{verb: get, name: x}, {name: y}]", "list", "x", false},
	}
	for _, test := range tests {
		f := event.Fields{"verb": {test.verb}, "name": {test.name}}
		if got := holds(t, "  one: "+test.list+"\n  condition: one\n", f); got != test.want {
			t.Errorf("%s of %v: %v", test.list, f, got)
		}
	}
}

func TestAWrongSelectionIsNamedByItsLine(t *testing.T) {
	tests := []struct{ name, selection, want string }{
		{"nothing", "two:", "8: want fields and their values"},
		{"a word", "two: x", "8: want fields and their values"},
		{"no fields", "two: {}", "8: want fields and their values"},
		{"an empty list", "two: []", "8: want fields and their values"},
		{"a list with nothing in it", "two:\n  - {name: x}\n  - {}", "10: want fields and their values"},
		{"a list of words", "two:\n  - {name: x}\n  - x", "10: want a field and its value: words without a field are not searched for"},
		{"the second field", "two:\n  name: x\n  nmae: x", `10: unknown field "nmae" of test log`},
		{"a field of the second", "two:\n  - name: x\n  - name: x\n    verbs: x", `11: unknown field "verbs" of test log`},
		{"no values", "two: {name: []}", "8: want 1 to 4096 values"},
		{"a list in a list", "two: {name: [[x]]}", "8: want a value or a list of values"},
		{"contains nothing", "two: {name|contains: null}", "8: contains wants a value"},
		{"none of a list", "two: {name|re: [a, null]}", "8: re wants a value"},
		{"exists nothing", "two: {name|exists: null}", "8: exists wants a value"},
		{"all of one", "two: {name|all: [x]}", "8: all wants a list of values"},
		{"the second of a list", "two: {name|cidr: [10.0.0.0/8, x]}", "8: netip.ParsePrefix"},
		{"an address as a network", "two: {name|cidr: 10.0.0.1}", "8: netip.ParsePrefix"},
		{"no number", "two: {size|lte: NaN}", `8: lte wants a number, not "NaN"`},
		{"no modifier", "two: {name|: x}", `8: unknown modifier ""`},
		{"a modifier in another case", "two: {name|Contains: x}", `8: unknown modifier "Contains": want contains, startswith,`},
		{"not supported", "two: {name|base64offset|contains: x}", `8: unknown modifier "base64offset"`},
		{"two that compare", "two: {name|startswith|endswith: x}", "8: modifiers startswith and endswith do not go together"},
		{"another's field", "two: {name|fieldref: nmae}", `8: unknown field "nmae" of test log`},
	}
	for _, test := range tests {
		text := strings.Replace(good, "  two:\n    name: x\n", "  "+strings.ReplaceAll(test.selection, "\n", "\n  ")+"\n", 1)
		_, err := load(text)
		if err == nil || !strings.Contains(err.Error(), "detect/test/a.yaml:"+test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	// Of two wrong selections the same one is named every time.
	for range 10 {
		_, err := conditionOf("  z: {a: b}\n  b: {c: d}\n", "z")
		if err == nil || !strings.Contains(err.Error(), `unknown field "c"`) {
			t.Fatalf("error %v, want that of b", err)
		}
	}
}

func TestValuesAndSelectionsAreBounded(t *testing.T) {
	values := func(n int) string { return "  a: {name: [" + strings.Repeat("x, ", n-1) + "x]}\n" }
	selections := func(n int) (out string) {
		for i := range n {
			out += fmt.Sprintf("  s%d: {name: x}\n", i)
		}
		return out
	}
	tests := []struct{ selections, condition, want string }{
		{values(4096), "a", ""}, {values(4097), "a", "a.yaml:7: want 1 to 4096 values"},
		{selections(64), "1 of s*", ""}, {selections(65), "1 of s*", "a.yaml:7: more than 64 selections"},
	}
	for _, test := range tests {
		_, err := conditionOf(test.selections, test.condition)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%.20s…: error %v, want %q", test.selections, err, test.want)
		}
	}
}
