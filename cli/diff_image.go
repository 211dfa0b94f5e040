package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

func diffImageCommand(s streams) *cobra.Command {
	var o scanOptions
	c := &cobra.Command{
		Use:   "image BEFORE AFTER",
		Short: "What one image brings and takes away, seen from another: packages, vulnerabilities, base",
		Long: `Compare two images, such as two tags of one repository: the packages that come, go or have
another version, and the vulnerabilities that are new, fixed or still there. BEFORE and
AFTER are what scan image takes; with --known they are images that the running server
knows, and nothing is read.

A vulnerability that is not found in AFTER, but of which something can no longer be seen
there, is told as hidden, never as fixed.`,
		Example: "  breakwater diff image registry.example/shop/web:1.0 registry.example/shop/web:1.1 --fail-on High",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, refs []string) error {
			found, err := o.difference(c.Context(), s, refs)
			if err != nil {
				return err
			}
			if err := printImageDifference(s, o.format, found); err != nil {
				return err
			}
			var severities []string
			for _, v := range found.New {
				if v.Exception.Counts() {
					severities = append(severities, v.Severity)
				}
			}
			return o.fail.decide(s.err, len(found.Hidden)+len(found.NotKnown) > 0, severities...)
		},
	}
	o.lookFlags(c)
	o.fail.flags(c, severity.Scale[2:], "a vulnerability that is new is at least this severe")
	output(c, &o.format, "table", "json", "markdown")
	return c
}

// lookFlags are those of commands that look into a few images and hold them against each other.
func (o *scanOptions) lookFlags(c *cobra.Command) {
	dataFlag(c, &o.data)
	egressFlags(c, &o.egress)
	f := c.Flags()
	f.StringVar(&o.platform, "platform", "", "which image of an index: OS/ARCHITECTURE[/VARIANT]; otherwise linux/amd64, or what there is")
	f.BoolVar(&o.known, "known", false, "tell what the running server knows of its images, and read nothing")
}

func (o scanOptions) difference(ctx context.Context, s streams, refs []string) (out scan.Difference, err error) {
	if o.known {
		cl, err := dial(s.err, datadir.Dir(o.data))
		if err != nil {
			return out, err
		}
		return out, cl.ask(ctx, "/image/diff?"+url.Values{"base": refs[:1], "head": refs[1:]}.Encode(), nil, &out)
	}
	all, failed, err := readImages(ctx, s, o, refs)
	if err = errors.Join(append(failed, err)...); err != nil {
		return out, err
	}
	out = scan.Differ(all[0], all[1])
	out.BaseBefore, _ = all[0].Image.BaseAmong(nil)
	out.BaseAfter, _ = all[1].Image.BaseAmong(nil)
	return out, nil
}

func printImageDifference(s streams, f format, d scan.Difference) error {
	switch f {
	case "json":
		return writeJSON(s.out, d)
	case "markdown":
		return imageDifferenceMarkdown(s.out, d)
	}
	fmt.Fprintln(s.out, terminal.Plain(imageSum(d)))
	if d.BaseBefore.String() != d.BaseAfter.String() {
		fmt.Fprintf(s.out, "The base changes: %s before, %s after.\n", terminal.Plain(d.BaseBefore.String()), terminal.Plain(d.BaseAfter.String()))
	}
	t := newTable(s.out, "", "SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN")
	for _, each := range []struct {
		word string
		of   []scan.Vulnerability
	}{{"new", d.New}, {"fixed", d.Fixed}} {
		for _, v := range each.of {
			t.row(each.word, v.Severity, v.ID, v.Package, v.Version, v.FixedVersion)
		}
	}
	for _, h := range d.Hidden {
		v := h.Vulnerability
		t.row("hidden", v.Severity, v.ID, v.Package, v.Version, v.FixedVersion)
	}
	if len(d.New)+len(d.Fixed)+len(d.Hidden) > 0 {
		if err := t.flush(); err != nil {
			return err
		}
	}
	for _, line := range packageLines(d) {
		fmt.Fprintln(s.out, terminal.Plain(line))
	}
	for _, h := range firstOfEach(d.Hidden) {
		fmt.Fprintln(s.err, "hidden: "+terminal.Plain(h))
	}
	for _, text := range d.NotKnown {
		fmt.Fprintln(s.err, "not known: "+terminal.Plain(text))
	}
	return nil
}

// imageSum is the difference in one line.
func imageSum(d scan.Difference) string {
	text := fmt.Sprintf("%s → %s: %s, %d fixed; %d stay", d.Before.Reference, d.After.Reference,
		plural(len(d.New), "new finding", "new findings"), len(d.Fixed), d.Kept)
	if len(d.Hidden) > 0 {
		text += fmt.Sprintf("; %d can no longer be judged", len(d.Hidden))
	}
	return text + fmt.Sprintf(". Packages: %d added, %d gone, %d changed, %d the same; the lowest %s.", len(d.Added), len(d.Gone),
		len(d.Changed), d.Unchanged, plural(d.SharedLayers, "layer is the same", "layers are the same"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func packageLines(d scan.Difference) (out []string) {
	for _, p := range d.Added {
		out = append(out, "added: "+p.Name+" "+p.Version)
	}
	for _, p := range d.Gone {
		out = append(out, "gone: "+p.Name+" "+p.Version)
	}
	for _, p := range d.Changed {
		out = append(out, "changed: "+p.Name+" "+strings.Join(p.Before, ", ")+" → "+strings.Join(p.After, ", "))
	}
	return out
}

// firstOfEach are the reasons, each once, with how many it stands for.
func firstOfEach(all []scan.Hidden) (out []string) {
	counts := map[string]int{}
	for _, h := range all {
		if counts[h.Why]++; counts[h.Why] == 1 {
			out = append(out, h.Why)
		}
	}
	for i, why := range out {
		out[i] = fmt.Sprintf("%d: %s", counts[why], why)
	}
	return out
}

func imageDifferenceMarkdown(w io.Writer, d scan.Difference) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Breakwater: %s\n", markdown(imageSum(d)))
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n#### %s\n\n", title)
		}
		for _, l := range lines {
			fmt.Fprintln(&b, "- "+l)
		}
	}
	told := func(v scan.Vulnerability) string {
		text := fmt.Sprintf("**%s** %s in %s %s", markdown(v.Severity), markdown(v.ID), markdown(v.Package), markdown(v.Version))
		if v.FixedVersion != "" {
			text += ", fixed in " + markdown(v.FixedVersion)
		}
		return text
	}
	var fresh, fixed, hidden, packages, unknown []string
	for _, v := range d.New {
		fresh = append(fresh, told(v))
	}
	for _, v := range d.Fixed {
		fixed = append(fixed, told(v))
	}
	for _, h := range d.Hidden {
		hidden = append(hidden, told(h.Vulnerability)+": "+markdown(h.Why))
	}
	for _, l := range packageLines(d) {
		packages = append(packages, markdown(l))
	}
	for _, text := range d.NotKnown {
		unknown = append(unknown, markdown(text))
	}
	if d.BaseBefore.String() != d.BaseAfter.String() {
		section("Base", []string{"before: " + markdown(d.BaseBefore.String()), "after: " + markdown(d.BaseAfter.String())})
	}
	section("New", fresh)
	section("Fixed", fixed)
	section("Can no longer be judged", hidden)
	section("Packages", packages)
	section("Not known", unknown)
	_, err := io.WriteString(w, b.String())
	return err
}
