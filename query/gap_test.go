package query

import (
	"context"
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

type gapTest struct {
	name, text string
	want       []string
}

func testGaps(t *testing.T, v *Vocabulary, given string, tests []gapTest) {
	t.Helper()
	view, err := Given(v, v.graphVocabulary(), given)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q, problems := Compile(v, test.text)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			res, err := Run(context.Background(), view, graph.Everything, q, Options{Vocabulary: v})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, gap := range res.Gaps {
				got = append(got, gap.What)
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want) {
				t.Errorf("\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestGapsSayWhatNobodyLookedInto(t *testing.T) {
	var (
		two      = []string{"2 container images were never scanned"}
		twoOfTwo = []string{"2 of these 2 container images were never scanned"}
		twoOf3   = []string{"2 of these 3 container images were never scanned"}
		oneOf2   = []string{"1 of these 2 pods depend on container images that were never scanned"}
		oneThing = []string{"1 of these 1 things depend on container images that were never scanned"}
		onePod   = []string{"1 of these 1 pods depend on container images that were never scanned"}
		oneVuln  = []string{"1 of these 1 vulnerabilities depend on container images that were never scanned"}
	)
	testGaps(t, Schema(), hunt, []gapTest{
		{"NOT EXISTS", "MATCH (i:Image) WHERE NOT EXISTS { (i)-[:HAS_VULNERABILITY]->(v) }", twoOfTwo},
		{"a connection by either of two edges",
			"MATCH (i:Image) WHERE NOT EXISTS { (i)-[:HAS_VULNERABILITY|HAS_PACKAGE]->(v) }", twoOfTwo},
		{"the same asked twice",
			"MATCH (i:Image) WHERE NOT EXISTS { (i)-[:HAS_VULNERABILITY]->(v) } AND NOT EXISTS { (i)-[:HAS_PACKAGE]->(k) }", twoOfTwo},
		{"twice negated", "MATCH (i:Image) WHERE NOT (NOT EXISTS { (i)-[:HAS_VULNERABILITY]->(v) })", nil},
		{"thrice negated", "MATCH (i:Image) WHERE NOT (NOT (NOT EXISTS { (i)-[:HAS_VULNERABILITY]->(v) }))", twoOfTwo},
		{"beside another condition", "MATCH (i:Image) WHERE NOT EXISTS { (i)-[:HAS_VULNERABILITY]->(v) } OR i.scanned", twoOf3},
		{"a count that zero satisfies", "MATCH (i:Image) WHERE COUNT { (i)-[:HAS_VULNERABILITY]->(v) } < 1", twoOfTwo},
		{"a count that zero does not satisfy, negated",
			"MATCH (i:Image) WHERE NOT COUNT { (i)-[:HAS_VULNERABILITY]->(v) } >= 1", twoOfTwo},
		{"a count that zero does not satisfy", "MATCH (i:Image) WHERE COUNT { (i)-[:HAS_VULNERABILITY]->(v) } >= 1", nil},
		{"further away", "MATCH (p:Pod) WHERE NOT EXISTS { (p)-[:RUNS_VULNERABILITY]->(v) } RETURN p", onePod},
		{"counted further away", "MATCH (p:Pod) WHERE NOT EXISTS { (p)-[:RUNS]->(c) WHERE EXISTS { (c)-[:USES_IMAGE]->(i) " +
			"WHERE COUNT { (i)-[:HAS_PACKAGE]->(k) } > 1 } } AND p.name IS NULL", oneOf2},
		{"further away, after a condition",
			"MATCH (p:Pod) WHERE NOT EXISTS { (p)-[:RUNS]->(c) WHERE c.name IS NULL AND EXISTS { (c)-[:USES_IMAGE]->(i) " +
				"WHERE EXISTS { (i)-[:HAS_VULNERABILITY]->(v) } } }", onePod},
		{"several kinds of things", "MATCH (p:Pod|Node) WHERE NOT EXISTS { (p)-[:RUNS]->(c) WHERE EXISTS { (c)-[:USES_IMAGE]->(i) " +
			"WHERE EXISTS { (i)-[:HAS_VULNERABILITY]->(v) } } }", oneThing},
		{"from the other end",
			"MATCH (v:Vulnerability) WHERE NOT EXISTS { (v)<-[:HAS_VULNERABILITY]-(i:Image) WHERE i.running }", oneVuln},
		{"a value nobody knows", "MATCH (i:Image) WHERE NOT i.severe", two},
		{"a value known of one",
			"MATCH (i:Image) WHERE NOT i.severe AND i.id <> 'sha256:b'", []string{"1 container image was never scanned"}},
		{"a value that another makes superfluous",
			"MATCH (i:Image) WHERE i.severe OR i.id <> 'sha256:b'", []string{"1 container image was never scanned"}},
		{"a value beside a pattern", "MATCH (i:Image) WHERE i.severe AND EXISTS { (i)-[:HAS_PACKAGE]->(k) }", two},
		{"a value that says nothing of scanning", "MATCH (p:Pod) WHERE NOT p.exposed", nil},
		{"no condition", "MATCH (i:Image)", nil},
		{"a match they cannot be part of", "MATCH (i:Image)-[:HAS_PACKAGE]->(k:Package)", two},
		{"such a match of some",
			"MATCH (i:Image)-[:HAS_PACKAGE]->(k:Package) WHERE i.id = 'sha256:b'", []string{"1 container image was never scanned"}},
		{"such a match that also asks for a pattern",
			"MATCH (i:Image)-[:HAS_PACKAGE]->(k:Package) WHERE EXISTS { (i)-[:HAS_VULNERABILITY]->(v) }", two},
		{"such a match from the other end", "MATCH (k:Package)<-[:HAS_PACKAGE]-(i:Image)", two},
		{"an optional one", "MATCH (i:Image) OPTIONAL MATCH (i)-[:HAS_PACKAGE]->(k:Package)", twoOf3},
		{"an optional one from the other end", "MATCH (v:Vulnerability) OPTIONAL MATCH (v)<-[:HAS_VULNERABILITY]-(i:Image)", two},
		{"nothing to do with it", "MATCH (p:Pod) WHERE NOT EXISTS { (p)-[:RUNS_ON]->(n) }", nil},
	})
}

func TestNothingIsUnknownWhereEverythingWasLookedInto(t *testing.T) {
	testGaps(t, Schema(), `
Image sha256:a scanned=true severe=true -HAS_VULNERABILITY-> Vulnerability CVE-1
Vulnerability CVE-2
`, []gapTest{
		{"NOT EXISTS", "MATCH (i:Image) WHERE NOT EXISTS { (i)-[:HAS_PACKAGE]->(k) }", nil},
		{"NOT EXISTS from the other end", "MATCH (v:Vulnerability) WHERE NOT EXISTS { (v)<-[:HAS_VULNERABILITY]-(i) }", nil},
		{"a value", "MATCH (i:Image) WHERE NOT i.severe", nil},
		{"a match", "MATCH (i:Image)-[:HAS_PACKAGE]->(k:Package)", nil},
		{"an optional match", "MATCH (i:Image) OPTIONAL MATCH (i)-[:HAS_PACKAGE]->(k)", nil},
	})
}

func TestGapsSayWhatWasReadInPart(t *testing.T) {
	var (
		one     = []string{"1 container image was read in part"}
		oneOf1  = []string{"1 of these 1 container images were read in part"}
		oneOf2  = []string{"1 of these 2 container images were read in part"}
		oneVuln = []string{"1 of these 1 vulnerabilities depend on container images that were read in part"}
	)
	testGaps(t, Schema(), `
Image sha256:part scanned=true partly=true running=true -HAS_VULNERABILITY-> Vulnerability CVE-1
Image sha256:whole scanned=true partly=false severe=false -HAS_VULNERABILITY-> Vulnerability CVE-1
Vulnerability CVE-2
`, []gapTest{
		{"NOT EXISTS", "MATCH (i:Image) WHERE NOT EXISTS { (i)-[:HAS_PACKAGE]->(k) }", oneOf2},
		{"NOT EXISTS from the other end", "MATCH (v:Vulnerability) WHERE NOT EXISTS { (v)<-[:HAS_VULNERABILITY]-(i) }", oneVuln},
		{"a value nobody knows", "MATCH (i:Image) WHERE NOT i.severe", one},
		{"a match that they are part of, and might be more often", "MATCH (i:Image)-[:HAS_VULNERABILITY]->(v:Vulnerability)", oneOf2},
		{"a match of them alone", "MATCH (i:Image)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE i.id = 'sha256:part'", oneOf1},
		{"a match of others", "MATCH (i:Image)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE i.id = 'sha256:whole'", nil},
		{"a match that they are no part of", "MATCH (i:Image)-[:HAS_PACKAGE]->(k:Package)", one},
		{"an optional one", "MATCH (i:Image) OPTIONAL MATCH (i)-[:HAS_PACKAGE]->(k:Package)", oneOf2},
		{"no condition", "MATCH (i:Image)", nil},
		{"nothing to do with it", "MATCH (i:Image) WHERE i.running", nil},
	})
}

func TestGapsFollowConditionsOnEdgesAndReaches(t *testing.T) {
	testGaps(t, testVocabulary, `
A near -X{b=false}-> S unseen
A farther -Y-> A far -Y-> A near
A seen -X{b=true}-> S seen b=true -Z-> T t
`, []gapTest{
		{"a pattern beside a condition on the edge",
			"MATCH (a:A) WHERE NOT EXISTS { (a)-[x:X]->(s:S) WHERE x.b OR EXISTS { (s)-[:Z]->(t) } }",
			[]string{"1 of these 3 ays depend on esses that were never seen"}},
		{"a missing pattern beside a condition on the edge", "MATCH (a:A)-[x:X]->(s:S) WHERE x.b OR NOT EXISTS { (s)-[:Z]->(t) }",
			[]string{"1 of these 2 esses were never seen"}},
		{"a pattern at the end of a reach",
			"MATCH (a:A) WHERE NOT EXISTS { (a)-[:Y*1..3]->(m:A) WHERE EXISTS { (m)-[:X]->(s:S) WHERE EXISTS { (s)-[:Z]->(t) } } }",
			[]string{"2 of these 4 ays depend on esses that were never seen"}},
		{"the end of an edge that needs no looking", "MATCH (t:T)-[:Z]->(c:C)", nil},
		{"one of many alternatives", "MATCH (s:S) WHERE " + alternatives(101), []string{"1 ess was never seen"}},
	})
}

func alternatives(n int) string {
	text := "s.e = 'High'"
	for i := range n {
		text += fmt.Sprintf(" OR s.n = %d", i)
	}
	return text
}

func TestALabelWithinASentenceKeepsTheNamesOfKubernetes(t *testing.T) {
	for label, want := range map[string]string{"Container images": "container images", "ConfigMaps": "ConfigMaps", "VMs": "VMs", "": ""} {
		if got := lowerFirst(label); got != want {
			t.Errorf("%q reads %q within a sentence, want %q", label, got, want)
		}
	}
	for _, kind := range schema.Kinds() {
		if kind.Coverage != "" && len(kind.Uncovered) < len("were x") {
			t.Errorf("%s has a coverage property and no words for what it does not cover", kind.Name)
		}
		if kind.Partly != "" && len(kind.InPart) < len("were x") {
			t.Errorf("%s may be read in part and has no words for that", kind.Name)
		}
	}
}
