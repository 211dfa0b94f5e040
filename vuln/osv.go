package vuln

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds on what one record may hold; longer prose is cut, longer lists refused.
const (
	maxDetails    = 8 << 10
	maxReferences = 40
	maxAffected   = 20_000
	maxEvents     = 200_000
)

// osvRecord is an OSV record as published; what we do not use is not decoded.
type osvRecord struct {
	ID               string          `json:"id"`
	Modified         lenientTime     `json:"modified"`
	Published        lenientTime     `json:"published"`
	Withdrawn        lenientTime     `json:"withdrawn"`
	Aliases          []string        `json:"aliases"`
	Upstream         []string        `json:"upstream"`
	Related          []string        `json:"related"`
	Summary          string          `json:"summary"`
	Details          string          `json:"details"`
	Severity         []score         `json:"severity"`
	Affected         []osvAffected   `json:"affected"`
	References       []osvReference  `json:"references"`
	DatabaseSpecific json.RawMessage `json:"database_specific"`

	revision revision // it is not read, but what was read
}

type osvReference struct {
	URL string `json:"url"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity          []score         `json:"severity"`
	Ranges            []osvRange      `json:"ranges"`
	Versions          []string        `json:"versions"`
	EcosystemSpecific json.RawMessage `json:"ecosystem_specific"`
	DatabaseSpecific  json.RawMessage `json:"database_specific"`
}

type osvRange struct {
	Type   string  `json:"type"`
	Events []event `json:"events"`
}

// event is one step of a range; exactly one field is set.
type event struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// score is a rating: a CVSS vector, or a distribution's word.
type score struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// lenientTime accepts what feeds write; an unreadable time is unknown, not an error.
type lenientTime struct{ time.Time }

func (t *lenientTime) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	return nil
}

// record is what we keep of an advisory besides the packages it affects.
type record struct {
	ID         string    `json:"id"`
	Aliases    []string  `json:"a,omitempty"`
	Upstream   []string  `json:"u,omitempty"`
	Related    []string  `json:"r,omitempty"`
	Summary    string    `json:"s,omitempty"`
	Details    string    `json:"d,omitempty"`
	Severity   []score   `json:"v,omitempty"`
	Level      string    `json:"l,omitempty"` // database_specific.severity
	CWEs       []string  `json:"c,omitempty"`
	References []string  `json:"f,omitempty"`
	Published  time.Time `json:"p,omitzero"`
	Modified   time.Time `json:"m,omitzero"`
	Withdrawn  bool      `json:"w,omitempty"`
	revision
}

// entry is what a record says about one package in one release.
type entry struct {
	ID       string    `json:"i"`
	Release  string    `json:"n,omitempty"`
	Channel  string    `json:"h,omitempty"`
	Ranges   [][]event `json:"r,omitempty"`
	Versions []string  `json:"v,omitempty"`
	Severity []score   `json:"s,omitempty"`
	// Level is the distribution's or database's word for this package.
	Level string `json:"l,omitempty"`
	// Imports are the packages of a Go module that are vulnerable; none is all.
	Imports []string `json:"g,omitempty"`
	// Text is that of the record's revision.
	Text uint32 `json:"t,omitempty"`
}

// extras are the parts of *_specific objects that databases agree on well enough.
type extras struct {
	Severity any      `json:"severity"`
	Urgency  string   `json:"urgency"`
	CWEIDs   []string `json:"cwe_ids"`
	CWEs     []any    `json:"cwes"`
	Imports  []any    `json:"imports"`
}

func readExtras(raw json.RawMessage) extras {
	var e extras
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &e) // free-form by the standard: another shape is not an error
	}
	return e
}

func (e extras) level() string {
	if text, ok := e.Severity.(string); ok && text != "" {
		return text
	}
	return e.Urgency
}

// maxImports bounds the packages of a module that are kept; a module with more vulnerable ones counts as a whole.
const maxImports = 1000

// imports are the paths of the vulnerable packages, as the Go vulnerability database lists them, each with the operating systems
// that alone are affected.
func (e extras) imports() (out []string) {
	for _, each := range e.Imports {
		of, ok := each.(map[string]any)
		path, isText := of["path"].(string)
		if !ok || !isText || path == "" || strings.Contains(path, onlyOn) {
			return nil // one that cannot be read may be the one that is in the program
		}
		if systems := texts(of["goos"]); len(systems) > 0 {
			path += onlyOn + strings.Join(systems, ",")
		}
		out = append(out, path)
	}
	if len(out) > maxImports {
		return nil
	}
	return out
}

// texts are the texts of a list of nothing else.
func texts(list any) (out []string) {
	each, _ := list.([]any)
	for _, one := range each {
		text, ok := one.(string)
		if !ok {
			return nil
		}
		out = append(out, text)
	}
	return out
}

func (e extras) weaknesses() []string {
	out := slices.Clone(e.CWEIDs)
	for _, each := range e.CWEs {
		switch v := each.(type) {
		case string:
			out = append(out, v)
		case map[string]any:
			if id, ok := v["cweId"].(string); ok {
				out = append(out, id)
			}
		}
	}
	return out
}

// validate says what a record lacks, in words for the one who publishes it.
func (r *osvRecord) validate() error {
	switch {
	case len(r.ID) > 256 || strings.ContainsAny(r.ID, "\x00\n"):
		return fmt.Errorf("want an id of at most 256 printable characters, got %.40q…", r.ID)
	case len(r.Affected) > maxAffected:
		return fmt.Errorf("%s: want at most %d affected packages, got %d", r.ID, maxAffected, len(r.Affected))
	}
	events := 0
	for i, a := range r.Affected {
		for j, g := range a.Ranges {
			events += len(g.Events)
			for k, e := range g.Events {
				if e.set() != 1 {
					return fmt.Errorf("%s: affected[%d].ranges[%d].events[%d]: want exactly one of introduced, fixed, last_affected, limit", r.ID, i, j, k)
				}
			}
		}
	}
	if events > maxEvents {
		return fmt.Errorf("%s: want at most %d range events, got %d", r.ID, maxEvents, events)
	}
	return nil
}

func (e event) set() int {
	n := 0
	for _, s := range []string{e.Introduced, e.Fixed, e.LastAffected, e.Limit} {
		if s != "" {
			n++
		}
	}
	return n
}

// distil keeps the record's own part.
func (r *osvRecord) distil() record {
	own := readExtras(r.DatabaseSpecific)
	out := record{
		ID: r.ID, Aliases: r.Aliases, Upstream: r.Upstream, Related: r.Related,
		Summary: clip(r.Summary, 512), Details: clip(r.Details, maxDetails),
		Severity: r.Severity, Level: own.level(), CWEs: own.weaknesses(),
		Published: r.Published.Time, Modified: r.Modified.Time,
		Withdrawn: !r.Withdrawn.IsZero(), revision: r.revision,
	}
	for _, ref := range r.References {
		if len(out.References) < maxReferences && webAddress(ref.URL) {
			out.References = append(out.References, ref.URL)
		}
	}
	for _, a := range r.Affected {
		out.CWEs = append(out.CWEs, readExtras(a.DatabaseSpecific).weaknesses()...)
	}
	slices.Sort(out.CWEs)
	out.CWEs = slices.Compact(out.CWEs)
	return out
}

// webAddress keeps script and file addresses out of what pages link to.
func webAddress(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

// statements is what became of the statements of records: each is in use, or is
// counted under the ecosystem whose versions we cannot compare, or under what it lacks.
type statements struct {
	used         int
	incomparable map[string]int
	unusable     map[string]int
}

// entries are the record's statements about packages, by index key.
func (r *osvRecord) entries(emit func(key string, e entry)) (out statements) {
	for _, a := range r.Affected {
		where := parseEcosystem(a.Package.Ecosystem)
		if a.Package.Name == "" || where.Family == "" {
			out.unusable = count(out.unusable, "name no package of an ecosystem")
			continue
		}
		if !comparable(where.Family) {
			out.incomparable = count(out.incomparable, where.Family)
			continue
		}
		e := entry{ID: r.ID, Release: where.Number, Channel: where.Channel, Severity: a.Severity, Text: r.revision.Text}
		of := readExtras(a.EcosystemSpecific)
		if where.Family == "Go" {
			e.Imports = of.imports()
		}
		if e.Level = of.level(); e.Level == "" {
			e.Level = readExtras(a.DatabaseSpecific).level()
		}
		for _, g := range a.Ranges {
			if (g.Type == "ECOSYSTEM" || g.Type == "SEMVER") && len(g.Events) > 0 {
				e.Ranges = append(e.Ranges, g.Events)
			}
		}
		e.Versions = outside(where.Family, a.Versions, e.Ranges)
		if len(e.Ranges) == 0 && len(e.Versions) == 0 {
			out.unusable = count(out.unusable, "name no versions, or commits only")
			continue
		}
		out.used++
		emit(packageKey(where.Family, packageName(where.Family, a.Package.Name)), e)
	}
	return out
}

// outside keeps the enumerated versions that no range covers: the standard joins
// both, and databases enumerate every version that a range already covers.
func outside(familyName string, versions []string, ranges [][]event) []string {
	var out []string
	for _, text := range versions {
		v, err := parseVersion(familyName, text)
		if err != nil || !slices.ContainsFunc(ranges, func(events []event) bool { in, _ := inRange(familyName, v, events); return in }) {
			out = append(out, text)
		}
	}
	return out
}

func packageKey(familyName, name string) string { return "p" + familyName + "\x00" + name }

func count(m map[string]int, key string) map[string]int {
	if m == nil {
		m = map[string]int{}
	}
	m[key]++
	return m
}

func sum(into, more map[string]int) map[string]int {
	for name, n := range more {
		if into == nil {
			into = map[string]int{}
		}
		into[name] += n
	}
	return into
}

// clip cuts text to at most n bytes at a character's edge, and shows that it did.
func clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n] + "…"
}
