package analyse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const goodTechnique = `id: r
title: R
severity: low
match: >
  MATCH (c:Container)<-[:RUNS]-(p:Pod) WHERE c.privileged
  MATCH (p)-[:RUNS_ON]->(n:Node)
  MERGE (c)-[:CAN_TAKE_OVER]->(n)
unless:
  - name: g
    match: MATCH (p:Pod) WHERE p.runtimeSandboxed
why: w
fix: f
code: {none: n}
tests:
  - name: a
    given: |
      Pod p -RUNS-> Container p/c privileged=true
      Pod p -RUNS_ON-> Node n
    want: [p/c -> n]
  - name: b
    given: Pod p -RUNS-> Container p/c privileged=true
    want: []
`

const goodPathType = `id: t
title: "{entry} with {weakness}"
severity: low
arrival: network
target: MATCH (target:Container)
arrive: [CAN_EXPLOIT]
why: w
fix: f
tests:
  - name: a
    given: |
      Internet internet -ROUTES_TO-> Service s name=s
      Service s -ROUTES_TO-> Pod p workload=Pod/p
    want: [x]
  - name: b
    given: Pod p
    want: []
`

func TestAWrongAttackRuleDoesNotLoadAndSaysWhereAndWhy(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown kind", "(n:Node)", "(n:Nodde)", "attack/r.yaml:4: "},
		{"unknown property", "c.privileged\n", "c.privileg\n", "Did you mean privileged"},
		{"unknown edge", ":RUNS_ON]", ":RUN_ON]", "attack/r.yaml:4: "},
		{"an edge between kinds it does not join", "(c)-[:CAN_TAKE_OVER]", "(p)-[:CAN_TAKE_OVER]", "attack/r.yaml:4: "},
		{"an edge that is a fact", "CAN_TAKE_OVER", "RUNS_ON", "is a fact"},
		{"nothing gained", "  MERGE (c)-[:CAN_TAKE_OVER]->(n)\n", "", "want MERGE"},
		{"a guard about nothing of the rule", "MATCH (p:Pod) WHERE p.r", "MATCH (q:Pod) WHERE q.r",
			"attack/r.yaml:10: want one to 4 variables in common"},
		{"a guard without a name", "name: g", "name: ''", "want a name"},
		{"a test's graph with an unknown property", "given: Pod p -RUNS-> Container p/c privileged=true",
			"given: Pod p -RUNS-> Container p/c color=red", "attack/r.yaml:21: given: line 1"},
		{"unknown key", "why: w", "why: w\nwhen: now", `unknown key "when"`},
		{"a fix without code", "code: {none: n}\n", "", "attack/r.yaml:1: want code: what is changed, or in none why nothing can be"},
		{"a fix with an empty code", "code: {none: n}\n", "code: {}\n",
			"attack/r.yaml:13: want what is changed, or in none why nothing can be"},
		{"a fix that is code and is none", "code: {none: n}\n", "code: {none: n, token: true}\n",
			"attack/r.yaml:13: want what is changed, or in none why nothing can be"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(goodTechnique, test.old, test.new, 1)
			_, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(text)}})
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(test.want)) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
	if _, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(goodTechnique)}}); err != nil {
		t.Errorf("the right rule: %v", err)
	}
}

func TestAWrongPathTypeDoesNotLoadAndSaysWhereAndWhy(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"no target", "(target:Container)", "(c:Container)", "paths/t.yaml:5: want a node named target"},
		{"arrival that is none", "arrival: network", "arrival: air", "paths/t.yaml:4: arrival"},
		{"arriving by a fact", "CAN_EXPLOIT", "RUNS", "paths/t.yaml:6: RUNS is not an edge that attack rules make"},
		{"arriving by an edge that is not there", "CAN_EXPLOIT", "CAN_FLY", "paths/t.yaml:6: CAN_FLY is not an edge that attack rules make"},
		{"no way to arrive", "[CAN_EXPLOIT]", "[]", "paths/t.yaml:6: want the edges"},
		{
			"a blank in the title that nobody fills",
			"{weakness}",
			"{who}",
			"paths/t.yaml:2: title: {who}: want {attacker}, {entry} or {weakness}",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(goodPathType, test.old, test.new, 1)
			_, err := LoadFS(fstest.MapFS{"paths/t.yaml": {Data: []byte(text)}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
	if _, err := LoadFS(fstest.MapFS{"paths/t.yaml": {Data: []byte(goodPathType)}}); err != nil {
		t.Errorf("the right path type: %v", err)
	}
}

func TestAUsersFolderAddsToTheBuiltInRulesAndMayNotReplaceOne(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "attack"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "attack", "mine.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(goodTechnique)
	r, err := Load(dir)
	if err != nil || r.byID["r"] == nil || len(r.attack) != len(builtIn(t).attack)+1 {
		t.Errorf("error %v", err)
	}
	write(strings.Replace(goodTechnique, "id: r", "id: privileged-container", 1))
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), `rule "privileged-container" is there twice`) {
		t.Errorf("error %v", err)
	}
	if _, err := Load(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there was taken for an empty one")
	}
}

func TestRulesOfAllKindsAreListed(t *testing.T) {
	r, err := LoadFS(
		fstest.MapFS{"attack/r.yaml": {Data: []byte(goodTechnique)}},
		fstest.MapFS{"paths/t.yaml": {Data: []byte(goodPathType)}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if all, techniques, types := r.All(), r.Techniques(), r.PathTypes(); len(all) != 2 || len(techniques) != 1 || techniques[0].ID != "r" ||
		len(types) != 1 || types[0].Title != "Internet exposed Kubernetes pod with high severity vulnerabilities" {
		t.Errorf("%v, %v, %v", all, techniques, types)
	}
	if r.Powers != nil {
		t.Errorf("powers %v of a folder that has none", r.Powers)
	}
	for name, text := range map[string]string{"attack/powers.yaml": "- id: x\n  nothing: here\n"} {
		if _, err := LoadFS(fstest.MapFS{name: {Data: []byte(text)}}); err == nil {
			t.Errorf("wrong powers load")
		}
	}
}

func TestATitleSaysHowTrafficArrivesAndWhatIsWeak(t *testing.T) {
	r, err := LoadFS(fstest.MapFS{"paths/t.yaml": {Data: []byte(goodPathType)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		arrival string
		severe  bool
		want    string
	}{
		{byNetwork, true, "Internet exposed Kubernetes pod with high severity vulnerabilities"},
		{"", false, "Internet exposed Kubernetes pod with vulnerabilities that allow remote code execution"},
		{byHostNetwork, true, "Kubernetes pod on the host network of an internet exposed node with high severity vulnerabilities"},
	} {
		if got := r.paths[0].title(titled{class: Known, arrival: test.arrival, severe: test.severe}); got != test.want {
			t.Errorf("%q %t: %q, want %q", test.arrival, test.severe, got, test.want)
		}
	}
}

func TestARulesOwnTestsFailWithWhatWasFound(t *testing.T) {
	const given = "Pod p -RUNS-> Container p/c privileged=true\nPod p -RUNS_ON-> Node n"
	const guarded = "Pod p runtimeSandboxed=true -RUNS-> Container p/c privileged=true\nPod p -RUNS_ON-> Node n"
	r, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(goodTechnique)}, "paths/t.yaml": {Data: []byte(goodPathType)}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		test techniqueTest
		want string
	}{
		{"right", techniqueTest{Given: given, Want: []string{"p/c -> n"}}, ""},
		{"an edge that nobody wants", techniqueTest{Given: given}, "edges are [p/c -> n], want []"},
		{"an edge that is not made", techniqueTest{Given: "Pod p", Want: []string{"p -> n"}}, "edges are [], want [p -> n]"},
		{"prevented", techniqueTest{Given: guarded, Prevented: []string{"p/c -> n"}}, ""},
		{"a guard that nobody wants", techniqueTest{Given: guarded}, "prevented are [p/c -> n], want []"},
		{"no graph", techniqueTest{Given: "Nothing x"}, "line 1"},
	}
	for _, test := range tests {
		err := r.attack[0].try(test.test)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	path := r.paths[0]
	if err := path.try(pathTypeTest{Given: "Pod p", Want: []string{"x"}}); err == nil ||
		!strings.Contains(err.Error(), "paths are [], want [x]") {
		t.Errorf("a path that is not found: %v", err)
	}
	if err := path.try(pathTypeTest{Given: "Nothing x"}); err == nil {
		t.Error("a path type's test has no graph")
	}
	for i, c := range append(r.attack[0].Cases(), path.Cases()...) {
		if c.Fires != (i%2 == 0) || c.Name == "" {
			t.Errorf("case %q fires %t", c.Name, c.Fires)
		}
	}
}

func TestAGuardIsAboutOneToFourThingsOfItsRule(t *testing.T) {
	rule := func(guard string) string {
		return strings.NewReplacer("match: MATCH (p:Pod) WHERE p.runtimeSandboxed", "match: "+guard,
			"MATCH (p)-[:RUNS_ON]->(n:Node)",
			"MATCH (p)-[:RUNS_ON]->(n:Node) MATCH (p)-[:RUNS_AS]->(s:ServiceAccount) MATCH (s)-[:HOLDS]->(m:Permission)").
			Replace(goodTechnique)
	}
	const four = "MATCH (c:Container)<-[:RUNS]-(p:Pod) MATCH (p)-[:RUNS_ON]->(n:Node) MATCH (p)-[:RUNS_AS]->(s:ServiceAccount)"
	for _, test := range []struct{ name, guard, want string }{
		{"one", "MATCH (p:Pod) WHERE p.runtimeSandboxed", ""},
		{"four", four, ""},
		{"five", four + " MATCH (s)-[:HOLDS]->(m:Permission)", "want one to 4 variables"},
		{"none", "MATCH (q:Pod) WHERE q.runtimeSandboxed", "want one to 4 variables"},
		{"an edge", "MATCH (c:Container)<-[:RUNS]-(p:Pod) MATCH (p)-[:RUNS_ON]->(n:Node) MERGE (c)-[:CAN_TAKE_OVER]->(n)", "adds no edge"},
		{"nonsense", "MATCH (p:Pood)", "no kind Pood"},
	} {
		_, err := LoadFS(fstest.MapFS{"attack/r.yaml": {Data: []byte(rule(test.guard))}})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
