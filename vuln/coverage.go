package vuln

import (
	"cmp"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// uncovered says why the database cannot speak about a package at all.
func (db *DB) uncovered(p Package, where release) *collect.Gap {
	gap := collect.Gap{Source: "advisories", What: cmp.Or(p.Ecosystem, "packages without an ecosystem"), Kinds: aboutVulnerabilities(),
		Consequence: "its packages may have vulnerabilities that are not listed"}
	switch {
	case where.Family == "":
		gap.Why = "the distribution is not known"
	case !comparable(where.Family):
		gap.Why = fmt.Sprintf("no version comparison for the ecosystem %q", p.Ecosystem)
	case where.hasReleases() && where.Number == "":
		gap.Why = "the release is not known, and fixed versions differ by release"
	case db.covers(where):
		return nil
	case where.hasReleases():
		gap.Why = "no advisories for this distribution were imported (breakwater db update, or db import)"
	default:
		gap.Why = "no advisories for this ecosystem were imported (breakwater db update, or db import)"
	}
	return &gap
}

// aboutVulnerabilities are the kinds whose absence proves nothing without advisories.
func aboutVulnerabilities() []string {
	return []string{"Vulnerability", "HAS_VULNERABILITY", "AFFECTED_BY"}
}

// covers says that advisories speak of the release. A record without a release says
// something of its own package everywhere, and nothing of what else is in a release.
func (db *DB) covers(where release) bool { return db.status.Ecosystems[where.String()] > 0 }

// What is imported (ADR 290) is thin for a release that fewer statements speak of than any release
// has that a distribution keeps (the smallest, Alpine's, have a thousand and more), and
// old if the newest of them is: distributions publish several a week.
const (
	thinBelow = 500
	oldAfter  = 60 * 24 * time.Hour
)

// leastKnown is how many statements a language has at least whose published advisories were imported whole: about half of what there
// were in 2024. Languages that are not here have few.
var leastKnown = map[string]int{"npm": 3000, "PyPI": 2000, "Maven": 2500, "Go": 1000, "NuGet": 500, "RubyGems": 500, "Packagist": 1500,
	"crates.io": 500}

// least is how many statements there are at least where the advisories are not thin.
func (r release) least() int {
	if r.isDistribution() {
		return thinBelow
	}
	return leastKnown[r.Family]
}

// Doubt says why "none known" means little for a package although advisories for its
// distribution were imported: they are few, or old. It is zero where they are neither.
func (db *DB) Doubt(p Package) (collect.Gap, bool) { return db.doubt(p, time.Now()) }

func (db *DB) doubt(p Package, now time.Time) (collect.Gap, bool) {
	where := parseEcosystem(p.Ecosystem).inferred(p.Version)
	if db.uncovered(p, where) != nil {
		return collect.Gap{}, false // it says so itself
	}
	gap := collect.Gap{Source: "advisories", What: "advisories for " + where.String(), Kinds: aboutVulnerabilities()}
	n, newest := db.status.Ecosystems[where.String()], db.status.Latest[where.String()]
	switch {
	case n < where.least():
		what := "a release that is kept has more than %d"
		if !where.isDistribution() {
			what = "there are more than %d"
		}
		gap.Why = fmt.Sprintf("only %d of them were imported; "+what, n, where.least())
		gap.Consequence = "Vulnerabilities that they do not speak of are not found: what is not listed is unknown. " +
			"breakwater db update, or db import, brings more."
	case now.Sub(newest) > oldAfter && !newest.IsZero():
		gap.Why = fmt.Sprintf("the newest is of %s, more than %d days ago", newest.UTC().Format(time.DateOnly), oldAfter/(24*time.Hour))
		gap.Consequence = "Vulnerabilities that became known since are not found: what is not listed is unknown. " +
			"breakwater db update, or db import, brings newer ones."
	default:
		return collect.Gap{}, false
	}
	return gap, true
}

func incomparable(p Package, why string) collect.Gap {
	return collect.Gap{Source: "advisories", What: p.Ecosystem + " " + p.Name + " " + p.Version, Why: "the version does not compare: " + why,
		Kinds: aboutVulnerabilities(), Consequence: "its vulnerabilities are not known"}
}

const damagedWhat = "advisory database"

func damaged(err error) collect.Gap {
	return collect.Gap{Source: "advisories", What: damagedWhat, Why: err.Error(),
		Kinds: aboutVulnerabilities(), Consequence: "vulnerabilities may be missing; import the advisories again"}
}
