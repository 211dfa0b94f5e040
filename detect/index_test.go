package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/event"
)

// TestAnEventMeetsTheRulesThatNeedItsValues says what the index spares: a rule
// is met by these of a few events, whether it then holds or not.
func TestAnEventMeetsTheRulesThatNeedItsValues(t *testing.T) {
	events := []struct {
		name   string
		fields event.Fields
	}{
		{"get/pods", event.Fields{"verb": {"get"}, "resource": {"pods"}}}, {"GET/nodes", event.Fields{"verb": {"GET"}, "resource": {"nodes"}}},
		{"list/pods", event.Fields{"verb": {"list"}, "resource": {"pods"}}}, {"list/", event.Fields{"verb": {"list"}}},
		{"/pods", event.Fields{"resource": {"pods"}}}, {"/", event.Fields{}},
		{"gét", event.Fields{"verb": {"gét"}}}, {"x,y", event.Fields{"verb": {"x", "y"}}},
	}
	const always = " gét x,y" // values that an index cannot hold
	tests := []struct{ selections, condition, want string }{
		{"  a: {verb: get}\n", "a", "get/pods GET/nodes" + always},
		{"  a: {resource: pods}\n", "a", "get/pods list/pods /pods" + always},
		{"  a: {verb: Get, resource: Pods}\n", "a", "get/pods" + always},
		{"  a: {verb: [get, list], resource: nodes}\n", "a", "GET/nodes" + always},
		{"  a: {verb: null}\n", "a", "/pods /" + always},
		{"  a: {verb: [null, list]}\n", "a", "list/pods list/ /pods /" + always},
		{"  a: {verb|cased: GET}\n", "a", "get/pods GET/nodes" + always},
		{"  a: {verb|all: [get, GET]}\n", "a", "get/pods GET/nodes" + always},
		// The narrowest of what must hold together; all of what holds one by one.
		{"  a: {verb: [get, list]}\n  b: {verb: list}\n", "a and b", "list/pods list/" + always},
		{"  a: {verb: list}\n  b: {verb: [get, list]}\n", "a and b", "list/pods list/" + always},
		{"  a: {verb: get}\n  b: {verb: list, name: x}\n", "a or b", "get/pods GET/nodes list/pods list/" + always},
		{"  a: [{verb: get, resource: pods}, {verb: list}]\n", "a", "get/pods GET/nodes list/pods list/" + always},
		{"  a: {verb: get}\n  b: {resource: nodes}\n", "a and not b", "get/pods GET/nodes" + always},
		{"  a: {verb: get}\n  b: {resource: nodes}\n", "all of them", "GET/nodes" + always},
		// Nothing is needed.
		{"  a: {verb: 'g*'}\n", "a", "all"}, {"  a: {verb: ['g*', get]}\n", "a", "all"}, {"  a: {verb: [get, 'g*']}\n", "a", "all"},
		{"  a: {verb: 'g?t'}\n", "a", "all"}, {"  a: {verb: gét}\n", "a", "all"}, {"  a: {verb|contains: get}\n", "a", "all"},
		{"  a: {verb: get}\n", "not a", "all"}, {"  a: {verb: get}\n  b: {name: x}\n", "a or b", "all"},
		{"  a: {verb: get}\n  b: {name: x}\n", "b or a", "all"}, {"  a: {name: get}\n", "a", "all"},
	}
	for _, test := range tests {
		r, err := conditionOf(test.selections, test.condition)
		if err != nil {
			t.Fatal(err)
		}
		var met []string
		for _, e := range events {
			r.bySource[source].candidates(e.fields, func(*Rule) { met = append(met, e.name) })
		}
		got := strings.Join(met, " ")
		if test.want == "all" {
			test.want = "get/pods GET/nodes list/pods list/ /pods /" + always
		}
		if got != test.want {
			t.Errorf("%s  %s\nis met by  %s\nand not by %s", test.selections, test.condition, got, test.want)
		}
	}
}

// TestARuleIsFoundThroughTheIndexAsWithoutIt draws rules and events at random, of
// words that equal one another in another case, in ASCII and beyond.
func TestARuleIsFoundThroughTheIndexAsWithoutIt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	word := func() string { return pick("get", "gEt", "pods", "pod\u017f", "kit", "\u212Ait", "\x00") }
	line := func() string {
		field := pick("verb", "resource", "name")
		switch rnd.IntN(8) {
		case 0:
			return field + ": null"
		case 1:
			return field + "|contains: " + pick("g", "p", "K")
		case 2:
			return fmt.Sprintf("%s: [%q, %q]", field, word(), word())
		case 3:
			return fmt.Sprintf("%s: [%q, %q]", field, pick("g*", "p*", "?it", `\*`), word())
		case 4:
			return fmt.Sprintf("%s: [%q, %s]", field, word(), pick("g*", "null", "'k?t'", "''"))
		case 5:
			return fmt.Sprintf("%s|%s: [%q, %q]", field, pick("all", "cased", "all|cased"), word(), word())
		}
		return fmt.Sprintf("%s: %q", field, word())
	}
	var rules []*Rule
	for i := range 300 {
		selections := fmt.Sprintf("  a: {%s}\n  b: [{%s}, {%s}]\n", line(), line(), line())
		r, err := conditionOf(selections, pick("a and b", "b and a", "a or b", "a and not b", "not a and not b", "1 of them", "not (a and b)",
			"(a or b) and a"))
		if err != nil {
			t.Fatal(err)
		}
		r.all[0].ID = fmt.Sprint("r", i)
		rules = append(rules, r.all...)
	}
	all := newRules(rules)
	met, fired := 0, 0
	const events = 3000
	for range events {
		f := event.Fields{}
		for _, field := range []string{"verb", "resource", "name"} {
			for range []int{0, 1, 1, 1, 1, 2}[rnd.IntN(6)] {
				f[field] = append(f[field], pick(word(), word(), "", "\xff", "\x80"))
			}
		}
		var want, got []string
		for _, r := range all.all {
			if r.condition.holds(f) {
				want = append(want, r.ID)
			}
		}
		all.bySource[source].candidates(f, func(*Rule) { met++ })
		for _, m := range all.Match([]event.Event{{Source: source, Fields: f}}) {
			got = append(got, m.Rule.ID)
		}
		fired += len(got)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v", f, got, want)
		}
	}
	if fired == 0 || met >= events*len(rules) {
		t.Errorf("%d fired, %d met: this proves little", fired, met)
	}
}

func TestFourFieldsAreIndexed(t *testing.T) {
	wide := slices.Clone(logs)
	wide[0].Index = []string{"verb", "resource", "name", "size", "address"}
	for field, want := range map[string]int{"verb": 0, "resource": 0, "name": 0, "size": 0, "address": 1} {
		r, err := Load(wide, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(strings.Replace(good,
			"  one: {verb: create}\n  two:\n    name: x\n  condition: one and two\n", "  one: {"+field+": x}\n  condition: one\n", 1))}})
		if err != nil {
			t.Fatal(err)
		}
		met := 0
		r.bySource[source].candidates(event.Fields{}, func(*Rule) { met++ })
		if met != want {
			t.Errorf("%s: an event without it meets %d rules, want %d", field, met, want)
		}
	}
}

// TestManyValuesAreNotMultiplied: what a rule needs of one field times what it
// needs of another can be more than memory holds.
func TestManyValuesAreNotMultiplied(t *testing.T) {
	words := func(prefix string, n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprint(prefix, i))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	tests := []struct {
		name, selections, condition string
		keys, met                   int // keys of the rule, and how many of three events meet it
	}{
		{"as many as there may be", fmt.Sprintf("  a: {verb: %s, resource: %s}\n", words("v", 64), words("r", 64)), "a", 4096, 1},
		{"one more", fmt.Sprintf("  a: {verb: %s, resource: %s}\n", words("v", 64), words("r", 65)), "a", 64, 2},
		{"all of one field", fmt.Sprintf("  a: {verb: %s, resource: [r1, r2]}\n", words("v", 4096)), "a", 4096, 2},
		{"either of two", fmt.Sprintf("  a: {verb: %s}\n  b: {verb: %s}\n", words("v", 96), words("w", 4000)), "a or b", 4096, 2},
		{"either of two, one more", fmt.Sprintf("  a: {verb: %s}\n  b: {verb: %s}\n", words("v", 97), words("w", 4000)), "a or b", 1, 3},
		{"again and again", fmt.Sprintf("  a: {verb: %s}\n", words("v", 4096)), strings.Repeat("a or ", 50_000) + "a", 1, 3},
	}
	for _, test := range tests {
		r, err := conditionOf(test.selections, test.condition)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		met := 0
		for _, f := range []event.Fields{{"verb": {"v1"}, "resource": {"r1"}}, {"verb": {"v1"}, "resource": {"x"}}, {"verb": {"x"}}} {
			r.bySource[source].candidates(f, func(*Rule) { met++ })
		}
		if keys := len(r.bySource[source].byKey); keys != test.keys || met != test.met {
			t.Errorf("%s: %d keys, met by %d; want %d and %d", test.name, keys, met, test.keys, test.met)
		}
	}
}
