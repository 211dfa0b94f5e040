package vuln_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/vuln"
)

// memory makes a database of records written as JSON, one per string.
func memory(t *testing.T, records ...string) *vuln.DB {
	t.Helper()
	files := fstest.MapFS{}
	for i, text := range records {
		if !json.Valid([]byte(text)) {
			t.Fatalf("record %d is not JSON", i)
		}
		files[fmt.Sprintf("%d.json", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	db, err := vuln.Read(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range db.Status().Sources {
		if s.SkippedCount > 0 {
			t.Fatalf("skipped: %v", s.Skipped)
		}
	}
	return db
}

// affected writes a record: its head fields and one package's events.
func affected(head, ecosystem, name, events string) string {
	return fmt.Sprintf(`{%s,"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[%s]}]}]}`, head,
		ecosystem, name, events)
}

// found renders matches as "id@fixed", worst first.
func found(matches []vuln.Match) string {
	var out []string
	for _, m := range matches {
		text := m.ID
		if m.FixedVersion != "" {
			text += "@" + m.FixedVersion
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

const (
	introduced = `{"introduced":"0"}`
	openssl    = `{"introduced":"3.0.2-0ubuntu1"},{"fixed":"3.0.2-0ubuntu1.7"}`
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name    string
		records []string
		pkg     vuln.Package
		want    string
	}{
		{name: "a version below the fix is affected", pkg: vuln.Package{Ecosystem: "Ubuntu:22.04:LTS", Name: "libssl3",
			Source: "openssl", Version: "3.0.2-0ubuntu1.6"},
			records: []string{affected(`"id":"UBUNTU-CVE-2022-3602"`, "Ubuntu:22.04:LTS", "openssl", openssl)},
			want:    "CVE-2022-3602@3.0.2-0ubuntu1.7"},
		{name: "the fixed version is not", pkg: vuln.Package{Ecosystem: "Ubuntu:22.04", Name: "libssl3", Source: "openssl",
			Version: "3.0.2-0ubuntu1.7"},
			records: []string{affected(`"id":"UBUNTU-CVE-2022-3602"`, "Ubuntu:22.04:LTS", "openssl", openssl)}},
		{name: "another release's advisory says nothing", pkg: vuln.Package{Ecosystem: "Ubuntu:20.04", Name: "openssl", Version: "1"},
			records: []string{affected(`"id":"UBUNTU-CVE-2022-3602"`, "Ubuntu:22.04:LTS", "openssl", introduced),
				affected(`"id":"UBUNTU-CVE-2020-10001"`, "Ubuntu:20.04:LTS", "bash", introduced)}}, // so that 20.04 is covered
		{name: "of several releases the package's own decides", pkg: vuln.Package{Ecosystem: "Debian:12", Name: "zlib", Version: "2"},
			records: []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:11", "zlib", introduced),
				affected(`"id":"DEBIAN-CVE-2020-10002"`, "Debian:12", "zlib", `{"introduced":"0"},{"fixed":"3"}`),
				affected(`"id":"DEBIAN-CVE-2020-10003"`, "Debian:13", "zlib", introduced)}, want: "CVE-2020-10002@3"},
		{name: "a notice about two CVEs is two vulnerabilities", pkg: vuln.Package{Ecosystem: "Ubuntu:22.04", Name: "libssl3",
			Source: "openssl", Version: "3.0.2-0ubuntu1.6"},
			records: []string{affected(`"id":"USN-5710-1","upstream":["CVE-2022-3602","CVE-2022-3786","UBUNTU-CVE-2022-3602"]`,
				"Ubuntu:22.04:LTS", "openssl", openssl)},
			want: "CVE-2022-3602@3.0.2-0ubuntu1.7 CVE-2022-3786@3.0.2-0ubuntu1.7"},
		{name: "the tracker overrules a notice", pkg: vuln.Package{Ecosystem: "Debian:12", Name: "zlib1g", Source: "zlib", Version: "1:1.2.13-2"},
			records: []string{affected(`"id":"DSA-1-1","upstream":["CVE-2020-10001"]`, "Debian:12", "zlib",
				`{"introduced":"0"},{"fixed":"1:1.2.13-3"}`),
				affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "zlib", `{"introduced":"0"},{"fixed":"1:1.2.13-1"}`)}},
		{name: "an advisory without a release is about all", pkg: vuln.Package{Ecosystem: "Red Hat:9", Name: "x", Version: "1"},
			records: []string{affected(`"id":"RHSA-2020:1","upstream":["CVE-2020-10001"]`, "Red Hat", "x", introduced)}, want: "CVE-2020-10001"},
		{name: "a notice about everyone's archive before the tracker about the paid one",
			pkg: vuln.Package{Ecosystem: "Ubuntu:22.04", Name: "x", Version: "1-1"},
			records: []string{affected(`"id":"USN-1-1","upstream":["CVE-2020-10001"]`, "Ubuntu:22.04:LTS", "x",
				`{"introduced":"0"},{"fixed":"1-3"}`),
				affected(`"id":"UBUNTU-CVE-2020-10001"`, "Ubuntu:Pro:22.04:LTS", "x", `{"introduced":"0"},{"fixed":"1-4+esm1"}`)},
			want: "CVE-2020-10001@1-3"},
		{name: "in a language no record is before another", pkg: vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"},
			records: []string{affected(`"id":"X-CVE-2020-10001"`, "npm", "x", `{"introduced":"0"},{"fixed":"1.0.1"}`),
				affected(`"id":"GHSA-a","aliases":["CVE-2020-10001"]`, "npm", "x", `{"introduced":"0"},{"fixed":"1.0.2"}`)},
			want: "CVE-2020-10001@1.0.2"},
		{name: "Debian's point release is the release", pkg: vuln.Package{Ecosystem: "Debian:12.4", Name: "zlib1g", Source: "zlib",
			Version: "1:1.2.13-2"},
			records: []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "zlib", introduced)}, want: "CVE-2020-10001"},
		{name: "the source's version decides, not the binary's", pkg: vuln.Package{Ecosystem: "Debian:12", Name: "libgcc", Version: "9",
			Source: "gcc", SourceVersion: "12"},
			records: []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "gcc", `{"introduced":"0"},{"fixed":"10"}`)}},
		{name: "documentation of an affected source", pkg: vuln.Package{Ecosystem: "Debian:12", Name: "zlib-doc", Source: "zlib", Version: "1"},
			records: []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "zlib", introduced)}},
		{name: "a language package named like documentation", pkg: vuln.Package{Ecosystem: "npm", Name: "x-doc", Version: "1.0.0"},
			records: []string{affected(`"id":"GHSA-1"`, "npm", "x-doc", introduced)}, want: "GHSA-1"},
		{name: "Alpine by origin and minor release", pkg: vuln.Package{Ecosystem: "Alpine:v3.18.4", Name: "libcrypto3",
			Source: "openssl", Version: "3.1.3-r0"},
			records: []string{affected(`"id":"ALPINE-CVE-2023-5363"`, "Alpine:v3.18", "openssl",
				`{"introduced":"0"},{"fixed":"3.1.4-r0"}`)}, want: "CVE-2023-5363@3.1.4-r0"},
		{name: "an rpm release read from the version", pkg: vuln.Package{Ecosystem: "Rocky Linux", Name: "openssl-libs",
			Version: "1:1.1.1k-4.el8"},
			records: []string{affected(`"id":"RLSA-2021:1","upstream":["CVE-2021-3712"]`, "Rocky Linux:8", "openssl-libs",
				`{"introduced":"0"},{"fixed":"1:1.1.1k-5.el8_5"}`)}, want: "CVE-2021-3712@1:1.1.1k-5.el8_5"},
		{name: "withdrawn records are skipped", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"},
			records: []string{affected(`"id":"GO-1","withdrawn":"2024-01-01T00:00:00Z"`, "Go", "x", introduced),
				affected(`"id":"GO-2"`, "Go", "y", introduced)}},
		{name: "an older copy of a withdrawn record is skipped too", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"},
			records: []string{affected(`"id":"GO-1","modified":"2023-01-01T00:00:00Z"`, "Go", "x", introduced),
				affected(`"id":"GO-1","modified":"2024-01-01T00:00:00Z","withdrawn":"2024-01-01T00:00:00Z"`, "Go", "x", introduced)}},
		{name: "records of one vulnerability are one match at the highest fix", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"},
			records: []string{affected(`"id":"GO-2020-1","aliases":["GHSA-a"]`, "Go", "x", `{"introduced":"0"},{"fixed":"1.0.1"}`),
				affected(`"id":"GHSA-a","aliases":["CVE-2020-20002"]`, "Go", "x", `{"introduced":"0"},{"fixed":"1.0.2"}`)},
			want: "CVE-2020-20002@1.0.2"},
		{name: "a second introduction after a fix", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "v2.1.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x",
				`{"fixed":"2.2.0"},{"introduced":"2.0.0"},{"fixed":"1.5.0"},{"introduced":"0"}`)}, want: "GO-1@2.2.0"},
		{name: "of two fixes above, the lower is enough", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x",
				`{"fixed":"2.2.0"},{"introduced":"2.0.0"},{"fixed":"1.5.0"},{"introduced":"0"}`)}, want: "GO-1@1.5.0"},
		{name: "of two fixes above, the lower is enough, in any order", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x",
				`{"introduced":"0"},{"fixed":"1.5.0"},{"introduced":"2.0.0"},{"fixed":"2.2.0"}`)}, want: "GO-1@1.5.0"},
		{name: "of two ranges, the fix of the version's own", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.0.0"},
			records: []string{`{"id":"GO-1","affected":[{"package":{"ecosystem":"Go","name":"x"},"ranges":[` +
				`{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.2.0"}]},{"type":"SEMVER","events":[{"introduced":"0"},` +
				`{"fixed":"1.5.0"}]},` +
				`{"type":"SEMVER","events":[{"introduced":"3.0.0"},{"fixed":"3.2.0"}]}]}]}`}, want: "GO-1@1.5.0"},
		{name: "fixed and introduced again in one version", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "2.0.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x",
				`{"introduced":"0"},{"fixed":"2.0.0"},{"introduced":"2.0.0"},{"fixed":"3.0.0"}`)}, want: "GO-1@3.0.0"},
		{name: "fixed and introduced again in one version, told the other way round",
			pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "2.0.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x",
				`{"fixed":"3.0.0"},{"introduced":"2.0.0"},{"fixed":"2.0.0"},{"introduced":"0"}`)}, want: "GO-1@3.0.0"},
		{name: "introduced and last affected in one version", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "2.0.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x", `{"last_affected":"2.0.0"},{"introduced":"2.0.0"}`)}, want: "GO-1"},
		{name: "after a version that was introduced and last affected", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "2.0.1"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x", `{"last_affected":"2.0.0"},{"introduced":"2.0.0"}`)}},
		{name: "an epoch is above every version without one", pkg: vuln.Package{Ecosystem: "Debian:12", Name: "x", Version: "9.9-1"},
			records: []string{affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "x", `{"introduced":"0"},{"fixed":"1:1.0-1"}`)},
			want:    "CVE-2020-10001@1:1.0-1"},
		{name: "between fix and second introduction", pkg: vuln.Package{Ecosystem: "Go", Name: "x", Version: "1.6.0"},
			records: []string{affected(`"id":"GO-1"`, "Go", "x", `{"fixed":"2.2.0"},{"introduced":"2.0.0"},{"fixed":"1.5.0"},{"introduced":"0"}`)}},
		{name: "the last affected version is affected", pkg: vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.5.0"},
			records: []string{affected(`"id":"GHSA-1"`, "npm", "x", `{"introduced":"1.0.0"},{"last_affected":"1.5.0"}`)}, want: "GHSA-1"},
		{name: "the one after it is not", pkg: vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.5.1"},
			records: []string{affected(`"id":"GHSA-1"`, "npm", "x", `{"introduced":"1.0.0"},{"last_affected":"1.5.0"}`)}},
		{name: "a limit ends the range", pkg: vuln.Package{Ecosystem: "npm", Name: "x", Version: "3.0.0"},
			records: []string{affected(`"id":"GHSA-1"`, "npm", "x", `{"introduced":"1.0.0"},{"limit":"2.0.0"}`)}},
		{name: "a limit that is none", pkg: vuln.Package{Ecosystem: "npm", Name: "x", Version: "3.0.0"},
			records: []string{affected(`"id":"GHSA-1"`, "npm", "x", `{"introduced":"1.0.0"},{"limit":"*"}`)}, want: "GHSA-1"},
		{name: "Alpine's fix in 0 means never affected", pkg: vuln.Package{Ecosystem: "Alpine:v3.18", Name: "x", Version: "1-r0"},
			records: []string{affected(`"id":"ALPINE-CVE-2020-10001"`, "Alpine:v3.18", "x", `{"introduced":"0"},{"fixed":"0"}`)}},
		{name: "an enumerated version outside every range", pkg: vuln.Package{Ecosystem: "PyPI", Name: "Foo_Bar", Version: "9.0"},
			records: []string{`{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"foo.bar"},"ranges":[{"type":"ECOSYSTEM",` +
				`"events":[{"introduced":"0"},{"fixed":"2"}]}],"versions":["1","9.0"]}]}`}, want: "PYSEC-1"},
		{name: "git ranges alone say nothing of versions", pkg: vuln.Package{Ecosystem: "PyPI", Name: "x", Version: "1"},
			records: []string{`{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"x"},"ranges":[{"type":"GIT",` +
				`"events":[{"introduced":"0"}]}]}]}`, affected(`"id":"PYSEC-2"`, "PyPI", "y", introduced)}},
		{name: "Ubuntu Pro has the only fix", pkg: vuln.Package{Ecosystem: "Ubuntu:22.04:LTS", Name: "x", Version: "1-1"},
			records: []string{affected(`"id":"UBUNTU-CVE-2020-10001"`, "Ubuntu:Pro:22.04:LTS", "x",
				`{"introduced":"0"},{"fixed":"1-1+esm1"}`)}, want: "CVE-2020-10001@1-1+esm1"},
		{name: "FIPS builds have versions of their own", pkg: vuln.Package{Ecosystem: "Ubuntu:20.04:LTS", Name: "openssl",
			Version: "1.1.1f-1ubuntu2.20"},
			records: []string{affected(`"id":"UBUNTU-CVE-2020-10001"`, "Ubuntu:Pro:FIPS-updates:20.04:LTS", "openssl",
				`{"introduced":"0"},{"fixed":"1.1.1f-1ubuntu2.fips.30"}`)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := found(memory(t, test.records...).Match(test.pkg))
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAFixThatIsPaidForIsNotTakenForEveryones(t *testing.T) {
	archive := func(events string) string {
		return affected(`"id":"UBUNTU-CVE-2020-10001"`, "Ubuntu:22.04:LTS", "x", events)
	}
	pro := func(events string) string {
		return affected(`"id":"UBUNTU-CVE-2020-10001"`, "Ubuntu:Pro:22.04:LTS", "x", events)
	}
	// both writes one record about both archives, as Ubuntu does.
	both := func(free, paid string) string {
		return strings.TrimSuffix(archive(free), "]}") + "," + strings.SplitN(pro(paid), `"affected":[`, 2)[1]
	}
	const only = "available with Ubuntu Pro only"
	tests := []struct{ name, record, want, note string }{
		{"the archive has no fix, Pro has one", both(`{"introduced":"0"}`, `{"introduced":"0"},{"fixed":"1-1+esm1"}`),
			"CVE-2020-10001@1-1+esm1", only},
		{"both have a fix", both(`{"introduced":"0"},{"fixed":"1-2"}`, `{"introduced":"0"},{"fixed":"1-1+esm1"}`), "CVE-2020-10001@1-2", ""},
		{"Pro's is the later fix", both(`{"introduced":"0"},{"fixed":"1-2"}`, `{"introduced":"0"},{"fixed":"1-3+esm1"}`),
			"CVE-2020-10001@1-2", ""},
		{"the archive is fixed in this version, Pro later", both(`{"introduced":"0"},{"fixed":"1-1"}`,
			`{"introduced":"0"},{"fixed":"1-3+esm1"}`), "", ""},
		{"nobody has a fix", both(`{"introduced":"0"}`, `{"introduced":"0"}`), "CVE-2020-10001", ""},
		{"only Pro speaks of it", pro(`{"introduced":"0"},{"fixed":"1-1+esm1"}`), "CVE-2020-10001@1-1+esm1", only},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			matches := memory(t, test.record).Match(vuln.Package{Ecosystem: "Ubuntu:22.04", Name: "x", Version: "1-1"})
			if got := found(matches); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(matches) == 1 && matches[0].FixNote != test.note {
				t.Errorf("note %q, want %q", matches[0].FixNote, test.note)
			}
		})
	}
}

func TestMatchesComeWorstFirst(t *testing.T) {
	rated := func(id, score string) string {
		return affected(fmt.Sprintf(`"id":%q,"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/%s"}]`, id, score),
			"npm", "x", introduced)
	}
	db := memory(t, rated("GHSA-b", "C:N/I:N/A:L"), rated("GHSA-d", "C:H/I:H/A:H"), rated("GHSA-a", "C:N/I:N/A:L"),
		rated("GHSA-c", "C:N/I:N/A:H"),
		affected(`"id":"GHSA-0"`, "npm", "x", introduced))
	want := "GHSA-d GHSA-c GHSA-a GHSA-b GHSA-0"
	for range 20 { // records are grouped in a map
		if got := found(db.Match(vuln.Package{Ecosystem: "npm", Name: "x", Version: "1.0.0"})); got != want {
			t.Fatalf("got %s, want %s: the worst first, those alike by id, the unrated last", got, want)
		}
	}
}

func TestWhatIsNotCoveredIsAGap(t *testing.T) {
	db := memory(t, affected(`"id":"DEBIAN-CVE-2020-10001"`, "Debian:12", "zlib", introduced),
		affected(`"id":"DEBIAN-CVE-2020-10002"`, "Debian:12", "odd", `{"introduced":"a:b"}`))
	tests := []struct {
		name string
		pkg  vuln.Package
		want string
	}{
		{"a release without advisories", vuln.Package{Ecosystem: "Debian:11", Name: "zlib", Version: "1"}, "no advisories for this distribution"},
		{"another ecosystem", vuln.Package{Ecosystem: "npm", Name: "zlib", Version: "1"}, "no advisories for this ecosystem"},
		{"an ecosystem nobody knows", vuln.Package{Ecosystem: "Plan9:4", Name: "zlib", Version: "1"}, "no version comparison"},
		{"no ecosystem", vuln.Package{Name: "zlib", Version: "1"}, "the distribution is not known"},
		{"no release", vuln.Package{Ecosystem: "Debian", Name: "zlib", Version: "1"}, "release is not known"},
		{"a version that is none", vuln.Package{Ecosystem: "Debian:12", Name: "zlib", Version: "a:1"}, "does not compare"},
		{"an advisory that names no version", vuln.Package{Ecosystem: "Debian:12", Name: "odd", Version: "1"},
			"DEBIAN-CVE-2020-10002 names a version that is none"},
		{"covered and clean", vuln.Package{Ecosystem: "Debian:12", Name: "other", Version: "1"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			matches, gaps := db.Examine(test.pkg)
			if len(matches) > 0 {
				t.Fatalf("matched %v", matches)
			}
			if test.want == "" {
				if len(gaps) > 0 {
					t.Fatalf("gaps: %v", gaps)
				}
				return
			}
			if len(gaps) != 1 || !strings.Contains(gaps[0].Why, test.want) || gaps[0].Consequence == "" {
				t.Fatalf("gaps %+v, want one that says %q", gaps, test.want)
			}
		})
	}
}

// TestAPackageIsExaminedOnceForAll: what one asker does to an answer is not the next one's.
func TestAPackageIsExaminedOnceForAll(t *testing.T) {
	db, err := vuln.Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(`{"id":"GHSA-1","aliases":["CVE-2024-0001"],"affected":[{"package":
		{"ecosystem":"npm","name":"left"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    vuln.Package
		want int
	}{{vuln.Package{Ecosystem: "npm", Name: "left", Version: "1.0.0", PURL: "pkg:npm/left@1.0.0"}, 1},
		{vuln.Package{Ecosystem: "npm", Name: "left", Version: "1.0.0", PURL: "pkg:npm/left@1.0.0?a=b"}, 1},
		{vuln.Package{Ecosystem: "npm", Name: "left", Version: "2.0.0"}, 0}, {vuln.Package{Ecosystem: "PyPI", Name: "left", Version: "1.0.0"},
			0}} {
		for range 2 {
			found, gaps := db.Examine(c.p)
			if len(found) != c.want || c.want == 1 && (found[0].ID != "CVE-2024-0001" || found[0].Package.PURL != c.p.PURL) {
				t.Fatalf("%+v: %+v, %v", c.p, found, gaps)
			}
			for i := range found {
				found[i].ID = "another"
			}
			for i := range gaps {
				gaps[i].What = "another"
			}
		}
	}
}
