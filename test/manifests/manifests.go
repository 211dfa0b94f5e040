// Package manifests reads the manifests that tests write, as the product does.
package manifests

import (
	"strings"
	"testing"
	"testing/fstest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
)

// Facts reads documents; there are no facts without any, and a gap fails the test.
// A later document replaces an earlier one of the same object, so that a table of
// tests states what all share once, and then what differs.
func Facts(t testing.TB, manifests ...string) *collect.Facts {
	t.Helper()
	text := withoutReplaced(strings.Join(manifests, "\n---\n"))
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

func withoutReplaced(text string) string {
	docs := strings.Split(text, "\n---\n")
	last := map[string]int{}
	names := make([]string, len(docs))
	for i, doc := range docs {
		var o metav1.PartialObjectMetadata
		if err := yaml.Unmarshal([]byte(doc), &o); err == nil && o.Name != "" {
			names[i] = o.Kind + " " + o.Namespace + "/" + o.Name
			last[names[i]] = i
		}
	}
	var kept []string
	for i, doc := range docs {
		if names[i] == "" || last[names[i]] == i {
			kept = append(kept, doc)
		}
	}
	return strings.Join(kept, "\n---\n")
}
