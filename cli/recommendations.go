package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/severity"
)

func recommendationsCommand(s streams) *cobra.Command {
	var in input
	var f format
	var about string
	var fail failing
	c := &cobra.Command{
		Use:   "recommendations",
		Short: "What to do about vulnerabilities: one package update each, what matters most first",
		Long: `Group the vulnerabilities of images by the update that fixes them, with the pods that
run them, how many of those the internet reaches, and the attack paths that the
update breaks. Vulnerabilities without a fix, and images that were not wholly read,
are counted below. Each update is one row, with how many of the images run and how many
lie in a connected registry; -o json has the two demands apart, too.`,
		Example: "  breakwater recommendations\n  breakwater recommendations --from context:prod --images --about running -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var d report.Recommendations
			if len(in.from) == 0 {
				if err := in.ask(c.Context(), s, "/report/recommendations", nil, &d); err != nil {
					return err
				}
			} else {
				w, err := in.world(c.Context())
				if err != nil {
					return err
				}
				d = report.Recommended(w)
			}
			d.Advice = d.Only(analyse.About(about)) // each update once
			table := func() error { return recommendationTable(s, d) }
			if err := writeAs(s, f, d, d.Updates, d.Gaps, table); err != nil {
				return err
			}
			unknown, severities := len(d.Gaps) > 0, []string{}
			for _, r := range d.Updates {
				severities = append(severities, r.Severity)
			}
			for _, demand := range d.Demands {
				unknown = unknown || demand.Unknown > 0
			}
			return fail.decide(s.err, unknown, severities...)
		},
	}
	in.flags(c)
	output(c, &f, "table", "json", "jsonl")
	found := severity.Scale[2:] // without Unknown and None
	c.Flags().Var(&choice{&about, []string{string(analyse.Running), string(analyse.InRegistry)}}, "about",
		"only images that are running, or in a registry")
	fail.flags(c, found, "an update fixes at least this severity")
	return c
}

func recommendationTable(s streams, d report.Recommendations) error {
	t := newTable(s.out, "UPDATE", "SEVERITY", "FIXES", "EXPLOITED", "RUNNING", "IN REGISTRY", "PODS", "EXPOSED", "PATHS")
	for _, r := range d.Updates {
		t.row(r.Title, r.Severity, strconv.Itoa(len(r.Vulnerabilities)), strconv.Itoa(r.Exploited), strconv.Itoa(r.RunningImages),
			strconv.Itoa(r.RegistryImages), strconv.Itoa(len(r.Pods)), strconv.Itoa(r.Exposed), r.Effects())
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, demand := range d.Demands {
		fmt.Fprintf(s.err, "%s: %d of %d images have some, unknown for %d (never or not wholly read); "+
			"%d of %d vulnerabilities have no fix yet somewhere.\n",
			demand.Title, demand.Affected, demand.Images, demand.Unknown, demand.Unfixed, demand.Vulnerabilities)
	}
	return nil
}
