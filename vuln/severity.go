package vuln

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/breakwater-sec/breakwater/severity"
)

// rate decides a severity and says who decided, in this order:
//
//  1. the distribution's own rating of this package (it knows how it built it),
//  2. the CVSS base score, newest version of the standard first: 4.0, 3.1, 3.0, 2.0; of one version what the deciding
//     records say, then GitHub, then the CVE's own record, then anybody,
//  3. the level that GitHub wrote beside its record, then that of the CVE's own, then anybody's.
//
// All records on the vulnerability count, by whichever of its ids they name it. Deciding entries come first in entries, and records
// are in a stable order.
func rate(where release, entries []*entry, records []*record, cvss *CVSS) (Severity, string) {
	for _, e := range entries {
		if s, word := e.distributionRating(); s != Unknown {
			return s, fmt.Sprintf("%s rates it %s (%s)", where.Family, word, e.ID)
		}
	}
	for _, r := range records {
		if s, word := r.vendorRating(where.Family); s != Unknown {
			return s, fmt.Sprintf("%s rates it %s (%s)", where.Family, word, r.ID)
		}
	}
	if cvss != nil {
		return band(cvss.Score), fmt.Sprintf("CVSS %.1f (%s)", cvss.Score, cvss.Source)
	}
	for _, r := range slices.SortedStableFunc(slices.Values(records), func(a, b *record) int { return cmp.Compare(a.trust(), b.trust()) }) {
		if s := word(r.Level); s != Unknown {
			return s, fmt.Sprintf("%s calls it %s (%s)", databaseOf(r.ID), strings.ToLower(r.Level), r.ID)
		}
	}
	return Unknown, "no advisory rates it"
}

// distributionRating is the word a distribution wrote for this very package:
// Ubuntu's priority, Debian's urgency.
func (e *entry) distributionRating() (Severity, string) {
	for _, s := range e.Severity {
		if got := word(s.Score); got != Unknown {
			return got, s.Score
		}
	}
	if strings.EqualFold(e.Level, "unimportant") {
		return Low, "unimportant"
	}
	return word(e.Level), e.Level
}

// vendorRating is the distribution's word for a whole advisory: Ubuntu's
// priority, or the first word of a Red Hat style title ("Important: openssl …").
func (r *record) vendorRating(familyName string) (Severity, string) {
	if !publishedBy(r.ID, familyName) {
		return Unknown, ""
	}
	for _, s := range r.Severity {
		if got := word(s.Score); got != Unknown {
			return got, s.Score
		}
	}
	if got := word(r.Level); got != Unknown {
		return got, r.Level
	}
	first, _, found := strings.Cut(r.Summary, ":")
	if !found {
		return Unknown, ""
	}
	return word(first), first
}

// publishers are the id prefixes of each distribution's own records.
var publishers = map[string][]string{
	"Debian": {"DEBIAN-", "DSA-", "DLA-", "DTSA-"}, "Ubuntu": {"UBUNTU-", "USN-", "LSN-"},
	"Alpine": {"ALPINE-"}, "Red Hat": {"RHSA-", "RHBA-", "RHEA-", "REDHAT-"}, "AlmaLinux": {"ALSA-", "ALBA-", "ALEA-"},
	"Rocky Linux": {"RLSA-", "RXSA-"}, "SUSE": {"SUSE-"}, "openSUSE": {"openSUSE-", "SUSE-"},
	"openEuler": {"OESA-"}, "Mageia": {"MGASA-"}, "Oracle Linux": {"ELSA-"}, "Amazon Linux": {"ALAS"},
	"Azure Linux": {"AZL-"}, "Photon OS": {"PHSA-", "PHOTON-"}, "Fedora": {"FEDORA-"}, "Echo": {"ECHO-"}, "Wolfi": {"CGA-"},
	"Chainguard": {"CGA-"},
	"MinimOS":    {"MINI-"},
}

func publishedBy(id, familyName string) bool {
	return slices.ContainsFunc(publishers[familyName], func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}

// databaseOf names the database an advisory's id belongs to.
func databaseOf(id string) string {
	switch {
	case strings.HasPrefix(id, "GHSA-"):
		return "GitHub"
	case strings.HasPrefix(id, "BIT-"):
		return "Bitnami"
	default:
		return "the advisory"
	}
}

// word reads the ratings that advisories use; anything else is Unknown.
func word(text string) Severity {
	text = strings.ToLower(strings.TrimRight(strings.TrimSpace(text), "*"))
	switch text {
	case "negligible":
		return Low
	case "moderate":
		return Medium
	case "important":
		return High
	}
	s, _ := severity.Parse(text)
	return s
}

// band is CVSS's qualitative scale.
func band(score float64) Severity {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0:
		return Low
	default:
		return None
	}
}

// trust ranks who describes a vulnerability: GitHub, then the CVE's own record, then anybody. What a record on several says is of the
// worst of them, and comes last.
func (r *record) trust() int {
	switch {
	case len(r.vulnerabilities()) > 1:
		return 3
	case strings.HasPrefix(r.ID, "GHSA-"):
		return 0
	case cvePattern.MatchString(r.ID):
		return 1
	}
	return 2
}

// bestCVSS is the vector to trust, in the order that rate documents; of equals the highest score.
func bestCVSS(entries []*entry, records []*record, decided int) *CVSS {
	type rated struct {
		CVSS
		trust int
	}
	var all []rated
	add := func(scores []score, source string, trust int) {
		for _, s := range scores {
			if value, ok := baseScore(s.Score); ok {
				all = append(all, rated{CVSS{Vector: s.Score, Score: value, Source: source}, trust})
			}
		}
	}
	several := map[string]bool{}
	for i, r := range records {
		trust := r.trust()
		several[r.ID] = len(r.vulnerabilities()) > 1
		if i < decided && !several[r.ID] {
			trust = -1
		}
		add(r.Severity, r.ID, trust)
	}
	for _, e := range entries {
		if several[e.ID] {
			add(e.Severity, e.ID, 3)
		} else {
			add(e.Severity, e.ID, -1)
		}
	}
	if len(all) == 0 {
		return nil
	}
	best := slices.MinFunc(all, func(a, b rated) int {
		return cmp.Or(cmp.Compare(standard(a.Vector), standard(b.Vector)), cmp.Compare(a.trust, b.trust), cmp.Compare(b.Score, a.Score),
			strings.Compare(a.Source, b.Source))
	})
	return &best.CVSS
}

// standard ranks the versions of CVSS, the newest first.
func standard(vector string) int {
	for i, version := range []string{"CVSS:4.0/", "CVSS:3.1/", "CVSS:3.0/"} {
		if strings.HasPrefix(vector, version) {
			return i
		}
	}
	return 3
}

// baseScore computes a vector's base score; what is not a vector is not ok.
func baseScore(vector string) (float64, bool) {
	if len(vector) > 512 {
		return 0, false
	}
	switch {
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(vector)
		return scored(v, err, (*gocvss31.CVSS31).BaseScore)
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		return scored(v, err, (*gocvss30.CVSS30).BaseScore)
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(vector)
		return scored(v, err, (*gocvss40.CVSS40).Score)
	case strings.HasPrefix(vector, "AV:"):
		v, err := gocvss20.ParseVector(vector)
		return scored(v, err, (*gocvss20.CVSS20).BaseScore)
	default:
		return 0, false
	}
}

func scored[T any](v *T, err error, base func(*T) float64) (float64, bool) {
	if err != nil {
		return 0, false
	}
	return base(v), true
}
