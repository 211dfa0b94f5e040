package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Affected is the answer to whether a vulnerability is in what is seen: where it runs, who reaches it, what fixes it, and how much
// was not looked into, so that "not affected" is said only of what was.
type Affected struct {
	// Asked is the id that was asked about, ID the one that is used here.
	Asked   string   `json:"asked"`
	ID      string   `json:"id"`
	Aliases []string `json:"aliases"`
	// Verdict is the answer in a word, Sentence with its numbers.
	Verdict  Verdict `json:"verdict"`
	Sentence string  `json:"sentence"`
	// Known says that an imported advisory names it.
	Known          bool     `json:"known"`
	Title          string   `json:"title"`
	Severity       string   `json:"severity"`
	SeveritySource string   `json:"severitySource"`
	CVSS           *float64 `json:"cvss"`
	EPSS           *float64 `json:"epss"`
	KEV            *bool    `json:"kev"`
	RCE            bool     `json:"rce"`
	Impact         string   `json:"impact"`

	// Images have it, of which people accepted every finding in Accepted, and of which Running run.
	Images   int `json:"images"`
	Accepted int `json:"accepted"`
	Running  int `json:"running"`
	// Pods run these, those that have ended left out; the internet reaches Exposed, and for Unclear nobody can say.
	Pods       int      `json:"pods"`
	Exposed    int      `json:"exposed"`
	Unclear    int      `json:"exposureUnknown"`
	Nodes      int      `json:"nodes"`
	Registries []string `json:"registries"`
	// Paths are the attack paths that it opens.
	Paths []AffectedPath `json:"paths"`
	// InUse is null while nobody can say whether the vulnerable code is loaded; InUseWhy says why.
	InUse    *bool  `json:"inUse"`
	InUseWhy string `json:"inUseWhy"`

	Where []Place  `json:"where"`
	Fixes []Repair `json:"fixes"`
	// NotAffected is what advisories find and what does not count.
	NotAffected []NotAffected `json:"notAffected"`
	LookedAt    LookedAt      `json:"lookedAt"`
	Gaps        []collect.Gap `json:"gaps"`
}

// Verdict is whether a vulnerability concerns an estate.
type Verdict string

// The verdicts. NotFound is of what was read and nothing else; Unknown says that no advisory names the vulnerability, so that nothing
// could be looked for.
const (
	IsAffected    Verdict = "affected"
	IsAccepted    Verdict = "accepted"
	IsNotAffected Verdict = "not affected"
	NotFound      Verdict = "not found"
	IsUnknown     Verdict = "unknown"
)

// AffectedPath is an attack path that a vulnerability opens.
type AffectedPath struct {
	Cluster string `json:"cluster"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	Risk    string `json:"risk"`
}

// Place is a workload that runs images with a vulnerability.
type Place struct {
	Cluster   string `json:"cluster"`
	Namespace string `json:"namespace"`
	// Workload is kind and name, ID its stable id.
	Workload string `json:"workload"`
	ID       string `json:"id"`
	Pods     int    `json:"pods"`
	Exposed  int    `json:"exposed"`
	Unclear  int    `json:"exposureUnknown"`
	// Paths counts the attack paths that it opens and that lead through the workload.
	Paths  int      `json:"paths"`
	Images []string `json:"images"`
	// Accepted says that people accepted every finding in these images.
	Accepted bool `json:"accepted"`
}

// Repair is a package with a vulnerability, and the update that fixes it.
type Repair struct {
	// Package is the source package that advisories name; Packages are those installed from it.
	Package   string   `json:"package"`
	Packages  []string `json:"packages"`
	Ecosystem string   `json:"ecosystem"`
	Installed string   `json:"installed"`
	// Fixed is the first version without this vulnerability, empty while there is none; Target the one that is recommended, as it has
	// none of the others either.
	Fixed  string `json:"fixed"`
	Target string `json:"target"`
	// Recommendation is the id of that update.
	Recommendation string `json:"recommendation,omitempty"`
	Severity       string `json:"severity"`
	// Status is what the distribution or VEX says beside it.
	Status   string `json:"status,omitempty"`
	Images   int    `json:"images"`
	Pods     int    `json:"pods"`
	Accepted int    `json:"accepted"`
}

// NotAffected is a package that an advisory speaks of and that does not count, and why.
type NotAffected struct {
	Package   string   `json:"package"`
	Installed string   `json:"installed"`
	Reason    string   `json:"reason"`
	Images    int      `json:"images"`
	Examples  []string `json:"examples"`
}

// Besides is what an answer takes beside the picture. Each may be nil.
type Besides struct {
	// Known is what advisories say of an id.
	Known func(id string) (vuln.Match, bool, error)
	// Accepted is the exception for an edge HAS_VULNERABILITY.
	Accepted func(graph.Edge) *exception.Applied
	Advice   *Recommendations
	Gaps     []collect.Gap
}

// AffectedBy answers whether and where a vulnerability is. The id may be one of its others.
func AffectedBy(w *scope.World, id string, b Besides) (*Affected, error) {
	n, match, err := findVulnerability(w.View, id, b)
	if err != nil {
		return nil, err
	}
	a := &Affected{Asked: id, ID: cmp.Or(match.ID, NormalID(id)), Known: match.ID != "", Aliases: match.Aliases, Registries: []string{},
		Paths: []AffectedPath{}, Where: []Place{}, Fixes: []Repair{}, NotAffected: []NotAffected{}, LookedAt: lookedAt(w),
		Gaps: append([]collect.Gap{}, b.Gaps...), InUseWhy: "Sensors tell which programs start, and not yet which packages they load."}
	a.describe(n, match)
	if n != nil {
		a.places(w, *n, b)
		a.dismissals(*n)
	}
	if a.Aliases == nil {
		a.Aliases = []string{}
	}
	a.decide()
	return a, nil
}

// NormalID is an id as those of its kind are written.
func NormalID(id string) string {
	id = strings.TrimSpace(id)
	upper := strings.ToUpper(id)
	if rest, ok := strings.CutPrefix(upper, "GHSA-"); ok {
		return "GHSA-" + strings.ToLower(rest)
	}
	if strings.HasPrefix(upper, "CVE-") {
		return upper
	}
	return id
}

// findVulnerability is the node of a vulnerability by any of its ids, and what advisories know of it.
func findVulnerability(v *graph.View, id string, b Besides) (*graph.Node, vuln.Match, error) {
	id = NormalID(id)
	if n, there := v.Node("Vulnerability", id); there {
		match, err := b.known(n.ID())
		return &n, match, err
	}
	for n := range v.Nodes("Vulnerability") {
		if strings.EqualFold(n.ID(), id) || slices.ContainsFunc(n.Value("aliases").List(), func(s string) bool { return strings.EqualFold(s, id) }) {
			match, err := b.known(n.ID())
			return &n, match, err
		}
	}
	match, err := b.known(id)
	if err != nil || match.ID == "" {
		return nil, match, err
	}
	if n, there := v.Node("Vulnerability", match.ID); there {
		return &n, match, nil
	}
	return nil, match, nil
}

func (b Besides) known(id string) (vuln.Match, error) {
	if b.Known == nil {
		return vuln.Match{}, nil
	}
	m, ok, err := b.Known(id)
	if !ok {
		m = vuln.Match{}
	}
	return m, err
}

// describe says what the vulnerability is: as the graph has it, or else as advisories do.
func (a *Affected) describe(n *graph.Node, m vuln.Match) {
	a.Title, a.Severity, a.SeveritySource, a.RCE, a.Impact = m.Summary, string(m.Severity), m.SeveritySource, m.RCE, string(m.Impact)
	if m.CVSS != nil {
		a.CVSS = &m.CVSS.Score
	}
	if m.EPSS != nil {
		a.EPSS = &m.EPSS.Score
	}
	if m.KEV != nil {
		a.KEV = &m.KEV.Listed
	}
	if n != nil {
		a.ID, a.Known, a.Aliases = n.ID(), true, n.Value("aliases").List()
		a.Title, a.Severity, a.SeveritySource = n.Text("title"), n.Text("severity"), n.Text("severitySource")
		a.RCE, a.Impact = n.Value("rce").Bool(), n.Text("impact")
		if v := n.Value("cvss"); !v.IsNull() {
			a.CVSS = new(v.Float())
		}
		if v := n.Value("epss"); !v.IsNull() {
			a.EPSS = new(v.Float())
		}
		if v := n.Value("kev"); !v.IsNull() {
			a.KEV = new(v.Bool())
		}
	}
	a.Severity, a.Impact = cmp.Or(a.Severity, "Unknown"), cmp.Or(a.Impact, "unknown")
}
