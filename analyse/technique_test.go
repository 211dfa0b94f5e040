package analyse

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/graph"
)

// sharedVolume is a technique by which one pair of containers can match by
// several volumes, with two guards that are about the volume.
const sharedVolume = `id: r
title: R
severity: low
match: >
  MATCH (a:Container)-[:MOUNTS]->(v:Volume)
  MATCH (v)<-[:MOUNTS]-(b:Container)
  MERGE (a)-[:CAN_TAMPER]->(b)
unless:
  - name: the volume is a host folder
    match: MATCH (v:Volume) WHERE v.hostPath
  - name: the volume is a secret
    match: MATCH (v:Volume) WHERE v.type = 'secret'
why: w
fix: f
code: {none: n}
tests:
  - name: a
    given: |
      Container a -MOUNTS-> Volume v hostPath=false type=emptyDir
      Container b -MOUNTS-> Volume v
    want: [a -> b, b -> a]
  - name: b
    given: Container a -MOUNTS-> Volume v
    want: []
`

func TestOneWayThatNoGuardStopsIsEnough(t *testing.T) {
	const (
		free    = "hostPath=false type=emptyDir"
		unknown = "type=emptyDir"
		guarded = "hostPath=true type=emptyDir"
		secret  = "hostPath=false type=secret"
	)
	tests := []struct {
		name    string
		volumes []string // of both containers, v0 first
		want    string   // witness and what is said
	}{
		{"one free way", []string{free}, "made by v0"},
		{"one guarded way", []string{guarded}, "prevented by v0: the volume is a host folder"},
		{"the second guard", []string{secret}, "prevented by v0: the volume is a secret"},
		{"a guarded way, then a free one", []string{guarded, free}, "made by v1"},
		{"a free way, then a guarded one", []string{free, guarded}, "made by v0"},
		{"an unknown way", []string{unknown}, "made by v0: it is not known whether the volume is a host folder"},
		{"two guards of which nothing is known", []string{""},
			"made by v0: it is not known whether the volume is a host folder, nor whether the volume is a secret"},
		{"a guarded way, then an unknown one", []string{guarded, unknown},
			"made by v1: it is not known whether the volume is a host folder"},
		{"an unknown way, then a guarded one", []string{unknown, guarded},
			"made by v0: it is not known whether the volume is a host folder"},
		{"an unknown way, then a free one", []string{unknown, free}, "made by v1"},
		{"guarded, unknown, free", []string{guarded, unknown, free}, "made by v2"},
		{"two guarded ways", []string{guarded, secret}, "prevented by v0: the volume is a host folder"},
	}
	rules, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(sharedVolume)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var given strings.Builder
			for i, volume := range test.volumes {
				fmt.Fprintf(&given, "Container a -MOUNTS-> Volume v%d %s\nContainer b -MOUNTS-> Volume v%d\n", i, volume, i)
			}
			v, err := parseGiven(given.String())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			err = rules.attack[0].run(background(), v, func(g gained) bool {
				if givenID(g.from) == "a" {
					got = append(got, said(g))
				}
				return true
			})
			if err != nil || strings.Join(got, " and ") != test.want {
				t.Errorf("got %q, want %q; error %v", got, test.want, err)
			}
		})
	}
}

func said(g gained) string {
	text := "made by "
	if g.prevented != "" {
		text = "prevented by "
	}
	for _, n := range g.witness {
		text += givenID(n)
	}
	if more := g.prevented + g.uncertain; more != "" {
		text += ": " + more
	}
	return text
}

func TestTheEvidenceOfAnEdgeIsTheWayThatNoGuardStops(t *testing.T) {
	rules, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(sharedVolume)}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseGiven("Container a -MOUNTS-> Volume v0 hostPath=true type=secret\nContainer b -MOUNTS-> Volume v0\n" +
		"Container a -MOUNTS-> Volume v1 hostPath=false type=emptyDir\nContainer b -MOUNTS-> Volume v1")
	if err != nil {
		t.Fatal(err)
	}
	derived, _, _, err := Cluster(background(), v, v.Clusters()[0], rules)
	if err != nil {
		t.Fatal(err)
	}
	s := searchOn(t, graph.NewView(v.Vocabulary(), v.Shared(), derived), rules)
	a, _ := s.view.Node("Container", "c/a")
	edges := 0
	for e := range a.Out("CAN_TAMPER") {
		edges++
		because := fmt.Sprint(s.facts.of(rules.attack[0], e))
		if !strings.Contains(because, "Volume c/v1") || strings.Contains(because, "Volume c/v0") {
			t.Errorf("it rests on %s, want volume v1 only", because)
		}
	}
	if edges != 1 {
		t.Errorf("%d edges, want one", edges)
	}
}

func TestAnEdgeKeepsAFewWitnessesEachOnce(t *testing.T) {
	text := strings.NewReplacer("MATCH (p)-[:RUNS_ON]->(n:Node)", "MATCH (p)-[:RUNS_ON]->(n:Node) MATCH (n)<-[:RUNS_ON]-(again:Pod) "+
		"MATCH (p)-[:RUNS_AS]->(s:ServiceAccount) MATCH (s)-[:HOLDS]->(m:Permission) MATCH (m)-[:COVERS]->(k:Namespace) "+
		"MATCH (p)<-[:ROUTES_TO]-(r:Service)").Replace(goodTechnique)
	rules, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseGiven("Pod p -RUNS-> Container c privileged=true\nPod p -RUNS_ON-> Node n\nPod p -RUNS_AS-> ServiceAccount s\n" +
		"ServiceAccount s -HOLDS-> Permission m\nPermission m -COVERS-> Namespace k\nService r -ROUTES_TO-> Pod p\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = rules.attack[0].run(t.Context(), v, func(g gained) bool {
		got = append(got, fmt.Sprint(kindIDs(g.witness)))
		return true
	})
	if want := "[Pod c/p ServiceAccount c/s Permission c/m Namespace c/k]"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s; error %v", got, want, err)
	}
}

// twoWays is a technique with two patterns for one gain.
const twoWays = `id: two
title: Two ways
severity: high
likelihood: certain
effort: low
match:
  - >
    MATCH (a:Container)-[:MOUNTS]->(v:Volume) WHERE v.hostPath
    MATCH (a)<-[:RUNS]-(p:Pod) MATCH (p)-[:RUNS_ON]->(n:Node) MERGE (a)-[:CAN_TAKE_OVER]->(n)
  - MATCH (a:Container)<-[:RUNS]-(p:Pod) WHERE a.privileged MATCH (p)-[:RUNS_ON]->(n:Node) MERGE (a)-[:CAN_TAKE_OVER]->(n)
why: w
fix: f
code: {none: n}
tests:
  - {name: fires, given: "Pod p -RUNS-> Container a privileged=true\nPod p -RUNS_ON-> Node n", want: [a -> n]}
  - {name: quiet, given: "Pod p -RUNS-> Container a\nPod p -RUNS_ON-> Node n", want: []}
`

func TestATechniqueMayMatchInSeveralWaysAndNeverWhatHasEnded(t *testing.T) {
	rules, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(twoWays)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, container, pod, want string }{
		{"neither", "", "", ""},
		{"the first", "-MOUNTS-> Volume v hostPath=true", "", "a -> n by v p"},
		{"the second", "privileged=true", "", "a -> n by p"},
		{"both are one edge", "privileged=true -MOUNTS-> Volume v hostPath=true", "", "a -> n by v p"},
		{"the container has ended", "privileged=true ended=true", "", ""},
		{"it runs on", "privileged=true ended=false", "", "a -> n by p"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := parseGiven("Container a " + test.container + "\nPod p -RUNS-> Container a\nPod p -RUNS_ON-> Node n")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			err = rules.attack[0].run(background(), v, func(g gained) bool {
				text := givenID(g.from) + " -> " + givenID(g.to) + " by"
				for _, n := range g.witness {
					text += " " + givenID(n)
				}
				got = append(got, text)
				return true
			})
			if err != nil || strings.Join(got, "; ") != test.want {
				t.Errorf("got %q, want %q; error %v", got, test.want, err)
			}
		})
	}
}

func TestWhatIsWrongWithATechniqueIsToldAtItsPlace(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"likelihood: certain", "likelihood: often", `attack/r.yaml:4: likelihood "often": want certain, likely or possible`},
		{"effort: low", "effort: none", `attack/r.yaml:5: effort "none": want low, medium or high`},
		{"MERGE (a)-[:CAN_TAKE_OVER]->(n)\nwhy", "MERGE (a)-[:RUNS_ON]->(n)\nwhy", "attack/r.yaml:10: 1:88: RUNS_ON is a fact"},
		{"MERGE (a)-[:CAN_TAKE_OVER]->(n)\nwhy", "MERGE (a)-[:CAN_EXECUTE_IN]->(n)\nwhy", "attack/r.yaml:10:"},
		{"why: w", "unless: [{name: g, match: 'MATCH (v:Volume) WHERE v.hostPath'}]\nwhy: w",
			"v is not a variable of every pattern of the rule's match"},
	} {
		text := strings.Replace(twoWays, test.from, test.to, 1)
		if text == twoWays {
			t.Fatalf("%q is not in the rule", test.from)
		}
		if _, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(text)}}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.to, err, test.want)
		}
	}
}
