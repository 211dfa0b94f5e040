package vuln

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestAProductIsOneOfTheImagesAPackageIsIn(t *testing.T) {
	const digest, ours = "sha256:aa", "registry.example/shop/web:1.2@sha256:bb"
	images := []string{digest, ours}
	repository := "?repository_url=registry.example/shop/web"
	for id, want := range map[string]bool{
		digest: true, "sha256:bb": true, ours: true, "registry.example/shop/web:1.2": true,
		"sha256:cc": false, "registry.example/shop/web:1.3": false, "": false,
		"pkg:oci/web@sha256:aa": true, "pkg:docker/web@sha256:bb" + repository: true, "pkg:oci/web" + repository: true,
		"pkg:oci/web" + repository + "&tag=1.2": true,
		"pkg:oci/web":                           false, // anybody's
		"pkg:npm/web@sha256:aa":                 false,
		// a digest is one image, whatever the tag says that stands beside it
		"pkg:oci/web@sha256:cc" + repository + "&tag=1.2":          false,
		"pkg:oci/web?repository_url=registry.example/web":          false,
		"pkg:oci/web?repository_url=registry.example%2Fshop%2Fweb": true,
		"pkg:oci/web?repository_url=%25zz":                         false, "pkg:oci": false, "pkg:oci/web@%zz": false,
		// an image that has but a digest is in no repository, whatever that is called
		"pkg:oci/web?repository_url=sha256": false, "pkg:oci/web?repository_url=sha512": false,
	} {
		if got := within(id, append(images, "sha512:dd")); got != want {
			t.Errorf("%q is one of %v: %v", id, images, got)
		}
		if within(id, nil) {
			t.Errorf("%q is one of none", id)
		}
	}
	if !within("pkg:oci/web?repository_url=registry.example:5000/web", []string{"registry.example:5000/web"}) {
		t.Error("the port of a registry is taken for a tag")
	}
	at := func(n int) string { return "registry.example/" + strings.Repeat("a", n-len("registry.example/")) }
	if !within(at(4096), []string{at(4096)}) || within(at(4097), []string{at(4097)}) {
		t.Error("a name of 4096 characters is read, a longer one is none")
	}
}

func TestAPackageURLLeavesOpenWhatItDoesNotSay(t *testing.T) {
	p := Package{PURL: "pkg:deb/debian/openssl@3.0.1?arch=amd64&distro=debian-12&epoch=1&upstream=ssl"}
	for id, want := range map[string]bool{
		"pkg:deb/debian/openssl": true, "pkg:deb/debian/openssl@3.0.1": true, "pkg:deb/debian/openssl@3.0.1?arch=amd64": true,
		"pkg:deb/debian/openssl?distro=debian-12&epoch=1": true,
		"pkg:deb/debian/openssl?arch=arm64":               false,
		"pkg:deb/debian/openssl?distro=debian-11":         false,
		"pkg:deb/debian/openssl?epoch=2":                  false,
		// where a package came from is not what it is, nor is what its own URL leaves open
		"pkg:deb/debian/openssl?vcs_url=git":  true,
		"pkg:deb/debian/openssl?upstream=tls": true,
		"pkg:deb/ubuntu/openssl":              false,
		"pkg:deb/debian/libssl":               false,
		"pkg:rpm/debian/openssl":              false,
		"pkg:deb":                             false,
		"openssl":                             false,
		"pkg:deb/debian/openssl@3.0.1?arch=%": false,
	} {
		if got := namesPackage(id, p); got != want {
			t.Errorf("%s names %s: %v", id, p.PURL, got)
		}
	}
	if !namesPackage("pkg:deb/debian/openssl?arch=arm64", Package{PURL: "pkg:deb/debian/openssl@3.0.1"}) {
		t.Error("a package of which nobody knows the architecture may be that of any")
	}
	if namesPackage("pkg:deb/debian/openssl", Package{PURL: "no package URL"}) || namesPackage("pkg:deb/debian/openssl", Package{}) {
		t.Error("a package that has no URL is named")
	}
	longest := "pkg:deb/debian/openssl?a=" + strings.Repeat("a", 4096-len("pkg:deb/debian/openssl?a="))
	if !namesPackage(longest, p) || namesPackage(longest+"a", p) {
		t.Error("one of 4096 characters is read, a longer one names nothing")
	}
}

func TestAStatementSpeaksOfThePartsOfAProduct(t *testing.T) {
	for _, c := range []struct {
		name    string
		product Product
		want    bool
	}{
		{"the package", Product{ID: leftPURL}, true},
		{"a part of the image", Product{ID: "sha256:aa", Parts: []string{"pkg:npm/right", "pkg:npm/left"}}, true},
		{"the package as a part of itself", Product{ID: leftPURL, Parts: []string{"pkg:npm/left"}}, true},
		{"another part of the package", Product{ID: leftPURL, Parts: []string{"pkg:npm/right"}}, false},
		{"the package in another product", Product{ID: "pkg:npm/right", Parts: []string{leftPURL}}, false},
	} {
		s := Statement{Products: []Product{{ID: "sha256:cc"}, c.product}}
		if got := s.speaksOf(left()); got != c.want {
			t.Errorf("%s: it speaks of it: %v", c.name, got)
		}
	}
}

func TestWhatIsSaidDismissesAMatch(t *testing.T) {
	for _, c := range []struct {
		name string
		said *Statement
		want string
	}{
		{"nobody speaks of it", nil, ""},
		{"somebody looks into it", &Statement{Status: UnderInvestigation}, ""},
		{"somebody says it is affected", &Statement{Status: Affected}, ""},
		{"without a name", &Statement{Status: Fixed}, "a VEX document says that it is fixed"},
		{"named by its document", &Statement{Status: NotAffected, Document: "vex-1", Note: "not built in"},
			"vex-1 says that it is not affected: not built in"},
		{"without a reason", &Statement{Status: NotAffected, By: "Vendor"}, "Vendor says that it is not affected"},
	} {
		if got := dismissal(c.said); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// vexOf reads a document beside oneRecord and says what its source counts.
func vexOf(t *testing.T, document string) (*DB, SourceStatus) {
	t.Helper()
	db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}, "vex.json": {Data: []byte(document)}})
	if err != nil {
		t.Fatal(err)
	}
	s := db.status.Sources[0]
	if !s.Balanced() {
		t.Errorf("read %d, counted otherwise: %+v", s.Read, s)
	}
	return db, s
}

// TestOneBadStatementLeavesTheOthers: a document is read to its end.
func TestOneBadStatementLeavesTheOthers(t *testing.T) {
	good := `{"vulnerability":"CVE-2024-0001","products":["pkg:npm/left"],"status":"not_affected","impact_statement":"not called"}`
	open := func(statements ...string) string {
		return `{"@context":"https://openvex.dev/ns","author":"Vendor","statements":[` + strings.Join(statements, ",") + `]}`
	}
	analysis := `"analysis":{"state":"not_affected","detail":"not called"},"affects":[{"ref":"pkg:npm/left"}]`
	cyclone := func(vulnerabilities ...string) string {
		return `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"supplier":{"name":"Vendor"},"authors":[]},"vulnerabilities":[` +
			strings.Join(vulnerabilities, ",") + `]}`
	}
	for name, document := range map[string]string{
		"a vulnerability written as its name": open(good),
		"one without a reason":                open(strings.Replace(good, "impact_statement", "was", 1), good),
		"one without a status":                open(strings.Replace(good, `"status"`, `"was"`, 1), good),
		"one about nothing":                   open(strings.Replace(good, "pkg:npm/left", "pkg:npm/right", 1), good),
		"CycloneDX":                           cyclone(`{"id":"CVE-2024-0001",` + analysis + `}`),
		"CycloneDX, one without an analysis":  cyclone(`{"id":"CVE-2024-0001"}`, `{"id":"CVE-2024-0001",`+analysis+`}`),
		"CycloneDX, one without a name":       cyclone(`{`+analysis+`}`, `{"id":"CVE-2024-0001",`+analysis+`}`),
		"CycloneDX, by its other name":        cyclone(`{"id":"X-1","references":[{"id":"CVE-2024-0001"}],` + analysis + `}`),
	} {
		db, _ := vexOf(t, document)
		found, _ := db.Examine(left())
		if len(found) != 1 || found[0].Dismissed != "Vendor says that it is not affected: not called" {
			t.Errorf("%s: %+v", name, found)
		}
	}
	db, s := vexOf(t, open(`{"vulnerability":"CVE-2024-0001","products":["pkg:npm/left"],"status":"affected"}`))
	if found, _ := db.Examine(left()); s.VEX != 1 || len(found) != 1 || found[0].Said == nil {
		t.Errorf("that it is affected needs no reason: %+v", s)
	}
}

func TestAReferenceIsFollowedWithinItsOwnDocument(t *testing.T) {
	for ref, counts := range map[string]bool{"c1": true, "urn:cdx:1/1#c1": true, "https://example.com/#c1": false, "c1#c1": false} {
		db, _ := vexOf(t, cyclone("not_affected", ref))
		if dismissed := len(db.Match(left())) == 0; dismissed != counts {
			t.Errorf("%s is %s: %v", ref, leftPURL, dismissed)
		}
	}
}

// TestAStatementOfTheFutureIsOlderThanAny: or it would overrule whatever is said later.
func TestAStatementOfTheFutureIsOlderThanAny(t *testing.T) {
	future := strings.Replace(openVEXOf(`["pkg:npm/left"]`, NotAffected), "2024-03-01T00:00:00Z",
		time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339), 1)
	files := fstest.MapFS{"a.json": {Data: []byte(oneRecord)}, "1.json": {Data: []byte(openVEXOf(`["pkg:npm/left"]`, Affected))},
		"2.json": {Data: []byte(future)}}
	db, err := Read(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	if len(db.Match(left())) != 1 {
		t.Error("it counts as the latest")
	}
}

func TestWhatADocumentOfStatementsHoldsIsBounded(t *testing.T) {
	statement := func(vulnerability, products string) string {
		return fmt.Sprintf(`{"@context":"https://openvex.dev/ns","statements":[{"vulnerability":%s,"products":[%s],"status":"affected"}]}`,
			vulnerability, products)
	}
	times := func(text string, n int) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }
	named := func(n int) string { return `"` + strings.Repeat("a", n) + `"` }
	aliases := func(n int) string { return `{"name":"a","aliases":[` + times(`"a"`, n-1) + `]}` }
	const one = `"pkg:npm/left"`
	inCyclone := func(vulnerabilities, components int) string {
		return fmt.Sprintf(`{"bomFormat":"CycloneDX","vulnerabilities":[%s],"components":[%s]}`, times("{}", vulnerabilities),
			times("{}", components))
	}
	for _, c := range []struct {
		name, document string
		read           int // statements that were looked at, and the record
		kept           int
		why            string
	}{
		{"statements", `{"@context":"https://openvex.dev/ns","statements":[` + times("{}", maxStatements) + `]}`, maxStatements + 1, 0, ""},
		{"too many statements", `{"@context":"https://openvex.dev/ns","statements":[` + times("{}", maxStatements+1) + `]}`, 2, 0,
			"want at most 100000 statements, got 100001"},
		{"vulnerabilities of CycloneDX", inCyclone(maxStatements, 0), maxStatements + 1, 0, ""},
		{"too many vulnerabilities of CycloneDX", inCyclone(maxStatements+1, 0), 2, 0, "want at most 100000 vulnerabilities"},
		{"components of CycloneDX", inCyclone(3, maxProducts), 4, 0, ""},
		{"too many components of CycloneDX", inCyclone(3, maxProducts+1), 2, 0, "and 200000 components"},
		{"products", statement(`"CVE-1"`, times(one, maxProducts)), 2, 1, ""},
		{"too many products", statement(`"CVE-1"`, times(one, maxProducts+1)), 2, 0, "want at most 200000 products, got 200001"},
		{"a name", statement(named(256), one), 2, 1, ""},
		{"a name that is too long", statement(named(257), one), 2, 0, "want the name"},
		{"names", statement(aliases(1000), one), 2, 1, ""},
		{"too many names", statement(aliases(1001), one), 2, 0, "want the name"},
		{"a name of two lines", statement(`"CVE-1\nCVE-2"`, one), 2, 0, "want the name"},
	} {
		_, s := vexOf(t, c.document)
		if s.Read != c.read || s.VEX != c.kept || c.why != "" && (len(s.Skipped) != 1 || !strings.Contains(s.Skipped[0].Why, c.why)) {
			t.Errorf("%s: read %d, kept %d, want %d and %d; %.200s", c.name, s.Read, s.VEX, c.read, c.kept, fmt.Sprint(s.Skipped))
		}
	}
}

func TestWhatAStatementSaysIsCutOff(t *testing.T) {
	long := strings.Repeat("a", 3000)
	db, _ := vexOf(t, `{"@context":"https://openvex.dev/ns","@id":"`+long+`","author":"`+long+`","statements":[{"products":["pkg:npm/left"],
		"vulnerability":"CVE-2024-0001","status":"not_affected","justification":"`+long+`","impact_statement":"`+long+`"}]}`)
	found, _ := db.Examine(left())
	if len(found) != 1 || found[0].Said == nil {
		t.Fatalf("%+v", found)
	}
	s := found[0].Said
	for what, c := range map[string]struct {
		text string
		want int
	}{"who": {s.By, 256}, "where": {s.Document, 512}, "why": {s.Justification, 256}, "what beside it": {s.Note, 2048}} {
		if kept := strings.TrimSuffix(c.text, "…"); len(kept) != c.want {
			t.Errorf("%s: %d characters, want %d", what, len(kept), c.want)
		}
	}
	_, status := vexOf(t, openVEXOf(`["pkg:npm/left"]`, long))
	if why := status.Skipped[0].Why; !strings.Contains(why, `got "`+strings.Repeat("a", 40)+"…") {
		t.Error(why)
	}
	_, status = vexOf(t, strings.Replace(strings.Replace(cyclone("affected", "c1"), `"analysis"`, `"said"`, 1), "CVE-2024-0001", long, 1))
	if why := status.Skipped[0].Why; !strings.HasSuffix(why, "of "+strings.Repeat("a", 40)+"…") {
		t.Error(why)
	}
}
