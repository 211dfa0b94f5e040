package netpol

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
)

// facts reads manifests as the product does. The facts are empty without any.
func facts(t testing.TB, manifests ...string) *collect.Facts {
	t.Helper()
	text := strings.Join(manifests, "\n---\n")
	if strings.TrimSpace(text) == "" {
		return collect.NewFacts()
	}
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Gaps {
		t.Fatalf("%s: %s\n%s", g.What, g.Why, text)
	}
	return f
}
