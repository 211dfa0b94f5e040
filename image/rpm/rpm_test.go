package rpm

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spec makes two packages of one source; the second has an epoch, files and a long list of them.
const spec = `Name: shop
Epoch: 2
Version: 1.4
Release: 3.el9
Summary: a shop
License: MIT
BuildArch: noarch
%%description
a shop
%%package tools
Summary: its tools
%%description tools
tools
%%install
mkdir -p %%{buildroot}/usr/bin %%{buildroot}/usr/share/shop
for i in $(seq 1 %d); do echo $i >%%{buildroot}/usr/share/shop/a-file-with-a-longer-name-$i; done
echo '#!/bin/sh' >%%{buildroot}/usr/bin/shop
%%files
/usr/share/shop
%%files tools
/usr/bin/shop
`

// installed is a root with a database of a backend, made by rpm.
func installed(t *testing.T, backend string, files int) (root, database string) {
	t.Helper()
	for _, tool := range []string{"rpm", "rpmbuild"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed (Debian's package rpm)")
		}
	}
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "shop.spec"), fmt.Appendf(nil, spec, files), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "rpmbuild", "-bb", "--quiet", "--define", "_topdir "+work, filepath.Join(work, "shop.spec"))
	made, err := filepath.Glob(filepath.Join(work, "RPMS", "noarch", "*.rpm"))
	if err != nil || len(made) != 2 {
		t.Fatalf("%v, %v", made, err)
	}
	root = filepath.Join(work, "root", "var", "lib", "rpm")
	run(t, "rpm", append([]string{"--define", "_db_backend " + backend, "--dbpath", root, "-i", "--justdb", "--nodeps", "--ignoreos",
		"--ignorearch"}, made...)...)
	return root, map[string]string{"sqlite": "rpmdb.sqlite", "ndb": "Packages.db"}[backend]
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return string(out)
}

func read(t *testing.T, file string) []Package {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found, faults, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(faults) > 0 {
		t.Fatalf("%v, %v", err, faults)
	}
	return found
}

func told(p Package) string {
	source, evr := p.SourceEVR()
	return fmt.Sprintf("%s %s %s of %s %s: %d files, last %s", p.Name, p.EVR(), p.Arch, source, evr, len(p.Files), p.Paths()[len(p.Files)-1])
}

func TestWhatRpmInstalledIsListed(t *testing.T) {
	for _, backend := range []string{"sqlite", "ndb"} {
		t.Run(backend, func(t *testing.T) {
			if backend == "ndb" && !writesNDB(t) {
				t.Skip("rpm was built without ndb here")
			}
			root, database := installed(t, backend, 3000)
			var got []string
			for _, p := range read(t, filepath.Join(root, database)) {
				got = append(got, told(p))
			}
			slices.Sort(got)
			const want = "shop 2:1.4-3.el9 noarch of shop 2:1.4-3.el9: 3001 files, last /usr/share/shop/a-file-with-a-longer-name-999\n" +
				"shop-tools 2:1.4-3.el9 noarch of shop 2:1.4-3.el9: 1 files, last /usr/bin/shop"
			if strings.Join(got, "\n") != want {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), want)
			}
			listed := run(t, "rpm", "--define", "_db_backend "+backend, "--dbpath", root, "-qa", "--qf", "%{NAME} %{EPOCH}:%{VERSION}-%{RELEASE}\n")
			for _, p := range read(t, filepath.Join(root, database)) {
				if !strings.Contains(listed, p.Name+" "+p.EVR()+"\n") || strings.Count(listed, "\n") != len(got) {
					t.Errorf("rpm -qa lists %q, not %s %s", listed, p.Name, p.EVR())
				}
			}
		})
	}
}

// writesNDB: Debian builds rpm without.
func writesNDB(t *testing.T) bool {
	if _, err := exec.LookPath("rpm"); err != nil {
		return true // installed says that it is missing
	}
	out, _ := exec.CommandContext(t.Context(), "rpm", "--define", "_db_backend ndb", "--dbpath", t.TempDir(), "--initdb").CombinedOutput()
	return !strings.Contains(string(out), "invalid %_db_backend")
}

// ndbOf writes a database of ndb, as rpm's ndb/rpmpkg.c lays it out: one page of slots, then the headers.
func ndbOf(headers ...[]byte) []byte {
	out := make([]byte, ndbPage)
	copy(out, ndbMagic)
	binary.LittleEndian.PutUint32(out[ndbSlotsPages:], 1)
	for at := ndbHead; at < ndbPage; at += ndbSlot {
		copy(out[at:], ndbSlotMagic)
	}
	for i, h := range headers {
		slot := out[ndbHead+(i+1)*ndbSlot:] // the first is free
		number, length := uint32(i+1), ndbBlobHead+len(h)+12
		blocks := (length + ndbBlock - 1) / ndbBlock
		binary.LittleEndian.PutUint32(slot[4:], number)
		binary.LittleEndian.PutUint32(slot[8:], uint32(len(out)/ndbBlock))
		binary.LittleEndian.PutUint32(slot[12:], uint32(blocks))
		blob := make([]byte, blocks*ndbBlock)
		copy(blob, ndbBlobMagic)
		binary.LittleEndian.PutUint32(blob[4:], number)
		binary.LittleEndian.PutUint32(blob[12:], uint32(len(h)))
		copy(blob[ndbBlobHead:], h)
		out = append(out, blob...)
	}
	return out
}

// TestADatabaseOfBerkeleyDBIsListed: rpm writes them no more, so the headers that rpm made are
// loaded into one by Berkeley DB's own tool, and rpm reads it too.
func TestADatabaseOfBerkeleyDBIsListed(t *testing.T) {
	if _, err := exec.LookPath("db5.3_load"); err != nil {
		t.Skip("db5.3_load is not installed (Debian's package db5.3-util)")
	}
	root, database := installed(t, "sqlite", 500)
	for _, order := range []string{"1234", "4321"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "Packages")
		var text strings.Builder
		fmt.Fprintf(&text, "VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder=%s\ndb_pagesize=4096\nHEADER=END\n 00000000\n 02000000\n", order)
		for i, header := range headers(t, filepath.Join(root, database)) {
			fmt.Fprintf(&text, " %02x000000\n %x\n", i+1, header)
		}
		text.WriteString("DATA=END\n")
		load := exec.CommandContext(t.Context(), "db5.3_load", file)
		load.Stdin = strings.NewReader(text.String())
		if out, err := load.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var got []string
		for _, p := range read(t, file) {
			got = append(got, fmt.Sprintf("%s %s %d", p.Name, p.EVR(), len(p.Files)))
		}
		slices.Sort(got)
		if want := "[shop 2:1.4-3.el9 501 shop-tools 2:1.4-3.el9 1]"; fmt.Sprint(got) != want {
			t.Errorf("order %s: got %s, want %s", order, got, want)
		}
		if order != "1234" {
			continue // rpm's own reader takes the order of its machine alone
		}
		listed := run(t, "rpm", "--define", "_db_backend bdb_ro", "--dbpath", dir, "-qa", "--qf", "%{NAME}\n")
		if strings.Count(listed, "\n") != len(got) {
			t.Errorf("rpm lists %q", listed)
		}
	}
}

// headers are the packages' headers of a database.
func headers(t *testing.T, file string) (out [][]byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := &metered{r: bytes.NewReader(data), size: int64(len(data)), left: 1 << 40}
	err = readSQLite(m, func(header []byte) error {
		out = append(out, header)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// headerFor writes a header: tags in order, each of texts or of numbers.
func headerFor(tags ...any) []byte {
	var index, values []byte
	for i := 0; i < len(tags); i += 2 {
		kind, count, at := uint32(typeString), 1, len(values)
		switch v := tags[i+1].(type) {
		case string:
			values = append(append(values, v...), 0)
		case []string:
			kind, count = typeStrings, len(v)
			values = append(append(values, strings.Join(v, "\x00")...), 0)
		case []int:
			for len(values)%4 != 0 {
				values = append(values, 0)
			}
			kind, count, at = typeInt32, len(v), len(values)
			for _, n := range v {
				values = binary.BigEndian.AppendUint32(values, uint32(n))
			}
		}
		for _, n := range []uint32{uint32(tags[i].(int)), kind, uint32(at), uint32(count)} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(tags)/2))
	return append(append(binary.BigEndian.AppendUint32(out, uint32(len(values))), index...), values...)
}

func TestAHeaderIsReadOrSaysWhatIsWrong(t *testing.T) {
	named := []any{tagName, "a", tagVersion, "1", tagRelease, "2"}
	tests := []struct {
		name   string
		header []byte
		want   string
	}{
		{"the least", headerFor(named...), "a 1-2 []"},
		{"with files", headerFor(append(slices.Clone(named), tagBaseNames, []string{"x", "y"}, tagDirNames, []string{"/b/", "/c/"}, tagDirIndexes,
			[]int{1, 0})...), "a 1-2 [/c/x /b/y]"},
		{"files as they were named of old", headerFor(append(slices.Clone(named), tagOldFiles, []string{"/b/x"})...), "a 1-2 [/b/x]"},
		{"no version", headerFor(tagName, "a", tagRelease, "2"), `package "a": want a name, a version and a release, have "" "2"`},
		{"a file in no folder", headerFor(append(slices.Clone(named), tagBaseNames, []string{"x"}, tagDirNames, []string{"/b/"}, tagDirIndexes,
			[]int{1})...), `package "a": file "x": want one of 1 folders, have the number 1`},
		{"more files than folders", headerFor(append(slices.Clone(named), tagBaseNames, []string{"x"})...),
			`package "a": want a folder for each of 1 files, have 0`},
		{"too short", []byte{0, 0, 0}, "want a header, have less than its first 8 bytes"},
		{"more than there is", []byte{0, 0, 0, 1, 0, 0, 0, 9}, "want a header of 1 tags and 9 bytes of values, have 8 bytes"},
		{"a name that is a number", headerFor(tagName, []int{1}), `package "": tag 1000: want text, have type 4`},
	}
	for _, test := range tests {
		p, err := parse(test.header)
		got := fmt.Sprintf("%s %s %v", p.Name, p.EVR(), p.Paths())
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// sample is a small database of a backend, of what rpm made.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	if name == "Packages.db" {
		var all [][]byte
		data := sample(t, "rpmdb.sqlite")
		err := readSQLite(&metered{r: bytes.NewReader(data), size: int64(len(data)), left: 1 << 40}, func(header []byte) error {
			all = append(all, header)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return ndbOf(all...)
	}
	f, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var samples = []string{"rpmdb.sqlite", "Packages.db", "Packages"}

func TestPartsThatManyPointToEndAtABound(t *testing.T) {
	data := sample(t, "rpmdb.sqlite")
	m := &metered{r: bytes.NewReader(data), size: int64(len(data)), left: int64(len(data)) / 2}
	err := error(nil)
	for range 3 {
		err = errors.Join(err, readSQLite(m, func([]byte) error { return nil }))
	}
	if !errors.Is(err, errBound) {
		t.Errorf("got %v, want that it is past its bounds", err)
	}
}

// TestADamagedDatabaseEndsWithAnAnswer changes each byte of small databases, and cuts them.
func TestADamagedDatabaseEndsWithAnAnswer(t *testing.T) {
	for _, name := range samples {
		whole := sample(t, name)
		complete, _, err := Read(bytes.NewReader(whole), int64(len(whole)))
		if err != nil || len(complete) != 2 {
			t.Fatalf("%s: %d packages, %v", name, len(complete), err)
		}
		for i := 0; i < len(whole); i += 1009 {
			damaged := slices.Clone(whole)
			damaged[i] ^= 0xff
			_, _, _ = Read(bytes.NewReader(damaged), int64(len(damaged)))
			found, faults, err := Read(bytes.NewReader(whole[:i]), int64(i))
			if err == nil && len(faults) == 0 && len(found) < len(complete) {
				t.Fatalf("%s cut at %d of %d: %d packages, and nothing is said of the others", name, i, len(whole), len(found))
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range samples {
		f.Add(sample(f, name))
	}
	f.Add(headerFor(tagName, "a", tagVersion, "1", tagRelease, "2"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, _, _ := Read(bytes.NewReader(data), int64(len(data)))
		for _, p := range found {
			if p.Name == "" || p.Version == "" || len(p.Paths()) > len(p.Files) {
				t.Fatalf("%+v", p)
			}
			p.SourceEVR()
		}
		_, _ = parse(data)
	})
}
