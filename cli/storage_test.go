package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

// serveOn runs a server on a cluster of one file until the test ends, and returns what it prints.
func serveOn(t *testing.T, data string, args ...string) *strings.Builder {
	t.Helper()
	out, _ := running(t, append([]string{"--from", "testdata/shop", "--no-images", "--data", data}, args...)...)
	return out
}

// running starts serve, waits for its sign-in link, and returns what it prints and what ends it; the test's end does too.
func running(t *testing.T, args ...string) (printed *strings.Builder, stop func()) {
	t.Helper()
	home(t)
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var log strings.Builder
	root := newRoot(streams{w, &log})
	root.SetArgs(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...))
	go func() { done <- root.ExecuteContext(ctx); w.Close() }()
	var out strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(out.String(), "sign-in#"); {
		n, err := r.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			cancel()
			t.Fatalf("serve ended: %v\n%s\n%s", <-done, &out, &log)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }() // it may go on printing
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if strings.Contains(out.String()+log.String(), pgtest.Password) {
			t.Error("the password is printed")
		}
	})
	t.Cleanup(stop)
	return &out, stop
}

func TestAServerKeepsItsRecordsInPostgreSQL(t *testing.T) {
	dsn, data := pgtest.DSN(t), t.TempDir()
	serveOn(t, data, "--store", dsn)
	if _, err := os.Stat(datadir.Dir(data).Database()); err == nil {
		t.Error("a file of SQLite was made all the same")
	}
	announced, err := os.ReadFile(datadir.Dir(data).RunningFile())
	if err != nil || strings.Contains(string(announced), pgtest.Password) {
		t.Errorf("%s, %v", announced, err)
	}
	_, err = datadir.Dir(data).Open(t.Context())
	if err == nil || !strings.Contains(err.Error(), "set BREAKWATER_STORE") || strings.Contains(err.Error(), pgtest.Password) {
		t.Errorf("a command beside the server that would ask a file: %v", err)
	}
	t.Setenv(datadir.StoreVariable, dsn)
	if _, err := datadir.Dir(t.TempDir()).Open(t.Context()); err != nil {
		t.Errorf("a folder without a server: %v", err)
	}
	c, err := dial(io.Discard, datadir.Dir(data))
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Clusters []struct{ Name string } `json:"clusters"`
	}
	if err := c.ask(t.Context(), "/status", nil, &status); err != nil {
		t.Errorf("%+v, %v", status, err)
	}
	var sizes struct {
		Tables []struct {
			Table       string
			Rows, Bytes int64
		}
	}
	text, _, code := command(t, "storage", "--data", data, "-o", "json")
	err = json.Unmarshal([]byte(text), &sizes)
	if err != nil || code != 0 || !strings.Contains(text, `"path_history"`) || sizes.Tables[0].Bytes <= 0 {
		t.Errorf("%s, %d, %v", text, code, err)
	}
	if link, _, code := command(t, "sign-in", "--data", data); code != 0 || !strings.Contains(link, "sign-in#") {
		t.Errorf("%s, %d", link, code)
	}
}

func TestEventsWaitInTheNATSClusterThatTheEnvironmentNames(t *testing.T) {
	t.Setenv(server.NATSVariable, "nats://breakwater:secret1@127.0.0.1:1")
	_, log, code := command(t, "serve", "--from", "testdata/shop", "--listen", "127.0.0.1:0", "--data", t.TempDir(),
		"--ingest-listen", "127.0.0.1:0")
	if code != exitCannot || !strings.Contains(log, "nats://127.0.0.1:1: no server answers") || strings.Contains(log, "secret1") {
		t.Errorf("%d: %s", code, log)
	}
	_, log, code = command(t, "serve", "--from", "testdata/shop", "--nats", "nats://h", "--data", t.TempDir())
	if code != exitCannot || !strings.Contains(log, "give --ingest-listen too") {
		t.Errorf("%d: %s", code, log)
	}
}

func TestAFolderIsTheSameByEveryName(t *testing.T) {
	data := t.TempDir()
	serveOn(t, data)
	t.Chdir(filepath.Dir(data))
	for _, name := range []string{data, filepath.Base(data), "./" + filepath.Base(data) + "/"} {
		if _, log, code := command(t, "registry", "list", "--data", name); code != 0 {
			t.Errorf("%s: %s", name, log)
		}
		if s, err := datadir.Dir(name).Open(t.Context()); err != nil || s.Close() != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv(datadir.StoreVariable, "postgres://u:secret1@h/db")
	if _, err := datadir.Dir(data).Open(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "in that folder, and this command would ask postgres://u@h/db") {
		t.Error(err)
	}
}

func TestTheEnvironmentNamesTheStore(t *testing.T) {
	t.Setenv(datadir.StoreVariable, "postgres://breakwater:secret1@127.0.0.1:1/db")
	_, log, code := command(t, "serve", "--from", "testdata/shop", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	want := "postgres://breakwater@127.0.0.1:1/db: no server answers"
	if code != exitCannot || !strings.Contains(log, want) || strings.Contains(log, "secret1") {
		t.Errorf("%d: %s", code, log)
	}
}

func TestTheDocumentTellsWhatIsKept(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "storage.md"))
	if err != nil {
		t.Fatal(err)
	}
	kept := store.DefaultRetention()
	for _, h := range store.Histories() {
		l := kept[h[0]]
		begin, end := "| `"+h[0]+"` | "+h[1], fmt.Sprintf(" | %d days | %s |", l.Keep/(24*time.Hour), grouped(l.Rows))
		if !slices.ContainsFunc(strings.Split(string(text), "\n"), func(line string) bool {
			return strings.HasPrefix(line, begin) && strings.HasSuffix(line, end)
		}) {
			t.Errorf("docs/storage.md has no line %s … %s", begin, end)
		}
	}
}

// grouped writes a number with commas.
func grouped(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
