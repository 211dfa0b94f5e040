package segment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
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

func (known) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

func openssl(ecosystem string) assess.Component {
	return assess.Component{Package: vuln.Package{Ecosystem: ecosystem, Name: "libssl3", Version: "3.0.2"},
		PURL: "pkg:deb/ubuntu/libssl3@3.0.2", Layer: "sha256:l"}
}

func put(t *testing.T, assessed ...*assess.Assessment) *graph.View {
	t.Helper()
	s := graph.NewShared(schema.Vocabulary())
	for _, a := range assessed {
		PutAssessment(s, a)
	}
	return graph.NewView(schema.Vocabulary(), s.Freeze())
}

var punycode = vuln.Match{ID: "CVE-2022-3602", Severity: vuln.High, FixedVersion: "3.0.7", RCE: true, KEV: &vuln.KEV{}}

func TestAnAssessedImageCarriesItsVulnerabilitiesWithFixAndLayer(t *testing.T) {
	a := assess.Contents{ID: "sha256:i", Components: []assess.Component{openssl("Ubuntu:22.04")}}.Assess(known{"libssl3": {punycode}})
	v := put(t, a)
	i, _ := v.Node("Image", "sha256:i")
	if !i.Value("scanned").Bool() || !i.Value("severe").Bool() || !i.Value("rce").Bool() || i.Value("exploited").IsNull() ||
		i.Value("highs").Int() != 1 {
		t.Errorf("scanned %v, severe %v, rce %v, exploited %v, highs %v", i.Value("scanned"), i.Value("severe"), i.Value("rce"),
			i.Value("exploited"), i.Value("highs"))
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
	a := assess.Contents{ID: "sha256:i", Components: []assess.Component{openssl("")}}.Assess(known{})
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
	i, _ := put(t, assess.Contents{ID: "sha256:i",
		Components: []assess.Component{openssl("Ubuntu:22.04")}}.Assess(known{})).Node("Image", "sha256:i")
	if v := i.Value("severe"); v.IsNull() || v.Bool() || i.Text("severity") != "None" {
		t.Errorf("severe %v, severity %v", v, i.Value("severity"))
	}
}

func TestAFailedLookAfterAGoodOneTakesBackWhatWasSaid(t *testing.T) {
	good := assess.Contents{ID: "sha256:i", Components: []assess.Component{openssl("Ubuntu:22.04")}}.Assess(known{"libssl3": {punycode}})
	i, _ := put(t, good, assess.NotScanned("sha256:i", "failed", "registry: 404")).Node("Image", "sha256:i")
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
	a := assess.Contents{ID: "i", Components: []assess.Component{openssl("Ubuntu:22.04"), other}}.Assess(known{"libssl3": {punycode},
		"openssl": {punycode}})
	if a.Vulnerabilities != 1 || len(a.Findings) != 2 {
		t.Errorf("%d vulnerabilities in %d findings", a.Vulnerabilities, len(a.Findings))
	}
}

func TestAnInventoryWithAHoleIsNotCalledClean(t *testing.T) {
	inv := &image.Inventory{Understood: true, Platform: "linux/amd64", OS: image.OS{PrettyName: "Ubuntu 22.04"},
		Packages: []image.Package{{PURL: "pkg:deb/ubuntu/libssl3@3.0.2", Name: "libssl3", Version: "3.0.2", Ecosystem: "Ubuntu:22.04"}}}
	for _, test := range []struct {
		name string
		gaps []collect.Gap
		db   known
		want string // of severe
	}{
		{"everything seen", nil, known{}, "false"},
		{"a layer missing", []collect.Gap{{Source: "image", What: "layer x"}}, known{}, ""},
		{"a layer missing, and something found in another", []collect.Gap{{Source: "image", What: "layer x"}},
			known{"libssl3": {punycode}}, "true"},
	} {
		inv.Gaps = test.gaps
		i, _ := put(t, assess.Inventory("sha256:i", inv, test.db)).Node("Image", "sha256:i")
		if got := i.Value("severe").String(); got != test.want || i.Text("distribution") != "Ubuntu 22.04" {
			t.Errorf("%s: severe = %q, want %q; distribution %q", test.name, got, test.want, i.Text("distribution"))
		}
	}
}

func TestAnImageWithoutAPackageDatabaseIsUnsupportedNotClean(t *testing.T) {
	if a := assess.Inventory("sha256:i", &image.Inventory{}, known{}); a.Scanned || a.State != "unsupported" || a.Why == "" {
		t.Errorf("scanned %v, state %s, why %q", a.Scanned, a.State, a.Why)
	}
}

// TestWhatDoesNotCountIsKeptWithItsReason beside what does, and goes with the image's assessment.
func TestWhatDoesNotCountIsKeptWithItsReason(t *testing.T) {
	not := vuln.Match{ID: "CVE-2022-1", Severity: vuln.Low, Dismissed: "alice says that it is not affected"}
	said := punycode
	said.Vendor, said.Said = "end-of-life", &vuln.Statement{Status: vuln.UnderInvestigation, By: "alice"}
	a := assess.Contents{ID: "sha256:i", Components: []assess.Component{openssl("Ubuntu:22.04")}}.Assess(known{"libssl3": {said, not}})
	v := put(t, a)
	i, _ := v.Node("Image", "sha256:i")
	var got []string
	for e := range i.Out("HAS_VULNERABILITY") {
		got = append(got, e.To.ID()+": "+e.Value("status").Str())
	}
	for e := range i.Out("NOT_AFFECTED_BY") {
		got = append(got, e.To.ID()+": "+e.Value("package").Str()+", "+e.Value("reason").Str())
	}
	if text := strings.Join(got, "; "); text != "CVE-2022-3602: end-of-life; alice says: under investigation; "+
		"CVE-2022-1: libssl3 3.0.2, alice says that it is not affected" {
		t.Error(text)
	}
	v = put(t, a, assess.NotScanned("sha256:i", assess.Failed, "gone"))
	i, _ = v.Node("Image", "sha256:i")
	for e := range i.Out("NOT_AFFECTED_BY") {
		t.Errorf("an image of which nothing is known is said not to be affected by %s", e.To.ID())
	}
}

// TestWhatDoesNotCountInOneImageStaysSaidOfThePackage in whatever order images are read: another image may not dismiss it.
func TestWhatDoesNotCountInOneImageStaysSaidOfThePackage(t *testing.T) {
	not := punycode
	not.Dismissed = "nothing of it is in the program"
	one := assess.Contents{ID: "sha256:i", Components: []assess.Component{openssl("Ubuntu:22.04")}}.Assess(known{"libssl3": {punycode}})
	other := assess.Contents{ID: "sha256:j", Components: []assess.Component{openssl("Ubuntu:22.04")}}.Assess(known{"libssl3": {not}})
	for _, order := range [][]*assess.Assessment{{one, other}, {other, one}} {
		v := put(t, order...)
		p, _ := v.Node("Package", "pkg:deb/ubuntu/libssl3@3.0.2")
		n := 0
		for e := range p.Out("AFFECTED_BY") {
			n++
			if e.To.ID() != punycode.ID || e.Value("fixed").Str() != "3.0.7" {
				t.Errorf("%s fixed in %s", e.To.ID(), e.Value("fixed"))
			}
		}
		if n != 1 {
			t.Errorf("%d vulnerabilities of the package, want the one that counts in one image", n)
		}
	}
}

func TestASecretIsOneNodeWhereverItIsLeft(t *testing.T) {
	left := func(id, file string, published bool, scanned bool) *assess.Assessment {
		f := assess.Secret{File: file, Layer: "sha256:l", Removed: true, Published: published}
		f.Kind, f.Hash, f.Line = "private key", "abc", 3
		return &assess.Assessment{Contents: assess.Contents{ID: id, ScannedAt: time.Now(), Secrets: []assess.Secret{f}}, Scanned: scanned}
	}
	v := put(t, left("sha256:a", "etc/key", false, true), left("sha256:b", "srv/key", true, true), left("sha256:c", "key", false, false),
		assess.NotScanned("sha256:d", "failed", "it is gone"))
	secret, there := v.Node("ImageSecret", "secret:abc")
	if !there || secret.Text("what") != "private key" {
		t.Fatalf("no node: %v", secret)
	}
	where := map[string]string{}
	for e := range secret.In("HAS_SECRET") {
		where[e.From.ID()] = fmt.Sprintf("%s %t %t", e.Value("file").Str(), e.Value("removed").Bool(), e.Value("published").Bool())
	}
	if len(where) != 3 || where["sha256:a"] != "etc/key:3 true false" {
		t.Errorf("%v", where)
	}
	for id, want := range map[string]string{"sha256:a": "1", "sha256:b": "0", "sha256:c": "1", "sha256:d": "null"} {
		n, _ := v.Node("Image", id)
		if got := n.Value("secrets"); got.String() != want && !(want == "null" && got.IsNull()) {
			t.Errorf("%s has %s secrets, want %s", id, got, want)
		}
	}
}
