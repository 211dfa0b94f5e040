package api

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/store"
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

// TestAFixOfAStalePathSaysWhyItCannotBeTried has a path of an earlier run that rests on what cannot be read now.
func TestAFixOfAStalePathSaysWhyItCannotBeTried(t *testing.T) {
	p := plant("one")
	var old analyse.Path
	if err := json.Unmarshal(p.gone(t, "cluone", "qzoneaa"), &old); err != nil {
		t.Fatal(err)
	}
	old.ID, old.Title, old.DependsOn = "old", "Old", []string{"AdmissionWebhook"}
	old.Fixes = []analyse.Fix{{ID: "fix-old", Kind: "rule", Title: "Mend it", Effect: analyse.Breaks, Concerns: []string{"Namespace x"}}}
	body, err := json.Marshal(old)
	if err != nil {
		t.Fatal(err)
	}
	p.open = map[string][]store.FoundPath{"cluone": {{ID: "old", Body: body}}}
	s := p.serve(t)
	rows := s.paths(t, "?status=stale")
	if len(rows) != 1 || rows[0].Title != "Old" {
		t.Fatalf("%+v", rows)
	}
	var page PathPage
	s.get(t, "/path?cluster=cluone&id="+rows[0].Id, &page)
	if said := deref(page.Untried); !strings.Contains(said, "could not be judged again") {
		t.Errorf("the page says %q", said)
	}
	resp := s.send(t, "POST", "/what-if", map[string]any{"fixes": []string{"fix-old"}}, nil)
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(b), "could not be judged again") {
		t.Errorf("%s: %s", resp.Status, b)
	}
	var cut report.Cut
	s.get(t, "/cut?q=Old", &cut)
	if cut.Stale != 1 || cut.Paths != 0 {
		t.Errorf("a cut of it alone: %+v", cut)
	}
	s.get(t, "/cut", &cut)
	var out report.WhatIf
	s.decode(t, "/what-if", s.send(t, "POST", "/what-if", map[string]any{"fixes": []string{cut.Fixes[0].Fix.ID}}, nil), &out)
	if !slices.ContainsFunc(out.NotKnown, func(n string) bool { return strings.Contains(n, "judged again") }) {
		t.Errorf("of another fix it says of it: %q", out.NotKnown)
	}
	s.get(t, "/path?cluster=cluone&id=gone-qzonebb", &page)
	if deref(page.Untried) != "the path is gone" {
		t.Errorf("a path that is gone: %q", deref(page.Untried))
	}
}
