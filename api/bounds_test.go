package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
)

func TestNobodyHasMorePlacesThanTheirsAndAllNoMoreThanThereAre(t *testing.T) {
	s := slots{all: 3, each: 2}
	take := func(who string) (func(), error) { return s.take(t.Context(), who, 0) }
	first, err := take("alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who  string
		want error
	}{{"alice", nil}, {"alice", errManyOfOne}, {"bob", nil}, {"carol", errMany}} {
		if _, err := take(c.who); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.who, err, c.want)
		}
	}
	waits := make(chan error)
	go func() {
		_, err := s.take(t.Context(), "carol", time.Minute)
		waits <- err
	}()
	first()
	first() // gives nothing a second time
	if err := <-waits; err != nil {
		t.Error(err)
	}
	if _, err := take("bob"); !errors.Is(err, errMany) {
		t.Errorf("a place was given back twice: %v", err)
	}
	if n := s.refused.Load(); n != 3 {
		t.Errorf("%d refusals were counted", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(gone, "carol", time.Minute); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// asAlice asks as somebody who is signed in.
func (s *served) asAlice(t testing.TB) map[string]string {
	return map[string]string{"Authorization": "Bearer " + s.session(t, graph.Everything, time.Hour)}
}

func TestWhoAsksTooMuchAtOnceIsToldWhenToComeAgain(t *testing.T) {
	b := newBounds(Limits{Queries: 2, EachQueries: 1, Wait: time.Millisecond})
	entered, leave := make(chan struct{}), make(chan struct{})
	h := b.bounded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-leave }))
	ask := func(who, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session{who: who})))
		return w
	}
	go ask("alice", "/api/v1/cut")
	<-entered
	go ask("bob", "/api/v1/report/paths")
	<-entered
	for who, want := range map[string]int{"alice": http.StatusTooManyRequests, "carol": http.StatusServiceUnavailable} {
		w := ask(who, "/api/v1/query/export?text=x")
		if w.Code != want || w.Header().Get("Retry-After") == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v, want %d", who, w.Code, w.Header(), want)
		}
	}
	go ask("carol", "/api/v1/status") // which costs next to nothing
	<-entered
	for range 3 {
		leave <- struct{}{}
	}
}

func TestWhatTakesTooLongIsEndedAndSaidSo(t *testing.T) {
	b := newBounds(Limits{Within: time.Millisecond})
	h := b.bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		failed(nil, w, r, r.Context().Err())
	}))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/cut", nil)
	h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session{who: "alice"})))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), errTooLong.Error()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWhatFindsNoMemoryIsToldWhenToComeAgain(t *testing.T) {
	b := newBounds(Limits{Memory: 2 * trialBase})
	begun, leave := make(chan struct{}), make(chan struct{})
	h := b.bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		do := map[string]func() error{
			"/api/v1/what-if": func() error { return session{}.room(r.Context()) },
			"/api/v1/paths":   func() error { return session{}.room(r.Context()) },
			"/api/v1/query":   func() error { return shareOf(r.Context()).Grow(trialBase * 2) },
		}[r.URL.Path]
		if err := do(); err != nil {
			failed(nil, w, r, err)
			return
		}
		begun <- struct{}{}
		<-leave
	}))
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, nil)
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session{who: path})))
		return w
	}
	go ask("/api/v1/what-if")
	<-begun
	for path, want := range map[string]string{"/api/v1/paths?assume=x": query.ErrNoMemory.Error(), "/api/v1/query": query.ErrMemory.Error()} {
		w := ask(path)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	leave <- struct{}{}
	for again := false; !again; { // until the first has given back
		done := make(chan struct{})
		go func() {
			again = ask("/api/v1/paths?assume=x").Code == http.StatusOK
			close(done)
		}()
		select {
		case <-begun:
			leave <- struct{}{}
			<-done
		case <-done:
		}
	}
}

func TestAParameterThatIsNotGivenIsTheAskersError(t *testing.T) {
	s := serveNothing(t, Config{})
	mine := s.asAlice(t)
	const text = "MATCH (p:Pod) WHERE p.name = $name RETURN p"
	asks := map[string]func() *http.Response{
		"query":  func() *http.Response { return s.send(t, "POST", "/query", map[string]string{"text": text}, mine) },
		"export": func() *http.Response { return s.send(t, "GET", "/query/export?text="+url.QueryEscape(text), nil, mine) },
		"report": func() *http.Response {
			return s.send(t, "POST", "/report/query", map[string]string{"text": text}, mine)
		},
	}
	for name, ask := range asks {
		resp := ask()
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(b), "parameter $name is not given") {
			t.Errorf("%s: %s %s", name, resp.Status, b)
		}
	}
}

func TestNothingIsStoredButAssetsAndTLSIsKeptTo(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := serveNothing(t, Config{Secure: secure})
		mine := s.asAlice(t)
		for _, path := range []string{"/api/v1/status", "/api/v1/nonsense", "/api/v1/query/export?text=MATCH%20(p:Pod)%20RETURN%20p", "/",
			"/paths", "/nonsense", "/healthz"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", mine["Authorization"])
			resp, err := s.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control %q", path, got)
			}
			if got := resp.Header.Get("Strict-Transport-Security"); (got != "") != secure {
				t.Errorf("%s, TLS %v: Strict-Transport-Security %q", path, secure, got)
			}
		}
	}
}

// stream opens an event stream and reads its first event.
func (s *served) stream(t *testing.T, header map[string]string) (*http.Response, *bufio.Reader) {
	t.Helper()
	resp := s.send(t, "GET", "/events", nil, header)
	t.Cleanup(func() { resp.Body.Close() })
	r := bufio.NewReader(resp.Body)
	if resp.StatusCode == http.StatusOK {
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return resp, r
}

func TestAStreamOfWhoSignedOutEnds(t *testing.T) {
	s := serveNothing(t, Config{Limits: Limits{Recheck: time.Millisecond}})
	mine := s.asAlice(t)
	_, events := s.stream(t, mine)
	if resp := s.send(t, "DELETE", "/session", nil, mine); resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp.Status)
	}
	if _, err := io.Copy(io.Discard, events); err != nil {
		t.Error(err)
	}
}

func TestAStreamLastsAWhileAndThereAreNotTooMany(t *testing.T) {
	s := serveNothing(t, Config{Limits: Limits{EachStreams: 1}})
	mine := s.asAlice(t)
	s.stream(t, mine)
	if resp, _ := s.stream(t, mine); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a second stream: %s", resp.Status)
	}
	short := serveNothing(t, Config{Limits: Limits{Life: time.Millisecond}})
	_, events := short.stream(t, short.asAlice(t))
	if _, err := io.Copy(io.Discard, events); err != nil {
		t.Error(err)
	}
}
