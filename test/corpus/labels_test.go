package corpus

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/vuln"
)

// Labels name packages without their ecosystem. An image's release is read from
// a package that every image of the family has, at the versions of each release.
var debianMarks = map[string]string{"1.0": "8", "1.4": "9", "1.8": "10", "2.2": "11", "2.6": "12"}                              // apt
var alpineMarks = map[string]string{"1.26": "3.6", "1.27": "3.7", "1.28": "3.8", "1.29": "3.9", "1.30": "3.10", "1.31": "3.11"} // busybox

var (
	alpineVersion = regexp.MustCompile(`^\d.*-r\d+$`)
	rpmVersion    = regexp.MustCompile(`\.(el\d|amzn\d|cm\d|fc\d)`)
	firstTwo      = regexp.MustCompile(`^\d+\.\d+`)
)

// releases finds each image's distribution release, where a mark tells it.
func releases(rows []map[string]string) map[string]string {
	out := map[string]string{}
	for _, r := range rows {
		mark := firstTwo.FindString(r["version"])
		switch {
		case r["package"] == "apt" && debianMarks[mark] != "" && !strings.Contains(r["image"], "ubuntu"):
			out[r["image"]] = "Debian:" + debianMarks[mark]
		case (r["package"] == "busybox" || r["package"] == "ssl_client") && alpineMarks[mark] != "" && alpineVersion.MatchString(r["version"]):
			out[r["image"]] = "Alpine:v" + alpineMarks[mark]
		}
	}
	return out
}

// candidates are the ecosystems that a label's package may belong to.
func candidates(r map[string]string, release string) []string {
	name, version := r["package"], r["version"]
	switch {
	case alpineVersion.MatchString(version):
		if strings.HasPrefix(release, "Alpine") {
			return []string{release}
		}
		return nil
	case rpmVersion.MatchString(version):
		return nil
	case strings.Contains(name, "/") && strings.Contains(name, "."), name == "stdlib":
		return []string{"Go"}
	case strings.ContainsAny(version, "-~:+") && strings.HasPrefix(release, "Debian"):
		return []string{release}
	case strings.ContainsAny(version, "~:+"):
		return nil
	case strings.HasPrefix(release, "Debian") && r["package"] == "apt": // Debian's own packages have no revision
		return []string{release}
	default:
		return []string{"PyPI"}
	}
}

// notPackages are labels on names that only look like packages of the ecosystem,
// or on metadata that a distribution's package brought: a scan reads the owner
// of the file, the labels do not tell it.
var notPackages = map[string]string{
	"mercurial 2.14":  "a Jenkins plugin",
	"mercurial 4.8.2": "Debian's mercurial",
	"urllib3 1.24.2":  "Red Hat's python3-urllib3",
	"PyYAML 3.10":     "Ubuntu's python3-yaml",
}

func TestCorpusVulnMatchLabels(t *testing.T) {
	dir := folder(t, "vuln-match-labels")
	db := advisories(t)
	rows := table(t, filepath.Join(dir, "labels_given.csv"))
	release := releases(rows)
	byEcosystem, all, others := map[string]*tally{}, tally{}, map[string]int{}
	for _, r := range rows {
		if r["conflict"] == "True" || r["label"] != "TP" && r["label"] != "FP" {
			continue
		}
		if why := notPackages[r["package"]+" "+r["version"]]; why != "" {
			others[why]++
			continue
		}
		p, known := subject(db, r, release[r["image"]])
		if !known {
			continue
		}
		family, _, _ := strings.Cut(p.Ecosystem, ":")
		if byEcosystem[family] == nil {
			byEcosystem[family] = &tally{}
		}
		byEcosystem[family].add(t, reported(db, p, r), r, p)
	}
	for _, count := range byEcosystem {
		all.hit, all.wrong, all.missed = all.hit+count.hit, all.wrong+count.wrong, all.missed+count.missed
	}
	scored := all.hit + all.wrong + all.missed
	t.Logf(
		"vuln-match-labels: %d labels, %d decided by the advisories at hand; precision %.3f, recall %.3f",
		len(rows),
		scored,
		all.precision(),
		all.recall(),
	)
	t.Logf("  not scored, because the label's package is another: %v", others)
	for family, count := range byEcosystem {
		t.Logf(
			"  %s: %d right, %d wrong, %d missed; precision %.3f, recall %.3f",
			family,
			count.hit,
			count.wrong,
			count.missed,
			count.precision(),
			count.recall(),
		)
	}
}

func (c *tally) add(t *testing.T, got bool, r map[string]string, p vuln.Package) {
	switch {
	case got && r["label"] == "TP":
		c.hit++
	case got:
		c.wrong++
		t.Logf("reported, labelled FP: %s %s %s %s %s", p.Ecosystem, p.Name, p.Version, r["vulnerability_id"], r["note"])
	case r["label"] == "TP":
		c.missed++
		t.Logf("missed, labelled TP: %s %s %s %s", p.Ecosystem, p.Name, p.Version, r["vulnerability_id"])
	}
}

// subject is the label's package in the ecosystem whose advisories know the
// package and the vulnerability; without one the label cannot be judged.
func subject(db *vuln.DB, r map[string]string, release string) (vuln.Package, bool) {
	for _, ecosystem := range candidates(r, release) {
		p := vuln.Package{Ecosystem: ecosystem, Name: r["package"], Version: r["version"], Source: sourceOf(ecosystem, r["package"])}
		considered := db.Considered(p)
		if slices.Contains(considered, r["vulnerability_id"]) || slices.Contains(considered, r["effective_cve"]) {
			return p, true
		}
	}
	return vuln.Package{}, false
}

func reported(db *vuln.DB, p vuln.Package, r map[string]string) bool {
	return slices.ContainsFunc(db.Match(p), func(m vuln.Match) bool {
		return m.ID == r["effective_cve"] || m.ID == r["vulnerability_id"] || slices.Contains(m.Aliases, r["vulnerability_id"])
	})
}

// binarySources are common binary packages whose source has another name, which
// a scan reads from the package database and the labels leave out.
var binarySources = map[string]string{
	"libssl1.1": "openssl", "libssl1.0.2": "openssl", "libssl3": "openssl", "libcrypto1.1": "openssl", "libcrypto1.0": "openssl",
	"libc6": "glibc", "libc-bin": "glibc", "libc-l10n": "glibc", "locales": "glibc", "multiarch-support": "glibc",
	"libc-dev-bin": "glibc", "libc6-dev": "glibc", "zlib1g": "zlib", "zlib1g-dev": "zlib", "ssl_client": "busybox", "libcurl4": "curl",
	"libcurl3": "curl", "libcurl3-gnutls": "curl", "libcurl": "curl", "libexpat1": "expat", "libgnutls30": "gnutls28",
	"libxml2": "libxml2", "liblz4-1": "lz4", "libapt-pkg5.0": "apt", "libapt-pkg6.0": "apt", "musl-utils": "musl",
	"libsqlite3-0": "sqlite3", "libtasn1-6": "libtasn1-6", "libgcrypt20": "libgcrypt20", "libnghttp2-14": "nghttp2",
	"libssh2-1": "libssh2", "libldap-2.4-2": "openldap", "libldap-common": "openldap", "perl-base": "perl", "libpcre3": "pcre3",
	"gpgv": "gnupg2", "liblzma5": "xz-utils", "libtinfo6": "ncurses", "libtinfo5": "ncurses", "ncurses-base": "ncurses",
	"ncurses-bin": "ncurses",
}

func sourceOf(ecosystem, name string) string {
	if ecosystem == "PyPI" || ecosystem == "Go" {
		return ""
	}
	return binarySources[name]
}
