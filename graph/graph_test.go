package graph

import "testing"

var testVocabulary = NewVocabulary([]Kind{
	{Name: "Internet", Shared: true},
	{Name: "Image", Shared: true, Columns: []Column{{Name: "name", Type: Text}}},
	{Name: "Pod", Columns: []Column{{Name: "name", Type: Text}, {Name: "hostNetwork", Type: Bool}, {Name: "phase", Type: Text, Dict: true}}},
}, []EdgeKind{{Name: "ROUTES_TO", Columns: []Column{{Name: "ports", Type: List}}}, {Name: "USES", Columns: nil}})

func TestEdgesCrossBetweenClusterAndSharedSegmentBothWays(t *testing.T) {
	b := NewBuilder(testVocabulary, "prod")
	web := b.Node("Pod", "shop/web", S("name", "web"), B("hostNetwork", true))
	b.Node("Pod", "shop/api", S("name", "api"))
	b.Edge("ROUTES_TO", b.Ref("Internet", "internet"), web, L("ports", []string{"443/TCP"}))
	b.Edge("USES", web, b.Ref("Image", "sha256:1"))
	b.Edge("USES", web, b.Ref("Image", "sha256:missing"))
	shared := NewShared(testVocabulary)
	shared.Put("Internet", "internet")
	shared.Put("Image", "sha256:0")
	shared.Put("Image", "sha256:1", S("name", "nginx"))
	frozen := shared.Freeze()
	seg, dangling := b.Build(frozen)
	if len(dangling) != 1 || dangling[0].To != "sha256:missing" {
		t.Fatalf("dangling = %v", dangling)
	}
	v := NewView(testVocabulary, frozen, seg)
	image, _ := v.Node("Image", "sha256:1")
	var users []string
	for e := range image.In("USES") {
		users = append(users, e.From.ID())
	}
	if len(users) != 1 || users[0] != "prod/shop/web" {
		t.Fatalf("users = %v", users)
	}
	internet, _ := v.Node("Internet", "internet")
	for e := range internet.Out("ROUTES_TO") {
		if got := e.Value("ports").String(); got != "443/TCP" || e.To.Text("name") != "web" {
			t.Errorf("edge to %s with ports %s", e.To.ID(), got)
		}
	}
	pod, _ := v.Node("Pod", "prod/shop/api")
	if !pod.Value("hostNetwork").IsNull() {
		t.Error("a value nobody gave must be null")
	}
}

func TestExtensionAddsEdgesStubsAndValuesWithoutTouchingTheOriginal(t *testing.T) {
	b := NewBuilder(testVocabulary, "prod")
	b.Edge("USES", b.Node("Pod", "b"), b.Ref("Image", "i2"))
	b.Node("Pod", "a")
	shared := NewShared(testVocabulary)
	shared.Put("Image", "i1")
	shared.Put("Image", "i2")
	frozen := shared.Freeze()
	seg, _ := b.Build(frozen)
	v := NewView(testVocabulary, frozen, seg)
	a, _ := v.Node("Pod", "prod/a")
	i1, _ := v.Node("Image", "i1")
	x := NewExtension(v, seg)
	x.Edge("USES", a, i1)
	x.Set(a, B("hostNetwork", true))
	v2 := NewView(testVocabulary, frozen, x.Build())
	for id, want := range map[string]string{"i1": "prod/a", "i2": "prod/b"} {
		n, _ := v2.Node("Image", id)
		for e := range n.In("USES") {
			if e.From.ID() != want {
				t.Errorf("%s used by %s, want %s", id, e.From.ID(), want)
			}
		}
	}
	if n, _ := v2.Node("Pod", "prod/a"); !n.Value("hostNetwork").Bool() {
		t.Error("value not set")
	}
	if !a.Value("hostNetwork").IsNull() {
		t.Error("the original changed")
	}
}
