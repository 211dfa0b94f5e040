// Package endpoint is the server's real endpoint for events, for tests of who
// sends them: it can go away and come back, and tells what reached analysis.
package endpoint

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// Cluster is whose sensors may send.
const Cluster = "c1"

// Endpoint is the server's folder, and what senders must know of it.
type Endpoint struct {
	URL   string // known after the first Start
	CA    []byte
	Token string

	store  *store.Store
	config ingest.Config
	mu     struct {
		sync.Mutex
		records  []runtime.Record
		sequence uint64 // of the last batch
	}
}

// New makes a server that does not run yet.
func New(t testing.TB) *Endpoint {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(context.Background(), filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a, err := ingest.OpenAuthority(filepath.Join(dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	clients, err := ingest.OpenClients(filepath.Join(dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.NewIngestToken(context.Background(), store.IngestToken{Cluster: Cluster, Kind: string(ingest.Runtime)})
	if err != nil {
		t.Fatal(err)
	}
	return &Endpoint{
		CA:    a.PEM,
		Token: token,
		store: s,
		config: ingest.Config{Listen: "127.0.0.1:0", TLS: a.TLS("127.0.0.1"), Tokens: s, Sensors: s, Clients: clients, SensorTokens: true,
			Dir: filepath.Join(dir, "stream"), Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))},
	}
}

// Start serves, always at the same address, until the test ends or stop is called.
func (e *Endpoint) Start(t testing.TB) (stop func()) {
	t.Helper()
	s, err := ingest.New(context.Background(), e.config)
	if err != nil {
		t.Fatal(err)
	}
	e.config.Listen, e.URL = s.Addr().String(), "https://"+s.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var g sync.WaitGroup
	does := func(f func() error) {
		g.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	does(func() error { return s.Run(ctx) })
	does(func() error { return s.Consume(ctx, e.take) })
	stop = sync.OnceFunc(func() {
		cancel()
		g.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func (e *Endpoint) take(_ context.Context, b ingest.Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b.Sequence <= e.mu.sequence {
		return nil // it comes again where the answer to the first time was late
	}
	for line := range bytes.Lines(b.Lines) {
		var r runtime.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		e.mu.records = append(e.mu.records, r)
	}
	e.mu.sequence = b.Sequence
	return nil
}

// Strict takes records with a certificate only; call it before Start.
func (e *Endpoint) Strict() { e.config.SensorTokens = false }

// Records are what the server keeps.
func (e *Endpoint) Records() *store.Store { return e.store }

// Received are the records that came to analysis, in the order they came.
func (e *Endpoint) Received() []runtime.Record {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]runtime.Record(nil), e.mu.records...)
}

// Roots vouch for the server.
func (e *Endpoint) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(e.CA)
	return pool
}

// Status is the last that the one sensor of this test sent.
func (e *Endpoint) Status(t testing.TB) (st runtime.Status) {
	t.Helper()
	all, err := e.store.Sensors(context.Background(), Cluster)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if err := json.Unmarshal(s.Status, &st); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

// Adds checks what must hold of every status: seen = sent + waiting + lost.
func Adds(t testing.TB, st runtime.Status) {
	t.Helper()
	sum := st.Sent + st.Waiting
	for _, n := range st.Lost {
		sum += n
	}
	if st.Seen != sum {
		t.Errorf("seen %d, but sent %d + waiting %d + lost %v", st.Seen, st.Sent, st.Waiting, st.Lost)
	}
}

// Eventually waits generously.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
