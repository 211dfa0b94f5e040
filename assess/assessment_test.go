package assess

import (
	"testing"
	"testing/fstest"

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

// noting is advisories that remember which packages they were asked about.
type noting struct{ names map[string]bool }

func (a noting) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	a.names[p.Name] = true
	return []vuln.Match{{ID: "CVE-2026-" + p.Name, Severity: vuln.High}}, nil
}

func (a noting) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

func TestAPartOfADistributionsPackageIsNotAskedAbout(t *testing.T) {
	db := noting{map[string]bool{}}
	a := Inventory("sha256:i", &image.Inventory{Understood: true, Packages: []image.Package{
		{PURL: "pkg:deb/debian/node-lodash@4", Name: "node-lodash", Ecosystem: "Debian:12"},
		{PURL: "pkg:npm/lodash@4", Name: "lodash", Ecosystem: "npm", OwnedBy: "pkg:deb/debian/node-lodash@4"},
		{PURL: "pkg:npm/express@4", Name: "express", Ecosystem: "npm", Database: "app/node_modules/express/package.json"}}}, db)
	if len(a.Components) != 2 || len(a.Findings) != 2 || db.names["lodash"] || !db.names["express"] {
		t.Errorf("%v, %v, asked about %v", a.Components, a.Findings, db.names)
	}
	if got := a.Findings[0].File; got != "app/node_modules/express/package.json" {
		t.Errorf("found in %q, want the file that tells of it", got)
	}
}

// TestAVulnerabilityOfAPackageThatAProgramDoesNotImportDoesNotCount, and is told with the reason.
func TestAVulnerabilityOfAPackageThatAProgramDoesNotImportDoesNotCount(t *testing.T) {
	db, err := vuln.Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(`{"id":"GO-2024-1","aliases":["CVE-2024-0002"],"affected":[{
		"package":{"ecosystem":"Go","name":"golang.org/x/crypto"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.31.0"}]}],
		"ecosystem_specific":{"imports":[{"path":"golang.org/x/crypto/ssh"}]}}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	for linked, want := range map[string]string{
		"cryptobyte hkdf": "not affected: package not imported: the program has no code of golang.org/x/crypto/ssh", "ssh": "", "": ""} {
		inv := &image.Inventory{Understood: true, Packages: []image.Package{{PURL: "pkg:golang/golang.org/x/crypto@v0.1.0",
			Name: "golang.org/x/crypto", Ecosystem: "Go", Version: "v0.1.0", Linked: linked}}}
		a := Inventory("sha256:i", inv, db)
		got := append(a.Dismissed, a.Findings...)
		if len(got) != 1 || got[0].Match.Dismissed != want || (len(a.Dismissed) == 1) != (want != "") || a.Severe && want != "" {
			t.Errorf("%q: %+v", linked, got)
		}
		if a.Components[0].Linked != "" || got[0].Package.Linked != "" || inv.Packages[0].Linked != linked {
			t.Errorf("%q: it is kept in memory, or lost for the next advisories", linked)
		}
	}
}

func TestCompletenessSaysWhatIsMissing(t *testing.T) {
	gaps := func(names ...string) (out []collect.Gap) {
		for _, n := range names {
			out = append(out, collect.Gap{What: n})
		}
		return out
	}
	for want, a := range map[string]*Assessment{
		"complete":                             {Scanned: true},
		"partial: scripts, Java archives":      {Scanned: true, Contents: Contents{Gaps: gaps("scripts", "Java archives", "scripts")}},
		"partial: a, b, c, d, e, 2 more":       {Scanned: true, Contents: Contents{Gaps: gaps("a", "b", "c", "d", "e", "f", "g")}},
		"unread: it was not looked at yet":     NotScanned("i", Queued, "it was not looked at yet"),
		"unread: it is an image of Windows, …": NotScanned("i", Unsupported, "it is an image of Windows, …"),
	} {
		if got := a.Completeness(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
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
