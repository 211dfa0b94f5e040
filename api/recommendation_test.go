package api

import (
	"net/url"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/severity"
)

// recommendations follows the list to a page and back, and holds what it says
// against the pages of the vulnerabilities.
func (s *served) recommendations(t *testing.T) {
	var l RecommendationList
	s.get(t, "/recommendations?about=running", &l)
	if len(l.Groups) != 1 || l.Groups[0].Affected == 0 || l.Groups[0].Unknown == 0 ||
		l.Groups[0].Images != l.Groups[0].Affected+l.Groups[0].Clean+l.Groups[0].Unknown {
		t.Errorf("groups %+v", l.Groups)
	}
	if l.Total == 0 || l.Total != l.Groups[0].Updates || l.Items[0].Breaks == 0 || l.Items[0].Exposed == 0 {
		t.Fatalf("%d recommendations, the first: %+v", l.Total, l.Items)
	}
	var p RecommendationPage
	s.get(t, "/recommendation?id="+url.QueryEscape(l.Items[0].Id), &p)
	if len(p.Images) != p.Row.Images || len(p.Pods) != p.Row.Pods || len(p.Paths) != p.Row.Paths || p.Paths[0].Effect != Breaks ||
		p.Images[0].Layer == nil || p.Text == "" {
		t.Errorf("%+v", p)
	}
	fixes := map[string]bool{}
	for _, f := range p.Findings {
		fixes[f.Vulnerability.Id] = true
	}
	if len(fixes) != p.Row.Vulnerabilities {
		t.Errorf("%d of %d vulnerabilities have a finding", len(fixes), p.Row.Vulnerabilities)
	}
	for id := range fixes {
		var v VulnerabilityPage
		s.get(t, "/vulnerability?id="+id, &v)
		if !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Fixed != nil && slices.Contains(p.Packages, f.Package) }) {
			t.Errorf("%s is not said to be fixed by %v", id, p.Packages)
		}
		var by RecommendationList
		s.get(t, "/recommendations?about=running&vulnerability="+id, &by)
		if !slices.ContainsFunc(by.Items, func(r RecommendationRow) bool { return r.Id == p.Row.Id }) {
			t.Errorf("%s is not found by the vulnerability %s", p.Row.Title, id)
		}
	}
	for query, fits := range map[string]func(RecommendationRow) bool{
		"exposed=true":        func(r RecommendationRow) bool { return r.Exposed > 0 },
		"paths=false":         func(r RecommendationRow) bool { return r.Paths == 0 },
		"severity=High":       func(r RecommendationRow) bool { return severity.Rank(r.Severity) >= severity.Rank("High") },
		"q=openssl":           func(r RecommendationRow) bool { return true },
		"cluster=harbor-dev":  func(r RecommendationRow) bool { return r.Pods > 0 },
		"q=nothing-named-so":  func(r RecommendationRow) bool { return false },
		"cluster=nonexistent": func(r RecommendationRow) bool { return false },
	} {
		var some RecommendationList
		s.get(t, "/recommendations?about=running&"+query, &some)
		for _, r := range some.Items {
			if !fits(r) {
				t.Errorf("?%s lists %+v", query, r)
			}
		}
		if some.Total >= l.Total {
			t.Errorf("?%s leaves nothing out: %d of %d", query, some.Total, l.Total)
		}
	}
	s.updatesOnce(t)
	if resp := s.send(t, "GET", "/recommendation?id=running/Debian:12/none", nil, nil); resp.StatusCode != 404 {
		t.Errorf("one that is not there: %s", resp.Status)
	}
}

// updatesOnce asks for both demands: each update is listed once, with all that it concerns.
func (s *served) updatesOnce(t *testing.T) {
	var both RecommendationList
	s.get(t, "/recommendations", &both)
	of := map[string]map[About]RecommendationRow{}
	for _, about := range []About{AboutRunning, AboutRegistry} {
		var l RecommendationList
		s.get(t, "/recommendations?about="+string(about), &l)
		for _, r := range l.Items {
			key := r.Ecosystem + "/" + r.Package
			if of[key] == nil {
				of[key] = map[About]RecommendationRow{}
			}
			of[key][about] = r
			if len(r.About) != 1 || r.About[0] != about {
				t.Errorf("%s is said to be about %v", r.Id, r.About)
			}
		}
	}
	if both.Total != len(of) || both.Of != len(of) || len(both.Items) != len(of) {
		t.Errorf("%d of %d updates, %d listed; want %d, each once", both.Total, both.Of, len(both.Items), len(of))
	}
	for _, r := range both.Items {
		parts := of[r.Ecosystem+"/"+r.Package]
		if len(r.About) != len(parts) {
			t.Errorf("%s serves %v, want %d demands", r.Title, r.About, len(parts))
		}
		for _, p := range parts {
			if r.Images < p.Images || r.Pods < p.Pods || r.Vulnerabilities < p.Vulnerabilities || r.Breaks < p.Breaks {
				t.Errorf("%+v concerns less than its part %+v", r, p)
			}
		}
		var page RecommendationPage
		s.get(t, "/recommendation?id="+url.QueryEscape(r.Id), &page)
		if page.Row.Title != r.Title || len(page.Images) != r.Images || len(page.Row.About) != len(parts) {
			t.Errorf("the page of %s: %+v", r.Id, page.Row)
		}
	}
}
