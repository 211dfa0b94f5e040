package vuln

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// take reads files with small bounds.
func take(limits Limits, files fstest.MapFS) (SourceStatus, error) {
	status := SourceStatus{}
	in := &intake{ctx: context.Background(), limits: limits, put: memory{}.put, status: &status}
	return status, in.tree(files, ".", "")
}

func TestSourcesAreBounded(t *testing.T) {
	record := `{"id":"X-1","details":"` + strings.Repeat("a", 5000) + `"}`
	bomb := zipped(t, map[string]string{"a.json": `{"id":"X-1","details":"` + strings.Repeat("a", 10<<20) + `"}`})
	small := Limits{Document: 1000, Total: 1 << 20, Files: 3, Archive: 1 << 20}
	tests := []struct {
		name  string
		files fstest.MapFS
		want  string // in the error, or else in the first skip
	}{
		{"a large record", fstest.MapFS{"a.json": {Data: []byte(record)}}, "at most 1000 bytes"},
		{"a large record in YAML", fstest.MapFS{"a.yaml": {Data: []byte(record)}}, "at most 1000 bytes"},
		{"a zip that unpacks to much more", fstest.MapFS{"a.zip": {Data: bomb}}, "at most 1000 bytes"},
		{"many files", fstest.MapFS{"a.json": {}, "b.json": {}, "c.json": {}, "d.json": {}}, "at most 3 files"},
		{"deep nesting", fstest.MapFS{"a.json": {Data: []byte(`{"id":"X","a":` + strings.Repeat("[", 400) + `}`)}}, "want JSON"},
		{"many references to one YAML anchor",
			fstest.MapFS{"a.yaml": {Data: []byte("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c " +
				"[*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: " +
				"[*e,*e,*e,*e,*e,*e,*e,*e,*e]\n")}}, "want"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, err := take(small, test.files)
			got := fmt.Sprint(err)
			if err == nil && len(status.Skipped) > 0 {
				got = status.Skipped[0].Why
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	empties := zipped(t, map[string]string{"a.json": "[" + strings.Repeat(`{"id":""},`, 400_000) + "{}]"})
	_, err := take(Limits{Document: 1000, Total: 1 << 30, Files: 3, Archive: 1 << 20, Ratio: 50, Slack: 1000},
		fstest.MapFS{"a.zip": {Data: empties}})
	if err == nil || !strings.Contains(err.Error(), "at most 50 times its size") {
		t.Errorf("a zip of countless records is not bounded: %v", err)
	}
	many := fstest.MapFS{}
	for i := range 40 {
		many[fmt.Sprintf("%d.json", i)] = &fstest.MapFile{Data: []byte(record)}
	}
	if _, err := take(Limits{Document: 1 << 20, Total: 100_000, Files: 100, Archive: 1 << 20}, many); err == nil ||
		!strings.Contains(err.Error(), "100000 bytes in a source") {
		t.Errorf("the total is not bounded: %v", err)
	}
}

func zipped(t testing.TB, members map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range members {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(f, text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestADamagedTableIsAGapNotSilence(t *testing.T) {
	dir := t.TempDir()
	files := fstest.MapFS{}
	for i := range 2000 {
		files[fmt.Sprintf("%d.json", i)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			`{"id":"GO-%d","details":"%d","affected":[{"package":{"ecosystem":"Go","name":"p%d"},"ranges":[{"type":"SEMVER",`+
				`"events":[{"introduced":"0"}]}]}]}`, i, i*i, i)}
	}
	if _, err := Import(t.Context(), dir, []Source{{Name: "go", FS: files}}, nil); err != nil {
		t.Fatal(err)
	}
	name := onlyTable(t, dir)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for at := len(tableMagic); at < len(data)/2; at += 512 {
		data[at] ^= 0xFF
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err) // the index is whole
	}
	defer db.Close()
	_, gaps := db.Examine(Package{Ecosystem: "Go", Name: "p1", Version: "1.0.0"})
	if len(gaps) == 0 || !strings.Contains(gaps[0].Why, "damaged") {
		t.Errorf("gaps %v", gaps)
	}
	if err := os.WriteFile(name, data[:len(data)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a torn table opens: %v", err)
	}
}

func onlyTable(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil || len(found) != 1 {
		t.Fatalf("tables %v, %v", found, err)
	}
	return found[0]
}

// TestKilledImportsLoseNothing imports in child processes that are killed where an
// import may be: what opens is always one whole state or the next.
func TestKilledImportsLoseNothing(t *testing.T) {
	if dir := os.Getenv("BREAKWATER_IMPORT_DIR"); dir != "" {
		importForever(t, dir)
	}
	dir := t.TempDir()
	for n, step := range []int{1, 60, 100, 150, 199, 200, 201, 201, 202, 202, 400, 500, 501, 502, 601, 602, 603} {
		killAfter(t, dir, step, n%2 == 0)
		db, err := Open(dir)
		if err != nil {
			t.Fatalf("killed at step %d: %v", step, err)
		}
		if n := db.Status().Records; n%100 != 0 || n == 0 && step > 202 {
			t.Errorf("killed at step %d: %d records, want a whole state", step, n)
		}
		if n := len(db.Match(Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"})); n != db.Status().Records {
			t.Errorf("killed at step %d: %d matches of %d records", step, n, db.Status().Records)
		}
		db.Close()
	}
	if _, err := Import(t.Context(), dir, []Source{{Name: "x", FS: generation(1)}}, nil); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 4 { // the manifest, the lock, the table in force and the one before
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func generation(n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i := range 100 * (1 + n%3) {
		files[fmt.Sprintf("%d.json", i)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			`{"id":"GO-%d","details":"%d","affected":[{"package":{"ecosystem":"Go","name":"x"},"ranges":[{"type":"SEMVER",`+
				`"events":[{"introduced":"0"}]}]}]}`, i, n)}
	}
	return files
}

// killAfter imports in another process and kills it at a step: when it looks at a
// file, reads a file, or has a source in force. Half of the processes stand still
// at their step, the others go on until the signal arrives.
func killAfter(t *testing.T, dir string, step int, still bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledImportsLoseNothing$")
	child.Env = append(os.Environ(), "BREAKWATER_IMPORT_DIR="+dir)
	if still {
		child.Env = append(child.Env, fmt.Sprintf("BREAKWATER_IMPORT_STILL=%d", step))
	}
	told, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(told)
	for range step {
		if !lines.Scan() {
			t.Fatal("the import ended by itself")
		}
	}
	_ = child.Process.Kill()
	_ = child.Wait()
}

func importForever(t *testing.T, dir string) {
	still, taken := os.Getenv("BREAKWATER_IMPORT_STILL"), 0
	step := func() {
		taken++
		fmt.Println("step", taken)
		if still == fmt.Sprint(taken) {
			time.Sleep(time.Hour) // until killed
		}
	}
	for n := 0; ; n++ {
		if _, err := Import(t.Context(), dir, []Source{{Name: "x", FS: telling{generation(n), step}}}, func(Progress) { step() }); err != nil {
			t.Fatal(err)
		}
	}
}

// telling takes a step each time that somebody asks for a file.
type telling struct {
	fstest.MapFS
	step func()
}

func (f telling) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".json") {
		f.step()
	}
	return f.MapFS.Open(name)
}

func (f telling) ReadFile(name string) ([]byte, error) {
	f.step()
	return f.MapFS.ReadFile(name)
}

func TestTwoImportsDoNotMix(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := Import(t.Context(), dir, []Source{{Name: "x", FS: generation(1)}}, nil); err == nil ||
		!strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v", err)
	}
}

func TestManySpilledRunsMergeInOrder(t *testing.T) {
	s := &sorter{dir: t.TempDir(), budget: 2000}
	for i := range 1500 { // the last 500 are told again
		if err := s.add(fmt.Sprintf("k%03d", i*7%500), fmt.Appendf(nil, "%d", i/500%2)); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.runs) < 5 {
		t.Fatalf("%d runs, want several", len(s.runs))
	}
	last, n := "", 0
	err := s.merge(func(key string, value []byte) error {
		if at := key + "=" + string(value); at <= last {
			t.Errorf("%s after %s", at, last)
		} else {
			last = at
		}
		n++
		return nil
	})
	if err != nil || n != 1000 {
		t.Errorf("%d pairs, want 1000 different ones; %v", n, err)
	}
}

// FuzzAdvisory feeds the reader anything, and matches against what it accepted.
func FuzzAdvisory(f *testing.F) {
	for _, seed := range []string{
		`{"id":"USN-1","upstream":["CVE-2022-3602"],"affected":[{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"openssl"},` +
			`"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.2-0ubuntu1.7"}]}],"versions":["1.0"]}],` +
			`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}`,
		`[{"id":"GO-1","affected":[{"package":{"ecosystem":"Go","name":"x"},"ranges":[{"type":"SEMVER","events":[{"last_affected":"1"},` +
			`{"introduced":"0.1"}]}]}]}]`,
		`{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2020-00001","dateAdded":"2020-01-01"}]}`,
		`{"vulns":[{"id":"x","database_specific":{"severity":7,"cwes":[{"cweId":"CWE-1"},4]}}]}`,
		`{"id":"A","affected":[{"package":{"ecosystem":"PyPI","name":"x"},"versions":["1.0.0.post1+local"]},` +
			`{"package":{"ecosystem":"Maven","name":"a:b"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1-alpha"},{"limit":"*"}]}]}]}`,
		`{"id":"A"`, `[]`, ``, `null`, "id: x\naffected: [{package: {ecosystem: Alpine:v3.18, name: x}}]",
	} {
		f.Add([]byte(seed), "3.0.2-0ubuntu1.6")
	}
	f.Fuzz(func(t *testing.T, data []byte, version string) {
		if len(version) > 200 {
			return
		}
		held := memory{}
		status := SourceStatus{}
		in := &intake{ctx: t.Context(), limits: Limits{Document: 1 << 20, Total: 8 << 20, Files: 10, Archive: 1 << 20}, put: held.put,
			status: &status}
		if err := in.tree(fstest.MapFS{"a.json": {Data: data}, "b.yaml": {Data: data}, "c.csv": {Data: data}}, ".", ""); err != nil {
			t.Fatalf("a bad record stopped the source: %v", err)
		}
		if !status.Balanced() {
			t.Fatalf("not everything that was read is counted: %+v", status)
		}
		db := &DB{sources: []index{held}, status: summarise([]SourceStatus{status})}
		for key := range held {
			name, found := strings.CutPrefix(key, "p")
			if !found {
				continue
			}
			ecosystem, pkg, _ := strings.Cut(name, "\x00")
			for _, suffix := range []string{"", ":22.04:LTS", ":v3.18"} {
				for _, m := range db.Match(Package{Ecosystem: ecosystem + suffix, Name: pkg, Version: version}) {
					if _, err := json.Marshal(m); err != nil || m.ID == "" || m.SeveritySource == "" || m.RCEWhy == "" {
						t.Fatalf("match %+v, %v", m, err)
					}
				}
			}
		}
	})
}

// FuzzTable reads damaged tables: an error, never a panic.
func FuzzTable(f *testing.F) {
	var out bytes.Buffer
	w, err := newTableWriter(&out)
	if err != nil {
		f.Fatal(err)
	}
	for i := range 50 {
		if err := w.add(fmt.Sprintf("k%02d", i), bytes.Repeat([]byte{byte(i)}, 1000)); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := w.finish(); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes(), 3, byte(7))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		data = bytes.Clone(data)
		if at >= 0 && at < len(data) {
			data[at] ^= flip
		}
		table, err := readTable(bytes.NewReader(data), int64(len(data)), "x")
		if err != nil {
			return
		}
		for _, key := range []string{"", "k00", "k25", "zz"} {
			_, _ = table.get(key)
		}
	})
}

// FuzzArchive: whatever an archive of advisories is, it is read or said not to be, within bounds.
func FuzzArchive(f *testing.F) {
	record := map[string]string{"a.json": `{"id":"A"}`, "b/c.yaml": "id: B", "d.csv": "x"}
	f.Add(zipped(f, record))
	f.Add(tarred(tar.Header{Name: "a.json", Typeflag: tar.TypeReg}, tar.Header{Name: "b", Typeflag: tar.TypeSymlink}).Data)
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"a.zip", "a.tar.gz", "a.json.gz"} {
			held := memory{}
			status := SourceStatus{}
			in := &intake{ctx: t.Context(), limits: Limits{Document: 1 << 16, Total: 1 << 20, Files: 10, Archive: 1 << 20, Ratio: 50, Slack: 1000},
				put: held.put, status: &status}
			if err := in.tree(fstest.MapFS{name: {Data: data}}, ".", ""); err == nil && !status.Balanced() {
				t.Errorf("not everything that was read of %s is counted: %+v", name, status)
			}
			if in.read > in.limits.Total+1<<17 {
				t.Errorf("%d bytes of %s were read", in.read, name)
			}
		}
	})
}
