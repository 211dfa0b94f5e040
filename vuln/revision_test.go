package vuln_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/vuln"
)

// Every order of the files, and every way to hold what was read, gives one answer.
func TestOfTwoRevisionsInOneSourceTheLastModifiedCounts(t *testing.T) {
	at := func(year int, ecosystem, name, events string, more ...string) string {
		head := fmt.Sprintf(`"id":"DEBIAN-CVE-2020-00001","modified":"%d-01-01T00:00:00Z"`, year)
		return affected(strings.Join(append([]string{head}, more...), ","), ecosystem, name, events)
	}
	fixed := func(version string) string { return `{"introduced":"0"},{"fixed":"` + version + `"}` }
	withdrawn := `"withdrawn":"2021-01-01T00:00:00Z"`
	for _, test := range []struct{ name, older, newer, want string }{
		{"it was fixed since", at(2020, "Debian:12", "p1", introduced), at(2021, "Debian:12", "p1", fixed("0.5")), ""},
		{"the fix came later than first thought", at(2020, "Debian:12", "p1", fixed("0.5")), at(2021, "Debian:12", "p1", fixed("9")), "9"},
		{"it is of another package", at(2020, "Debian:12", "p1", introduced), at(2021, "Debian:12", "p2", introduced), ""},
		{"it was withdrawn since", at(2020, "Debian:12", "p1", introduced), at(2021, "Debian:12", "p1", introduced, withdrawn), ""},
		{"it was put in force again", at(2020, "Debian:12", "p1", introduced, withdrawn), at(2021, "Debian:12", "p1", fixed("9")), "9"},
		{"a year, and none", at(1, "Debian:12", "p1", introduced), at(2021, "Debian:12", "p1", fixed("0.5")), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, files := range []map[string]string{
				{"a.json": test.older, "b.json": test.newer}, {"a.json": test.newer, "b.json": test.older},
				{"a.json": "[" + test.newer + "," + test.older + "," + test.newer + "]"},
			} {
				for way, db := range both(t, files) {
					s := db.Status().Sources[0]
					if s.Superseded != 1 || !s.Balanced() || s.Tied != 0 || len(db.Status().Gaps) > 0 {
						t.Errorf("%s: %+v, want one superseded, and no gap", way, s)
					}
					if over := strings.Contains(test.newer, "withdrawn"); s.Records > 0 == over || s.Withdrawn > 0 != over {
						t.Errorf("%s: %d in force and %d withdrawn of %v", way, s.Records, s.Withdrawn, files)
					}
					var got []string
					for _, m := range db.Match(p(1)) {
						got = append(got, m.FixedVersion)
					}
					if strings.Join(got, " ") != test.want {
						t.Errorf("%s: %v says fixed in %q, want %q", way, files, got, test.want)
					}
				}
			}
		})
	}
}

func TestOfRevisionsOfOneTimeTheLastReadCountsAndThatIsToldAsAGap(t *testing.T) {
	head := `"id":"DEBIAN-CVE-2020-00001","modified":"2020-01-01T00:00:00Z"`
	open, mended := affected(head, "Debian:12", "p1", introduced), affected(head, "Debian:12", "p1", `{"introduced":"0"},{"fixed":"0.5"}`)
	for _, test := range []struct {
		name, text   string
		matches, tie int
	}{
		{"the later mends", open + mended, 0, 1},
		{"the later opens", mended + open, 1, 1},
		{"a copy of the first comes last", open + mended + open, 1, 1},
		{"copies, in other lines", open + strings.ReplaceAll(open, ",", ",\n "), 1, 0},
		{"one", open, 1, 0},
		{"older ones of one time are nobody's doubt",
			open + mended + strings.Replace(open, "2020-01-01T", "2020-02-01T", 1), 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for way, db := range both(t, map[string]string{"a.json": test.text}) {
				s, gaps := db.Status().Sources[0], db.Status().Gaps
				if got := db.Match(p(1)); len(got) != test.matches || s.Tied != test.tie || len(gaps) != test.tie || !s.Balanced() {
					t.Errorf("%s: %s, %+v, gaps %v; want %d and %d gaps", way, found(got), s, gaps, test.matches, test.tie)
				}
				if test.tie > 0 && !strings.Contains(gaps[0].Why, "DEBIAN-CVE-2020-00001") {
					t.Errorf("%s: the gap is %+v, want the record's name", way, gaps[0])
				}
			}
		})
	}
}

// A tracker that calls a package fixed overrules notices; its old word does not.
func TestAnOldRevisionOverrulesNoNotice(t *testing.T) {
	notice := affected(`"id":"DSA-1","upstream":["CVE-2020-00001"]`, "Debian:12", "p1", introduced)
	old := affected(`"id":"DEBIAN-CVE-2020-00001","modified":"2020-01-01T00:00:00Z"`, "Debian:12", "p1", `{"introduced":"0"},{"fixed":"0.5"}`)
	now := affected(`"id":"DEBIAN-CVE-2020-00001","modified":"2021-01-01T00:00:00Z"`, "Debian:12", "p2", introduced)
	for way, db := range both(t, map[string]string{"a.json": notice + old + now}) {
		if got := db.Match(p(1)); len(got) != 1 {
			t.Errorf("%s: %q, want the notice's", way, found(got))
		}
	}
}

// both reads files in memory and through a database on disk.
func both(t *testing.T, files map[string]string) map[string]*vuln.DB {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	held, err := vuln.Read(t.Context(), fsys)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*vuln.DB{"memory": held, "disk": imported(t, t.TempDir(), vuln.Source{Name: "feed", FS: fsys})}
}

func TestAnIDThatTheNewestRevisionNoLongerNamesIsNotItsOwn(t *testing.T) {
	old := affected(`"id":"GHSA-a","modified":"2020-01-01T00:00:00Z","aliases":["CVE-2020-10001"]`, "Go", "x", introduced)
	now := affected(`"id":"GHSA-a","modified":"2021-01-01T00:00:00Z","aliases":["CVE-2020-10002"]`, "Go", "x", introduced)
	for way, db := range both(t, map[string]string{"a.json": now + old}) {
		for id, want := range map[string]bool{"CVE-2020-10001": false, "CVE-2020-10002": true} {
			if _, known, err := db.Vulnerability(id); known != want || err != nil {
				t.Errorf("%s: %s is known: %v, want %v; %v", way, id, known, want, err)
			}
		}
	}
}
