package scan

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/image"
)

func layers(digests ...string) (out []image.Layer) {
	for _, d := range digests {
		out = append(out, image.Layer{Digest: "sha256:" + d, DiffID: "sha256:plain-" + d})
	}
	return out
}

func flawed(id, level, pkg, layer string) Vulnerability {
	return Vulnerability{ID: id, Severity: level, Package: pkg, Version: "1", PURL: "pkg:deb/debian/" + pkg + "@1", Layer: "sha256:" + layer}
}

func packaged(name, version, layer string) Package {
	return Package{Name: name, Version: version, PURL: "pkg:deb/debian/" + name + "@" + version, Ecosystem: "Debian:12", Layer: "sha256:" + layer}
}

func known(name, release string, l []image.Layer) Report {
	return Report{Image: Image{Reference: name, Digest: "sha256:of-" + name, Distribution: release, Layers: l, Known: true,
		Completeness: Complete}}
}

func TestAnImageIsBuiltOnAnotherWhoseLayersAreItsLowest(t *testing.T) {
	web := known("web", "Debian 12", layers("a", "b", "c")).Image
	packed := layers("a", "b")
	packed[1].Digest = "sha256:packed-anew"
	lies := layers("a", "b")
	lies[1].DiffID, lies[1].Digest = "", "sha256:other"
	tests := []struct {
		name string
		base []image.Layer
		want string
	}{
		{"all of them", layers("a", "b", "c"), ""},
		{"none", nil, ""},
		{"the lowest two", layers("a", "b"), SameLayers},
		{"the lowest two, packed anew", packed, SameFiles},
		{"another second one", layers("a", "x"), ""},
		{"a second one of which nothing is told", lies, ""},
	}
	for _, c := range tests {
		got := web.BuiltOn(Image{Reference: "base", Layers: c.base})
		if how := map[bool]func() string{true: func() string { return "" }, false: func() string { return got.How }}[got == nil](); how != c.want {
			t.Errorf("%s: %q, want %q", c.name, how, c.want)
		}
		if got != nil && got.Layers != len(c.base) {
			t.Errorf("%s: %d layers", c.name, got.Layers)
		}
	}
}

func TestTheBaseIsTheOneWithMostLayersAndOfThoseTheOneThatTheBuilderNames(t *testing.T) {
	web := known("web", "Debian 12", layers("a", "b", "c")).Image
	named := func(name string, l ...string) Image { return known(name, "Debian 12", layers(l...)).Image }
	several := []Image{named("one", "a"), named("copy", "a", "b"), named("two", "a", "b"), named("strange", "x")}
	if b, others := web.BaseAmong(several); b == nil || b.Name != "copy" || len(others) != 1 || others[0].Name != "two" {
		t.Errorf("%v and %v", b, others)
	}
	web.Said = &image.Base{Name: "two"}
	if b, others := web.BaseAmong(several); b == nil || b.Name != "two" || len(others) != 1 || others[0].Name != "copy" {
		t.Errorf("with the builder's word %v and %v", b, others)
	}
	if b, _ := web.BaseAmong(several[3:]); b == nil || b.How != SaidByBuilder || b.Layers != 0 {
		t.Errorf("with nothing but the builder's word %v", b)
	}
	web.Said = nil
	if b, _ := web.BaseAmong(nil); b != nil {
		t.Errorf("with nothing %v", b)
	}
}

func TestAnImageMayBeBuiltOnEachOfTheLayersBelowItsLast(t *testing.T) {
	web := known("web", "Debian 12", layers("a", "b", "c")).Image
	var want []string
	for _, l := range [][]image.Layer{layers("a", "b"), layers("a")} {
		want = append(want, image.Chain(l))
	}
	if got := web.ChainsBelow(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	web.Layers[1].DiffID = ""
	if got := web.ChainsBelow(); !slices.Equal(got, want[1:]) {
		t.Errorf("where nothing is told of the second: %q", got)
	}
	if got := known("bare", "", layers("a")).Image.ChainsBelow(); len(got) != 0 {
		t.Errorf("of one layer: %q", got)
	}
}

func TestABumpRemovesWhatOnlyTheBaseBringsAndSaysWhatItAdds(t *testing.T) {
	web := known("web:1", "Debian 12", layers("a", "own"))
	web.Packages = []Package{packaged("openssl", "1", "a"), packaged("zlib", "1", "a"), packaged("curl", "1", "own")}
	accepted := flawed("CVE-8", "Critical", "zlib", "a")
	accepted.Exception = &exception.Applied{Until: "2099-01-01"}
	web.Vulnerabilities = []Vulnerability{flawed("CVE-1", "High", "openssl", "a"), flawed("CVE-2", "Low", "zlib", "a"),
		flawed("CVE-2", "Low", "curl", "own"), flawed("CVE-3", "Medium", "zlib", "a"), flawed("CVE-4", "High", "curl", "own"), accepted}
	small := known("base:12.1", "Debian 12", layers("b"))
	small.Vulnerabilities = []Vulnerability{flawed("CVE-3", "Medium", "zlib", "b"), flawed("CVE-5", "Low", "curl", "b")}
	other := known("base:13", "Debian 13", layers("c"))
	other.Vulnerabilities = []Vulnerability{flawed("CVE-9", "Low", "openssl", "c")}
	unread := NotRead("base:14", "it waits to be read")
	got := Rebased(web, &Base{Layers: 1}, nil, []Report{unread, small, other})
	if got.FromBase != 2 || got.Own != 2 {
		t.Errorf("%d of the base and %d of its own, want 2 and 2", got.FromBase, got.Own)
	}
	var names []string
	for _, b := range got.Bumps {
		names = append(names, b.Name+": removes "+Tally(b.Removes)+"; adds "+Tally(b.Adds))
	}
	want := []string{"base:13: removes 1 high, 1 medium; adds 1 low", "base:12.1: removes 1 high; adds ", "base:14: removes ; adds "}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
	if last := got.Bumps[2]; last.Known || last.Why == "" {
		t.Errorf("of one that nobody read: %+v", last)
	}
	for i, part := range []string{"another release (Debian 13, not Debian 12): the 1 packages", "counted as they are"} {
		if text := strings.Join(got.Bumps[i].NotKnown, " "); !strings.Contains(text, part) {
			t.Errorf("%s does not say %q: %q", got.Bumps[i].Name, part, text)
		}
	}
	if got := Rebased(web, &Base{Name: "base", How: SaidByBuilder}, nil, []Report{small}); len(got.Bumps) != 0 || len(got.NotKnown) != 1 {
		t.Errorf("a base of which no layers are known: %+v", got)
	}
}

func TestADifferenceTellsWhatIsGoneFromWhatCannotBeSeen(t *testing.T) {
	before := known("web:1", "Debian 12", layers("a", "own"))
	before.Packages = []Package{packaged("openssl", "1", "a"), packaged("zlib", "1", "a"), packaged("zlib", "1", "own"), packaged("vim", "1", "own"),
		{Name: "left-pad", Version: "1", PURL: "pkg:npm/left-pad@1"}, {Name: "part", Version: "1", PURL: "pkg:npm/part@1", OwnedBy: "pkg:deb/debian/vim@1"}}
	npm := Vulnerability{ID: "GHSA-1", Aliases: []string{"CVE-7"}, Severity: "High", Package: "left-pad", PURL: "pkg:npm/left-pad@1"}
	before.Vulnerabilities = []Vulnerability{flawed("CVE-1", "Low", "openssl", "a"), flawed("CVE-2", "High", "zlib", "a"),
		flawed("CVE-2", "High", "zlib", "own"), flawed("CVE-3", "Low", "vim", "own"), npm}
	after := known("web:2", "Debian 12", layers("a", "new"))
	after.Packages = []Package{packaged("openssl", "2", "new"), packaged("zlib", "1", "a"), packaged("nano", "1", "new")}
	after.Vulnerabilities = []Vulnerability{flawed("CVE-2", "High", "zlib", "a"), flawed("CVE-4", "Critical", "openssl", "new"),
		flawed("CVE-5", "Low", "nano", "new")}
	tell := func(d Difference) string {
		var out []string
		for _, v := range d.New {
			out = append(out, "+"+v.ID)
		}
		for _, v := range d.Fixed {
			out = append(out, "-"+v.ID)
		}
		for _, h := range d.Hidden {
			out = append(out, "?"+h.Vulnerability.ID)
		}
		for _, p := range d.Added {
			out = append(out, "+"+p.Name)
		}
		for _, p := range d.Gone {
			out = append(out, "-"+p.Name)
		}
		for _, p := range d.Changed {
			out = append(out, p.Name+" "+strings.Join(p.Before, ",")+"→"+strings.Join(p.After, ","))
		}
		return strings.Join(out, " ")
	}
	const packages = " +nano -left-pad -vim openssl 1→2"
	d := Differ(before, after)
	if got, want := tell(d), "+CVE-4 +CVE-5 -GHSA-1 -CVE-1 -CVE-3"+packages; got != want || d.Kept != 1 || d.Unchanged != 1 || d.SharedLayers != 1 {
		t.Errorf("%s, kept %d, %d unchanged, %d layers; want %s", got, d.Kept, d.Unchanged, d.SharedLayers, want)
	}
	after.Image.Partly = true
	if got, want := tell(Differ(before, after)), "+CVE-4 +CVE-5 -CVE-1 -CVE-3 ?GHSA-1"+packages; got != want {
		t.Errorf("of one read in part: %s, want %s", got, want)
	}
	after.Vulnerabilities = append(after.Vulnerabilities, Vulnerability{ID: "CVE-7", Severity: "High", Package: "left-pad", PURL: "pkg:npm/left-pad@1.1"})
	if got := Differ(before, after); got.Kept != 2 || slices.ContainsFunc(got.New, func(v Vulnerability) bool { return v.ID == "CVE-7" }) {
		t.Errorf("the same by another name is new: %s", tell(got))
	}
	gone := Differ(before, NotRead("web:3", "no such manifest"))
	if len(gone.Fixed) != 0 || len(gone.Hidden) != 4 || !strings.Contains(strings.Join(gone.NotKnown, " "), "no such manifest") {
		t.Errorf("of one that nobody could read: %s, %q", tell(gone), gone.NotKnown)
	}
}
