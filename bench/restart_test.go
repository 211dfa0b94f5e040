package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/ingest/sender"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/store"
)

// TestMeasureRestart is how long a server takes from its start until it serves, and until it has analysed
// the first event that is sent then, with a million alerts of the last day in its records (ALERTS
// says how many). All are of one cluster and about one object: a flood.
func TestMeasureRestart(t *testing.T) {
	measured(t)
	many := 1_000_000
	if text := os.Getenv("ALERTS"); text != "" {
		many, _ = strconv.Atoi(text)
	}
	data := datadir.Dir(t.TempDir())
	began := time.Now()
	flood(t, data, many)
	info, err := os.Stat(data.Database())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("restart     %d alerts written in %v, %d MB", many, time.Since(began).Round(time.Second), info.Size()/1e6)
	for _, what := range []string{"first", "second"} {
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now()
		up := make(chan *server.Server, 1)
		ended := make(chan error, 1)
		go func() {
			c := server.Config{From: []string{"../cli/testdata/shop"}, NoImages: true, Listen: "127.0.0.1:0", Ingest: "127.0.0.1:0", QPS: 20,
				Data: string(data), SaveEvery: time.Minute}
			ended <- server.Run(ctx, c, io.Discard, func(_ context.Context, v *server.Server, _ string) error { up <- v; return nil })
		}()
		v := <-up
		serves := time.Since(began)
		sendOne(t, v, data)
		t.Logf("restart     %s start: serves after %v, has analysed its first event after %v", what, serves.Round(time.Millisecond),
			time.Since(began).Round(time.Millisecond))
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// flood writes alerts of the last day.
func flood(t *testing.T, data datadir.Dir, many int) {
	t.Helper()
	if err := os.MkdirAll(string(data), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), data.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const batch = 5_000
	for from := 0; from < many; from += batch {
		a := store.Analysed{Cluster: "shop"}
		for i := from; i < min(from+batch, many); i++ {
			at := time.Now().Add(-time.Duration(many-i) * 80 * time.Millisecond)
			id := fmt.Sprintf("%032d", i)
			body, err := json.Marshal(detect.Alert{ID: id, Key: id, Rule: "r", Title: "A person executed a command in a pod", Severity: "low",
				Cluster: "shop", First: at, Last: at, Count: 1, Objects: []string{"the same"},
				Entities: []event.Entity{{Role: event.Actor, Kind: "User", Name: "alice"}}, Evidence: []string{"She did it."}})
			if err != nil {
				t.Fatal(err)
			}
			a.Alerts = append(a.Alerts, store.AlertSeen{Cluster: "shop", ID: id, Rule: "r", Severity: "low", FirstSeen: at, LastSeen: at,
				Events: []string{id}, Body: body})
		}
		if err := s.PutAnalysed(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// sendOne sends an event and waits until it is analysed.
func sendOne(t *testing.T, v *server.Server, data datadir.Dir) {
	t.Helper()
	token, err := v.Store.NewIngestToken(t.Context(), store.IngestToken{Cluster: "shop", Kind: "audit"})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(data.Authority(), "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	to, err := sender.New("https://"+v.EventsAddr()+"/v1/audit/shop", token, ca)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	before, err := v.Analysed(t.Context(), "shop", ingest.Audit)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := os.ReadFile("../packs/detect/audit/testdata/exec.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	one, _, _ := bytes.Cut(recorded, []byte("\n"))
	one = bytes.ReplaceAll(one, []byte("alice"), fmt.Appendf(nil, "alice-%d", before))
	body := fmt.Appendf(nil, `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[%s]}`, one)
	if err := to.SendWithRetry(t.Context(), body); err != nil {
		t.Fatal(err)
	}
	for n := before; n == before; time.Sleep(10 * time.Millisecond) {
		if n, err = v.Analysed(t.Context(), "shop", ingest.Audit); err != nil {
			t.Fatal(err)
		}
	}
}
