// Package manifests reads the manifests that tests write, as the product does.
package manifests

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
)

// Facts reads documents; there are no facts without any, and a gap fails the test.
func Facts(t testing.TB, manifests ...string) *collect.Facts {
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
