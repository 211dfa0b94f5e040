package hostile

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

// Here the database is what fails: it is another machine's, and so is what lies between.

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestADatabaseThatSaysNothingIsWaitedForByNobodyForLong: the connections stand and nothing comes by them, as where a
// machine between them is gone. Who asks is answered that it cannot be now; what was answered before is kept; all goes on
// when the database does; and a server that is to end then ends.
func TestADatabaseThatSaysNothingIsWaitedForByNobodyForLong(t *testing.T) {
	between := pgtest.Through(t, pgtest.DSN(t))
	data := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	up, done := make(chan *served, 1), make(chan error, 1)
	c := server.Config{From: []string{"../../cli/testdata/shop"}, NoImages: true, Listen: "127.0.0.1:0", Ingest: "127.0.0.1:0", Data: data,
		SaveEvery: time.Second, QPS: 20, Storage: server.Storage{Where: between.DSN}}
	go func() {
		done <- server.Run(ctx, c, t.Output(), func(_ context.Context, v *server.Server, url string) error {
			up <- &served{Server: v, url: url}
			return nil
		})
	}()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { between.GoOn(); _ = stop() })
	var s *served
	select {
	case s = <-up:
	case err := <-done:
		t.Fatalf("the server does not start: %v", err)
	}
	link, err := s.Store.NewSignIn(t.Context(), time.Hour, `{"all":true}`, "alice")
	if err == nil {
		s.session, err = s.Store.SignIn(t.Context(), link, time.Hour)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.stands(t)
	api := newAPIServer(t, s, data)
	if status := api.post(t); status != http.StatusOK {
		t.Fatalf("before: %d", status)
	}

	between.StandStill()
	if status := api.post(t); status != http.StatusServiceUnavailable || api.mute.Load() > 0 {
		t.Errorf("a sender is answered %d, want 503 and when to come again", status)
	}
	if status, body := s.get(t, "/api/v1/status"); status != http.StatusServiceUnavailable || strings.Contains(body, "postgres") {
		t.Errorf("who is signed in is answered %d %s", status, body)
	}
	if status, body := s.get(t, "/healthz"); status != http.StatusServiceUnavailable || strings.Contains(body, "user=") {
		t.Errorf("/healthz: %d %s", status, body)
	}
	until(t, "the server says that it is not ready", func() bool { status, _ := s.get(t, "/readyz"); return status != http.StatusOK })

	between.GoOn()
	until(t, "events are taken again", func() bool { return api.post(t) == http.StatusOK })
	until(t, "all that was answered is analysed", func() bool {
		n, err := s.Analysed(t.Context(), "shop", ingest.Audit)
		return err == nil && n >= uint64(api.answered.Load())
	})

	between.StandStill()
	cancel()
	select {
	case err := <-done:
		done <- err
	case <-time.After(3 * time.Minute):
		t.Error("a server whose database says nothing does not end")
	}
}
