package segment

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/test/golden"
)

const graphMark = "=== graph ===\n"

func TestManifestsMakeTheGraphBelowThem(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			manifests, _, _ := strings.Cut(string(text), graphMark)
			f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(manifests)}})
			if err != nil {
				t.Fatal(err)
			}
			f.Cluster.Name = "c"
			drawn := lines(view(t, f))
			golden.Compare(t, file, manifests+graphMark+drawn)
			beside := Drawn(f, administrators, func(*Judged) {})
			if other := lines(viewOf(beside)); other != drawn {
				t.Error("judged while it is drawn, it is another graph")
			}
			if before := Cluster(f, Judge(f, administrators)); !reflect.DeepEqual(beside.Gaps, before.Gaps) {
				t.Errorf("judged while it is drawn, these are not seen: %v, and before it: %v", beside.Gaps, before.Gaps)
			}
		})
	}
}

// lines is everything in a view, sorted; what every node has is left out.
func lines(v *graph.View) string {
	var out []string
	for _, k := range schema.Kinds() {
		for n := range v.Nodes(k.Name) {
			line := k.Name + " " + n.ID()
			for _, p := range k.Properties {
				if val := n.Value(p.Name); !val.IsNull() && p.Name != "name" && p.Name != "namespace" && p.Name != "cluster" {
					line += " " + p.Name + "=" + quoted(val.String())
				}
			}
			out = append(out, line)
			for e := range n.Out("") {
				out = append(out, k.Name+" "+n.ID()+" -"+e.Kind()+edgeProps(e)+"-> "+e.To.Kind()+" "+e.To.ID())
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n") + "\n"
}

func edgeProps(e graph.Edge) string {
	var out []string
	for _, k := range schema.Edges() {
		for _, p := range k.Properties {
			if v := e.Value(p.Name); k.Name == e.Kind() && !v.IsNull() {
				out = append(out, p.Name+"="+quoted(v.String()))
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "{" + strings.Join(out, " ") + "}"
}

func quoted(s string) string {
	if strings.ContainsAny(s, " ,") || s == "" {
		return `"` + s + `"`
	}
	return s
}

func TestARoleThatIsNotThereIsAGapHoweverItIsJudged(t *testing.T) {
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n" +
		"metadata: {name: b, namespace: shop}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gone}\n" +
		"subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: alice}]\n")}})
	if err != nil {
		t.Fatal(err)
	}
	before, beside := Cluster(f, Judge(f, administrators)).Gaps, Drawn(f, administrators, func(*Judged) {}).Gaps
	if len(before) == 0 || !reflect.DeepEqual(before, beside) {
		t.Errorf("judged before: %v, beside the drawing: %v", before, beside)
	}
}
