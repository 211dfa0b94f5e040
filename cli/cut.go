package cli

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

func cutCommand(s streams) *cobra.Command {
	var in input
	var f format
	var risk, assume string
	c := &cobra.Command{
		Use:   "cut",
		Short: "The fewest fixes that together end the attack paths",
		Long: `Choose fixes until no attack path is left: those that end a path by themselves, always
the one that ends most of those left, and where there is none, one on most of their routes.

The fixes are then done on a copy, and what is left of the paths is told: nothing is
believed of a fix that was not seen to end its paths. The answer says also how few
fixes could do at least: as many attackers could be on the drawn routes of the paths at
once if each fix let only one of them pass (the greatest flow, in fractions).
What a fix is, and what would be lost with it: breakwater what-if --fix ID.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := cutOf(c.Context(), s, in, risk, assume)
			if err != nil {
				return err
			}
			return writeAs(s, f, d, d.Fixes, d.Gaps, func() error { return cutTable(s, d) })
		},
	}
	in.flags(c)
	assumeFlag(c, &assume)
	risk = severity.Rated[0]
	c.Flags().Var(&choice{&risk, severity.Rated}, "risk", "only paths of at least this risk: "+strings.Join(severity.Rated, ", "))
	output(c, &f, "table", "json")
	return c
}

// cutOf asks the running server, or computes what --from names.
func cutOf(ctx context.Context, s streams, in input, risk, assume string) (d report.Cut, err error) {
	if len(in.from) == 0 {
		return d, in.ask(ctx, s, "/cut?risk="+url.QueryEscape(risk)+"&assume="+url.QueryEscape(assume), nil, &d)
	}
	facts, err := in.facts(ctx)
	if err != nil {
		return d, err
	}
	w, err := in.computed(ctx, facts)
	if err != nil {
		return d, err
	}
	all := report.Open(w)
	if assume != "" {
		if all, err = report.AssumedPaths(ctx, w, assume); err != nil {
			return d, err
		}
	}
	chosen := slices.DeleteFunc(all.Paths, func(p analyse.Path) bool { return severity.Compare(p.Risk, risk) < 0 })
	return report.CutOf(ctx, chosen, all.Gaps, assume, tryOn(w, facts))
}

// tryOn does fixes on copies of clusters that nobody watches.
func tryOn(w *scope.World, facts []*collect.Facts) report.Try {
	return func(ctx context.Context, cluster string, fixes []analyse.Fix, assume string) (*live.Trial, error) {
		at := slices.IndexFunc(facts, func(f *collect.Facts) bool { return f.Cluster.Name == cluster })
		return w.Clusters[cluster].Try(ctx, facts[at], fixes, assume)
	}
}

func cutTable(s streams, d report.Cut) error {
	t := newTable(s.out, "ENDS", "ID", "CLUSTER", "FIX")
	for _, fix := range d.Fixes {
		t.row(strconv.Itoa(len(fix.Ends)), fix.Fix.ID, fix.Cluster, fix.Fix.Title)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(
		s.err,
		"\n%s; fixes: %d, at least %d needed; verified on a copy: %d of %d paths remain.\n",
		terminal.Count(d.Paths, "attack path"),
		len(d.Fixes),
		d.AtLeast,
		len(d.Left),
		d.Paths,
	)
	return nil
}
