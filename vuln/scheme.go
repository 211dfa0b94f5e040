package vuln

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// A scheme is how the versions of some ecosystems are ordered. Those here are ours, because the library's order differs from
// what the ecosystems' own tools say (test/versions asks them); the other ecosystems are ordered by the library.
type scheme[T any] struct {
	read  func(text string) T
	order func(a, b T) int
}

// reader reads a version; what it gives compares with what it gives.
type reader func(text string) semantic.Version

func (s *scheme[T]) version(text string) semantic.Version {
	return ordered[T]{s, s.read(strings.TrimSpace(text))}
}

// ordered is a version of a scheme.
type ordered[T any] struct {
	scheme *scheme[T]
	value  T
}

// Compare implements semantic.Version.
func (v ordered[T]) Compare(other semantic.Version) (int, error) {
	w, same := other.(ordered[T])
	if !same || w.scheme != v.scheme {
		return 0, semantic.ErrNotSameEcosystem
	}
	return cmp.Compare(v.scheme.order(v.value, w.value), 0), nil
}

// CompareStr implements semantic.Version.
func (v ordered[T]) CompareStr(text string) (int, error) {
	return v.Compare(v.scheme.version(text))
}

// schemes are the orders that are ours, by the ecosystem that has its versions.
var schemes = map[string]reader{
	"Red Hat": rpmScheme.version, "AlmaLinux": rpmScheme.version, "Rocky Linux": rpmScheme.version, "SUSE": rpmScheme.version,
	"openSUSE": rpmScheme.version, "openEuler": rpmScheme.version, "Mageia": rpmScheme.version,
	"Alpine": apkScheme.version, "Alpaquita": apkScheme.version, "BellSoft Hardened Containers": apkScheme.version,
	"Wolfi": apkScheme.version, "Chainguard": apkScheme.version, "MinimOS": apkScheme.version,
	"Maven": mavenScheme.version, "RubyGems": gemScheme.version, "Packagist": composerScheme.version,
	"npm": semverScheme.version, "Go": semverScheme.version, "crates.io": semverScheme.version, "Hex": semverScheme.version,
	"Julia": semverScheme.version, "SwiftURL": semverScheme.version, "ConanCenter": semverScheme.version, "Bitnami": semverScheme.version,
	"Bioconductor": semverScheme.version, "GHC": semverScheme.version, "Docker Hardened Images": semverScheme.version,
	"NuGet": nugetScheme.version,
}

// longestVersion bounds what is compared: versions come out of images and advisories of strangers.
const longestVersion = 1024

// parseVersion reads a version by the family's rules.
func parseVersion(familyName, version string) (semantic.Version, error) {
	if f := families[familyName]; f.versions != "" {
		familyName = f.versions
	}
	if len(version) > longestVersion {
		return nil, fmt.Errorf("want a version of at most %d characters, got %.40q…", longestVersion, version)
	}
	if read, ours := schemes[familyName]; ours {
		return read(version), nil
	}
	return semantic.Parse(version, familyName)
}

// digits is how many of them a text begins with.
func digits(s string) int { return prefix(s, func(c byte) bool { return '0' <= c && c <= '9' }) }

// prefix is how long the part is that a text begins with and that is all of one kind.
func prefix(s string, of func(byte) bool) int {
	n := 0
	for n < len(s) && of(s[n]) {
		n++
	}
	return n
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// isNumber says that a text is digits alone.
func isNumber(s string) bool { return s != "" && digits(s) == len(s) }

// compareNumbers orders numbers of any length, written in digits.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
