package vendor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// readXML is what a file of updates tells, a line for each.
func readXML(t testing.TB, text string) string {
	t.Helper()
	var out []string
	err := XML(strings.NewReader(text), func(at string, r *Record, why error) error {
		if why != nil {
			out = append(out, at+": "+why.Error())
		} else {
			out = append(out, told(r))
		}
		return nil
	})
	if err != nil {
		out = append(out, "end: "+err.Error())
	}
	return strings.Join(out, "\n")
}

// told is a record in short.
func told(r *Record) string {
	out := fmt.Sprint(r.ID, " ", r.Modified, " ", r.Upstream, " ", r.Database["severity"])
	for _, a := range r.Affected {
		out += fmt.Sprintf("\n %s %s %v %s", a.Package.Ecosystem, a.Package.Name, a.Ranges[0].Events[1:], a.Ecosystem["urgency"])
	}
	return strings.TrimRight(strings.NewReplacer("map[fixed:", "<", "]]", "]", " \n", "\n").Replace(out), " ")
}

// updateOf is an update as repositories publish it.
func updateOf(id, kind, references string, packages ...string) string {
	return `<update status="final" version="1.4" type="` + kind + `"><id>` + id + `</id><title>` + id +
		`: important priority package update</title>
		<issued date="2023-02-17 20:41" /><updated date="2023-02-22 23:22" /><severity>Important</severity><description>A flaw.</description>
		<references>` + references + `</references><pkglist><collection short="x"><name>X</name>` + strings.Join(packages, "") +
		`</collection></pkglist></update>`
}

func TestAnUpdateOfAnExtraSpeaksOfItsOwnStreamAlone(t *testing.T) {
	for _, c := range []struct{ id, epoch, version, want string }{
		{"ALAS2PHP8.2-2023-001", "0", "8.2.8", "8.2"},
		{"ALAS2PHP8.2-2023-001", "0", "8.20.1", "0"},
		{"ALAS2KERNEL-5.10-2023-040", "", "5.10.186", "5.10"},
		{"ALAS2POSTGRESQL14-2023-003", "0", "14.9", "14"},
		{"ALASJAVA-OPENJDK11-2021-002", "1", "11.0.13", "1:11"},
		{"ALAS2CORRETTO8-2023-006", "1", "1.8.0_382.b05", "0"}, // its package's own number
		{"ALAS2DOCKER-2023-029", "0", "20.10.23", "0"},         // a topic without streams
		{"ALAS2-2023-2100", "0", "4.14.320", "0"},
		{"ALAS2023-2023-001", "0", "2023.1", "0"},
	} {
		text := "<updates>" + updateOf(c.id, "security", cveRef("CVE-2023-0001"), rpm("x", c.epoch, c.version, "1.amzn2", "x86_64")) + "</updates>"
		found := false
		err := XML(strings.NewReader(text), func(_ string, r *Record, why error) error {
			if why != nil {
				return why
			}
			found = true
			if got := r.Affected[0].Ranges[0].Events[0]["introduced"]; got != c.want {
				t.Errorf("%s of %s: from %q on, want %q", c.id, c.version, got, c.want)
			}
			return nil
		})
		if err != nil || !found {
			t.Errorf("%s: %v", c.id, err)
		}
	}
}

func rpm(name, epoch, version, release, arch string) string {
	return `<package name="` + name + `" version="` + version + `" release="` + release + `" epoch="` + epoch + `" arch="` + arch +
		`"><filename>a.rpm</filename></package>`
}

func cveRef(id string) string {
	return `<reference href="https://x" title="" id="` + id + `" type="cve" />`
}

func TestUpdatesOfRepositoriesAreRead(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"Amazon Linux 2023": {updateOf("ALAS2023-2023-001", "security", cveRef("CVE-2022-24903")+cveRef("CVE-2014-3634"),
			rpm("rsyslog", "0", "8.2204.0", "3.amzn2023.0.2", "x86_64"), rpm("rsyslog", "0", "8.2204.0", "3.amzn2023.0.2", "aarch64"),
			rpm("rsyslog-doc", "2", "8.2204.0", "3.amzn2023.0.2", "noarch")),
			"ALAS2023-2023-001 2023-02-22T23:22:00Z [CVE-2014-3634 CVE-2022-24903] Important\n Amazon Linux:2023 rsyslog " +
				"[<8.2204.0-3.amzn2023.0.2]\n" +
				" Amazon Linux:2023 rsyslog-doc [<2:8.2204.0-3.amzn2023.0.2]"},
		"Amazon Linux 2, and 1": {updateOf("ALAS2-2018-939", "security", cveRef("CVE-2017-5754"), rpm("kernel", "0", "4.9.76", "38.79.amzn2",
			"x86_64")) +
			updateOf("ALAS-2018-939", "security", cveRef("CVE-2017-5754"), rpm("kernel", "0", "4.9.76", "3.78.amzn1", "x86_64")),
			"ALAS2-2018-939 2023-02-22T23:22:00Z [CVE-2017-5754] Important\n Amazon Linux:2 kernel [<4.9.76-38.79.amzn2]\n" +
				"ALAS-2018-939 2023-02-22T23:22:00Z [CVE-2017-5754] Important\n Amazon Linux:1 kernel [<4.9.76-3.78.amzn1]"},
		"Fedora, which names CVEs in titles of bugs": {updateOf("FEDORA-2024-1a", "security",
			`<reference href="https://x" id="2262921" title="CVE-2024-24806 libuv: x [fedora-39]" type="bugzilla"/>`, rpm("libuv", "1", "1.48.0",
				"1.fc39", "x86_64")),
			"FEDORA-2024-1a 2023-02-22T23:22:00Z [CVE-2024-24806] Important\n Fedora:39 libuv [<1:1.48.0-1.fc39]"},
		"Oracle Linux, and a patch of running programs": {updateOf("ELSA-2022-9272", "security", cveRef("CVE-2022-0778"),
			rpm("openssl", "2", "1.1.1k", "6.ksplice1.el8_5", "x86_64"), rpm("openssl", "1", "1.1.1k", "6.el8_5", "x86_64"),
			rpm("gnutls", "10", "3.6.16", "4.0.1.el8_fips", "x86_64")),
			"ELSA-2022-9272 2023-02-22T23:22:00Z [CVE-2022-0778] Important\n Oracle Linux:8:ksplice openssl [<2:1.1.1k-6.ksplice1.el8_5]\n" +
				" Oracle Linux:8 openssl [<1:1.1.1k-6.el8_5]\n Oracle Linux:8:fips gnutls [<10:3.6.16-4.0.1.el8_fips]"},
		"not about security": {updateOf("ALAS2-2018-940", "bugfix", "", rpm("kernel", "0", "4", "1.amzn2", "x86_64")), ""},
		"of nobody we know": {updateOf("ROSA-1", "security", cveRef("CVE-2022-0778"), rpm("a", "0", "1", "1", "x86_64")),
			`update 1: want an update of Amazon Linux, Oracle Linux or Fedora, got "ROSA-1"`},
		"of no release": {updateOf("ELSA-1", "security", cveRef("CVE-2022-0778"), rpm("a", "0", "1", "1", "x86_64")),
			`update 1: ELSA-1: want a release of Oracle Linux in the package's (\.el(\d+)), got "1"`},
		"of no package": {updateOf("ELSA-1", "security", cveRef("CVE-2022-0778")), "update 1: ELSA-1: want the packages that are updated"},
		"a package of no name": {updateOf("ELSA-1", "security", "", rpm("", "0", "1", "1.el8", "x86_64")),
			"update 1: ELSA-1: want the name of a package"},
		"a name of two lines": {updateOf("ELSA-1", "security", "", rpm("a&#10;b", "0", "1", "1.el8", "x86_64")),
			`update 1: ELSA-1: want names and versions of one line of at most 256 bytes, got "a\nb"`},
		"one after a broken one": {updateOf("ELSA-1", "security", "") + updateOf("ALAS2-2018-939", "security", cveRef("CVE-2017-5754"), rpm("k",
			"", "4",
			"1.amzn2", "x86_64")), "update 1: ELSA-1: want the packages that are updated\n" +
			"ALAS2-2018-939 2023-02-22T23:22:00Z [CVE-2017-5754] Important\n Amazon Linux:2 k [<4-1.amzn2]"},
	} {
		if got := readXML(t, "<?xml version=\"1.0\"?>\n<updates>"+test.text+"</updates>"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, test.want)
		}
	}
	for text, want := range map[string]string{"": "end: want updates or OVAL definitions, the file is empty",
		"<html/>":          "end: want <updates> or <oval_definitions>, got <html>",
		"<updates><update": "end: want XML: XML syntax error on line 1: unexpected EOF",
		"no":               "end: want updates or OVAL definitions, the file is empty",
		"<updates><update type=\"security\"><id>ALAS": "update 1: want an update: XML syntax " +
			"error on line 1: unexpected EOF\nend: want XML: XML syntax error on line 1: unexpected EOF",
		"<updates><update><id>" + strings.Repeat("x", mostRecord+1<<16) +
			"</id></update></updates>": "end: update 1: want an update: want at most 8388608 bytes in one record: past its bounds",
	} {
		if got := readXML(t, text); got != want {
			t.Errorf("%.60s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// definitionOf is an update as Oracle publishes it.
func definitionOf(title, metadata, criteria string) string {
	return `<definition id="oval:com.oracle.elsa:def:1" version="501" class="patch"><metadata><title>
` + title + `
</title><affected family="unix"><platform>Oracle Linux 9</platform></affected>
<reference source="elsa" ref_id="ELSA-2024-1" ref_url="https://linux.oracle.com/errata/ELSA-2024-1.html"/>` + metadata + `</metadata>
<criteria operator="AND">` + criteria + `</criteria></definition>`
}

func TestOraclesOVALIsRead(t *testing.T) {
	const installed = `<criterion test_ref="x" comment="Oracle Linux 9 is installed"/>`
	earlier := func(name, version string) string {
		return `<criteria operator="AND"><criterion test_ref="x" comment="` + name + ` is earlier than ` + version + `"/>` +
			`<criterion test_ref="x" comment="` + name + ` is signed with the Oracle Linux 9 key"/></criteria>`
	}
	const two = `<reference source="CVE" ref_id="CVE-2024-0001" ref_url="x"/><reference source="CVE" ref_id="CVE-2024-0002" ref_url="x"/>
		<advisory><severity>MODERATE</severity><issued date="2024-01-26"/></advisory>`
	for name, test := range map[string]struct{ text, want string }{
		"an update": {definitionOf("ELSA-2024-1:  bind security update (MODERATE)", two, installed+`<criteria operator="OR">`+
			earlier("bind-libs", "32:9.16-1.el9_3")+earlier("bind", "0:9.16-1.el9_3")+earlier("bind", "0:9.16-1.el9_3")+`</criteria>`),
			"ELSA-2024-1 2024-01-26T00:00:00Z [CVE-2024-0001 CVE-2024-0002] MODERATE\n Oracle Linux:9 bind-libs [<32:9.16-1.el9_3]\n" +
				" Oracle Linux:9 bind [<9.16-1.el9_3]"},
		"for several releases": {definitionOf("ELSA-2024-1: x", two, `<criteria operator="OR"><criteria>`+strings.Replace(installed, "9", "8", 1)+
			earlier("a", "0:1-1.el8")+`</criteria><criteria>`+installed+earlier("a", "0:2-1.el9")+`</criteria></criteria>`),
			"ELSA-2024-1 2024-01-26T00:00:00Z [CVE-2024-0001 CVE-2024-0002] MODERATE\n Oracle Linux:8 a [<1-1.el8]\n Oracle Linux:9 a [<2-1.el9]"},
		"for no release": {definitionOf("ELSA-2024-1: x", two, earlier("a", "0:1-1.el8")),
			`definition 1: ELSA-2024-1: want the release in which "a is earlier than 0:1-1.el8" holds`},
		"of no package": {definitionOf("ELSA-2024-1: x", two, installed),
			"definition 1: ELSA-2024-1: want packages that are earlier than a version"},
		"of another": {definitionOf("RHSA-2024-1: x", two, installed), `definition 1: want an update of Oracle Linux, got "RHSA-2024-1"`},
		"a certified build": {definitionOf("ELSA-2024-1: x", two, installed+earlier("gnutls", "10:3.8-1.el9_fips")),
			"ELSA-2024-1 2024-01-26T00:00:00Z [CVE-2024-0001 CVE-2024-0002] MODERATE\n Oracle Linux:9:fips gnutls [<10:3.8-1.el9_fips]"},
		"of another class": {strings.Replace(definitionOf("ELSA-2024-1: x", two, installed), `"patch"`, `"inventory"`, 1), ""},
	} {
		if got := readXML(t, "<oval_definitions xmlns=\"http://oval.mitre.org/XMLSchema/oval-definitions-5\"><generator/><definitions>"+test.text+
			"</definitions><tests><broken</oval_definitions>"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, test.want)
		}
	}
	var scored *Record
	one := `<advisory><cve cvss2="1.2/AV:L" cvss3="5.5/CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N">CVE-2024-0001</cve></advisory>`
	_ = XML(strings.NewReader("<oval_definitions>"+definitionOf("ELSA-2024-1: x", one, installed+earlier("a",
		"0:1-1.el9"))+"</oval_definitions>"),
		func(_ string, r *Record, _ error) error { scored = r; return nil })
	if scored == nil || len(scored.Severity) != 1 || scored.Severity[0] != (Score{"CVSS_V3", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}) {
		t.Errorf("the score of its one CVE: %+v", scored)
	}
}

func TestPhotonsListIsRead(t *testing.T) {
	const all = "all versions before 2.7.6-2.ph3 are vulnerable"
	for name, test := range map[string]struct{ file, entry, want string }{
		"fixed": {"a.json", `{"cve_id":"CVE-2019-3828","pkg":"ansible","cve_score":10,"aff_ver":"` + all + `","res_ver":"2.7.6-2.ph3"}`,
			"PHOTON-3.0-ansible-CVE-2019-3828  [] <nil>\n Photon OS:3.0 ansible [<2.7.6-2.ph3]"},
		"not affected": {"x/cve_data_photon5.0.json", `{"cve_id":"CVE-2025-0725","pkg":"curl","aff_ver":"NA","res_ver":"NA",
		"status":"Not Affected"}`,
			"PHOTON-5.0-curl-CVE-2025-0725  [] <nil>\n Photon OS:5.0 curl [<0]"},
		"not fixed yet": {"m.zip!photon-4.0.json", `{"cve_id":"CVE-2025-0725","pkg":"curl","aff_ver":"all versions are vulnerable",
		"res_ver":"NA"}`,
			"PHOTON-4.0-curl-CVE-2025-0725  [] <nil>\n Photon OS:4.0 curl []"},
		"neither said": {"cve_data_photon5.0.json", `{"cve_id":"CVE-2025-0725","pkg":"curl","aff_ver":"NA","res_ver":"NA"}`,
			`CVE-2025-0725 in "curl": want versions that are affected, or a status of Not Affected`},
		"of no release": {"photon5.0/a.json", `{"cve_id":"CVE-2025-0725","pkg":"curl","aff_ver":"NA","res_ver":"NA","status":"Not Affected"}`,
			`CVE-2025-0725 in "curl": want a release of Photon in the version that fixes it (.ph5) or in the name of the ` +
				`file (cve_data_photon5.0.json)`},
		"of no CVE": {"a.json", `{"cve_id":"UNK-1","pkg":"curl","aff_ver":"` + all + `","res_ver":"1-1.ph3"}`,
			`want the id of a CVE, got "UNK-1"`},
		"another": {"a.json", `{"id":"CVE-2019-3828","pkg":"ansible"}`, "is none"},
		"no JSON": {"a.json", `{`, "is none"},
	} {
		r, is, err := Photon(test.file, []byte(test.entry))
		got := "is none"
		switch {
		case is && err != nil:
			got = err.Error()
		case is:
			got = told(r)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// vexOf is a document as Red Hat publishes it: of the main release, of one with extended updates, and of another product.
func vexOf(status, remediations string) string {
	const relation = `{"category":"default_component_of","full_product_name":{"product_id":"%s:%s"},"product_reference":"%s",` +
		`"relates_to_product_reference":"%s"}`
	releases := [][2]string{{"rhel9", "cpe:/a:redhat:enterprise_linux:9::appstream"}, {"rhel8", "cpe:/o:redhat:enterprise_linux:8"},
		{"eus9", "cpe:/o:redhat:rhel_eus:9.0::baseos"}, {"satellite", "cpe:/a:redhat:satellite:6.14::el8"}}
	parts := [][2]string{{"curl-7.76.1-23.el9_2.4", "pkg:rpm/redhat/curl@7.76.1-23.el9_2.4?arch=x86_64"},
		{"curl-7.76.1-26.el9_3.2", "pkg:rpm/redhat/curl@7.76.1-26.el9_3.2?arch=src"},
		{"bind-32:9.16", "pkg:rpm/redhat/bind@9.16-1.el9?arch=src&epoch=32"}, {"curl", "pkg:rpm/redhat/curl"}, {"libcurl.src",
			"pkg:rpm/redhat/libcurl?arch=src"},
		{"snakeyaml", ""}, {"nodejs:18/nodejs", ""}, {"nodejs-18", "pkg:rpm/redhat/nodejs@18-1.el8?arch=src&rpmmod=nodejs:18"},
		{"image", "pkg:oci/curl@sha256%3Aabc"}, {"upstream", "pkg:rpm/other/curl"}, {"broken", "pkg:"}}
	var products, relations []string
	for _, r := range releases {
		products = append(products, fmt.Sprintf(`{"category":"product_family","branches":[{"category":"product_name","product":{"product_id":%q,`+
			`"product_identification_helper":{"cpe":%q}}}]}`, r[0], r[1]))
		for _, p := range parts {
			relations = append(relations, fmt.Sprintf(relation, r[0], p[0], p[0], r[0]))
		}
	}
	for _, p := range parts {
		helper := ""
		if p[1] != "" {
			helper = fmt.Sprintf(`,"product_identification_helper":{"purl":%q}`, p[1])
		}
		products = append(products, fmt.Sprintf(`{"category":"product_version","product":{"product_id":%q%s}}`, p[0], helper))
	}
	return `{"document":{"aggregate_severity":{"text":"Important"},"category":"csaf_vex","csaf_version":"2.0",
		"publisher":{"namespace":"https://www.redhat.com"},
		"tracking":{"current_release_date":"2024-05-01T10:00:00+00:00","initial_release_date":"2023-10-11T06:00:00+00:00","status":"final"}},
		"product_tree":{"branches":[{"category":"vendor","branches":[` + strings.Join(products, ",") + `]}],"relationships":[` +
		strings.Join(relations, ",") + `]},
		"vulnerabilities":[{"cve":"CVE-2023-38545","cwe":{"id":"CWE-787","name":"x"},"title":"curl: overflow",
		"notes":[{"category":"description","text":"A flaw."}],
		"product_status":{` + status + `},"remediations":[` + remediations + `],
		"scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"},"products":[]}]}]}`
}

func TestRedHatsVEXIsRead(t *testing.T) {
	const head = "REDHAT-CVE-2023-38545 2024-05-01T10:00:00Z [] Important"
	for name, test := range map[string]struct{ status, remediations, want string }{
		"fixed, from the first update on": {`"fixed":["rhel9:curl-7.76.1-26.el9_3.2","rhel9:curl-7.76.1-23.el9_2.4","eus9:curl-7.76.1-23.el9_2.4",
			"rhel9:bind-32:9.16"],"known_affected":["rhel9:curl"]`, "",
			head + "\n Red Hat:enterprise_linux:9 bind [<32:9.16-1.el9]\n Red Hat:enterprise_linux:9 curl [<7.76.1-23.el9_2.4] <7.76.1-26.el9_3.2]"},
		"not affected": {`"known_not_affected":["rhel8:curl","rhel8:libcurl.src","satellite:curl"]`, "",
			head + "\n Red Hat:enterprise_linux:8 curl [<0]\n Red Hat:enterprise_linux:8 libcurl [<0]"},
		"not fixed, and why": {`"known_affected":["rhel8:curl","rhel9:curl","rhel8:snakeyaml","rhel9:snakeyaml"],
		"known_not_affected":["rhel9:curl"]`,
			`{"category":"no_fix_planned","details":"Will not fix","product_ids":["rhel8:curl"]},{"category":"none_available",
		"details":"Affected",` +
				`"product_ids":["rhel9:curl"]},{"category":"none_available","details":"Fix deferred","product_ids":["rhel9:snakeyaml"]},` +
				`{"category":"no_fix_planned","details":"Out of support scope","product_ids":["rhel8:snakeyaml","unknown"]}`,
			head + "\n Red Hat:enterprise_linux:8 curl [] will not fix\n Red Hat:enterprise_linux:8 snakeyaml [] out of support scope\n" +
				" Red Hat:enterprise_linux:9 curl []\n Red Hat:enterprise_linux:9 snakeyaml [] deferred"},
		"modules, images and others' packages": {`"known_affected":["rhel8:nodejs:18/nodejs","rhel8:nodejs-18","rhel8:image","rhel8:upstream",
		"rhel8:broken"],
			"fixed":["rhel8:nodejs-18"]`, "", head},
	} {
		got, is, err := CSAF([]byte(vexOf(test.status, test.remediations)))
		if !is || err != nil || len(got) != 1 {
			t.Errorf("%s: %v %v %v", name, got, is, err)
			continue
		}
		if have := told(got[0]); have != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, have, test.want)
		}
		r := got[0]
		if r.Summary != "curl: overflow" || r.Details != "A flaw." ||
			fmt.Sprint(r.Severity) != "[{CVSS_V3 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H}]" ||
			fmt.Sprint(r.Database["cwe_ids"]) != "[CWE-787]" || r.Published != "2023-10-11T06:00:00Z" {
			t.Errorf("%+v", r)
		}
	}
	good := vexOf("", "")
	for name, test := range map[string]struct {
		text, want string
		is         bool
	}{
		"of an update": {strings.Replace(good, "csaf_vex", "csaf_security_advisory", 1),
			`want CSAF of the category csaf_vex, got "csaf_security_advisory"`, true},
		"of another": {strings.Replace(good, "www.redhat.com", "www.suse.com", 1),
			`want CSAF of https://www.redhat.com, got of "https://www.suse.com"`, true},
		"of no CVE":           {strings.Replace(good, "CVE-2023-38545", "RHSA-1", 1), `want the id of a CVE, got "RHSA-1"`, true},
		"of no vulnerability": {good[:strings.Index(good, `"vulnerabilities"`)] + `"vulnerabilities":[]}`, "want a vulnerability in it", true},
		"of many": {good[:strings.Index(good, `"vulnerabilities"`)] + `"vulnerabilities":[` + strings.Repeat("{},",
			mostVulnerabilities) + `{}]}`, "want at most 100 vulnerabilities, got 101: past its bounds", true},
		"of the wrong shape": {`{"document":{"csaf_version":"2.0"},"vulnerabilities":7}`,
			"json: cannot unmarshal number into Go struct field csaf.vulnerabilities of type []vendor.vulnerability", true},
		"another document": {`{"document":{}}`, "", false},
	} {
		_, is, err := CSAF([]byte(test.text))
		if is != test.is || fmt.Sprint(err) != test.want && (err != nil || test.want != "") {
			t.Errorf("%s: %v %v, want %s", name, is, err, test.want)
		}
	}
}

// wellWritten holds a record to what the database takes.
func wellWritten(t *testing.T, r *Record) {
	t.Helper()
	if r.ID == "" || len(r.Affected) > mostAffected || !slices.IsSorted(r.Upstream) {
		t.Fatalf("%+v", r)
	}
	for _, a := range r.Affected {
		if a.Package.Name == "" || len(a.Package.Name) > longestText || strings.ContainsAny(a.Package.Name+a.Package.Ecosystem, "\n\x00") ||
			!strings.Contains(a.Package.Ecosystem, ":") {
			t.Fatalf("%+v", a)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Fatal(err)
	}
}

func FuzzXML(f *testing.F) {
	f.Add("<updates>" + updateOf("ALAS2023-2023-001", "security", cveRef("CVE-2022-24903"), rpm("a", "0", "1", "3.amzn2023", "x86_64")) +
		"</updates>")
	f.Add("<oval_definitions><definitions>" + definitionOf("ELSA-2024-1: x", "",
		`<criterion comment="Oracle Linux 9 is installed"/><criterion comment="a is earlier than 1:2"/>`) + "</definitions>")
	f.Fuzz(func(t *testing.T, text string) {
		_ = XML(strings.NewReader(text), func(_ string, r *Record, why error) error {
			if (r == nil) == (why == nil) {
				t.Fatalf("%v, %v", r, why)
			}
			if r != nil {
				wellWritten(t, r)
			}
			return nil
		})
	})
}

func FuzzDocument(f *testing.F) {
	f.Add("cve_data_photon5.0.json", `{"cve_id":"CVE-2025-0725","pkg":"curl","aff_ver":"NA","res_ver":"NA","status":"Not Affected"}`)
	f.Add("a.json", vexOf(`"fixed":["rhel9:curl-7.76.1-23.el9_2.4"],"known_affected":["rhel8:curl"]`, ""))
	f.Fuzz(func(t *testing.T, name, text string) {
		if r, is, err := Photon(name, []byte(text)); is && err == nil {
			wellWritten(t, r)
		}
		if all, is, err := CSAF([]byte(text)); is && err == nil {
			for _, r := range all {
				wellWritten(t, r)
			}
		}
	})
}
