package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/test/natstest"
)

// place is a folder with everything an endpoint keeps, and a client that trusts it.
type place struct {
	dir    string
	store  *store.Store
	config Config
	client *http.Client
}

func newPlace(t testing.TB, dir string) *place {
	t.Helper()
	s, err := store.Open(context.Background(), filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	a, err := OpenAuthority(filepath.Join(dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM)
	var other NATS
	if outside {
		other.URL = natstest.New(t, natstest.WithUser).URL()
	}
	return &place{dir: dir, store: s,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 8}},
		config: Config{Listen: "127.0.0.1:0", TLS: a.TLS("127.0.0.1"), Tokens: s, Sensors: s, SensorTokens: true,
			Dir:  filepath.Join(dir, "stream"),
			NATS: other, MaxBytes: 64 << 20, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
			retry: time.Millisecond}}
}

func (p *place) token(t testing.TB, cluster string, kind Kind) string {
	t.Helper()
	token, err := p.store.NewIngestToken(context.Background(), store.IngestToken{Cluster: cluster, Kind: string(kind)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// running is an endpoint that serves until the test ends or stop is called.
type running struct {
	*Server
	place *place
	stop  func()
}

func (p *place) start(t testing.TB) *running {
	t.Helper()
	s, err := New(context.Background(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		p.client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return &running{s, p, stop}
}

// consume gives batches to a handler until the test ends or stop is called.
func (r *running) consume(t testing.TB, handler func(Batch) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- r.Consume(ctx, func(_ context.Context, b Batch) error { return handler(b) })
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

type request struct {
	path, token, body string
	header            map[string]string
}

// post sends a request and returns the status.
func (r *running) post(t testing.TB, q request) int {
	t.Helper()
	req, err := http.NewRequest("POST", "https://"+r.Addr().String()+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.token != "" {
		req.Header.Set("Authorization", "Bearer "+q.token)
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	res, err := r.place.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func list(events ...string) string {
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(events, ",") + `]}`
}

func auditEvent(id any) string {
	return fmt.Sprintf(`{"level":"Metadata","auditID":"%v","stage":"ResponseComplete","verb":"get"}`, id)
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// collected gathers lines until there are n of them.
type collected struct {
	mu    sync.Mutex
	lines []string
	from  map[string]bool
}

func (c *collected) handle(b Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from == nil {
		c.from = map[string]bool{}
	}
	c.from[b.Cluster+" "+string(b.Kind)] = true
	for line := range strings.Lines(string(b.Lines)) {
		c.lines = append(c.lines, strings.TrimSuffix(line, "\n"))
	}
	return nil
}

func (c *collected) wait(t testing.TB, n int) []string {
	t.Helper()
	eventually(t, fmt.Sprintf("%d events", n), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.lines) >= n
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited a minute for %s", what)
}

func (r *running) count(t testing.TB, cluster string, kind Kind) Count {
	t.Helper()
	all, err := r.Counts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Cluster == cluster && c.Kind == kind {
			return c
		}
	}
	return Count{}
}

func TestEventsOfAWebhookReachTheHandler(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	var got collected
	r.consume(t, got.handle)
	gz := map[string]string{"Content-Encoding": "gzip"}
	for i, q := range []request{
		{path: "/v1/audit/prod", token: token, body: list(auditEvent(1), auditEvent(2))},
		{path: "/v1/audit/prod", token: token, body: gzipped(list(auditEvent(3))), header: gz},
		{path: "/v1/audit/prod", token: token, body: strings.Replace(list(auditEvent(4)), "/v1", "/v1beta1", 1)},
		{path: "/v1/audit/prod", token: token, body: list()},
	} {
		if status := r.post(t, q); status != 200 {
			t.Fatalf("request %d: %d", i, status)
		}
	}
	lines := got.wait(t, 4)
	for i, line := range lines {
		if line != auditEvent(i+1) {
			t.Errorf("event %d: %s", i, line)
		}
	}
	if !got.from["prod audit"] {
		t.Errorf("from %v", got.from)
	}
	eventually(t, "the counters", func() bool { // what is analysed is taken from the stream a moment later
		c := r.count(t, "prod", Audit)
		return c.Analysed == 4 && c.Waiting == 0
	})
	if c := r.count(t, "prod", Audit); c.Received != 4 || c.Accepted != 4 || c.Waiting != 0 || c.LastReceived.IsZero() ||
		c.LastAnalysed.IsZero() {
		t.Errorf("%+v", c)
	}
}

func TestASensorsEventsAndStatus(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Runtime)
	var got collected
	r.consume(t, got.handle)
	batch := func(name, body string) request {
		return request{path: "/v1/sensor/events", token: token, body: gzipped(body),
			header: map[string]string{"Content-Encoding": "gzip", batchHeader: name}}
	}
	for _, q := range []request{batch("n1/b/1", "{\"a\":1}\n{\"a\":2}\n"), batch("n1/b/1", "{\"a\":1}\n{\"a\":2}\n"),
		batch("n1/b/3", "{\"a\":1}\n{\"a\":2}\n")} {
		if status := r.post(t, q); status != 200 {
			t.Fatal(status)
		}
	}
	if lines := got.wait(t, 4); len(lines) != 4 {
		t.Errorf("a batch sent again must be known by its name, and only by it: %v", lines)
	}
	if c := r.count(t, "prod", Runtime); c.Duplicate != 2 || c.Accepted != 4 {
		t.Errorf("%+v", c)
	}
	for _, status := range []string{`{"node":"n1","seen":0}`, `{"node":"n1","seen":7,"more":"` + strings.Repeat("x", 9_000) + `"}`} {
		if code := r.post(t, request{path: "/v1/sensor/status", token: token, body: status}); code != 200 {
			t.Fatal(code)
		}
	}
	sensors, err := p.store.Sensors(context.Background(), "prod")
	if err != nil || len(sensors) != 1 || sensors[0].Node != "n1" || sensors[0].Known ||
		!strings.Contains(string(sensors[0].Status), `"seen":7`) || len(sensors[0].Status) > 500 {
		t.Errorf("%+v, %v", sensors, err)
	}
}
