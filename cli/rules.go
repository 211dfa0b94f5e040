package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/rule"
)

func rulesCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "The rules of attack techniques, paths and detections: list them, run their tests"}
	c.AddCommand(rulesListCommand(s), rulesTestCommand(s))
	return c
}

// ruleRow is one rule of rules list.
type ruleRow struct {
	rule.Head
	Tests int `json:"tests"`
}

// allRules are those of every engine.
func allRules(folder string) ([]rule.Rule, error) {
	paths, err := analyse.Load(folder)
	if err != nil {
		return nil, err
	}
	detections, err := loadDetections(folder)
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
				rows = append(rows, ruleRow{*r.Header(), len(r.Cases())})
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
	return &cobra.Command{
		Use:   "test [FOLDER]",
		Short: "Run every rule's own tests through the engine that production uses",
		Long: `Run the tests of the built-in rules, and of those in a folder with attack/,
paths/ and detect/*/ in it, through the engines that production uses.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			rules, err := allRules(strings.Join(args, ""))
			if err != nil {
				return err
			}
			if !rule.Report(s.out, rule.Test(rules)) {
				return errors.New("some rules do not do what their tests say")
			}
			fmt.Fprintln(s.err, "all rules do what their tests say")
			return nil
		},
	}
}
