package cli

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/server"
)

// FuzzLog: whatever a log is, lines, a list or one document, of either kind, gzip or not, it is read to its end or said
// where it breaks off, and every event of it is an event, refused or lost.
func FuzzLog(f *testing.F) {
	line := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"get","requestURI":` +
		`"/api/v1/namespaces/n/pods/p/exec","user":{"username":"alice"},"objectRef":{"resource":"pods","namespace":"n","name":"p",` +
		`"subresource":"exec","apiVersion":"v1"},"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z"}`
	record := `{"node":"n","boot":"b","seq":1,"time":"2026-01-01T00:00:00Z","process":{"pid":1,"file":"/bin/sh","args":["sh","-c","id"]}}`
	for _, text := range []string{line, line + "\n" + line[:40] + "\n", "\ufeff" + line,
		`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` +
			line + "]}", record, record + "\n{}\n", "[]", "\x1f\x8b", ""} {
		for _, audit := range []bool{true, false} {
			f.Add(audit, []byte(text))
		}
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write([]byte(text))
		_ = z.Close()
		f.Add(true, zipped.Bytes())
		f.Add(true, zipped.Bytes()[:zipped.Len()/2])
	}
	rules, err := server.LoadDetections("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, audit bool, text []byte) {
		o := detectOptions{cluster: "c", kind: "runtime"}
		read := o.readRuntime
		if audit {
			o.kind, read = "audit", o.readAudit
		}
		engine := detect.New(rules, nil, detect.Options{})
		in := &cobra.Command{}
		in.SetIn(bytes.NewReader(text))
		err := o.file(in, streams{out: io.Discard, err: io.Discard}, "-", read, func(events []event.Event) { engine.Feed(events) })
		switch {
		case err != nil: // it is no gzip
		case o.events+o.rejected > o.lines:
			t.Errorf("of %d events %d were read and %d not", o.lines, o.events, o.rejected)
		case o.events == 0 && len(o.gaps) == 0:
			t.Error("nothing was read, and nobody is told")
		}
	})
}
