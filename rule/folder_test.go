package rule

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAFolderOfRulesIsFoundFromItselfAndFromItsParts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"mine/attack", "mine/detect/audit", "mine/queries", "paths", "other/things"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ folder, root, part string }{
		{"mine", "mine", "."},
		{"mine/attack", "mine", "attack"},
		{"mine/attack/", "mine", "attack"},
		{"mine/detect", "mine", "detect"},
		{"mine/detect/audit", "mine", "detect/audit"},
		{"mine/queries", "mine", "queries"},
		{"other/things", "", "holds no rules: want one of the folders attack, paths, detect, queries in it"},
		{"nowhere", "", "no such file"},
	}
	for _, test := range tests {
		root, part, err := Find(filepath.Join(dir, test.folder))
		if test.root == "" {
			if err == nil || !strings.Contains(err.Error(), test.part) {
				t.Errorf("%s: %v, want %q", test.folder, err, test.part)
			}
			continue
		}
		if err != nil || root != filepath.Join(dir, test.root) || part != test.part {
			t.Errorf("%s: part %s of %s, %v; want %s of %s", test.folder, part, root, err, test.part, test.root)
		}
	}
	t.Chdir(filepath.Join(dir, "mine", "attack"))
	if root, part, err := Find("."); err != nil || filepath.Base(root) != "mine" || part != "attack" {
		t.Errorf("from inside: part %s of %s, %v", part, root, err)
	}
}

func TestAFolderOverAnotherStandsInForItsFiles(t *testing.T) {
	upper := fstest.MapFS{"attack/a.yaml": {Data: []byte("upper")}, "queries/q.yaml": {}}
	lower := fstest.MapFS{"attack/a.yaml": {Data: []byte("lower")}, "attack/b.yaml": {Data: []byte("lower")}, "paths/p.yaml": {}}
	both := Over(upper, lower)
	for name, want := range map[string]string{"attack/a.yaml": "upper", "attack/b.yaml": "lower"} {
		if got, err := fs.ReadFile(both, name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	for dir, want := range map[string]string{"attack": "a.yaml b.yaml", "paths": "p.yaml", "queries": "q.yaml"} {
		entries, err := fs.ReadDir(both, dir)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s holds %v, %v; want %s", dir, got, err, want)
		}
	}
	if _, err := fs.ReadDir(both, "detect"); !os.IsNotExist(err) {
		t.Errorf("a folder that neither has: %v", err)
	}
}

func TestNothingTestedIsNotWell(t *testing.T) {
	if Report(&strings.Builder{}, nil) {
		t.Error("no tests, and all is said to be well")
	}
}
