package vuln

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	leftPURL = "pkg:npm/left@1.0.0"
	openDoc  = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://vendor.example/vex-1","author":"Vendor",
		"timestamp":"2024-03-01T00:00:00Z","statements":[{"vulnerability":{"name":"CVE-2024-0001"},
		"products":PRODUCTS,"status":"STATUS","justification":"vulnerable_code_not_present"}]}`
	cycloneDoc = `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:1","metadata":{"timestamp":"2024-03-01T00:00:00Z",
		"authors":[{"name":"Vendor"}]},"components":[{"bom-ref":"c1","purl":"pkg:npm/left@1.0.0"}],"vulnerabilities":[{"id":"CVE-2024-0001",
		"analysis":{"state":"STATUS","justification":"code_not_reachable","detail":"never called"},"affects":[{"ref":"REF"}]}]}`
)

func openVEXOf(products, status string) string {
	return strings.NewReplacer("PRODUCTS", products, "STATUS", status).Replace(openDoc)
}

func cyclone(status, ref string) string {
	return strings.NewReplacer("STATUS", status, "REF", ref).Replace(cycloneDoc)
}

func left() Package {
	return Package{Ecosystem: "npm", Name: "left", Version: "1.0.0", PURL: leftPURL,
		Within: []string{"sha256:aa", "registry.example/shop/web:1.2@sha256:bb"}}
}

func TestStatementsDecideWhatCounts(t *testing.T) {
	image := `pkg:oci/web@sha256:aa?repository_url=registry.example/shop/web`
	for _, c := range []struct{ name, document, want string }{
		{"not affected", openVEXOf(`[{"@id":"pkg:npm/left@1.0.0"}]`, NotAffected),
			"Vendor says that it is not affected: vulnerable_code_not_present"},
		{"any version", openVEXOf(`["pkg:npm/left"]`, NotAffected), "Vendor says that it is not affected"},
		{"another version", openVEXOf(`["pkg:npm/left@1.0.1"]`, NotAffected), ""},
		{"another package", openVEXOf(`["pkg:npm/right@1.0.0"]`, NotAffected), ""},
		{"another type", openVEXOf(`["pkg:pypi/left@1.0.0"]`, NotAffected), ""},
		{"fixed", openVEXOf(`["pkg:npm/left@1.0.0"]`, Fixed), "Vendor says that it is fixed"},
		{"affected", openVEXOf(`["pkg:npm/left@1.0.0"]`, Affected), ""},
		{"not known yet", openVEXOf(`["pkg:npm/left@1.0.0"]`, UnderInvestigation), ""},
		{"the image", openVEXOf(`["`+image+`"]`, NotAffected), "not affected"},
		{"its part", openVEXOf(`[{"@id":"`+image+`","subcomponents":[{"@id":"pkg:npm/left"}]}]`, NotAffected), "not affected"},
		{"another part of it", openVEXOf(`[{"@id":"`+image+`","subcomponents":[{"@id":"pkg:npm/right"}]}]`, NotAffected), ""},
		{"the part of another image", openVEXOf(`[{"@id":"pkg:oci/web@sha256:cc","subcomponents":[{"@id":"pkg:npm/left"}]}]`, NotAffected), ""},
		{"the other digest", openVEXOf(`["sha256:bb"]`, NotAffected), "not affected"},
		{"its repository", openVEXOf(`["pkg:oci/web?repository_url=registry.example/shop/web"]`, NotAffected), "not affected"},
		{"its tag", openVEXOf(`["pkg:oci/web?repository_url=registry.example/shop/web&tag=1.2"]`, NotAffected), "not affected"},
		{"another tag", openVEXOf(`["pkg:oci/web?repository_url=registry.example/shop/web&tag=1.3"]`, NotAffected), ""},
		{"its bare name", openVEXOf(`["pkg:oci/web"]`, NotAffected), ""},
		{"CycloneDX", cyclone("not_affected", "c1"), "Vendor says that it is not affected: code_not_reachable"},
		{"CycloneDX, from afar", cyclone("false_positive", "urn:cdx:1/1#c1"), "not affected"},
		{"CycloneDX, a package URL", cyclone("resolved", "pkg:npm/left@1.0.0"), "fixed"},
		{"CycloneDX, exploitable", cyclone("exploitable", "c1"), ""},
		{"CycloneDX, of something else", cyclone("not_affected", "c2"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}, "vex.json": {Data: []byte(c.document)}})
			if err != nil {
				t.Fatal(err)
			}
			if s := db.status.Sources[0]; s.VEX != 1 || !s.Balanced() {
				t.Errorf("%d statements were read: %v", s.VEX, s.Skipped)
			}
			found, _ := db.Examine(left())
			if len(found) != 1 {
				t.Fatalf("%d matches: what is dismissed is told", len(found))
			}
			if got := found[0].Dismissed; !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("dismissed %q, want %q", got, c.want)
			}
			if len(db.Match(left())) == 1 != (c.want == "") {
				t.Error("what is dismissed counts, or the other way round")
			}
		})
	}
}

func TestDocumentsCountBesideADatabase(t *testing.T) {
	db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "vex.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(openVEXOf(`["pkg:npm/left"]`, NotAffected))
	both, err := db.With(t.Context(), file)
	if err != nil || len(both.Match(left())) != 0 || len(db.Match(left())) != 1 {
		t.Errorf("%v: with it %d matches, without it %d", err, len(both.Match(left())), len(db.Match(left())))
	}
	for text, want := range map[string]string{openVEXOf(`["pkg:npm/left"]`, "maybe"): "want a status", oneRecord: "want an OpenVEX document",
		"{": "want JSON"} {
		write(text)
		if _, err := db.With(t.Context(), file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTheLatestStatementCounts(t *testing.T) {
	later := strings.Replace(openVEXOf(`["pkg:npm/left"]`, Affected), "2024-03-01", "2024-04-01", 1)
	for _, files := range []fstest.MapFS{
		{"a.json": {Data: []byte(oneRecord)}, "1.json": {Data: []byte(later)}, "2.json": {Data: []byte(openVEXOf(`["pkg:npm/left"]`,
			NotAffected))}},
		{"a.json": {Data: []byte(oneRecord)}, "2.json": {Data: []byte(later)}, "1.json": {Data: []byte(openVEXOf(`["pkg:npm/left"]`,
			NotAffected))}},
	} {
		db, err := Read(t.Context(), files)
		if err != nil {
			t.Fatal(err)
		}
		if len(db.Match(left())) != 1 {
			t.Error("an older statement overrules a newer one")
		}
	}
}

func TestAStatementThatSaysNothingIsLeftOut(t *testing.T) {
	for want, document := range map[string]string{
		"want a status":        openVEXOf(`["pkg:npm/left"]`, "maybe"),
		"want the products":    openVEXOf(`[]`, NotAffected),
		"want a justification": strings.Replace(openVEXOf(`["pkg:npm/left"]`, NotAffected), "vulnerable_code_not_present", "", 1),
		"want the name":        strings.Replace(openVEXOf(`["pkg:npm/left"]`, NotAffected), "CVE-2024-0001", "", 1),
		"want an analysis":     strings.Replace(cyclone("not_affected", "c1"), `"analysis"`, `"said"`, 1),
	} {
		db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}, "vex.json": {Data: []byte(document)}})
		if err != nil {
			t.Fatal(err)
		}
		s := db.status.Sources[0]
		if s.VEX != 0 || s.SkippedCount != 1 || !strings.Contains(s.Skipped[0].Why, want) || !s.Balanced() {
			t.Errorf("want %q, got %+v", want, s.Skipped)
		}
		if len(db.Match(left())) != 1 {
			t.Errorf("%s: it counts", want)
		}
	}
}

func TestAGoModuleMattersByThePackagesInTheProgram(t *testing.T) {
	record := `{"id":"GO-2024-1","aliases":["CVE-2024-0002"],"affected":[{"package":{"ecosystem":"Go","name":"example.com/m"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}],
		"ecosystem_specific":{"imports":[{"path":"example.com/m/ssh","symbols":["Dial"]},{"path":"example.com/m/agent"}]}}]}`
	whole := `{"id":"GHSA-9","aliases":["CVE-2024-0002"],"affected":[{"package":{"ecosystem":"Go","name":"example.com/m"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}`
	in := func(packages string, records ...string) string {
		files := fstest.MapFS{}
		for i, r := range records {
			files[string(rune('a'+i))+".json"] = &fstest.MapFile{Data: []byte(r)}
		}
		db, err := Read(t.Context(), files)
		if err != nil {
			t.Fatal(err)
		}
		found, _ := db.Examine(Package{Ecosystem: "Go", Name: "example.com/m", Version: "v1.0.0", Linked: packages})
		if len(found) != 1 {
			t.Fatalf("%d matches", len(found))
		}
		return found[0].Dismissed
	}
	if got := in("", record); got != "" {
		t.Errorf("nobody knows which packages are in it: %s", got)
	}
	if got := in("agent other", record); got != "" {
		t.Errorf("a vulnerable one is: %s", got)
	}
	const want = "not affected: package not imported: the program has no code of example.com/m/agent, example.com/m/ssh"
	if got := in(". agents other ssh/agent", record); got != want {
		t.Errorf("none is: %q", got)
	}
	if got := in("other", record, strings.Replace(record, `"imports"`, `"was"`, 1)); got != "" {
		t.Errorf("a record that names none is about all: %s", got)
	}
	if got := in("other", record, whole); got != want {
		t.Errorf("GitHub's records know no packages: %q", got)
	}
	if got := in("other", record, strings.Replace(whole, "GHSA-9", "ACME-9", 1)); got != "" {
		t.Errorf("another database speaks of the whole module: %s", got)
	}
	if got := in("other", whole); got != "" {
		t.Errorf("no record knows packages: %s", got)
	}
	if got := in("other", strings.Replace(record, "example.com/m/ssh", "example.com/m", 1)); !strings.HasSuffix(got,
		"m, example.com/m/agent") {
		t.Errorf("the module's own package is none of the program: %q", got)
	}
	if got := in(". other", strings.Replace(record, "example.com/m/ssh", "example.com/m", 1)); got != "" {
		t.Errorf("the module's own package is vulnerable: %s", got)
	}
	if got := in("other", strings.Replace(record, "example.com/m/ssh", "example.com/moved/ssh", 1)); got != "" {
		t.Errorf("a package that is below another module is seen by nobody: %s", got)
	}
	if got := in("other ssh", strings.Replace(record, `"symbols":["Dial"]`, `"goos":["windows","plan9"]`, 1)); !strings.HasSuffix(got,
		"example.com/m/ssh on windows,plan9") {
		t.Errorf("it is vulnerable on other systems only: %q", got)
	}
	if got := in("other ssh", strings.Replace(record, `"symbols":["Dial"]`, `"goos":["windows","linux"]`, 1)); got != "" {
		t.Errorf("it is vulnerable on this system too: %s", got)
	}
}

func TestAMatchSaysWhy(t *testing.T) {
	record := strings.Replace(oneRecord, `{"introduced":"0"},{"fixed":"2.0.0"}`, `{"introduced":"0.5.0"},{"fixed":"2.0.0"}`, 1)
	listed := `{"id":"GHSA-2","aliases":["CVE-2024-0001"],"affected":[{"package":{"ecosystem":"npm","name":"left"},"versions":["1.0.0"]}]}`
	db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(record)}, "b.json": {Data: []byte(listed)}})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := db.Examine(left())
	if len(found) != 1 || len(found[0].Reasons) != 2 || found[0].Reasons[0] != (Reason{"GHSA-1", ">= 0.5.0, < 2.0.0"}) ||
		found[0].Reasons[1] != (Reason{"GHSA-2", "version 1.0.0 is listed"}) {
		t.Errorf("%+v", found)
	}
}

// FuzzVEX reads anything as a document of statements.
func FuzzVEX(f *testing.F) {
	f.Add(openVEXOf(`[{"@id":"pkg:oci/web@sha256:aa","subcomponents":["pkg:npm/left"]}]`, NotAffected), leftPURL)
	f.Add(cyclone("in_triage", "urn:cdx:1/1#c1"), "pkg:deb/debian/a@1?arch=amd64&distro=debian-12")
	f.Fuzz(func(t *testing.T, document, purl string) {
		db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}, "vex.json": {Data: []byte(document)}})
		if err != nil {
			return
		}
		p := left()
		p.PURL, p.Within = purl, []string{purl, document}
		db.Examine(p)
		if s := db.status.Sources[0]; !s.Balanced() {
			t.Errorf("read %d, counted otherwise: %+v", s.Read, s)
		}
	})
}
