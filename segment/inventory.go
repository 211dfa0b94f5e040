package segment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/vuln"
)

// PutAssessment writes the assessment into the shared graph, over one that is there: the
// image's properties, its packages, and the vulnerabilities they have. Edges of an image
// are replaced as a whole.
func PutAssessment(s *graph.Shared, a *assess.Assessment) {
	s.Put("Image", a.ID, propsOf(a)...)
	s.SetEdges("HAS_SECRET", "Image", a.ID, "ImageSecret", secrets(s, a.Secrets))
	if !a.Scanned {
		s.SetEdges("HAS_PACKAGE", "Image", a.ID, "Package", nil)
		s.SetEdges("HAS_VULNERABILITY", "Image", a.ID, "Vulnerability", nil)
		s.SetEdges("NOT_AFFECTED_BY", "Image", a.ID, "Vulnerability", nil)
		return
	}
	var packages []graph.Target
	for _, c := range a.Components {
		s.Put("Package", c.PURL, text("name", c.Name), text("version", c.Version), text("ecosystem", c.Ecosystem),
			text("source", c.Source))
		packages = append(packages, graph.Target{Kind: "Package", ID: c.PURL, Props: []graph.Prop{text("layer", c.Layer), text("file", c.File)}})
	}
	s.SetEdges("HAS_PACKAGE", "Image", a.ID, "Package", packages)
	var found []graph.Target
	// What does not count here may count in another image that has the same package.
	affected := map[string][]graph.Target{}
	for _, f := range a.Findings {
		found = append(found, graph.Target{Kind: "Vulnerability", ID: f.ID, Props: onImage(f)})
	}
	for _, f := range slices.Concat(a.Findings, a.Dismissed) {
		putVulnerability(s, f.Match)
		affected[f.PURL] = append(affected[f.PURL], graph.Target{Kind: "Vulnerability", ID: f.ID,
			Props: []graph.Prop{text("fixed", f.FixedVersion), graph.S("severity", string(f.Severity)),
				text("advisory", strings.Join(f.Advisories, ", "))}})
	}
	s.SetEdges("HAS_VULNERABILITY", "Image", a.ID, "Vulnerability", found)
	s.SetEdges("NOT_AFFECTED_BY", "Image", a.ID, "Vulnerability", dismissed(a))
	for _, c := range a.Components {
		s.SetEdges("AFFECTED_BY", "Package", c.PURL, "Vulnerability", affected[c.PURL])
	}
}

// propsOf is what the image says. What was not looked into is null, not false.
func propsOf(a *assess.Assessment) []graph.Prop {
	out := []graph.Prop{graph.B("scanned", a.Scanned), text("scan", a.State), text("scanError", a.Why),
		text("completeness", a.Completeness()), text("toldBy", a.ToldBy), text("chain", a.Chain), left(a)}
	if told := (graph.Prop{Name: "toldAt"}); a.ToldAt.IsZero() {
		out = append(out, told) // it is not known by a build's word any more
	} else {
		out = append(out, graph.T("toldAt", a.ToldAt))
	}
	if strings.HasPrefix(a.ID, "sha256:") {
		out = append(out, graph.S("digest", a.ID))
	}
	if !a.Scanned {
		for _, unknown := range []string{"partly", "packages", "severity", "criticals", "highs", "vulnerabilities", "severe", "rce",
			"unclear", "reads", "exploited"} {
			out = append(out, graph.Prop{Name: unknown})
		}
		return out
	}
	out = append(out, graph.B("partly", a.Partly()), text("platform", a.Platform), text("distribution", a.Distribution),
		graph.I("packages", int64(len(a.Components))),
		graph.S("severity", string(worst(a))), graph.I("criticals", int64(a.Criticals)), graph.I("highs", int64(a.Highs)),
		graph.I("vulnerabilities", int64(a.Vulnerabilities)), insight(a, "severe", a.Severe, false), insight(a, "rce", a.RCE, a.Unclear),
		graph.B("unclear", a.Unclear), insight(a, "reads", a.Reads, false),
		insight(a, "exploited", a.Exploited, a.ExploitedUnknown)) // unknown where no list of exploited ones was imported
	if !a.ScannedAt.IsZero() {
		out = append(out, graph.T("scannedAt", a.ScannedAt))
	}
	return out
}

// mostSecrets is how many secrets of one image the graph has: those that count come first.
const mostSecrets = 200

// secrets gives the graph what people left in an image. One secret is one node, wherever it is.
func secrets(s *graph.Shared, all []assess.Secret) (out []graph.Target) {
	for _, f := range all[:min(len(all), mostSecrets)] {
		id := "secret:" + f.Hash
		if s.Put("ImageSecret", id) {
			s.Put("ImageSecret", id, text("name", f.Kind), text("what", f.Kind))
		}
		where := f.File
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		out = append(out, graph.Target{Kind: "ImageSecret", ID: id, Props: []graph.Prop{text("file", where), text("layer", f.Layer),
			graph.B("removed", f.Removed), graph.B("published", f.Published)}})
	}
	return out
}

// left counts the secrets that count: null of an image that nobody read, also one whose packages are not known may have some.
func left(a *assess.Assessment) graph.Prop {
	if a.ScannedAt.IsZero() {
		return graph.Prop{Name: "secrets"}
	}
	n := 0
	for _, f := range a.Secrets {
		if !f.Published {
			n++
		}
	}
	return graph.I("secrets", int64(n))
}

// worst is the highest severity of what was found, None where that is nothing.
func worst(a *assess.Assessment) vuln.Severity { return cmp.Or(a.Worst, vuln.None) }

// insight is true where something was found, and false only where everything
// was seen.
func insight(a *assess.Assessment, name string, found, unknown bool) graph.Prop {
	if !found && (unknown || len(a.Gaps) > 0) {
		return graph.Prop{Name: name}
	}
	return graph.B(name, found)
}

// dismissed are the vulnerabilities that advisories find in the image and that do not count.
func dismissed(a *assess.Assessment) (out []graph.Target) {
	for _, f := range a.Dismissed {
		out = append(out, graph.Target{Kind: "Vulnerability", ID: f.ID, Props: []graph.Prop{
			text("package", strings.TrimSpace(f.Package.Name+" "+f.Package.Version)), text("installed", f.Package.Version),
			text("reason", f.Match.Dismissed)}})
	}
	return out
}

// onImage is what the edge from the image says.
func onImage(f assess.Finding) []graph.Prop {
	return []graph.Prop{text("package", strings.TrimSpace(f.Package.Name+" "+f.Package.Version)), text("installed", f.Package.Version),
		text("fixed", f.FixedVersion), graph.S("severity", string(f.Severity)), text("layer", f.Layer), text("file", f.File),
		text("status", statusOf(f.Match))}
}

// statusOf is what the distribution and VEX say beside a vulnerability that counts.
func statusOf(m vuln.Match) string {
	out := []string{}
	if m.Vendor != "" {
		out = append(out, m.Vendor)
	}
	if m.Said != nil {
		said := strings.ReplaceAll(m.Said.Status, "_", " ")
		out = append(out, fmt.Sprintf("%s says: %s", cmp.Or(m.Said.By, m.Said.Document, "VEX"), cmp.Or(m.Said.Note, said)))
	}
	return strings.Join(out, "; ")
}

// putVulnerability writes what holds wherever the vulnerability is found. Its
// severity is that of the first package it was seen in; edges carry their own.
func putVulnerability(s *graph.Shared, m vuln.Match) {
	if !s.Put("Vulnerability", m.ID) {
		return
	}
	props := []graph.Prop{text("title", m.Summary), list("aliases", m.Aliases), graph.S("severity", string(m.Severity)),
		text("severitySource", m.SeveritySource), graph.B("rce", m.RCE),
		graph.B("unclear", m.Unclear != ""), graph.B("reads", m.Reads),
		graph.S("impact", string(cmp.Or(m.Impact, vuln.UnknownImpact))), list("cwes", slices.Clone(m.CWEs))}
	if m.CVSS != nil {
		props = append(props, graph.F("cvss", m.CVSS.Score), text("cvssVector", m.CVSS.Vector))
	}
	if m.EPSS != nil {
		props = append(props, graph.F("epss", m.EPSS.Score))
	}
	if m.KEV != nil {
		props = append(props, graph.B("kev", m.KEV.Listed))
	}
	if !m.Published.IsZero() {
		props = append(props, graph.T("published", m.Published))
	}
	if !m.Modified.IsZero() {
		props = append(props, graph.T("modified", m.Modified))
	}
	s.Put("Vulnerability", m.ID, props...)
}
