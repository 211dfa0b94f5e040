package vuln

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ecosystemOfTable has the ecosystems of the tables in testdata/versions: test/versions wrote down there what their own tools say.
var ecosystemOfTable = map[string]string{"alpine": "Alpine", "crates": "crates.io", "debian": "Debian", "go": "Go", "maven": "Maven", "npm": "npm",
	"packagist": "Packagist",
	"pypi":      "PyPI", "rpm": "Red Hat", "rubygems": "RubyGems"}

func TestVersionsCompareAsTheirOwnToolsSay(t *testing.T) {
	tables, err := filepath.Glob("testdata/versions/*.txt")
	if err != nil || len(tables) != len(ecosystemOfTable) {
		t.Fatalf("%d tables, want %d: %v", len(tables), len(ecosystemOfTable), err)
	}
	for _, table := range tables {
		name := strings.TrimSuffix(filepath.Base(table), ".txt")
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(table)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			pairs := 0
			for lines := bufio.NewScanner(f); lines.Scan(); {
				a, sign, b := "", "", ""
				if fields := strings.Fields(lines.Text()); len(fields) != 3 || strings.HasPrefix(fields[0], "#") {
					continue
				} else {
					a, sign, b = fields[0], fields[1], fields[2]
				}
				pairs++
				want := map[string]int{"<": -1, "=": 0, ">": 1}[sign]
				there, err := Compare(ecosystemOfTable[name], a, b)
				back, backErr := Compare(ecosystemOfTable[name], b, a)
				if there != want || back != -want || err != nil || backErr != nil {
					t.Errorf("%s %s %s: got %d (%v), the other way %d (%v)", a, sign, b, there, err, back, backErr)
				}
			}
			if pairs == 0 {
				t.Error("the table is empty")
			}
		})
	}
}
