package query

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestWhatIsTooLargeIsRefusedInBothSpellings(t *testing.T) {
	path := "MATCH (n0:Node)" + strings.Repeat("<-[:RUNS_ON]-(:Pod) MATCH (n0)", MaxNodes)
	many := "MATCH (p:Pod) WHERE p.exposed" + strings.Repeat(" OR p.exposed", MaxTerms)
	list := "MATCH (p:Pod) WHERE p.name IN ['a'" + strings.Repeat(", 'a'", MaxTerms) + "]"
	for _, test := range []struct{ text, want string }{
		{path, "at most 64 nodes"}, {many, "at most 1000 conditions"}, {list, "at most 1000 conditions"},
		{"MATCH (p:Pod) WHERE EXISTS { (p)-[:X*1..21]->() }", "at most 20 steps"},
		{"MATCH (p:Pod) WHERE EXISTS { (p)-[:X*2..3]->() }", "begins at 1"},
		{"MATCH (p:Pod) WHERE EXISTS { (p)-[x:X*1..3]->() }", "cannot have a name"},
		{"MATCH (p:Pod) WHERE p.x = 99999999999999999999", "does not fit"},
		{"MATCH (p:Pod) WHERE p.x = 1e999", "too large"},
		{"MATCH (p:Pod) WHERE p.x = [[1]]", "may not hold lists"},
		{`MATCH (p:Pod) WHERE p.x = '\q'`, `knows no \q`},
		{`MATCH (p:Pod) WHERE p.x = '\ud800'`, "four hexadecimal digits"},
		{"MATCH (p:Pod) WHERE p.x = $", "a parameter is $ and a name"},
		{"MATCH (`p:Pod)", "never closed"},
		{"MATCH (p:Pod) WHERE p.x ~ 1", "means nothing here"},
		{"MATCH (p:Pod) \xff", "UTF-8"},
	} {
		if _, err := Parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60s: got %v, want …%s…", test.text, err, test.want)
		}
	}
	wide := &Node{Kinds: []string{"Node"}}
	for range MaxNodes {
		wide.With = append(wide.With, &Rel{Edge: []string{"RUNS_ON"}, Dir: In, To: &Node{}})
	}
	group := &Expr{}
	for range MaxTerms + 1 {
		group.Or = append(group.Or, &Expr{Prop: "name", Op: OpNull})
	}
	values := make([]Value, MaxTerms+1)
	for i := range values {
		values[i] = Value{Param("p")}
	}
	for want, n := range map[string]*Node{
		"at most 64 nodes":        wide,
		"at most 1000 conditions": {Kinds: []string{"Node"}, Where: group},
		"conditions and values":   {Kinds: []string{"Node"}, Where: &Expr{Prop: "name", Op: OpIn, Value: &Value{values}}},
	} {
		if problems := Check(Schema(), &Query{Find: n}); len(problems) != 1 || !strings.Contains(problems[0].Message, want) {
			t.Errorf("got %v, want %s", problems, want)
		}
	}
}

func TestTreesThatNoTextCouldSayAreRefused(t *testing.T) {
	tests := []struct{ json, want string }{
		{`{"find":{"kinds":["Pod"],"where":{"prop":"exposed","not":{"prop":"exposed"}}}}`, "exactly one of"},
		{`{"find":{"kinds":["Pod"],"where":{"prop":"name","op":"LIKE","value":"a"}}}`, "there is no operator LIKE"},
		{`{"find":{"kinds":["Pod"],"where":{"prop":"name","op":"="}}}`, "= wants a value"},
		{`{"find":{"kinds":["Pod"],"where":{"prop":"exposed","fold":true}}}`, "toLower takes a text"},
		{`{"find":{"kinds":["Pod"],"where":{"of":"q","prop":"exposed"}}}`, "q is neither"},
		{`{"find":{"kinds":["Pod"],"with":[{"edge":["RUNS"],"dir":"sideways","to":{}}]}}`, "dir is out or in"},
		{`{"find":{"kinds":["Pod"],"with":[{"edge":[],"to":{}}]}}`, "wants an edge"},
		{`{"find":{"kinds":["Pod"],"with":[{"edge":["RUNS"],"upTo":3,"to":{}}]}}`, "for EXISTS only"},
		{`{"find":{"kinds":["Pod"],"with":[{"edge":["RUNS"],"optional":true,"to":{"with":[{"edge":["USES_IMAGE"],"to":{}}]}}]}}`,
			"everything is optional"},
		{`{"find":{"kinds":["Pod"],"where":{"exists":{"edge":["RUNS"],"optional":true,"to":{}}}}}`, "nothing inside EXISTS"},
		{`{"find":{"kinds":["Pod"],"where":{"exists":{"edge":["RUNS"],"to":{"with":[{"edge":["USES_IMAGE"],"to":{}}]}}}}}`, "has one edge"},
		{`{"find":{"kinds":["Pod"],"where":{"count":{"edge":["RUNS"],"to":{}},"op":"IN","value":1}}}`, "COUNT is compared with one of"},
		{`{"find":{"kinds":["Pod"],"where":{"count":{"edge":["RUNS"],"to":{}},"op":">","value":-1}}}`, "whole number"},
		{`{"find":{"kinds":["Pod"],"where":{"count":{"edge":["RUNS"],"upTo":2,"to":{}},"op":">","value":1}}}`, "cannot be counted"},
		{`{"find":{"as":"p","kinds":["Pod"]},"return":[{"of":"p","count":true,"prop":"name"}]}`, "count takes a variable"},
		{`{"find":{"as":"p","kinds":["Pod"]},"return":[{"of":"p","fold":true}]}`, "toLower takes a property"},
		{`{"find":{"as":"p","kinds":["Pod"]},"limit":-1}`, "not negative"},
		{`{"find":{"as":"p","kinds":["Pod"]},"return":[{"of":"p"}],"add":{"from":"p","edge":"CAN_TAKE_OVER","to":"p"}}`, "not both"},
		{`{"find":{"as":"p","kinds":["Pod"]},"add":{"from":"p","edge":"CAN_TAKE","to":"p"}}`, "did you mean CAN_TAKE_OVER?"},
		{`{"find":{"as":"p","kinds":["Pod"]},"add":{"from":"p","edge":"CAN_TAKE_OVER","to":"q"}}`, "no node is called q"},
		{`{"find":{"as":"p","kinds":["Pod"],"with":[{"edge":["RUNS"],"to":{"as":"p"}}]}}`, "p is bound twice"},
	}
	for _, test := range tests {
		q, err := Decode([]byte(test.json))
		if err != nil {
			t.Errorf("%s: %v", test.json, err)
			continue
		}
		if problems := Check(Schema(), q); len(problems) == 0 || !strings.Contains(problems[0].Error(), test.want) {
			t.Errorf("%s: got %v, want …%s…", test.json, problems, test.want)
		}
	}
	for _, bad := range []string{`{`, `{"find":{}} {}`, `{"find":{"where":{"prop":"a","op":"=","value":{"p":1}}}}`,
		`{"find":{"where":{"prop":"a","value":[[1]]}}}`, `[]`} {
		if _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s decodes", bad)
		}
	}
}

func TestParametersOfEveryTypeFillIn(t *testing.T) {
	view := givenView(t, "Image i criticals=3 highs=1 name=a tags=x,y running=true\nVulnerability v cvss=7.5 published=2026-01-01")
	tests := []struct {
		text  string
		param any
		want  int64
	}{
		{"MATCH (i:Image) WHERE i.criticals >= $p", 3, 1},
		{"MATCH (i:Image) WHERE i.criticals > $p", int64(3), 0},
		{"MATCH (i:Image) WHERE i.criticals > $p", 2.5, 1},
		{"MATCH (i:Image) WHERE i.name IN $p", []string{"a", "b"}, 1},
		{"MATCH (i:Image) WHERE i.highs IN $p", []any{int64(1), 2.5}, 1},
		{"MATCH (i:Image) WHERE i.name IN ['b', $p]", "a", 1},
		{"MATCH (i:Image) WHERE $p IN i.tags", "y", 1},
		{"MATCH (i:Image) WHERE i.running = $p", true, 1},
		{"MATCH (v:Vulnerability) WHERE v.published = $p AND v.cvss = 7.5", "2026-01-01T00:00:00Z", 1},
	}
	for _, test := range tests {
		res, err := Run(context.Background(), view, graph.Everything, mustCompile(t, test.text), Options{Params: map[string]any{"p": test.param}})
		if err != nil || res.Total != test.want {
			t.Errorf("%s with %v: %+v %v, want %d", test.text, test.param, res, err, test.want)
		}
	}
	for _, wrong := range []any{nil, struct{}{}, []any{nil}, 1} {
		q := mustCompile(t, "MATCH (i:Image) WHERE i.name = $p")
		if _, err := Run(context.Background(), view, graph.Everything, q, Options{Params: map[string]any{"p": wrong}}); err == nil {
			t.Errorf("%s is taken for a text", fmt.Sprint(wrong))
		}
	}
}

func TestAGraphOfAnotherVocabularyIsAnErrorNotAPanic(t *testing.T) {
	q, _ := Parse("MATCH (a:A)")
	view := givenView(t, "Pod p")
	if _, err := Run(context.Background(), view, graph.Everything, q, Options{Vocabulary: testVocabulary}); err == nil {
		t.Error("it is taken")
	}
}
