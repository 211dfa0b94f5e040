package advisories_test

import (
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/vuln"
)

// The table of README.md: each package at the affected version, and at the fixed one.
func TestTheSampleMatchesWhatItsReadmeSays(t *testing.T) {
	db, err := vuln.Read(t.Context(), advisories.FS)
	if err != nil {
		t.Fatal(err)
	}
	if s := db.Status(); len(s.Gaps) > 0 || !s.HasKEV || !s.HasEPSS {
		t.Fatalf("status %+v", s)
	}
	tests := []struct {
		ecosystem, source, affected, fixed string
		want                               []string
	}{
		{"Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.6", "3.0.2-0ubuntu1.7", []string{"CVE-2022-3602", "CVE-2022-3786"}},
		{"Ubuntu:22.04:LTS", "bash", "5.1-6ubuntu1", "5.1-6ubuntu1.1", []string{"CVE-2022-3715"}},
		{"Ubuntu:22.04:LTS", "openssh", "1:8.9p1-3ubuntu0.6", "1:8.9p1-3ubuntu0.10", []string{"CVE-2024-6387"}},
		{
			"Debian:11",
			"chromium",
			"106.0.5249.119-1~deb11u1",
			"107.0.5304.110-1~deb11u1",
			[]string{"CVE-2022-3885", "CVE-2022-3886", "CVE-2022-3887", "CVE-2022-3888", "CVE-2022-3889", "CVE-2022-3890"},
		},
		{"Debian:11", "apache-log4j2", "2.13.3-1", "2.17.0-1~deb11u1", []string{"CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105"}},
		{"Debian:11", "redis", "5:6.0.16-1+deb11u1", "5:6.0.16-1+deb11u2", []string{"CVE-2022-0543"}},
		{
			"Debian:11",
			"apache2",
			"2.4.54-1~deb11u1",
			"2.4.56-1~deb11u1",
			[]string{"CVE-2006-20001", "CVE-2022-36760", "CVE-2022-37436", "CVE-2023-25690", "CVE-2023-27522"},
		},
		{"Debian:11", "zlib", "1:1.2.11.dfsg-2+deb11u1", "1:1.2.11.dfsg-2+deb11u2", []string{"CVE-2022-37434"}},
		{"Debian:12", "openssh", "1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u3", []string{"CVE-2024-6387"}},
		{"Alpine:v3.18", "openssl", "3.1.3-r0", "3.1.4-r0", []string{"CVE-2023-5363"}},
		{"Alpine:v3.18", "curl", "8.3.0-r0", "8.4.0-r0", []string{"CVE-2023-38545", "CVE-2023-38546"}},
		{"Alpine:v3.18", "busybox", "1.36.1-r0", "1.36.1-r1", []string{"CVE-2022-48174"}},
		{"Alpine:v3.18", "nghttp2", "1.55.1-r0", "1.57.0-r0", []string{"CVE-2023-44487"}},
		{"Alpine:v3.18", "zlib", "1.2.12-r1", "1.2.12-r2", []string{"CVE-2022-37434"}},
		{"PyPI", "PyYAML", "5.3.1", "5.4", []string{"CVE-2020-14343"}},
		{"PyPI", "Jinja2", "2.10", "2.10.1", []string{"CVE-2019-10906"}},
		{"PyPI", "Werkzeug", "2.2.2", "2.2.3", []string{"CVE-2023-23934", "CVE-2023-25577"}},
		{"PyPI", "requests", "2.28.2", "2.31.0", []string{"CVE-2023-32681"}},
		{"PyPI", "urllib3", "1.26.16", "1.26.17", []string{"CVE-2023-43804"}},
	}
	for _, test := range tests {
		t.Run(test.ecosystem+" "+test.source, func(t *testing.T) {
			if got := ids(db, test.ecosystem, test.source, test.affected); !slices.Equal(got, test.want) {
				t.Errorf("%s: %v, want %v", test.affected, got, test.want)
			}
			if got := ids(db, test.ecosystem, test.source, test.fixed); len(got) > 0 {
				t.Errorf("%s, which is fixed: %v", test.fixed, got)
			}
		})
	}
}

func ids(db *vuln.DB, ecosystem, source, version string) []string {
	var out []string
	for _, m := range db.Match(vuln.Package{Ecosystem: ecosystem, Name: source, Version: version}) {
		out = append(out, m.ID)
	}
	slices.Sort(out)
	return out
}

func TestTheSampleHasWhatTheStoriesNeed(t *testing.T) {
	db, err := vuln.Read(t.Context(), advisories.FS)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		ecosystem, name, version, id string
		severity                     vuln.Severity
		remoteCode, exploited        bool
	}{
		{"Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.6", "CVE-2022-3602", vuln.High, false, false},
		{"Ubuntu:22.04:LTS", "bash", "5.1-6ubuntu1", "CVE-2022-3715", vuln.Medium, false, false},
		{"Debian:11", "chromium", "106.0.5249.119-1~deb11u1", "CVE-2022-3889", vuln.High, true, false},
		{"Debian:11", "apache-log4j2", "2.13.3-1", "CVE-2021-44228", vuln.Critical, true, true},
		{"Debian:11", "redis", "5:6.0.16-1+deb11u1", "CVE-2022-0543", vuln.Critical, true, true},
		{"Debian:12", "openssh", "1:9.2p1-2+deb12u2", "CVE-2024-6387", vuln.High, true, false},
		{"Debian:11", "apache2", "2.4.54-1~deb11u1", "CVE-2023-25690", vuln.Critical, false, false},
		{"Alpine:v3.18", "nghttp2", "1.55.1-r0", "CVE-2023-44487", vuln.High, false, true},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			all := db.Match(vuln.Package{Ecosystem: test.ecosystem, Name: test.name, Version: test.version})
			i := slices.IndexFunc(all, func(m vuln.Match) bool { return m.ID == test.id })
			if i < 0 {
				t.Fatalf("not found among %v", all)
			}
			m := all[i]
			if m.Severity != test.severity || m.RCE != test.remoteCode || m.Exploited() != test.exploited {
				t.Errorf("%s (%s), remote code %v (%s), exploited %v", m.Severity, m.SeveritySource, m.RCE, m.RCEWhy, m.Exploited())
			}
			if m.Summary == "" || m.Details == "" || m.FixedVersion == "" || len(m.References) == 0 {
				t.Errorf("incomplete: %+v", m)
			}
		})
	}
}
