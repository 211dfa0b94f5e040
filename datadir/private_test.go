package datadir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheFolderAndAllInItIsClosedToOthers(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "data"))
	if mended, err := d.Claim(); err != nil || len(mended) > 0 {
		t.Fatalf("a new folder: %q, %v", mended, err)
	}
	open := map[string]os.FileMode{"": 0o755, "breakwater.db": 0o644, "breakwater.db-wal": 0o660, "clusters": 0o777,
		"clusters/prod.dump": 0o604, "owner": 0o600, "authority": 0o700, "authority/key": 0o400}
	for _, dir := range []string{"clusters", "authority"} {
		if err := os.Mkdir(filepath.Join(string(d), dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range open {
		file := filepath.Join(string(d), name)
		if name != "" && mode&0o111 == 0 {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	mended, err := d.Claim()
	if err != nil || len(mended) != 4 || !strings.Contains(mended[0], "data was open to others (mode 0755)") ||
		mended[3] != "and 2 more files" {
		t.Errorf("%q, %v", mended, err)
	}
	want := map[string]os.FileMode{"": 0o700, "clusters": 0o700, "authority": 0o700, "authority/key": 0o400}
	for name := range open {
		info, err := os.Stat(filepath.Join(string(d), name))
		if err != nil {
			t.Fatal(err)
		}
		mode, said := want[name]
		if !said {
			mode = 0o600
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%q has the mode %04o, want %04o", name, info.Mode().Perm(), mode)
		}
	}
	if mended, err := d.Claim(); err != nil || len(mended) > 0 {
		t.Errorf("once more: %q, %v", mended, err)
	}
}

func TestALinkInTheFolderIsRefusedAndWhatItNamesIsLeftAsItIs(t *testing.T) {
	for _, name := range []string{"breakwater.db", "clusters", "lock"} {
		d, elsewhere := Dir(t.TempDir()), filepath.Join(t.TempDir(), "elsewhere")
		if err := os.WriteFile(elsewhere, []byte("theirs"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(elsewhere, filepath.Join(string(d), name)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Claim(); err == nil || !strings.Contains(err.Error(), name+" is a link") {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(elsewhere); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%v, %v", info, err)
		}
	}
}

func TestALinkOfOnesOwnMayStandForTheFolder(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "data")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Dir(link).Claim(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	asRoot(t)
	if err := os.Lchown(link, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := Dir(link).Claim(); err == nil || !strings.Contains(err.Error(), "is a link that user 12345 made") {
		t.Errorf("a link of another account: %v", err)
	}
}

func TestWhatBelongsToAnotherAccountIsRefused(t *testing.T) {
	asRoot(t)
	for _, name := range []string{"", "breakwater.db", "clusters/prod.dump"} {
		d := Dir(t.TempDir())
		for _, file := range []string{"breakwater.db", "clusters/prod.dump"} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(string(d), file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(string(d), file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chown(filepath.Join(string(d), name), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Claim(); err == nil || !strings.Contains(err.Error(), name+" belongs to user 12345, and this runs as root") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("giving files to another account needs root")
	}
}

func TestOnlyTheFirstOfManyChangesAreTold(t *testing.T) {
	d := Dir(t.TempDir())
	if _, err := d.Claim(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(string(d), name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mended, err := d.Claim()
	if err != nil || len(mended) != 3 || slices.ContainsFunc(mended, func(s string) bool { return strings.Contains(s, "more") }) {
		t.Errorf("%q, %v", mended, err)
	}
}
