package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/terminal"
)

// streams are where a command writes: results to out, all else to err.
type streams struct{ out, err io.Writer }

// format is the value of --output.
type format string

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "format" }

// output adds --output with the formats a command knows; the first is the default.
func output(c *cobra.Command, f *format, known ...string) {
	*f = format(known[0])
	c.Flags().VarP(&choice{(*string)(f), known}, "output", "o", "one of "+strings.Join(known, ", "))
}

// choice is a flag that takes one of a few words, in any case.
type choice struct {
	value *string
	known []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "string" }
func (c *choice) Set(s string) error {
	for _, k := range c.known {
		if strings.EqualFold(s, k) {
			*c.value = k
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(c.known, ", "))
}

// writeJSON writes one indented document.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(terminal.JSON(w))
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeLines writes one item per line.
func writeLines[T any](w io.Writer, items []T) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(terminal.JSON(b))
	e.SetEscapeHTML(false)
	for _, i := range items {
		if err := e.Encode(i); err != nil {
			return err
		}
	}
	return b.Flush()
}

// writeAs writes a result as JSON, each of its items in a line of its own, or as people read
// it; beside the last two stands what could not be seen.
func writeAs[T any](s streams, f format, whole any, items []T, gaps []collect.Gap, table func() error) (err error) {
	switch f {
	case "json":
		return writeJSON(s.out, whole)
	case "jsonl":
		err = writeLines(s.out, items)
	default:
		err = table()
	}
	if err != nil {
		return err
	}
	printGaps(s.err, gaps)
	return nil
}

// table is aligned columns for people.
type table struct {
	to   io.Writer
	text bytes.Buffer
	w    *tabwriter.Writer
}

func newTable(w io.Writer, heads ...string) *table {
	t := &table{to: w}
	t.w = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	t.row(heads...)
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = terminal.Plain(c)
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// flush writes the table, without the spaces behind empty cells at a line's end.
func (t *table) flush() error {
	if err := t.w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(t.text.String()) {
		if _, err := fmt.Fprintln(t.to, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// printGaps says on the error stream what could not be seen.
func printGaps(w io.Writer, gaps []collect.Gap) {
	if len(gaps) == 0 {
		return
	}
	fmt.Fprintf(w, "\nNot seen (%d):\n", len(collect.Together(gaps)))
	for _, g := range collect.ByReason(gaps) {
		where := g.What
		if g.Cluster != "" {
			where = g.Cluster + ": " + where
		}
		fmt.Fprintf(w, "  %s: %s\n", terminal.Plain(where), terminal.Plain(g.Why))
		if g.Consequence != "" {
			fmt.Fprintf(w, "    → %s\n", terminal.Plain(g.Consequence))
		}
	}
}

// gapsOrEmpty makes "gaps": [] of none: a reader must see that it was asked.
func gapsOrEmpty(g []collect.Gap) []collect.Gap {
	if g == nil {
		return []collect.Gap{}
	}
	return g
}

// isTerminal says whether progress may be drawn over itself.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	i, err := f.Stat()
	return err == nil && i.Mode()&os.ModeCharDevice != 0
}
