package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTheEntryAnswersBeforeAnythingIsWired(t *testing.T) {
	e := newEntry()
	ask := func(path string) (int, string, http.Header) {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String(), w.Header()
	}
	if status, said, _ := ask("/healthz"); status != http.StatusOK || said != `{"status":"ok"}`+"\n" {
		t.Error(status, said)
	}
	for _, missing := range []string{"the records are not opened yet", "something else"} {
		e.wait(missing)
		for _, path := range []string{"/readyz", "/", "/api/v1/status"} {
			status, said, header := ask(path)
			if status != http.StatusServiceUnavailable || !strings.Contains(said, missing) || header.Get("Retry-After") == "" {
				t.Error(path, status, said, header)
			}
		}
	}
	e.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if status, _, _ := ask("/readyz"); status != http.StatusTeapot {
		t.Error(status)
	}
}

// A database that takes the connection and says nothing holds up the start: who asks at the port is told so meanwhile.
func TestAServerThatWaitsForItsDatabaseAnswersProbes(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		c := Config{From: []string{"../cli/testdata/shop"}, NoImages: true, Listen: at, Data: t.TempDir(),
			Storage: Storage{Where: "postgres://a:b@" + mute.Addr().String() + "/c?sslmode=disable"}}
		ended <- Run(ctx, c, io.Discard, func(context.Context, *Server, string) error { t.Error("it serves"); return nil })
	}()
	ask := func(path string) (status int, said string) {
		for { // until it listens, or has ended
			resp, err := http.Get("http://" + at + path)
			if err == nil {
				defer resp.Body.Close()
				b, _ := io.ReadAll(resp.Body)
				return resp.StatusCode, string(b)
			}
			select {
			case err := <-ended:
				t.Fatalf("it ended: %v", err)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	if status, said := ask("/healthz"); status != http.StatusOK || said != `{"status":"ok"}`+"\n" {
		t.Error(status, said)
	}
	if status, said := ask("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(said, "records are not opened yet") {
		t.Error(status, said)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
