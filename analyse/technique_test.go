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
	s := newSearch(graph.NewView(v.Vocabulary(), v.Shared(), derived), rules, nil)
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
