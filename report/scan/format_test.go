package scan

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/vuln"
)

// gap is what every format must carry.
const gap = "advisories for Debian:12: only 48 of them were imported"

// reports are an image that is known in part, one of which nothing is known, and one that is whole and clean.
func reports() []Report {
	libssl, evil := "pkg:deb/debian/libssl3@3.0.9?arch=amd64", "pkg:deb/debian/\x00evil\xff"
	return []Report{
		{Image: Image{Reference: "registry.example/shop/web:1", Digest: "sha256:" + strings.Repeat("ab", 32), Platform: "linux/amd64",
			Distribution: "Debian GNU/Linux 12", Known: true, Partly: true, Completeness: "partial: advisories"},
			Packages: []Package{{Name: "libssl3", Version: "3.0.9", PURL: libssl, Source: "openssl", Layer: "sha256:1"},
				{Name: "libssl3", Version: "3.0.9", PURL: libssl}, {Name: "\x1b[2J\x00evil\xff", Version: "1\n<b>", PURL: evil}},
			Vulnerabilities: []Vulnerability{
				{ID: "CVE-2022-3602", Aliases: []string{"GHSA-8rwr-x37p-mx23"}, Advisories: []string{"DSA-5274-1", "CVE-2022-3602"},
					Package: "libssl3", Version: "3.0.9", FixedVersion: "3.0.11", Severity: "High", SeveritySource: "Debian rates it high",
					CVSS: &vuln.CVSS{Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Score: 7.5, Source: "CVE-2022-3602"},
					EPSS: new(0.25), KEV: new(true), CWEs: []string{"CWE-787", "none"}, Impact: "denial of service", Title: "X.509 overflow",
					References: []string{"https://example.org/a", "javascript:alert(1)"}, PURL: libssl},
				{ID: "CVE-2023-0001", Package: "libssl3", Version: "3.0.9", Severity: "Low", PURL: libssl,
					CVSS:      &vuln.CVSS{Vector: "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", Score: 2},
					Exception: &exception.Applied{Reason: "not \x00 reached", Author: "alice", Until: "2026-12-31", Where: "e.yaml:2"}},
				{ID: "DEBIAN-CVE-2024-1", Package: "\x1b[2J\x00evil\xff", Version: "1\n<b>", Severity: "Unknown", PURL: evil,
					Exception: &exception.Applied{Reason: "old", Author: "bob", Until: "2025-12-31", Expired: true, Where: "e.yaml:3"}},
				{ID: "CVE-2025-1", Package: "gone", Version: "1", Severity: "None", PURL: "pkg:generic/gone@1"},
			},
			Dismissed: []Vulnerability{
				{ID: "CVE-2025-2", Package: "libssl3", Version: "3.0.9", Severity: "Critical", PURL: libssl,
					Said:      &vuln.Statement{Status: vuln.NotAffected, Justification: "vulnerable_code_not_in_execute_path"},
					Dismissed: "Example Ltd. says that it is not affected: vulnerable_code_not_in_execute_path"},
				{ID: "CVE-2025-3", Package: "libssl3", Version: "3.0.9", Severity: "High", PURL: libssl,
					Said: &vuln.Statement{Status: vuln.Fixed}, Dismissed: "Example Ltd. says that it is fixed"},
				{ID: "CVE-2025-4", Package: "libssl3", Version: "3.0.9", Severity: "High", PURL: libssl,
					Dismissed: "not affected: package not imported: the program has no code of a/b"}},
			Gaps: []collect.Gap{{What: "advisories for Debian:12", Why: "only 48 of them were imported", Consequence: "More may be there."},
				{What: "Python packages", Why: "3 files, such as a/METADATA", Consequence: "Not looked into."}}},
		NotRead("rootfs:/srv/a", "there is no package database in the image"),
		{Image: Image{Reference: "oci:/srv/layout", Known: true, Completeness: Complete}},
	}
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func written(t *testing.T, format string, all []Report, o Options) string {
	t.Helper()
	var b bytes.Buffer
	o.Version, o.At = "v1.2.3", noon
	if err := Write(&b, format, all, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryFormatSaysWhatIsNotKnown(t *testing.T) {
	for _, format := range Formats() {
		said := written(t, format, reports(), Options{})
		for _, want := range []string{gap, "3 files, such as a/METADATA", "there is no package database in the image",
			"Accepted until 2026-12-31 by alice", "The exception of bob ended with 2025-12-31 and no longer counts"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s does not say %q:\n%s", format, want, said)
			}
		}
		if MediaType(format) == "" {
			t.Errorf("%s has no media type", format)
		}
	}
	if err := Write(new(bytes.Buffer), "xlsx", nil, Options{}); err == nil || MediaType("xlsx") != "" {
		t.Error("what is no format is written")
	}
}

// inModule is the folder of a module that the tests need files of.
func inModule(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}

// schemas finds schemas by the last part of their address, in a folder.
type schemas string

func (s schemas) Load(url string) (any, error) {
	name := path.Base(url)
	if name == "jsf-0.82.schema.json" { // the module has it under another name
		name = "jsf-0.82.schemax.json"
	}
	text, err := os.ReadFile(filepath.Join(string(s), name))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

func TestABillOfMaterialsIsAsCycloneDXWantsIt(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.UseLoader(schemas(filepath.Join(inModule(t, "github.com/CycloneDX/cyclonedx-go"), "schema")))
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]Report{"three": reports(), "one": reports()[:1], "none read": reports()[1:2], "clean": reports()[2:]} {
		text := written(t, "cyclonedx", all, Options{})
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = schema.Validate(doc)
		}
		if err != nil || !strings.Contains(text, `"specVersion": "1.6"`) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	one := written(t, "cyclonedx", reports()[:1], Options{})
	for _, want := range []string{`"state": "not_affected"`, `"justification": "code_not_reachable"`,
		`"detail": "Example Ltd. says that it is not affected: vulnerable_code_not_in_execute_path"`,
		`"state": "resolved"`, `"justification": "code_not_present"`, `"status": "unaffected"`} {
		if !strings.Contains(one, want) {
			t.Errorf("no %s in\n%s", want, one)
		}
	}
	var bom struct {
		Metadata   struct{ Component struct{ Name string } }
		Components []struct {
			Ref string `json:"bom-ref"`
		}
		Vulnerabilities []struct {
			ID      string
			Affects []struct{ Ref string }
		}
		Compositions []struct{ Aggregate string }
	}
	if err := json.Unmarshal([]byte(one), &bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata.Component.Name != "registry.example/shop/web:1" || len(bom.Components) != 2 || len(bom.Vulnerabilities) != 7 ||
		bom.Vulnerabilities[0].Affects[0].Ref != bom.Components[0].Ref || bom.Compositions[0].Aggregate != "incomplete" {
		t.Errorf("%+v", bom)
	}
}

func TestResultsAreAsSARIFWantsThem(t *testing.T) {
	for _, all := range [][]Report{reports(), reports()[1:2], reports()[2:]} {
		if err := sarifOf(all, Options{Version: "v1"}).Validate(); err != nil {
			t.Error(err)
		}
	}
	said := written(t, "sarif", reports(), Options{})
	if n := strings.Count(said, `"suppressions"`); n != 4 { // three are dismissed, one is excepted
		t.Errorf("%d results are suppressed:\n%s", n, said)
	}
	for _, want := range []string{`"toolExecutionNotifications"`, `"level": "error"`, `"level": "note"`, `"security-severity": "7.5"`,
		`"vulnerabilityOfPackage/v1": "CVE-2022-3602 pkg:deb/debian/libssl3@3.0.9?arch=amd64"`} {
		if !strings.Contains(said, want) {
			t.Errorf("no %s in\n%s", want, said)
		}
	}
}

// TestADocumentIsAsSPDXWantsIt reads it with the project's own reader, and holds it to what the specification says must be there.
func TestADocumentIsAsSPDXWantsIt(t *testing.T) {
	text := written(t, "spdx", reports(), Options{})
	d, err := spdxjson.Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if d.SPDXVersion != "SPDX-2.3" || d.DataLicense != "CC0-1.0" || d.SPDXIdentifier != "DOCUMENT" ||
		d.CreationInfo.Created != "2026-01-02T12:00:00Z" ||
		d.CreationInfo.Creators[0].Creator != "breakwater-v1.2.3" || strings.Contains(d.DocumentNamespace, "#") || d.DocumentName == "" {
		t.Errorf("%+v", d)
	}
	id, ids := regexp.MustCompile(`^[A-Za-z0-9.-]+$`), map[string]bool{"DOCUMENT": true}
	for _, p := range d.Packages {
		if !id.MatchString(string(p.PackageSPDXIdentifier)) || ids[string(p.PackageSPDXIdentifier)] || p.PackageName == "" ||
			p.PackageDownloadLocation == "" || p.FilesAnalyzed {
			t.Errorf("%+v", p)
		}
		ids[string(p.PackageSPDXIdentifier)] = true
		for _, r := range p.PackageExternalReferences {
			if r.Locator == "" || strings.ContainsAny(r.RefType, " \t") || !slices.Contains([]string{"SECURITY", "PACKAGE-MANAGER"}, r.Category) {
				t.Errorf("%+v", r)
			}
		}
	}
	described, unknown := 0, 0
	for _, r := range d.Relationships {
		if !ids[string(r.RefA.ElementRefID)] || r.RefB.SpecialID != "NOASSERTION" && !ids[string(r.RefB.ElementRefID)] {
			t.Errorf("%+v relates what is not there", r)
		}
		if r.Relationship == "DESCRIBES" {
			described++
		}
		if r.RefB.SpecialID != "" {
			unknown++
		}
	}
	if described != 3 || unknown != 2 || len(d.Packages) != 5 {
		t.Errorf("%d are described, of %d something is unknown, %d packages", described, unknown, len(d.Packages))
	}
	if p := d.Packages[0]; p.PackageChecksums[0].Algorithm != "SHA256" || p.PrimaryPackagePurpose != "CONTAINER" {
		t.Errorf("%+v", p)
	}
	var found []string
	for _, a := range d.Packages[1].Annotations {
		found = append(found, a.AnnotationComment)
	}
	if !slices.Contains(found, "vulnerability: libssl3 3.0.9 is affected by CVE-2022-3602 (High); fixed in 3.0.11.") {
		t.Errorf("%q", found)
	}
}

func TestTestsAreAsBuildServersReadThem(t *testing.T) {
	tests := []struct {
		name    string
		o       Options
		all     []Report
		want    string // tests, failures, errors, skipped
		fatally string
	}{
		{"each fails", Options{}, reports(), "8 3 1 3", ""},
		{"from High on", Options{FailOn: "High"}, reports(), "8 1 1 3", ""},
		{"unknown too", Options{FailOn: "High", Unknowns: true}, reports(), "8 2 3 1", ""},
		{"clean", Options{}, reports()[2:], "1 0 0 0", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := written(t, "junit", test.all, test.o)
			var out junitSuites
			if err := xml.Unmarshal([]byte(text), &out); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if got := fmt.Sprint(out.Tests, out.Failures, out.Errors, out.Skipped); got != test.want {
				t.Errorf("tests, failures, errors, skipped: %s, want %s\n%s", got, test.want, text)
			}
			n := 0
			for _, s := range out.Suites {
				n += len(s.Cases)
				if s.Tests != len(s.Cases) || s.Tests == 0 {
					t.Errorf("%s counts %d of %d tests", s.Name, s.Tests, len(s.Cases))
				}
			}
			if n != out.Tests {
				t.Errorf("%d tests are there, %d counted", n, out.Tests)
			}
		})
	}
}

// TestAReportIsAsGitLabWantsIt holds it to what version 15 of the schema requires.
func TestAReportIsAsGitLabWantsIt(t *testing.T) {
	text := written(t, "gitlab", reports(), Options{})
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	words := func(names ...string) []string { return names }
	wants := []struct {
		at   string
		keys []string
	}{
		{"", words("version", "scan", "vulnerabilities")},
		{"scan", words("analyzer", "scanner", "type", "status", "start_time", "end_time")},
		{"scan.analyzer", words("id", "name", "version", "vendor")},
		{"scan.scanner", words("id", "name", "version", "vendor")},
		{"scan.messages", words("level", "value")},
		{"vulnerabilities", words("id", "identifiers", "location", "severity")},
		{"vulnerabilities.identifiers", words("type", "name", "value")},
		{"vulnerabilities.location", words("dependency", "operating_system", "image")},
		{"vulnerabilities.location.dependency", words("package", "version")},
		{"vulnerabilities.location.dependency.package", words("name")},
	}
	for _, want := range wants {
		found := at(doc, want.at)
		if len(found) == 0 {
			t.Errorf("there is no %s", want.at)
		}
		for _, each := range found {
			for _, key := range want.keys {
				if each[key] == nil || each[key] == "" {
					t.Errorf("%s has no %s: %v", want.at, key, each)
				}
			}
		}
	}
	form := map[string]*regexp.Regexp{
		"scan.status": regexp.MustCompile(`^failure$`), "scan.type": regexp.MustCompile(`^container_scanning$`),
		"scan.start_time":          regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`),
		"scan.messages.level":      regexp.MustCompile(`^(info|warn|fatal)$`),
		"vulnerabilities.severity": regexp.MustCompile(`^(Info|Unknown|Low|Medium|High|Critical)$`),
		"vulnerabilities.id":       regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
		"vulnerabilities.name":     regexp.MustCompile(`^.{1,255}$`), "vulnerabilities.links.url": regexp.MustCompile(`^https?://`),
	}
	for key, want := range form {
		dir, name := key[:strings.LastIndex(key, ".")], key[strings.LastIndex(key, ".")+1:]
		for _, each := range at(doc, dir) {
			if said, ok := each[name].(string); !ok || !want.MatchString(said) {
				t.Errorf("%s is %v, want %s", key, each[name], want)
			}
		}
	}
	if again := written(t, "gitlab", reports()[:1], Options{}); !strings.Contains(again, at(doc, "vulnerabilities")[0]["id"].(string)) ||
		!strings.Contains(again, `"status": "success"`) {
		t.Errorf("the same finding has another id, or the scan failed:\n%s", again)
	}
}

// at are the objects at a place of a document; of a list each is one.
func at(doc map[string]any, place string) (out []map[string]any) {
	head, rest, more := strings.Cut(place, ".")
	if head == "" {
		return []map[string]any{doc}
	}
	var inner []any
	switch v := doc[head].(type) {
	case []any:
		inner = v
	case map[string]any:
		inner = []any{v}
	}
	for _, i := range inner {
		m, ok := i.(map[string]any)
		switch {
		case ok && more:
			out = append(out, at(m, rest)...)
		case ok:
			out = append(out, m)
		}
	}
	return out
}

// full ends as a disk does that is full.
type full struct{}

var errFull = errors.New("the disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	for _, format := range Formats() {
		if err := Write(full{}, format, reports(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", format, err)
		}
	}
}
