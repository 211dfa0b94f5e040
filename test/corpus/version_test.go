package corpus

import (
	"bufio"
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

func TestCorpusVersionCompare(t *testing.T) {
	dir := folder(t, "version-compare")
	files, err := filepath.Glob(filepath.Join(dir, "*-versions*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		base, _, _ := strings.Cut(filepath.Base(name), "-")
		t.Run(base, func(t *testing.T) { compareFile(t, name, versionFiles[base]) })
	}
}

func compareFile(t *testing.T, name, ecosystem string) {
	if ecosystem == "" {
		t.Skip("no such ecosystem")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	right, all := 0, 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || strings.HasPrefix(fields[0], "#") || fields[0] == "//" {
			continue
		}
		all++
		got, err := vuln.Compare(ecosystem, fields[0], fields[2])
		if want := map[string]int{"<": -1, "=": 0, ">": 1}[fields[1]]; err == nil && got == want {
			right++
		} else {
			t.Logf("%s: got %d, %v", lines.Text(), got, err)
		}
	}
	t.Logf("%s: %d of %d right, accuracy %.4f", ecosystem, right, all, share(right, all))
	if right != all || all == 0 {
		t.Errorf("%d comparisons are wrong", all-right)
	}
}
