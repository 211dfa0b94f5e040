package detect

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/event"
)

var source = event.Source{Product: "test", Service: "log"}

// logs is a log of events that are maps of fields, as JSON.
var logs = []Log{{
	Source: source, Index: []string{"verb", "resource"},
	Fields: []event.Field{{Name: "verb"}, {Name: "resource"}, {Name: "name"}, {Name: "size"}, {Name: "address"}, {Name: "other.name"}},
	Decode: func(r io.Reader) ([]event.Event, error) {
		var f event.Fields
		err := json.NewDecoder(r).Decode(&f)
		return []event.Event{{ID: "1", Source: source, Fields: f}}, err
	},
}}

const good = `title: Something happens
id: something
level: high
tags: [attack.execution, attack.t1609]
logsource: {product: test, service: log}
detection:
  one: {verb: create}
  two:
    name: x
  condition: one and two
evidence: ["{name} was made."]
why: >
  Because.
fix: >
  Do.
tests:
  - {name: a, event: a.json, fires: true}
  - {name: b, event: b.json, fires: false}
`

func load(text string) (*Rules, error) {
	return Load(logs, fstest.MapFS{
		"detect/test/a.yaml": {Data: []byte(text)},
		"detect/test/a.json": {Data: []byte(`{"verb":["create"],"name":["x"]}`)},
		"detect/test/b.json": {Data: []byte(`{"verb":["create"]}`)},
	})
}

func TestARuleLoadsAndItsTestsRun(t *testing.T) {
	r, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.All()[0].Cases() {
		if err := c.Run(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	wrong, err := load(strings.Replace(good, "b.json, fires: false", "a.json, fires: false", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.All()[0].Cases()[1].Run(); err == nil {
		t.Error("a test that says the wrong thing passes")
	}
}

func TestAWrongRuleDoesNotLoad(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown field", "name: x", "nmae: x", `a.yaml:9: unknown field "nmae" of test log`},
		{"a field by its last word", "name: x", "Name: x", `did you mean "name"?`},
		{"unknown modifier", "name: x", "name|base64: x", `a.yaml:9: unknown modifier "base64"`},
		{"two modifiers", "name: x", "name|re|contains: x", "do not go together"},
		{"bad expression", "name: x", "name|re: '('", "a.yaml:9: error parsing regexp"},
		{"bad network", "name: x", "name|cidr: x", "a.yaml:9:"},
		{"no number", "name: x", "size|gt: x", `gt wants a number, not "x"`},
		{"exists of no truth", "name: x", "name|exists: x", "exists wants true or false"},
		{"all of one", "name: x", "name|all: x", "all wants a list"},
		{"an unknown field referred to", "name: x", "name|fieldref: x", `unknown field "x"`},
		{"no value", "name: x", "name: []", "want 1 to"},
		{"a map as value", "name: x", "name: {a: b}", "want a value or a list of values"},
		{"words without a field", "    name: x", "    - x", "words without a field"},
		{"unknown selection", "one and two", "one and three", `a.yaml:10: condition: no selection is named "three"`},
		{"a selection that is not used", "one and two", "one", `selection "two" is not used`},
		{"half a condition", "one and two", "one and", "ends where a selection was wanted"},
		{"an open parenthesis", "one and two", "(one and two", "want )"},
		{"too much", "one and two", "one two", `"two" comes where`},
		{"no such pattern", "one and two", "1 of three*", `no selection is like "three*"`},
		{"nested", "one and two", strings.Repeat("(", 100) + "one and two" + strings.Repeat(")", 100), "nested deeper"},
		{"a list of conditions", "condition: one and two", "condition: [one, two]", "want a condition, in one line"},
		{"no condition", "  condition: one and two\n", "", "want a condition"},
		{"unknown key", "level: high", "level: high\ntimeframe: 5m", `a.yaml:4: unknown key "timeframe"`},
		{"unknown level", "level: high", "level: bad", `a.yaml:3: level "bad": want one of low`},
		{"another log", "product: test", "product: windows", `a.yaml:5: no log is "windows log"`},
		{"a tag that is none", "attack.t1609", "t1609", `a.yaml:4: tag "t1609"`},
		{"evidence about nothing", "{name} was", "{nmae} was", `a.yaml:11: unknown field "nmae"`},
		{"no evidence", `evidence: ["{name} was made."]`, "evidence: []", "want evidence"},
		{"per an unknown field", "level: high", "level: high\nper: [x]", `unknown field "x"`},
		{"no quiet test", "fires: false", "fires: true", "want a test that fires and a test that stays quiet"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(strings.Replace(good, test.old, test.new, 1))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// condition compiles a detection and runs it on fields.
func holds(t *testing.T, detection string, f event.Fields) bool {
	t.Helper()
	r, err := load(strings.Replace(good, "  one: {verb: create}\n  two:\n    name: x\n  condition: one and two\n", detection, 1))
	if err != nil {
		t.Fatalf("%s: %v", detection, err)
	}
	fires := false
	r.match(&event.Event{Source: source, Fields: f}, func(*Rule) { fires = true })
	return fires
}

func TestWhatMatches(t *testing.T) {
	tests := []struct {
		line, value string // value is the field name's; "-" leaves it absent
		want        bool
	}{
		{"name: web", "web", true}, {"name: WEB", "web", true}, {"name: web", "web2", false}, {"name|cased: WEB", "web", false},
		{"name: w*b", "wxyzb", true}, {"name: w*b", "wb", true}, {"name: w*b", "wbx", false}, {"name: w?b", "web", true},
		{"name: w?b", "wb", false},
		{"name: '*'", "", true}, {"name: '*'", "-", false}, {"name: ''", "", true}, {"name: ''", "x", false},
		{`name: 'a\*b'`, "a*b", true}, {`name: 'a\*b'`, "axb", false},
		{"name: '*a*b*'", "xxaxxbxx", true}, {"name: '*a*b*'", "ba", false}, {"name: '*ab'", "aab", true}, {"name: 'a*a'", "a", false},
		{"name: '*é?'", "xÉy", true},
		{"name|contains: eb", "web", true}, {"name|contains: [x, y]", "ay", true}, {"name|contains|all: [w, b]", "web", true},
		{"name|contains|all: [w, x]", "web", false},
		{"name|startswith: we", "web", true}, {"name|startswith: eb", "web", false}, {"name|endswith: eb", "web", true},
		{"name|endswith: we", "web", false},
		{"name|re: '^w.b$'", "web", true}, {"name|re: '^w.b$'", "WEB", false}, {"name|cidr: 10.0.0.0/8", "10.1.2.3", true},
		{"name|cidr: 10.0.0.0/8", "11.1.2.3", false}, {"name|cidr: 10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"name|cidr: 10.0.0.0/8", "::ffff:11.1.2.3", false}, {"name|cidr: 10.0.0.0/8", "x", false},
		{"name|exists: true", "web", true}, {"name|exists: true", "-", false}, {"name|exists: false", "-", true},
		{"name: null", "-", true}, {"name: null", "x", false}, {"name: [null, x]", "x", true},
		{"name|gt: 5", "6", true}, {"name|gt: 5", "5", false}, {"name|gte: 5", "5", true}, {"name|lt: 5", "4.5", true},
		{"name|lte: 5", "5", true}, {"name|lt: 5", "x", false},
		{"name|fieldref: other.name", "same", true}, {"name|fieldref: other.name", "else", false}, {"name: 7", "7", true},
		{"name: true", "true", true},
	}
	for _, test := range tests {
		f := event.Fields{"name": {"of a list", test.value}, "other.name": {"same"}}
		if test.value == "-" {
			delete(f, "name")
		} else if !test.want {
			f["name"] = []string{test.value}
		}
		if got := holds(t, "  one:\n    "+test.line+"\n  condition: one\n", f); got != test.want {
			t.Errorf("%s of %q: %v, want %v", test.line, test.value, got, test.want)
		}
	}
}

func TestConditions(t *testing.T) {
	selections := "  a: {verb: get}\n  b: {name: x}\n  b2: {name: y}\n  list: [{verb: get, name: x}, {verb: list}]\n"
	tests := []struct {
		condition, verb, name string
		want                  bool
	}{
		{"a and b or b2 and list", "get", "x", true}, {"a and (b or b2) and not list", "get", "x", false},
		{"a and not (b or b2 or list)", "get", "z", true}, {"not a and 1 of b* and list", "list", "y", true},
		{"all of b* or a or list", "x", "x", false}, {"1 of them", "list", "z", true}, {"all of them", "get", "x", false},
		{"ANY of b* and a or list", "get", "y", true}, {"not not a and 1 of b* or list", "get", "y", true},
	}
	for _, test := range tests {
		if got := holds(t, selections+"  condition: "+test.condition+"\n",
			event.Fields{"verb": {test.verb}, "name": {test.name}}); got != test.want {
			t.Errorf("%s: %v, want %v", test.condition, got, test.want)
		}
	}
}

func TestMatchingDoesNotAllocate(t *testing.T) {
	r, err := load(strings.Replace(good, "name: x",
		"name|contains: [Fé, x*z]\n    address|cidr: 10.0.0.0/8\n    size|gt: 3\n    other.name|re: '^a+$'", 1))
	if err != nil {
		t.Fatal(err)
	}
	e := &event.Event{Source: source, Fields: event.Fields{"verb": {"create"}, "name": {"afÉb"}, "address": {"10.2.3.4"},
		"size": {"4"}, "other.name": {"aaa"}}}
	fired := 0
	if n := testing.AllocsPerRun(100, func() { r.match(e, func(*Rule) { fired++ }) }); n > 0 || fired == 0 {
		t.Errorf("%v allocations, fired %d", n, fired)
	}
}

func FuzzRule(f *testing.F) {
	f.Add(good)
	f.Add(strings.Replace(good, "one and two", "1 of t* and not (one)", 1))
	f.Add(strings.Replace(good, "name: x", "name|re|all: [a, b]", 1))
	f.Add(strings.Replace(good, "why:", "baseline: {type: burst, value: [name], at-least: 2, timespan: 1m}\nwhy:", 1))
	f.Add(correlationOf("  type: temporal_ordered\n  rules: [together, x]\n  group-by: [name]\n  timespan: 1m\n"))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := load(text)
		if err != nil {
			return
		}
		New(r, nil, Options{}).Feed(happened("0s create x, 1s create x"))
		r.match(&event.Event{Source: source, Fields: event.Fields{"name": {"x"}, "verb": {"create"}}}, func(*Rule) {})
	})
}
