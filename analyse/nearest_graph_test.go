package analyse

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/graph"
)

// guardedSteps are two techniques, each with guards: over a volume, which three things may prevent, and into a
// container's account, which one may. The second ends there: no path goes on from a Secret that is only tampered with.
var guardedSteps = fstest.MapFS{
	"attack/volume.yaml": {Data: []byte(`id: volume
title: Over a volume
severity: high
match: MATCH (a:Container)-[:SHARES_VOLUME]->(b:Container) MERGE (a)-[:CAN_EXECUTE_IN]->(b)
unless:
  - {name: it cannot write, match: MATCH (b:Container) WHERE b.privileged = false}
  - {name: it has no shell, match: MATCH (b:Container) WHERE b.thirdParty = false}
  - {name: it is confined, match: MATCH (b:Container) WHERE b.tokenMounted = false}
why: w
fix: f
code: {none: n}
tests:
  - {name: a, given: "Container a -SHARES_VOLUME-> Container b", want: [a -> b]}
  - {name: b, given: "Container a", want: []}
`)},
	"attack/spoil.yaml": {Data: []byte(`id: spoil
title: Spoil
severity: high
ends: true
likelihood: certain
effort: low
match: MATCH (a:Container)-[:MOUNTS]->(v:Volume) MATCH (v)<-[:MOUNTS]-(b:Container) MERGE (a)-[:CAN_TAMPER]->(b)
why: w
fix: f
code: {none: n}
tests:
  - {name: a, given: "Container a -MOUNTS-> Volume v\nContainer b -MOUNTS-> Volume v", want: [a -> b, b -> a]}
  - {name: b, given: "Container a", want: []}
`)},
}

func TestTheFewestGuardsDecideWhichWayIsTold(t *testing.T) {
	const (
		certain = "privileged=true thirdParty=true tokenMounted=true"

		one   = "privileged=false"
		two   = "privileged=false thirdParty=false"
		three = "privileged=false thirdParty=false tokenMounted=false"
	)
	// A pod of its own for each container, named as it.
	pod := func(name, more string) string {
		return fmt.Sprintf("Pod n/Pod/%[1]s name=%[1]s namespace=n workload=Pod/%[1]s -RUNS-> "+
			"Container %[1]s name=%[1]s namespace=n workload=Pod/%[1]s %[2]s\n", name, more)
	}
	shares := func(pairs ...string) (out string) {
		for _, p := range pairs {
			out += fmt.Sprintf("Container %s -SHARES_VOLUME-> Container %s\n", p[:1], p[2:])
		}
		return out
	}
	const holder = "Container a -CAN_ACT_AS-> ServiceAccount n/ServiceAccount/s name=s namespace=n\n" +
		"Permission p name=all -CAN_TAKE_OVER-> Cluster Cluster name=c\n"
	for _, test := range []struct{ name, given, from, to, want string }{
		{"nothing prevents it", pod("a", "") + pod("b", "") + shares("a>b"), "workload:n/a", "pod:n/b", "a → b"},
		{"a long free way before a short guarded one", pod("a", "") + pod("b", "") + pod("d", "") + pod("e", "") + pod("f", one) +
			shares("a>b", "b>d", "d>e", "a>f", "f>e"), "workload:n/a", "pod:n/e", "a → b, b → d, d → e"},
		{"of two free ways the shorter", pod("a", "") + pod("b", "") + pod("d", "") + shares("a>b", "b>d", "a>d"),
			"workload:n/a", "pod:n/d", "a → d"},
		{"one guard before two", pod("a", "") + pod("b", two) + pod("d", one) + pod("e", "") + shares("a>b", "b>e", "a>d", "d>e"),
			"workload:n/a", "pod:n/e", "a → d (it cannot write), d → e"},
		{"two on the way before three at one step", pod("a", "") + pod("b", three) + pod("d", one) + pod("e", one) + pod("f", "") +
			shares("a>b", "b>f", "a>d", "d>e", "e>f"), "workload:n/a", "pod:n/f", "a → d (it cannot write), d → e (it cannot write), e → f"},
		{"all guards of a step are told", pod("a", "") + pod("b", three) + shares("a>b"), "workload:n/a", "pod:n/b",
			"a → b (it cannot write, it has no shell, it is confined)"},
		{"what may prevent it is told, too", pod("a", "") + pod("b", "privileged=true thirdParty=true") + shares("a>b"), "workload:n/a",
			"pod:n/b",
			"a → b"},
		{"what is only spoilt is reached", pod("a", "") + pod("b", "") + "Container a -MOUNTS-> Volume v\nContainer b -MOUNTS-> Volume v\n",
			"workload:n/a", "pod:n/b", "a → b"},
		{"and leads no further", pod("a", "") + pod("b", "") + pod("d", "") +
			"Container a -MOUNTS-> Volume v\nContainer b -MOUNTS-> Volume v\n" +
			shares("b>d"), "workload:n/a", "pod:n/d", "none"},
		{"a lack of a permission", pod("a", "") + holder, "workload:n/a", "cluster",
			"a → s, s → p (no binding gives it this permission), p → Cluster"},
		{"one guard before a lack", pod("a", "") + pod("b", one) + shares("a>b") + holder +
			"Container b -CAN_ACT_AS-> User u name=u\nUser u -HOLDS-> Permission p\n", "workload:n/a", "cluster",
			"a → b (it cannot write), b → u, u → p, p → Cluster"},
		{"a lack before two guards", pod("a", "") + pod("b", two) + shares("a>b") + holder +
			"Container b -CAN_ACT_AS-> User u name=u\nUser u -HOLDS-> Permission p\n", "workload:n/a", "cluster",
			"a → s, s → p (no binding gives it this permission), p → Cluster"},
		{"a Secret by its name", pod("a", "") + "Container a -CAN_READ-> Secret n/Secret/k name=k namespace=n\n", "workload:n/a",
			"secret:n/k", "a → k"},
		{"pods of a workload alone are its", strings.ReplaceAll(pod("a", ""), "Pod/a ", "Deployment/w ") + pod("b", "") + shares("a>b"),
			"workload:n/w",
			"pod:n/b", "a → b"},
		{"a workload of the same name elsewhere is another", pod("a", "") + strings.ReplaceAll(pod("b", ""), "namespace=n",
			"namespace=m") + shares("a>b"),
			"workload:m/a", "pod:m/b", "unknown"},
		{"what has ended is no more", pod("a", "") + pod("b", "ended=true") + shares("a>b"), "workload:n/a", "pod:n/b", "unknown"},
		{"nor is a pod that has", pod("a", "") + strings.ReplaceAll(pod("b", ""), "workload=Pod/b -RUNS", "ended=true workload=Pod/b -RUNS"),
			"workload:n/a", "pod:n/b", "unknown"},
		{"of two ways as long the one that is certain", pod("a", "") + pod("b", "") + pod("d", certain) + pod("e", certain) +
			shares("a>b", "b>e", "a>d", "d>e"), "workload:n/a", "pod:n/e", "a → d, d → e"},
		{"from the internet, where it is known to get in", "Internet internet -ROUTES_TO-> Service s -ROUTES_TO-> Pod n/Pod/a exposed=true\n" +
			pod("a", "exposed=true") + "Pod n/Pod/a -CAN_EXPLOIT-> Container a\n" + pod("b", "") + shares("a>b"), "internet", "pod:n/b",
			"internet → a, a → b"},
		{"from the internet, to what is exposed and has nothing that lets it in", pod("a", "exposed=true") +
			"Container a -USES_IMAGE-> Image i scanned=true\n", "internet", "pod:n/a",
			"internet → a (no vulnerability is known that lets code run in it)"},
		{"from the internet, to what nothing leads to, and nobody has read", pod("a", ""), "internet", "pod:n/a",
			"internet → a (nothing leads from the internet to it; its image is not known)"},
		{"from the internet, to neither", pod("a", "") + "Container a -USES_IMAGE-> Image i scanned=true\n", "internet", "pod:n/a",
			"internet → a (nothing leads from the internet to it, no vulnerability is known that lets code run in it)"},
		{"from the internet, not over what has ended", pod("a", "ended=true") + pod("b", "") +
			"Container a -TALKS_AS-> NetClass x -CAN_TALK_TO-> NetClass y -CAN_EXECUTE_IN-> Container b -USES_IMAGE-> Image i scanned=true\n",
			"internet", "workload:n/b",
			"internet → b (nothing leads from the internet to it, no vulnerability is known that lets code run in it)"},
		{"one lack at the door before two", pod("a", "exposed=true") + pod("b", "") + shares("a>b") +
			"Container a -USES_IMAGE-> Image i scanned=true\n" +
			"Container b -USES_IMAGE-> Image i\n", "internet", "pod:n/b",
			"internet → a (no vulnerability is known that lets code run in it), a → b"},
		{"what is exploited is no step on", pod("a", "") + pod("b", "") + "Pod n/Pod/a -CAN_EXPLOIT-> Container b\n", "pod:n/a",
			"pod:n/b", "none"},
		{"from a thing to itself", pod("a", ""), "pod:n/a", "pod:n/a", "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules, err := LoadFS(guardedSteps)
			if err != nil {
				t.Fatal(err)
			}
			if got := nearestWay(t, test.given, rules, test.from, test.to); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// nearestWay is the way as people would write it: each step with what prevents it, and after a semicolon with what is
// not known; lifted are other pictures, as "guard: graph".
func nearestWay(t *testing.T, given string, rules *Rules, from, to string, lifted ...string) string {
	t.Helper()
	derived := func(text string) *graph.View {
		v, err := parseGiven(text)
		if err != nil {
			t.Fatal(err)
		}
		seg, err := rules.derive(t.Context(), v, v.Clusters()[0])
		if err != nil {
			t.Fatal(err)
		}
		return graph.NewView(v.Vocabulary(), v.Shared(), seg)
	}
	var without []Lifted
	for _, l := range lifted {
		guard, text, _ := strings.Cut(l, ": ")
		without = append(without, Lifted{derived(text), guard})
	}
	got, found, err := NearestWay(t.Context(), derived(given), rules, from, to, without...)
	switch {
	case err != nil:
		return "unknown"
	case !found:
		return "none"
	}
	var steps []string
	guards := 0
	for _, s := range got.Steps {
		short := func(id string) string { return id[max(strings.LastIndexAny(id, "/ "), 0)+1:] }
		text := short(s.From) + " → " + short(s.To)
		if technique := s.Verb == "can execute in" && len(rules.attack) > 0; technique != (s.Technique == "Over a volume") {
			t.Errorf("%s %s by %q", text, s.Verb, s.Technique)
		}
		why := strings.Join(s.Prevented, ", ")
		if s.Uncertain != "" && !strings.HasPrefix(s.Uncertain, "it is not known whether it") {
			why += "; " + s.Uncertain
		}
		if why != "" {
			text += " (" + why + ")"
		}
		steps = append(steps, text)
		guards += len(s.Prevented)
	}
	if got.Guards != guards || got.Reached != (guards == 0) {
		t.Errorf("%d guards told, reached %t", got.Guards, got.Reached)
	}
	return strings.Join(steps, ", ")
}

func TestAnotherPictureTellsWhatItsGuardPrevents(t *testing.T) {
	const (
		a    = "Pod n/Pod/a name=a namespace=n workload=Pod/a -RUNS-> Container a name=a namespace=n workload=Pod/a\n"
		b    = "Pod n/Pod/b name=b namespace=n workload=Pod/b -RUNS-> Container b name=b namespace=n workload=Pod/b\n"
		step = "Container a -CAN_EXECUTE_IN-> Container b\n"
		more = "Container a -CAN_EXECUTE_IN-> Container x\nContainer x -CAN_EXECUTE_IN-> Container b\n"
	)
	for _, test := range []struct {
		name, given, want string
		lifted            []string
	}{
		{"a step that is there without the guard", a + b, "a → b (a policy)", []string{"a policy: " + a + b + step}},
		{"of two guards the first that is lifted alone", a + b, "a → b (a policy)", []string{"a policy: " + a + b + step, "another: " +
			a + b + step}},
		{"a guard that keeps nothing", a + b, "none", []string{"a policy: " + a + b}},
		{"a step that is there with it", a + b + step, "a → b", []string{"a policy: " + a + b + step}},
		{"a thing that is not there with it", a + b, "none", []string{"a policy: " + a + b + more}},
	} {
		if got := nearestWay(t, test.given, &Rules{}, "pod:n/a", "pod:n/b", test.lifted...); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
