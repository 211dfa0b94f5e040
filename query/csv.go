package query

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/terminal"
)

// WriteCSV runs a query and writes every row as CSV, one column per item: nodes
// as their stable ids. A cell that a spreadsheet would run as a formula gets a
// quote in front, and letters that nobody sees are written out.
func WriteCSV(ctx context.Context, w io.Writer, view *graph.View, scope graph.Scope, q *Query, opts Options) (*Result, error) {
	opts.Limit = AllRows
	out := csv.NewWriter(w)
	var failed error
	res, err := Stream(ctx, view, scope, q, opts, func(columns []Column) error {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = harmless(c.Name)
		}
		return out.Write(names)
	}, func(row []Cell) bool {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = harmless(c.String())
		}
		failed = out.Write(cells)
		return failed == nil
	})
	if errors.Is(err, ErrMemory) { // the first rows are written: the rest is said to be missing
		res, err = &Result{Partial: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	if out.Flush(); failed == nil {
		failed = out.Error()
	}
	if failed != nil {
		return nil, fmt.Errorf("write rows as CSV: %w", failed)
	}
	return res, nil
}

// harmless is a cell that no spreadsheet runs, also one that trims what is before it or takes wide letters for narrow ones.
func harmless(s string) string {
	s = terminal.Plain(s)
	if begins := strings.TrimLeft(s, " '\""); begins != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(begins)[0]) {
		return "'" + s
	}
	return s
}
