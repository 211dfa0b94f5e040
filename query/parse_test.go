package query

import (
	"encoding/json"
	"strings"
	"testing"
)

// both spells a tree twice; tests compare trees through it.
func both(t testing.TB, q *Query) string {
	t.Helper()
	b, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestATextBecomesATreeAndPrintsInNormalForm(t *testing.T) {
	tests := []struct{ name, text, json, print string }{
		{name: "the hunt", text: `MATCH (i:Image) MATCH (i)-[h:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889' RETURN i, v`,
			json: `{"find":{"as":"i","kinds":["Image"],"with":[{"as":"h","edge":["HAS_VULNERABILITY"],"dir":"out","to":{"as":"v",` +
				`"kinds":["Vulnerability"],"where":{"of":"v","prop":"id","op":"CONTAINS","value":"3889"}}}]},"return":[{"of":"i"},{"of":"v"}]}`,
			print: "MATCH (i:Image)\nMATCH (i)-[h:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889'\nRETURN i, v"},
		{name: "a long path with an inline map is split, and its WHERE with it",
			text: `match (c:Container {privileged: true})<-[:RUNS]-(p:Pod) where p.hostNetwork and 'SYS_ADMIN' in c.capabilities merge ` +
				`(c)-[:CAN_TAKE_OVER]->(p)`,
			print: "MATCH (c:Container) WHERE c.privileged = true AND 'SYS_ADMIN' IN c.capabilities\nMATCH (c)<-[:RUNS]-(p:Pod) WHERE " +
				"p.hostNetwork\nMERGE (c)-[:CAN_TAKE_OVER]->(p)"},
		{name: "a later clause may be written from its new end", text: `MATCH (a:A) MATCH (b:B)-[:X]->(a) RETURN *`,
			print: "MATCH (a:A)\nMATCH (a)<-[:X]-(b:B)\nRETURN *"},
		{name: "who needs a name gets one, and is not returned", text: `MATCH (a:A)-[:X]->()-[:Y]->(:B)`,
			print: "MATCH (a:A)\nMATCH (a)-[:X]->(_1)\nMATCH (_1)-[:Y]->(:B)\nRETURN a"},
		{name: "a longer EXISTS nests",
			text: `MATCH (a:A) WHERE NOT EXISTS { (a)-[:X]->(b)<-[:Y]-(c) WHERE c.n >= -1.5 AND b.s IS NOT NULL } OR COUNT { (a)-[:Z]->() } >= 3`,
			print: "MATCH (a:A) WHERE NOT EXISTS { (a)-[:X]->(b) WHERE b.s IS NOT NULL AND EXISTS { (b)<-[:Y]-(c) WHERE c.n >= -1.5 } } OR " +
				"COUNT { (a)-[:Z]->() } >= 3\nRETURN *"},
		{name: "parentheses that matter stay",
			text: `MATCH (a:A|B) WHERE ((a.x OR a.y)) AND NOT (a.z AND a.w) RETURN DISTINCT a.x AS x, count(DISTINCT a) ORDER BY x DESC,` +
				` toLower(a.y) SKIP 5 LIMIT 10`,
			print: "MATCH (a:A|B) WHERE (a.x OR a.y) AND NOT (a.z AND a.w)\nRETURN DISTINCT a.x AS x, count(DISTINCT a) ORDER BY x DESC, " +
				"toLower(a.y) SKIP 5 LIMIT 10"},
		{name: "strings and odd names",
			text: "MATCH (`my x`:A) WHERE `my x`.s IN ['it\\'s', \"\\u00e9\\n\", $p] AND toLower(`my x`.count) STARTS WITH '' RETURN `my x` " +
				"AS `a``b`",
			print: "MATCH (`my x`:A) WHERE `my x`.s IN ['it\\'s', 'é\\n', $p] AND toLower(`my x`.count) STARTS WITH ''\nRETURN `my x` AS `a``b`"},
		{name: "optional and reach", text: `MATCH (a:A) WHERE EXISTS { (a)-[:X|Y*1..4]->(:B) } OPTIONAL MATCH (a)-[r:X]->(b) WHERE r.n = 1`,
			print: "MATCH (a:A) WHERE EXISTS { (a)-[:X|Y*1..4]->(:B) }\nOPTIONAL MATCH (a)-[r:X]->(b) WHERE r.n = 1\nRETURN *"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := both(t, q); test.json != "" && got != test.json {
				t.Errorf("json\n got %s\nwant %s", got, test.json)
			}
			got := Print(q)
			if got != test.print {
				t.Errorf("print\n got %s\nwant %s", got, test.print)
			}
			again, err := Parse(got)
			if err != nil {
				t.Fatalf("the print does not parse: %v", err)
			}
			if both(t, again) != both(t, q) {
				t.Errorf("read back\n got %s\nwant %s", both(t, again), both(t, q))
			}
			decoded, err := Decode([]byte(both(t, q)))
			if err != nil || both(t, decoded) != both(t, q) {
				t.Errorf("JSON does not read back: %v", err)
			}
		})
	}
}

func TestAProblemSaysWhereAndWhatWasMeant(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no match", "SELECT 1", "1:1: a query begins with MATCH"},
		{"typo", "MACTH (a:A)", "did you mean MATCH?"},
		{"second line", "MATCH (a:A)\nWHERE a.x ==", "2:12: "},
		{"unbound", "MATCH (image:Image) MATCH (imgae)-[:X]->(v)",
			"1:28: a later clause begins at a variable bound before, and imgae is not; did you mean image?"},
		{"a circle", "MATCH (a:A)-[:X]->(b:B) MATCH (a)-[:Y]->(b)", "b is bound twice"},
		{"two nodes in one condition", "MATCH (a:A)-[:X]->(b:B) WHERE a.x OR b.x", "not of several"},
		{"a condition elsewhere", "MATCH (a:A)-[:X]->(b:B) MATCH (a)-[:Y]->(c:C) WHERE b.x", "WHERE names only the variables of its own clause"},
		{"an edge twice", "MATCH (a:A)-[:X]->(b)-[:X]->(c)", "begin another MATCH"},
		{"mandatory below optional", "MATCH (a:A) OPTIONAL MATCH (a)-[:X]->(b) MATCH (b)-[:Y]->(c)", "everything is OPTIONAL"},
		{"reach outside EXISTS", "MATCH (a:A)-[:X*1..3]->(b)", "for EXISTS only"},
		{"unbounded reach", "MATCH (a:A) WHERE EXISTS { (a)-[:X*]->() }", "write *1..n"},
		{"null", "MATCH (a:A) WHERE a.x = null", "write IS NULL"},
		{"no direction", "MATCH (a:A)-[:X]-(b)", "write -> or <-"},
		{"any edge", "MATCH (a:A)-->(b)", "its kind must be said"},
		{"open string", "MATCH (a:A) WHERE a.x = 'b", "1:25: this string is never closed"},
		{"limit", "MATCH (a:A) RETURN a LIMIT 0", "at least 1"},
		{"keyword", "MATCH (order:A)", "expected )"},
		{"unquoted", "MATCH (a:A) WHERE a.x = High", "put text in quotes"},
		{"count(*)", "MATCH (a:A) RETURN count(*)", "count a variable"},
		{"counting far", "MATCH (a:A) WHERE COUNT { (a)-[:X]->()-[:Y]->() } = 1", "COUNT has one edge"},
		{"deep", "MATCH (a:A) WHERE " + strings.Repeat("(", 99) + "a.x" + strings.Repeat(")", 99), "nested deeper"},
		{"huge", strings.Repeat(" ", MaxText+1), "at most"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want …%s…", err, test.want)
			}
		})
	}
}

// FuzzParse: nothing makes the parser panic, and what it accepts prints to
// a text that reads back as the same tree.
func FuzzParse(f *testing.F) {
	f.Add("MATCH (i:Image) MATCH (i)-[h:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889' RETURN i, v")
	f.Add("MATCH (c:Container {a: 1})<-[:RUNS]-(p:Pod) WHERE c.x OR 'S' IN c.y MERGE (c)-[:X]->(p)")
	f.Add("MATCH (a:A) WHERE NOT (NOT EXISTS { (a)-[:X|Y*1..3]->(b) WHERE b.n >= -1.5e-3 }) AND COUNT { (a)<-[:Z]-() } >= 3 OPTIONAL " +
		"MATCH (a)-[:X]->(b) RETURN DISTINCT a AS `x y`, count(DISTINCT b) ORDER BY `x y` DESC SKIP 1 LIMIT 2")
	f.Add("MATCH (`a``b`:A)-[:X]->()-[:Y]->(_1) WHERE _1.x IN [1, 2.0, \"\\u0041\", $p, true] // end")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			return
		}
		printed := Print(q)
		if len(printed) > MaxText {
			return
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		if both(t, again) != both(t, q) {
			t.Fatalf("read back differs\n got %s\nwant %s\n%s", both(t, again), both(t, q), printed)
		}
	})
}

// FuzzDecode: no JSON makes normalising, printing or checking panic, and a tree
// whose print is accepted reads back as it was.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"find":{"as":"i","kinds":["Image"],"where":{"and":[{"prop":"rce"},{"not":{"exists":{"edge":["X"],"dir":"in",` +
		`"to":{}}}}]},"with":[{"edge":["Y"],"dir":"out","to":{"with":[{"edge":["Z"]}]}}]}}`))
	f.Add([]byte(`{"find":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Parse(Print(q))
		if err == nil && len(Check(Schema(), q)) == 0 && both(t, again) != both(t, q) {
			t.Fatalf("read back differs\n got %s\nwant %s\n%s", both(t, again), both(t, q), Print(q))
		}
	})
}
