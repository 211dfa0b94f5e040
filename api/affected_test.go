package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/report"
)

// affectedBy asks of the sample what a person asks who has read of a vulnerability in the news.
func (s *served) affectedBy(t *testing.T) {
	var page, same VulnerabilityPage
	s.get(t, "/vulnerability?id=CVE-2021-44228", &page)
	a := page.Answer
	if a.Verdict != report.IsAffected || a.Images == 0 || a.Images != page.Row.Images || a.Running == 0 || len(a.Where) == 0 || a.Pods == 0 ||
		len(a.Paths) != len(page.Paths) || len(a.Paths) == 0 || a.Where[0].Paths == 0 || page.FindingsTotal != len(page.Findings) ||
		a.LookedAt.Images == 0 || a.InUse != nil || a.InUseWhy == "" {
		t.Errorf("%+v", a)
	}
	i := slices.IndexFunc(a.Fixes, func(f report.Repair) bool { return f.Fixed != "" })
	if i < 0 || a.Fixes[i].Recommendation == "" || a.Fixes[i].Target == "" {
		t.Fatalf("%+v", a.Fixes)
	}
	var advised RecommendationPage
	s.get(t, "/recommendation?id="+a.Fixes[i].Recommendation, &advised)
	if advised.Row.Fixed != a.Fixes[i].Target {
		t.Errorf("the page of the vulnerability says %s, the recommendation %s", a.Fixes[i].Target, advised.Row.Fixed)
	}
	if len(page.Aliases) == 0 {
		t.Fatal("it has no other id")
	}
	alias := strings.ToLower(page.Aliases[0])
	s.get(t, "/vulnerability?id="+alias, &same)
	if same.Row.Id != page.Row.Id || same.Answer.Asked != alias {
		t.Errorf("by its alias %s it is %s", alias, same.Row.Id)
	}
	var none VulnerabilityPage
	s.get(t, "/vulnerability?id=CVE-1999-0001", &none)
	if none.Answer.Verdict != report.IsUnknown || none.Answer.Known || none.Row.Id != "CVE-1999-0001" {
		t.Errorf("%+v", none.Answer)
	}
	var document report.Affected
	s.get(t, "/report/vulnerability?id=CVE-2021-44228", &document)
	if document.Sentence != a.Sentence || len(document.Where) != len(a.Where) {
		t.Errorf("the command line says %q, the page %q", document.Sentence, a.Sentence)
	}
	if status, _ := s.text(t, "/api/v1/vulnerability?id=%20"); status != http.StatusBadRequest {
		t.Errorf("no id: %d", status)
	}
	for words, want := range map[string]string{"cve-2021-44228": "CVE-2021-44228", alias: "CVE-2021-44228",
		"cve-1999-0001": "CVE-1999-0001"} {
		var hits []Hit
		s.get(t, "/search?q="+words, &hits)
		if len(hits) == 0 || hits[0].Ref.Kind != "Vulnerability" || hits[0].Ref.Id != want {
			t.Errorf("%s finds %+v first, want %s", words, hits, want)
		}
		if n := len(slices.DeleteFunc(hits, func(h Hit) bool { return h.Ref.Id != want })); n != 1 {
			t.Errorf("%s finds it %d times", words, n)
		}
	}
}
