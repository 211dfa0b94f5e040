package corpus

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpusOSRelease scans root file systems that hold nothing but what says which distribution they are: the
// distribution's name has the folder's in it.
func TestCorpusOSRelease(t *testing.T) {
	dir := folder(t, "os-release")
	key := table(t, inside(dir, "cases.csv"))
	s := scoring(t, "os-release", len(key))
	for _, row := range key {
		if s.excepted(row["case_id"]) {
			continue
		}
		root := filepath.Join(dir, strings.Split(row["file"], "/")[0])
		var scanned struct{ Image struct{ Distribution string } }
		if err := json.Unmarshal(breakwater(t, "scan", "image", "--data", t.TempDir(), "-o", "json", "rootfs:"+root), &scanned); err != nil {
			t.Fatal(err)
		}
		got := scanned.Image.Distribution
		s.row(row["case_id"]+": "+got, strings.Contains(plain(got), plain(row["case_id"])), true)
	}
	s.end()
}

// plain is a distribution's name without what people leave out of it.
func plain(name string) string {
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	return strings.ReplaceAll(letters, "linux", "")
}
