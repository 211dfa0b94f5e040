package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/event"
)

// base is a rule about one event, for correlations.
func base(id, more string) string {
	return fmt.Sprintf(`title: %[1]s happens
id: %[1]s
name: named_%[1]s
level: low
logsource: {product: test, service: log}
detection: {it: {verb: %[1]s}, condition: it}
evidence: ["{name} did {verb}."]
why: w
fix: f
%[2]stests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]
`, id, more)
}

func correlationOf(body string) string {
	return "title: Together\nid: together\nlevel: high\nwhy: w\nfix: f\nevidence: ['It ended with {verb}.']\n" +
		"tests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]\ncorrelation:\n" + body
}

// happened makes events of a text: "0s create alice x, 90s delete alice". Time, verb, name, resource.
func happened(text string) (out []event.Event) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, one := range strings.Split(text, ",") {
		words := strings.Fields(one)
		at, err := time.ParseDuration(words[0])
		if err != nil {
			panic(err)
		}
		f := event.Fields{}
		for n, field := range []string{"verb", "name", "resource", "address"} {
			if len(words) > n+1 {
				f[field] = []string{words[n+1]}
			}
		}
		out = append(out, event.Event{ID: fmt.Sprint(i, text), Cluster: "prod", Source: source, Time: start.Add(at), Fields: f})
	}
	return out
}

func TestWhatBelongsTogether(t *testing.T) {
	counts := "  type: event_count\n  rules: [create]\n  group-by: [name]\n  timespan: 1m\n  condition: {gte: 3}\n"
	values := "  type: value_count\n  rules: [create, named_delete]\n  group-by: [name]\n  timespan: 1m\n  condition: {field: resource, gt: 2}\n"
	both := "  type: temporal\n  rules: [create, delete]\n  group-by: [name]\n  timespan: 1m\n"
	order := "  type: temporal_ordered\n  rules: [create, delete, list]\n  group-by: [name]\n  timespan: 1m\n"
	aliased := both + "  aliases: {who: {create: name, delete: resource}}\n"
	aliased = strings.Replace(aliased, "[name]", "[who]", 1)
	tests := []struct{ name, correlation, events, want, says string }{
		{"as many as wanted", counts, "0s create a, 20s create a, 50s create a", "together×1",
			"There were 3 events within 1 minute (from 2026-01-01 00:00:00 to 2026-01-01 00:00:50), each of: create happens. It holds for name a."},
		{"one fewer", counts, "0s create a, 20s create a", "", ""},
		{"too long ago", counts, "0s create a, 20s create a, 61s create a", "", ""},
		{"just in time", counts, "0s create a, 20s create a, 60s create a", "together×1", ""},
		{"of different groups", counts, "0s create a, 1s create b, 2s create a, 3s create b", "", ""},
		{"again counts anew", counts, "0s create a, 1s create a, 2s create a, 3s create a, 4s create a", "together×1", ""},
		{"as many again", counts, "0s create a, 1s create a, 2s create a, 3s create a, 4s create a, 5s create a", "together×2", ""},
		{"in any order", counts, "50s create a, 0s create a, 20s create a", "together×1", ""},
		{"different values", values, "0s create a x, 1s delete a y, 2s create a z", "together×1",
			"There were 3 different values of resource within 1 minute (from 2026-01-01 00:00:00 to 2026-01-01 00:00:02), such as x, y, z."},
		{"the same values", values, "0s create a x, 1s delete a y, 2s create a x, 3s create a y", "", ""},
		{"a value that is not there", values, "0s create a x, 1s delete a y, 2s create a", "", ""},
		{"a value seen again stays", values, "0s create a x, 50s create a y, 55s create a x, 65s create a z", "together×1", ""},
		{"both in time", both, "0s delete a, 30s create a", "together×1", "Within 1 minute this came together: create happens"},
		{"one of them twice", both, "0s delete a, 30s delete a", "", ""},
		{"both, too far apart", both, "0s delete a, 61s create a", "", ""},
		{"both, the last of the first in time", both, "0s delete a, 50s delete a, 61s create a", "together×1", ""},
		{"in order", order, "0s create a, 10s delete a, 20s list a", "together×1",
			"this happened in order: create happens; delete happens; list happens."},
		{"out of order", order, "0s delete a, 10s create a, 20s list a", "", ""},
		{"in order, with others between", order, "0s create a, 1s list a, 2s create a, 10s delete a, 12s create a, 20s list a", "together×1", ""},
		{"in order, too slowly", order, "0s create a, 50s delete a, 70s list a", "", ""},
		{"in order, the second time", order, "0s create a, 10s delete a, 50s create a, 55s delete a, 65s list a", "together×1",
			"Within 1 minute (from 2026-01-01 00:00:50 to 2026-01-01 00:01:05) this happened in order: create happens; delete happens; list happens."},
		{"in order, after the first was too long ago", order, "0s create a, 70s create a, 75s delete a, 85s list a", "together×1", ""},
		{"the same twice, in order", strings.Replace(order, "[create, delete, list]", "[create, create]", 1), "0s create a, 10s create a", "together×1", ""},
		{"the same once, in order", strings.Replace(order, "[create, delete, list]", "[create, create]", 1), "0s create a", "", ""},
		{"in order, by different ones", order, "0s create a, 10s delete b, 20s list a", "", ""},
		{"by other names", aliased, "0s create a, 10s delete x a", "together×1", "It holds for who a."},
		{"by other names, of others", aliased, "0s create a, 10s delete a x", "", ""},
	}
	for _, test := range tests {
		r, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(base("create", ""))}, "detect/test/b.yaml": {Data: []byte(base("delete", ""))},
			"detect/test/c.yaml": {Data: []byte(base("list", ""))}, "detect/test/d.yaml": {Data: []byte(correlationOf(test.correlation))}})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for _, size := range []int{1, 100} { // a batch each, and all in one
			g := New(r, nil, Options{})
			alerts := map[string]Alert{}
			for batch := range slices.Chunk(happened(test.events), size) {
				for _, a := range g.Feed(batch) {
					if a.Rule == "together" {
						alerts[a.ID] = a
					}
				}
				g = again(t, r, g, alerts)
			}
			var got, said []string
			for _, a := range alerts {
				got = append(got, fmt.Sprintf("%s×%d", a.Rule, a.Count))
				said = append(said, a.Evidence...)
			}
			if strings.Join(got, " ") != test.want || !strings.Contains(strings.Join(said, " "), test.says) {
				t.Errorf("%s: %v, want %q; it says %q, want %q", test.name, got, test.want, said, test.says)
			}
		}
	}
}

// again is an engine after a restart.
func again(t *testing.T, r *Rules, before *Engine, alerts map[string]Alert) *Engine {
	t.Helper()
	parts := before.checkpointed(t)
	g := New(r, nil, Options{})
	if _, err := g.Restore(parts); err != nil {
		t.Fatal(err)
	}
	var open []Alert
	for _, a := range alerts {
		open = append(open, a)
	}
	g.Resume(open)
	return g
}

// checkpointed is all that an engine remembers, as what it handed out and what it was given.
func (g *Engine) checkpointed(t *testing.T) map[string]string {
	t.Helper()
	for _, m := range g.memories {
		for _, key := range m.groups.Keys() {
			m.changed[key] = true
		}
	}
	return g.Checkpoint()
}

func TestARuleThatIsPartOfACorrelationAlertsOnlyIfItSaysSo(t *testing.T) {
	body := "  type: event_count\n  rules: [create]\n  group-by: [name]\n  timespan: 1m\n  condition: {gte: 2}\n"
	for _, test := range []struct{ name, body, elsewhere, want string }{
		{"as Sigma has it", body, "", "together"}, {"with generate", body + "  generate: true\n", "", "create together"},
		{"of a rule from elsewhere", body, base("create", ""), "create together"},
	} {
		folder := fstest.MapFS{"detect/test/d.yaml": {Data: []byte(correlationOf(test.body))}}
		other := fstest.MapFS{}
		if test.elsewhere != "" {
			other["detect/test/a.yaml"] = &fstest.MapFile{Data: []byte(test.elsewhere)}
		} else {
			folder["detect/test/a.yaml"] = &fstest.MapFile{Data: []byte(base("create", ""))}
		}
		r, err := Load(logs, other, folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range New(r, nil, Options{}).Feed(happened("0s create a, 1s create a")) {
			add(&got, a.Rule, 9)
		}
		if slices.Sort(got); strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
}

func TestACorrelationOfCorrelations(t *testing.T) {
	inner := strings.NewReplacer("id: together", "id: thrice", "level: high", "level: low").Replace(
		correlationOf("  type: event_count\n  rules: [create]\n  group-by: [name]\n  timespan: 1m\n  condition: {gte: 3}\n"))
	outer := correlationOf("  type: temporal\n  rules: [thrice, delete]\n  group-by: [name]\n  timespan: 5m\n")
	r, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(base("create", ""))}, "detect/test/b.yaml": {Data: []byte(base("delete", ""))},
		"detect/test/0.yaml": {Data: []byte(outer)}, "detect/test/z.yaml": {Data: []byte(inner)}})
	if err != nil {
		t.Fatal(err)
	}
	alerts := New(r, nil, Options{}).Feed(happened("0s create a, 1s create a, 2s create a, 90s delete a"))
	if len(alerts) != 1 || alerts[0].Rule != "together" {
		t.Errorf("%v", alerts)
	}
	_, err = Load(logs, fstest.MapFS{"detect/test/0.yaml": {Data: []byte(strings.Replace(outer, "delete", "together", 1))},
		"detect/test/z.yaml": {Data: []byte(inner)}, "detect/test/a.yaml": {Data: []byte(base("create", ""))}})
	if err == nil || !strings.Contains(err.Error(), "correlations of each other") {
		t.Errorf("a correlation of itself: %v", err)
	}
}

func TestAWrongCorrelationDoesNotLoad(t *testing.T) {
	const good = "  type: event_count\n  rules: [create]\n  group-by: [name]\n  timespan: 1m\n  condition: {gte: 3}\n"
	tests := []struct{ name, old, new, want string }{
		{"a type that is none", "event_count", "count", `a.yaml:9: type "count": want event_count`},
		{"a rule that is none", "[create]", "[nothing]", `a.yaml:10: no rule is called "nothing"`},
		{"no rules", "[create]", "[]", "a.yaml:10: want 1 to 16 rules"},
		{"a field that is none", "[name]", "[nmae]", `unknown field "nmae"`},
		{"a time that is none", "1m", "soon", `a.yaml:12: time "soon"`},
		{"a time that is too long", "1m", "31d", `time "31d"`},
		{"a time of nothing", "1m", "0s", `time "0s"`},
		{"fewer than", "gte", "lt", "what does not happen is not waited for"},
		{"no count", "{gte: 3}", "{}", "a count of 1 to 1000"},
		{"too many", "gte: 3", "gte: 1001", "a count of 1 to 1000"},
		{"a field of a count of events", "{gte: 3}", "{gte: 3, field: name}", "want a field for value_count"},
		{"a count of values without a field", "event_count", "value_count", "want a field for value_count"},
		{"a count of what is ordered", "event_count", "temporal_ordered", "wants no condition"},
		{"one rule in order", "event_count\n  rules: [create]\n  group-by: [name]\n  timespan: 1m\n  condition: {gte: 3}",
			"temporal_ordered\n  rules: [create]\n  timespan: 1m", "wants two rules or more"},
		{"an alias of no rule", good, good + "  aliases: {who: {delete: name}}\n", `"delete" is none of the rules`},
		{"an alias of no field", good, good + "  aliases: {who: {create: nobody}}\n", `unknown field "nobody"`},
		{"a detection beside it", good, good + "detection: {x: {verb: y}, condition: x}\n", "want a correlation or a detection"},
		{"an unknown key", good, good + "  every: 1m\n", `unknown key "every"`},
	}
	for _, test := range tests {
		text := correlationOf(strings.Replace(good, test.old, test.new, 1))
		_, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(text)}, "detect/test/b.yaml": {Data: []byte(base("create", ""))}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestARuleThatRemembersIsBounded: whoever makes up identities makes a rule forget, and that is counted.
func TestARuleThatRemembersIsBounded(t *testing.T) {
	text := base("create", "baseline: {type: first_seen, group-by: [name], value: [resource], warm-up: 1s, events: 1}\n")
	r, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	g := New(r, nil, Options{})
	for i := range maxGroups + 100 {
		g.Feed(happened(fmt.Sprintf("0s create n%d x", i)))
	}
	if m := g.Memories()["create"]; m.Groups != maxGroups || m.Forgotten != 100 {
		t.Errorf("%+v", m)
	}
	gone := 0
	for _, state := range g.Checkpoint() {
		if state == "" {
			gone++
		}
	}
	if gone != 100 {
		t.Errorf("%d parts are gone, want 100", gone)
	}
	alerts := 0
	for i := range maxHabits + 500 {
		alerts += len(g.Feed(happened(fmt.Sprintf("%ds create hostile r%d", i, i))))
	}
	m := g.memories[r.all[0]]
	if told := g.Memories()["create"]; told.Full != 1 || alerts != maxHabits-1 {
		t.Errorf("%+v, %d alerts", told, alerts)
	}
	sum := 0
	for _, s := range m.groups.Values() {
		sum += s.weighs()
	}
	if sum != m.weight {
		t.Errorf("%d is counted, and %d is there", m.weight, sum)
	}
	for i := range 110 {
		for v := range maxHabits {
			g.Feed([]event.Event{{ID: fmt.Sprint(i, v), Cluster: "prod", Source: source, Time: time.Unix(int64(v), 0), Fields: event.Fields{
				"verb": {"create"}, "name": {fmt.Sprint("wide", i)}, "resource": {fmt.Sprint(v)}}}})
		}
	}
	if m.weight > maxWeight {
		t.Errorf("it remembers %d, more than %d", m.weight, maxWeight)
	}
}

func TestWhatIsUnusual(t *testing.T) {
	first := "{type: first_seen, group-by: [name], value: [resource], warm-up: 1h, events: 3, forget: 10d}"
	seldom := "{type: rare, group-by: [name], value: [resource], warm-up: 1h, events: 3, share: 0.2}"
	many := "{type: burst, group-by: [name], value: [resource], warm-up: 1h, events: 3, timespan: 1m, at-least: 3, factor: 2}"
	storm := "{type: burst, group-by: [], warm-up: 1h, events: 3, timespan: 1m, at-least: 3}"
	peers := "{type: peer, peers: [address], group-by: [name], value: [resource], warm-up: 1h, events: 3}"
	usual := "0s create a x, 10m create a x, 20m create a y, 30m create a x"
	team := "0s create a x t, 10m create b x t, 20m create c x t"
	tests := []struct{ name, baseline, events, want, says string }{
		{"what it never did", first, usual + ", 2h create a z", "2h0m0s",
			"In 2 hours, in which 4 events like it of name a were looked at, none had resource z."},
		{"what it did", first, usual + ", 2h create a y", "", ""},
		{"what it does a second time", first, usual + ", 2h create a z, 3h create a z", "2h0m0s", ""},
		{"while it is not known long enough", first, usual + ", 50m create a z", "", ""},
		{"of one that did too little", first, "0s create a x, 2h create a y", "", ""},
		{"what another one did", first, usual + ", 0s create b z, 2h create a z", "2h0m0s", ""},
		{"what it did very long ago", first, usual + ", 300h create a y", "300h0m0s", ""},
		{"what it does seldom", seldom, usual + ", 2h create a x, 3h create a y, 4h create a w", "4h0m0s", "0 had resource w"},
		{"what it does often", seldom, usual + ", 2h create a x", "", ""},
		{"more than ever", many, "0s create a x, 10m create a x, 20m create a y, 2h create a x, 2h0m1s create a y, 2h0m2s create a z",
			"2h0m2s", "there were never more than 1 different values of resource within 1 minute, and now there are 3"},
		{"as much as before", many, "0s create a x, 0s create a y, 0s create a z, 10m create a x, 2h create a x, 2h0m1s create a y, 2h0m2s create a z",
			"", ""},
		{"the same again and again", many, "0s create a x, 10m create a x, 20m create a y, 2h create a x, 2h0m1s create a x, 2h0m2s create a x", "", ""},
		{"of one who never did anything of the kind", strings.Replace(many, "events: 3, ", "", 1), "0s list b, 2h create a x, 2h0m1s create a y, 2h0m2s create a z", "2h0m2s",
			"In 2 hours, in which 2 events like it of name a were looked at, there were never more than 0 different values"},
		{"of one who never did, while the cluster is new", strings.Replace(many, "events: 3, ", "", 1), "0s list b, 30m create a x, 30m1s create a y, 30m2s create a z", "", ""},
		{"what nobody ever did", strings.NewReplacer("[name]", "[]", "events: 3", "events: 0").Replace(first), "0s list b, 2h create a x", "2h0m0s", "none had resource x"},
		{"too slowly", many, "0s create a x, 10m create a x, 20m create a y, 2h create a x, 2h0m50s create a y, 2h1m10s create a z", "", ""},
		{"across the minute", many, "0s create a x, 10m create a x, 20m create a y, 2h0m50s create a x, 2h1m0s create a y, 2h1m10s create a z",
			"2h1m10s", ""},
		{"a storm of all", storm, "0s create a, 10m create b, 20m create c, 2h create a, 2h0m1s create b, 2h0m2s create c, 2h0m3s create d", "2h0m3s",
			"In 2 hours, in which 6 events like it were looked at, there were never more than 1 events within 1 minute, and now there are 4."},
		{"what no peer did", peers, team + ", 2h create a z t", "2h0m0s", "0 of 2 peers had resource z"},
		{"what a peer did", peers, team + ", 30m create b z t, 2h create a z t", "", ""},
		{"what a new one does that none did", peers, team + ", 2h create d z t", "2h0m0s", ""},
		{"what a new one does as all do", peers, team + ", 2h create d x t", "", ""},
		{"one with too few peers", peers, "0s create a x t, 10m create b x t, 20m create a x t, 2h create a z t", "", ""},
	}
	for _, test := range tests {
		r, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(base("create", "baseline: "+test.baseline+"\n"))}})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		g, restarted := New(r, nil, Options{}), New(r, nil, Options{})
		events := happened(test.events)
		start := events[0].Time
		for _, engine := range []*Engine{g, restarted} {
			got, said := "", ""
			for i := range events {
				for _, a := range engine.Feed(events[i : i+1]) {
					got += events[i].Time.Sub(start).String()
					said = strings.Join(a.Evidence, " ")
				}
				if engine == restarted {
					parts := engine.checkpointed(t)
					engine = New(r, nil, Options{})
					if _, err := engine.Restore(parts); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got != test.want || !strings.Contains(said, test.says) {
				t.Errorf("%s: alerts at %q, want %q; it says %q, want %q", test.name, got, test.want, said, test.says)
			}
		}
	}
}

func TestAWrongBaselineDoesNotLoad(t *testing.T) {
	tests := []struct{ name, baseline, want string }{
		{"a type that is none", "{type: odd, value: [name]}", `type "odd": want first_seen, rare, burst or peer`},
		{"nothing to look at", "{type: first_seen}", "want the fields whose values are looked at"},
		{"a field that is none", "{type: first_seen, value: [nmae]}", `unknown field "nmae"`},
		{"a time that is none", "{type: first_seen, value: [name], warm-up: ever}", `time "ever"`},
		{"a share of what is not rare", "{type: first_seen, value: [name], share: 0.1}", "want a share"},
		{"no share", "{type: rare, value: [name]}", "want a share"},
		{"a burst of nothing", "{type: burst}", "want how many a burst has"},
		{"peers of nobody", "{type: peer, value: [name], peers: [verb]}", "want what peers have in common"},
		{"too many peers", "{type: peer, value: [name], peers: [verb], group-by: [name], at-most: 8}", "want fewer than 8"},
		{"an unknown key", "{type: first_seen, value: [name], warmup: 1d}", `unknown key "warmup"`},
	}
	for _, test := range tests {
		_, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(base("create", "baseline: "+test.baseline+"\n"))}})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "a.yaml:10") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// What a rule learned before it was written otherwise, and what cannot be read, is named and begun anew.
func TestWhatNobodyNeedsAnyMoreIsNamed(t *testing.T) {
	made := func(more string) *Rules {
		r, err := Load(logs, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(base("create", "baseline: {type: first_seen, value: [name]"+more+"}\n"))}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	g := New(made(""), nil, Options{})
	g.Feed(happened("0s create a"))
	parts := g.Checkpoint()
	if len(parts) != 2 || len(g.Checkpoint()) != 0 {
		t.Fatalf("%v", parts)
	}
	delete(parts, begunPart+"prod")
	for name, r := range map[string]*Rules{"the same": made(""), "another": made(", events: 5")} {
		useless, err := New(r, nil, Options{}).Restore(parts)
		if want := map[string]int{"the same": 0, "another": 1}[name]; err != nil || len(useless) != want {
			t.Errorf("%s: %v, %v", name, useless, err)
		}
	}
	for part := range parts {
		useless, err := New(made(""), nil, Options{}).Restore(map[string]string{part: "{", "none": "{}", begunPart + "prod": "x"})
		if err == nil || len(useless) != 3 {
			t.Errorf("%v, %v", useless, err)
		}
	}
}
