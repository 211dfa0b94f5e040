package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAnAlpineRootIsWhatItsDatabaseSays reads a real database (see testdata/alpine)
// with a reading of its own: P: and V: lines, one pair for each package.
func TestAnAlpineRootIsWhatItsDatabaseSays(t *testing.T) {
	database, err := os.ReadFile("testdata/alpine/installed")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for name, content := range map[string]string{"lib/apk/db/installed": string(database),
		"etc/os-release": "ID=alpine\nVERSION_ID=3.18.3\n"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var want, got []string
	name := ""
	for line := range strings.Lines(string(database)) {
		line = strings.TrimSpace(line)
		if p, ok := strings.CutPrefix(line, "P:"); ok {
			name = p
		}
		if v, ok := strings.CutPrefix(line, "V:"); ok {
			want = append(want, name+" "+v)
		}
	}
	inv, err := scanOf(t.Context(), "rootfs:"+root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, p := range inv.Packages {
		got = append(got, p.Name+" "+p.Version)
		files += len(p.Files)
		if p.Ecosystem != "Alpine:v3.18" {
			t.Errorf("%s is of %q", p.Name, p.Ecosystem)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%v, want %v", got, want)
	}
	if listed := strings.Count(string(database), "\nR:"); files != listed {
		t.Errorf("%d files, the database lists %d", files, listed)
	}
}
