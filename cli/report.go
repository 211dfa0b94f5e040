package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

func graphCommand(s streams) *cobra.Command {
	var in input
	var f format
	c := &cobra.Command{
		Use:   "graph",
		Short: "Write the whole security graph: nodes, edges and what could not be seen",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			document := func(to io.Writer, lines bool) error {
				if len(in.from) > 0 {
					w, err := in.world(c.Context())
					if err != nil {
						return err
					}
					return report.Graph(to, w, w.Gaps(), lines)
				}
				cl, err := dial(s.err, datadir.Dir(in.data))
				if err != nil {
					return err
				}
				return cl.get(c.Context(), "/report/graph?lines="+strconv.FormatBool(lines), to)
			}
			if f != "table" {
				return document(s.out, f == "jsonl")
			}
			var b bytes.Buffer
			if err := document(&b, false); err != nil {
				return err
			}
			return graphTable(s, b.Bytes())
		},
	}
	in.flags(c)
	output(c, &f, "table", "json", "jsonl")
	return c
}

// graphTable counts: a graph has no use as a table of everything.
func graphTable(s streams, document []byte) error {
	var d struct {
		Nodes []report.Node
		Edges []report.Edge
		Gaps  []collect.Gap
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return fmt.Errorf("read the graph: %w", err)
	}
	counts := map[string]int{}
	var kinds []string
	count := func(what string) {
		if counts[what] == 0 {
			kinds = append(kinds, what)
		}
		counts[what]++
	}
	for _, n := range d.Nodes {
		count(n.Kind)
	}
	for _, e := range d.Edges {
		count("-" + e.Kind + "->")
	}
	t := newTable(s.out, "KIND OR EDGE", "COUNT")
	for _, k := range kinds {
		t.row(k, strconv.Itoa(counts[k]))
	}
	if err := t.flush(); err != nil {
		return err
	}
	printGaps(s.err, d.Gaps)
	return nil
}

func exposureCommand(s streams) *cobra.Command {
	var in input
	var f format
	c := &cobra.Command{
		Use:   "exposure",
		Short: "Which workloads the internet reaches and how, and who may talk to whom",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var d report.Exposures
			if len(in.from) == 0 {
				if err := in.ask(c.Context(), s, "/report/exposure", nil, &d); err != nil {
					return err
				}
			} else {
				facts, err := in.facts(c.Context())
				if err != nil {
					return err
				}
				d = report.Exposures{Exposures: []report.Exposure{}, Connections: []report.Connection{}, Gaps: []collect.Gap{}}
				for _, each := range facts {
					d = d.Add(report.Exposed(each))
				}
			}
			return writeAs(s, f, d, d.Exposures, d.Gaps, func() error { return exposureTable(s, d) })
		},
	}
	in.flags(c)
	output(c, &f, "table", "json", "jsonl")
	return c
}

func exposureTable(s streams, d report.Exposures) error {
	t := newTable(s.out, "WORKLOAD", "PORTS", "WHO", "THROUGH")
	for _, e := range d.Exposures {
		through := strings.Join(e.Via, "; ")
		if e.Uncertain != "" {
			through += " (uncertain: " + e.Uncertain + ")"
		}
		t.row(e.Entity, strings.Join(e.Ports, ", "), string(e.Width), through)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(
		s.err,
		"\n%d workloads exposed to the internet; %d allowed connections (see -o json)\n",
		len(d.Exposures),
		len(d.Connections),
	)
	return nil
}

func pathsCommand(s streams) *cobra.Command {
	var in input
	var f format
	var fail failing
	var assume, from, pod string
	proving := false
	c := &cobra.Command{
		Use:   "paths",
		Short: "The attacker's ways in: attack paths from the internet, worst first",
		Long: `The attacker's ways in: attack paths from the internet, worst first.

With --prove, the API server of --from context:NAME is asked whether the steps are
so: access reviews for what identities hold, dry runs of a privileged pod for what
admission lets in. It changes nothing. Each step is then verified, refuted or, where
only taking it would show it, unproven. The credentials need to create
SubjectAccessReviews, and for dry runs pods; what they may not ask stays unproven.

With --prove-from NAMESPACE/NAME, TCP connections are also made, and nothing sent, from
that pod to what it is said to reach: by a command in it, for which it needs a shell with
bash or nc, and the credentials to create pods/exec. No other pod is touched.

With --why-not A B, the way from A to B that the fewest guards prevent is told, and which
they are: admission, tokens that are not mounted, network policies, permissions that are not
held. A and B are named as for --assume; A may be internet, B cluster or secret:NAMESPACE/NAME.`,
		Example: `  breakwater paths --from context:prod --fail-on high
  breakwater paths --from ./manifests --why-not workload:shop/cart cluster`,
		Args: func(c *cobra.Command, args []string) error {
			if from != "" && len(args) != 1 {
				return errors.New("want --why-not A B: from what, and to what")
			}
			if from == "" {
				return cobra.NoArgs(c, args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if from != "" {
				d, err := answerWhyNot(c.Context(), in, from, args[0])
				if err != nil {
					return err
				}
				return printWhyNot(s, f, d)
			}
			var d provenPaths
			proving = proving || pod != ""
			if proving && len(in.from) != 1 {
				return errors.New("--prove asks one cluster: want exactly one --from context:NAME or in-cluster")
			}
			var w *scope.World
			var err error
			if d.Paths, w, _, err = pathsOf(c.Context(), s, in, assume); err != nil {
				return err
			}
			if proving {
				if d.Proof, err = provePaths(c.Context(), in, w, d.Paths.Paths, pod); err != nil {
					return err
				}
			}
			if err := writeAs(s, f, d, d.Paths.Paths, d.Gaps, func() error { return printPaths(s, d) }); err != nil {
				return err
			}
			var risks []string
			for _, p := range d.Paths.Paths {
				risks = append(risks, p.Risk)
			}
			return fail.decide(s.err, len(d.Gaps) > 0, risks...)
		},
	}
	in.flags(c)
	output(c, &f, "table", "json", "jsonl")
	fail.flags(c, severity.Rated, "a path has at least this risk")
	assumeFlag(c, &assume)
	c.Flags().
		StringVar(&from, "why-not", "", "with --from: from what the nearest way is looked for that guards prevent, to what is named after it")
	c.Flags().BoolVar(&proving, "prove", false, "ask the cluster's API server whether the steps are so; changes nothing")
	c.Flags().StringVar(&pod, "prove-from", "",
		"as --prove, and try TCP connections from this pod, NAMESPACE/NAME, to what it is said to reach")
	return c
}

func assumeFlag(c *cobra.Command, assume *string) {
	c.Flags().StringVar(assume, "assume", "", "the paths from what an attacker is assumed to have: workload:NAMESPACE/NAME, "+
		"pod:NAMESPACE/NAME, sa:NAMESPACE/NAME, user:NAME, group:NAME, node:NAME, image:NAME, repository:NAME, third-party, or any")
}

// pathsOf asks the running server, or computes what --from names: then the World is
// there, too, and the facts that it was made of.
func pathsOf(
	ctx context.Context, s streams, in input, assume string,
) (d report.Paths, w *scope.World, facts []*collect.Facts, err error) {
	if len(in.from) == 0 {
		return d, nil, nil, in.ask(ctx, s, "/report/paths?assume="+url.QueryEscape(assume), nil, &d)
	}
	if facts, err = in.facts(ctx); err != nil {
		return d, nil, nil, err
	}
	if w, err = in.computed(ctx, facts); err != nil {
		return d, nil, nil, err
	}
	if assume != "" {
		d, err = report.AssumedPaths(ctx, w, assume)
	} else {
		d, err = report.AttackPaths(ctx, w)
	}
	return d, w, facts, err
}

func printPaths(s streams, d provenPaths) error {
	for _, p := range d.Paths.Paths {
		terminal.Path(s.out, p.Risk, p.Title, p.Cluster+" · "+p.Namespace+" · "+p.ID, p.Story)
		for _, fix := range p.Fixes {
			if fix.Effect == "breaks" {
				fmt.Fprintf(s.out, "   fix: %s (%s)\n", terminal.Plain(fix.Title), fix.ID)
			}
		}
		fmt.Fprintln(s.out)
	}
	if d.Proof != nil {
		if err := printProofs(s, d.Proof); err != nil {
			return err
		}
	}
	printLosable(s, d.Paths)
	fmt.Fprintln(s.err, terminal.Count(len(d.Paths.Paths), "attack path"))
	return nil
}

// oneOf names the first of what would do, and how many others would.
func oneOf(fixes []string) string {
	switch len(fixes) {
	case 0:
		return "no single fix"
	case 1:
		return fixes[0]
	}
	return fmt.Sprintf("%s (or %s)", fixes[0], terminal.Count(len(fixes)-1, "other"))
}

// printLosable says what the paths from outside leave out: what would be worst if an
// attacker had it.
func printLosable(s streams, d report.Paths) {
	if d.Losable == 0 {
		return
	}
	fmt.Fprintf(s.out, "Assume a breach: workloads and identities that lead an attacker to a target: %d. Worst to lose:\n", d.Losable)
	t := newTable(s.out, "CLUSTER", "THING", "TARGETS", "WORST", "ENDED BY")
	for _, l := range d.WorstToLose {
		t.row(l.Cluster, l.Kind+" "+l.Key().String(), strconv.FormatInt(l.Targets, 10), l.Worst, terminal.Plain(oneOf(l.EndedBy)))
	}
	_ = t.flush() // as all that is printed here
	first := d.WorstToLose[0]
	fmt.Fprintf(s.out, "\nHow, from %s:\n", terminal.Plain(first.Kind+" "+first.Key().String()))
	terminal.Story(s.out, first.Story)
	if h := d.HelpsMost; h != nil {
		fmt.Fprintf(
			s.out,
			"What helps most: %s, on %s. It ends %d of these %d.\n",
			terminal.Plain(h.Fix.Title),
			terminal.Plain(h.On),
			h.Ends,
			h.Of,
		)
	}
	fmt.Fprintln(s.out, "All of them, and the fewest fixes: breakwater paths --assume any, breakwater cut --assume any")
	fmt.Fprintln(s.out)
}

func dumpCommand(s streams) *cobra.Command {
	var in input
	var file string
	c := &cobra.Command{
		Use:   "dump SOURCE",
		Short: "Save the facts of a cluster to a file that every --from takes",
		Long: `Save the facts of a cluster (context:NAME, in-cluster, manifests) to a file that
every --from takes. It holds no Secret, no environment value and no ConfigMap data.`,
		Example: "  breakwater dump context:prod --to prod.dump",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			in.from = args
			facts, err := in.facts(c.Context())
			if err != nil {
				return err
			}
			if err := datadir.WriteDump(file, facts[0]); err != nil {
				return err
			}
			fmt.Fprintf(s.err, "%s: %d pods, %d gaps\n", file, len(facts[0].Pods), len(facts[0].Gaps))
			return nil
		},
	}
	c.Flags().StringVar(&file, "to", "cluster.dump", "the file to write")
	cloudFlag(c, &in.cloud)
	return c
}
