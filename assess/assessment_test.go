package assess

import (
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// said is what advisories say of every package.
type said struct {
	found   []vuln.Match
	gaps    []collect.Gap
	doubted bool
}

func (s said) Examine(vuln.Package) ([]vuln.Match, []collect.Gap) { return s.found, s.gaps }
func (s said) Doubt(vuln.Package) (collect.Gap, bool) {
	return collect.Gap{Source: "advisories", What: "advisories for Debian:12", Why: "few"}, s.doubted
}

func TestWhatAnAssessmentCovers(t *testing.T) {
	packages := []image.Package{{PURL: "pkg:a", Name: "a", Ecosystem: "Debian:12"}, {PURL: "pkg:b", Name: "b", Ecosystem: "Debian:12"}}
	unread := []collect.Gap{{Source: "image", What: "npm packages"}}
	uncovered := []collect.Gap{{Source: "advisories", What: "Debian:12", Why: "none were imported"}}
	found := []vuln.Match{{ID: "CVE-2026-1", Severity: vuln.High}}
	tests := []struct {
		name            string
		inv             image.Inventory
		says            said
		scanned, partly bool
		gaps            int
	}{
		{"everything was looked into", image.Inventory{Understood: true, Packages: packages}, said{}, true, false, 0},
		{"everything was, and something found", image.Inventory{Understood: true, Packages: packages}, said{found: found}, true, false, 0},
		{"code that nobody looked into", image.Inventory{Understood: true, Packages: packages, Gaps: unread}, said{}, true, true, 1},
		{"few advisories, the same for each package", image.Inventory{Understood: true, Packages: packages}, said{doubted: true}, true, true, 1},
		{"no advisories at all", image.Inventory{Understood: true, Packages: packages}, said{gaps: uncovered}, false, false, 1},
		{"no advisories for the release, one that names no release", image.Inventory{Understood: true, Packages: packages},
			said{gaps: uncovered, found: found}, true, true, 1},
		{"nothing that can be read", image.Inventory{Gaps: unread}, said{}, false, false, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := Inventory("sha256:i", &test.inv, test.says)
			if a.Scanned != test.scanned || a.Partly() != test.partly || len(a.Gaps) != test.gaps {
				t.Errorf("scanned %t, partly %t, gaps %v", a.Scanned, a.Partly(), a.Gaps)
			}
			if !a.Scanned && a.Why == "" {
				t.Error("nothing says why it is not known")
			}
		})
	}
}
