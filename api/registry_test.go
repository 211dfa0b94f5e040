package api

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
)

const ofSample = "?host=" + harborshop.Host

func (s *served) registries(t *testing.T) RegistryList {
	t.Helper()
	var l RegistryList
	s.get(t, "/registries", &l)
	return l
}

func (s *served) registryImages(t *testing.T, query string) RegistryImageList {
	t.Helper()
	var l RegistryImageList
	s.get(t, "/registry/images"+ofSample+query, &l)
	return l
}

func TestARegistryIsConnectedReadAndForgotten(t *testing.T) {
	s := serveSample(t)
	if l := s.registries(t); len(l.Items) != 0 || l.Credentials == "" {
		t.Fatalf("%+v", l)
	}
	var before ImageList
	s.get(t, "/images?limit=1000", &before)
	var check RegistryCheck
	s.decode(t, "check", s.send(t, "POST", "/registries/check", map[string]any{"host": harborshop.Host}, nil), &check)
	if !check.Ok || len(check.Permissions) != 6 {
		t.Errorf("%+v", check)
	}
	if l := s.registries(t); len(l.Items) != 0 {
		t.Error("the check connected it")
	}
	if resp := s.send(t, "POST", "/registries", map[string]any{"host": harborshop.Host}, nil); resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	s.until(t, "it is read", func() bool {
		l := s.registries(t)
		return l.Items[0].State == RegistryStateCurrent && l.Items[0].Images.Done+l.Items[0].Images.Unsupported == 21
	})
	r := s.registries(t).Items[0]
	if r.Repositories < 15 || r.Tags != 21 || r.From != Portal || r.LastReadAt == nil || r.NextReadAt == nil || len(r.Gaps) != 0 {
		t.Errorf("%+v", r)
	}
	t.Run("the queue", s.testQueue)
	t.Run("images that nothing runs", func(t *testing.T) {
		var after ImageList
		s.until(t, "they are drawn", func() bool { s.get(t, "/images?limit=1000", &after); return after.Total == before.Total+2 })
		const text = "MATCH (i:Image) WHERE i.running = false AND i.severity >= 'High' MATCH (i)-[:STORED_IN]->(r:Repository) " +
			"MATCH (r)-[:STORED_IN]->(g:Registry) RETURN i.name, r.name, g.name ORDER BY i.name"
		s.until(t, "what is in them is drawn", func() bool { return s.ask(t, text).Roots == 2 }) // a moment after the queue says done
		a := s.ask(t, text)
		if a.Roots != 2 || len(a.Rows) != 2 || a.Rows[0][0] != harborshop.Host+"/shop/price-board:0.3.0" || a.Rows[1][2] != harborshop.Host {
			t.Errorf("%+v", a)
		}
		var v VulnerabilityPage
		s.get(t, "/vulnerability?id=CVE-2021-44228", &v)
		if v.Row.Images != 2 || v.Row.Running != 1 {
			t.Errorf("%+v", v.Row)
		}
	})
	if resp := s.send(t, "DELETE", "/registry"+ofSample, nil, nil); resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp.Status)
	}
	s.until(t, "only the images of the clusters are left", func() bool {
		var left ImageList
		s.get(t, "/images?limit=1000", &left)
		return left.Total == before.Total && len(s.registries(t).Items) == 0
	})
}

func (s *served) testQueue(t *testing.T) {
	all := s.registryImages(t, "")
	if all.Total != 21 || all.Counts.Total != 21 || all.Next != nil || all.Items[0].Name > all.Items[1].Name {
		t.Errorf("%+v", all)
	}
	var paged []string
	for cursor := ""; ; {
		page := s.registryImages(t, "&limit=4&cursor="+url.QueryEscape(cursor))
		for _, i := range page.Items {
			paged = append(paged, i.Name)
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	for i, item := range all.Items {
		if i >= len(paged) || paged[i] != item.Name {
			t.Fatalf("page by page %v", paged)
		}
	}
	web := s.registryImages(t, "&q=shop/web:1.4")
	if len(web.Items) != 1 || !web.Items[0].Running || web.Items[0].Pods != 3 || web.Items[0].Platform == nil ||
		web.Items[0].Size == nil || web.Items[0].Places[0].Tags[0] != "1.4.2" {
		t.Errorf("%+v", web.Items)
	}
	if l := s.registryImages(t, "&q="+url.QueryEscape("%")); l.Total != 0 {
		t.Errorf("%% is no wildcard: %d", l.Total)
	}
	if l := s.registryImages(t, "&state=unsupported"); l.Total != 1 || l.Items[0].Why == "" ||
		!strings.Contains(l.Items[0].Name, "tide-tables") {
		t.Errorf("%+v", l.Items)
	}
	for path, want := range map[string]int{"/registry/rescan" + ofSample: http.StatusNoContent,
		"/registry/rescan?host=none.example":                                         http.StatusNotFound,
		"/registry/rescan" + ofSample + "&image=sha256:none":                         http.StatusNotFound,
		"/registry/rescan" + ofSample + "&image=" + url.QueryEscape(web.Items[0].Id): http.StatusNoContent} {
		if resp := s.send(t, "POST", path, nil, nil); resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	s.until(t, "it was read again", func() bool { return s.registryImages(t, "").Counts.Done == 20 })
}

func TestAWishThatMakesNoSenseIsRefusedInWords(t *testing.T) {
	s := serveSample(t)
	for _, host := range []string{"", "https://registry.example", "a b", "registry.example/shop", "user:pass@registry.example",
		"plain", strings.Repeat("a", 300) + ".example"} {
		if resp := s.send(t, "POST", "/registries", map[string]any{"host": host}, nil); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", host, resp.Status)
		}
	}
	for _, repository := range []string{"../x", "A", "a//b", "[", ""} {
		if resp := s.send(t, "POST", "/registries", map[string]any{"host": "registry.example", "repositories": []string{repository}},
			nil); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", repository, resp.Status)
		}
	}
	for _, path := range []string{"/registry/images?host=none.example"} {
		if resp := s.send(t, "GET", path, nil, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if resp := s.send(t, "DELETE", "/registry?host=none.example", nil, nil); resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	if l := s.registries(t); len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
}

func TestAPolicyIsPreviewedKeptAndToldAgain(t *testing.T) {
	s := serveSample(t)
	asked := map[string]any{"host": harborshop.Host, "repositories": []string{"shop/*"}, "tagNames": []string{"!0.*"}, "maxAge": "36500d",
		"platforms": []string{"linux/amd64", "linux/arm64"}, "every": "6h", "hours": []string{"mon-sun 00:00-24:00"}}
	var p RegistryPreview
	s.decode(t, "preview", s.send(t, "POST", "/registries/preview", asked, nil), &p)
	if p.Chosen == 0 || p.Left == 0 || p.Chosen+p.Left != len(p.Items) || p.Cut != nil {
		t.Errorf("%+v", p)
	}
	for _, c := range p.Items {
		if left := strings.HasPrefix(c.Tag, "0."); left != (c.Why != "") || !strings.HasPrefix(c.Repository, "shop/") {
			t.Errorf("%+v", c)
		}
	}
	if l := s.registries(t); len(l.Items) != 0 {
		t.Error("the preview connected it")
	}
	if resp := s.send(t, "POST", "/registries", asked, nil); resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	s.until(t, "it is read", func() bool { return s.registries(t).Items[0].State == RegistryStateCurrent })
	r := s.registries(t).Items[0]
	if f := r.Filters; r.Tags != p.Chosen || f.MaxAge != "36500d" || f.Every != "6h" || len(f.Platforms) != 2 ||
		f.Hours[0] != "mon-sun 00:00-24:00" ||
		f.TagNames[0] != "!0.*" || r.Way.Proxy != "" {
		t.Errorf("%+v, want %d tags", r, p.Chosen)
	}
	for want, change := range map[string]map[string]any{
		"maxAge": {"maxAge": "soon"}, "every": {"every": "-1h"}, "hours": {"hours": []string{"noon"}}, "platform": {"platforms": []string{"arm"}},
		"tag": {"tagNames": []string{"a/b"}}, "proxy": {"proxy": "ftp://p"}, "mirror": {"mirror": "a b"}, "certificate": {"authorities": "none"},
	} {
		change["host"] = "r.example"
		for _, path := range []string{"/registries", "/registries/check", "/registries/preview"} {
			resp := s.send(t, "POST", path, change, nil)
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s with %v: %s", path, change, resp.Status)
			}
			if b, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(b), want) {
				t.Errorf("%s: %s, want %q", path, b, want)
			}
		}
	}
}
