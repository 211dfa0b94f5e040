package vuln

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/severity"
)

// Match returns the vulnerabilities that affect a package, worst first. What it
// could not judge, and what was dismissed, is silent here: Examine says it.
func (db *DB) Match(p Package) []Match {
	found, _ := db.Examine(p)
	return slices.DeleteFunc(found, func(m Match) bool { return m.Dismissed != "" })
}

// Examine is Match with what stood in its way: no advisories for the
// distribution, a version that does not compare, a damaged database.
func (db *DB) Examine(p Package) ([]Match, []collect.Gap) {
	key := p.identity()
	e, known := db.remembered.get(key)
	if !known {
		e = db.examine(p)
		db.remembered.put(key, e)
	}
	out, gaps := slices.Clone(e.matches), slices.Clone(e.gaps)
	for i := range out {
		out[i].Package = p
		out[i].Package.Linked = ""
		if err := db.dismiss(&out[i], p.Linked, e.entries[i]); err != nil {
			gaps = append(gaps, damaged(err))
		}
	}
	return out, gaps
}

// examine holds a package against the advisories.
func (db *DB) examine(p Package) (e examined) {
	where := parseEcosystem(p.Ecosystem).inferred(p.Version)
	if gap := db.uncovered(p, where); gap != nil {
		e.gaps = append(e.gaps, *gap)
		if where.Number == "" || db.status.Ecosystems[where.Family] == 0 {
			return e
		} // records without a release may name the package
	} else if _, yes := Codeless(p); yes {
		return e
	}
	opinions, more := db.opinions(p, where, false)
	e.gaps = append(e.gaps, more...)
	groups := map[string][]opinion{}
	for _, o := range opinions {
		ids, err := db.canonical(o.record)
		if err != nil {
			e.gaps = append(e.gaps, damaged(err))
			continue
		}
		for _, id := range ids {
			groups[id] = append(groups[id], o)
		}
	}
	type found struct {
		match   Match
		entries []*entry
	}
	var all []found
	for id, group := range groups {
		deciding := decide(where, group)
		if len(deciding) == 0 {
			continue
		}
		m, err := db.describe(id, where, p, deciding)
		if err != nil {
			e.gaps = append(e.gaps, damaged(err))
		}
		_, entries := own(deciding)
		all = append(all, found{m, entries})
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(severity.Compare(b.match.Severity, a.match.Severity), strings.Compare(a.match.ID, b.match.ID))
	})
	for _, f := range all {
		e.matches, e.entries = append(e.matches, f.match), append(e.entries, f.entries)
	}
	return e
}

// opinion is one record's verdict on the package.
type opinion struct {
	entry  *entry
	record *record
	verdict
}

// opinions collects what every record says about the package in its release;
// all includes records that call it unaffected where nothing depends on them.
func (db *DB) opinions(p Package, where release, all bool) (out []opinion, gaps []collect.Gap) {
	for _, known := range where.lookupNames(p) {
		v, err := parseVersion(where.Family, known.version)
		if err != nil {
			return nil, append(gaps, incomparable(p, err.Error()))
		}
		for i, s := range db.sources {
			entries, err := values[entry](s, packageKey(where.Family, known.name))
			if err != nil {
				gaps = append(gaps, damaged(err))
			}
			for j := range entries {
				if !entries[j].speaksOf(where, known.version) {
					continue
				}
				o := opinion{entry: &entries[j], verdict: entries[j].judge(where.Family, known.version, v)}
				if o.unread > 0 {
					gaps = append(gaps, incomparable(p, o.entry.ID+" names a version that is none"))
				}
				counts, err := db.attribute(&o, i, where, all)
				if err != nil {
					gaps = append(gaps, damaged(err))
				} else if counts {
					out = append(out, o)
				}
			}
		}
	}
	return out, gaps
}

// attribute finds the opinion's record, unless it is withdrawn or there is a newer
// one, in the same source or another. That a package is unaffected matters only where it may
// overrule a notice, and a tracker's id alone says about what.
func (db *DB) attribute(o *opinion, at int, where release, all bool) (counts bool, err error) {
	if !o.affected && !all {
		if !where.hasReleases() {
			return false, nil
		}
		if named := (&record{ID: o.entry.ID}); named.tracker() && !db.revised(at) { // its id says all that is asked
			o.record = named
			return true, nil
		}
	}
	found, source, err := db.newest(o.entry.ID)
	if err != nil || found == nil || source != at || found.Text != o.entry.Text || found.Withdrawn {
		return false, err
	}
	o.record = found
	return true, nil
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
			if found := other.vulnerabilities(); asCVE(found[0]) != "" {
				return found, nil
			}
		}
	}
	return ids, nil
}

// Considered are the ids of all vulnerabilities, and their aliases, that some
// advisory connects with the package in its release, whether or not this version
// is affected: the evidence behind an empty answer.
func (db *DB) Considered(p Package) []string {
	where := parseEcosystem(p.Ecosystem).inferred(p.Version)
	opinions, _ := db.opinions(p, where, true)
	var out []string
	for _, o := range opinions {
		out = append(out, o.record.ID)
		out = append(out, o.record.otherNames()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
