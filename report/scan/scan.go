// Package scan is what was found in images as a document, and that document in the formats that other tools read: bills of
// materials, results of scanners, results of tests.
//
// Every format carries what is not known: what was not read, which advisories are missing, few or old. A tool that reads one
// must not take "nothing is listed" for "nothing is there".
package scan

import (
	"fmt"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Report is what is known of one image.
type Report struct {
	Image           Image           `json:"image"`
	Packages        []Package       `json:"packages"`
	Vulnerabilities []Vulnerability `json:"vulnerabilities"`
	// Dismissed do not count: each says why.
	Dismissed []Vulnerability `json:"dismissed,omitempty"`
	// Secrets are what people left in it: kinds, places and salted hashes.
	Secrets []image.Secret `json:"secrets"`
	Gaps    []collect.Gap  `json:"gaps"`
}

// Image is which image it is, and how far it is known.
type Image struct {
	Reference    string        `json:"reference"`
	Digest       string        `json:"digest,omitempty"`
	Platform     string        `json:"platform,omitempty"`
	Distribution string        `json:"distribution,omitempty"`
	Layers       []image.Layer `json:"layers"`
	// Said is what who built it says of its base; nil if nothing.
	Said *image.Base `json:"base,omitempty"`
	// Completeness is how much of it was read and could be judged: Complete, "partial: " and what was not, "unread: " and why.
	Completeness string `json:"completeness"`
	// Known is false where nothing can be said of vulnerabilities; Why tells why.
	Known bool   `json:"known"`
	Why   string `json:"why,omitempty"`
	// Partly says that what is not among the vulnerabilities is unknown: something
	// was not looked into, or could not be judged. Unread is the code nobody looked into.
	Partly    bool           `json:"partly"`
	Unread    []image.Unread `json:"unread,omitempty"`
	ScannedAt time.Time      `json:"scannedAt,omitzero"`
}

// Complete is an image of which all is known that can be told to be in it.
const Complete = "complete"

// Package is an installed package.
type Package struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	PURL      string   `json:"purl"`
	Ecosystem string   `json:"ecosystem,omitempty"`
	Source    string   `json:"source,omitempty"`
	Layer     string   `json:"layer,omitempty"`
	Files     []string `json:"files,omitempty"`
	// OwnedBy is the package of the distribution that has it: that one's advisories speak of it.
	OwnedBy string `json:"ownedBy,omitempty"`
	// Wanted says that only a lock file tells of it.
	Wanted bool `json:"wanted,omitempty"`
}

// Vulnerability is one vulnerability of one package.
type Vulnerability struct {
	ID      string   `json:"id"`
	Aliases []string `json:"aliases"`
	// Advisories are the records that call this version affected.
	Advisories     []string   `json:"advisories,omitempty"`
	Package        string     `json:"package"`
	Version        string     `json:"version"`
	FixedVersion   string     `json:"fixedVersion,omitempty"`
	FixNote        string     `json:"fixNote,omitempty"`
	Severity       string     `json:"severity"`
	SeveritySource string     `json:"severitySource"`
	CVSS           *vuln.CVSS `json:"cvss,omitempty"`
	EPSS           *float64   `json:"epss,omitempty"`
	KEV            *bool      `json:"kev,omitempty"` // absent while no list was imported
	CWEs           []string   `json:"cwes,omitempty"`
	RCE            bool       `json:"rce"`
	RCEWhy         string     `json:"rceWhy,omitempty"`
	Impact         string     `json:"impact"`
	ImpactWhy      string     `json:"impactWhy,omitempty"`
	Title          string     `json:"title,omitempty"`
	References     []string   `json:"references,omitempty"`
	Layer          string     `json:"layer,omitempty"`
	File           string     `json:"file,omitempty"`
	PURL           string     `json:"purl"`
	// Reasons are the advisories that speak of the version, each with the range it is in; Vendor is the distribution's word for it.
	Reasons []vuln.Reason `json:"reasons,omitempty"`
	Vendor  string        `json:"vendor,omitempty"`
	// Said is what VEX says, Dismissed why it does not count.
	Said      *vuln.Statement `json:"said,omitempty"`
	Dismissed string          `json:"dismissed,omitempty"`
	// Exception says that people accepted it until a day, or did before.
	Exception *exception.Applied `json:"exception,omitempty"`
}

// Of tells what was read in an image and what the advisories say of it.
func Of(inv *image.Inventory, a *assess.Assessment) Report {
	out := Report{Image: Image{Reference: inv.Reference, Digest: inv.Digest, Platform: inv.Platform, Distribution: a.Distribution,
		Layers: inv.Layers, Said: inv.Base, Known: a.Scanned, Why: a.Why, Partly: a.Partly(), Completeness: a.Completeness(), Unread: inv.Unread,
		ScannedAt: inv.ScannedAt}, Packages: []Package{}, Vulnerabilities: []Vulnerability{}, Gaps: a.Gaps}
	if out.Gaps == nil {
		out.Gaps = []collect.Gap{}
	}
	if out.Secrets = inv.Secrets; out.Secrets == nil {
		out.Secrets = []image.Secret{}
	}
	for _, p := range inv.Packages {
		out.Packages = append(out.Packages, Package{p.Name, p.Version, p.PURL, p.Ecosystem, p.Source, p.Layer, p.Files, p.OwnedBy, p.Wanted})
	}
	for _, f := range a.Findings {
		out.Vulnerabilities = append(out.Vulnerabilities, vulnerability(f))
	}
	for _, f := range a.Dismissed {
		out.Dismissed = append(out.Dismissed, vulnerability(f))
	}
	return out
}

// NotRead is an image that could not be read at all.
func NotRead(reference, why string) Report {
	return Report{Image: Image{Reference: reference, Layers: []image.Layer{}, Completeness: "unread: " + why, Why: why},
		Packages: []Package{}, Vulnerabilities: []Vulnerability{}, Secrets: []image.Secret{}, Gaps: []collect.Gap{}}
}

func vulnerability(f assess.Finding) Vulnerability {
	v := Vulnerability{ID: f.ID, Aliases: f.Aliases, Advisories: f.Advisories, Package: f.Package.Name, Version: f.Package.Version,
		FixedVersion: f.FixedVersion, FixNote: f.FixNote, Severity: string(f.Severity), SeveritySource: f.SeveritySource, CVSS: f.CVSS,
		CWEs: f.CWEs, RCE: f.RCE, RCEWhy: f.RCEWhy, Impact: string(f.Impact), ImpactWhy: f.ImpactWhy,
		Title: f.Summary, References: f.References, Layer: f.Layer, File: f.File, PURL: f.PURL,
		Reasons: f.Reasons, Vendor: f.Vendor, Said: f.Said, Dismissed: f.Match.Dismissed}
	if v.Aliases == nil {
		v.Aliases = []string{}
	}
	if f.EPSS != nil {
		v.EPSS = &f.EPSS.Score
	}
	if f.KEV != nil {
		v.KEV = &f.KEV.Listed
	}
	return v
}

// Except marks what people accepted. where is the image, which the report knows by one name only.
func (r *Report) Except(t *exception.Tally, where exception.Image) {
	packages := map[string]*Package{}
	for i := range r.Packages {
		packages[r.Packages[i].PURL] = &r.Packages[i]
	}
	for i := range r.Vulnerabilities {
		v := &r.Vulnerabilities[i]
		f := exception.Finding{IDs: slices.Concat([]string{v.ID}, v.Aliases, v.Advisories), Packages: []string{v.Package}, Version: v.Version,
			Fixed: v.FixedVersion != ""}
		if p := packages[v.PURL]; p != nil {
			f.Files = func() []string { return p.Files }
			if p.Source != "" {
				f.Packages = append(f.Packages, p.Source)
			}
		}
		v.Exception = t.Find(where, f)
	}
}

// Where is the image as exceptions name it, from what the report knows: a reference and a digest.
func (r *Report) Where() exception.Image {
	out := exception.Image{Names: []string{r.Image.Reference}}
	if ref, err := image.ParseReference(r.Image.Reference); err == nil && ref.String() == r.Image.Reference {
		out.Repositories = []string{ref.Registry() + "/" + ref.Repository()}
	}
	if r.Image.Digest != "" {
		out.Digests = []string{r.Image.Digest}
	}
	return out
}

// ToldSecret says of a secret what it is and where: "npm access token in root/.npmrc, line 2".
func ToldSecret(f image.Secret) string {
	text := f.Kind + " in " + f.File
	if f.Line > 0 {
		text += fmt.Sprintf(", line %d", f.Line)
	}
	if f.Removed {
		text += " (a layer above takes the file away; the layer below still has it)"
	}
	return text
}

// Left counts the secrets that count: without those that everybody has.
func (r Report) Left() (n int) {
	for _, f := range r.Secrets {
		if !f.Published {
			n++
		}
	}
	return n
}

// Unseen is what is not known of the image, each in a sentence.
func (r Report) Unseen() (out []string) {
	if !r.Image.Known {
		out = append(out, "Unknown, not clean: "+r.Image.Why)
	}
	for _, g := range collect.Together(r.Gaps) {
		text := g.What + ": " + g.Why
		if g.Times() > 1 {
			text = fmt.Sprintf("%d times %s", g.Times(), text)
		}
		out = append(out, text+". "+g.Consequence)
	}
	return out
}

// affected says what a vulnerability does to whom: "bash 5.1 is affected by CVE-1 (High); fixed in 5.2".
func (v Vulnerability) affected() string {
	text := v.Package + " " + v.Version + " is affected by " + v.ID + " (" + v.Severity + ")"
	if v.FixedVersion != "" {
		text += "; fixed in " + v.FixedVersion
	}
	if v.Exception != nil {
		text += ". " + v.Exception.String()
	}
	return text
}

// upgrade says what to do, empty while nothing helps.
func (v Vulnerability) upgrade() string {
	if v.FixedVersion == "" {
		return ""
	}
	text := "Upgrade " + v.Package + " to " + v.FixedVersion
	if v.FixNote != "" {
		text += " (" + v.FixNote + ")"
	}
	return text
}
