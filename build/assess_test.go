package build

import (
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/vuln"
)

// known is a small set of advisories by package name.
type known map[string][]vuln.Match

func (k known) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	if p.Ecosystem == "" {
		return nil, []collect.Gap{{Source: "advisories", What: "no ecosystem", Why: "nothing was imported"}}
	}
	found := append([]vuln.Match(nil), k[p.Name]...)
	for i := range found {
		found[i].Package = p
	}
	return found, nil
}

func openssl(ecosystem string) Component {
	return Component{Package: vuln.Package{Ecosystem: ecosystem, Name: "libssl3", Version: "3.0.2"}, PURL: "pkg:deb/ubuntu/libssl3@3.0.2", Layer: "sha256:l"}
}

func put(t *testing.T, assessed ...*Assessment) *graph.View {
	t.Helper()
	s := graph.NewShared(schema.Vocabulary())
	for _, a := range assessed {
		a.Put(s)
	}
	return graph.NewView(schema.Vocabulary(), s.Freeze())
}

var punycode = vuln.Match{ID: "CVE-2022-3602", Severity: vuln.High, FixedVersion: "3.0.7", RCE: true, KEV: &vuln.KEV{}}

func TestAnAssessedImageCarriesItsVulnerabilitiesWithFixAndLayer(t *testing.T) {
	a := Assess(Contents{ID: "sha256:i", Components: []Component{openssl("Ubuntu:22.04")}}, known{"libssl3": {punycode}})
	v := put(t, a)
	i, _ := v.Node("Image", "sha256:i")
	if !i.Value("scanned").Bool() || !i.Value("severe").Bool() || !i.Value("rce").Bool() || i.Value("exploited").IsNull() || i.Value("highs").Int() != 1 {
		t.Errorf("scanned %v, severe %v, rce %v, exploited %v, highs %v", i.Value("scanned"), i.Value("severe"), i.Value("rce"), i.Value("exploited"), i.Value("highs"))
	}
	n := 0
	for e := range i.Out("HAS_VULNERABILITY") {
		n++
		for name, want := range map[string]string{"package": "libssl3 3.0.2", "fixed": "3.0.7", "layer": "sha256:l", "severity": "High"} {
			if got := e.Value(name).String(); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d vulnerabilities", n)
	}
}

func TestAnImageThatNoAdvisorySpeaksOfIsNotCleanButUnknown(t *testing.T) {
	a := Assess(Contents{ID: "sha256:i", Components: []Component{openssl("")}}, known{})
	if a.Scanned || a.Why != "nothing was imported" {
		t.Errorf("scanned %v because %q", a.Scanned, a.Why)
	}
	i, _ := put(t, a).Node("Image", "sha256:i")
	if !i.Value("severe").IsNull() || i.Value("scanned").Bool() || i.Text("scan") != "unsupported" {
		t.Errorf("severe %v, scanned %v, scan %v", i.Value("severe"), i.Value("scanned"), i.Value("scan"))
	}
	if g, open := a.Gap(); !open || g.Consequence == "" {
		t.Errorf("gap %v, open %v", g, open)
	}
}

func TestACleanImageIsKnownToBeClean(t *testing.T) {
	i, _ := put(t, Assess(Contents{ID: "sha256:i", Components: []Component{openssl("Ubuntu:22.04")}}, known{})).Node("Image", "sha256:i")
	if v := i.Value("severe"); v.IsNull() || v.Bool() || i.Text("severity") != "None" {
		t.Errorf("severe %v, severity %v", v, i.Value("severity"))
	}
}

func TestAFailedLookAfterAGoodOneTakesBackWhatWasSaid(t *testing.T) {
	good := Assess(Contents{ID: "sha256:i", Components: []Component{openssl("Ubuntu:22.04")}}, known{"libssl3": {punycode}})
	i, _ := put(t, good, NotScanned("sha256:i", "failed", "registry: 404")).Node("Image", "sha256:i")
	if !i.Value("severe").IsNull() || i.Text("scanError") != "registry: 404" {
		t.Errorf("severe %v, error %v", i.Value("severe"), i.Value("scanError"))
	}
	for range i.Out("HAS_VULNERABILITY") {
		t.Error("vulnerabilities are still there")
	}
}

func TestOneVulnerabilityOfTwoPackagesCountsOnce(t *testing.T) {
	other := openssl("Ubuntu:22.04")
	other.PURL, other.Name = "pkg:deb/ubuntu/openssl@3.0.2", "openssl"
	a := Assess(Contents{ID: "i", Components: []Component{openssl("Ubuntu:22.04"), other}}, known{"libssl3": {punycode}, "openssl": {punycode}})
	if a.Vulnerabilities != 1 || len(a.Findings) != 2 {
		t.Errorf("%d vulnerabilities in %d findings", a.Vulnerabilities, len(a.Findings))
	}
}

func TestPuttingTheSameAssessmentTwiceChangesNothing(t *testing.T) {
	s := graph.NewShared(schema.Vocabulary())
	a := Assess(Contents{ID: "i", Components: []Component{openssl("Ubuntu:22.04")}}, known{"libssl3": {punycode}})
	if !a.Put(s) || a.Put(s) {
		t.Error("want a change the first time and none the second")
	}
}
