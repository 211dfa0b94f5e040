package scan

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/vuln"
)

// writeCycloneDX writes one bill of materials for all images, with what affects
// their packages.
func writeCycloneDX(w io.Writer, all []Report, o Options) error {
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: o.At.UTC().Format(time.RFC3339), Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{
		{Type: cdx.ComponentTypeApplication, Name: "breakwater", Version: o.Version}}}}
	b := bill{}
	for i, r := range all {
		b.add(strconv.Itoa(i+1), r)
	}
	if len(all) == 1 { // what the bill is about; of several it is about none
		b.components[0].Components, bom.Metadata.Component = nil, &b.components[0]
		b.components = b.components[1:]
	}
	bom.Components, bom.Vulnerabilities, bom.Compositions = &b.components, &b.found, &b.parts
	bom.Dependencies = &b.holds
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	return e.EncodeVersion(bom, cdx.SpecVersion1_6)
}

// bill is the parts of a bill of materials.
type bill struct {
	components []cdx.Component
	found      []cdx.Vulnerability
	parts      []cdx.Composition
	holds      []cdx.Dependency
}

// add adds an image. References within the bill begin with its number: two images may hold one package, and
// be named alike.
func (b *bill) add(number string, r Report) {
	self := number + " " + r.Image.Reference
	b.components = append(b.components, cdx.Component{BOMRef: self, Type: cdx.ComponentTypeContainer, Name: r.Image.Reference,
		Version: r.Image.Digest, Properties: facts(r)})
	known, inside := map[string]string{}, []string{}
	for _, p := range r.Packages {
		if known[p.PURL] != "" { // two databases tell of it
			continue
		}
		ref := number + " " + p.PURL
		known[p.PURL] = ref
		inside = append(inside, ref)
		b.components = append(b.components, cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeLibrary, Name: p.Name,
			Version: p.Version, PackageURL: p.PURL, Properties: properties("breakwater:layer", p.Layer, "breakwater:source", p.Source)})
	}
	b.holds = append(b.holds, cdx.Dependency{Ref: self, Dependencies: &inside})
	b.parts = append(b.parts, cdx.Composition{Aggregate: r.aggregate(), Assemblies: &[]cdx.BOMReference{cdx.BOMReference(self)}})
	for _, v := range slices.Concat(r.Vulnerabilities, r.Dismissed) {
		at := known[v.PURL]
		if at == "" {
			at = self
		}
		b.found = append(b.found, cycloneVulnerability(v, at))
	}
}

// aggregate says whether the list of an image's packages is all there is.
func (r Report) aggregate() cdx.CompositionAggregate {
	if len(r.Gaps) > 0 || !r.Image.Known {
		return cdx.CompositionAggregateIncomplete
	}
	return cdx.CompositionAggregateUnknown // what is in no list and on no list of signs is unknown
}

// facts are what no field of the format holds: how far the image is known, and what could not be seen of it.
func facts(r Report) *[]cdx.Property {
	said := []string{"breakwater:completeness", r.Image.Completeness, "breakwater:distribution", r.Image.Distribution,
		"breakwater:platform", r.Image.Platform}
	for _, text := range r.Unseen() {
		said = append(said, "breakwater:gap", text)
	}
	return properties(said...)
}

// properties are names and values in turn, without those that say nothing.
func properties(said ...string) *[]cdx.Property {
	var out []cdx.Property
	for i := 0; i < len(said); i += 2 {
		if said[i+1] != "" {
			out = append(out, cdx.Property{Name: said[i], Value: said[i+1]})
		}
	}
	if out == nil {
		return nil
	}
	return &out
}

func cycloneVulnerability(v Vulnerability, affects string) cdx.Vulnerability {
	out := cdx.Vulnerability{ID: v.ID, Description: v.Title, Recommendation: v.upgrade(),
		Affects: &[]cdx.Affects{{Ref: affects, Range: &[]cdx.AffectedVersions{{Version: v.Version, Status: cdx.VulnerabilityStatusAffected}}}}}
	rating := cdx.VulnerabilityRating{Severity: cycloneSeverity(v.Severity)}
	if v.SeveritySource != "" {
		rating.Source = &cdx.Source{Name: v.SeveritySource}
	}
	if v.CVSS != nil {
		rating.Score, rating.Vector, rating.Method = &v.CVSS.Score, v.CVSS.Vector, scoring(v.CVSS.Vector)
	}
	out.Ratings = &[]cdx.VulnerabilityRating{rating}
	if cwes := weaknesses(v.CWEs); len(cwes) > 0 {
		out.CWEs = &cwes
	}
	var references []cdx.VulnerabilityReference
	for _, id := range v.Advisories {
		if id != v.ID {
			references = append(references, cdx.VulnerabilityReference{ID: id, Source: &cdx.Source{Name: "OSV"}})
		}
	}
	if references != nil {
		out.References = &references
	}
	said := []string{"breakwater:impact", v.Impact, "breakwater:remote-code-execution", strconv.FormatBool(v.RCE)}
	if v.KEV != nil {
		said = append(said, "breakwater:known-exploited", strconv.FormatBool(*v.KEV))
	}
	if v.EPSS != nil {
		said = append(said, "breakwater:epss", strconv.FormatFloat(*v.EPSS, 'f', -1, 64))
	}
	said = append(said, "breakwater:exception", v.Exception.String())
	if !v.Exception.Counts() {
		out.Analysis = &cdx.VulnerabilityAnalysis{Response: &[]cdx.ImpactAnalysisResponse{cdx.IARWillNotFix}, Detail: v.Exception.String()}
	}
	out.Properties = properties(said...)
	if v.Dismissed != "" {
		(*(*out.Affects)[0].Range)[0].Status = cdx.VulnerabilityStatusNotAffected
		out.Analysis = dismissed(v)
	}
	return out
}

// dismissed says why a match does not count.
func dismissed(v Vulnerability) *cdx.VulnerabilityAnalysis {
	out := &cdx.VulnerabilityAnalysis{State: cdx.IASNotAffected, Detail: v.Dismissed}
	switch {
	case v.Said != nil && v.Said.Status == vuln.Fixed:
		out.State = cdx.IASResolved
	case v.Said != nil:
		out.Justification = justifications[v.Said.Justification]
	default: // the program has no code of it
		out.Justification = cdx.IAJCodeNotPresent
	}
	return out
}

// justifications are those of OpenVEX in the words of CycloneDX, where it has one that says as much.
var justifications = map[string]cdx.ImpactAnalysisJustification{
	"component_not_present":               cdx.IAJCodeNotPresent,
	"vulnerable_code_not_present":         cdx.IAJCodeNotPresent,
	"vulnerable_code_not_in_execute_path": cdx.IAJCodeNotReachable,
	"inline_mitigations_already_exist":    cdx.IAJProtectedByMitigatingControl,
}

func cycloneSeverity(word string) cdx.Severity {
	if severity.Rank(word) < 0 {
		return cdx.SeverityUnknown
	}
	return cdx.Severity(strings.ToLower(word))
}

// scoring is the method that a vector belongs to.
func scoring(vector string) cdx.ScoringMethod {
	switch {
	case strings.HasPrefix(vector, "CVSS:4"):
		return cdx.ScoringMethodCVSSv4
	case strings.HasPrefix(vector, "CVSS:3.1"):
		return cdx.ScoringMethodCVSSv31
	case strings.HasPrefix(vector, "CVSS:3"):
		return cdx.ScoringMethodCVSSv3
	}
	return cdx.ScoringMethodCVSSv2
}

// weaknesses are the numbers of CWEs.
func weaknesses(ids []string) (out []int) {
	for _, id := range ids {
		if n, err := strconv.Atoi(strings.TrimPrefix(id, "CWE-")); err == nil && n > 0 {
			out = append(out, n)
		}
	}
	return out
}
