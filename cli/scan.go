package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/breakwater-sec/breakwater/vuln"
)

func scanCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "scan", Short: "Look into things: container images"}
	c.AddCommand(scanImageCommand(s), scanBaseCommand(s))
	return c
}

type scanOptions struct {
	data, platform string
	egress         server.Egress
	format         format
	fail           failing
	vex            []string
	known          bool
	accepts        accepting
	upload         uploading
	attached       bool
	secrets        bool
}

func scanImageCommand(s streams) *cobra.Command {
	o := scanOptions{fail: failing{warns: true}}
	c := &cobra.Command{
		Use:   "image REF…",
		Short: "List the packages and vulnerabilities of container images",
		Long: `List the packages and vulnerabilities of container images. REF is one of
  registry/repository:tag   in a registry, with the credentials of docker or podman
  oci:DIR[:TAG]             an OCI layout
  oci-archive:FILE[:TAG]    one in an archive, packed or not
  docker-archive:FILE[:TAG] what docker save writes, packed or not
  containers-storage:DIR[:NAME]
                            where podman, buildah and CRI-O keep images unpacked,
                            such as /var/lib/containers/storage
  containerd:DIR[@DIGEST]   where containerd keeps what it pulled, such as
                            /var/lib/containerd
  rootfs:DIR                an unpacked root filesystem

With --known nothing is read: REF is the name or id of an image that the running server
knows, and what it knows of it is told.

Vulnerabilities come from the advisories that db update or db import brought. An image whose
contents or advisories are not known is said to be unknown, never clean. So is what an
image holds beside the packages of its distribution (packages of languages, programs
that no package brought): it is counted by kind, and "none known in what was read" says
that something was not. Advisories that are few or old for a release are told.

Secrets that were left in an image are told by kind and place: private keys, tokens of well-known
makers, passwords where programs keep them, in any layer and in the image's configuration. What
they are is told nowhere: the hash beside them (-o json) is salted.

With --upload URL a server is told what is in the images: the packages, not the image. It
holds that against its own advisories, and shows it as the word of the build whose
token was used, until it has read the image itself. breakwater tokens upload makes the token.`,
		Example: "  breakwater scan image docker.io/library/debian:12 --fail-on High",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, refs []string) error { return scanImages(c, s, o, refs) },
	}
	dataFlag(c, &o.data)
	f := c.Flags()
	f.StringVar(&o.platform, "platform", "", "which image of an index: OS/ARCHITECTURE[/VARIANT]; otherwise linux/amd64, or what there is")
	f.StringArrayVar(&o.vex, "vex", nil, "a VEX document (OpenVEX, CycloneDX) of what does not affect the image or its packages; may repeat")
	f.BoolVar(&o.attached, "vex-from-registry", false,
		"believe the VEX documents that the image's registry has for it: who may push to the repository may push one")
	egressFlags(c, &o.egress)
	f.BoolVar(&o.known, "known", false, "tell what the running server knows of its images, and read nothing")
	o.accepts.flags(f)
	o.upload.flags(c)
	severities := severity.Scale[2:] // without Unknown and None
	o.fail.flags(c, severities, "a vulnerability is at least this severe")
	c.Long += whatIsAccepted
	f.BoolVar(&o.secrets, "fail-on-secrets", false, "exit with 1 also if somebody left a secret in the image")
	output(c, &o.format, append([]string{"table", "json", "jsonl"}, scan.Formats()...)...)
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
		return nil, fmt.Errorf("%w; what is on this machine is named as oci:DIR, oci-archive:FILE, docker-archive:FILE, "+
			"containers-storage:DIR, containerd:DIR or rootfs:DIR", err)
	}
	p = wayTo(p, ref)
	o.Transport, o.Insecure = p.Transport(), p.Plain
	return scanner(ctx, o, p)(ctx, ref)
}

// scanImages looks into each and tells of all; what could not be looked into ends the command after that.
func scanImages(c *cobra.Command, s streams, o scanOptions, refs []string) error {
	look, now := readImages, time.Now()
	if o.known {
		if o.upload.to != "" || o.attached {
			return errors.New("--known reads nothing: neither --upload nor --vex-from-registry goes with it")
		}
		if look = knownImages; o.accepts.file != "" {
			return errors.New("--known tells what the server knows, with the exceptions that it was given: serve --exceptions FILE")
		}
	}
	all, failed, err := look(c.Context(), s, o, refs)
	if err != nil {
		return err
	}
	if err := o.accepts.mark(s, all, now); err != nil {
		return err
	}
	if len(all) > 0 && !o.accepts.dry {
		said := scan.Options{Version: server.Version(), At: now, FailOn: o.fail.on, Unknowns: o.fail.unknown}
		if err := printScans(s, o.format, all, said); err != nil {
			return err
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	var severities []string
	unknown := false
	for _, each := range all {
		if o.secrets && each.Left() > 0 {
			return errSecrets
		}
		unknown = unknown || each.Image.Completeness != scan.Complete
		for _, v := range each.Vulnerabilities {
			if v.Exception.Counts() {
				severities = append(severities, v.Severity)
			}
		}
	}
	return o.fail.decide(s.err, unknown, severities...)
}

// knownImages asks the running server.
func knownImages(ctx context.Context, s streams, o scanOptions, names []string) (all []scan.Report, failed []error, err error) {
	cl, err := dial(s.err, datadir.Dir(o.data))
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		var r scan.Report
		if err := cl.ask(ctx, "/report/image?id="+url.QueryEscape(name), nil, &r); err != nil {
			failed = append(failed, err)
			all = o.missed(ctx, all, name, err)
			continue
		}
		all = append(all, r)
	}
	return all, failed, nil
}

// readImages reads each, on this machine or from its registry.
func readImages(ctx context.Context, s streams, o scanOptions, refs []string) (all []scan.Report, failed []error, err error) {
	tell, err := o.upload.ready(len(refs))
	if err != nil {
		return nil, nil, err
	}
	db, err := vuln.Open(datadir.Dir(o.data).Advisories())
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	if len(o.vex) > 0 {
		if db, err = db.With(ctx, o.vex...); err != nil {
			return nil, nil, err
		}
	}
	p, stop := scanProgress(s.err, len(refs))
	defer stop()
	opts := image.Options{Platform: o.platform, Progress: p.layer}
	policy, err := o.egress.Policy()
	if err != nil {
		return nil, nil, err
	}
	if datadir.Dir(o.data).Stored() {
		st, err := datadir.Dir(o.data).Open(ctx)
		if err != nil {
			return nil, nil, err
		}
		defer st.Close()
		opts.Cache = st
		if opts.Salt, err = st.Salt(ctx); err != nil {
			return nil, nil, err
		}
	}
	for _, ref := range refs {
		p.begin(ref)
		inv, err := scanImage(ctx, ref, opts, policy)
		p.end()
		if err != nil {
			failed = append(failed, err)
			all = o.missed(ctx, all, ref, err)
			continue
		}
		held := db
		if o.attached {
			if held, err = vexOf(ctx, s, db, registry.Reader{Policy: policy}, inv); err != nil {
				failed = append(failed, err) // what was found without them is told all the same
			}
		}
		all = append(all, scan.Of(inv, assess.Inventory(inv.Reference, inv, held)))
		if tell != nil {
			if err := tell.send(ctx, s, inv); err != nil {
				failed = append(failed, err)
			}
		}
	}
	return all, failed, nil
}

// missed adds an image that could not be read to what other tools are told: they would not miss one that is not there.
func (o scanOptions) missed(ctx context.Context, all []scan.Report, name string, why error) []scan.Report {
	if o.format == "table" || ctx.Err() != nil {
		return all
	}
	return append(all, scan.NotRead(name, why.Error()))
}

func printScans(s streams, f format, all []scan.Report, o scan.Options) error {
	switch f {
	case "table":
		for _, each := range all {
			if err := scanTable(s, each); err != nil {
				return err
			}
		}
		return nil
	case "json":
		if len(all) == 1 {
			return writeJSON(s.out, all[0])
		}
		return writeJSON(s.out, all)
	case "jsonl":
		return writeLines(s.out, all)
	}
	if f != "junit" { // which is no JSON
		return scan.Write(terminal.JSON(s.out), string(f), all, o)
	}
	return scan.Write(s.out, string(f), all, o)
}

func scanTable(s streams, r scan.Report) error {
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
			switch {
			case v.Exception == nil:
			case v.Exception.Expired:
				marks = append(marks, "exception ended with "+v.Exception.Until)
			default:
				marks = append(marks, "accepted until "+v.Exception.Until+": "+v.Exception.Reason)
			}
			t.row(v.Severity, v.ID, v.Package, v.Version, v.FixedVersion, strings.Join(marks, ", "))
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if r.Left() > 0 {
		t := newTable(s.out, "SECRET", "WHERE", "LAYER", "")
		for _, f := range r.Secrets {
			if f.Published {
				continue
			}
			where, mark := f.File, ""
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", f.File, f.Line)
			}
			if f.Removed {
				mark = "taken away by a layer above, and still there below"
			}
			t.row(f.Kind, where, shortened(f.Layer), mark)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	open, accepted := tallied(r.Vulnerabilities)
	if len(open) == 0 && len(accepted) > 0 {
		open = []string{"none that was not accepted"}
	}
	fmt.Fprintf(s.out, "%s; vulnerabilities: %s", packagesOf(r.Packages), told(r.Image, open))
	if len(accepted) > 0 {
		fmt.Fprintf(s.out, "; accepted: %s", strings.Join(accepted, ", "))
	}
	if n := len(r.Dismissed); n > 0 {
		fmt.Fprintf(s.out, "; %d more do not count, such as %s of %s: %s", n, terminal.Plain(r.Dismissed[0].ID),
			terminal.Plain(r.Dismissed[0].Package), terminal.Plain(r.Dismissed[0].Dismissed))
	}
	if n := r.Left(); n > 0 {
		fmt.Fprintf(s.out, "; secrets: %d", n)
	}
	if n := len(r.Secrets) - r.Left(); n > 0 {
		fmt.Fprintf(s.out, "; %d more secrets are of packages that everybody has", n)
	}
	fmt.Fprintln(s.out)
	printGaps(s.err, r.Gaps)
	return nil
}

// shortened is enough of a digest to know it by.
func shortened(digest string) string {
	if _, hex, ok := strings.Cut(digest, ":"); ok && len(hex) > 12 {
		return hex[:12]
	}
	return digest
}

// packagesOf is how many there are, and how many of them the distribution's packages have.
func packagesOf(all []scan.Package) string {
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

// tallied counts vulnerabilities by severity, worst first: those that count, and those that were accepted wherever they are.
// One in several packages counts once.
func tallied(all []scan.Vulnerability) (open, accepted []string) {
	counts, counted := [2]map[string]int{{}, {}}, map[string]bool{}
	for i, counting := range []bool{true, false} {
		for _, v := range all {
			if v.Exception.Counts() == counting && !counted[v.ID] {
				counted[v.ID] = true
				counts[i][v.Severity]++
			}
		}
	}
	for _, sev := range slices.Backward(severity.Scale) {
		for i, words := range []*[]string{&open, &accepted} {
			if n := counts[i][sev]; n > 0 {
				*words = append(*words, fmt.Sprintf("%d %s", n, strings.ToLower(sev)))
			}
		}
	}
	return open, accepted
}

// told is what is known of vulnerabilities, and of how much.
func told(i scan.Image, counts []string) string {
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
