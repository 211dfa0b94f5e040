package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
)

// TestTwoWatchedClustersAreComparedAsFarAsBothAreSeen has clusters that are alike in one namespace; the
// first has another one, and so has the second.
func TestTwoWatchedClustersAreComparedAsFarAsBothAreSeen(t *testing.T) {
	s := planted{clusters: map[string][]string{"cluone": {"qzaa", "qzcc"}, "clutwo": {"qzaa", "qzdd"}}}.serve(t)
	differ := func(sees graph.Scope, base, head string) (out report.Difference) {
		s.as(t, sees).get(t, "/diff?base="+base+"&head="+head, &out)
		return out
	}
	begin := func(all []analyse.Path) (out []string) {
		for _, p := range all {
			if p.Cluster != "cluone" {
				t.Errorf("%s is told under the name %s", p.Title, p.Cluster)
			}
			out = append(out, p.Namespace)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	only := func(got []string, want string) bool { return strings.Join(got, " ") == want }

	d := differ(graph.Everything, "cluone", "clutwo")
	if !only(begin(d.Opened), "qzdd") || !only(begin(d.Closed), "qzcc") || d.Kept == 0 || len(d.Changed) > 0 {
		t.Errorf("opens %v, closes %v, keeps %d, %d changed", begin(d.Opened), begin(d.Closed), d.Kept, len(d.Changed))
	}
	if slices.ContainsFunc(d.NotKnown, func(s string) bool { return strings.Contains(s, "would be lost") }) {
		t.Errorf("who sees all of both is not told what would be lost: %q", d.NotKnown)
	}
	if d := differ(graph.Everything, "cluone", "cluone"); d.Kept == 0 ||
		len(d.Opened)+len(d.Closed)+len(d.Changed)+len(d.Hidden)+d.RoutesLost > 0 {
		t.Errorf("a cluster differs from itself: %+v", d)
	}

	// Who sees what is alike is told of what leads through it, and not from where.
	alike := graph.Scope{Segments: map[string][]string{"cluone": {"qzaa"}, "clutwo": nil}}
	d = differ(alike, "cluone", "clutwo")
	if !only(begin(d.Opened), "") || !only(begin(d.Closed), "") || d.Kept == 0 || d.PermissionsGone+d.RoutesLost > 0 || len(d.NotKnown) == 0 {
		t.Errorf("opens %q, closes %q, keeps %d: %q", begin(d.Opened), begin(d.Closed), d.Kept, d.NotKnown)
	}
	if said := s.as(t, alike).answered(t, get("/diff?base=cluone&head=clutwo")); strings.Contains(said, "qzcc") {
		t.Errorf("it names what is outside of the scope: %s", said)
	}
	for _, c := range []struct {
		base, head string
		sees       map[string][]string
		want       int
	}{
		{"cluone", "clutwo", map[string][]string{"cluone": {"qzcc"}, "clutwo": {"qzdd"}}, http.StatusForbidden},
		{"cluone", "clutwo", map[string][]string{"cluone": nil}, http.StatusNotFound},
		{"clutwo", "cluone", map[string][]string{"cluone": nil}, http.StatusNotFound},
		{"cluone", "no-such", map[string][]string{"cluone": nil}, http.StatusNotFound},
	} {
		asker := s.as(t, graph.Scope{Segments: c.sees})
		if resp := asker.send(t, "GET", "/diff?base="+c.base+"&head="+c.head, nil, nil); resp.StatusCode != c.want {
			t.Errorf("%s to %s, seeing %v: %s, want %d", c.base, c.head, c.sees, resp.Status, c.want)
		}
	}
}
