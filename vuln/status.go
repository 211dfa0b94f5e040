package vuln

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// Status says what a database holds and what it could not read.
type Status struct {
	Sources []SourceStatus `json:"sources"`
	// Records are advisories that are in force; Withdrawn are kept only to
	// overrule older copies.
	Records   int `json:"records"`
	Withdrawn int `json:"withdrawn"`
	// Ecosystems counts statements about packages, by ecosystem and release.
	Ecosystems map[string]int `json:"ecosystems"`
	// Latest is the latest modification among the records of each of them.
	Latest  map[string]time.Time `json:"latest,omitempty"`
	HasKEV  bool                 `json:"kev"`
	HasEPSS bool                 `json:"epss"`
	// Statements counts those of VEX.
	Statements int `json:"vex,omitempty"`
	// Newest is the latest modification among all records: how fresh the data is.
	Newest     time.Time `json:"newest,omitzero"`
	ImportedAt time.Time `json:"importedAt,omitzero"`
	Bytes      int64     `json:"bytes"`
	// Gaps are what was skipped, and what that means.
	Gaps []collect.Gap `json:"gaps,omitempty"`
}

// SourceStatus is one imported file or directory.
type SourceStatus struct {
	Name      string `json:"name"`
	Path      string `json:"path,omitempty"`
	Records   int    `json:"records"`
	Withdrawn int    `json:"withdrawn"`
	KEV       int    `json:"kev"`
	EPSS      int    `json:"epss"`
	// VEX counts statements on what affects a product and what does not.
	VEX        int                  `json:"vex,omitempty"`
	Ecosystems map[string]int       `json:"ecosystems,omitempty"`
	Latest     map[string]time.Time `json:"latest,omitempty"`
	Newest     time.Time            `json:"newest,omitzero"`
	ImportedAt time.Time            `json:"importedAt"`
	Bytes      int64                `json:"bytes"`
	// Superseded counts revisions of records that do not count, for another of the same record does.
	// Tied counts records of which several revisions were modified last, at one time; TiedIDs are some of them.
	Superseded int      `json:"superseded,omitempty"`
	Tied       int      `json:"tied,omitempty"`
	TiedIDs    []string `json:"tiedIDs,omitempty"`
	// Read counts every record, row and unreadable file: each is a record, withdrawn, superseded, of KEV,
	// of EPSS, of VEX or skipped. Passed counts files of types that hold no advisories.
	Read   int `json:"read"`
	Passed int `json:"passed,omitempty"`
	// Statements counts what records in force say about packages, as far as it is used;
	// Incomparable and Unusable count the rest.
	Statements int            `json:"statements"`
	Unusable   map[string]int `json:"unusable,omitempty"` // by what is wrong with them
	// Skipped are the first unreadable files or members; SkippedCount is how many in all.
	Skipped      []Skip `json:"skipped,omitempty"`
	SkippedCount int    `json:"skippedCount"`
	// Incomparable counts statements on ecosystems whose versions we cannot compare.
	Incomparable map[string]int `json:"incomparable,omitempty"`
}

// Skip is something in a source that could not be read.
type Skip struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// maxSkips bounds how many reasons are kept of each source.
const maxSkips = 50

// Balanced says whether everything that was read was counted out again.
func (s *SourceStatus) Balanced() bool {
	return s.Read == s.Records+s.Withdrawn+s.Superseded+s.KEV+s.EPSS+s.VEX+s.SkippedCount
}

// unread counts a file, or the rest of one, whose records nobody can count.
func (s *SourceStatus) unread(file string, err error) { s.count(file, leftOut(err)) }

// Status is what the database holds.
func (db *DB) Status() Status { return db.status }

// summarise adds up the sources.
func summarise(sources []SourceStatus) Status {
	out := Status{Sources: sources, Ecosystems: map[string]int{}, Latest: map[string]time.Time{}}
	for _, s := range sources {
		out.Records += s.Records
		out.Withdrawn += s.Withdrawn
		out.Bytes += s.Bytes
		out.HasKEV = out.HasKEV || s.KEV > 0
		out.HasEPSS = out.HasEPSS || s.EPSS > 0
		out.Statements += s.VEX
		for name, n := range s.Ecosystems {
			out.Ecosystems[name] += n
			out.Latest[name] = later(out.Latest[name], cmp.Or(s.Latest[name], s.Newest)) // imports of old kept no Latest
		}
		out.Newest = later(out.Newest, s.Newest)
		out.ImportedAt = later(out.ImportedAt, s.ImportedAt)
		out.Gaps = append(out.Gaps, s.gaps()...)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// said is how many statements about packages the records in force make.
func (s *SourceStatus) said() int {
	n := s.Statements
	for _, counts := range []map[string]int{s.Incomparable, s.Unusable} {
		for _, more := range counts {
			n += more
		}
	}
	return n
}

func (s *SourceStatus) gaps() []collect.Gap {
	var out []collect.Gap
	kinds := aboutVulnerabilities()
	for _, skip := range s.Skipped {
		out = append(out, collect.Gap{Source: "advisories", What: skip.File, Why: skip.Why, Kinds: kinds,
			Consequence: "the vulnerabilities it describes are not found"})
	}
	if more := s.SkippedCount - len(s.Skipped); more > 0 {
		out = append(out, collect.Gap{Source: "advisories", What: s.Name, Why: fmt.Sprintf("%d more files or records could not be read",
			more), Kinds: kinds,
			Consequence: "the vulnerabilities they describe are not found"})
	}
	if s.Tied > 0 {
		out = append(out, collect.Gap{Source: "advisories", What: "records of " + s.Name + " with several revisions of one time",
			Why:         fmt.Sprintf("of %d records nothing says which is the newest, such as %s", s.Tied, strings.Join(s.TiedIDs, ", ")),
			Consequence: "the last that was read counts, and may be an old one", Kinds: kinds})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Incomparable)) {
		out = append(out, collect.Gap{Source: "advisories", What: "ecosystem " + name + " of " + s.Name,
			Why: "we do not know how its versions compare", Kinds: kinds,
			Consequence: "vulnerabilities of its packages are not found"})
	}
	for _, why := range slices.Sorted(maps.Keys(s.Unusable)) {
		out = append(out, collect.Gap{Source: "advisories", What: "statements of " + s.Name + " that " + why,
			Why: fmt.Sprintf("%d of %d", s.Unusable[why], s.said()), Kinds: kinds,
			Consequence: "packages that only these speak of count as without advisories"})
	}
	return out
}
