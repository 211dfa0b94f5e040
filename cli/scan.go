package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/breakwater-sec/breakwater/vuln"
)

func scanCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "scan", Short: "Look into things: container images"}
	c.AddCommand(scanImageCommand(s))
	return c
}

type scanOptions struct {
	data, platform string
	egress         server.Egress
	format         format
	fail           failing
	vex            []string
}

func scanImageCommand(s streams) *cobra.Command {
	var o scanOptions
	c := &cobra.Command{
		Use:   "image REF…",
		Short: "List the packages and vulnerabilities of container images",
		Long: `List the packages and vulnerabilities of container images. REF is one of
  registry/repository:tag   in a registry, with the credentials of docker or podman
  oci:DIR[:TAG]             an OCI layout
  oci-archive:FILE[:TAG]    one in an archive, packed or not
  docker-archive:FILE[:TAG] what docker save writes, packed or not
  rootfs:DIR                an unpacked root filesystem

Vulnerabilities come from the advisories that db import brought. An image whose
contents or advisories are not known is said to be unknown, never clean. So is what an
image holds beside the packages of its distribution (packages of languages, programs
that no package brought): it is counted by kind, and "none known in what was read" says
that something was not. Advisories that are few or old for a release are told.`,
		Example: "  breakwater scan image docker.io/library/debian:12 --fail-on High",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, refs []string) error { return scanImages(c, s, o, refs) },
	}
	dataFlag(c, &o.data)
	f := c.Flags()
	f.StringVar(&o.platform, "platform", "", "which image of an index: OS/ARCHITECTURE[/VARIANT]; otherwise linux/amd64, or what there is")
	f.StringArrayVar(&o.vex, "vex", nil, "a VEX document (OpenVEX, CycloneDX) of what does not affect the image or its packages; may repeat")
	egressFlags(c, &o.egress)
	severities := severity.Scale[2:] // without Unknown and None
	o.fail.flags(c, severities, "a vulnerability is at least this severe")
	output(c, &o.format, "table", "json", "jsonl", "cyclonedx", "sarif")
	return c
}

// scanImage reads what a person names: on this machine, or in a registry.
func scanImage(ctx context.Context, named string, o image.Options, p egress.Policy) (*image.Inventory, error) {
	local, is, err := image.ParseLocal(named)
	if err != nil {
		return nil, err
	}
	switch {
	case is && isProgram(ctx):
		return image.Caged{Options: o}.ScanLocal(ctx, local)
	case is:
		return image.ScanLocal(ctx, local, o)
	}
	ref, err := image.ParseReference(named)
	if err != nil {
		return nil, fmt.Errorf("%w; what is on this machine is named as oci:DIR, oci-archive:FILE, docker-archive:FILE or rootfs:DIR", err)
	}
	p = wayTo(p, ref)
	o.Transport, o.Insecure = p.Transport(), p.Plain
	return scanner(ctx, o, p)(ctx, ref)
}

// scanned is one image of the answer.
type scanned struct {
	Image           scannedImage  `json:"image"`
	Packages        []scannedPkg  `json:"packages"`
	Vulnerabilities []scannedVuln `json:"vulnerabilities"`
	// Dismissed do not count: each says why.
	Dismissed []scannedVuln `json:"dismissed,omitempty"`
	Gaps      []collect.Gap `json:"gaps"`
}

type scannedImage struct {
	Reference    string        `json:"reference"`
	Digest       string        `json:"digest,omitempty"`
	Platform     string        `json:"platform,omitempty"`
	Distribution string        `json:"distribution,omitempty"`
	Layers       []image.Layer `json:"layers"`
	// Known is false where nothing can be said of vulnerabilities; Why tells why.
	Known bool   `json:"known"`
	Why   string `json:"why,omitempty"`
	// Partly says that what is not among the vulnerabilities is unknown: something
	// was not looked into, or could not be judged. Unread is the code nobody looked into.
	Partly bool           `json:"partly"`
	Unread []image.Unread `json:"unread,omitempty"`
	// Completeness is "complete", "partial: " and what was not looked into, or "unread: " and why.
	Completeness string `json:"completeness"`
}

type scannedPkg struct {
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

type scannedVuln struct {
	ID             string     `json:"id"`
	Aliases        []string   `json:"aliases"`
	Package        string     `json:"package"`
	Version        string     `json:"version"`
	FixedVersion   string     `json:"fixedVersion,omitempty"`
	FixNote        string     `json:"fixNote,omitempty"`
	Severity       string     `json:"severity"`
	SeveritySource string     `json:"severitySource"`
	CVSS           *vuln.CVSS `json:"cvss,omitempty"`
	EPSS           *float64   `json:"epss,omitempty"`
	KEV            *bool      `json:"kev,omitempty"` // absent while no list was imported
	RCE            bool       `json:"rce"`
	RCEWhy         string     `json:"rceWhy,omitempty"`
	Impact         string     `json:"impact"`
	ImpactWhy      string     `json:"impactWhy,omitempty"`
	Title          string     `json:"title,omitempty"`
	Layer          string     `json:"layer,omitempty"`
	File           string     `json:"file,omitempty"`
	PURL           string     `json:"purl"`
	// Reasons are the advisories that speak of the version, each with the range it is in; Vendor is the distribution's word for it.
	Reasons []vuln.Reason `json:"reasons,omitempty"`
	Vendor  string        `json:"vendor,omitempty"`
	// Said is what VEX says, Dismissed why it does not count.
	Said      *vuln.Statement `json:"said,omitempty"`
	Dismissed string          `json:"dismissed,omitempty"`
}

func scanImages(c *cobra.Command, s streams, o scanOptions, refs []string) error {
	db, err := vuln.Open(datadir.Dir(o.data).Advisories())
	if err != nil {
		return err
	}
	defer db.Close()
	if len(o.vex) > 0 {
		if db, err = db.With(c.Context(), o.vex...); err != nil {
			return err
		}
	}
	opts := image.Options{Platform: o.platform, Progress: scanProgress(s.err)}
	policy, err := o.egress.Policy()
	if err != nil {
		return err
	}
	if datadir.Dir(o.data).Stored() {
		st, err := datadir.Dir(o.data).Open(c.Context())
		if err != nil {
			return err
		}
		defer st.Close()
		opts.Cache = st
	}
	var all []scanned
	var failed []error
	for _, ref := range refs {
		inv, err := scanImage(c.Context(), ref, opts, policy)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		all = append(all, examined(inv, db))
	}
	if len(all) > 0 {
		if err := printScans(s, o.format, all); err != nil {
			return err
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	var severities []string
	unknown := false
	for _, each := range all {
		unknown = unknown || !each.Image.Known || each.Image.Partly
		for _, v := range each.Vulnerabilities {
			severities = append(severities, v.Severity)
		}
	}
	return o.fail.decide(unknown, severities...)
}

// scanProgress draws on a terminal only: a pipe wants the answer.
func scanProgress(w io.Writer) func(image.Progress) {
	if !isTerminal(w) {
		return nil
	}
	return func(p image.Progress) {
		from := "reading"
		if p.FromCache {
			from = "known"
		}
		fmt.Fprintf(w, "\x1b[K%s: layer %d of %d (%s, %s)\r", terminal.Plain(p.Reference), p.Layer, p.Of, size(p.Bytes), from)
		if p.Layer == p.Of {
			fmt.Fprint(w, "\x1b[K")
		}
	}
}

func examined(inv *image.Inventory, db *vuln.DB) scanned {
	a := assess.Inventory(inv.Reference, inv, db)
	out := scanned{Image: scannedImage{Reference: inv.Reference, Digest: inv.Digest, Platform: inv.Platform, Distribution: a.Distribution,
		Layers: inv.Layers, Known: a.Scanned, Why: a.Why, Partly: a.Partly(),
		Unread: inv.Unread, Completeness: a.Completeness()}, Packages: []scannedPkg{}, Vulnerabilities: []scannedVuln{},
		Gaps: gapsOrEmpty(a.Gaps)}
	for _, p := range inv.Packages {
		out.Packages = append(out.Packages, scannedPkg{p.Name, p.Version, p.PURL, p.Ecosystem, p.Source, p.Layer, p.Files, p.OwnedBy, p.Wanted})
	}
	for _, f := range a.Findings {
		out.Vulnerabilities = append(out.Vulnerabilities, toldFinding(f))
	}
	for _, f := range a.Dismissed {
		out.Dismissed = append(out.Dismissed, toldFinding(f))
	}
	return out
}

func toldFinding(f assess.Finding) scannedVuln {
	v := scannedVuln{ID: f.ID, Aliases: f.Aliases, Package: f.Package.Name, Version: f.Package.Version, FixedVersion: f.FixedVersion,
		FixNote: f.FixNote, Severity: string(f.Severity), SeveritySource: f.SeveritySource, CVSS: f.CVSS, RCE: f.RCE, RCEWhy: f.RCEWhy,
		Impact: string(f.Impact), ImpactWhy: f.ImpactWhy,
		Title: f.Summary, Layer: f.Layer, File: f.File, PURL: f.PURL,
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

func printScans(s streams, f format, all []scanned) error {
	switch f {
	case "json":
		if len(all) == 1 {
			return writeJSON(s.out, all[0])
		}
		return writeJSON(s.out, all)
	case "jsonl":
		return writeLines(s.out, all)
	case "cyclonedx":
		return writeCycloneDX(s.out, all)
	case "sarif":
		return writeSARIF(s.out, all)
	}
	for _, each := range all {
		if err := scanTable(s, each); err != nil {
			return err
		}
	}
	return nil
}

func scanTable(s streams, r scanned) error {
	fmt.Fprintf(s.out, "%s (%s)\n", terminal.Plain(r.Image.Reference),
		terminal.Plain(strings.Trim(r.Image.Distribution+", "+r.Image.Platform, ", ")))
	if !r.Image.Known {
		fmt.Fprintf(s.out, "Unknown, not clean: %s\n", terminal.Plain(r.Image.Why))
	}
	if len(r.Vulnerabilities) > 0 {
		t := newTable(s.out, "SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN", "")
		for _, v := range r.Vulnerabilities {
			var marks []string
			if v.KEV != nil && *v.KEV {
				marks = append(marks, "known exploited")
			}
			if v.RCE {
				marks = append(marks, "remote code execution")
			}
			t.row(v.Severity, v.ID, v.Package, v.Version, v.FixedVersion, strings.Join(marks, ", "))
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	counts, seen := map[string]int{}, map[string]bool{}
	for _, v := range r.Vulnerabilities { // worst first: one in several packages counts once
		if !seen[v.ID] {
			seen[v.ID] = true
			counts[v.Severity]++
		}
	}
	var words []string
	for _, sev := range slices.Backward(severity.Scale) {
		if counts[sev] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[sev], strings.ToLower(sev)))
		}
	}
	fmt.Fprintf(s.out, "%s; vulnerabilities: %s\n", packagesOf(r.Packages), r.Image.told(words))
	if n := len(r.Dismissed); n > 0 {
		fmt.Fprintf(s.out, "%d more do not count, such as %s of %s: %s\n", n, terminal.Plain(r.Dismissed[0].ID),
			terminal.Plain(r.Dismissed[0].Package), terminal.Plain(r.Dismissed[0].Dismissed))
	}
	printGaps(s.err, r.Gaps)
	return nil
}

// packagesOf is how many there are, and how many of them the distribution's packages have.
func packagesOf(all []scannedPkg) string {
	owned := 0
	for _, p := range all {
		if p.OwnedBy != "" {
			owned++
		}
	}
	if owned == 0 {
		return fmt.Sprintf("%d packages", len(all))
	}
	return fmt.Sprintf("%d packages, and %d that are parts of these", len(all)-owned, owned)
}

// told is what is known of vulnerabilities, and of how much.
func (i scannedImage) told(counts []string) string {
	what := strings.Join(counts, ", ")
	switch {
	case what == "" && !i.Known:
		return "unknown"
	case what == "":
		what = "none known"
	}
	if i.Partly {
		what += " in what was read"
	}
	return what
}
