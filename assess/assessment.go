package assess

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Component is a package inside an image, the layer that brought it, and the file that tells of it.
type Component struct {
	vuln.Package
	PURL  string `json:"purl"`
	Layer string `json:"layer,omitempty"`
	File  string `json:"file,omitempty"`
}

// Secret is a secret that somebody left in an image.
type Secret = image.Secret

// Finding is a vulnerability of one component of an image.
type Finding struct {
	vuln.Match
	PURL  string `json:"purl"`
	Layer string `json:"layer,omitempty"`
	File  string `json:"file,omitempty"`
}

// Contents is what was read inside an image.
type Contents struct {
	// ID is the image's id in the graph.
	ID           string
	Platform     string
	Distribution string
	// Chain names what its layers make together, as image.Chain does; empty where that is not known.
	Chain      string
	Components []Component
	// Secrets are what people left in it.
	Secrets   []Secret
	ScannedAt time.Time
	Gaps      []collect.Gap
}

// Assessment joins what is in an image with what is known of it.
type Assessment struct {
	Contents
	// Scanned is false where nothing can be said: Why tells the reason, and no
	// count or insight below means anything.
	Scanned bool
	Why     string
	// ToldBy is the build that told what is in it, where that was not read here.
	ToldBy string
	// ToldAt is when it did, by our clock.
	ToldAt time.Time
	// State is one of Unknown, Queued, Scanning, Done, Failed and Unsupported.
	State    string
	Findings []Finding
	// Dismissed are those that do not count: said not to affect, or to be fixed, or nothing vulnerable is in the program.
	Dismissed []Finding
	// Worst is the highest severity, empty without findings.
	Worst            vuln.Severity
	Criticals, Highs int
	Vulnerabilities  int
	Severe           bool
	RCE, Exploited   bool
	// Unclear says that a grave vulnerability may be remote code, though no advisory says so, Reads
	// that one lets a stranger read files or memory of what runs the image.
	Unclear, Reads bool
	// ExploitedUnknown says that no list of exploited vulnerabilities was imported.
	ExploitedUnknown bool
}

// NotScanned is the assessment of an image that could not be, or has not yet
// been, looked into.
func NotScanned(id, state, why string) *Assessment {
	return &Assessment{Contents: Contents{ID: id}, State: state, Why: why}
}

// Judges of packages: what affects one, what stood in the way of saying so, and why
// the answer "none" is to be doubted.
type advisories interface {
	Examine(vuln.Package) ([]vuln.Match, []collect.Gap)
	Doubt(vuln.Package) (collect.Gap, bool)
}

// Inventory joins what was read in an image with the advisories. id is the image's id in the
// graph, which need not be the digest that was scanned: an index stands for the
// image of one platform.
func Inventory(id string, inv *image.Inventory, db advisories) *Assessment {
	c := Contents{ID: id, Platform: inv.Platform, Distribution: cmp.Or(inv.OS.PrettyName, strings.TrimSpace(inv.OS.ID+" "+inv.OS.VersionID)),
		Chain: image.Chain(inv.Layers), Secrets: inv.Secrets, ScannedAt: inv.ScannedAt, Gaps: inv.Gaps}
	within := []string{id, inv.Digest, inv.Reference}
	for _, p := range inv.Packages {
		if p.OwnedBy != "" {
			continue // it is a part of a package of the distribution, whose advisories speak of it
		}
		c.Components = append(c.Components,
			Component{PURL: cmp.Or(p.PURL, p.Ecosystem+" "+p.Name+" "+p.Version), Layer: p.Layer, File: p.Database, Package: vuln.Package{
				Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Source: p.Source, SourceVersion: p.SourceVersion,
				PURL: p.PURL, Within: within, Linked: p.Linked}})
	}
	if inv.Understood {
		return c.Assess(db)
	}
	a := NotScanned(id, Unsupported, "it has no package database that can be read")
	a.Contents = c
	return a
}

// Assess asks the advisories about every component. Without advisories for what
// is inside the image, it counts as not scanned: unknown, not clean.
func (c Contents) Assess(db advisories) *Assessment {
	a := &Assessment{Contents: c, Scanned: true, State: Done}
	a.Gaps = slices.Clone(c.Gaps)
	judged, now := 0, time.Now()
	for i, p := range c.Components {
		found, gaps := db.Examine(p.Package)
		c.Components[i].Linked = "" // it was asked for: of all images it is much
		a.gap(gaps)
		if doubt, yes := db.Doubt(p.Package); yes {
			a.gap([]collect.Gap{doubt})
		}
		if over, yes := vuln.EndOfLife(p.Package, now); yes {
			a.gap([]collect.Gap{over})
		}
		if len(gaps) == 0 {
			judged++
		}
		for _, m := range found {
			if m.Dismissed != "" {
				a.Dismissed = append(a.Dismissed, Finding{m, p.PURL, p.Layer, p.File})
			} else {
				a.Findings = append(a.Findings, Finding{m, p.PURL, p.Layer, p.File})
			}
		}
	}
	if len(c.Components) > 0 && judged == 0 && len(a.Findings)+len(a.Dismissed) == 0 {
		a.Scanned, a.State, a.Why = false, Unsupported, "no advisories were imported for what is inside"
		if len(a.Gaps) > 0 {
			a.Why = a.Gaps[len(a.Gaps)-1].Why
		}
		return a
	}
	slices.SortStableFunc(a.Findings, func(x, y Finding) int {
		return cmp.Or(severity.Compare(y.Severity, x.Severity), strings.Compare(x.ID, y.ID), strings.Compare(x.PURL, y.PURL))
	})
	a.count()
	return a
}

// Partly says that something in the image was not looked into, or could not be judged:
// what is not among the findings is unknown, not absent.
func (a *Assessment) Partly() bool { return a.Scanned && len(a.Gaps) > 0 }

// Completeness is how far the image was looked into: "complete", "partial: " and what was not,
// "unread: " and why.
func (a *Assessment) Completeness() string {
	switch {
	case !a.Scanned:
		return "unread: " + a.Why
	case len(a.Gaps) == 0:
		return "complete"
	}
	var what []string
	for _, g := range a.Gaps {
		if !slices.Contains(what, g.What) {
			what = append(what, g.What)
		}
	}
	if n := len(what); n > mostNamed {
		what = append(what[:mostNamed], fmt.Sprintf("%d more", n-mostNamed))
	}
	return "partial: " + strings.Join(what, ", ")
}

// mostNamed is how much of what was not looked into is named.
const mostNamed = 5

// gap keeps each gap once.
func (a *Assessment) gap(gaps []collect.Gap) {
	for _, g := range gaps {
		if !slices.ContainsFunc(a.Gaps, func(o collect.Gap) bool { return o.Key() == g.Key() }) {
			a.Gaps = append(a.Gaps, g)
		}
	}
}

// recount counts anew after findings were left out.
func (a *Assessment) recount() {
	*a = Assessment{Contents: a.Contents, Scanned: a.Scanned, Why: a.Why, State: a.State, ToldBy: a.ToldBy, ToldAt: a.ToldAt,
		Findings:  a.Findings,
		Dismissed: a.Dismissed}
	a.count()
}

// count sums vulnerabilities, each once however many packages have it.
func (a *Assessment) count() {
	worst := map[string]vuln.Severity{}
	for _, f := range a.Findings {
		if s, known := worst[f.ID]; !known || severity.Compare(f.Severity, s) > 0 {
			worst[f.ID] = f.Severity
		}
		a.RCE = a.RCE || f.RCE
		a.Unclear = a.Unclear || f.Unclear != ""
		a.Reads = a.Reads || f.Reads
		a.Exploited = a.Exploited || f.Exploited()
		a.ExploitedUnknown = a.ExploitedUnknown || f.KEV == nil
	}
	for _, s := range worst {
		switch s {
		case vuln.Critical:
			a.Criticals++
		case vuln.High:
			a.Highs++
		}
		if severity.Compare(s, a.Worst) > 0 {
			a.Worst = s
		}
	}
	a.Vulnerabilities = len(worst)
	a.Severe = a.Criticals+a.Highs > 0
}

// Gap is what the assessment could not say of the image as a whole; ok is false
// if it was scanned.
func (a *Assessment) Gap() (g collect.Gap, ok bool) {
	return collect.Gap{Source: "image", What: a.ID, Why: a.Why, Kinds: []string{"HAS_VULNERABILITY", "HAS_PACKAGE", "Image"},
		Consequence: "Whether it has vulnerabilities is not known; paths through its containers may be missing."}, !a.Scanned
}
