package ingest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A process may be killed after JetStream wrote that a batch was analysed, and before it wrote that it is gone:
// here the stream's own files are those from before the analysis, the rest those from after it.
func TestABatchThatWasAnalysedDoesNotWaitForEver(t *testing.T) {
	if outside {
		t.Skip("the files are those of the stream inside the process")
	}
	p := newPlace(t, t.TempDir())
	token := p.token(t, "c", Audit)
	r := p.start(t)
	for i := range 3 {
		if code := r.post(t, request{path: "/v1/audit/c", token: token, body: list(auditEvent(i))}); code != 200 {
			t.Fatalf("answered %d", code)
		}
	}
	r.stop()
	messages, before := filepath.Join(p.dir, "stream", "jetstream", "$G", "streams", streamName, "msgs"), filepath.Join(t.TempDir(), "before")
	copied := func(from, to string) {
		if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	copied(messages, before)

	r = p.start(t)
	end := r.consume(t, func(Batch) error { return nil })
	eventually(t, "all analysed", func() bool { return waitingBatches(t, r) == 0 })
	end()
	r.stop()
	if err := os.RemoveAll(messages); err != nil {
		t.Fatal(err)
	}
	copied(before, messages)

	r = p.start(t)
	if n := waitingBatches(t, r); n != 3 {
		t.Fatalf("%d batches are in the files of before, want 3", n)
	}
	if code := r.post(t, request{path: "/v1/audit/c", token: token, body: list(auditEvent(3))}); code != 200 {
		t.Fatalf("answered %d", code)
	}
	seen := make(chan uint64, 10)
	r.consume(t, func(b Batch) error { seen <- b.Sequence; return nil })
	eventually(t, "an empty stream", func() bool { return waitingBatches(t, r) == 0 })
	if first := <-seen; first != 4 || len(seen) > 0 {
		t.Errorf("batch %d was analysed first, and %d more: want the fourth alone", first, len(seen))
	}
	if held := r.stream.disk.holds(source{"c", Audit}); held != 0 {
		t.Errorf("%d bytes count as held", held)
	}
}

func waitingBatches(t *testing.T, r *running) (n uint64) {
	t.Helper()
	counts, err := r.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		n += c.Waiting
	}
	return n
}
