package ingest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

// disk is a file system of its own in a file, whose state after a loss of power
// can be looked at: what the kernel holds in memory and has not written down is
// not in the file.
type disk struct{ image, mount string }

func newDisk(t *testing.T) disk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	dir := t.TempDir()
	d := disk{filepath.Join(dir, "image"), filepath.Join(dir, "mount")}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 128<<20); err != nil {
		t.Fatal(err)
	}
	shell(t, "mkfs.ext4", "-q", d.image)
	// The file system's own habit of writing down every five seconds is turned
	// off: what is durable is so because somebody asked for it.
	d.attach(t, "loop,commit=600")
	return d
}

// attach mounts the disk until the test ends.
func (d disk) attach(t *testing.T, options string) {
	t.Helper()
	if err := os.MkdirAll(d.mount, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", options, d.image, d.mount).CombinedOutput(); err != nil {
		t.Skipf("mounting a file system in a file: %v: %s", err, out)
	}
	t.Cleanup(func() { shell(t, "umount", "-l", d.mount) })
}

// afterPowerLoss is the disk as a machine finds it whose power went off now.
func (d disk) afterPowerLoss(t *testing.T) disk {
	t.Helper()
	dir := t.TempDir()
	later := disk{filepath.Join(dir, "image"), filepath.Join(dir, "mount")}
	shell(t, "cp", "--sparse=always", d.image, later.image)
	later.attach(t, "loop") // replays the journal
	return later
}

func shell(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", name, err, out)
	}
}

func TestWhatWasAnsweredSurvivesALossOfPower(t *testing.T) {
	d := newDisk(t)
	p := newPlace(t, d.mount)
	r := p.start(t)
	token := p.token(t, "c", Audit)
	answered := 0
	for round := range 3 {
		for range 4 {
			if code := r.post(t, request{path: "/v1/audit/c", token: token, body: list(auditEvent(answered))}); code != 200 {
				t.Fatalf("answered %d", code)
			}
			answered++
		}
		alert := fmt.Sprint("alert", round)
		if err := p.store.PutAnalysed(t.Context(), store.Analysed{Cluster: "c",
			Alerts: []store.AlertSeen{{Cluster: "c", ID: alert, Rule: "r", Severity: "low", Events: []string{alert},
				Body: []byte("{}")}}}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.mount, fmt.Sprint("unsynced", round)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		later := d.afterPowerLoss(t)
		if _, err := os.Stat(filepath.Join(later.mount, fmt.Sprint("unsynced", round))); err == nil {
			t.Error("a file that nobody synced is there: this test shows nothing")
		}
		again := newPlace(t, later.mount)
		if _, err := again.store.Alert(t.Context(), "c", alert); err != nil {
			t.Errorf("round %d: a stored alert after a loss of power: %v", round, err)
		}
		if found := eventsOn(t, again, answered); found != answered {
			t.Errorf("round %d: %d of %d answered events are there after a loss of power", round, found, answered)
		}
	}
}

// eventsOn starts an endpoint on what is left and counts what it hands on.
func eventsOn(t *testing.T, p *place, want int) int {
	t.Helper()
	again := p.start(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	stop := again.consume(t, func(b Batch) error {
		mu.Lock()
		defer mu.Unlock()
		for line := range bytes.Lines(b.Lines) {
			seen[string(line)] = true
		}
		return nil
	})
	found := func() int { mu.Lock(); defer mu.Unlock(); return len(seen) }
	for end := time.Now().Add(5 * time.Minute); found() < want && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	stop()
	again.stop()
	return found()
}

// A file has a durable name when its folder is synced. Where that cannot be done,
// the sender must not be told that its events are safe.
func TestNoAnswerBeforeTheFolderIsDurable(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	q := request{path: "/v1/audit/prod", token: token, body: list(auditEvent(1))}
	if code := r.post(t, q); code != 200 {
		t.Fatalf("answered %d", code)
	}
	r.stream.names.path = filepath.Join(p.dir, "no such folder")
	q.body = list(auditEvent(2))
	if code := r.post(t, q); code < 500 {
		t.Errorf("answered %d though the folder was not synced", code)
	}
}
