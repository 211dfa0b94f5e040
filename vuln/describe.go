package vuln

import (
	"cmp"
	"slices"
	"strings"
)

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
	m.Reasons, m.Vendor = reasons(deciding), vendorWord(deciding)
	m.CVSS = bestCVSS(entries, records, decided)
	m.Severity, m.SeveritySource = rate(where, entries, records, m.CVSS)
	m.describe(records)
	if kevErr := db.join(&m); err == nil {
		err = kevErr
	}
	m.judge(prose(m, records))
	return m, err
}

// reasons are what the deciding opinions rest on, each once.
func reasons(deciding []opinion) (out []Reason) {
	for _, o := range deciding {
		if r := (Reason{o.record.ID, o.why}); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// vendorWords are what distributions say of a vulnerability instead of fixing it.
var vendorWords = []string{"unimportant", "end-of-life", "ignored", "deferred", "postponed", "will not fix", "out of support scope"}

func vendorWord(deciding []opinion) string {
	for _, o := range deciding {
		if slices.Contains(vendorWords, strings.ToLower(o.entry.Level)) {
			return strings.ToLower(o.entry.Level)
		}
	}
	return ""
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
	if fixed == "" {
		return ""
	}
	for _, o := range deciding {
		if o.fixed == fixed && o.entry.Channel == "" {
			return ""
		}
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

// describe fills the prose.
func (m *Match) describe(records []*record) {
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

// Vulnerability is what the database knows of a vulnerability or advisory by its
// id, without any package; false if nothing.
func (db *DB) Vulnerability(id string) (Match, bool, error) {
	records, err := db.about(id)
	if err != nil || len(records) == 0 {
		return Match{}, false, err
	}
	if known := records[0].vulnerabilities(); len(known) == 1 {
		id = known[0]
	}
	m, err := db.describe(id, release{}, Package{}, nil)
	return m, err == nil, err
}
