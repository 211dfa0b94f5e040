package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

// cutAnswer is the document of the command.
type cutAnswer struct {
	analyse.Cut
	Paths int           `json:"paths"`
	Gaps  []collect.Gap `json:"gaps"`
}

func cutCommand(s streams) *cobra.Command {
	var in input
	var f format
	var risk, assume string
	c := &cobra.Command{
		Use:   "cut",
		Short: "The fewest fixes that together end the attack paths",
		Long: `Choose fixes until every attack path is ended that some fix ends: always the one that ends
most of those left. The answer says also how few could do at least: that many of the
paths have no fix in common.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d, _, err := pathsOf(c.Context(), s, in, assume)
			if err != nil {
				return err
			}
			var chosen []analyse.Path
			for _, p := range d.Paths {
				if severity.Compare(p.Risk, risk) >= 0 {
					chosen = append(chosen, p)
				}
			}
			return printCut(s, f, cutAnswer{analyse.MinimumCut(chosen), len(chosen), gapsOrEmpty(d.Gaps)})
		},
	}
	in.flags(c)
	assumeFlag(c, &assume)
	risk = severity.Rated[0]
	c.Flags().Var(&choice{&risk, severity.Rated}, "risk", "only paths of at least this risk: "+strings.Join(severity.Rated, ", "))
	output(c, &f, "table", "json")
	return c
}

func printCut(s streams, f format, d cutAnswer) error {
	if f == "json" {
		return writeJSON(s.out, d)
	}
	t := newTable(s.out, "ENDS", "CLUSTER", "FIX")
	for _, fix := range d.Fixes {
		t.row(strconv.Itoa(len(fix.Ends)), fix.Cluster, fix.Fix.Title)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "\n%s; fixes: %d, at least %d needed; ended by no single fix: %d.\n", terminal.Count(d.Paths, "attack path"),
		len(d.Fixes), d.AtLeast, len(d.Left))
	printGaps(s.err, d.Gaps)
	return nil
}
