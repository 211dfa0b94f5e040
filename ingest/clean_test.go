package ingest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asItCame takes nothing out.
func asItCame(event []byte) []byte { return event }

// everyByte is every byte of a folder.
func everyByte(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		out.Write(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWhatWaitsIsWrittenClean(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Clean = func(kind Kind, event []byte) []byte {
		return bytes.ReplaceAll(event, []byte("hunter2"), []byte("gone-of-"+kind))
	}
	r, auditor, sensor := p.start(t), p.token(t, "prod", Audit), p.token(t, "prod", Runtime)
	if status := r.post(t, request{path: "/v1/audit/prod", token: auditor, body: list(`{"auditID":"hunter2"}`)}); status != 200 {
		t.Fatal(status)
	}
	if status := r.post(t, request{path: "/v1/sensor/events", token: sensor, body: `{"a":"hunter2"}`,
		header: map[string]string{batchHeader: "n/b/1"}}); status != 200 {
		t.Fatal(status)
	}
	text := everyByte(t, p.config.Dir)
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "gone-of-audit") || !strings.Contains(text, "gone-of-runtime") {
		t.Errorf("%d bytes are written: hunter2 %v, cleaned of the log %v, of the sensor %v", len(text), strings.Contains(text, "hunter2"),
			strings.Contains(text, "gone-of-audit"), strings.Contains(text, "gone-of-runtime"))
	}
}

func TestADeadLetterOfAVersionThatWroteEventsAsTheyCameIsTriedClean(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Version = "before"
	r, token := p.start(t), p.token(t, "prod", Audit)
	stop := r.consume(t, func(Batch) error { return errors.New("no") })
	r.post(t, request{path: "/v1/audit/prod", token: token, body: list(`{"auditID":"hunter2"}`)})
	eventually(t, "a dead letter", func() bool { return r.count(t, "prod", Audit).DeadLettered == 1 })
	stop()
	r.stop()
	p.config.Version = "now"
	p.config.Clean = func(_ Kind, event []byte) []byte { return bytes.ReplaceAll(event, []byte("hunter2"), []byte("gone")) }
	r = p.start(t)
	var got collected
	r.consume(t, got.handle)
	if lines := got.wait(t, 1); lines[0] != `{"auditID":"gone"}` {
		t.Errorf("%v", lines)
	}
}
