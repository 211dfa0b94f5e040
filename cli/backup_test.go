package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// answers are what a server says of paths, their lives, alerts and decisions.
func answersOf(t *testing.T, data string) (paths, dismissed string) {
	t.Helper()
	c, err := dial(&strings.Builder{}, datadir.Dir(data))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct{ ID, FirstSeen string }
	}
	for end := time.Now().Add(time.Minute); len(list.Items) == 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err := c.ask(t.Context(), "/paths", nil, &list); err != nil {
			t.Fatal(err)
		}
	}
	var alerts struct{ Items []struct{ ID, Status string } }
	if err := c.ask(t.Context(), "/alerts?status=dismissed", nil, &alerts); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(list.Items), fmt.Sprint(alerts.Items)
}

func putAlert(t *testing.T, st *store.Store, id string) {
	t.Helper()
	err := st.PutAnalysed(t.Context(), store.Analysed{Cluster: "shop", Alerts: []store.AlertSeen{{Cluster: "shop", ID: id, Rule: "r",
		Severity: "high", FirstSeen: time.Now(), LastSeen: time.Now(), Events: []string{id}, Body: []byte(`{"title":"t"}`)}}})
	if err != nil {
		t.Error(err)
	}
}

// A server is backed up while it serves and is written to; what is served from the backup are the
// same lives, decisions and tokens.
func TestAServerIsServedAgainFromItsBackup(t *testing.T) {
	data, file, fresh := t.TempDir(), filepath.Join(t.TempDir(), "backup.tar.gz"), filepath.Join(t.TempDir(), "fresh")
	_, stop := running(t, "--from", "testdata/shop", "--no-images", "--data", data, "--save-every", "1s")
	st, err := datadir.Dir(data).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	putAlert(t, st, "a1")
	drill := store.AlertChange{Status: new(store.AlertDismissed), Reason: "a drill", By: "alice"}
	if err := st.ChangeAlert(t.Context(), "shop", "a1", drill); err != nil {
		t.Fatal(err)
	}
	token, err := st.NewIngestToken(t.Context(), store.IngestToken{Cluster: "shop", Kind: "audit"})
	if err != nil {
		t.Fatal(err)
	}
	paths, dismissed := answersOf(t, data)
	if dismissed != "[{a1 dismissed}]" || paths == "[]" {
		t.Fatalf("%s, %s", paths, dismissed)
	}
	done := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				putAlert(t, st, fmt.Sprint("during", i))
			}
		}
	})
	_, log, code := command(t, "backup", file, "--data", data)
	close(done)
	busy.Wait()
	if code != 0 {
		t.Fatalf("%d: %s", code, log)
	}
	stop()
	if _, log, code := command(t, "restore", file, "--data", fresh); code != 0 {
		t.Fatalf("%d: %s", code, log)
	}
	if _, log, code := command(t, "restore", file, "--data", fresh); code != exitCannot || !strings.Contains(log, "is not empty") {
		t.Errorf("restored over what is there: %d: %s", code, log)
	}
	for folder, action := range map[string]string{data: "back up", fresh: "restore"} {
		if got := did(t, folder, "--action", action); len(got) != 1 || !strings.Contains(got[0], file) {
			t.Errorf("%s is recorded as %q", action, got)
		}
	}
	serveOn(t, fresh)
	if p, d := answersOf(t, fresh); p != paths || d != dismissed {
		t.Errorf("paths %s\nwant %s\ndismissed %s\nwant %s", p, paths, d, dismissed)
	}
	again, err := datadir.Dir(fresh).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if a, err := again.Alert(t.Context(), "shop", "a1"); err != nil || a.Reason != "a drill" || a.DecidedBy != "alice" {
		t.Errorf("%+v, %v", a, err)
	}
	if of, err := again.IngestToken(t.Context(), token); err != nil || of.Cluster != "shop" {
		t.Errorf("%+v, %v", of, err)
	}
}
