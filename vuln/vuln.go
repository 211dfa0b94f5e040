// Package vuln answers one question: is this package, at this version, affected
// by a published vulnerability, and how bad is that?
//
// It reads advisories as OSV records (https://ossf.github.io/osv-schema/),
// indexes them by ecosystem and package, and compares versions by each
// ecosystem's own rules. CISA's known exploited vulnerabilities and EPSS scores
// are joined by CVE id where they were imported.
//
// It knows nothing of images, layers or Kubernetes, and it never fetches
// anything. A distribution it holds no advisories for is a gap, never "clean".
package vuln

import (
	"time"

	"github.com/breakwater-sec/breakwater/severity"
)

// Package is an installed package as advisories know it.
type Package struct {
	// Ecosystem is OSV's name with its release: "Debian:12", "Ubuntu:22.04:LTS",
	// "Alpine:v3.18", "Go", "npm".
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	// Source is the source package (dpkg, apk origin, rpm source name). Debian,
	// Ubuntu and Alpine advisories name it; empty means the same as Name.
	Source string `json:"source,omitempty"`
	// SourceVersion is the source package's version where it differs.
	SourceVersion string `json:"sourceVersion,omitempty"`
	// PURL is its package URL, and Within the digests and references of the images it is in: what statements of VEX name.
	PURL   string   `json:"-"`
	Within []string `json:"-"`
	// Linked are the packages of a Go module that have code in a program of Linux, a space between two, each as its path from the
	// module's on ("." is the module's own; of stdlib it is the whole); "" where nobody knows.
	Linked string `json:"-"`
}

// Severity is how bad a vulnerability is, on the scale of everything.
type Severity = severity.Severity

// The severities, lowest first. Unknown says that nobody rated it.
const (
	Unknown  = severity.Unknown
	None     = severity.None
	Low      = severity.Low
	Medium   = severity.Medium
	High     = severity.High
	Critical = severity.Critical
)

// CVSS is a base score and the vector it was computed from.
type CVSS struct {
	Vector string  `json:"vector"`
	Score  float64 `json:"score"`
	// Source is the advisory that carries the vector.
	Source string `json:"source"`
}

// EPSS is the estimated probability of exploitation in the next 30 days.
type EPSS struct {
	Score      float64 `json:"score"`
	Percentile float64 `json:"percentile"`
}

// KEV is an entry of CISA's list of known exploited vulnerabilities.
type KEV struct {
	// Listed is true for an entry; a nil *KEV means no list was imported.
	Listed     bool      `json:"listed"`
	Name       string    `json:"name,omitempty"`
	Added      time.Time `json:"added,omitzero"`
	Due        time.Time `json:"due,omitzero"`
	Ransomware bool      `json:"ransomware,omitempty"`
}

// Match is one vulnerability that affects one package.
type Match struct {
	// ID is the CVE where the vulnerability has one, otherwise the advisory's id.
	ID string `json:"id"`
	// Aliases are all other ids, of advisories and of the vulnerability.
	Aliases []string `json:"aliases,omitempty"`
	// Advisories are the records that call this version affected.
	Advisories []string `json:"advisories"`
	Package    Package  `json:"package"`
	// FixedVersion is the first version not affected, empty while there is none.
	FixedVersion string `json:"fixedVersion,omitempty"`
	// FixNote says what getting the fix takes, if it is not a plain upgrade.
	FixNote string `json:"fixNote,omitempty"`

	// Reasons say which advisories matched, and by what.
	Reasons []Reason `json:"reasons,omitempty"`
	// Vendor is what the distribution says beside it: "unimportant", "end-of-life".
	Vendor string `json:"vendor,omitempty"`
	// Said is what VEX says of it, Dismissed why it does not count: it is said not to affect, or to be fixed, or nothing of what is
	// vulnerable is in the program.
	Said      *Statement `json:"said,omitempty"`
	Dismissed string     `json:"dismissed,omitempty"`

	Severity Severity `json:"severity"`
	// SeveritySource says who rated it and how, such as
	// "Ubuntu rates it medium (UBUNTU-CVE-2022-3602)".
	SeveritySource string `json:"severitySource"`
	CVSS           *CVSS  `json:"cvss,omitempty"`
	// EPSS is nil while unknown.
	EPSS *EPSS `json:"epss,omitempty"`
	// KEV is nil while no list was imported, else says whether it is listed.
	KEV *KEV `json:"kev,omitempty"`
	// RCE says that a remote attacker can run code, by the rule in rce.go; RCEWhy
	// holds the words and metrics that decided, either way.
	RCE    bool   `json:"rce"`
	RCEWhy string `json:"rceWhy"`
	// Impact is what an attacker has who exploits it, by the rule in impact.go;
	// ImpactWhy holds what decided.
	Impact    Impact `json:"impact"`
	ImpactWhy string `json:"impactWhy"`
	// Unclear says why it may be remote code although no advisory says so outright:
	// what it gives is not told, or the advisories contradict each other.
	Unclear string `json:"unclear,omitempty"`
	// Reads says that a stranger across the network can read files or memory of what
	// runs it.
	Reads bool `json:"reads"`

	Summary    string    `json:"summary,omitempty"`
	Details    string    `json:"details,omitempty"`
	References []string  `json:"references,omitempty"`
	CWEs       []string  `json:"cwes,omitempty"`
	Published  time.Time `json:"published,omitzero"`
	Modified   time.Time `json:"modified,omitzero"`
}

// Reason is why an advisory speaks of the version.
type Reason struct {
	Advisory string `json:"advisory"`
	// Range is what the version is in, such as ">= 1.0, < 1.2", or that it is listed by itself.
	Range string `json:"range"`
}

// Exploited says that the vulnerability is in the list of known exploited ones.
func (m Match) Exploited() bool { return m.KEV != nil && m.KEV.Listed }
