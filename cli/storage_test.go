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
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestRetentionComesFromTheConfigurationFileAndThenFromFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "breakwater.yaml")
	text := "retention:\n  alerts: {keep: 90d, rows: 500000}\n  paths: {keep: forever}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := storage{keep: []string{"alerts=30d"}, keepRows: []string{"layers=unlimited"}}.retention(file)
	if err != nil {
		t.Fatal(err)
	}
	want := store.DefaultRetention()
	want["alerts"] = store.Limit{Keep: 30 * 24 * time.Hour, Rows: 500_000}
	want["paths"] = store.Limit{Rows: want["paths"].Rows}
	want["layers"] = store.Limit{Keep: want["layers"].Keep}
	for name := range want {
		if r[name] != want[name] {
			t.Errorf("%s: %+v, want %+v", name, r[name], want[name])
		}
	}
	for _, c := range []struct {
		name, file string
		o          storage
		want       string
	}{
		{"no value", "", storage{keep: []string{"alerts"}}, "want NAME=VALUE"},
		{"no such history", "", storage{keep: []string{"alert=3d"}}, "there are alerts, paths, path-history, layers"},
		{"no time", "", storage{keep: []string{"alerts=soon"}}, "want days such as 90d"},
		{"no rows", "", storage{keepRows: []string{"alerts=few"}}, "want a number of rows"},
		{"a file with nothing said", "retention: {alerts: {}}", storage{}, "want keep, rows or both"},
		{"a file with a wrong name", "retention: {alert: {keep: 3d}}", storage{}, "there are alerts"},
		{"a file with a wrong key", "retention: {alerts: {days: 3}}", storage{}, "days"},
	} {
		name := ""
		if c.file != "" {
			name = filepath.Join(t.TempDir(), "c.yaml")
			if err := os.WriteFile(name, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.o.retention(name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// serveOn runs a server on a cluster of one file until the test ends, and returns what it prints.
func serveOn(t *testing.T, data string, args ...string) *strings.Builder {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var log strings.Builder
	root := newRoot(streams{w, &log})
	root.SetArgs(append([]string{"serve", "--from", "testdata/shop", "--no-images", "--listen", "127.0.0.1:0", "--data", data}, args...))
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
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if strings.Contains(out.String()+log.String(), pgtest.Password) {
			t.Error("the password is printed")
		}
	})
	return &out
}

func TestAServerKeepsItsRecordsInPostgreSQL(t *testing.T) {
	dsn, data := pgtest.DSN(t), t.TempDir()
	serveOn(t, data, "--store", dsn)
	if _, err := os.Stat(dataDir(data).database()); err == nil {
		t.Error("a file of SQLite was made all the same")
	}
	announced, err := os.ReadFile(dataDir(data).running())
	if err != nil || strings.Contains(string(announced), pgtest.Password) {
		t.Errorf("%s, %v", announced, err)
	}
	_, err = dial(t.Context(), dataDir(data))
	if err == nil || !strings.Contains(err.Error(), "set BREAKWATER_STORE") || strings.Contains(err.Error(), pgtest.Password) {
		t.Errorf("a command beside the server that would ask a file: %v", err)
	}
	t.Setenv(storeVariable, dsn)
	if _, err := dataDir(t.TempDir()).open(t.Context()); err != nil {
		t.Errorf("a folder without a server: %v", err)
	}
	c, err := dial(t.Context(), dataDir(data))
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
	t.Setenv(natsVariable, "nats://breakwater:secret1@127.0.0.1:1")
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
		if _, err := dial(t.Context(), dataDir(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv(storeVariable, "postgres://u:secret1@h/db")
	if _, err := dial(t.Context(), dataDir(data)); err == nil || !strings.Contains(err.Error(), "in that folder, and this command would ask postgres://u@h/db") {
		t.Error(err)
	}
}

func TestTheEnvironmentNamesTheStore(t *testing.T) {
	t.Setenv(storeVariable, "postgres://breakwater:secret1@127.0.0.1:1/db")
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
