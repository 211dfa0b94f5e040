package sensor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"

	"github.com/breakwater-sec/breakwater/test/endpoint"
)

// gate stands before a real server. It answers in its stead while it has answers.
type gate struct {
	*httptest.Server
	behind *httpClient
	token  string

	mu      sync.Mutex
	answers []func(w http.ResponseWriter, r *http.Request)
	names   []string // of batches, in the order they came
	at      []time.Time
	bodies  map[string][]byte
	status  func(w http.ResponseWriter, r *http.Request) // answers statuses; nil for the real server
}

type httpClient struct {
	client *http.Client
	base   string
}

func newGate(t *testing.T, p *endpoint.Endpoint, answers ...func(http.ResponseWriter, *http.Request)) *gate {
	g := &gate{answers: answers, bodies: map[string][]byte{}, token: p.Token}
	g.behind = &httpClient{&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.Roots()}}}, p.URL}
	g.Server = httptest.NewTLSServer(g)
	t.Cleanup(g.Close)
	t.Cleanup(g.behind.client.CloseIdleConnections)
	return g
}

func (g *gate) link(t *testing.T, p *endpoint.Endpoint) *Link {
	return linkTo(t, g.URL, g.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, p.Token)
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasSuffix(r.URL.Path, "/status") && g.status != nil {
		g.status(w, r)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/events") {
		g.forward(w, r)
		return
	}
	g.mu.Lock()
	name := r.Header.Get(batchHeader)
	g.names, g.at = append(g.names, name), append(g.at, time.Now())
	if before, again := g.bodies[name]; again && !bytes.Equal(before, body) {
		g.names = append(g.names, "changed "+name)
	}
	g.bodies[name] = body
	answer := g.forward
	if len(g.answers) > 0 {
		answer, g.answers = g.answers[0], g.answers[1:]
	}
	g.mu.Unlock()
	answer(w, r)
}

// forward lets the real server answer.
func (g *gate) forward(w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.URL, _ = url.Parse(g.behind.base + r.URL.Path)
	out.Header.Set("Authorization", "Bearer "+g.token) // no certificate gets past a gate
	answer, err := g.behind.client.Do(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// swallow lets the real server take a batch and loses its answer.
func (g *gate) swallow(_ http.ResponseWriter, r *http.Request) {
	g.forward(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

func answers(status int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		http.Error(w, "because", status)
	}
}

func TestAnAnswerThatIsLostMakesNoRecordTwice(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	g := newGate(t, p)
	g.answers = append(g.answers, g.swallow, g.swallow)
	s := startSensor(t, configFor(t, g.link(t, p)))
	s.tap.give(1500)
	endpoint.Eventually(t, "the buffer is empty", func() bool { return s.buffer.held().sent == 1500 })
	s.stop()
	endpoint.Eventually(t, "all records", func() bool { return len(p.Received()) >= 1500 })
	got, _, _ := numbers(p.Received(), "b-1")
	if !slices.Equal(got, upTo(1500)) {
		t.Errorf("got %d records", len(got))
	}
	if len(g.names) < 3 || g.names[0] != "node-1/b-1/1" || g.names[1] != g.names[0] || g.names[2] != g.names[0] {
		t.Errorf("a batch that comes again has another name or other bytes: %q", g.names)
	}
}

// TestTheLastStatusIsTheLastToBeTaken has a server that takes a status even if its sender has given it up.
func TestTheLastStatusIsTheLastToBeTaken(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	g := newGate(t, p)
	slow, taken, last := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once sync.Once
	g.status = func(w http.ResponseWriter, r *http.Request) {
		first := false
		once.Do(func() { first = true })
		if !first {
			g.forward(w, r)
			close(last)
			return
		}
		close(slow)
		select {
		case <-r.Context().Done():
			<-last
		case <-time.After(200 * time.Millisecond): // the sensor waits for it
		}
		g.forward(w, r.WithContext(context.Background()))
		close(taken)
	}
	c := configFor(t, g.link(t, p))
	c.Interval = time.Hour
	s := startSensor(t, c)
	<-slow
	s.stop()
	<-taken
	if st := p.Status(t); !st.Ends {
		t.Errorf("a status of before the end replaced the last one: %+v", st)
	}
}

func TestAFileIsThereUntilTheServerHasIt(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	c := configFor(t, nil)
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(c.Buffer, "*"+suffix))
		check(t, err)
		return found
	}
	here := make(chan int, 3)
	looks := func(then func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			here <- len(files())
			then(w, r)
		}
	}
	g := newGate(t, p)
	g.answers = append(g.answers, looks(answers(http.StatusServiceUnavailable)), looks(g.forward))
	c.Link = g.link(t, p)
	s := startSensor(t, c)
	s.tap.give(5)
	endpoint.Eventually(t, "two tries", func() bool { return len(here) == 2 })
	for range 2 {
		if n := <-here; n != 1 {
			t.Errorf("%d files while the server has not answered", n)
		}
	}
	endpoint.Eventually(t, "the file is gone", func() bool { return len(files()) == 0 })
	s.stop()
}

func TestASensorThatIsStoppedBeforeTheServerAnswersLeavesItsFiles(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	asked := make(chan struct{}, 1)
	refuse := func(w http.ResponseWriter, r *http.Request) {
		signal(asked)
		answers(http.StatusServiceUnavailable)(w, r)
	}
	g := newGate(t, p)
	for range 100 {
		g.answers = append(g.answers, refuse)
	}
	c := configFor(t, g.link(t, p))
	s := startSensor(t, c)
	s.tap.give(5)
	<-asked
	s.stop()
	if held := s.buffer.held(); held.events < 5 || held.sent != 0 {
		t.Errorf("holds %d records and sent %d", held.events, held.sent)
	}
	if found, err := filepath.Glob(filepath.Join(c.Buffer, "*"+suffix)); err != nil || len(found) == 0 {
		t.Errorf("no file is left (%v)", err)
	}
}

func TestEveryAnswerButYesKeepsTheRecords(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
	}{
		{"busy", answers(http.StatusTooManyRequests)},
		{"unavailable", answers(http.StatusServiceUnavailable)},
		{"another server", answers(http.StatusNotFound)},
		{"moved", answers(http.StatusFound, "Location", "/elsewhere")},
		{"malformed, says a proxy once", answers(http.StatusBadRequest)},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := endpoint.New(t)
			p.Start(t)
			g := newGate(t, p, c.answer)
			s := startSensor(t, configFor(t, g.link(t, p)))
			s.tap.give(5)
			endpoint.Eventually(t, "the records", func() bool { return len(p.Received()) == 5 })
			s.stop()
			endpoint.Adds(t, p.Status(t))
		})
	}
}

func TestABatchThatIsRefusedForGoodIsALossAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	no := answers(http.StatusRequestEntityTooLarge)
	g := newGate(t, p, no, no, no)
	s := startSensor(t, configFor(t, g.link(t, p)))
	s.tap.give(5)
	endpoint.Eventually(t, "the refusal to be told", func() bool { _, _, lost := numbers(p.Received(), "b-1"); return lost == 5 })
	s.tap.give(2)
	endpoint.Eventually(t, "later records", func() bool { _, events, _ := numbers(p.Received(), "b-1"); return events == 2 })
	s.stop()
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Lost[Refused] != 5 || st.Sent != 2 {
		t.Errorf("last status %+v", st)
	}
}

func TestTheServerIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	g := newGate(t, p, answers(http.StatusServiceUnavailable, "Retry-After", "2"))
	s := startSensor(t, configFor(t, g.link(t, p)))
	s.tap.give(1)
	endpoint.Eventually(t, "the record", func() bool { return len(p.Received()) == 1 })
	s.stop()
	if d := g.at[1].Sub(g.at[0]); d < 2*time.Second {
		t.Errorf("came back after %s", d)
	}
}

func TestAWrongTokenIsSaidAndSeldomTriedAgain(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	s := startSensor(t, configFor(t, linkTo(t, p.URL, p.Roots(), "wrong")))
	s.tap.give(1)
	endpoint.Eventually(t, "the first try", func() bool { return s.buffer.first() != nil })
	s.stop()
	if !strings.Contains(s.out.String(), "breakwater connect") {
		t.Errorf("the log does not say what to do:\n%s", s.out)
	}
	for try := range 20 {
		if d := delay(try, &answerError{status: http.StatusUnauthorized}); d < longest/2 {
			t.Errorf("try %d: comes back after %s", try, d)
		}
	}
}

func TestDelaysGrowAreSpreadAndBounded(t *testing.T) {
	for try := range 100 {
		d := delay(try, nil)
		if want := min(shortest<<min(try, 10), longest); d < want/2 || d > want {
			t.Errorf("try %d waits %s, want %s to %s", try, d, want/2, want)
		}
	}
	if d := delay(0, &answerError{after: 24 * time.Hour}); d > 2*longestAsked {
		t.Errorf("a server may ask for %s", d)
	}
}

func TestAServerThatNobodyVouchesForGetsNothing(t *testing.T) {
	p := endpoint.New(t)
	asked := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	if err := linkTo(t, server.URL, p.Roots(), "secret").Status(context.Background(), runtime.Status{}); err == nil || asked {
		t.Errorf("asked: %v, error: %v", asked, err)
	}
	if _, err := NewLink(&url.URL{Scheme: "http", Host: "127.0.0.1"}, nil, Identity{}); err == nil {
		t.Error("a link without TLS")
	}
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
