package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// serveNothing is a server of no estate at all, to which nobody is signed in.
func serveNothing(t testing.TB, c Config) *served {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	c.Log = slog.New(slog.DiscardHandler)
	l, err := live.New(live.Config{Records: st, Rules: rules, Log: c.Log}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Unscoped = scope.Config{Picture: l, Images: assess.New(assess.Config{}),
		Registries: registries.New(registries.Config{}), Records: st, Sensors: st, Tokens: st, Exceptions: st}
	if c.Sessions == nil {
		c.Sessions = st
	}
	c.Senders, c.Pushed = st, registries.New(registries.Config{}).Pushed
	c.Advisories = func() *vuln.DB { return nil }
	c.Assets = fstest.MapFS{"index.html": {Data: []byte("portal")}, ".packages.json": {Data: []byte("[]")}}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	return &served{url: web.URL, client: &http.Client{}, store: st, live: l, handler: h}
}

// told is the status of an answer and, if it is a problem, its title.
func told(t *testing.T, resp *http.Response) string {
	t.Helper()
	if resp.StatusCode < 400 {
		return resp.Status
	}
	var p struct{ Title string }
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", p.Title)
}

func TestTheServerAnswersToItsOwnNamesOnly(t *testing.T) {
	s := serveNothing(t, Config{Hosts: []string{"portal.example", "breakwater.example"}, URL: "http://breakwater-x.localhost:1"})
	for _, c := range []struct {
		host string
		own  bool
	}{
		{"127.0.0.1", true}, {"127.0.0.1:8080", true}, {"127.9.9.9:8080", true}, {"[::1]", true}, {"[::1]:8080", true},
		{"localhost", true}, {"LocalHost:8080", true},
		{"portal.example", true}, {"Portal.Example:443", true}, {"breakwater.example", true},
		{"breakwater-x.localhost:1", true}, {"breakwater-X.localhost", true}, {"breakwater-y.localhost:1", false}, {"x.localhost", false},
		{"192.0.2.1", false}, {"[2001:db8::1]:8080", false}, {"0.0.0.0:8080", false},
		{"evil.example", false}, {"evil.example:8080", false}, {"localhost.evil.example", false}, {"127.0.0.1.evil.example", false},
		{"portal.example.evil.example", false}, {"example", false},
	} {
		for _, path := range []string{"/", "/api/v1/status"} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = c.host
			resp, err := s.client.Do(req)
			if err != nil {
				t.Fatalf("%s: %v", c.host, err)
			}
			if own := resp.StatusCode != http.StatusMisdirectedRequest; own != c.own {
				t.Errorf("%s asked as %s: %s", path, c.host, told(t, resp))
			}
			resp.Body.Close()
		}
	}
}

func TestAChangeFromAForeignPageIsRefused(t *testing.T) {
	s := serveNothing(t, Config{})
	s.signIn(t)
	own := strings.TrimPrefix(s.url, "http://")
	_, port, _ := strings.Cut(own, ":")
	for _, c := range []struct {
		method, origin string
		refused        bool
	}{
		{"POST", "", false}, // not of a browser
		{"POST", "http://" + own, false},
		{"PUT", "http://" + own, false},
		{"POST", "http://evil.example", true},
		{"PUT", "http://evil.example", true},
		{"DELETE", "http://evil.example", true},
		{"POST", "http://evil.example:" + port, true},
		{"POST", "http://localhost:" + port, true}, // another page of this machine
		{"POST", "http://127.0.0.1:1", true},
		{"POST", "null", true}, // of a page without an origin, in a sandbox
		{"POST", "http://[::1", true},
		{"GET", "http://evil.example", false}, // changes nothing, and its answer is not for that page
		{"HEAD", "http://evil.example", false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.url+"/api/v1/nonsense", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatalf("%s from a page of %q: %v", c.method, c.origin, err)
		}
		resp.Body.Close()
		want := http.StatusNotFound
		if c.refused {
			want = http.StatusForbidden
		}
		if resp.StatusCode != want {
			t.Errorf("%s from a page of %q: %s; want %d", c.method, c.origin, resp.Status, want)
		}
	}
}

func TestARequestIsReadUpToAMebibyteAndAStrangersUpToFourKibibytes(t *testing.T) {
	s := serveNothing(t, Config{})
	mine := map[string]string{"Authorization": "Bearer " + s.session(t, graph.Everything, time.Hour)}
	for _, c := range []struct {
		path, frame string
		size        int
		want        string
	}{
		{"/session", `{"token":"guessed","more":""}`, 30, "401 Unauthorized"},
		{"/session", `{"token":"guessed","more":""}`, 4096, "401 Unauthorized"},
		{"/session", `{"token":"guessed","more":""}`, 4096 + 1, "400 the request cannot be read"},
		{"/query/check", `{"text":"","more":""}`, 1_048_576, "200 OK"},
		{"/query/check", `{"text":"","more":""}`, 1_048_576 + 1, "413 too large"},
	} {
		frame := strings.Replace(c.frame, `"text":""`, `"text":"MATCH (p:Pod) RETURN p"`, 1)
		body := strings.Replace(frame, `"more":""`, `"more":"`+strings.Repeat("m", c.size-len(frame))+`"`, 1)
		if got := told(t, s.send(t, "POST", c.path, json.RawMessage(body), mine)); got != c.want {
			t.Errorf("%s, %d bytes: %s; want %s", c.path, c.size, got, c.want)
		}
	}
}

func TestASessionIsShownByCookieOrAsABearerTokenAndEnds(t *testing.T) {
	s := serveNothing(t, Config{})
	good, over := s.session(t, graph.Everything, time.Hour), s.session(t, graph.Everything, -time.Second)
	out := s.session(t, graph.Everything, time.Hour)
	if err := s.store.SignOut(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	unused, err := s.store.NewSignIn(t.Context(), time.Minute, `{"all":true}`, "alice")
	if err != nil {
		t.Fatal(err)
	}
	const in, none, ended = "200 OK", "401 not signed in", "401 Unauthorized"
	for name, c := range map[string]struct {
		header, cookie, want string
	}{
		"nothing":                      {"", "", none},
		"a cookie":                     {"", good, in},
		"an empty cookie":              {"", " ", none},
		"a bearer token":               {"Bearer " + good, "", in},
		"no token after Bearer":        {"Bearer ", "", none},
		"a token alone":                {good, "", none},
		"a password":                   {"Basic " + good, "", none},
		"a guessed token":              {"Bearer guessed", "", ended},
		"a guessed cookie":             {"", "guessed", ended},
		"a token that is over":         {"Bearer " + over, "", ended},
		"a cookie that is over":        {"", over, ended},
		"a token of who signed out":    {"Bearer " + out, "", ended},
		"the token of a sign-in link":  {"Bearer " + unused, "", ended},
		"a bearer token before cookie": {"Bearer " + over, good, ended},
	} {
		s.client.Transport = nil
		header := map[string]string{}
		if c.header != "" {
			header["Authorization"] = c.header
		}
		if c.cookie != "" {
			header["Cookie"] = sessionCookie + "=" + strings.TrimSpace(c.cookie)
		}
		if got := told(t, s.send(t, "GET", "/status", nil, header)); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

// TestWhatEventsDidNotTellIsAGap: texts that are no events, and requests whose objects
// the audit policy leaves out, are not passed over.
func TestWhatEventsDidNotTellIsAGap(t *testing.T) {
	blind, lost := 2, 0
	s := serveNothing(t, Config{Receiving: func(context.Context) ([]Receiving, error) {
		return []Receiving{{Cluster: "shop", Kind: Audit, Lost: &lost, Blind: &blind, Rejected: map[string]int{"no event": 3, "too long": 1}},
			{Cluster: "bank", Kind: Audit, Lost: &lost}}, nil
	}})
	var said Coverage
	s.as(t, graph.Everything).get(t, "/coverage", &said)
	var got []string
	for _, g := range said.Gaps {
		got = append(got, g.Cluster+" "+g.What+": "+g.Why)
	}
	want := []string{"shop what requests wrote: 2 requests that made pods or volumes or gave rights came without what they wrote: " +
		"the audit policy's level is below RequestResponse", "shop 3 texts: they are no audit events"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWhatIsReceivedIsOfTheAskersClusters: whether a cluster sends events, and how many
// were lost, is of the cluster as a whole.
func TestWhatIsReceivedIsOfTheAskersClusters(t *testing.T) {
	lost := 3
	all := []Receiving{{Cluster: "shop", Kind: Audit, Lost: &lost}, {Cluster: "bank", Kind: Audit, Lost: &lost}}
	s := serveNothing(t, Config{Receiving: func(context.Context) ([]Receiving, error) { return all, nil }})
	none := serveNothing(t, Config{})
	for _, c := range []struct {
		sees graph.Scope
		want []string
	}{
		{graph.Everything, []string{"shop", "bank"}},
		{graph.Scope{Segments: map[string][]string{"shop": nil}}, []string{"shop"}},
		{graph.Scope{Segments: map[string][]string{"shop": {"cart"}}}, nil},
		{graph.Scope{Segments: map[string][]string{"mill": nil}}, nil},
		{graph.Scope{}, nil},
	} {
		var said Coverage
		s.as(t, c.sees).get(t, "/coverage", &said)
		var of []string
		for _, g := range said.Gaps {
			of = append(of, g.Cluster)
		}
		if fmt.Sprint(of) != fmt.Sprint(c.want) {
			t.Errorf("%s reads of events lost in %v, want %v", c.sees, of, c.want)
		}
		none.as(t, c.sees).get(t, "/coverage", &said)
		if len(said.Gaps) > 0 {
			t.Errorf("no events are taken, and %s reads %+v", c.sees, said.Gaps)
		}
	}
}

func TestWhoSeesAPartChangesNothingForAll(t *testing.T) {
	s := serveNothing(t, Config{})
	s = s.as(t, graph.Scope{Segments: map[string][]string{"shop": nil}})
	for _, a := range []probe{post("/registries", map[string]any{"host": "registry.example"}),
		{"DELETE", "/registry?host=registry.example", nil},
		post("/registries/check", map[string]any{"host": "registry.example"}), post("/registry/rescan?host=registry.example", nil)} {
		if got := told(t, s.send(t, a.method, a.path, a.body, nil)); got != "403 not in your scope" {
			t.Errorf("%s %s: %s", a.method, a.path, got)
		}
	}
}

func TestAHandlersErrorIsTheAskersOrOurs(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	for name, c := range map[string]struct {
		ctx    context.Context
		err    error
		status int
		logged bool
	}{
		"cannot be asked":     {t.Context(), fmt.Errorf("query: %w", asked{errors.New("no such kind")}), 400, false},
		"is not there":        {t.Context(), fmt.Errorf("path: %w", missing("no such path")), 404, false},
		"is outside":          {t.Context(), fmt.Errorf("facts: %w", scope.ErrOutside), 403, false},
		"is our fault":        {t.Context(), errors.New("disk full"), 500, true},
		"the asker left":      {gone, errors.New("interrupted"), 0, false},
		"asked wrongly, gone": {gone, asked{errors.New("no such kind")}, 400, false},
	} {
		var log strings.Builder
		w := &statusOnly{header: http.Header{}}
		failed(slog.New(slog.NewTextHandler(&log, nil)), w, httptest.NewRequestWithContext(c.ctx, "GET", "/api/v1/paths", nil), c.err)
		if w.status != c.status || (log.Len() > 0) != c.logged {
			t.Errorf("%s: status %d, log %q; want %d, %v", name, w.status, log.String(), c.status, c.logged)
		}
	}
}

// statusOnly keeps what was answered, 0 if nothing was.
type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (w *statusOnly) WriteHeader(status int)      { w.status = status }

// A site beside ours under the same domain sets a cookie for all of the domain, with a session of the attacker's: who
// works in it shows them what they do.
func TestUnderTLSNoSiteBesideOursGivesASession(t *testing.T) {
	s := serveNothing(t, Config{Secure: true})
	theirs, mine := s.session(t, graph.Everything, time.Hour), s.session(t, graph.Everything, time.Hour)
	for name, c := range map[string]struct{ cookie, want string }{
		"theirs alone":       {"breakwater_session=" + theirs, "401 not signed in"},
		"ours":               {"__Host-breakwater_session=" + mine, "200 OK"},
		"theirs before ours": {"breakwater_session=" + theirs + "; __Host-breakwater_session=guessed", "401 Unauthorized"},
	} {
		s.client.Transport = nil
		if got := told(t, s.send(t, "GET", "/status", nil, map[string]string{"Cookie": c.cookie})); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
	link, err := s.store.NewSignIn(t.Context(), time.Minute, `{"all":true}`, "alice")
	if err != nil {
		t.Fatal(err)
	}
	resp := s.send(t, "POST", "/session", map[string]string{"token": link}, nil)
	set := resp.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-breakwater_session=", "; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Strict"} {
		if !strings.Contains(set, want) {
			t.Errorf("%q has no %q", set, want)
		}
	}
	if strings.Contains(set, "Domain") {
		t.Errorf("%q is for other hosts too", set)
	}
}

// away is a store that cannot be asked, with an error that names what nobody outside is to know.
type away struct{ Sessions }

var errAway = errors.New("failed to connect to `user=breakwater database=records`: 10.9.8.7:5432")

func (away) Session(context.Context, string) (store.Session, error)        { return store.Session{}, errAway }
func (away) SignIn(context.Context, string, time.Duration) (string, error) { return "", errAway }

func TestWhoIsNotKnownIsToldNothingOfWhereTheRecordsAre(t *testing.T) {
	s := serveNothing(t, Config{Sessions: away{}})
	for name, resp := range map[string]*http.Response{
		"a guessed session": s.send(t, "GET", "/status", nil, map[string]string{"Authorization": "Bearer guessed"}),
		"a guessed link":    s.send(t, "POST", "/session", map[string]string{"token": "guessed"}, nil),
	} {
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" ||
			strings.Contains(string(body), "10.9.8.7") || strings.Contains(string(body), "user=") {
			t.Errorf("%s: %d %s, %v", name, resp.StatusCode, body, err)
		}
	}
}
