package analyse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/graph"
)

// steps are two techniques by which containers lead to each other: SHARES_VOLUME
// gives control of the other, RUNS_AS of an account ends there.
var steps = fstest.MapFS{
	"attack/enter.yaml": {Data: []byte(`id: enter
title: Enter
severity: high
match: MATCH (p:Pod)-[:RUNS]->(c:Container) WHERE p.exposed MERGE (p)-[:CAN_EXPLOIT]->(c)
why: w
fix: f
code: {none: n}
tests:
  - {name: a, given: "Pod p exposed=true -RUNS-> Container c", want: [p -> c]}
  - {name: b, given: "Pod p -RUNS-> Container c", want: []}
`)},
	"attack/go.yaml": {Data: []byte(`id: go
title: Go on
severity: high
match: MATCH (a:Container)-[:SHARES_VOLUME]->(b:Container) WHERE b.privileged MERGE (a)-[:CAN_EXECUTE_IN]->(b)
why: w
fix: f
code: {none: n}
tests:
  - {name: a, given: "Container a -SHARES_VOLUME-> Container b privileged=true", want: [a -> b]}
  - {name: b, given: "Container a", want: []}
`)},
	"attack/end.yaml": {Data: []byte(`id: end
title: End
severity: high
ends: true
match: MATCH (a:Container)-[:SHARES_VOLUME]->(b:Container) MERGE (a)-[:CAN_TAMPER]->(b)
why: w
fix: f
code: {none: n}
tests:
  - {name: a, given: "Container a -SHARES_VOLUME-> Container b", want: [a -> b]}
  - {name: b, given: "Container a", want: []}
`)},
	"paths/reach.yaml": {Data: []byte(`id: reach
title: Reach
severity: high
target: MATCH (target:Container)
arrive: [CAN_EXECUTE_IN, CAN_TAMPER]
why: w
fix: f
tests:
  - {name: a, given: "Pod p", want: [x]}
  - {name: b, given: "Pod p", want: []}
`)},
}

// reached is the routes found in a graph, from the first container on.
func reached(t *testing.T, given string, most int) (routes []string, gaps []string) {
	t.Helper()
	rules, err := LoadFS(steps)
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseGiven("Internet internet -ROUTES_TO-> Service s name=s\n" +
		"Service s -ROUTES_TO-> Pod p exposed=true namespace=n workload=Pod/p\n" + given)
	if err != nil {
		t.Fatal(err)
	}
	seg, err := rules.derive(t.Context(), v, v.Clusters()[0])
	if err != nil {
		t.Fatal(err)
	}
	s := searchOn(t, graph.NewView(v.Vocabulary(), v.Shared(), seg), rules)
	s.most = most
	found, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		_, route, _ := strings.Cut(p.route(), " -> s -> p -> ")
		routes = append(routes, route)
	}
	slices.Sort(routes)
	for _, g := range s.gaps {
		gaps = append(gaps, g.What+": "+g.Why)
	}
	return routes, gaps
}

// joined are containers, each of a workload of its own, with the volumes by which
// one leads to another: "a>b" to take over, "a=b" to tamper with. The first is in
// the exposed pod.
func joined(links string) string {
	var text strings.Builder
	first := true
	add := func(name string, privileged bool) {
		more := ""
		if privileged {
			more = " privileged=true"
		}
		fmt.Fprintf(&text, "Container %s name=%s namespace=n workload=Pod/%s%s\n", name, name, name, more)
	}
	for link := range strings.FieldsSeq(links) {
		from, to, open := strings.Cut(link, ">")
		if !open {
			from, to, _ = strings.Cut(link, "=")
		}
		if first {
			fmt.Fprintf(&text, "Pod p -RUNS-> Container %s\n", from)
			add(from, false)
			first = false
		}
		add(to, open)
		fmt.Fprintf(&text, "Container %s -SHARES_VOLUME-> Container %s\n", from, to)
	}
	return text.String()
}

func TestPathsGoOnWhereControlIsGainedAndTakeNoDetour(t *testing.T) {
	tests := []struct{ name, links, want string }{
		{"one step", "a>b", "a -> b"},
		{"two steps", "a>b b>c", "a -> b; a -> b -> c"},
		{"no control, no further", "a=b b>c", "a -> b"},
		{"a fork", "a>b a>c", "a -> b; a -> c"},
		{"two ways to one end", "a>b a>c b>d c>d", "a -> b; a -> b -> d; a -> c"},
		{"the shortcut is told, not the detour", "a>b b>c a>c", "a -> b; a -> c"},
		{"no circles", "a>b b>a b>c", "a -> b; a -> b -> c"},
		{"what the exposed pod reaches is not found again", "a>b b>c c>a c>b", "a -> b; a -> b -> c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, gaps := reached(t, joined(test.links), maxPaths)
			if text := strings.Join(got, "; "); text != test.want || len(gaps) > 0 {
				t.Errorf("found %q with gaps %q, want %q", text, gaps, test.want)
			}
		})
	}
}

func TestWhatLiesBeyondABoundIsAGap(t *testing.T) {
	chain := func(n int) (links string) {
		for i := range n {
			links += fmt.Sprintf("c%d>c%d ", i, i+1)
		}
		return links
	}
	tests := []struct {
		name, links string
		most, paths int
		gap         string
	}{
		{"however long", chain(40), maxPaths, 40, ""},
		{"as many as are told", chain(3), 3, 3, ""},
		{"more", chain(3), 2, 2, "attack paths: there are 1 more than the 2 that are told"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, gaps := reached(t, joined(test.links), test.most)
			if len(got) != test.paths || strings.Join(gaps, "; ") != test.gap {
				t.Errorf("%d paths, gaps %q; want %d, %q", len(got), gaps, test.paths, test.gap)
			}
		})
	}
}

// searchOn is a search on a view as it is.
func searchOn(t *testing.T, v *graph.View, rules *Rules) *search {
	t.Helper()
	on, err := newSurvey(t.Context(), v, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newSearch(on, nil)
}
