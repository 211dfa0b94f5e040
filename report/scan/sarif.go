package scan

import (
	"io"
	"slices"
	"strconv"

	"github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/breakwater-sec/breakwater/severity"
)

// writeSARIF writes one result per vulnerable package, the image as its place, and what
// could not be seen as notifications of the run.
func writeSARIF(w io.Writer, all []Report, o Options) error {
	return sarifOf(all, o).PrettyWrite(w)
}

func sarifOf(all []Report, o Options) *sarif.Report {
	r := report.NewV210Report()
	run := sarif.NewRunWithInformationURI("Breakwater", "https://github.com/breakwater-sec/breakwater")
	if o.Version != "" {
		run.Tool.Driver.WithVersion(o.Version)
	}
	invocation := sarif.NewInvocation().WithExecutionSuccessful(true)
	run.AddInvocation(invocation)
	for _, img := range all {
		at := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(img.Image.Reference))
		for _, v := range slices.Concat(img.Vulnerabilities, img.Dismissed) {
			describe(run.AddRule(v.ID), v)
			result := run.CreateResultForRule(v.ID).WithLevel(SARIFLevel(v.Severity)).WithMessage(sarif.NewTextMessage(v.affected())).
				WithPartialFingerprints(map[string]string{"vulnerabilityOfPackage/v1": v.ID + " " + v.PURL}).
				AddLocation(sarif.NewLocationWithPhysicalLocation(at))
			switch {
			case v.Dismissed != "":
				result.AddSuppression(sarif.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(v.Dismissed))
			case !v.Exception.Counts():
				result.AddSuppression(sarif.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(v.Exception.String()))
			}
		}
		for _, f := range img.Secrets {
			if f.Published {
				continue
			}
			run.AddRule(secretRule).WithDescription("A secret was left in the image: who can pull it has it")
			run.CreateResultForRule(secretRule).WithLevel("error").WithMessage(sarif.NewTextMessage(ToldSecret(f))).
				WithPartialFingerprints(map[string]string{"secretInImage/v1": f.Hash + " " + f.File}).
				AddLocation(sarif.NewLocationWithPhysicalLocation(at))
		}
		for _, text := range img.Unseen() {
			invocation.AddToolExecutionNotification(sarif.NewNotification().WithLevel("warning").
				WithMessage(sarif.NewTextMessage(img.Image.Reference + ": " + text)).AddLocation(sarif.NewLocationWithPhysicalLocation(at)))
		}
	}
	r.AddRun(run)
	return r
}

// secretRule is the one rule of all secrets.
const secretRule = "secret-in-image"

// describe fills a rule, which is one vulnerability wherever it is found.
func describe(rule *sarif.ReportingDescriptor, v Vulnerability) {
	rule.WithName(v.ID).WithDescription(v.Title)
	if help := v.upgrade(); help != "" {
		rule.WithHelp(sarif.NewMultiformatMessageString().WithText(help))
	}
	properties := sarif.NewPropertyBag().Add("tags", append([]string{"security", "vulnerability"}, v.CWEs...))
	if v.CVSS != nil { // from it GitHub computes the severity that it shows
		properties.Add("security-severity", strconv.FormatFloat(v.CVSS.Score, 'f', 1, 64))
	}
	rule.WithProperties(properties)
}

// SARIFLevel is a severity in the words of that format.
func SARIFLevel(word string) string {
	switch s, _ := severity.Parse(word); s {
	case severity.Critical, severity.High:
		return "error"
	case severity.Medium:
		return "warning"
	}
	return "note"
}
