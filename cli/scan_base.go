package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/terminal"
)

func scanBaseCommand(s streams) *cobra.Command {
	var o scanOptions
	c := &cobra.Command{
		Use:   "base IMAGE [BASE…]",
		Short: "Which other base of an image fixes most",
		Long: `Say what would be found in an image on each of several other bases, were it built again with
nothing else changed: what fixes most first. Each is what scan image takes. The image's
base must be among them: it is the one whose layers are the image's lowest.

With --known nothing is read: IMAGE is one that the running server knows, its base is found
among all images that it knows, and the other tags of the base's repository are tried
beside each BASE.`,
		Example: `  breakwater scan base registry.example/shop/web:1.0 docker.io/library/debian:12.1 docker.io/library/debian:12.9
  breakwater scan base --known registry.example/shop/web:1.0`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, refs []string) error {
			if len(refs) == 1 && !o.known {
				return errors.New("want the image's base and others beside it: breakwater scan base IMAGE BASE…, or --known")
			}
			found, err := o.rebased(c.Context(), s, refs)
			if err != nil {
				return err
			}
			if o.format == "json" {
				return writeJSON(s.out, found)
			}
			return rebaseTable(s, found)
		},
	}
	o.lookFlags(c)
	output(c, &o.format, "table", "json")
	return c
}

func (o scanOptions) rebased(ctx context.Context, s streams, refs []string) (out scan.Rebase, err error) {
	if o.known {
		cl, err := dial(s.err, datadir.Dir(o.data))
		if err != nil {
			return out, err
		}
		return out, cl.ask(ctx, "/image/bases?"+url.Values{"id": refs[:1], "among": refs[1:]}.Encode(), nil, &out)
	}
	o.format = "json" // what cannot be read is told among the others
	all, failed, err := readImages(ctx, s, o, refs)
	if err != nil {
		return out, err
	}
	if len(all) == 0 || !all[0].Image.Known {
		return out, errors.Join(append(failed, fmt.Errorf("%s: what is in it is not known", refs[0]))...)
	}
	var several []scan.Image
	for _, each := range all[1:] {
		several = append(several, each.Image)
	}
	base, same := all[0].Image.BaseAmong(several)
	var others []scan.Report
	for _, each := range all[1:] {
		if base == nil || each.Image.Reference != base.Name {
			others = append(others, each)
		}
	}
	return scan.Rebased(all[0], base, same, others), nil
}

func rebaseTable(s streams, r scan.Rebase) error {
	fmt.Fprintf(s.out, "%s: the base is %s\n", terminal.Plain(r.Image.Reference), terminal.Plain(r.Base.String()))
	for _, o := range r.Others {
		fmt.Fprintf(s.out, "%s has the same layers\n", terminal.Plain(o.Name))
	}
	if r.Base != nil && r.Base.Layers > 0 {
		fmt.Fprintf(s.out, "Vulnerabilities: %d come with the base, %d with the image's own layers\n", r.FromBase, r.Own)
	}
	if len(r.Bumps) > 0 {
		t := newTable(s.out, "OTHER BASE", "DISTRIBUTION", "REMOVES", "ADDS", "STAY", "")
		for _, b := range r.Bumps {
			if !b.Known {
				t.row(b.Name, b.Distribution, "unknown", "unknown", "unknown", b.Why)
				continue
			}
			t.row(b.Name, b.Distribution, countOf(b.Removes), countOf(b.Adds), fmt.Sprint(b.Stays), "")
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	for _, text := range r.NotKnown {
		fmt.Fprintln(s.err, "not known: "+terminal.Plain(text))
	}
	for _, b := range r.Bumps {
		for _, text := range b.NotKnown {
			fmt.Fprintf(s.err, "not known of %s: %s\n", terminal.Plain(b.Name), terminal.Plain(text))
		}
	}
	return nil
}

// countOf counts by severity.
func countOf(all []scan.Flaw) string {
	if text := scan.Tally(all); text != "" {
		return text
	}
	return "none"
}
