package vuln

import (
	"cmp"
	"fmt"

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
		gap.Why = "no advisories for this distribution were imported (breakwater db import)"
	default:
		gap.Why = "no advisories for this ecosystem were imported (breakwater db import)"
	}
	return &gap
}

// aboutVulnerabilities are the kinds whose absence proves nothing without advisories.
func aboutVulnerabilities() []string {
	return []string{"Vulnerability", "HAS_VULNERABILITY", "AFFECTED_BY"}
}

func (db *DB) covers(where release) bool {
	return db.status.Ecosystems[where.String()] > 0 || db.status.Ecosystems[where.Family] > 0
}

func incomparable(p Package, why string) collect.Gap {
	return collect.Gap{Source: "advisories", What: p.Ecosystem + " " + p.Name + " " + p.Version, Why: "the version does not compare: " + why,
		Kinds: aboutVulnerabilities(), Consequence: "its vulnerabilities are not known"}
}

func damaged(err error) collect.Gap {
	return collect.Gap{Source: "advisories", What: "advisory database", Why: err.Error(),
		Kinds: aboutVulnerabilities(), Consequence: "vulnerabilities may be missing; import the advisories again"}
}
