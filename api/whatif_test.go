package api

import (
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
)

// TestFixesThatEndAllPathsAreTriedAndShowNothingOutsideOfTheScope asks as the portal does: for few fixes that
// end all that is seen, then what they would change.
func TestFixesThatEndAllPathsAreTriedAndShowNothingOutsideOfTheScope(t *testing.T) {
	p := plant("one", "two")
	s := p.serve(t)
	tried := 0
	for _, sees := range append(p.scopes(rand.New(rand.NewPCG(3, 4)), 4), graph.Everything) {
		for _, assume := range []string{"", "any"} {
			asker := s.as(t, sees)
			var cut report.Cut
			if resp := asker.send(t, "GET", "/cut?assume="+assume, nil, nil); resp.StatusCode != http.StatusBadRequest { // nothing to assume
				asker.decode(t, "/cut", resp, &cut)
			}
			if sees.All && len(cut.Left) > 0 || cut.AtLeast > len(cut.Fixes) {
				t.Errorf("%s, assume %q: %d paths, %d fixes, at least %d, left %v", sees, assume, cut.Paths, len(cut.Fixes), cut.AtLeast, cut.Left)
			}
			var ids []string
			for _, f := range cut.Fixes {
				ids = append(ids, f.Fix.ID)
			}
			if len(ids) == 0 {
				continue
			}
			tried += len(ids)
			ask := post("/what-if", map[string]any{"fixes": ids, "assume": assume})
			p.hides(t, "whatIf", ask, asker.answered(t, ask), sees, "")
			var out report.WhatIf
			resp := asker.send(t, "POST", "/what-if", ask.body, nil)
			asker.decode(t, "/what-if", resp, &out)
			if code := resp.StatusCode; code != http.StatusOK || len(out.Closed) != cut.Paths-len(cut.Left) || len(out.Opened) > 0 {
				t.Errorf(
					"%s, assume %q: %d: closes %d of %d, opens %d",
					sees,
					assume,
					code,
					len(out.Closed),
					cut.Paths-len(cut.Left),
					len(out.Opened),
				)
			}
		}
	}
	if tried == 0 {
		t.Error("no fix was tried: the test says nothing")
	}
}
