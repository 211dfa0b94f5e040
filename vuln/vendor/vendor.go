// Package vendor reads what distributions publish of their security updates in forms of their own, and writes it as OSV records:
// updateinfo.xml of rpm repositories (Amazon Linux, Oracle Linux, Fedora), Oracle's OVAL, Photon's list of CVEs, Red Hat's VEX as CSAF.
// OSV has the other distributions (ADR 560).
//
// It opens nothing and knows no database. All it reads is of strangers: what is past a bound is an error of that record.
package vendor

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Record is an advisory as OSV has it, as far as these forms tell one.
type Record struct {
	ID         string         `json:"id"`
	Modified   string         `json:"modified,omitempty"`
	Published  string         `json:"published,omitempty"`
	Upstream   []string       `json:"upstream,omitempty"`
	Summary    string         `json:"summary,omitempty"`
	Details    string         `json:"details,omitempty"`
	Severity   []Score        `json:"severity,omitempty"`
	Affected   []Affected     `json:"affected,omitempty"`
	References []Reference    `json:"references,omitempty"`
	Database   map[string]any `json:"database_specific,omitempty"`
}

// Score is a CVSS vector.
type Score struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// Reference is where more is told.
type Reference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// Affected is what is told of one package in one release.
type Affected struct {
	Package   Package           `json:"package"`
	Ranges    []Range           `json:"ranges"`
	Ecosystem map[string]string `json:"ecosystem_specific,omitempty"`
}

// Package is a package of a release: "Oracle Linux:9".
type Package struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

// Range is the versions that are affected.
type Range struct {
	Type   string              `json:"type"`
	Events []map[string]string `json:"events"`
}

// Bounds of one record.
const (
	// mostRecord is the largest element of a file in XML.
	mostRecord = 8 << 20
	// mostAffected is how many packages a record tells of, longestText how long a name, a version or an id may be.
	mostAffected = 20_000
	longestText  = 256
)

var errBound = errors.New("past its bounds")

// fixed says that versions before one are affected; "" is that all are, and "0" that none ever was.
func fixed(ecosystem, name, version string) Affected {
	return fixedSince(ecosystem, name, "0", version)
}

// fixedSince says that versions from one on are affected, and before another.
func fixedSince(ecosystem, name, first, version string) Affected {
	events := []map[string]string{{"introduced": first}}
	if version != "" {
		events = append(events, map[string]string{"fixed": version})
	}
	return Affected{Package: Package{ecosystem, name}, Ranges: []Range{{"ECOSYSTEM", events}}}
}

// add takes what is told of a package, each once.
func (r *Record) add(ecosystem, name, version string) error {
	return r.addFrom(ecosystem, name, "0", version)
}

// addFrom is add for a package of which versions before the first are another stream's.
func (r *Record) addFrom(ecosystem, name, first, version string) error {
	for _, text := range []string{ecosystem, name, first, version} {
		if len(text) > longestText || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' && c != ' ' || c == 0x7f }) {
			return fmt.Errorf("%s: want names and versions of one line of at most %d bytes, got %.40q", r.ID, longestText, text)
		}
	}
	if name == "" {
		return fmt.Errorf("%s: want the name of a package", r.ID)
	}
	if len(r.Affected) >= mostAffected {
		return fmt.Errorf("%s: want at most %d packages: %w", r.ID, mostAffected, errBound)
	}
	r.Affected = append(r.Affected, fixedSince(ecosystem, name, first, version))
	return nil
}

// compact leaves each statement in once, in order.
func (r *Record) compact() {
	key := func(a Affected) string { return fmt.Sprint(a.Package, a.Ranges, a.Ecosystem) }
	keys := make(map[string]bool, len(r.Affected))
	r.Affected = slices.DeleteFunc(r.Affected, func(a Affected) bool {
		k := key(a)
		seen := keys[k]
		keys[k] = true
		return seen
	})
	slices.Sort(r.Upstream)
	r.Upstream = slices.Compact(r.Upstream)
}

var (
	cvePattern = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)
	cveWithin  = regexp.MustCompile(`\bCVE-\d{4}-\d{4,}\b`)
)

// epoched is a version of rpm as its tools write it: an epoch of 0 is none.
func epoched(epoch, version, release string) string {
	out := version
	if release != "" {
		out += "-" + release
	}
	if epoch != "" && epoch != "0" && epoch != "(none)" {
		out = epoch + ":" + out
	}
	return out
}
