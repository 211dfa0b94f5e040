// Package corpus scores Breakwater against other people's test cases with known
// answers. The cases are no part of this repository: BREAKWATER_CORPUS names
// their folder, and every test skips without it.
//
//	BREAKWATER_CORPUS=DIR go test ./test/corpus -run Corpus -v -count=1
//
// Each test prints precision and recall (or accuracy), how many cases it could
// score, and every case it got wrong.
package corpus

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
)

// folder is one family of cases; the test skips if it is not there.
func folder(t *testing.T, family string) string {
	t.Helper()
	root := os.Getenv("BREAKWATER_CORPUS")
	if root == "" {
		t.Skip("BREAKWATER_CORPUS is not set")
	}
	dir, err := filepath.Abs(filepath.Join(root, family))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no %s in the corpus", family)
	}
	return dir
}

// table reads a CSV file as one map per row.
func table(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, column := range rows[0] {
			named[column] = row[i]
		}
		out = append(out, named)
	}
	return out
}

// tally counts answers against a key.
type tally struct{ hit, wrong, missed int }

// count takes one answer, and names it if it is not the key's.
func (c *tally) count(t *testing.T, name string, got, want bool) {
	t.Helper()
	switch {
	case got && want:
		c.hit++
	case got:
		c.wrong++
		t.Logf("fires but should not: %s", name)
	case want:
		c.missed++
		t.Logf("misses: %s", name)
	}
}

func (c tally) precision() float64 { return share(c.hit, c.hit+c.wrong) }
func (c tally) recall() float64    { return share(c.hit, c.hit+c.missed) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
