package corpus

import (
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
	debianVersion = regexp.MustCompile(`^\d\S*-\d\S*(ubuntu|deb|build)|-\d+(\.\d+)*$`)
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

// debianOwn are packages that Debian itself writes: their versions have no revision.
var debianOwn = []string{"apt", "libapt-pkg5.0", "libapt-pkg6.0", "apt-transport-https", "apt-utils", "dpkg", "dpkg-dev", "libdpkg-perl"}

// ecosystem is the one that a label's package belongs to, told by the label alone and never by what our advisories
// know; why says what keeps it from being told.
func ecosystem(r map[string]string, release string, python map[string]bool) (name, why string) {
	pkg, version := r["package"], r["version"]
	family, _, _ := strings.Cut(release, ":")
	switch {
	case alpineVersion.MatchString(version) && family == "Alpine":
		return release, ""
	case alpineVersion.MatchString(version):
		return "", "the image's release of Alpine is not told"
	case rpmVersion.MatchString(version):
		return "", "an rpm package: no advisories at hand are about those"
	case strings.Contains(pkg, "/") && strings.Contains(pkg, "."), pkg == "stdlib":
		return "Go", ""
	case family == "Debian" && (strings.ContainsAny(version, "-~:+") || slices.Contains(debianOwn, pkg)):
		return release, ""
	case strings.ContainsAny(version, "~:+") || debianVersion.MatchString(version):
		return "", "the image's release of Debian or Ubuntu is not told"
	case python[pythonName(pkg)]:
		return "PyPI", ""
	}
	return "", "the label does not tell the language of the package"
}

// pythonName is a name as PyPI compares them.
func pythonName(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// TestCorpusVulnMatchLabels asks the matcher about labelled pairs of a package and a vulnerability. Scored are all labels of
// vulnerabilities that some advisory at hand names for some package of the ecosystem: the data says so, not the matcher.
func TestCorpusVulnMatchLabels(t *testing.T) {
	dir := folder(t, "vuln-match-labels")
	db, told := advisories(t), toldBy(t)
	key := table(t, inside(dir, "labels_given.csv"))
	release := releases(key)
	s := scoring(t, "vuln-match-labels", len(key))
	families := map[string]*score{}
	missed, untold := 0, 0
	for _, r := range key {
		name := named(r["package"], r["version"], r["vulnerability_id"])
		if s.excepted(named(r["package"], r["version"])) {
			continue
		}
		in, why := ecosystem(r, release[r["image"]], told.python)
		switch {
		case r["conflict"] == "True":
			why = "two labels of the key disagree"
		case r["label"] != "TP" && r["label"] != "FP":
			why = "the key does not know"
		case why == "" && !told.ids[in][r["vulnerability_id"]] && !told.ids[in][r["effective_cve"]]:
			family, _, _ := strings.Cut(in, ":")
			why = "no advisory at hand names the vulnerability for any package of " + family
		}
		if why != "" {
			s.leave(name, why)
			continue
		}
		p := vuln.Package{Ecosystem: in, Name: r["package"], Version: r["version"], Source: sourceOf(in, r["package"])}
		family, _, _ := strings.Cut(in, ":")
		if families[family] == nil {
			families[family] = &score{t: t}
		}
		got := reported(db, p, r)
		families[family].row(in+" "+name+" "+r["note"], got, r["label"] == "TP")
		if !got && r["label"] == "TP" {
			missed++
			if !told.names(in, p, r["vulnerability_id"], r["effective_cve"]) {
				untold++
			}
		}
	}
	s.share("missed that no advisory at hand tells of the package", untold, missed)
	for family, f := range families {
		s.counted, s.hit, s.wrong, s.missed, s.quiet = s.counted+f.counted, s.hit+f.hit, s.wrong+f.wrong, s.missed+f.missed, s.quiet+f.quiet
		s.share("precision "+family, f.hit, f.hit+f.wrong)
		s.share("recall "+family, f.hit, f.hit+f.missed)
		s.share("quiet "+family, f.quiet, f.quiet+f.wrong)
	}
	s.end()
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
	"libfreetype6": "freetype",
	"libcurl3":     "curl", "libcurl3-gnutls": "curl", "libcurl": "curl", "libexpat1": "expat", "libgnutls30": "gnutls28",
	"libxml2": "libxml2", "liblz4-1": "lz4", "libapt-pkg5.0": "apt", "libapt-pkg6.0": "apt", "apt-utils": "apt", "apt-transport-https": "apt",
	"dpkg-dev": "dpkg", "libdpkg-perl": "dpkg", "musl-utils": "musl",
	"libsqlite3-0": "sqlite3", "libtasn1-6": "libtasn1-6", "libgcrypt20": "libgcrypt20", "libnghttp2-14": "nghttp2",
	"libssh2-1": "libssh2", "libldap-2.4-2": "openldap", "libldap-common": "openldap", "perl-base": "perl", "libpcre3": "pcre3",
	"gpgv": "gnupg2", "liblzma5": "xz-utils", "libtinfo6": "ncurses", "libtinfo5": "ncurses", "ncurses-base": "ncurses",
	"ncurses-bin": "ncurses",
	"libnettle6":  "nettle", "libhogweed4": "nettle", "libp11-kit0": "p11-kit", "p11-kit-modules": "p11-kit",
	"libkrb5-3": "krb5", "libkrb5support0": "krb5", "libgssapi-krb5-2": "krb5", "libk5crypto3": "krb5", "passwd": "shadow", "login": "shadow",
	"libudev1": "systemd", "libsystemd0": "systemd", "libzstd1": "libzstd", "libxslt1.1": "libxslt", "libsvn1": "subversion",
	"libss2": "e2fsprogs", "libcomerr2": "e2fsprogs", "libcom-err2": "e2fsprogs", "e2fslibs": "e2fsprogs", "libext2fs2": "e2fsprogs",
	"libtirpc3": "libtirpc", "libtirpc-common": "libtirpc", "python2.7-minimal": "python2.7", "libpython2.7-stdlib": "python2.7",
	"libpython2.7-minimal": "python2.7", "libpcre2-8-0": "pcre2", "libidn2-0": "libidn2", "libicu63": "icu",
}

func sourceOf(ecosystem, name string) string {
	if ecosystem == "PyPI" || ecosystem == "Go" {
		return ""
	}
	return binarySources[name]
}
