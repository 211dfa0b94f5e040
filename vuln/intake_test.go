package vuln_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/vuln"
)

func TestWhatARecordSaysIsUsedOrCounted(t *testing.T) {
	db := imported(t, t.TempDir(), vuln.Source{Name: "feed", FS: fstest.MapFS{"a.json": {Data: []byte(`{"id":"X-1","affected":[
		{"package":{"ecosystem":"Debian:12","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
		{"package":{"ecosystem":"Debian:12","name":"b"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]},
		{"package":{"ecosystem":"Debian:12","name":"c"}},
		{"package":{"ecosystem":"Debian:12"},"versions":["1"]},
		{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]},
		{"package":{"ecosystem":"Homebrew","name":"d"},"versions":["1"]}]}`)}}})
	var got []string
	for _, g := range db.Status().Gaps {
		got = append(got, g.What+": "+g.Why)
	}
	want := `ecosystem Homebrew of feed: we do not know how its versions compare
statements of feed that name no package of an ecosystem: 2 of 6
statements of feed that name no versions, or commits only: 2 of 6`
	if strings.Join(got, "\n") != want {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), want)
	}
}

func TestNothingInAJSONFileEndsItSilently(t *testing.T) {
	record := func(n int) string { return affected(fmt.Sprintf(`"id":"X-%d"`, n), "Debian:12", "p1", introduced) }
	for content, want := range map[string]string{
		record(1) + "}" + record(2):                     "document 2: want JSON: invalid character '}'",
		"[" + record(1) + "]" + record(2):               "",
		"[" + record(1) + "," + record(2):               "document 3: want the end of the array: EOF",
		"[" + record(1) + "," + record(2) + "} " + "[]": "document 3: want the end of the array: invalid character '}'",
	} {
		s := imported(t, t.TempDir(), vuln.Source{Name: "feed", FS: fstest.MapFS{"a.json": {Data: []byte(content)}}}).Status().Sources[0]
		why := ""
		if len(s.Skipped) > 0 {
			why = s.Skipped[0].Why
		}
		if !s.Balanced() || !strings.HasPrefix(why, want) || (want == "") != (why == "") || want == "" && s.Records != 2 {
			t.Errorf("%s\n%+v, want skipped %q", content, s, want)
		}
	}
}

func TestALinkLeadsToItsFileAndAPipeIsNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		text := affected(`"id":"`+name+`"`, "Debian:12", "p1", introduced)
		if err := os.WriteFile(filepath.Join(dir, "..data", name+".json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "..data"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("X-1")
	for link, to := range map[string]string{"x.json": "..data/X-1.json", "gone.json": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "db")
	s := imported(t, data, vuln.Source{Path: dir}).Status().Sources[0]
	if s.Records != 1 || s.SkippedCount != 2 || !s.Balanced() {
		t.Errorf("%+v, want one record and two files that could not be read", s)
	}
	write("X-1") // in place: the link is the same, what it leads to is newer
	if err := os.Chtimes(filepath.Join(dir, "..data", "X-1.json"), s.ImportedAt, s.ImportedAt.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	unchanged := true
	report := func(p vuln.Progress) { unchanged = unchanged && p.Unchanged }
	if _, err := vuln.Import(t.Context(), data, []vuln.Source{{Path: dir}}, report); err != nil {
		t.Fatal(err)
	}
	if unchanged {
		t.Error("a changed file behind a link was not read again")
	}
}
