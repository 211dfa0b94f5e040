package segment

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Component is a package inside an image, and the layer that brought it.
type Component struct {
	vuln.Package
	PURL  string `json:"purl"`
	Layer string `json:"layer,omitempty"`
}

// Finding is a vulnerability of one component of an image.
type Finding struct {
	vuln.Match
	PURL  string `json:"purl"`
	Layer string `json:"layer,omitempty"`
}

// Contents is what was read inside an image.
type Contents struct {
	// ID is the image's id in the graph.
	ID           string
	Platform     string
	Distribution string
	Components   []Component
	ScannedAt    time.Time
	Gaps         []collect.Gap
}

// Assessment joins what is in an image with what is known of it.
type Assessment struct {
	Contents
	// Scanned is false where nothing can be said: Why tells the reason, and no
	// count or insight below means anything.
	Scanned bool
	Why     string
	// State is the stage of the assessment, as the schema's Image.scan has it.
	State    string
	Findings []Finding
	// Worst is the highest severity, empty without findings.
	Worst            vuln.Severity
	Criticals, Highs int
	Vulnerabilities  int
	Severe           bool
	RCE, Exploited   bool
	exploitedUnknown bool
}

// NotScanned is the assessment of an image that could not be, or has not yet
// been, looked into. state is unknown, queued, scanning, failed or unsupported.
func NotScanned(id, state, why string) *Assessment {
	return &Assessment{Contents: Contents{ID: id}, State: state, Why: why}
}

// Judges of packages: what affects one, and what stood in the way of saying so.
type advisories interface {
	Examine(vuln.Package) ([]vuln.Match, []collect.Gap)
}

// Assess joins an inventory with the advisories. id is the image's id in the
// graph, which need not be the digest that was scanned: an index stands for the
// image of one platform.
func Assess(id string, inv *image.Inventory, db advisories) *Assessment {
	c := Contents{ID: id, Platform: inv.Platform, Distribution: cmp.Or(inv.OS.PrettyName, strings.TrimSpace(inv.OS.ID+" "+inv.OS.VersionID)),
		ScannedAt: inv.ScannedAt, Gaps: inv.Gaps}
	for _, p := range inv.Packages {
		c.Components = append(c.Components, Component{PURL: cmp.Or(p.PURL, p.Ecosystem+" "+p.Name+" "+p.Version), Layer: p.Layer, Package: vuln.Package{
			Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Source: p.Source, SourceVersion: p.SourceVersion}})
	}
	if inv.Understood {
		return c.Assess(db)
	}
	a := NotScanned(id, "unsupported", "it has no package database that can be read")
	a.Contents = c
	return a
}

// Assess asks the advisories about every component. Without advisories for what
// is inside the image, it counts as not scanned: unknown, not clean.
func (c Contents) Assess(db advisories) *Assessment {
	a := &Assessment{Contents: c, Scanned: true, State: "done"}
	a.Gaps = slices.Clone(c.Gaps)
	judged := 0
	for _, p := range c.Components {
		found, gaps := db.Examine(p.Package)
		a.gap(gaps)
		if len(gaps) == 0 {
			judged++
		}
		for _, m := range found {
			a.Findings = append(a.Findings, Finding{m, p.PURL, p.Layer})
		}
	}
	if len(c.Components) > 0 && judged == 0 && len(a.Findings) == 0 {
		a.Scanned, a.State, a.Why = false, "unsupported", "no advisories were imported for what is inside"
		if len(a.Gaps) > 0 {
			a.Why = a.Gaps[len(a.Gaps)-1].Why
		}
		return a
	}
	slices.SortStableFunc(a.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(y.Severity.Rank(), x.Severity.Rank()), strings.Compare(x.ID, y.ID), strings.Compare(x.PURL, y.PURL))
	})
	a.count()
	return a
}

// gap keeps each gap once.
func (a *Assessment) gap(gaps []collect.Gap) {
	for _, g := range gaps {
		if !slices.ContainsFunc(a.Gaps, func(o collect.Gap) bool { return o.Key() == g.Key() }) {
			a.Gaps = append(a.Gaps, g)
		}
	}
}

// count sums vulnerabilities, each once however many packages have it.
func (a *Assessment) count() {
	worst := map[string]vuln.Severity{}
	for _, f := range a.Findings {
		if s, known := worst[f.ID]; !known || f.Severity.Rank() > s.Rank() {
			worst[f.ID] = f.Severity
		}
		a.RCE = a.RCE || f.RCE
		a.Exploited = a.Exploited || f.Exploited()
		a.exploitedUnknown = a.exploitedUnknown || f.KEV == nil
	}
	for _, s := range worst {
		switch s {
		case vuln.Critical:
			a.Criticals++
		case vuln.High:
			a.Highs++
		}
		if s.Rank() > a.Worst.Rank() || a.Worst == "" {
			a.Worst = s
		}
	}
	a.Vulnerabilities = len(worst)
	a.Severe = a.Criticals+a.Highs > 0
}
