package vuln

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// Match returns the vulnerabilities that affect a package, worst first. What it
// could not judge is silent here: Examine says it.
func (db *DB) Match(p Package) []Match {
	found, _ := db.Examine(p)
	return found
}

// Examine is Match with what stood in its way: no advisories for the
// distribution, a version that does not compare, a damaged database.
func (db *DB) Examine(p Package) ([]Match, []collect.Gap) {
	where := parseEcosystem(p.Ecosystem).inferred(p.Version)
	if gap := db.uncovered(p, where); gap != nil {
		return nil, []collect.Gap{*gap}
	}
	if _, yes := Codeless(p); yes {
		return nil, nil
	}
	opinions, gaps := db.opinions(p, where)
	groups := map[string][]opinion{}
	for _, o := range opinions {
		ids, err := db.canonical(o.record)
		if err != nil {
			gaps = append(gaps, damaged(err))
			continue
		}
		for _, id := range ids {
			groups[id] = append(groups[id], o)
		}
	}
	var out []Match
	for id, group := range groups {
		deciding := decide(where, group)
		if len(deciding) == 0 {
			continue
		}
		m, err := db.describe(id, where, p, deciding)
		if err != nil {
			gaps = append(gaps, damaged(err))
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), strings.Compare(a.ID, b.ID))
	})
	return out, gaps
}

// opinion is one record's verdict on the package.
type opinion struct {
	entry  *entry
	record *record
	verdict
}

// opinions collects what every record says about the package in its release.
func (db *DB) opinions(p Package, where release) (out []opinion, gaps []collect.Gap) {
	for _, known := range where.lookupNames(p) {
		v, err := parseVersion(where.Family, known.version)
		if err != nil {
			return nil, append(gaps, incomparable(p, err))
		}
		for i, s := range db.shelves {
			entries, err := values[entry](s, packageKey(where.Family, known.name))
			if err != nil {
				gaps = append(gaps, damaged(err))
			}
			for j := range entries {
				e := &entries[j]
				if !e.speaksOf(where, known.version) {
					continue
				}
				r, at, err := db.newest(e.ID)
				switch {
				case err != nil:
					gaps = append(gaps, damaged(err))
				case r == nil || at != i || r.Withdrawn:
				default:
					out = append(out, opinion{e, r, e.judge(where.Family, known.version, v)})
				}
			}
		}
	}
	return out, gaps
}

// speaksOf says that the entry concerns the release. An entry without a release
// concerns all; builds with versions of their own (FIPS) concern only themselves.
func (e *entry) speaksOf(where release, version string) bool {
	if e.Release != "" && e.Release != where.Number {
		return false
	}
	switch e.Channel {
	case "", "Pro":
		return true
	default:
		return strings.Contains(strings.ToLower(version), strings.ToLower(strings.TrimSuffix(e.Channel, "-updates")))
	}
}

// decide picks the opinions that count, none if the package is not affected.
// Language ecosystems: any record that says affected. Distributions: their
// tracker's record on the CVE before their notices (which may cover several
// CVEs with one version), and the archive everyone has before paid ones.
func decide(where release, group []opinion) []opinion {
	if !where.hasReleases() {
		return affectedOf(group)
	}
	tiers := [4][]opinion{}
	for _, o := range group {
		tier := 0
		if !o.record.tracker() {
			tier = 1
		}
		if o.entry.Channel == "Pro" {
			tier += 2
		}
		tiers[tier] = append(tiers[tier], o)
	}
	for i, tier := range tiers {
		if len(tier) == 0 {
			continue
		}
		out := affectedOf(tier)
		if len(out) > 0 && i < 2 && highestFix(where, out) == "" {
			out = append(out, affectedOf(slices.Concat(tiers[2], tiers[3]))...)
		}
		return out
	}
	return nil
}

func affectedOf(group []opinion) []opinion {
	var out []opinion
	for _, o := range group {
		if o.affected {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b opinion) int { return strings.Compare(a.record.ID, b.record.ID) })
	return out
}

// highestFix is the version at which every opinion agrees that it is over.
func highestFix(where release, group []opinion) string {
	best := ""
	for _, o := range group {
		if o.fixed != "" && (best == "" || earlier(where.Family, best, o.fixed)) {
			best = o.fixed
		}
	}
	return best
}

// canonical are the vulnerabilities a record is about; a record that names only
// another advisory is followed to that one's CVE.
func (db *DB) canonical(r *record) ([]string, error) {
	ids := r.vulnerabilities()
	if len(ids) != 1 || asCVE(ids[0]) != "" {
		return ids, nil
	}
	for _, alias := range append([]string{r.ID}, r.Aliases...) {
		others, err := db.about(alias)
		if err != nil {
			return nil, err
		}
		for _, other := range others {
			if found := other.vulnerabilities(); asCVE(found[0]) != "" && slices.Contains(append(other.Aliases, other.ID), alias) {
				return found, nil
			}
		}
	}
	return ids, nil
}

// describe joins everything known about one vulnerability of one package.
func (db *DB) describe(id string, where release, p Package, deciding []opinion) (Match, error) {
	records, entries := own(deciding)
	decided := len(records)
	all, err := db.about(id)
	for _, r := range all {
		if len(r.vulnerabilities()) == 1 && !slices.ContainsFunc(records, func(known *record) bool { return known.ID == r.ID }) {
			records = append(records, r)
		}
	}
	fixed := highestFix(where, deciding)
	m := Match{ID: id, Package: p, Aliases: alsoKnownAs(id, records, decided), FixNote: fixNote(fixed, deciding)}
	m.FixedVersion = strings.TrimPrefix(fixed, "0:") // epoch 0 is none, and package tools do not print it
	for _, o := range deciding {
		m.Advisories = append(m.Advisories, o.record.ID)
	}
	m.Advisories = slices.Compact(m.Advisories)
	m.CVSS = bestCVSS(entries, records)
	m.Severity, m.SeveritySource = rate(where, entries, records, m.CVSS)
	m.tell(records)
	if kevErr := db.join(&m); err == nil {
		err = kevErr
	}
	m.RCE, m.RCEWhy = remoteCode(m, records)
	return m, err
}

func own(deciding []opinion) (records []*record, entries []*entry) {
	for _, o := range deciding {
		if !slices.ContainsFunc(records, func(r *record) bool { return r.ID == o.record.ID }) {
			records = append(records, o.record)
		}
		entries = append(entries, o.entry)
	}
	return records, entries
}

func fixNote(fixed string, deciding []opinion) string {
	for _, o := range deciding {
		if o.fixed == fixed && fixed != "" && o.entry.Channel == "" {
			return ""
		}
	}
	if fixed == "" {
		return ""
	}
	return "available with Ubuntu Pro only"
}

// describing puts what describes the vulnerability before what announces updates.
func describing(a, b *record) int {
	rank := func(r *record) int {
		switch {
		case !r.notice():
			return 0
		case len(r.vulnerabilities()) == 1:
			return 1
		default:
			return 2
		}
	}
	return cmp.Compare(rank(a), rank(b))
}

// tell fills the prose.
func (m *Match) tell(records []*record) {
	for _, r := range slices.SortedStableFunc(slices.Values(records), describing) {
		m.Summary = cmp.Or(m.Summary, r.Summary)
		m.Details = cmp.Or(m.Details, r.Details)
		m.CWEs = append(m.CWEs, r.CWEs...)
		for _, url := range r.References {
			if len(m.References) < maxReferences && !slices.Contains(m.References, url) {
				m.References = append(m.References, url)
			}
		}
		if !r.Published.IsZero() && (m.Published.IsZero() || r.Published.Before(m.Published)) {
			m.Published = r.Published
		}
		if r.Modified.After(m.Modified) {
			m.Modified = r.Modified
		}
	}
	slices.Sort(m.CWEs)
	m.CWEs = slices.Compact(m.CWEs)
	if m.Summary == "" {
		m.Summary = firstSentence(m.Details)
	}
}

// firstSentence stands in for a title that trackers do not write.
func firstSentence(details string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(details), "\n")
	if i := strings.Index(line, ". "); i > 0 {
		line = line[:i+1]
	}
	return clip(line, 160)
}

// join adds what CISA and FIRST say about the CVE.
func (db *DB) join(m *Match) error {
	epss, err := first[EPSS](db, "e"+m.ID)
	if err != nil {
		return err
	}
	m.EPSS = epss
	kev, err := first[KEV](db, "k"+m.ID)
	if err != nil {
		return err
	}
	if m.KEV = kev; kev == nil && db.status.HasKEV && asCVE(m.ID) != "" {
		m.KEV = &KEV{}
	}
	return nil
}

// uncovered says why the database cannot speak about a package at all.
func (db *DB) uncovered(p Package, where release) *collect.Gap {
	gap := collect.Gap{Source: "advisories", What: cmp.Or(p.Ecosystem, "packages without an ecosystem"), Kinds: []string{"Vulnerability", "HAS_VULNERABILITY", "AFFECTED_BY"},
		Consequence: "its packages may have vulnerabilities that are not listed"}
	switch {
	case !comparable(where.Family):
		gap.Why = fmt.Sprintf("no version comparison for the ecosystem %q", p.Ecosystem)
	case where.hasReleases() && where.Number == "":
		gap.Why = "the release is not known, and fixed versions differ by release"
	case db.covers(where):
		return nil
	case where.hasReleases():
		gap.Why = "no advisories for this distribution"
	default:
		gap.Why = "no advisories for this ecosystem"
	}
	if gap.Why == "no advisories for this distribution" || gap.Why == "no advisories for this ecosystem" {
		gap.Why += " were imported (breakwater db import)"
	}
	return &gap
}

func (db *DB) covers(where release) bool {
	return db.status.Ecosystems[where.String()] > 0 || db.status.Ecosystems[where.Family] > 0
}

func incomparable(p Package, err error) collect.Gap {
	return collect.Gap{Source: "advisories", What: p.Ecosystem + " " + p.Name + " " + p.Version, Why: fmt.Sprintf("the version does not compare: %v", err),
		Kinds: []string{"HAS_VULNERABILITY", "AFFECTED_BY"}, Consequence: "its vulnerabilities are not known"}
}

func damaged(err error) collect.Gap {
	return collect.Gap{Source: "advisories", What: "advisory database", Why: err.Error(),
		Kinds: []string{"Vulnerability", "HAS_VULNERABILITY", "AFFECTED_BY"}, Consequence: "vulnerabilities may be missing; import the advisories again"}
}

// Considered are the ids of all vulnerabilities, and their aliases, that some
// advisory connects with the package in its release, whether or not this version
// is affected: the evidence behind an empty answer.
func (db *DB) Considered(p Package) []string {
	where := parseEcosystem(p.Ecosystem).inferred(p.Version)
	opinions, _ := db.opinions(p, where)
	var out []string
	for _, o := range opinions {
		out = append(out, o.record.ID)
		out = append(out, o.record.otherNames()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
