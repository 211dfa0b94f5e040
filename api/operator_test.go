package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

// overSocket asks as the server does for who comes by the socket.
func (s *served) overSocket(t *testing.T, o Operator, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(WithOperator(t.Context(), o), method, "http://breakwater/api/v1"+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func TestTheOperatorMakesLinks(t *testing.T) {
	s := serveNothing(t, Config{URL: "http://breakwater-x.localhost:7878"})
	alice := Operator{Person: "alice", Sees: graph.Scope{Segments: map[string][]string{"shop": nil}}}
	w := s.overSocket(t, alice, "POST", "/sign-in-links", `{"person":"bob"}`)
	_, token, ok := bytes.Cut(w.Body.Bytes(), []byte(`{"link":"http://breakwater-x.localhost:7878/sign-in#`))
	if w.Code != http.StatusOK || !ok || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	token, _, _ = bytes.Cut(token, []byte(`"`))
	session, err := s.store.SignIn(t.Context(), string(token), sessionLasts)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.store.Session(t.Context(), session)
	if err != nil || signed.Person != "bob" || signed.Scope != `{"segments":{"shop":null}}` {
		t.Errorf("%+v, %v", signed, err)
	}
	for _, body := range []string{"", "{}", `{"person":""}`, `{"person":"` + strings.Repeat("b", 101) + `"}`} {
		if w := s.overSocket(t, alice, "POST", "/sign-in-links", body); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	s.signIn(t)
	if got := told(t, s.send(t, "POST", "/sign-in-links", map[string]string{"person": "mallory"}, nil)); got != "404 no such page" {
		t.Errorf("one who is signed in: %s", got)
	}
}

func TestTheOperatorSeesWhatTheyMayAndShowsNoToken(t *testing.T) {
	s := serveNothing(t, Config{})
	for _, c := range []struct {
		sees graph.Scope
		want int
	}{{graph.Everything, http.StatusNotFound}, {graph.Scope{}, http.StatusForbidden}} {
		if w := s.overSocket(t, Operator{Person: "alice", Sees: c.sees}, "DELETE", "/registry?host=registry.example", ""); w.Code != c.want {
			t.Errorf("%v: %d %s", c.sees, w.Code, w.Body)
		}
	}
	if w := s.overSocket(t, Operator{Sees: graph.Everything}, "GET", "/status?within=nowhere", ""); w.Code != http.StatusNotFound {
		t.Errorf("a cluster that is not there: %d %s", w.Code, w.Body)
	}
}

func TestABrowserSignsInUnderTheServersOwnNamesOnly(t *testing.T) {
	for _, c := range []struct {
		url, host string
		hosts     []string
		own       bool
	}{
		{"http://breakwater-x.localhost:7878", "breakwater-x.localhost:7878", nil, true},
		{"http://breakwater-x.localhost:7878", "Breakwater-X.localhost", nil, true},
		{"http://breakwater-x.localhost:7878", "127.0.0.1:7878", nil, false},
		{"http://breakwater-x.localhost:7878", "localhost:7878", nil, false},
		{"http://breakwater-x.localhost:7878", "[::1]:7878", nil, false},
		{"http://localhost:7878", "localhost:7878", []string{"localhost"}, true}, // somebody wants it so
		{"https://127.0.0.1:7878", "127.0.0.1:7878", nil, false},
		{"https://portal.example:443", "portal.example", []string{"portal.example"}, true},
		{"", "127.0.0.1", nil, false},
	} {
		s := serveNothing(t, Config{URL: c.url, Hosts: c.hosts})
		token, err := s.store.NewSignIn(t.Context(), sessionLasts, `{"all":true}`, "alice")
		if err != nil {
			t.Fatal(err)
		}
		for _, browser := range []bool{true, false} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/session", strings.NewReader(`{"token":"`+token+`"}`))
			r.Host = c.host
			want := http.StatusNoContent
			if browser {
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				if want = http.StatusForbidden; c.own {
					want = http.StatusNoContent
				}
			} else if c.own {
				want = http.StatusUnauthorized // the browser used the link
			}
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s of %s, in a browser %v: %d %s; want %d", c.host, c.url, browser, w.Code, w.Body, want)
			}
		}
	}
}
