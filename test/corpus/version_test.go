package corpus

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/vuln"
)

// versionFiles maps the corpus's file names to OSV's ecosystems.
var versionFiles = map[string]string{
	"alpine": "Alpine", "debian": "Debian", "ubuntu": "Ubuntu", "maven": "Maven", "pypi": "PyPI", "semver": "npm", "npm": "npm",
	"go": "Go", "cran": "CRAN", "crates": "crates.io", "hackage": "Hackage", "nuget": "NuGet", "packagist": "Packagist", "pub": "Pub",
	"redhat": "Red Hat", "rubygems": "RubyGems",
}

// TestCorpusVersionCompare puts versions in order as other people's tables do; a wrong order is a row missed.
func TestCorpusVersionCompare(t *testing.T) {
	files, err := filepath.Glob(inside(folder(t, "version-compare"), "*-versions*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	key := map[string][][]string{}
	rows := 0
	for _, name := range files {
		key[name] = comparisons(t, name)
		rows += len(key[name])
	}
	s := scoring(t, "version-compare", rows)
	for _, name := range files {
		base, _, _ := strings.Cut(filepath.Base(name), "-")
		for _, fields := range key[name] {
			text := base + ": " + strings.Join(fields, " ")
			want, known := map[string]int{"<": -1, "=": 0, ">": 1}[fields[1]]
			switch {
			case !known || len(fields) != 3:
				s.leave(text, "not two versions and what is between them")
			case versionFiles[base] == "":
				s.leave(text, "no ecosystem of ours compares these")
			default:
				got, err := vuln.Compare(versionFiles[base], fields[0], fields[2])
				s.row(fmt.Sprintf("%s: got %d, %v", text, got, err), err == nil && got == want, true)
			}
		}
	}
	s.end()
}

// comparisons are the lines of a file that are no comment.
func comparisons(t *testing.T, name string) (out [][]string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 1 && !strings.HasPrefix(fields[0], "#") && fields[0] != "//" {
			out = append(out, fields)
		}
	}
	return out
}
