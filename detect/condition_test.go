package detect

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

// conditionOf loads the good rule with other selections and another condition.
func conditionOf(selections, condition string) (*Rules, error) {
	return load(strings.Replace(good, "  one: {verb: create}\n  two:\n    name: x\n  condition: one and two\n",
		selections+"  condition: "+condition+"\n", 1))
}

// TestNotBindsBeforeAndBeforeOr tries every event of three fields.
func TestNotBindsBeforeAndBeforeOr(t *testing.T) {
	tests := map[string]func(a, b, c bool) bool{
		"a or b and c":          func(a, b, c bool) bool { return a || b && c },
		"a and b or c":          func(a, b, c bool) bool { return a && b || c },
		"(a or b) and c":        func(a, b, c bool) bool { return (a || b) && c },
		"not a or b and c":      func(a, b, c bool) bool { return !a || b && c },
		"not (a or b) and c":    func(a, b, c bool) bool { return !a && !b && c },
		"a and not not b or c":  func(a, b, c bool) bool { return a && b || c },
		"A OR NOT b AND Not c":  nil,
		"a OR NOT b AND Not c":  func(a, b, c bool) bool { return a || !b && !c },
		"a and(b or c)":         func(a, b, c bool) bool { return a && (b || c) },
		"1 of them":             func(a, b, c bool) bool { return a || b || c },
		"any of them":           func(a, b, c bool) bool { return a || b || c },
		"all of them":           func(a, b, c bool) bool { return a && b && c },
		"not 1 of them":         func(a, b, c bool) bool { return !a && !b && !c },
		"not all of them":       func(a, b, c bool) bool { return !(a && b && c) },
		"1 of * and all of *":   func(a, b, c bool) bool { return a && b && c },
		"1 of [ab] and c":       func(a, b, c bool) bool { return (a || b) && c },
		"1 of a or all of [bc]": func(a, b, c bool) bool { return a || b && c },
		"((a)) and b and ((c))": func(a, b, c bool) bool { return a && b && c },
	}
	for condition, want := range tests {
		r, err := conditionOf("  a: {name: a}\n  b: {name: b}\n  c: {name: c}\n", condition)
		if want == nil { // a selection's name has one case
			if err == nil {
				t.Errorf("%s loads", condition)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		for bits := range 8 {
			a, b, c := bits&1 != 0, bits&2 != 0, bits&4 != 0
			f := event.Fields{}
			for i, name := range []string{"a", "b", "c"} {
				if bits&(1<<i) != 0 {
					f["name"] = append(f["name"], name)
				}
			}
			if got := len(r.Match([]event.Event{{Source: source, Fields: f}})) > 0; got != want(a, b, c) {
				t.Errorf("%s: a %v, b %v, c %v: %v", condition, a, b, c, got)
			}
		}
	}
}

func TestThemAreTheSelectionsWithoutUnderscore(t *testing.T) {
	r, err := conditionOf("  a: {name: a}\n  _b: {name: b}\n", "1 of them or (all of _* and a)")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"a": 1, "b": 0} {
		if got := len(r.Match([]event.Event{{Source: source, Fields: event.Fields{"name": {name}}}})); got != want {
			t.Errorf("%s: %d rules hold, want %d", name, got, want)
		}
	}
}

func TestAWrongConditionSaysWhatWasWanted(t *testing.T) {
	tests := []struct{ condition, want string }{
		{"", "ends where a selection was wanted"},
		{"a and", "ends where a selection was wanted"},
		{"not", "ends where a selection was wanted"},
		{"(a or b", "want )"},
		{"a or b)", `")" comes where and, or or the end was wanted`},
		{"()", `no selection is named ")"`},
		{"a b", `"b" comes where and, or or the end was wanted`},
		{"or a", `no selection is named "or"`},
		{"1 a", "want 1 of or all of, and a pattern or them"},
		{"1 of", "want 1 of or all of, and a pattern or them"},
		{"all", "want 1 of or all of, and a pattern or them"},
		{"all them", "want 1 of or all of, and a pattern or them"},
		{"2 of them", `no selection is named "2"`},
		{"1 of c*", `no selection is like "c*"`},
		{"all of _*", `no selection is like "_*"`},
		{"'1 of [a'", `pattern "[a": syntax error in pattern`},
		{"a", `selection "b" is not used`},
		{"1 of a*", `selection "b" is not used`},
		{"not (a", "want )"},
		{"not (not x or b)", `no selection is named "x"`},
		{"a | count() > 5", `"|" comes where and, or or the end was wanted`},
	}
	for _, test := range tests {
		_, err := conditionOf("  a: {name: a}\n  b: {name: b}\n", test.condition)
		if err == nil || !strings.Contains(err.Error(), "detect/test/a.yaml:9: condition: "+test.want) {
			t.Errorf("%s: error %v, want %q in line 9", test.condition, err, test.want)
		}
	}
	// Of several that are not used the same one is named every time.
	for range 10 {
		_, err := conditionOf("  z: {name: a}\n  b: {name: b}\n  y: {name: b}\n", "z")
		if err == nil || !strings.Contains(err.Error(), `selection "b" is not used`) {
			t.Fatalf("error %v, want b named", err)
		}
	}
}

func TestNestingIsBoundedAndLengthIsNot(t *testing.T) {
	tests := []struct {
		what, condition string
		loads           bool
	}{
		{"31 parentheses", strings.Repeat("(", 31) + "a" + strings.Repeat(")", 31), true},
		{"32 parentheses", strings.Repeat("(", 32) + "a" + strings.Repeat(")", 32), false},
		{"31 nots", strings.Repeat("not ", 31) + "a", true},
		{"32 nots", strings.Repeat("not ", 32) + "a", false},
		{"a hundred in a row", strings.Repeat("(not a) and ", 100) + "a", true},
	}
	for _, test := range tests {
		_, err := conditionOf("  a: {name: a}\n", test.condition)
		if loads := err == nil; loads != test.loads || !loads && !strings.Contains(err.Error(), "nested deeper than 32") {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

// TestWhatIsNotToldDecidesNothing tries conditions of two fields on all that they may be, one of them not told.
func TestWhatIsNotToldDecidesNothing(t *testing.T) {
	values := [][]string{{"a"}, {"b"}, nil}
	for _, condition := range []string{"x", "not x", "x and y", "x or y", "not (x and y)", "x and not y", "y or not x"} {
		r, err := conditionOf("  x: {verb: a}\n  y: {resource: a}\n  z: {name: z}\n", "("+condition+" or (y and not y)) or z")
		if err != nil {
			t.Fatal(err)
		}
		holds := r.all[0].condition
		for _, told := range values {
			could := map[bool]bool{}
			for _, hidden := range values {
				could[holds.holds(event.Fields{"resource": told, "verb": hidden})] = true
			}
			want := perhaps
			if len(could) == 1 && could[true] {
				want = yes
			} else if len(could) == 1 {
				want = no
			}
			got := holds.may(event.Fields{"resource": told}, func(f string) bool { return f == "verb" })
			if got != want {
				t.Errorf("%s where y is %v and x is not told: %v, want %v", condition, told, got, want)
			}
		}
	}
}
