package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
)

// inventory is what a build sends of an image with one package.
func inventory(t *testing.T, digest, name string) []byte {
	t.Helper()
	b, err := json.Marshal(&image.Inventory{Version: image.InventoryVersion, Digest: digest, Reference: "registry.example/shop/new:1",
		Understood: true, OS: image.OS{ID: "debian", VersionID: "12"}, ScannedAt: time.Now(),
		Packages: []image.Package{{Name: name, Version: "1", PURL: "pkg:deb/debian/" + name + "@1", Ecosystem: "Debian:12"}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *served) upload(t *testing.T, token string, body []byte, encoding string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/api/v1/uploads", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if s.router == nil {
		s.router = contract(t, s.url)
	}
	hold(t, s.router, req, resp)
	return resp
}

func (s *served) uploadToken(t *testing.T) string {
	t.Helper()
	token, err := s.store.NewIngestToken(t.Context(), store.IngestToken{Kind: store.UploadToken, Subject: "shop-ci",
		ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestWhatABuildTellsIsShownAsItsWordAndChangesNothingThatWasRead(t *testing.T) {
	s := serveSample(t)
	token := s.uploadToken(t)
	digest := "sha256:" + strings.Repeat("a", 64)
	if resp := s.upload(t, token, inventory(t, digest, "made-up"), ""); resp.StatusCode != http.StatusAccepted {
		t.Fatal(told(t, resp))
	}
	page := func(id string) (p ImagePage) {
		s.get(t, "/image?id="+url.QueryEscape(id), &p)
		return p
	}
	s.until(t, "it is drawn", func() bool {
		return s.ask(t, fmt.Sprintf("MATCH (i:Image) WHERE i.id = '%s' AND i.toldBy = 'shop-ci' RETURN i", digest)).Roots == 1
	})
	p := page(digest)
	if deref(p.Row.ToldBy) != "shop-ci" || p.Row.ToldAt == nil || time.Since(*p.Row.ToldAt) > time.Hour ||
		p.Row.Name != "registry.example/shop/new:1" || p.Row.Running ||
		len(p.Packages) != 1 || len(p.Gaps) == 0 {
		t.Errorf("%+v, gaps %v", p.Row, p.Gaps)
	}
	other := s.as(t, graph.Scope{Segments: map[string][]string{"harbor-prod": nil}})
	if resp := other.send(t, "GET", "/image?id="+url.QueryEscape(digest), nil, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("who sees one cluster: %s", resp.Status)
	}
	var all ImageList
	s.get(t, "/images?limit=1000&running=true&severity=Critical", &all)
	if len(all.Items) == 0 {
		t.Fatal("nothing critical runs")
	}
	was := page(all.Items[0].Id)
	if resp := s.upload(t, token, inventory(t, was.Row.Id, "clean"), ""); resp.StatusCode != http.StatusAccepted {
		t.Fatal(told(t, resp))
	}
	another := "sha256:" + strings.Repeat("b", 64) // drawn after it
	if resp := s.upload(t, token, inventory(t, another, "made-up"), ""); resp.StatusCode != http.StatusAccepted {
		t.Fatal(told(t, resp))
	}
	s.until(t, "the next is drawn", func() bool {
		return s.ask(t, fmt.Sprintf("MATCH (i:Image) WHERE i.id = '%s' RETURN i", another)).Roots == 1
	})
	if now := page(was.Row.Id); now.Row.ToldBy != nil || now.Row.ToldAt != nil || len(now.Findings) != len(was.Findings) ||
		len(now.Packages) != len(was.Packages) {
		t.Errorf("%d findings in %d packages, want %d in %d; told by %v", len(now.Findings), len(now.Packages), len(was.Findings),
			len(was.Packages), now.Row.ToldBy)
	}
}

func TestATokenOfABuildTellsOfImagesAndDoesNothingElse(t *testing.T) {
	var taken []assess.Upload
	s := serveNothing(t, Config{Uploaded: func(_ context.Context, u assess.Upload) error {
		taken = append(taken, u)
		return nil
	}})
	token := s.uploadToken(t)
	body := inventory(t, "sha256:"+strings.Repeat("a", 64), "x")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(body) // to memory
	_ = z.Close()
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	for range assess.MaxUpload>>20 + 1 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	push, err := s.store.NewIngestToken(t.Context(), store.IngestToken{Kind: store.PushToken, Subject: "r.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, token string
		body        []byte
		encoding    string
		want        int
	}{
		{"as it is sent", token, packed.Bytes(), "gzip", 202}, {"unpacked", token, body, "", 202},
		{"no token", "", body, "", 401}, {"a registry's token", push, body, "", 403},
		{"what inflates to too much", token, bomb.Bytes(), "gzip", 413}, {"what is no gzip", token, body, "gzip", 400},
		{"another packing", token, body, "br", 400}, {"nonsense", token, []byte("x"), "", 400},
		{"an image without a digest", token, inventory(t, "", "x"), "", 400},
	} {
		if resp := s.upload(t, test.token, test.body, test.encoding); resp.StatusCode != test.want {
			t.Errorf("%s: %s, want %d", test.name, told(t, resp), test.want)
		}
	}
	if len(taken) != 2 || taken[0].By != "shop-ci" || taken[0].Token == "" || len(taken[0].Inventory) == 0 {
		t.Errorf("%+v", taken)
	}
	for _, path := range []string{"/registries", "/images", "/registry/pushes"} {
		method := map[bool]string{true: "POST", false: "GET"}[path == "/registry/pushes"]
		r := httptest.NewRequest(method, "http://127.0.0.1/api/v1"+path, strings.NewReader(`{"image":"r.test/a:1"}`))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		if s.handler.ServeHTTP(w, r); w.Code != 401 && w.Code != 403 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
