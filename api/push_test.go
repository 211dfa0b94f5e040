package api

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
)

// tells is a registry that sends notifications of pushes as the distribution project's does.
func (s *served) tells(t *testing.T, header func() string) (host string) {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r)
		repository, tag, manifest := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		if r.Method != http.MethodPut || !manifest || header() == "" {
			return
		}
		body := fmt.Sprintf(`{"events":[{"action":"push","target":{"repository":%q,"tag":%q}}]}`, repository, tag)
		req, err := http.NewRequest("POST", s.url+"/api/v1/registry/pushes", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/vnd.docker.distribution.events.v2+json")
		req.Header.Set("Authorization", header())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %s", resp.Status, answer)
		}
	}))
	t.Cleanup(web.Close)
	return strings.TrimPrefix(web.URL, "http://")
}

// pushRandom puts an image like no other into a registry and says what it is.
func pushRandom(t *testing.T, ref string) (digest string) {
	t.Helper()
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func (s *served) connectedTo(t *testing.T, host string) {
	t.Helper()
	if resp := s.send(t, "POST", "/registries", map[string]any{"host": host, "repositories": []string{"shop/*"}}, nil); resp.StatusCode !=
		http.StatusCreated {
		t.Fatal(resp.Status)
	}
	s.until(t, "it is read", func() bool {
		l := s.registries(t)
		return len(l.Items) == 1 && l.Items[0].State == RegistryStateCurrent
	})
}

func TestAPushIsAssessedWithoutWaitingForTheNextReading(t *testing.T) {
	s := serveSample(t)
	header := ""
	host := s.tells(t, func() string { return header })
	pushRandom(t, host+"/shop/web:1")
	s.connectedTo(t, host)
	token, err := s.store.NewIngestToken(t.Context(), store.IngestToken{Kind: store.PushToken, Subject: host,
		ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	header = "Bearer " + token
	again := s.registries(t).Items[0].LastReadAt
	digest := pushRandom(t, host+"/shop/web:2")
	pushRandom(t, host+"/other/web:1") // which is not read
	read := func(of string) string { return "/registry/images?host=" + url.QueryEscape(host) + "&q=" + of }
	s.until(t, "what was pushed is read", func() bool {
		var l RegistryImageList
		s.get(t, read("web:2"), &l)
		return l.Total == 1 && l.Items[0].Id == digest && l.Counts.Queued+l.Counts.Scanning == 0
	})
	s.until(t, "it is drawn", func() bool {
		return s.ask(t, fmt.Sprintf("MATCH (i:Image) WHERE i.id = '%s' RETURN i", digest)).Roots == 1
	})
	r := s.registries(t).Items[0]
	if p := r.Pushes; !r.LastReadAt.Equal(*again) || r.Repositories != 1 || p == nil || p.Taken != 1 || p.Elsewhere != 1 || p.Why != "" {
		t.Errorf("%+v, %+v", r, r.Pushes)
	}
	if l := s.as(t, graph.Scope{Segments: map[string][]string{"harbor-prod": nil}}).registries(t); len(l.Items) != 0 {
		t.Errorf("who sees one cluster sees %+v", l.Items)
	}
}

func TestATokenOfPushesIsGoodForItsRegistryAndForNothingElse(t *testing.T) {
	s := serveNothing(t, Config{})
	token := func(of store.IngestToken) string {
		of.ExpiresAt = time.Now().Add(time.Hour)
		secret, err := s.store.NewIngestToken(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	push := token(store.IngestToken{Kind: store.PushToken, Subject: "r.test"})
	audit := token(store.IngestToken{Kind: "audit", Cluster: "prod"})
	ended := token(store.IngestToken{Kind: store.PushToken, Subject: "r.test"})
	of, err := s.store.IngestToken(t.Context(), ended)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RevokeIngestToken(t.Context(), of.ID, "alice"); err != nil {
		t.Fatal(err)
	}
	const path, body = "/api/v1/registry/pushes", `{"image":"r.test/shop/web:1"}`
	do := func(method, path, body string, set func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
		set(r)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w
	}
	shows := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	nothing := func(*http.Request) {}
	for _, test := range []struct {
		name, method, path, body string
		set                      func(*http.Request)
		want                     int
	}{
		{"a bearer token; the registry is not connected any more", "POST", path, body, shows("Bearer " + push), 404},
		{"the header alone, as Harbor sends it", "POST", path, body, shows(push), 404},
		{"as a password", "POST", path, body, func(r *http.Request) { r.SetBasicAuth("breakwater", push) }, 404},
		{"in the address", "POST", path + "?token=" + push, body, nothing, 404},
		{"no token", "POST", path, body, nothing, 401},
		{"one that is none", "POST", path, body, shows("Bearer x"), 401},
		{"one that was ended", "POST", path, body, shows("Bearer " + ended), 401},
		{"one of a cluster", "POST", path, body, shows("Bearer " + audit), 403},
		{"no notification", "POST", path, `{"hello":"world"}`, shows(push), 400},
		{"no JSON", "POST", path, `hello`, shows(push), 400},
		{"too much", "POST", path, strings.Repeat(" ", registries.MaxNotification+1), shows(push), 413},
		{"may CloudEvents be sent", "OPTIONS", path, "", shows("Bearer " + push), 204},
		{"may they without a token", "OPTIONS", path, "", nothing, 401},
		{"it signs nobody in", "GET", "/api/v1/registries", "", shows("Bearer " + push), 401},
		{"it connects nothing", "POST", "/api/v1/registries", `{"host":"r.test"}`, shows("Bearer " + push), 401},
	} {
		if w := do(test.method, test.path, test.body, test.set); w.Code != test.want {
			t.Errorf("%s: %d %s, want %d", test.name, w.Code, bytes.TrimSpace(w.Body.Bytes()), test.want)
		}
	}
	w := do("OPTIONS", path, "", func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+push)
		r.Header.Set("WebHook-Request-Origin", "eventgrid.azure.net")
	})
	if got := w.Header().Get("WebHook-Allowed-Origin"); got != "eventgrid.azure.net" {
		t.Errorf("allowed: %q", got)
	}
	list, err := s.store.IngestTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range TokensOf(list, nil, nil, time.Now()) {
		if one.Kind == WebhookToken && (deref(one.Registry) != "r.test" || one.State == TokenStateValid && one.LastUsedAt == nil) {
			t.Errorf("%+v", one)
		}
	}
}
