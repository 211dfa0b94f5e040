package vuln_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/vuln"
)

func TestSeveritySaysWhoDecided(t *testing.T) {
	const (
		v98   = `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`
		fixed = `{"introduced":"0"},{"fixed":"9"}`
		v2    = `{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}`
		v3    = `{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}`
		v4    = `{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"}`
	)
	with := func(extra, text string) string {
		return strings.Replace(text, `"ranges"`, extra+`,"ranges"`, 1)
	}
	tests := []struct {
		name     string
		records  []string
		pkg      vuln.Package
		severity vuln.Severity
		source   string
	}{
		{"Ubuntu's priority before CVSS",
			[]string{with(`"severity":[{"type":"Ubuntu","score":"medium"}]`, affected(`"id":"UBUNTU-CVE-2020-10001",`+v98,
				"Ubuntu:22.04:LTS", "x", fixed))},
			vuln.Package{Ecosystem: "Ubuntu:22.04:LTS", Name: "x", Version: "1"}, vuln.Medium, "Ubuntu rates it medium (UBUNTU-CVE-2020-10001)"},
		{"Ubuntu's priority on the record itself",
			[]string{affected(`"id":"UBUNTU-CVE-2020-10001","severity":[{"type":"Ubuntu","score":"negligible"},{"type":"CVSS_V3",`+
				`"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`, "Ubuntu:22.04:LTS", "x", fixed)},
			vuln.Package{Ecosystem: "Ubuntu:22.04:LTS", Name: "x", Version: "1"}, vuln.Low, "Ubuntu rates it negligible (UBUNTU-CVE-2020-10001)"},
		{"Debian's urgency before CVSS",
			[]string{with(`"ecosystem_specific":{"urgency":"unimportant"}`, affected(`"id":"DEBIAN-CVE-2020-10001",`+v98, "Debian:12", "x", fixed))},
			vuln.Package{Ecosystem: "Debian:12", Name: "x", Version: "1"}, vuln.Low, "Debian rates it unimportant (DEBIAN-CVE-2020-10001)"},
		{"Debian that has not rated it yet leaves it to CVSS",
			[]string{with(`"ecosystem_specific":{"urgency":"not yet assigned"}`, affected(`"id":"DEBIAN-CVE-2020-10001",`+v98, "Debian:12",
				"x", fixed))},
			vuln.Package{Ecosystem: "Debian:12", Name: "x", Version: "1"}, vuln.Critical, "CVSS 9.8 (DEBIAN-CVE-2020-10001)"},
		{"Red Hat's word at the head of the title",
			[]string{affected(`"id":"RHSA-2020:1","upstream":["CVE-2020-10001"],"summary":"Important: x security update",`+v98,
				"Red Hat:enterprise_linux:9::appstream", "x", fixed)},
			vuln.Package{Ecosystem: "Red Hat:enterprise_linux:9", Name: "x", Version: "1"}, vuln.High, "Red Hat rates it Important (RHSA-2020:1)"},
		{"a distribution without releases rates as well",
			[]string{affected(`"id":"CGA-1","upstream":["CVE-2020-10001"],"database_specific":{"severity":"low"},`+v98, "Wolfi", "x", fixed)},
			vuln.Package{Ecosystem: "Wolfi", Name: "x", Version: "1"}, vuln.Low, "Wolfi rates it low (CGA-1)"},
		{"CVSS from the CVE's own record", []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "x", fixed),
			`{"id":"CVE-2020-10001",` + v98 + `}`},
			vuln.Package{Ecosystem: "Debian:12", Name: "x", Version: "1"}, vuln.Critical, "CVSS 9.8 (CVE-2020-10001)"},
		{"another distribution's rating does not count", []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "x", fixed),
			affected(`"id":"UBUNTU-CVE-2020-10001","severity":[{"type":"Ubuntu","score":"low"}]`, "Ubuntu:22.04", "x", fixed)},
			vuln.Package{Ecosystem: "Debian:12", Name: "x", Version: "1"}, vuln.Unknown, "no advisory rates it"},
		{"CVSS before GitHub's level",
			[]string{affected(`"id":"GHSA-1","aliases":["CVE-2020-10001"],"database_specific":{"severity":"LOW"},`+v98, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.Critical, "CVSS 9.8 (GHSA-1)"},
		{"GitHub's level last", []string{affected(`"id":"GHSA-1","aliases":["CVE-2020-10001"],`+
			`"database_specific":{"severity":"MODERATE"}`, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.Medium, "GitHub calls it moderate (GHSA-1)"},
		{"a broken vector is no rating",
			[]string{affected(`"id":"GHSA-1","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:Q"}]`, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.Unknown, "no advisory rates it"},
		{"CVSS 4 where there is nothing else",
			[]string{affected(`"id":"GHSA-1","severity":[{"type":"CVSS_V4",`+
				`"score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"}]`, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.High, "CVSS 8.7 (GHSA-1)"},
		{"CVSS 4 before CVSS 3, in either order", []string{affected(`"id":"GHSA-1","severity":[`+v3+`,`+v4+`]`, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.High, "CVSS 8.7 (GHSA-1)"},
		{"CVSS 4 of another record before CVSS 3",
			[]string{affected(`"id":"GHSA-1","aliases":["CVE-2020-10001"],"severity":[`+v3+`]`, "npm", "x", fixed),
				`{"id":"CVE-2020-10001","severity":[` + v4 + `]}`},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.High, "CVSS 8.7 (CVE-2020-10001)"},
		{"CVSS 3.1 before CVSS 3.0", []string{affected(`"id":"GHSA-1","severity":[{"type":"CVSS_V3",`+
			`"score":"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},`+v3+`]`, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.Medium, "CVSS 5.3 (GHSA-1)"},
		{"GitHub's before the CVE's own record", []string{affected(`"id":"GO-1","aliases":["CVE-2020-10001"]`, "Go", "x", fixed),
			`{"id":"CVE-2020-10001",` + v98 + `}`, `{"id":"GHSA-1","aliases":["CVE-2020-10001"],"severity":[` + v3 + `]}`},
			vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"}, vuln.Medium, "CVSS 5.3 (GHSA-1)"},
		{"the record that decides before GitHub's", []string{affected(`"id":"PYSEC-1","aliases":["CVE-2020-10001"],`+v98, "PyPI", "x", fixed),
			`{"id":"GHSA-1","aliases":["CVE-2020-10001"],"severity":[` + v3 + `]}`},
			vuln.Package{Ecosystem: "PyPI", Name: "x", Version: "1.0.0"}, vuln.Critical, "CVSS 9.8 (PYSEC-1)"},
		{"GitHub's level before the CVE's own", []string{affected(`"id":"GO-1","aliases":["CVE-2020-10001"]`, "Go", "x", fixed),
			`{"id":"CVE-2020-10001","database_specific":{"severity":"critical"}}`,
			`{"id":"GHSA-1","aliases":["CVE-2020-10001"],"database_specific":{"severity":"LOW"}}`},
			vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"}, vuln.Low, "GitHub calls it low (GHSA-1)"},
		{"a notice on several is of the worst of them", []string{affected(`"id":"X-1","aliases":["CVE-2020-10001","CVE-2020-10002"],`+v98,
			"npm", "x", fixed), affected(`"id":"X-2","aliases":["CVE-2020-10002"]`, "npm", "x", `{"introduced":"0"},{"fixed":"0.1.0"}`),
			`{"id":"CVE-2020-10001","severity":[` + v3 + `]}`, `{"id":"CVE-2020-10002","withdrawn":"2024-01-01T00:00:00Z"}`},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.Medium, "CVSS 5.3 (CVE-2020-10001)"},
		{"CVSS 4 before CVSS 2", []string{affected(`"id":"GHSA-1","severity":[`+v2+`,`+v4+`]`, "npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.High, "CVSS 8.7 (GHSA-1)"},
		{"the higher of two of one standard",
			[]string{affected(`"id":"GHSA-1","severity":[`+v3+`,{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`,
				"npm", "x", fixed)},
			vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"}, vuln.Critical, "CVSS 9.8 (GHSA-1)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := slices.DeleteFunc(memory(t, test.records...).Match(test.pkg), func(m vuln.Match) bool { return m.ID == "CVE-2020-10002" })
			if len(got) != 1 || got[0].ID != "CVE-2020-10001" && got[0].ID != "GHSA-1" {
				t.Fatalf("matches %v", got)
			}
			if got[0].Severity != test.severity || got[0].SeveritySource != test.source {
				t.Errorf("%s because %q, want %s because %q", got[0].Severity, got[0].SeveritySource, test.severity, test.source)
			}
		})
	}
}

func TestAMatchJoinsWhatItsRecordsSay(t *testing.T) {
	db := memory(t,
		affected(`"id":"GO-2020-1","aliases":["CVE-2020-10001","GHSA-a"],"published":"2020-02-01T00:00:00Z",`+
			`"modified":"2021-01-01T00:00:00Z","references":[{"type":"WEB","url":"https://a"},{"type":"WEB",`+
			`"url":"javascript:alert(1)"}]`, "Go", "x", `{"introduced":"0"},{"fixed":"1.2.0"}`),
		`{"id":"GHSA-a","aliases":["CVE-2020-10001"],"published":"2020-01-01T00:00:00Z","summary":"Title","details":"Words.",`+
			`"database_specific":{"cwe_ids":["CWE-78"]},"references":[{"type":"WEB","url":"https://b"}]}`)
	got := db.Match(vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"})
	if len(got) != 1 {
		t.Fatalf("%d matches", len(got))
	}
	m := got[0]
	if m.ID != "CVE-2020-10001" || strings.Join(m.Aliases, " ") != "GHSA-a GO-2020-1" || strings.Join(m.Advisories, " ") != "GO-2020-1" {
		t.Errorf("ids %s %v %v", m.ID, m.Aliases, m.Advisories)
	}
	if m.Summary != "Title" || m.Details != "Words." || strings.Join(m.CWEs, " ") != "CWE-78" ||
		strings.Join(m.References, " ") != "https://a https://b" {
		t.Errorf("prose %+v", m)
	}
	if m.Published.Month() != 1 || m.Modified.Year() != 2021 {
		t.Errorf("times %v %v", m.Published, m.Modified)
	}
}

// TestEachOfSeveralVulnerabilitiesKeepsItsOwnNames: what a record on two CVEs is also called is of neither alone, but for what other
// records say of each.
func TestEachOfSeveralVulnerabilitiesKeepsItsOwnNames(t *testing.T) {
	db := memory(t, affected(`"id":"PYSEC-1","aliases":["CVE-2020-10001","CVE-2020-10002","GHSA-a","GHSA-b"]`, "PyPI", "x", introduced),
		`{"id":"GHSA-a","aliases":["CVE-2020-10001"],"summary":"The one","severity":[{"type":"CVSS_V3",`+
			`"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}`,
		`{"id":"GHSA-b","aliases":["CVE-2020-10002","OTHER-b"],"summary":"The other","database_specific":{"severity":"LOW"}}`)
	got := db.Match(vuln.Package{Ecosystem: "PyPI", Name: "x", Version: "1.0.0"})
	if len(got) != 2 {
		t.Fatalf("%d matches", len(got))
	}
	for i, want := range []string{"CVE-2020-10001 [GHSA-a PYSEC-1] Critical The one",
		"CVE-2020-10002 [GHSA-b OTHER-b PYSEC-1] Low The other"} {
		if m := got[i]; fmt.Sprint(m.ID, " ", m.Aliases, " ", m.Severity, " ", m.Summary) != want {
			t.Errorf("got %s %v %s %s, want %s", m.ID, m.Aliases, m.Severity, m.Summary, want)
		}
	}
}

func TestAVulnerabilityIsFoundByAnyOfItsIDs(t *testing.T) {
	db := memory(t,
		affected(`"id":"GO-2020-1","aliases":["CVE-2020-10001","GHSA-a"]`, "Go", "x", introduced),
		`{"id":"GHSA-a","aliases":["CVE-2020-10001"],"summary":"Title","severity":[{"type":"CVSS_V3",`+
			`"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}`)
	for _, id := range []string{"CVE-2020-10001", "GHSA-a", "GO-2020-1"} {
		m, known, err := db.Vulnerability(id)
		if err != nil || !known || m.ID != "CVE-2020-10001" || m.Severity != vuln.Critical || m.Summary != "Title" {
			t.Errorf("%s: %+v, %v, %v", id, m, known, err)
		}
	}
	if _, known, err := db.Vulnerability("CVE-1999-0001"); known || err != nil {
		t.Errorf("an id that nobody wrote about: %v, %v", known, err)
	}
}
