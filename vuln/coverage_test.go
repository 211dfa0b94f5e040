package vuln

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// stated is a database with so many statements on an ecosystem, modified on a day.
func stated(t *testing.T, ecosystem string, n int, day string) *DB {
	t.Helper()
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, `{"id": "X-%d", "modified": "%sT00:00:00Z", "affected": [{"package": {"ecosystem": %q, "name": "p%d"},
			"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]}]}`+"\n", i, day, ecosystem, i)
	}
	db, err := Read(t.Context(), fstest.MapFS{"all.json": {Data: []byte(all.String())}})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestNoneKnownIsDoubtedWhereAdvisoriesAreFewOrOld(t *testing.T) {
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, imported string
		n              int
		day, ecosystem string
		want           string
	}{
		{"few", "Debian:12", 499, "2026-03-01", "Debian:12", "only 499 of them were imported"},
		{"enough", "Debian:12", 500, "2026-03-01", "Debian:12", ""},
		{"few of a distribution without releases", "Wolfi", 3, "2026-03-01", "Wolfi", "only 3 of them were imported"},
		{"few of a language", "PyPI", 3, "2026-03-01", "PyPI", "only 3 of them were imported; there are more than 2000"},
		{"a language that has few", "Pub", 3, "2026-03-01", "Pub", ""},
		{"enough of a language", "crates.io", 500, "2026-03-01", "crates.io", ""},
		{"old", "Alpine:v3.22", 500, "2025-12-31", "Alpine:v3.22", "the newest is of 2025-12-31, more than 60 days ago"},
		{"not old yet", "Alpine:v3.22", 500, "2026-01-01", "Alpine:v3.22", ""},
		{"another release, of which Examine says that there are none", "Debian:12", 500, "2026-03-01", "Debian:11", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			gap, doubted := stated(t, test.imported, test.n, test.day).doubt(Package{Ecosystem: test.ecosystem, Name: "zlib", Version: "1"}, now)
			if !strings.HasPrefix(gap.Why, test.want) || doubted != (test.want != "") {
				t.Errorf("%+v, %t; want %q", gap, doubted, test.want)
			}
			if doubted && (gap.Consequence == "" || gap.What != "advisories for "+strings.Replace(test.ecosystem, ":v", ":", 1)) {
				t.Errorf("%+v", gap)
			}
		})
	}
}

func TestTheNewestOfAReleaseCountsNotOfAnother(t *testing.T) {
	older, newer := stated(t, "Debian:11", 600, "2020-01-01"), stated(t, "Debian:12", 600, "2026-03-01")
	status := summarise(append(older.status.Sources, newer.status.Sources...))
	if status.Latest["Debian:11"].Year() != 2020 || status.Latest["Debian:12"].Year() != 2026 {
		t.Errorf("%v", status.Latest)
	}
	source := SourceStatus{Ecosystems: map[string]int{"Debian:10": 1}, Newest: older.status.Newest}
	if got := summarise([]SourceStatus{source}).Latest["Debian:10"]; !got.Equal(older.status.Newest) {
		t.Errorf("a source imported by an older version: %v", got)
	}
}

func TestARecordWithoutAReleaseSaysNothingOfTheRest(t *testing.T) {
	db := stated(t, "Debian", 3, "2026-03-01")
	for name, want := range map[string]int{"p1": 1, "zlib": 0} {
		found, gaps := db.Examine(Package{Ecosystem: "Debian:11", Name: name, Version: "1"})
		if len(found) != want || len(gaps) != 1 || !strings.Contains(gaps[0].Why, "no advisories for this distribution") {
			t.Errorf("%s: %v, %v", name, found, gaps)
		}
	}
}

func TestWhatItsReaderSaidNothingOfIsToldAsSkipped(t *testing.T) {
	var s SourceStatus
	if s.count("a.json#1", outcome{}); s.SkippedCount != 1 || !s.Balanced() || s.Skipped[0] != (Skip{"a.json#1", errUnsaid.Error()}) {
		t.Errorf("%+v, want one skipped, with a reason", s)
	}
}

func TestEndsAreDaysOfReleases(t *testing.T) {
	if day, err := time.Parse(time.DateOnly, announced().AsOf); err != nil || len(ends()) < 100 {
		t.Errorf("as of %s (%v): %d releases", day, err, len(ends()))
	}
	for name, e := range ends() {
		where := parseEcosystem(name)
		if e.day.Year() < 2009 && !strings.HasPrefix(name, "SUSE:10") || where.String() != name || !where.hasReleases() ||
			!strings.HasPrefix(e.source, "https://") {
			t.Errorf("%s: %+v, read as %s", name, e, where)
		}
	}
}

func TestTheEndOfAReleaseIsAGap(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for ecosystem, want := range map[string]string{
		"Debian:10": "the release has had no updates for everybody since 2024-06-30 with its long-term support " +
			"(https://wiki.debian.org/LTS, as announced until 2026-08-22)",
		"Alpine:v3.18":         "the release has had no updates for everybody since 2025-05-09 (https://",
		"Ubuntu:20.04:LTS":     "since 2025-05-31 without Ubuntu Pro",
		"Amazon Linux:2018.03": "since 2023-12-31", "SUSE:Linux Enterprise Server 15 SP3": "since 2022-12-31",
		"SUSE:Linux Enterprise Server 12": "since 2016-06-30",
		"openSUSE:Leap 15.4":              "since 2023-12-07", "CentOS:7": "since 2024-06-30", "Fedora:40": "since 2025-05-13",
		"Photon OS:3.0":   "since 2025-10-02",
		"CBL-Mariner:2.0": "since 2025-11-30 on AKS", "Oracle Linux:7": "since 2024-12-31",
		"Debian:12": "", "Amazon Linux:2": "", "Red Hat:enterprise_linux:9": "", "Debian:99": "", "Debian": "", "Wolfi": "", "npm": "", "": "",
		"openSUSE:Tumbleweed": "", "Alpine:edge": "", "Oracle Linux:10": "",
	} {
		gap, ended := EndOfLife(Package{Ecosystem: ecosystem, Name: "zlib", Version: "1"}, now)
		if !strings.Contains(gap.Why, want) || ended != (want != "") || ended && (gap.Consequence == "" || len(gap.Kinds) == 0) {
			t.Errorf("%s: %+v, want %q", ecosystem, gap, want)
		}
	}
	if _, ended := EndOfLife(Package{Ecosystem: "Debian:10"}, time.Date(2024, 6, 30, 23, 0, 0, 0, time.UTC)); ended {
		t.Error("it ends after its last day")
	}
}
