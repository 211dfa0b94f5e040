package graph

import (
	"slices"
	"testing"
)

// twoClusters is a view of two clusters whose pods use one image and call each
// other within a cluster.
func twoClusters(t *testing.T) *View {
	t.Helper()
	shared := NewShared(testVocabulary)
	shared.Put("Internet", "internet")
	shared.Put("Image", "sha256:1", S("name", "nginx"))
	frozen := shared.Freeze()
	var built []*Segment
	for _, name := range []string{"stage", "prod"} {
		b := NewBuilder(testVocabulary, name)
		for _, pod := range []string{"a", "b"} {
			p := b.Node("Pod", pod, S("name", pod))
			b.Edge("ROUTES_TO", b.Ref("Internet", "internet"), p, L("ports", []string{pod}))
			b.Edge("USES", p, b.Ref("Image", "sha256:1"))
			b.Edge("ROUTES_TO", p, b.Ref("Pod", "a"), L("ports", []string{"from " + pod}))
		}
		seg, dangling := b.Build(frozen)
		if len(dangling) > 0 {
			t.Fatal(dangling)
		}
		built = append(built, seg)
	}
	return NewView(testVocabulary, frozen, built...)
}

// ends are "kind from > to ports" of edges.
func ends(edges func(func(Edge) bool)) (out []string) {
	for e := range edges {
		out = append(out, e.Kind()+" "+e.From.ID()+" > "+e.To.ID()+" "+e.Value("ports").String())
	}
	slices.Sort(out)
	return out
}

func node(t *testing.T, v *View, kind, id string) Node {
	t.Helper()
	n, ok := v.Node(kind, id)
	if !ok || n.IsZero() {
		t.Fatalf("there is no %s %s", kind, id)
	}
	return n
}

func TestOneKindOfEdgesOrAllOfThem(t *testing.T) {
	v := twoClusters(t)
	pod := node(t, v, "Pod", "prod/a")
	for edge, want := range map[string][]string{
		"":          {"ROUTES_TO prod/a > prod/a from a", "USES prod/a > sha256:1 "},
		"USES":      {"USES prod/a > sha256:1 "},
		"ROUTES_TO": {"ROUTES_TO prod/a > prod/a from a"},
		"NONSENSE":  nil,
	} {
		if got := ends(pod.Out(edge)); !slices.Equal(got, want) {
			t.Errorf("%q goes out by %q, want %q", edge, got, want)
		}
	}
	if got := ends(pod.In("ROUTES_TO")); len(got) != 3 { // the internet, and both pods
		t.Errorf("comes in by %q", got)
	}
	if got := ends(pod.In("")); len(got) != 3 {
		t.Errorf("comes in by %q", got)
	}
	if got := ends(pod.In("USES")); len(got) != 0 {
		t.Errorf("a pod is used by %q", got)
	}
}

func TestASharedNodesEdgesAreThoseOfEveryCluster(t *testing.T) {
	v := twoClusters(t)
	image := node(t, v, "Image", "sha256:1")
	if got := ends(image.In("USES")); len(got) != 4 {
		t.Errorf("used by %q", got)
	}
	if image.Cluster() != "" || image.ID() != "sha256:1" || image.Kind() != "Image" {
		t.Errorf("%q of cluster %q", image.ID(), image.Cluster())
	}
	for e := range image.In("") {
		if e.To != image || e.From.Cluster() == "" {
			t.Errorf("an edge from %s to %s", e.From.ID(), e.To.ID())
		}
	}
}

func TestAReaderMayStopAnywhere(t *testing.T) {
	v := twoClusters(t)
	image, internet := node(t, v, "Image", "sha256:1"), node(t, v, "Internet", "internet")
	for name, seen := range map[string]func() int{
		"nodes": func() (n int) {
			for range v.Nodes("Pod") {
				if n++; n == 1 {
					break
				}
			}
			return n
		},
		"edges out": func() (n int) {
			for range internet.Out("") {
				if n++; n == 1 {
					break
				}
			}
			return n
		},
		"edges in": func() (n int) {
			for range image.In("") {
				if n++; n == 3 {
					break
				}
			}
			return n
		},
	} {
		if n := seen(); n != 1 && name != "edges in" || n != 3 && name == "edges in" {
			t.Errorf("%s: %d", name, n)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	v := twoClusters(t)
	for _, c := range [][2]string{{"Nonsense", "prod/a"}, {"Pod", "elsewhere/a"}, {"Pod", "prod/nobody"}, {"Image", "sha256:2"}, {"Pod", ""}} {
		if n, ok := v.Node(c[0], c[1]); ok {
			t.Errorf("%v is %s", c, n.ID())
		}
	}
	if !(Node{}).IsZero() {
		t.Error("no node is one")
	}
	for range v.Nodes("Nonsense") {
		t.Error("a node of no kind")
	}
	var names []string
	for n := range v.Nodes("Pod") {
		names = append(names, n.ID())
	}
	if !slices.Equal(names, []string{"prod/a", "prod/b", "stage/a", "stage/b"}) {
		t.Errorf("pods %q", names)
	}
	if got := slices.Collect(v.Nodes("Internet")); len(got) != 1 { // the first kind is a kind like others
		t.Errorf("%d internets", len(got))
	}
	alone := NewView(testVocabulary, nil)
	if _, ok := alone.Node("Image", "sha256:1"); ok || alone.Shared() == nil {
		t.Error("a view of nothing shows something")
	}
}
