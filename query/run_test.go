package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

func givenView(t testing.TB, text string) *graph.View {
	t.Helper()
	v, err := Given(Schema(), schema.Vocabulary(), text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustCompile(t testing.TB, text string) *Query {
	t.Helper()
	q, problems := Compile(Schema(), text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return q
}

const hunt = `
cluster prod
Pod shop/Pod/web exposed=true name=web -RUNS-> Container shop/Pod/web/app -USES_IMAGE-> Image sha256:a scanned=true
Pod shop/Pod/job -RUNS-> Container shop/Pod/job/main -USES_IMAGE-> Image sha256:b scanned=false
cluster test
Pod lab/Pod/x -RUNS-> Container lab/Pod/x/app -USES_IMAGE-> Image sha256:a
Image sha256:c
Image sha256:a -HAS_VULNERABILITY{severity=High package="openssl 3.0.2"}-> Vulnerability CVE-2022-3889 severity=High
`

func TestTheResultAsJSONIsWhatTheCommandLinePromises(t *testing.T) {
	q := mustCompile(t, "MATCH (i:Image)-[h:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889' MATCH "+
		"(i)<-[:RUNS_IMAGE]-(p:Pod) RETURN i, h, v.severity, p")
	res, err := Run(context.Background(), givenView(t, hunt), graph.Everything, q, Options{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	res.Elapsed = 0
	b, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"columns":[{"name":"i","type":"node","of":"i","kinds":["Image"]},{"name":"h","type":"edge","of":"h",` +
		`"kinds":["HAS_VULNERABILITY"]},{"name":"v.severity","type":"enum","of":"v","prop":"severity","kinds":["Vulnerability"]},` +
		`{"name":"p","type":"node","of":"p","kinds":["Pod"]}],` +
		`"rows":[[{"id":"sha256:a","kind":"Image","name":"sha256:a"},{"edge":"HAS_VULNERABILITY","from":{"id":"sha256:a","kind":"Image",` +
		`"name":"sha256:a"},"properties":{"package":"openssl 3.0.2","severity":"High"},"to":{"id":"CVE-2022-3889","kind":"Vulnerability",` +
		`"name":"CVE-2022-3889"}},"High",{"id":"prod/shop/Pod/web","kind":"Pod","name":"web"}]],` +
		`"roots":1,"total":2,"matched":{"_1":2,"i":1,"p":2,"v":1},"partial":"","gaps":[{"source":"query",` +
		`"what":"2 container images were never scanned","why":"nothing is known about what they contain",` +
		`"consequence":"they may belong in the answer and are not in it","kinds":["Image"],"count":2}],"elapsed":0}`
	if string(b) != want {
		t.Errorf("\n got %s\nwant %s", b, want)
	}
}

// big is a graph whose rows cannot be enumerated in time: everything reaches
// everything through one node.
func big(t testing.TB, n int) *graph.View {
	voc := schema.Vocabulary()
	b := graph.NewBuilder(voc, "c")
	node := b.Node("Node", "n")
	for i := range n {
		b.Edge("RUNS_ON", b.Node("Pod", fmt.Sprintf("p%06d", i)), node)
	}
	seg, _ := b.Build(nil)
	return graph.NewView(voc, nil, seg)
}

const everyPair = `MATCH (a:Pod)-[:RUNS_ON]->(n:Node) MATCH (n)<-[:RUNS_ON]-(b:Pod) MATCH (n)<-[:RUNS_ON]-(c:Pod)`

func TestTheTotalOfRowsBeyondCountingIsExact(t *testing.T) {
	res, err := Run(context.Background(), big(t, 2000), graph.Everything, mustCompile(t, everyPair+" RETURN a, b, c"), Options{Limit: 3})
	if err != nil || res.Total != 8_000_000_000 || res.Roots != 2000 || len(res.Rows) != 3 || res.Partial != "" {
		t.Errorf("total %d, roots %d, %d rows, partial %q, %v", res.Total, res.Roots, len(res.Rows), res.Partial, err)
	}
}

func TestASpentBudgetIsAPartialAnswerWithItsReason(t *testing.T) {
	view := big(t, 2000)
	sorted := mustCompile(t, everyPair+" RETURN a, b, c ORDER BY c, b")
	res, err := Run(context.Background(), view, graph.Everything, sorted,
		Options{Deadline: time.Nanosecond}) // without it, 8 billion rows
	if err != nil || !strings.Contains(res.Partial, "time limit of 1ns") {
		t.Errorf("partial %q, %v", res.Partial, err)
	}
	distinct := mustCompile(t, everyPair+" RETURN DISTINCT b, c")
	res, err = Run(context.Background(), view, graph.Everything, distinct, Options{MemoryLimit: 2 << 20, Limit: 5})
	if err != nil || !strings.Contains(res.Partial, "memory limit of 2 MiB") || len(res.Rows) != 5 || res.Total < 5 {
		t.Errorf("partial %q, %d rows, total %d, %v", res.Partial, len(res.Rows), res.Total, err)
	}
	ctx := &leaving{Context: context.Background(), asks: 10}
	if _, err := Run(ctx, view, graph.Everything, sorted, Options{}); !errors.Is(err, context.Canceled) || ctx.asks != 0 {
		t.Errorf("a caller who leaves gets %v", err)
	}
}

// leaving is the context of a caller who leaves while a query runs: after it was
// asked so many times whether the answer is still wanted.
type leaving struct {
	context.Context
	asks int
}

func (l *leaving) Err() error {
	if l.asks == 0 {
		return context.Canceled
	}
	l.asks--
	return nil
}

func TestMatchHandsOverEveryBindingAndWithinNarrowsIt(t *testing.T) {
	view := givenView(t, hunt)
	q := mustCompile(t, "MATCH (p:Pod)-[:RUNS]->(c:Container) MATCH (c)-[u:USES_IMAGE]->(i:Image) WHERE i.id = $id MERGE "+
		"(c)-[:CAN_EXECUTE_IN]->(c)")
	var got []string
	err := Match(context.Background(), view, graph.Everything, q, map[string]any{"id": "sha256:a"}, func(b Binding) bool {
		p, _ := b.Node("p")
		u, ok := b.Edge("u")
		if _, none := b.Node("nobody"); none || !ok || u.Kind != "USES_IMAGE" || u.To.ID() != "sha256:a" {
			t.Errorf("edge %+v", u)
		}
		got = append(got, p.ID())
		return true
	})
	if err != nil || fmt.Sprint(got) != "[prod/shop/Pod/web test/lab/Pod/x]" {
		t.Errorf("got %v, %v", got, err)
	}
	x, _ := view.Node("Pod", "test/lab/Pod/x")
	got = nil
	opts := Options{Params: map[string]any{"id": "sha256:a"}, Within: map[string][]graph.Node{"p": {x}}}
	err = MatchWith(context.Background(), view, graph.Everything, q, opts, func(b Binding) bool {
		p, _ := b.Node("p")
		got = append(got, p.ID())
		return false
	})
	if err != nil || fmt.Sprint(got) != "[test/lab/Pod/x]" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := Match(context.Background(), view, graph.Everything, q, nil, nil); err == nil ||
		!strings.Contains(err.Error(), "$id is not given") {
		t.Errorf("a missing parameter gives %v", err)
	}
}

func TestCompletionCountsOnlyWhatTheScopeSees(t *testing.T) {
	view := givenView(t, `
cluster a
Pod p1 phase=Running labels=app=web,tier=front namespace=shop -RUNS-> Container c1 image=nginx namespace=shop
Container c1 -MOUNTS{how=env}-> Secret s1 namespace=shop
Pod p2 phase=Running labels=app=api namespace=shop
Pod p3 phase=Pending namespace=lab
cluster b
Pod p4 phase=Failed
`)
	shop := graph.Scope{Segments: map[string][]string{"a": {"shop"}}}
	tests := []struct {
		of, prop, contains string
		scope              graph.Scope
		want               string
	}{
		{"Pod", "phase", "", graph.Everything, "[{Running 2} {Failed 1} {Pending 1}]"},
		{"Pod", "phase", "", shop, "[{Running 2}]"},
		{"Pod", "labels", "WEB", graph.Everything, "[{app=web 1}]"},
		{"Pod", "id", "p4", graph.Everything, "[{b/p4 1}]"},
		{"MOUNTS", "how", "", graph.Everything, "[{env 1}]"},
		{"MOUNTS", "how", "", graph.Scope{}, "[]"},
	}
	for _, test := range tests {
		got, err := Complete(context.Background(), view, test.scope, test.of, test.prop, test.contains, Options{})
		if err != nil || fmt.Sprint(got.Values) != test.want || got.Partial != "" {
			t.Errorf("%s.%s %q: %v %v, want %s", test.of, test.prop, test.contains, got, err, test.want)
		}
	}
	if _, err := Complete(context.Background(), view, shop, "Pod", "phse", "", Options{}); err == nil {
		t.Error("a property that is not there completes")
	}
	q := mustCompile(t, "MATCH (p:Pod)-[:RUNS]->(c:Container)")
	got, err := Facets(context.Background(), view, graph.Everything, q, "p", "phase", Options{})
	if err != nil || fmt.Sprint(got.Values) != "[{Running 1}]" {
		t.Errorf("facets %v, %v", got, err)
	}
}

func TestCSVHoldsEveryRowAndNoFormula(t *testing.T) {
	view := givenView(t, `
Pod p1 workload==HYPERLINK(1)
Pod p2 workload="a, b"
`)
	var out bytes.Buffer
	res, err := WriteCSV(context.Background(), &out, view, graph.Everything,
		mustCompile(t, "MATCH (p:Pod) RETURN p, p.workload AS w, p.ip"), Options{Limit: 1})
	if err != nil || res.Total != 2 {
		t.Fatal(res, err)
	}
	if want := "p,w,p.ip\nc/p1,'=HYPERLINK(1),\nc/p2,\"a, b\",\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestConditionsOnRecordsAreAnsweredByTheStore(t *testing.T) {
	kinds := []schema.Kind{{Name: "Pod", Properties: []schema.Property{{Column: graph.Column{Name: "alerts", Type: graph.Int}, Record: true}}}}
	v := NewVocabulary(kinds, nil, nil)
	b := graph.NewBuilder(v.graphVocabulary(), "c")
	b.Node("Pod", "a")
	b.Node("Pod", "b")
	seg, _ := b.Build(nil)
	view := graph.NewView(v.graphVocabulary(), nil, seg)
	q, _ := Parse("MATCH (p:Pod) WHERE NOT p.alerts > 0")
	var asked RecordCondition
	opts := Options{Vocabulary: v, Records: func(_ context.Context, c RecordCondition) ([]string, error) {
		asked = c
		return []string{"c/b", "gone/x"}, nil
	}}
	res, err := Run(context.Background(), view, graph.Everything, q, opts)
	if err != nil || res.Total != 1 || res.Rows[0][0].String() != "c/a" || asked.Property != "alerts" || asked.Op != ">" {
		t.Errorf("%+v %v %+v", res, err, asked)
	}
	opts.Records = nil
	if _, err := Run(context.Background(), view, graph.Everything, q, opts); err == nil {
		t.Error("a record condition without a store is answered")
	}
}
