package cli

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// did is what the command tells, the newest first, a line each.
func did(t *testing.T, data string, args ...string) (lines []string) {
	t.Helper()
	text, log, code := command(t, append([]string{"activity", "--data", data, "-o", "json"}, args...)...)
	var said struct {
		Items []activityRow
		More  bool
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil || code != 0 {
		t.Fatalf("%s %s: %v", text, log, err)
	}
	for _, a := range said.Items {
		lines = append(lines, strings.Join([]string{a.Person, a.Action, a.Object, a.Detail, a.Outcome}, "|"))
	}
	if said.More {
		lines = append(lines, "more")
	}
	return lines
}

func TestWhatIsDoneAtTheCommandLineIsRecorded(t *testing.T) {
	data := t.TempDir()
	_, stop := running(t, "--from", "testdata/shop", "--no-images", "--data", data)
	me := datadir.Peer{UID: os.Geteuid()}.Account()
	if _, log, code := command(t, "sign-in", "--for", "alice", "--data", data); code != 0 {
		t.Fatal(log)
	}
	feed := filepath.Join(t.TempDir(), "osv")
	if err := os.Mkdir(feed, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, "db", "import", feed, "--data", data)
	if _, log, code := command(t, "paths", "--data", data); code != 0 {
		t.Fatal(log)
	}
	stop()
	all := did(t, data)
	for n, want := range []string{me + "|export a report|paths||done", "|import advisories|" + feed + "||", me +
		"|make a sign-in link|alice||done",
		me + "|start the server|"} {
		if n >= len(all) || !strings.Contains(all[n], want) {
			t.Fatalf("%q: want %q at %d", all, want, n)
		}
	}
	if !strings.Contains(all[3], "--listen=127.0.0.1:0") || !strings.Contains(all[3], "--no-images=true") {
		t.Errorf("the settings: %s", all[3])
	}
	if got := did(t, data, "--action", "make a sign-in link"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if got := did(t, data, "--limit", "2"); len(got) != 3 || got[2] != "more" {
		t.Errorf("%q", got)
	}
	if got := did(t, data, "--since", "1ns", "--person", "nobody"); len(got) != 0 {
		t.Errorf("%q", got)
	}
	_, stop = running(t, "--from", "testdata/shop", "--no-images", "--data", data, "--qps", "7")
	if _, log, code := command(t, "paths", "--data", data); code != 0 {
		t.Fatal(log)
	}
	stop()
	changed := did(t, data, "--action", "change settings")
	if len(changed) != 1 || !strings.Contains(changed[0], "before: ") || strings.Contains(changed[0], "--qps") {
		t.Errorf("%q", changed)
	}
	text, log, code := command(t, "activity", "--data", data)
	if code != 0 || !strings.Contains(text, "WHO") || !strings.Contains(text, "socket, process ") {
		t.Errorf("%s %s", text, log)
	}
	verify(t, data, "7 rows, number 1 to 7, are as they were written", 0)
}

func verify(t *testing.T, data, want string, exit int) {
	t.Helper()
	text, log, code := command(t, "activity", "verify", "--data", data)
	if code != exit || !strings.Contains(text+log, want) {
		t.Errorf("%d: %s%s; want %q", code, text, log, want)
	}
}

func TestARecordThatWasChangedIsNotBelieved(t *testing.T) {
	data := t.TempDir()
	if _, log, code := command(t, "activity", "--data", data); code != exitCannot || !strings.Contains(log, "no server has used") {
		t.Errorf("%d: %s", code, log)
	}
	st, err := store.Open(t.Context(), datadir.Dir(data).Database())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := st.Record(t.Context(), store.Activity{Person: "alice\x1b[31m", Action: "sign in"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if text, _, _ := command(t, "activity", "--data", data); strings.Contains(text, "\x1b") || !strings.Contains(text, "alice") {
		t.Errorf("%q", text)
	}
	verify(t, data, "3 rows", 0)
	tamper(t, datadir.Dir(data).Database(), `UPDATE activity SET person = 'bob' WHERE seq = 2`)
	verify(t, data, "the record was changed: number 2", exitCannot)
}

// tamper is what who can write the file does to it.
func tamper(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
