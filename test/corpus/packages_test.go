package corpus

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/image"
)

// installed lists a database's packages by a reading of its own: paragraphs with
// a name and a version that dpkg calls installed (apk lists no others).
func installed(text string) []string {
	var out []string
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n\n") {
		fields := map[string]string{}
		for line := range strings.SplitSeq(paragraph, "\n") {
			if key, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") {
				fields[key] = strings.TrimSpace(value)
			}
		}
		name, version := fields["P"]+fields["Package"], fields["V"]+fields["Version"]
		// By dpkg(1), only these two states mean that none of the package's files is on disk; distroless images tell none.
		state := fields["Status"][strings.LastIndex(fields["Status"], " ")+1:]
		there := fields["P"] != "" || state != "not-installed" && state != "config-files"
		if name != "" && version != "" && there {
			out = append(out, name+" "+version)
		}
	}
	slices.Sort(out)
	return out
}

func TestCorpusPackageDatabases(t *testing.T) {
	dir := folder(t, "os-package-databases")
	tests := []struct{ files, place, release string }{
		{"apk/testdata/*", "lib/apk/db/installed", "ID=alpine\nVERSION_ID=3.18.4\n"},
		{"dpkg/testdata/dpkg/*", "var/lib/dpkg/status", "ID=debian\nVERSION_ID=12\n"},
		{"dpkg/testdata/opkg/*", "usr/lib/opkg/status", "ID=openwrt\nVERSION_ID=23.05\n"},
	}
	var found []*database
	rows := 0
	for _, test := range tests {
		files, err := filepath.Glob(filepath.Join(dir, test.files))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			t.Run(strings.TrimPrefix(file, dir+"/"), func(t *testing.T) {
				found = append(found, scan(t, file, test.place, test.release))
				rows += len(found[len(found)-1].want)
			})
		}
	}
	s := scoring(t, "os-package-databases", rows)
	for _, d := range found {
		for _, each := range d.want {
			s.row(d.name+": "+each, slices.Contains(d.got, each), true)
		}
		for _, each := range d.got {
			if !slices.Contains(d.want, each) {
				s.beyond(d.name + ": " + each)
			}
		}
	}
	s.end()
}

// database is what is in one, by our reading and by the other.
type database struct {
	name      string
	got, want []string
}

// scan puts a database where its distribution has it and reads the root file system.
func scan(t *testing.T, file, place, release string) *database {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for name, text := range map[string]string{place: string(data), "etc/os-release": release} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := installed(string(data))
	local, _, err := image.ParseLocal("rootfs:" + root)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := image.ScanLocal(t.Context(), local, image.Options{})
	if err != nil {
		t.Fatalf("want an inventory with gaps, got the error %v", err)
	}
	var got []string
	for _, p := range inv.Packages {
		got = append(got, p.Name+" "+p.Version)
	}
	slices.Sort(got)
	if len(got) == 0 && len(inv.Gaps) == 0 && inv.Understood && len(data) > 0 {
		t.Errorf("nothing was read of %d bytes, and nothing is said about it", len(data))
	}
	return &database{filepath.Base(file), got, want}
}
