package vuln

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/gzip"
)

// one is a record of a certain length.
func one(id string, bytes int) *fstest.MapFile {
	head := `{"id":"` + id + `","details":"`
	return &fstest.MapFile{Data: []byte(head + strings.Repeat("a", bytes-len(head)-2) + `"}`)}
}

func gzipped(data string) *fstest.MapFile {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(data))
	_ = w.Close()
	return &fstest.MapFile{Data: out.Bytes()}
}

// tarred is a tar.gz of entries, of which each is a name and a type.
func tarred(entries ...tar.Header) *fstest.MapFile {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range entries {
		text := ""
		if h.Typeflag == tar.TypeReg {
			text = `{"id":"X-` + h.Name + `"}`
		}
		h.Size, h.Mode = int64(len(text)), 0o644
		_ = w.WriteHeader(&h)
		_, _ = w.Write([]byte(text))
	}
	_ = w.Close()
	return gzipped(out.String())
}

func TestWhatOfASourceIsRead(t *testing.T) {
	a := &fstest.MapFile{Data: []byte(`{"id":"X-1"}`)}
	limits := Limits{Document: 1000, Total: 4000, Files: 3, Archive: 1 << 20, Ratio: 300, Slack: 10_000}
	for _, c := range []struct {
		name                    string
		files                   fstest.MapFS
		records, passed         int
		skipped, stopped, shown string
	}{
		{name: "endings in any case", files: fstest.MapFS{"a.JSON": a, "b.Yml": {Data: []byte("id: X-2")}}, records: 2},
		{name: "records one after another", files: fstest.MapFS{"a.jsonl": {Data: []byte("{\"id\":\"X-1\"}\n{\"id\":\"X-2\"}\n")}}, records: 2},
		{name: "an array", files: fstest.MapFS{"a.json": {Data: []byte(" \n\t\r[{\"id\":\"X-1\"}, {\"id\":\"X-2\"}]")}}, records: 2},
		{name: "what follows an array", files: fstest.MapFS{"a.json": {Data: []byte(`[{"id":"X-1"}]{"id":"X-2"}`)}}, records: 2},
		{name: "an array without its end", files: fstest.MapFS{"a.json": {Data: []byte(`[{"id":"X-1"}`)}}, records: 1,
			skipped: "document 2: want the end of the array"},
		{name: "spaces only", files: fstest.MapFS{"a.json": {Data: []byte(" \n")}}, skipped: "the file is empty"},
		{name: "an answer of OSV's query", files: fstest.MapFS{"a.json": {Data: []byte(`{"vulns":[{"id":"X-1"},{"no":1},{"id":"X-2"}]}`)}},
			records: 2, skipped: `want an OSV record with an "id", got an object with no`, shown: "a.json#vulns[1]"},
		{name: "many names instead of an id", files: fstest.MapFS{"a.json": {Data: []byte(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}`)}},
			skipped: "got an object with a, b, c, d, e, f", shown: "a.json#1"},
		{name: "nothing instead of an id", files: fstest.MapFS{"a.json": {Data: []byte(`{}`)}}, skipped: "got an object with nothing in it"},
		{name: "other files", files: fstest.MapFS{"a.json": a, "LICENSE": {}, "b.md": {}}, records: 1, passed: 2},
		{name: "hidden folders", files: fstest.MapFS{".git/a.json": a, "b/.c/a.json": a, "b/a.json": a}, records: 1},
		{name: "a hidden file", files: fstest.MapFS{".a.json": a}, records: 1},
		{name: "a device", files: fstest.MapFS{"a.json": {Mode: fs.ModeDevice}}, skipped: "want a regular file, not D"},
		{name: "a compressed record", files: fstest.MapFS{"a.json.gz": gzipped(`{"id":"X-1"}`)}, records: 1},
		{name: "one that is not", files: fstest.MapFS{"a.json.gz": a}, skipped: "want gzip"},
		{name: "a tar archive", files: fstest.MapFS{"a.tgz": tarred(tar.Header{Name: "d/", Typeflag: tar.TypeDir},
			tar.Header{Name: "a.json", Typeflag: tar.TypeReg}, tar.Header{Name: "b.json", Typeflag: tar.TypeReg})}, records: 2},
		{name: "a tar archive of git", files: fstest.MapFS{"a.tgz": tarred(
			tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}},
			tar.Header{Name: "a.json", Typeflag: tar.TypeReg})}, records: 1},
		{name: "a file after an archive", files: fstest.MapFS{"a.tgz": tarred(tar.Header{Name: "a.json", Typeflag: tar.TypeReg}), "b.json": a},
			records: 2},
		{name: "a link in one", files: fstest.MapFS{"a.tar.gz": tarred(tar.Header{Name: "b.json", Typeflag: tar.TypeSymlink, Linkname: "a"},
			tar.Header{Name: "a.json", Typeflag: tar.TypeReg})}, records: 1, skipped: `not an entry of type '2'`, shown: "a.tar.gz!b.json"},
		{name: "a tar archive that is none", files: fstest.MapFS{"a.tar.gz": gzipped(strings.Repeat("x", 600))},
			skipped: "the rest of it was not read"},
		{name: "one that is not compressed", files: fstest.MapFS{"a.tar.gz": a}, skipped: "want a packed tar archive"},
		{name: "an archive of other files", files: fstest.MapFS{"a.tgz": tarred(tar.Header{Name: "a.md", Typeflag: tar.TypeReg})}, passed: 1,
			skipped: "want OSV records"},
		{name: "a record as long as may be", files: fstest.MapFS{"a.json": one("X-1", 1000)}, records: 1},
		{name: "one much longer", files: fstest.MapFS{"a.json": one("X-1", 3000)}, skipped: "at most 1000 bytes in one record"},
		{name: "a record in YAML as long as may be", files: fstest.MapFS{"a.yaml": one("X-1", 1000)}, records: 1},
		{name: "one byte longer", files: fstest.MapFS{"a.yaml": one("X-1", 1001)}, skipped: "at most 1000 bytes"},
		{name: "as many files as may be", files: fstest.MapFS{"a.json": a, "b.json": a, "c.json": a}, records: 3},
		{name: "as many bytes as may be", files: fstest.MapFS{"a.json": {Data: bytes.Repeat(one("X-1", 1000).Data, 4)}}, records: 4},
		{name: "one more", files: fstest.MapFS{"a.json": {Data: append(bytes.Repeat(one("X-1", 1000).Data, 4), ' ')}}, records: 4,
			stopped: "want at most 4000 bytes in a source"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, err := take(limits, c.files)
			if status.Records != c.records || status.Passed != c.passed || (err == nil) != (c.stopped == "") ||
				err != nil && !strings.Contains(err.Error(), c.stopped) {
				t.Errorf("%+v, %v", status, err)
			}
			if !status.Balanced() {
				t.Errorf("not counted out: %+v", status)
			}
			switch {
			case c.stopped != "":
			case (status.SkippedCount == 0) != (c.skipped == ""):
				t.Errorf("skipped %v", status.Skipped)
			case c.skipped != "" && (!strings.Contains(status.Skipped[0].Why, c.skipped) || !strings.Contains(status.Skipped[0].File, c.shown)):
				t.Errorf("skipped %v", status.Skipped)
			}
		})
	}
}

func TestAStoreThatFailsEndsTheSource(t *testing.T) {
	for name, text := range map[string]string{
		"a.json": `{"id":"X-1"}`, "b.json": `{"vulns":[{"id":"X-1"}]}`, "c.yaml": "id: X-1", "d.csv": "cve,epss\nCVE-2020-10001,1\n",
		"e.json": `{"vulnerabilities":[{"cveID":"CVE-2020-10001"}]}`,
	} {
		status := SourceStatus{}
		in := &intake{ctx: t.Context(), limits: DefaultLimits, put: func(string, []byte) error { return fs.ErrPermission }, status: &status}
		err := in.tree(fstest.MapFS{name: {Data: []byte(text)}}, ".", "")
		if !errors.Is(err, fs.ErrPermission) || status.SkippedCount != 0 || status.Records+status.KEV+status.EPSS != 0 {
			t.Errorf("%s: %+v, %v", text, status, err)
		}
	}
}

func TestOnlyWhatComparesIsCountedByEcosystem(t *testing.T) {
	status, err := take(DefaultLimits, fstest.MapFS{"a.json": {Data: []byte(`{"id":"X-1","affected":[` +
		`{"package":{"ecosystem":"Plan9","name":"x"}},{"package":{"ecosystem":"npm","name":""}},` +
		`{"package":{"ecosystem":"Debian:12","name":"x"}}]}`)}})
	if err != nil || fmt.Sprint(status.Ecosystems) != "map[Debian:12:1]" {
		t.Errorf("%v, %v", status.Ecosystems, err)
	}
}

func TestScoresStandUnderTheirHeader(t *testing.T) {
	for _, c := range []struct {
		text, skipped string
		scores        int
	}{
		{"# a\n\ncve,epss,percentile\nCVE-2020-10001,0.5,0.5\n\nCVE-2020-10002,0.5,0.5\n", "", 2},
		{"CVE,EPSS\nCVE-2020-10001,0.5\n", "", 1}, {"CVE-2020-10001,0.5,0.5\n", "line 1: want EPSS scores", 0},
		{"#\nname\n", "line 2: want EPSS scores", 0}, {"cve,epss\nCVE-2020-10001,2\nCVE-2020-10002,1\n", "a probability from 0 to 1", 1},
	} {
		status, err := take(DefaultLimits, fstest.MapFS{"a.csv": {Data: []byte(c.text)}})
		if err != nil || status.EPSS != c.scores || (status.SkippedCount == 0) != (c.skipped == "") || !status.Balanced() ||
			c.skipped != "" && !strings.Contains(status.Skipped[0].Why, c.skipped) {
			t.Errorf("%q: %+v, %v", c.text, status, err)
		}
	}
}

func TestCISAsListIsKnownByItsEntries(t *testing.T) {
	long := strings.Repeat("x", 41)
	for _, c := range []struct {
		text         string
		kev, records int
		skipped      string
	}{
		{`{"catalogVersion":"1","vulnerabilities":[]}`, 0, 0, ""},
		{`{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2020-10001"}]}`, 1, 0, ""},
		{`{"vulnerabilities":[{"cveID":"CVE-2020-10001"},{"cveID":"CVE-2020-10002"}]}`, 2, 0, ""},
		{`{"id":"X-1","vulnerabilities":[{"other":1}]}`, 0, 1, ""}, {`{"id":"X-1","vulnerabilities":[]}`, 0, 1, ""},
		{`{"vulnerabilities":[{"cveID":"CVE-2020-10001"},{"cveID":"` + long + `"}]}`, 1, 0,
			`vulnerabilities[1]: want a CVE id in cveID, got "` + long[:40] + `…"`},
	} {
		status, err := take(DefaultLimits, fstest.MapFS{"a.json": {Data: []byte(c.text)}})
		got := ""
		for _, s := range status.Skipped {
			got += s.File + ": " + s.Why
		}
		if err != nil || status.KEV != c.kev || status.Records != c.records || got != c.skipped || !status.Balanced() {
			t.Errorf("%s: %+v, %v", c.text, status, err)
		}
	}
	text := `{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2020-10001","dateAdded":"2024-05-01"},` +
		`{"cveID":"CVE-2020-10002","dateAdded":"2023-05-01"}]}`
	if status, _ := take(DefaultLimits, fstest.MapFS{"a.json": {Data: []byte(text)}}); status.Newest.Year() != 2024 {
		t.Errorf("the newest entry is of %v", status.Newest)
	}
}

func TestASourceOfAnyKindOfRecordIsASource(t *testing.T) {
	withdrawn := `{"id":"X-1","withdrawn":"2024-01-01T00:00:00Z"}`
	for name, c := range map[string]struct {
		files string
		want  string
	}{
		"in force":                {`{"id":"X-2"}`, "1 0 0"},
		"behind a mark of UTF-8":  {"\ufeff" + `{"id":"X-2"}`, "1 0 0"},
		"withdrawn":               {withdrawn, "0 1 0"},
		"as many of both":         {withdrawn + `{"id":"X-2"}`, "1 1 0"},
		"withdrawn and exploited": {withdrawn + `{"vulnerabilities":[{"cveID":"CVE-2020-10001"}]}`, "0 1 1"},
	} {
		dir := t.TempDir()
		files := fstest.MapFS{"a.json": {Data: []byte(c.files)}}
		status, err := Import(t.Context(), dir, []Source{{Name: "a", FS: files}, {Name: "b", FS: files}}, nil)
		if err != nil || len(status.Sources) != 2 {
			t.Errorf("%s: %+v, %v", name, status, err)
			continue
		}
		s := status.Sources[0]
		if got := fmt.Sprint(s.Records, s.Withdrawn, s.KEV); got != c.want || !s.Balanced() || status.Withdrawn != 2*s.Withdrawn {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSourcesAreAddedUp(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2024, 1, n, 0, 0, 0, 0, time.UTC) }
	out := summarise([]SourceStatus{
		{Records: 3, Withdrawn: 1, KEV: 1, Bytes: 10, Newest: day(3), ImportedAt: day(5), Ecosystems: map[string]int{"npm": 2}},
		{Records: 4, EPSS: 1, Bytes: 20, Newest: day(2), ImportedAt: day(6), Ecosystems: map[string]int{"npm": 1, "Go": 3}},
		{Name: "c", SkippedCount: 3, Skipped: []Skip{{"a", "x"}, {"b", "y"}}},
	})
	if out.Records != 7 || out.Withdrawn != 1 || out.Bytes != 30 || !out.HasKEV || !out.HasEPSS || out.Newest != day(3) ||
		out.ImportedAt != day(6) || fmt.Sprint(out.Ecosystems) != "map[Go:3 npm:3]" {
		t.Errorf("%+v", out)
	}
	var gaps []string
	for _, g := range out.Gaps {
		gaps = append(gaps, g.What+": "+g.Why)
	}
	if got := strings.Join(gaps, ", "); got != "a: x, b: y, c: 1 more files or records could not be read" {
		t.Errorf("gaps %s", got)
	}
	if none := summarise(nil); none.HasKEV || none.HasEPSS || none.Gaps != nil {
		t.Errorf("%+v", none)
	}
	for _, s := range []SourceStatus{{Read: 1}, {Records: 1}, {Read: 1, Withdrawn: 1, SkippedCount: 1}} {
		if s.Balanced() {
			t.Errorf("%+v is counted out", s)
		}
	}
	if s := (SourceStatus{Read: 9, Records: 1, Withdrawn: 1, KEV: 2, EPSS: 2, SkippedCount: 3}); !s.Balanced() {
		t.Errorf("%+v", s)
	}
}

// torn is an index that cannot be read under keys of one letter.
type torn struct {
	memory
	letter string
}

func (i torn) get(key string) ([][]byte, error) {
	if strings.HasPrefix(key, i.letter) {
		return nil, errTorn
	}
	return i.memory.get(key)
}

func TestWhatCannotBeReadOfADatabaseIsAGap(t *testing.T) {
	files := fstest.MapFS{"a.json": {Data: []byte(`{"id":"GHSA-a","aliases":["CVE-2020-10001"],"affected":[{"package":{"ecosystem":"npm",` +
		`"name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}{"id":"GHSA-b","affected":[{"package":{"ecosystem":"npm",` +
		`"name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)}}
	held, status := memory{}, SourceStatus{}
	in := &intake{ctx: t.Context(), limits: DefaultLimits, put: held.put, status: &status}
	if err := in.tree(files, ".", ""); err != nil {
		t.Fatal(err)
	}
	for letter, matches := range map[string]int{"p": 0, "r": 0, "v": 1, "e": 2, "k": 2, "none": 2} {
		db := &DB{sources: []index{torn{held, letter}}, status: summarise([]SourceStatus{status})}
		found, gaps := db.Examine(Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"})
		if len(found) != matches || (len(gaps) == 0) != (letter == "none") {
			t.Errorf("%s: %d matches, gaps %v", letter, len(found), gaps)
		}
		for _, g := range gaps {
			if g.Why != "the file is damaged" || g.Consequence == "" {
				t.Errorf("%s: %+v", letter, g)
			}
		}
	}
}

func TestASourceIsReadAgainWhenItChanged(t *testing.T) {
	dir, from := t.TempDir(), filepath.Join(t.TempDir(), "a")
	write := func(name, text string) {
		if err := os.MkdirAll(from, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// records imports and says how many records there are then, and what of it was told.
	records := func(sources ...Source) (n int, told string) {
		status, err := Import(t.Context(), dir, sources, func(p Progress) {
			told += fmt.Sprintf(
				"%s %d/%d unchanged %v done %v %d; ",
				filepath.Base(p.Source),
				p.Number,
				p.Of,
				p.Unchanged,
				p.Done,
				p.Status.Records,
			)
		})
		if err != nil {
			t.Fatal(err)
		}
		return status.Records, told
	}
	write("one.json", `{"id":"X-1"}`)
	b := Source{Name: "b", FS: fstest.MapFS{"a.json": {Data: []byte(`{"id":"X-9"}`)}}}
	for _, c := range []struct {
		name, file, text string
		n                int
		told             string
	}{
		{"at first", "", "", 2, "a 1/2 unchanged false done true 1; b 2/2 unchanged false done true 1; "},
		{"again", "", "", 2, "a 1/2 unchanged true done true 1; b 2/2 unchanged true done true 1; "},
		{"with a file more", "two.json", `{"id":"X-2"}`, 3, "a 1/2 unchanged false done true 2; b 2/2 unchanged true done true 1; "},
		{"with a longer file", "two.json", `{"id":"X-2"}{"id":"X-3"}`, 4,
			"a 1/2 unchanged false done true 3; b 2/2 unchanged true done true 1; "},
	} {
		if c.file != "" {
			write(c.file, c.text)
		}
		if n, told := records(Source{Path: from}, b); n != c.n || told != c.told {
			t.Errorf("%s: %d records; %s", c.name, n, told)
		}
	}
	b.FS = fstest.MapFS{"a.json": {Data: []byte(`{"id":"X-8"}`)}}
	if _, told := records(b); told != "b 1/1 unchanged false done true 1; " {
		t.Errorf("an embedded file of the same length: %s", told)
	}
	if err := Forget(dir, "c"); err == nil || !strings.Contains(err.Error(), `no source is named "c"`) {
		t.Errorf("%v", err)
	}
	if err := Forget(dir, from); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil || len(left) != 2 { // of the other source, and what it brought before
		t.Errorf("tables left: %v, %v", left, err)
	}
}
