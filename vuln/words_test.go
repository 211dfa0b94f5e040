package vuln

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAnEcosystemIsKnownByItsOtherNames(t *testing.T) {
	for text, want := range map[string]release{
		"rhel:9": {Family: "Red Hat", Number: "9"}, " Debian :12": {Family: "Debian", Number: "12"},
		"DEBIAN:12": {Family: "Debian", Number: "12"},
		"rocky:9.1": {Family: "Rocky Linux", Number: "9"}, "RockyLinux:9": {Family: "Rocky Linux", Number: "9"},
		"alma:9": {Family: "AlmaLinux", Number: "9"}, "amazon:2023": {Family: "Amazon Linux", Number: "2023"},
		"oracle:8.7": {Family: "Oracle Linux", Number: "8"}, "SUSE:Linux Enterprise Server 12": {Family: "SUSE", Number: "12"},
		"openSUSE:Leap":             {Family: "openSUSE", Number: "leap"},
		"Ubuntu:Pro:Realtime:22.04": {Family: "Ubuntu", Number: "22.04", Channel: "Realtime"},
		"Red Hat:8::appstream":      {Family: "Red Hat", Number: "8"}, "Plan 9:4": {Family: "Plan 9"}, "Debian": {Family: "Debian"},
	} {
		if got := parseEcosystem(text); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
	if a, b := (release{Family: "npm"}).String(), (release{Family: "Debian", Number: "12"}).String(); a != "npm" || b != "Debian:12" {
		t.Errorf("%s %s", a, b)
	}
}

func TestAReleaseIsReadFromAVersionWhereItIsNotTold(t *testing.T) {
	for _, c := range []struct{ ecosystem, version, want string }{
		{"Rocky Linux", "1.1.1k-4.el8", "8"}, {"Rocky Linux:9", "1.1.1k-4.el8", "9"}, {"Amazon Linux", "1-1.amzn2023", "2023"},
		{"Azure Linux", "1-1.azl3", "3"}, {"CBL-Mariner", "1-1.cm2", "2"}, {"Rocky Linux", "1-1", ""}, {"npm", "1-1.el8", ""},
	} {
		if got := parseEcosystem(c.ecosystem).inferred(c.version).Number; got != c.want {
			t.Errorf("%s %s: %q, want %q", c.ecosystem, c.version, got, c.want)
		}
	}
}

func TestAPackageIsLookedUpByTheNamesThatAdvisoriesUse(t *testing.T) {
	binary := Package{Name: "Lib_Z", Version: "1", Source: "zlib", SourceVersion: "2"}
	alone := Package{Name: "Lib_Z", Version: "1"}
	for _, c := range []struct {
		family string
		p      Package
		want   string
	}{
		{"Debian", binary, "[{zlib 2}]"}, {"Debian", alone, "[{Lib_Z 1}]"}, {"Rocky Linux", binary, "[{Lib_Z 1} {zlib 2}]"},
		{"Rocky Linux", alone, "[{Lib_Z 1}]"}, {"npm", binary, "[{Lib_Z 1}]"}, {"PyPI", alone, "[{lib-z 1}]"}, {"NuGet", alone, "[{lib_z 1}]"},
		{"Debian", Package{Name: "a", Version: "1", Source: "b"}, "[{b 1}]"},
	} {
		if got := fmt.Sprint(release{Family: c.family}.lookupNames(c.p)); got != c.want {
			t.Errorf("%s %+v: %s, want %s", c.family, c.p, got, c.want)
		}
	}
}

func TestDistributionsNameSourcesBinariesOrBoth(t *testing.T) {
	p := Package{Name: "binary", Version: "1", Source: "source", SourceVersion: "2"}
	for want, names := range map[string]string{
		"[{source 2}]": "Debian,Ubuntu,Echo,Alpine,Alpaquita",
		"[{binary 1} {source 2}]": "Wolfi,Chainguard,MinimOS,CleanStart,AlmaLinux,Rocky Linux,Red Hat,CentOS,Oracle Linux,Amazon Linux," +
			"Azure Linux,Fedora,Photon OS,SUSE,openSUSE,openEuler,Mageia",
		"[{binary 1}]": "npm,PyPI,Go,Kubernetes,GitHub Actions",
	} {
		for name := range strings.SplitSeq(names, ",") {
			if got := fmt.Sprint(release{Family: name}.lookupNames(p)); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

func TestANoticeAboutSeveralSpeaksOnlyWhereNothingElseDoes(t *testing.T) {
	several := &record{ID: "USN-1-1", Upstream: []string{"CVE-2020-10001", "CVE-2020-10002"}, Details: "Strangers execute arbitrary code."}
	one := &record{ID: "GHSA-a", Aliases: []string{"CVE-2020-10001"}, Details: "A crash."}
	for _, c := range []struct {
		records []*record
		want    bool
	}{{[]*record{several}, true}, {[]*record{several, one}, false}, {[]*record{one}, false}} {
		var m Match
		m.describe(c.records)
		if m.judge(prose(m, c.records)); m.RCE != c.want {
			t.Errorf("%d records: %v because %s", len(c.records), m.RCE, m.RCEWhy)
		}
	}
}

func TestADistributionsWordForAPackage(t *testing.T) {
	for _, c := range []struct {
		e    entry
		want Severity
		word string
	}{
		{entry{Severity: []score{{Score: "AV:N"}, {Score: "medium"}}, Level: "low"}, Medium, "medium"},
		{entry{Level: "Unimportant"}, Low, "unimportant"},
		{entry{Level: "high"}, High, "high"}, {entry{Level: "end-of-life"}, Unknown, "end-of-life"}, {entry{}, Unknown, ""},
	} {
		if got, word := c.e.distributionRating(); got != c.want || word != c.word {
			t.Errorf("%+v: %v %q", c.e, got, word)
		}
	}
	for _, c := range []struct{ ecosystem, database, want string }{
		{`{"urgency":"low"}`, `{"severity":"HIGH"}`, "low"}, {``, `{"severity":"HIGH"}`, "HIGH"}, {`{}`, ``, ""},
	} {
		a := osvAffected{Versions: []string{"1"}, EcosystemSpecific: []byte(c.ecosystem), DatabaseSpecific: []byte(c.database)}
		a.Package.Ecosystem, a.Package.Name = "Debian:12", "x"
		(&osvRecord{Affected: []osvAffected{a}}).entries(func(_ string, e entry) {
			if e.Level != c.want {
				t.Errorf("%s %s: %q", c.ecosystem, c.database, e.Level)
			}
		})
	}
}

func TestARecordIsAboutVulnerabilities(t *testing.T) {
	for _, c := range []struct {
		name            string
		r               record
		about           string
		tracker, notice bool
	}{
		{"a CVE", record{ID: "CVE-2020-10001"}, "CVE-2020-10001", false, false},
		{"a tracker's", record{ID: "UBUNTU-CVE-2020-10001", Aliases: []string{"CVE-2020-10002"}}, "CVE-2020-10001", true, false},
		{"a notice of two", record{ID: "USN-1-1", Upstream: []string{"UBUNTU-CVE-2020-10002", "CVE-2020-10001", "CVE-2020-10002"}},
			"CVE-2020-10001 CVE-2020-10002", false, true},
		{"aliases before upstream", record{ID: "GHSA-a", Aliases: []string{"x", "CVE-2020-10001"}, Upstream: []string{"CVE-2020-10002"}},
			"CVE-2020-10001", false, false},
		{"what a notice is related to", record{ID: "RHSA-2020:1", Related: []string{"CVE-2020-10001"}}, "CVE-2020-10001", false, true},
		{"what another record is related to is similar only", record{ID: "GO-1", Related: []string{"CVE-2020-10001"}}, "GO-1", false, false},
		{"nothing else", record{ID: "GO-1", Aliases: []string{"GHSA-a"}}, "GO-1", false, false},
		{"an id that only begins like one", record{ID: "CVE-2020-1"}, "CVE-2020-1", false, false},
	} {
		if got := strings.Join(c.r.vulnerabilities(), " "); got != c.about || c.r.tracker() != c.tracker || c.r.notice() != c.notice {
			t.Errorf("%s: about %s, tracker %v, notice %v", c.name, got, c.r.tracker(), c.r.notice())
		}
	}
}

func TestAVulnerabilityIsAlsoKnownAs(t *testing.T) {
	tracker := &record{ID: "UBUNTU-CVE-2020-10001"}
	one := &record{ID: "USN-1-1", Upstream: []string{"CVE-2020-10001"}, Aliases: []string{"X-1"}}
	two := &record{ID: "USN-2-1", Upstream: []string{"CVE-2020-10001", "CVE-2020-10002"}, Aliases: []string{"X-2"}}
	advisory := &record{ID: "GHSA-a", Aliases: []string{"CVE-2020-10001", "GO-1"}}
	for _, c := range []struct {
		records  []*record
		deciding int
		want     string
	}{
		{[]*record{tracker, advisory}, 1, "GHSA-a GO-1 UBUNTU-CVE-2020-10001"},
		{[]*record{one}, 1, "USN-1-1 X-1"}, {[]*record{tracker, one}, 1, "UBUNTU-CVE-2020-10001"},
		{[]*record{two}, 1, "USN-2-1"}, {[]*record{two, advisory}, 1, "GHSA-a GO-1 USN-2-1"}, {nil, 0, ""},
	} {
		if got := strings.Join(alsoKnownAs("CVE-2020-10001", c.records, c.deciding), " "); got != c.want {
			t.Errorf("%v, %d deciding: %s, want %s", c.records, c.deciding, got, c.want)
		}
	}
}

func TestWhatDescribesComesBeforeWhatAnnounces(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2020, 1, day, 0, 0, 0, 0, time.UTC) }
	two := &record{ID: "USN-2-1", Upstream: []string{"CVE-2020-10001", "CVE-2020-10002"}, Summary: "two", Details: "Of two.", Published: at(3)}
	one := &record{ID: "USN-1-1", Upstream: []string{"CVE-2020-10001"}, Summary: "one", Details: "Of one.", Published: at(2), Modified: at(9)}
	plain := &record{ID: "GHSA-a", Aliases: []string{"CVE-2020-10001"}, Details: "Plain. More.", CWEs: []string{"CWE-2", "CWE-1"},
		Modified: at(8)}
	for _, c := range []struct {
		records           []*record
		summary, details  string
		published, latest time.Time
	}{
		{[]*record{two, one, plain}, "one", "Plain. More.", at(2), at(9)}, {[]*record{two, one}, "one", "Of one.", at(2), at(9)},
		{[]*record{{ID: "GHSA-c", Published: at(1), Summary: "c"}, {ID: "USN-1-1"}}, "c", "", at(1), time.Time{}},
		{[]*record{plain}, "Plain.", "Plain. More.", time.Time{}, at(8)}, {[]*record{two, plain}, "two", "Plain. More.", at(3), at(8)},
	} {
		var m Match
		m.describe(c.records)
		if m.Summary != c.summary || m.Details != c.details || !m.Published.Equal(c.published) || !m.Modified.Equal(c.latest) {
			t.Errorf("got %q %q %v %v, want %+v", m.Summary, m.Details, m.Published, m.Modified, c)
		}
	}
	many := &record{ID: "GHSA-b", CWEs: []string{"CWE-1"}}
	for i := range maxReferences + 5 {
		many.References = append(many.References, fmt.Sprintf("https://example.org/%d", i))
	}
	var m Match
	if m.describe([]*record{plain, {ID: "GHSA-c", References: many.References[:1]}, many}); len(m.References) != maxReferences ||
		strings.Join(m.CWEs, " ") != "CWE-1 CWE-2" {
		t.Errorf("%d references, %v", len(m.References), m.CWEs)
	}
}

func TestATitleIsTheFirstSentence(t *testing.T) {
	long := strings.Repeat("a", 200)
	for text, want := range map[string]string{
		"": "", "One": "One", "One. Two.": "One.", "  One\nTwo. Three": "One", ". One": ". One", "Of 1.2.3 only. Two": "Of 1.2.3 only.",
		long: long[:160] + "…", strings.Repeat("ä", 81): strings.Repeat("ä", 80) + "…", long[:160]: long[:160],
		long[:159] + "äb": long[:159] + "…", "\xff": "\uFFFD",
	} {
		if got := firstSentence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAFixIsPaidForOnlyWhereNobodyElseHasIt(t *testing.T) {
	of := func(channel, fixed string) opinion {
		return opinion{entry: &entry{Channel: channel}, verdict: verdict{affected: true, fixed: fixed}}
	}
	const paid = "available with Ubuntu Pro only"
	for _, c := range []struct {
		fixed    string
		deciding []opinion
		want     string
	}{
		{"2", []opinion{of("Pro", "2")}, paid}, {"2", []opinion{of("Pro", "2"), of("", "2")}, ""},
		{"2", []opinion{of("", "1"), of("Pro", "2")}, paid}, {"", []opinion{of("Pro", "")}, ""}, {"2", []opinion{of("", "2")}, ""},
	} {
		if got := fixNote(c.fixed, c.deciding); got != c.want {
			t.Errorf("%s: %q, want %q", c.fixed, got, c.want)
		}
	}
}

func TestTimesAreReadAsFeedsWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		`"2024-05-01T10:00:00Z"`: "2024-05-01T10:00:00Z", `"2024-05-01T10:00:00.5+02:00"`: "2024-05-01T08:00:00.5Z",
		`"2024-05-01T10:00:00"`: "2024-05-01T10:00:00Z", `"2024-05-01"`: "2024-05-01T00:00:00Z", `"0001-01-01T00:00:00Z"`: "",
		`"soon"`: "", `7`: "", `null`: "",
	} {
		var got lenientTime
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got.IsZero() != (want == "") || want != "" && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %v, want %q", text, got, want)
		}
	}
}

func TestWhatDatabasesAddIsReadWhereTheyAgree(t *testing.T) {
	for _, c := range []struct{ raw, level, weaknesses string }{
		{``, "", ""}, {`{"severity":"HIGH","urgency":"low"}`, "HIGH", ""}, {`{"severity":"","urgency":"low"}`, "low", ""},
		{`{"severity":[{"score":"x"}],"urgency":"low"}`, "low", ""}, {`[]`, "", ""},
		{`{"cwe_ids":["CWE-1"],"cwes":["CWE-2",{"cweId":"CWE-3"},{"cweId":4},5]}`, "", "CWE-1 CWE-2 CWE-3"},
	} {
		e := readExtras([]byte(c.raw))
		if e.level() != c.level || strings.Join(e.weaknesses(), " ") != c.weaknesses {
			t.Errorf("%s: %q %v", c.raw, e.level(), e.weaknesses())
		}
	}
}

func TestARecordKeepsWhatIsUsedOfIt(t *testing.T) {
	r := osvRecord{ID: "GHSA-a", Summary: strings.Repeat("s", 513), Details: strings.Repeat("d", maxDetails+1)}
	for i := range maxReferences + 2 {
		r.References = append(r.References, osvReference{fmt.Sprintf("http://example.org/%d", i)}, osvReference{"file:///etc/passwd"})
	}
	r.DatabaseSpecific = json.RawMessage(`{"severity":"LOW","cwe_ids":["CWE-2"]}`)
	r.Affected = []osvAffected{{DatabaseSpecific: json.RawMessage(`{"cwe_ids":["CWE-1","CWE-2"]}`)}}
	got := r.distil()
	if len(got.Summary) != 512+len("…") || len(got.Details) != maxDetails+len("…") || len(got.References) != maxReferences ||
		got.Level != "LOW" || strings.Join(got.CWEs, " ") != "CWE-1 CWE-2" || got.Withdrawn {
		t.Errorf("%d %d %d %s %v", len(got.Summary), len(got.Details), len(got.References), got.Level, got.CWEs)
	}
	r.Withdrawn.Time = time.Now()
	if !r.distil().Withdrawn {
		t.Error("a withdrawn record is in force")
	}
}

func TestARecordBeyondItsBoundsIsRefused(t *testing.T) {
	of := func(events ...event) []osvAffected { return []osvAffected{{Ranges: []osvRange{{Events: events}}}} }
	for _, c := range []struct {
		name string
		r    osvRecord
		want string
	}{
		{"as it should be", osvRecord{ID: strings.Repeat("i", 256), Affected: of(event{Introduced: "0"})}, ""},
		{"an id that is too long", osvRecord{ID: strings.Repeat("i", 257)}, "at most 256 printable characters"},
		{"an id of two lines", osvRecord{ID: "a\nb"}, "at most 256 printable characters"},
		{"as many packages as may be", osvRecord{ID: "a", Affected: make([]osvAffected, maxAffected)}, ""},
		{"one more", osvRecord{ID: "a", Affected: make([]osvAffected, maxAffected+1)}, "at most 20000 affected packages, got 20001"},
		{"an event without a field", osvRecord{ID: "a", Affected: of(event{Introduced: "0"}, event{})}, "affected[0].ranges[0].events[1]"},
		{"an event of two", osvRecord{ID: "a", Affected: of(event{Introduced: "0", Fixed: "1"})}, "events[0]: want exactly one"},
		{"as many events as may be", osvRecord{ID: "a", Affected: of(slices.Repeat([]event{{Limit: "1"}}, maxEvents)...)}, ""},
		{"one event more", osvRecord{ID: "a", Affected: of(slices.Repeat([]event{{LastAffected: "1"}}, maxEvents+1)...)}, "got 200001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.r.validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestWhatAStatementLacksIsCounted(t *testing.T) {
	statement := func(ecosystem, name, kind string, events []event, versions ...string) (a osvAffected) {
		a.Package.Ecosystem, a.Package.Name, a.Versions = ecosystem, name, versions
		a.Ranges = []osvRange{{Type: kind, Events: events}}
		return a
	}
	all := []event{{Introduced: "0"}, {Fixed: "2.0.0"}}
	r := osvRecord{ID: "GHSA-a", Affected: []osvAffected{
		statement("npm", "range", "SEMVER", all, "1.0.0", "3.0.0"), statement("npm", "versions", "GIT", all, "1.0.0"),
		statement("npm", "commits", "GIT", all), statement("npm", "nothing", "SEMVER", nil), statement("npm", "", "SEMVER", all),
		statement("", "x", "SEMVER", all), statement("Plan9", "x", "SEMVER", all), statement("Debian:12", "x", "ECOSYSTEM", all, "1", "a:b"),
	}}
	var got []string
	out := r.entries(func(key string, e entry) { got = append(got, fmt.Sprintf("%q %d %v", key, len(e.Ranges), e.Versions)) })
	want := `"pnpm\x00range" 1 [3.0.0], "pnpm\x00versions" 0 [1.0.0], "pDebian\x00x" 1 [a:b]`
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if out.used != 3 || fmt.Sprint(out.incomparable) != "map[Plan9:1]" ||
		fmt.Sprint(out.unusable) != "map[name no package of an ecosystem:2 name no versions, or commits only:2]" {
		t.Errorf("%+v", out)
	}
	status := SourceStatus{Statements: 3, Incomparable: out.incomparable, Unusable: out.unusable}
	if status.said() != 8 || len(status.gaps()) != 3 || status.gaps()[1].Why != "2 of 8" {
		t.Errorf("%d said, %+v", status.said(), status.gaps())
	}
}

func TestAScoreIsAProbability(t *testing.T) {
	for text, want := range map[string]string{
		"CVE-2020-10001,0.5,0.25": "{0.5 0.25}", "CVE-2020-10001,1": "{1 0}", "CVE-2020-10001,0,1": "{0 1}", "CVE-2020-10001": "",
		"GHSA-a,0.5,0.5": "", "CVE-2020-10001,1.1,0": "", "CVE-2020-10001,-0.1,0": "", "CVE-2020-10001,NaN,0": "", "CVE-2020-10001,x,0": "",
	} {
		_, score, err := parseEPSS(text)
		if (err == nil) != (want != "") || err == nil && fmt.Sprint(score) != want {
			t.Errorf("%s: %v, %v", text, score, err)
		}
	}
}

func TestWordsOfDistributionsAreRatings(t *testing.T) {
	for text, want := range map[string]Severity{
		"negligible": Low, "Moderate": Medium, " IMPORTANT ": High, "low**": Low, "critical": Critical, "untriaged": Unknown, "": Unknown,
	} {
		if got := word(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	for score, want := range map[float64]Severity{10: Critical, 9: Critical, 8.9: High, 7: High, 6.9: Medium, 4: Medium, 3.9: Low, 0.1: Low,
		0: None} {
		if got := band(score); got != want {
			t.Errorf("%.1f: %v", score, got)
		}
	}
	for vector, want := range map[string]string{
		"AV:N/AC:L/Au:N/C:C/I:C/A:C": "10.0 true", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": "9.8 true", "CVSS:5.0/AV:N": "0.0 false",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/" + strings.Repeat("E:X/", 200): "0.0 false", "high": "0.0 false",
	} {
		if score, ok := baseScore(vector); fmt.Sprintf("%.1f %v", score, ok) != want {
			t.Errorf("%.60s: %.1f %v", vector, score, ok)
		}
	}
	for _, c := range []struct {
		r        record
		want     Severity
		wantWord string
	}{
		{record{ID: "RHSA-1", Summary: "Important: x"}, High, "Important"}, {record{ID: "RHSA-1", Summary: "Important x"}, Unknown, ""},
		{record{ID: "RHSA-1", Level: "low", Summary: "Important: x"}, Low, "low"}, {record{ID: "USN-1", Level: "low"}, Unknown, ""},
		{record{ID: "RHSA-1", Level: "low", Severity: []score{{Score: "AV:N"}, {Score: "moderate"}}}, Medium, "moderate"},
	} {
		if got, word := c.r.vendorRating("Red Hat"); got != c.want || got != Unknown && word != c.wantWord {
			t.Errorf("%+v: %v %q", c.r, got, word)
		}
	}
	for id, want := range map[string]string{"GHSA-a": "GitHub", "BIT-a": "Bitnami", "GO-1": "the advisory"} {
		if got := databaseOf(id); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
}
