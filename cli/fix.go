package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/remedy"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
)

// fixAnswer is the document of the command.
type fixAnswer struct {
	Cluster string        `json:"cluster"`
	Path    string        `json:"path"`
	Title   string        `json:"title"`
	Fixes   []analyse.Fix `json:"fixes"`
}

func fixCommand(s streams) *cobra.Command {
	var in input
	var f format
	var assume string
	c := &cobra.Command{
		Use:   "fix PATH [FIX]",
		Short: "The fixes of an attack path as code",
		Long: `The fixes of an attack path as code: patches of what people edit, network policies that keep
what is used today, roles with less. PATH is the path's id or how it begins, as
breakwater paths -o json tells it. With FIX, the id of one of the fixes, what is written is a
script of kubectl commands for that one, to be read and then run. Nothing is changed by this
command.`,
		Example: `  breakwater fix path-b0a4c88e --from context:prod
  breakwater fix path-b0a4c88e fix-1a2b3c4d5e --from context:prod | KUBECONFIG=prod.yaml sh`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := codedPath(c.Context(), s, in, assume, args[0])
			if err != nil {
				return err
			}
			d := fixAnswer{p.Cluster, p.ID, p.Title, p.Fixes}
			if len(args) > 1 {
				i := slices.IndexFunc(p.Fixes, func(f analyse.Fix) bool { return f.ID == args[1] })
				if i < 0 {
					return fmt.Errorf("path %s has no fix %s: see breakwater fix %s", p.ID, args[1], p.ID)
				}
				d.Fixes = d.Fixes[i : i+1]
			}
			switch {
			case f == "json":
				return writeJSON(s.out, d)
			case len(args) > 1:
				return printScript(s, d.Fixes[0])
			}
			printFixes(s, d)
			return nil
		},
	}
	in.flags(c)
	assumeFlag(c, &assume)
	output(c, &f, "table", "json")
	return c
}

// codedPath finds a path and has the code of its fixes written.
func codedPath(ctx context.Context, s streams, in input, assume, id string) (p analyse.Path, err error) {
	d, _, facts, err := pathsOf(ctx, s, in, assume)
	if err != nil {
		return p, err
	}
	var found []analyse.Path
	for _, each := range d.Paths {
		if strings.HasPrefix(each.ID, id) {
			found = append(found, each)
		}
	}
	switch {
	case len(found) == 0:
		return p, fmt.Errorf("there is no attack path %s: see breakwater paths -o json", id)
	case len(found) > 1:
		return p, fmt.Errorf("%d attack paths begin with %s: want more of the id", len(found), id)
	}
	p = found[0]
	if facts == nil {
		var page struct {
			Path analyse.Path `json:"path"`
		}
		q := url.Values{"cluster": {p.Cluster}, "id": {p.ID}, "assume": {assume}}
		err = in.ask(ctx, s, "/path?"+q.Encode(), nil, &page)
		return page.Path, err
	}
	rules, err := server.LoadRules(in.rules)
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(facts, func(f *collect.Facts) bool { return f.Cluster.Name == p.Cluster })
	return remedy.New(facts[i], rules).Path(p), nil
}

// printFixes writes all fixes of a path.
func printFixes(s streams, d fixAnswer) {
	fmt.Fprintf(s.out, "%s\n", terminal.Plain(d.Title))
	for _, f := range d.Fixes {
		fmt.Fprintf(s.out, "\n%s, which %s: %s\n", f.ID, effectInWords[f.Effect], terminal.Plain(f.Title))
		if f.WithoutCode != "" {
			fmt.Fprintf(s.out, "   no code: %s\n", terminal.Plain(f.WithoutCode))
		}
		for _, c := range f.Code {
			fmt.Fprintf(s.out, "   %s %s\n", c.Do, terminal.Plain(c.Object))
			for line := range strings.Lines(c.YAML) {
				fmt.Fprintf(s.out, "      %s\n", terminal.Plain(strings.TrimSuffix(line, "\n")))
			}
			if c.Note != "" {
				fmt.Fprintf(s.out, "   note: %s\n", terminal.Plain(c.Note))
			}
		}
	}
	fmt.Fprintf(s.out, "\nAs commands: breakwater fix %s FIX\n", d.Path)
}

var effectInWords = map[string]string{analyse.Breaks: "ends the path", analyse.Lowers: "lowers its risk"}

// printScript writes one fix as commands for a shell.
func printScript(s streams, f analyse.Fix) error {
	if f.WithoutCode != "" {
		return fmt.Errorf("no code can be given for this fix: %s", f.WithoutCode)
	}
	for _, c := range f.Code { // of half a fix nothing is to be run
		if c.Command == "" {
			return errors.New("this fix is no command: " + c.Note)
		}
	}
	fmt.Fprintf(s.out, "set -e\n# %s\n", terminal.Plain(f.Title))
	for _, c := range f.Code {
		if c.Note != "" {
			fmt.Fprintf(s.out, "# Note: %s\n", terminal.Plain(c.Note))
		}
		fmt.Fprint(s.out, c.Command)
	}
	return nil
}
