package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/schema"
)

func TestCheckFindsWhatCannotBeAndSuggestsWhatCan(t *testing.T) {
	tests := []struct{ name, text, want, at string }{
		{"kind", "MATCH (p:Pods)", "there is no kind Pods; did you mean Pod?", "1:10"},
		{"edge", "MATCH (i:Image)\nMATCH (i)-[:HAS_VULNERABILTY]->(v)", "did you mean HAS_VULNERABILITY?", "2:13"},
		{"property", "MATCH (i:Image) WHERE i.severty = 'High'", "Image has no property severty; did you mean severity?", "1:25"},
		{"edge property", "MATCH (c:Container)-[m:MOUNTS]->(v) WHERE m.readonly", "did you mean readOnly?", "1:45"},
		{"enum value", "MATCH (i:Image) WHERE i.severity >= 'high'", "severity is never 'high'; did you mean High?", "1:37"},
		{"wrong way round", "MATCH (p:Pod)<-[:RUNS]-(c:Container)", "RUNS does not lead from Pod to Container; turn the edge round", "1:18"},
		{"nothing joined", "MATCH (p:Pod)-[:HAS_PACKAGE]->(k:Package)", "it joins Image → Package", "1:17"},
		{"text as a flag", "MATCH (p:Pod) WHERE p.name",
			"name is a text, so standing alone as a condition does not fit; compare it with a value", "1:23"},
		{"flag as a number", "MATCH (p:Pod) WHERE p.exposed = 1", "compared with true or false, not with 1", "1:33"},
		{"list", "MATCH (p:Pod) WHERE p.labels CONTAINS 'app'", "write 'value' IN it", "1:23"},
		{"not a list", "MATCH (p:Pod) WHERE 'a' IN p.name", "put the property on the left", "1:30"},
		{"IN wants a list", "MATCH (p:Pod) WHERE p.name IN 'a'", "IN and only IN takes a list", "1:31"},
		{"time", "MATCH (v:Vulnerability) WHERE v.published > 'yesterday'", "a time such as", "1:45"},
		{"return", "MATCH (p:Pod) RETURN q", "nothing is called q", "1:22"},
		{"twice", "MATCH (p:Pod) RETURN p, p", "two columns are called p; name one of them with AS", "1:25"},
		{"grouping", "MATCH (p:Pod)-[:RUNS]->(c) RETURN p.name, count(c)", "return p too", "1:35"},
		{"order", "MATCH (p:Pod) RETURN p ORDER BY nmae", "no column is called nmae", "1:33"},
		{"order under DISTINCT", "MATCH (p:Pod)-[:RUNS]->(c) RETURN DISTINCT p ORDER BY c.name", "return it too", "1:55"},
		{"a fact is not added", "MATCH (p:Pod)-[:RUNS]->(c) MERGE (p)-[:RUNS]->(c)", "RUNS is a fact", "1:28"},
		{"added where it cannot be", "MATCH (p:Pod)-[:RUNS_ON]->(n) MERGE (p)-[:CAN_TAKE_OVER]->(n)",
			"CAN_TAKE_OVER does not join Pod to Node", "1:31"},
		{"composed with a name", "MATCH (p:Pod)-[x:RUNS_IMAGE]->(i)", "made of several edges", "1:18"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := Compile(Schema(), test.text)
			if len(problems) == 0 {
				t.Fatal("nothing is wrong")
			}
			if got := problems[0].Error(); !strings.Contains(got, test.want) || !strings.HasPrefix(got, test.at+": ") {
				t.Errorf("got %q, want %s: …%s…", got, test.at, test.want)
			}
		})
	}
}

func TestATreeFromOutsideGetsAPathToWhatIsWrong(t *testing.T) {
	q, err := Decode([]byte(`{"find":{"kinds":["Image"],"with":[{"edge":["HAS_VULNERABILITY"],"dir":"out",` +
		`"to":{"kinds":["Vulnerability"],"where":{"and":[{"prop":"kev"},{"prop":"severitee","op":"=","value":"High"}]}}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	problems := Check(Schema(), q)
	if len(problems) != 1 || problems[0].Path != "find.with[0].to.where.and[1].prop" || problems[0].Suggestion != "did you mean severity?" {
		t.Errorf("got %+v", problems)
	}
	// The path is that of the tree sent, not of its normal, expanded form.
	q, _ = Decode([]byte(`{"find":{"kinds":["Image"],"where":{"and":[{"or":[{"prop":"nope"}]}]},"with":[null,{"edge":["RUNS_IMAGE"],` +
		`"dir":"in","to":{"where":{"prop":"nope"}}}]}}`))
	problems = Check(Schema(), q)
	if len(problems) != 2 || problems[0].Path != "find.where.and[0].or[0].prop" || problems[1].Path != "find.with[1].to.where.prop" {
		t.Errorf("got %+v", problems)
	}
	if _, err := Decode([]byte(`{"find":{},"limt":5}`)); err == nil || !strings.Contains(err.Error(), "limt") {
		t.Errorf("an unknown key is accepted: %v", err)
	}
	// Most kinds have no family: a kind without a name is none of them.
	for _, q := range []string{`{"find":{"kinds":[""]}}`, `{"find":{"kinds":["Pod"],"with":[{"edge":[""],"to":{}}]}}`} {
		q, err := Decode([]byte(q))
		if err != nil {
			t.Fatal(err)
		}
		if problems := Check(Schema(), q); len(problems) == 0 {
			t.Errorf("a name that is empty is accepted: %s", Print(q))
		}
	}
	deep := &Expr{Prop: "exposed"}
	for range 100 {
		deep = &Expr{Not: deep}
	}
	if problems := Check(Schema(), &Query{Find: &Node{Kinds: []string{"Pod"}, Where: deep}}); len(problems) == 0 {
		t.Error("a tree of any depth is accepted")
	}
}

func TestAComposedConnectionPrintsAsItsEdgesBothWays(t *testing.T) {
	tests := []struct{ text, want string }{
		{"MATCH (i:Image) MATCH (i)<-[:RUNS_IMAGE]-(p:Pod) WHERE p.exposed",
			"MATCH (i:Image)\nMATCH (i)<-[:USES_IMAGE]-(_1:Container)\nMATCH (_1)<-[:RUNS]-(p:Pod) WHERE p.exposed\nRETURN i, p"},
		{"MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS_VULNERABILITY]->(v)",
			"MATCH (p:Pod)\nOPTIONAL MATCH (p)-[:RUNS]->(_1:Container)\nOPTIONAL MATCH (_1)-[:USES_IMAGE]->(_2:Image)\nOPTIONAL MATCH " +
				"(_2)-[:HAS_VULNERABILITY]->(v:Vulnerability)\nRETURN p, v"},
		{"MATCH (v:Vulnerability) WHERE NOT EXISTS { (v)<-[:RUNS_VULNERABILITY]-(p) WHERE p.exposed } RETURN v",
			"MATCH (v:Vulnerability) WHERE NOT EXISTS { (v)<-[:HAS_VULNERABILITY]-(_1:Image) WHERE EXISTS { " +
				"(_1)<-[:USES_IMAGE]-(_2:Container) WHERE EXISTS { (_2)<-[:RUNS]-(p:Pod) WHERE p.exposed } } }\nRETURN v"},
	}
	for _, test := range tests {
		q, problems := Compile(Schema(), test.text)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := Print(q); got != test.want {
			t.Errorf("\n got %s\nwant %s", got, test.want)
		}
	}
}

// Everything the menus offer is accepted: nothing impossible can be picked.
func TestEverythingOnAMenuChecks(t *testing.T) {
	v := Schema()
	for _, g := range Kinds(v) {
		for _, k := range g.Kinds {
			m := MenuFor(v, k.Name)
			if len(m.Properties) < 2 || len(k.Plural) == 0 {
				t.Errorf("%s has a poor menu", k.Name)
			}
			for _, c := range m.Connections {
				for _, to := range c.To {
					q := &Query{Find: &Node{As: "a", Kinds: []string{k.Name},
						With: []*Rel{{Edge: []string{c.Edge}, Dir: c.Dir, To: &Node{As: "b", Kinds: []string{to.Name}}}}}}
					if p := Check(v, q); len(p) > 0 {
						t.Errorf("%s %s %s %s: %v", k.Name, c.Dir, c.Edge, to.Name, p)
					}
				}
				if c.Label == "" || c.Sentence == "" {
					t.Errorf("%s %s has no words", c.Edge, c.Dir)
				}
			}
			for _, p := range slices.Concat(m.Insights, m.Properties) {
				for _, op := range p.Ops {
					e := &Expr{Prop: p.Name, Op: op}
					if op != OpTrue && op != OpNull && op != OpNotNull {
						e.Value = &Value{Param("x")}
					}
					if problems := Check(v, &Query{Find: &Node{Kinds: []string{k.Name}, Where: e}}); len(problems) > 0 {
						t.Errorf("%s.%s %s: %v", k.Name, p.Name, op, problems)
					}
				}
			}
		}
	}
}

func TestTheComposedConnectionsFitTheSchema(t *testing.T) {
	for _, c := range schema.Composition() {
		at := c.From
		for _, s := range c.Steps {
			e, ok := schema.EdgeNamed(s.Edge)
			if from, to := at, s.To; !ok || !s.In && !e.CanJoin(from, to) || s.In && !e.CanJoin(to, from) {
				t.Errorf("%s: %s does not join %s and %s", c.Name, s.Edge, at, s.To)
			}
			at = s.To
		}
		if _, taken := schema.EdgeNamed(c.Name); taken || at != c.To || c.Forward == "" || c.Backward == "" {
			t.Errorf("%s is not whole", c.Name)
		}
	}
}
