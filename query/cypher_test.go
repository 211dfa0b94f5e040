package query

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

// Scenarios of the openCypher compatibility kit that the subset can say, told
// with our kinds. The random tests hold the engine against our own reading of
// Cypher; these hold that reading against Cypher's.
func TestScenariosOfTheCypherCompatibilityKit(t *testing.T) {
	pods := `
Pod a name=Aa phase=Running made=true exposed=true
Pod b name=bB exposed=false
Pod c
`
	edges := `
Pod a name=A -RUNS-> Container x name=X privileged=true
Pod a -RUNS-> Container y name=Y
Pod b name=B -RUNS-> Container z privileged=false
Pod c name=C
`
	volumes := `
Container x -MOUNTS{path=/1}-> Volume v
Container x -MOUNTS{path=/2}-> Volume v
Container y -MOUNTS{path=/3}-> Volume v
`
	tests := []struct{ feature, given, text, want string }{
		{"Null1: IS NULL on a missing property", pods, "MATCH (p:Pod) WHERE p.phase IS NULL RETURN p", "c/b | c/c"},
		{"Null2: IS NOT NULL", pods, "MATCH (p:Pod) WHERE p.phase IS NOT NULL RETURN p", "c/a"},
		{"Comparison2: comparing null is not true", pods, "MATCH (p:Pod) WHERE p.name <> 'Aa' RETURN p", "c/b"},
		{"Boolean4: NOT null is null", pods, "MATCH (p:Pod) WHERE NOT p.exposed RETURN p", "c/b"},
		{"Boolean1: null AND false is false", pods, "MATCH (p:Pod) WHERE NOT (p.made AND p.exposed) RETURN p", "c/b"},
		{"Boolean2: null OR true is true", pods, "MATCH (p:Pod) WHERE p.made OR NOT p.exposed RETURN p", "c/a | c/b"},
		{"List5: IN the empty list is false, not null", pods, "MATCH (p:Pod) WHERE NOT p.name IN [] RETURN p", "c/a | c/b | c/c"},
		{"List5: null IN a list is null", pods, "MATCH (p:Pod) WHERE NOT p.name IN ['x'] RETURN p", "c/a | c/b"},
		{"String8: STARTS WITH the empty string, but not null", pods, "MATCH (p:Pod) WHERE p.name STARTS WITH '' RETURN p", "c/a | c/b"},
		{"String10: CONTAINS heeds case", pods, "MATCH (p:Pod) WHERE p.name CONTAINS 'b' RETURN p", "c/b"},
		{"String3: toLower", pods, "MATCH (p:Pod) WHERE toLower(p.name) = 'bb' RETURN toLower(p.name)", "bb"},
		{"ReturnOrderBy1: nulls last when ascending", pods, "MATCH (p:Pod) RETURN p.name ORDER BY p.name", "Aa | bB | "},
		{"ReturnOrderBy1: nulls first when descending", pods, "MATCH (p:Pod) RETURN p.name ORDER BY p.name DESC", " | bB | Aa"},
		{"ReturnOrderBy1: false before true", pods, "MATCH (p:Pod) RETURN p.exposed ORDER BY p.exposed", "false | true | "},
		{"ReturnOrderBy2: sorting by what is not returned", pods, "MATCH (p:Pod) RETURN p ORDER BY p.name DESC", "c/c | c/b | c/a"},
		{"ReturnSkipLimit3: a page within", pods, "MATCH (p:Pod) RETURN p SKIP 1 LIMIT 1", "c/b"},
		{"ReturnSkipLimit1: skipping all", pods, "MATCH (p:Pod) RETURN p SKIP 10", ""},
		{"Return5: DISTINCT keeps one null", edges, "MATCH (c:Container) RETURN DISTINCT c.privileged ORDER BY c.privileged", "false | true | "},
		{"Match1: rows of a bag repeat", edges, "MATCH (p:Pod)-[:RUNS]->(c:Container) RETURN p", "c/a | c/a | c/b"},
		{"Match2: parallel edges are rows", volumes, "MATCH (c:Container)-[m:MOUNTS]->(v:Volume) RETURN c, m.path",
			"c/x ; /1 | c/x ; /2 | c/y ; /3"},
		{"Match7: OPTIONAL MATCH keeps what has none", edges, "MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS]->(c) RETURN p, c",
			"c/a ; c/x | c/a ; c/y | c/b ; c/z | c/c ; "},
		{"MatchWhere6: WHERE filters the optional pattern, not the row", edges,
			"MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS]->(c) WHERE c.privileged RETURN p, c", "c/a ; c/x | c/b ;  | c/c ; "},
		{"Match7: an optional pattern from null is null", edges,
			"MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS]->(c) WHERE c.name = 'none' OPTIONAL MATCH (c)-[:MOUNTS]->(v) RETURN p, v",
			"c/a ;  | c/b ;  | c/c ; "},
		{"Aggregation1: count only what is not null", edges, "MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS]->(c) RETURN p, count(c)",
			"c/a ; 2 | c/b ; 1 | c/c ; 0"},
		{"Aggregation8: count distinct", volumes, "MATCH (c:Container)-[:MOUNTS]->(v) RETURN v, count(c), count(DISTINCT c)", "c/v ; 3 ; 2"},
		{"Aggregation8: count distinct over two kinds of edges",
			"Pod p -RUNS-> Container a\nPod p -CAN_EXPLOIT-> Container a\nPod p -RUNS-> Container b",
			"MATCH (p:Pod)-[:RUNS|CAN_EXPLOIT]->(c:Container) RETURN p, count(DISTINCT c)", "c/p ; 2"},
		{"Aggregation1: counting below what is null", edges + "\nContainer x -USES_IMAGE-> Image i",
			"MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS]->(c) OPTIONAL MATCH (c)-[:USES_IMAGE]->(i) RETURN p, c, count(i)",
			"c/a ; c/x ; 1 | c/a ; c/y ; 0 | c/b ; c/z ; 0 | c/c ;  ; 0"},
		{"Return6: counting nothing is zero, in one row", edges, "MATCH (p:Pod) WHERE p.name = 'none' RETURN count(p)", "0"},
		{"Return6: no groups of nothing", edges, "MATCH (p:Pod) WHERE p.name = 'none' RETURN p, count(p)", ""},
		{"ExistentialSubquery1: EXISTS with WHERE", edges,
			"MATCH (p:Pod) WHERE EXISTS { (p)-[:RUNS]->(c) WHERE NOT c.privileged } RETURN p", "c/b"},
		{"CountSubquery: a count compared", edges, "MATCH (p:Pod) WHERE COUNT { (p)-[:RUNS]->(c) } <> 1 RETURN p", "c/a | c/c"},
		{"Precedence1: AND binds tighter than OR, NOT tighter than AND", edges,
			"MATCH (p:Pod) WHERE NOT p.name = 'A' AND p.name = 'B' OR p.name = 'C' RETURN p", "c/b | c/c"},
	}
	for _, test := range tests {
		t.Run(test.feature, func(t *testing.T) {
			res, err := Run(context.Background(), givenView(t, test.given), graph.Everything, mustCompile(t, test.text), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range res.Rows {
				got = append(got, rowText(Schema(), row))
			}
			if text := strings.Join(got, " | "); text != test.want {
				t.Errorf("got %s, want %s", fmt.Sprintf("%q", text), fmt.Sprintf("%q", test.want))
			}
		})
	}
}
