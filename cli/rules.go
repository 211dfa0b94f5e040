package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/packs"
	"github.com/breakwater-sec/breakwater/packs/queries"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/server"
)

func rulesCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "The rules of attack techniques, paths and detections: list them, run their tests, see where they can fire"}
	c.AddCommand(rulesListCommand(s), rulesTestCommand(s), rulesCoverageCommand(s))
	return c
}

// ruleRow is one rule of rules list.
type ruleRow struct {
	rule.Head
	Tests int `json:"tests"`
}

// allRules are those of every engine.
func allRules(folder string) ([]rule.Rule, error) {
	paths, err := server.LoadRules(folder)
	if err != nil {
		return nil, err
	}
	detections, err := server.LoadDetections(folder)
	if err != nil {
		return nil, err
	}
	return append(paths.All(), detections.All()...), nil
}

func rulesListCommand(s streams) *cobra.Command {
	var f format
	c := &cobra.Command{
		Use:   "list [FOLDER]",
		Short: "List the built-in rules, and those of a folder",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			rules, err := allRules(strings.Join(args, ""))
			if err != nil {
				return err
			}
			rows := []ruleRow{}
			for _, r := range rules {
				h := *r.Header()
				h.Title = analyse.Title(r)
				rows = append(rows, ruleRow{h, len(r.Cases())})
			}
			switch f {
			case "json":
				return writeJSON(s.out, map[string]any{"rules": rows, "count": len(rows)})
			case "jsonl":
				return writeLines(s.out, rows)
			}
			t := newTable(s.out, "ID", "SEVERITY", "ATT&CK", "TESTS", "TITLE")
			for _, r := range rows {
				t.row(r.ID, r.Severity, strings.Join(r.Attack, " "), strconv.Itoa(r.Tests), r.Title)
			}
			return t.flush()
		},
	}
	output(c, &f, "table", "json", "jsonl")
	return c
}

func rulesTestCommand(s streams) *cobra.Command {
	distinct := false
	c := &cobra.Command{
		Use:   "test [FOLDER]",
		Short: "Run every rule's own tests through the engine that production uses",
		Long: `Run the tests of the built-in rules, or of those in a folder, through the
engines that production uses. A folder has attack/, paths/, detect/*/ or
queries/ in it, or is one of these. Rules of a folder see the built-in ones; a
file of the same name stands in for the built-in one. Sigma rules that were
written for other tools bring no tests: those that can never fire here are named.

With --distinct, also count the attack techniques and the detections that are ones
of their own: those with a test in which no other technique makes an edge, or no
other detection fires.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			rules, err := rulesToTest(c.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			others := rule.ReportForeign(s.out, rules)
			if outcomes := rule.Test(rules); len(outcomes) > 0 || others == 0 {
				if !rule.Report(s.out, outcomes) {
					return errors.New("some rules do not do what their tests say")
				}
				fmt.Fprintln(s.err, "all rules do what their tests say")
			}
			if distinct {
				return reportDistinct(c.Context(), s, rules)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&distinct, "distinct", false, "count the attack techniques and detections that have a test in which no other fires")
	return c
}

// reportDistinct counts the techniques and the detections that are ones of their own, and names
// those that are not.
func reportDistinct(ctx context.Context, s streams, rules []rule.Rule) error {
	techniques, err := analyse.Distinct(ctx, rules)
	if err != nil {
		return err
	}
	detections, err := detect.Distinct(rules)
	if err != nil {
		return err
	}
	own := 0
	for _, d := range techniques {
		if d.Test != "" {
			own++
			continue
		}
		fmt.Fprintf(s.out, "%s: in each of its tests these make edges too: %s\n", d.Rule, strings.Join(d.With, ", "))
	}
	if len(techniques) > 0 {
		fmt.Fprintf(s.out, "%d of %d attack techniques are distinct\n", own, len(techniques))
	}
	own = 0
	for _, d := range detections {
		if d.Test != "" {
			own++
			continue
		}
		fmt.Fprintf(s.out, "%s: in each of its tests these fire too: %s\n", d.Rule, strings.Join(d.With, ", "))
	}
	if len(detections) > 0 {
		fmt.Fprintf(s.out, "%d of %d detections are distinct\n", own, len(detections))
	}
	return nil
}

// rulesToTest are the built-in rules and templates, or those that lie in a folder.
func rulesToTest(ctx context.Context, folder string) ([]rule.Rule, error) {
	if folder == "" {
		rules, err := allRules("")
		if err != nil {
			return nil, err
		}
		templates, err := templateRules(ctx, queries.Files, ".")
		return append(rules, templates...), err
	}
	root, part, err := rule.Find(folder)
	if err != nil {
		return nil, err
	}
	own := os.DirFS(root)
	rules, err := rulesOver(own)
	if err != nil {
		return nil, err
	}
	templates, err := templateRules(ctx, own, "queries")
	if err != nil {
		return nil, err
	}
	rules = rule.In(append(rules, templates...), own, part)
	if len(rules) == 0 {
		return nil, fmt.Errorf("%s holds no rules: there is nothing to test", folder)
	}
	return rules, nil
}

// rulesOver are the built-in rules with those of a folder over them.
func rulesOver(own fs.FS) ([]rule.Rule, error) {
	all := rule.Over(own, packs.FS)
	paths, err := analyse.LoadFS(all)
	if err != nil {
		return nil, err
	}
	found, err := builtin.LoadFS(all)
	if err != nil {
		return nil, err
	}
	return append(paths.All(), found.All()...), nil
}

// templateRule is a template of the Explorer as a rule with tests.
type templateRule struct {
	rule.Head
	cases []rule.Case
}

func (t *templateRule) Cases() []rule.Case { return t.cases }

// templateRules reads the templates of a folder; one that is not there holds none.
func templateRules(ctx context.Context, fsys fs.FS, folder string) (out []rule.Rule, err error) {
	dir, err := fs.Sub(fsys, folder)
	if err != nil {
		return nil, err
	}
	templates, err := query.LoadTemplates(query.Schema(), dir)
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	for _, t := range templates {
		r := &templateRule{Head: rule.Head{ID: t.ID, Title: t.Title, File: path.Join(folder, t.File)}}
		for _, test := range t.Tests {
			r.cases = append(r.cases, rule.Case{Name: test.Name, Fires: len(test.Want) > 0,
				Run: func() error { return t.Try(ctx, query.Schema(), schema.Vocabulary(), test) }})
		}
		out = append(out, r)
	}
	return out, nil
}
