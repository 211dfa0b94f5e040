package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
)

// TestFixesOfOnePathAreCodeForWhoSeesItsWholeCluster asks for paths one by one, as somebody who sees all, one cluster,
// and one namespace of it.
func TestFixesOfOnePathAreCodeForWhoSeesItsWholeCluster(t *testing.T) {
	s := plant("one", "two").serve(t)
	const unseen = "it is written for who sees the whole cluster"
	for _, c := range []struct {
		name  string
		sees  graph.Scope
		whole bool
	}{
		{"everything", graph.Everything, true},
		{"one cluster", graph.Scope{Segments: map[string][]string{"cluone": nil}}, true},
		{"one namespace", graph.Scope{Segments: map[string][]string{"cluone": {"qzoneaa"}}}, false},
	} {
		for _, assume := range []string{"", "any"} {
			t.Run(c.name+" "+assume, func(t *testing.T) {
				asker := s.as(t, c.sees)
				did, why := map[string]bool{}, map[string]bool{}
				for _, row := range asker.paths(t, "?limit=1000&assume="+assume) {
					var page struct{ Path analyse.Path }
					asker.get(t, "/path?"+url.Values{"cluster": {row.Cluster}, "id": {row.Id}, "assume": {assume}}.Encode(), &page)
					for _, f := range page.Path.Fixes {
						if (len(f.Code) > 0) == (f.WithoutCode != "") {
							t.Errorf("fix %s %q: %d changes, and %q", f.Kind, f.Title, len(f.Code), f.WithoutCode)
						}
						for _, change := range f.Code {
							did[change.Do] = true
							if change.Object == "" || change.Command == "" {
								t.Errorf("fix %q: %+v is no change that can be made", f.Title, change)
							}
						}
						why[f.WithoutCode] = true
					}
				}
				switch reasons := slices.Sorted(maps.Keys(why)); {
				case c.whole && (!did[analyse.Replace] || !did[analyse.Patch] || why[unseen]):
					t.Errorf("changes: %v; why there are none: %q", did, reasons)
				case !c.whole && (len(did) > 0 || !slices.Equal(reasons, []string{unseen})):
					t.Errorf("changes for who sees a part: %v; why there are none: %q", did, reasons)
				}
			})
		}
	}
}

func TestFixesThatOnlyEndAPathTogetherAreOneChange(t *testing.T) {
	alone := graph.Scope{Segments: map[string][]string{"cluone": {"qzonecc"}}}
	s := plant("one").only(alone).serve(t)
	found := false
	for _, row := range s.paths(t, "?limit=1000") {
		var page struct{ Path analyse.Path }
		s.get(t, "/path?"+url.Values{"cluster": {row.Cluster}, "id": {row.Id}}.Encode(), &page)
		for _, f := range page.Path.Fixes {
			if len(f.Together) == 0 {
				continue
			}
			found = true
			if want := []string{"host-root-folder", "privileged-container"}; !slices.Equal(f.Together, want) || f.Effect != analyse.Breaks ||
				len(f.Code) != 1 || !strings.Contains(f.Code[0].YAML, "privileged: false") || !strings.Contains(f.Code[0].YAML, "mountPath: /host") {
				t.Errorf("%s: %+v, want one change for %v", page.Path.Title, f, want)
			}
		}
	}
	if !found {
		t.Error("no fix is several: a container that is privileged and has its node's root folder needs both")
	}
}
