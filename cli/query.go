package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
)

func queryCommand(s streams) *cobra.Command {
	var in input
	var f format
	var file string
	var limit uint
	c := &cobra.Command{
		Use:   "query ['MATCH …']",
		Short: "Ask the graph a question",
		Example: `  breakwater query --from ./manifests "MATCH (p:Pod) WHERE p.privileged RETURN p.name, p.namespace"
  breakwater query -f question.json -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			q, err := readQuery(args, file)
			if err != nil {
				return err
			}
			if f == "csv" {
				if most := int(limit); most > 0 && (q.Limit == 0 || most < q.Limit) {
					q.Limit = most
				}
				return writeCSV(c, in, q, s)
			}
			r, err := answer(c, s, in, q, int(limit))
			if err != nil {
				return err
			}
			switch f {
			case "json":
				return writeJSON(s.out, r)
			case "jsonl":
				if err := writeRows(s.out, r); err != nil {
					return err
				}
			default:
				if err := r.table(s.out); err != nil {
					return err
				}
			}
			tell(s.err, r.Unseen, len(r.Rows))
			return nil
		},
	}
	in.flags(c)
	c.Flags().StringVarP(&file, "file", "f", "", "read the question from a file: JSON if it begins with {, else text; - is standard input")
	c.Flags().UintVar(&limit, "limit", 0, "the most rows to return; 0 returns all")
	output(c, &f, "table", "json", "jsonl", "csv")
	return c
}

func readQuery(args []string, file string) (*query.Query, error) {
	if (len(args) == 1) == (file != "") {
		return nil, errors.New("give the question as one argument or in a file with -f")
	}
	text := ""
	if len(args) == 1 {
		text = args[0]
	} else {
		b, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the question: %w", err)
		}
		text = string(b)
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return query.Decode([]byte(text))
	}
	return query.Parse(text)
}

func readFile(name string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	const most = 1 << 20
	b, err := io.ReadAll(io.LimitReader(in, most+1))
	if len(b) > most {
		return nil, fmt.Errorf("%s: want at most 1 MiB", name)
	}
	return b, err
}

// rows is an answer, by the server or worked out here. A cell is a query.Cell,
// or what JSON made of one.
type rows struct {
	Columns []query.Column `json:"columns"`
	Rows    [][]any        `json:"rows"`
	report.Unseen
}

func answer(c *cobra.Command, s streams, in input, q *query.Query, limit int) (*rows, error) {
	ctx := c.Context()
	if limit == 0 {
		limit = query.AllRows
	}
	if len(in.from) == 0 {
		r := &rows{}
		return r, in.ask(ctx, s, "/report/query", map[string]any{"text": query.Print(q), "limit": limit}, r)
	}
	w, err := in.world(ctx)
	if err != nil {
		return nil, err
	}
	res, err := query.Run(ctx, w.View, w.Scope(), q, query.Options{Limit: limit, Deadline: 5 * time.Minute})
	if err != nil {
		return nil, err
	}
	return answered(w, res), nil
}

// answered is a result with what of the estate could not be seen.
func answered(w *scope.World, res *query.Result) *rows {
	r := &rows{Columns: res.Columns, Rows: [][]any{}, Unseen: report.Beside(res, w.Gaps())}
	for _, row := range res.Rows {
		cells := make([]any, len(row))
		for i, cell := range row {
			cells[i] = cell
		}
		r.Rows = append(r.Rows, cells)
	}
	return r
}

func cellText(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case query.Cell:
		return v.String()
	case map[string]any:
		if id, ok := v["id"].(string); ok {
			return id
		}
	}
	return fmt.Sprint(cell)
}

func (r *rows) table(out io.Writer) error {
	heads := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		heads[i] = c.Name
	}
	t := newTable(out, heads...)
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cellText(cell)
		}
		t.row(cells...)
	}
	return t.flush()
}

// tell says beside the rows how many there are and what could not be seen.
func tell(err io.Writer, said report.Unseen, shown int) {
	fmt.Fprintf(err, "\n%d found, %d rows, %d shown\n", said.Roots, said.Total, shown)
	if said.Partial != "" {
		fmt.Fprintln(err, "The answer is not whole:", said.Partial)
	}
	var gaps []collect.Gap
	for _, g := range said.Gaps {
		gaps = append(gaps, collect.Gap{Cluster: g.Cluster, Source: g.Source, What: g.What, Why: g.Why, Consequence: g.Consequence})
	}
	printGaps(err, gaps)
}

// writeCSV asks for every row as CSV, which the engine writes itself, and says
// beside it what could not be seen.
func writeCSV(c *cobra.Command, in input, q *query.Query, s streams) error {
	ctx := c.Context()
	if len(in.from) == 0 {
		cl, err := dial(s.err, datadir.Dir(in.data))
		if err != nil {
			return err
		}
		var said report.Unseen
		if err := cl.parts(ctx, "/query/export?parts=true&text="+url.QueryEscape(query.Print(q)), s.out, &said); err != nil {
			return err
		}
		tell(s.err, said, int(said.Total))
		return nil
	}
	w, err := in.world(ctx)
	if err != nil {
		return err
	}
	res, err := query.WriteCSV(ctx, s.out, w.View, w.Scope(), q, query.Options{Deadline: 5 * time.Minute})
	if err != nil {
		return err
	}
	tell(s.err, report.Beside(res, w.Gaps()), int(res.Total))
	return nil
}

// writeRows writes one object per row, by column name.
func writeRows(w io.Writer, r *rows) error {
	items := make([]map[string]any, 0, len(r.Rows))
	for _, row := range r.Rows {
		item := map[string]any{}
		for i, cell := range row {
			item[r.Columns[i].Name] = cell
		}
		items = append(items, item)
	}
	return writeLines(w, items)
}
