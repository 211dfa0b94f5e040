package vuln_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/vuln"
)

// advisories are n small records on packages p0, p1, … of Debian 12.
func advisories(n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i := range n {
		text := affected(fmt.Sprintf(`"id":"DEBIAN-CVE-2020-%05d","modified":"2020-01-01T00:00:00Z","details":"%d"`, i, i), "Debian:12",
			fmt.Sprintf("p%d", i%97), introduced)
		files[fmt.Sprintf("d/%d.json", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func imported(t *testing.T, dir string, sources ...vuln.Source) *vuln.DB {
	t.Helper()
	if _, err := vuln.Import(t.Context(), dir, sources, nil); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir)
}

func opened(t *testing.T, dir string) *vuln.DB {
	t.Helper()
	db, err := vuln.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func p(n int) vuln.Package {
	return vuln.Package{Ecosystem: "Debian:12", Name: fmt.Sprintf("p%d", n), Version: "1"}
}

func TestWhatIsImportedMatchesAsInMemory(t *testing.T) {
	files := advisories(3000)
	want, err := vuln.Read(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	got := imported(t, t.TempDir(), vuln.Source{Name: "debian", FS: files})
	for i := range 98 {
		a, b := want.Match(p(i)), got.Match(p(i))
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("p%d: in memory %v, from disk %v", i, found(a), found(b))
		}
		if (len(a) == 0) != (i == 97) {
			t.Fatalf("p%d has %d matches", i, len(a))
		}
	}
	if s := got.Status(); s.Records != 3000 || s.Ecosystems["Debian:12"] != 3000 || s.Newest.Year() != 2020 {
		t.Errorf("status %+v", s)
	}
}

func TestAnUnchangedSourceIsNotReadAgain(t *testing.T) {
	dir := t.TempDir()
	source := vuln.Source{Name: "debian", FS: advisories(10)}
	imported(t, dir, source)
	again := 0
	status, err := vuln.Import(t.Context(), dir, []vuln.Source{source}, func(p vuln.Progress) {
		if p.Unchanged {
			again++
		}
	})
	if err != nil || again != 1 || status.Records != 10 {
		t.Errorf("unchanged %d times, %d records, %v", again, status.Records, err)
	}
}

func TestImportingANameAgainReplacesIt(t *testing.T) {
	dir := t.TempDir()
	old := imported(t, dir, vuln.Source{Name: "debian", FS: advisories(10)},
		vuln.Source{Name: "other", FS: fstest.MapFS{"a.json": {Data: []byte(affected(`"id":"GO-1"`, "Go", "x", introduced))}}})
	now := imported(t, dir, vuln.Source{Name: "debian", FS: advisories(5)})
	if got := len(now.Match(p(7))); got != 0 {
		t.Errorf("p7 has %d matches after its record was dropped", got)
	}
	if got := len(now.Match(vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"})); got != 1 {
		t.Errorf("the other source's record has %d matches, want 1", got)
	}
	if got := len(old.Match(p(7))); got != 1 {
		t.Errorf("who had the old state open sees %d matches, want 1", got)
	}
	if err := vuln.Forget(dir, "other"); err != nil {
		t.Fatal(err)
	}
	if s := opened(t, dir).Status(); len(s.Sources) != 1 || s.Records != 5 {
		t.Errorf("after forgetting: %+v", s)
	}
}

func TestANewerCopyElsewhereOverrulesAnOlder(t *testing.T) {
	older := affected(`"id":"DEBIAN-CVE-2020-00001","modified":"2020-01-01T00:00:00Z"`, "Debian:12", "p1", introduced)
	newer := affected(`"id":"DEBIAN-CVE-2020-00001","modified":"2021-01-01T00:00:00Z"`, "Debian:12", "p1",
		`{"introduced":"0"},{"fixed":"0.5"}`)
	for _, order := range [][]string{{older, newer}, {newer, older}} {
		var sources []vuln.Source
		for i, text := range order {
			sources = append(sources, vuln.Source{Name: fmt.Sprint(i), FS: fstest.MapFS{"a.json": {Data: []byte(text)}}})
		}
		if got := imported(t, t.TempDir(), sources...).Match(p(1)); len(got) != 0 {
			t.Errorf("the older record still decides: %v", found(got))
		}
	}
}

// TestARecordOfTheFutureOverrulesNothing: else a feed could end what every other says, for good, and look fresh.
func TestARecordOfTheFutureOverrulesNothing(t *testing.T) {
	said := affected(`"id":"DEBIAN-CVE-2020-00001","modified":"2021-01-01T00:00:00Z"`, "Debian:12", "p1", introduced)
	ahead := affected(`"id":"DEBIAN-CVE-2020-00001","modified":"9999-12-31T00:00:00Z","withdrawn":"2021-01-02T00:00:00Z"`, "Debian:12", "p1",
		introduced)
	db := imported(t, t.TempDir(), vuln.Source{Name: "a", FS: fstest.MapFS{"a.json": {Data: []byte(said)}}},
		vuln.Source{Name: "b", FS: fstest.MapFS{"b.json": {Data: []byte(ahead)}}})
	if got := db.Match(p(1)); len(got) != 1 {
		t.Errorf("what a feed dates after all others decides: %v", found(got))
	}
	if newest := db.Status().Newest; newest.Year() != 2021 {
		t.Errorf("the advisories are as fresh as %v", newest)
	}
}

func TestArchivesAreReadAndBadMembersNamed(t *testing.T) {
	members := map[string]string{
		"ok.json": affected(`"id":"DEBIAN-CVE-2020-00001"`, "Debian:12", "p1", introduced),
		"ok.yaml": "id: DEBIAN-CVE-2020-00002\naffected:\n- package: {ecosystem: 'Debian:12', name: p1}\n  ranges:\n  - {type: " +
			"ECOSYSTEM, events: [{introduced: '0'}]}\n",
		"array.json": "[" + affected(`"id":"DEBIAN-CVE-2020-00003"`, "Debian:12", "p1", introduced) + "," +
			affected(`"id":"DEBIAN-CVE-2020-00004"`, "Debian:12", "p1", introduced) + "]",
		"broken.json": `{"id": "X-1", "affected": [`,
		"noid.json":   `{"affected": []}`,
		"two.json": `{"id":"X-2","affected":[{"package":{"ecosystem":"Go","name":"x"},"ranges":[{"type":"SEMVER",` +
			`"events":[{"introduced":"0","fixed":"1"}]}]}]}`,
		"README.md":    "not a record",
		"wrong.json":   `{"id":"X-3","affected":"all of them"}`,
		"empty.json":   ``,
		"strange.json": `"hello"`,
	}
	for _, kind := range []string{"a.zip", "a.tar.gz", "dir"} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			from := pack(t, filepath.Join(dir, kind), members)
			db := imported(t, filepath.Join(dir, "db"), vuln.Source{Path: from})
			if got := found(db.Match(p(1))); strings.Count(got, "CVE-2020-0000") != 4 {
				t.Errorf("matches %q, want the four good records", got)
			}
			s := db.Status().Sources[0]
			if s.Records != 4 || s.SkippedCount != 6 || len(s.Skipped) != 6 {
				t.Fatalf("read %d, skipped %d: %v", s.Records, s.SkippedCount, s.Skipped)
			}
			for _, skip := range s.Skipped {
				if !strings.HasPrefix(skip.File, from) || !strings.Contains(skip.File, ".json") || !strings.Contains(skip.Why, "want") {
					t.Errorf("skip %+v does not name the file and what was wanted", skip)
				}
			}
			if !s.Balanced() || s.Read != 10 || s.Passed != 1 || s.Statements != 4 {
				t.Errorf("counted out %+v, want 10 read, 1 file passed over and 4 statements", s)
			}
			if len(db.Status().Gaps) != 6 {
				t.Errorf("gaps %v", db.Status().Gaps)
			}
		})
	}
}

// pack writes members as a zip, a tar.gz or a directory, by the name's ending.
func pack(t *testing.T, name string, members map[string]string) string {
	t.Helper()
	var buffer bytes.Buffer
	switch {
	case strings.HasSuffix(name, ".zip"):
		w := zip.NewWriter(&buffer)
		for member, text := range members {
			f, err := w.Create(member)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(f, text)
		}
		w.Close()
	case strings.HasSuffix(name, ".tar.gz"):
		z := gzip.NewWriter(&buffer)
		w := tar.NewWriter(z)
		for member, text := range members {
			if err := w.WriteHeader(&tar.Header{Name: member, Size: int64(len(text)), Mode: 0o644}); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(w, text)
		}
		w.Close()
		z.Close()
	default:
		for member, text := range members {
			if err := os.MkdirAll(name, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(name, member), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return name
	}
	if err := os.WriteFile(name, buffer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestKnownExploitedAndEPSSAreJoined(t *testing.T) {
	record := affected(`"id":"DEBIAN-CVE-2020-00001"`, "Debian:12", "p1", introduced)
	other := affected(`"id":"DEBIAN-CVE-2020-00002"`, "Debian:12", "p1", introduced)
	files := fstest.MapFS{
		"a.json": {Data: []byte(record)},
		"b.json": {Data: []byte(other)},
		"kev.json": {Data: []byte(`{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2020-00001","vulnerabilityName":"N",` +
			`"dateAdded":"2021-02-03","knownRansomwareCampaignUse":"Known"},{"cveID":"nonsense"}]}`)},
		"epss.csv": {Data: []byte("#model_version:v1\ncve,epss,percentile\nCVE-2020-00001,0.5,0.9\nCVE-2020-00003,7,1\n")},
	}
	db := imported(t, t.TempDir(), vuln.Source{Name: "all", FS: files})
	got := db.Match(p(1))
	if len(got) != 2 {
		t.Fatalf("%d matches", len(got))
	}
	one, two := got[0], got[1]
	if !one.Exploited() || !one.KEV.Ransomware || one.KEV.Added.Day() != 3 || one.EPSS == nil || one.EPSS.Score != 0.5 {
		t.Errorf("joined %+v %+v", one.KEV, one.EPSS)
	}
	if two.KEV == nil || two.KEV.Listed || two.EPSS != nil {
		t.Errorf("an unlisted CVE: %+v %+v", two.KEV, two.EPSS)
	}
	if s := db.Status().Sources[0]; s.SkippedCount != 2 {
		t.Errorf("skipped %v", s.Skipped)
	}
	without := memory(t, record)
	if m := without.Match(p(1))[0]; m.KEV != nil {
		t.Error("without a catalogue nobody knows whether it is exploited")
	}
}

func TestASourceWithNothingInItIsAnError(t *testing.T) {
	dir := t.TempDir()
	keep := vuln.Source{Name: "debian", FS: advisories(3)}
	imported(t, dir, keep)
	tests := []struct {
		name   string
		source vuln.Source
		want   string
	}{
		{"a missing path", vuln.Source{Path: filepath.Join(dir, "missing")}, "no such file"},
		{"no advisories", vuln.Source{Name: "readme", FS: fstest.MapFS{"README.md": {Data: []byte("x")}}}, "want OSV records"},
		{"only broken ones", vuln.Source{Name: "debian", FS: fstest.MapFS{"x.json": {Data: []byte("{")}}}, "x.json"},
		{"another database's format", vuln.Source{Name: "secdb",
			FS: fstest.MapFS{"x.yaml": {Data: []byte("distroversion: v3.9\npackages: []\n")}}}, "got an object with distroversion, packages"},
		{"an archive of other things",
			vuln.Source{Path: pack(t, filepath.Join(t.TempDir(), "x.tar.gz"), map[string]string{"DSA/list": "[1 Jan 2020] DSA-1-1"})}, "found none"},
		{"not a zip", vuln.Source{Name: "zip", FS: fstest.MapFS{"x.zip": {Data: []byte("{}")}}}, "want a zip archive"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, err := vuln.Import(t.Context(), dir, []vuln.Source{test.source, keep}, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
			if status.Records != 3 || len(opened(t, dir).Match(p(1))) != 1 {
				t.Errorf("what was imported before is gone: %+v", status)
			}
		})
	}
}

func TestACancelledImportChangesNothing(t *testing.T) {
	dir := t.TempDir()
	imported(t, dir, vuln.Source{Name: "debian", FS: advisories(3)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, err := vuln.Import(ctx, dir, []vuln.Source{{Name: "debian", FS: advisories(500)}}, nil)
	if !errors.Is(err, context.Canceled) || status.Records != 3 || opened(t, dir).Status().Records != 3 {
		t.Errorf("%d records, %v", status.Records, err)
	}
}

func TestAnEmptyDirectoryIsAnEmptyDatabaseAndNotClean(t *testing.T) {
	db := opened(t, filepath.Join(t.TempDir(), "never"))
	matches, gaps := db.Examine(p(1))
	if len(matches) != 0 || len(gaps) != 1 || !strings.Contains(gaps[0].Why, "no advisories") {
		t.Errorf("matches %v, gaps %v", matches, gaps)
	}
}

func TestAManifestOfAnotherFormatIsRefused(t *testing.T) {
	for text, want := range map[string]string{`{"format": 99}`: "want format 1, got 99", `{`: "want the list of tables"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "advisories.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := vuln.Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if _, err := vuln.Import(t.Context(), dir, []vuln.Source{{Name: "x", FS: advisories(1)}}, nil); err == nil {
			t.Errorf("%s: an import overwrote what it does not understand", text)
		}
	}
}

func TestGzippedFilesAreRead(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "cve,epss,percentile\nCVE-2020-00001,0.25,0.5\n")
	z.Close()
	db := imported(t, t.TempDir(),
		vuln.Source{Name: "all", FS: fstest.MapFS{"epss.csv.gz": {Data: packed.Bytes()},
			"a.json": {Data: []byte(affected(`"id":"DEBIAN-CVE-2020-00001"`, "Debian:12", "p1", introduced))}}})
	if m := db.Match(p(1)); len(m) != 1 || m[0].EPSS == nil || m[0].EPSS.Score != 0.25 {
		t.Errorf("matches %+v", m)
	}
}

func TestManyAskAtOnce(t *testing.T) {
	db := imported(t, t.TempDir(), vuln.Source{Name: "debian", FS: advisories(300)})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 97 {
				if n := len(db.Match(p(i))); n < 3 || n > 4 {
					t.Errorf("p%d has %d matches", i, n)
				}
			}
		})
	}
	wait.Wait()
}

func TestWhatIsNotListedIsStillCounted(t *testing.T) {
	files := advisories(1)
	for i := range 70 {
		files[fmt.Sprintf("broken-%d.json", i)] = &fstest.MapFile{Data: []byte("{")}
	}
	gaps := imported(t, t.TempDir(), vuln.Source{Name: "debian", FS: files}).Status().Gaps
	if len(gaps) != 51 || !strings.HasPrefix(gaps[50].Why, "20 more") {
		t.Errorf("%d gaps, the last %+v", len(gaps), gaps[len(gaps)-1])
	}
}
