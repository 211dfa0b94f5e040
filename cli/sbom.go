package cli

import (
	"fmt"
	"io"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/severity"
)

// writeCycloneDX writes one bill of materials for all images, with what affects
// their packages.
func writeCycloneDX(w io.Writer, all []scanned) error {
	bom := cdx.NewBOM()
	components, found, parts := []cdx.Component{}, []cdx.Vulnerability{}, []cdx.Composition{}
	for _, img := range all {
		ref := img.Image.Reference
		components = append(components, cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeContainer, Name: ref, Version: img.Image.Digest,
			Properties: cycloneGaps(img)})
		parts = append(parts, cdx.Composition{Aggregate: completeness(img), Assemblies: &[]cdx.BOMReference{cdx.BOMReference(ref)}})
		for _, p := range img.Packages {
			components = append(components, cdx.Component{BOMRef: ref + "#" + p.PURL, Type: cdx.ComponentTypeLibrary, Name: p.Name,
				Version: p.Version, PackageURL: p.PURL})
		}
		for _, v := range img.Vulnerabilities {
			found = append(found, cycloneVulnerability(v, ref+"#"+v.PURL))
		}
	}
	bom.Components, bom.Vulnerabilities, bom.Compositions = &components, &found, &parts
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	return e.Encode(bom)
}

// completeness says whether the list of an image's packages is all there is.
func completeness(img scanned) cdx.CompositionAggregate {
	if len(img.Gaps) > 0 || !img.Image.Known {
		return cdx.CompositionAggregateIncomplete
	}
	return cdx.CompositionAggregateUnknown // what is in no list and on no list of signs is unknown
}

// cycloneGaps are what could not be seen of an image.
func cycloneGaps(img scanned) *[]cdx.Property {
	var out []cdx.Property
	for _, text := range unseen(img) {
		out = append(out, cdx.Property{Name: "breakwater:gap", Value: text})
	}
	if out == nil {
		return nil
	}
	return &out
}

// unseen is what could not be seen of an image, each in a sentence.
func unseen(img scanned) (out []string) {
	if !img.Image.Known {
		out = append(out, "Unknown, not clean: "+img.Image.Why)
	}
	for _, g := range collect.Together(img.Gaps) {
		text := g.What + ": " + g.Why
		if g.Times() > 1 {
			text = fmt.Sprintf("%d times %s", g.Times(), text)
		}
		out = append(out, text+". "+g.Consequence)
	}
	return out
}

func cycloneVulnerability(v scannedVuln, affects string) cdx.Vulnerability {
	out := cdx.Vulnerability{ID: v.ID, Description: v.Title, Affects: &[]cdx.Affects{{Ref: affects}}}
	rating := cdx.VulnerabilityRating{Severity: cdx.Severity(strings.ToLower(v.Severity)), Source: &cdx.Source{Name: v.SeveritySource}}
	if v.CVSS != nil {
		rating.Score, rating.Vector = &v.CVSS.Score, v.CVSS.Vector
	}
	out.Ratings = &[]cdx.VulnerabilityRating{rating}
	if v.FixedVersion != "" {
		out.Recommendation = "Upgrade " + v.Package + " to " + v.FixedVersion
	}
	return out
}

// writeSARIF writes one result per vulnerable package, the image as its place, and what
// could not be seen as notifications of the run.
func writeSARIF(w io.Writer, all []scanned) error {
	r := report.NewV210Report()
	run := sarif.NewRunWithInformationURI("Breakwater", "https://github.com/breakwater-sec/breakwater")
	invocation := sarif.NewInvocation().WithExecutionSuccessful(true)
	run.AddInvocation(invocation)
	for _, img := range all {
		at := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(img.Image.Reference))
		for _, v := range img.Vulnerabilities {
			run.AddRule(v.ID).WithDescription(v.Title)
			text := v.Package + " " + v.Version + " is affected by " + v.ID + " (" + v.Severity + ")"
			if v.FixedVersion != "" {
				text += "; fixed in " + v.FixedVersion
			}
			run.CreateResultForRule(v.ID).WithLevel(sarifLevel(v.Severity)).WithMessage(sarif.NewTextMessage(text)).
				AddLocation(sarif.NewLocationWithPhysicalLocation(at))
		}
		for _, text := range unseen(img) {
			invocation.AddToolExecutionNotification(sarif.NewNotification().WithLevel("warning").
				WithMessage(sarif.NewTextMessage(img.Image.Reference + ": " + text)).AddLocation(sarif.NewLocationWithPhysicalLocation(at)))
		}
	}
	r.AddRun(run)
	return r.PrettyWrite(w)
}

func sarifLevel(word string) string {
	switch s, _ := severity.Parse(word); s {
	case severity.Critical, severity.High:
		return "error"
	case severity.Medium:
		return "warning"
	}
	return "note"
}
