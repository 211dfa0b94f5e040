package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/terminal"
)

// Bounds of one question: what is not found within them is said to be partial.
const (
	queryWithin = 10 * time.Second
	queryMemory = 512 << 20
)

func (s session) options(ctx context.Context, skip, limit *int) query.Options {
	o := query.Options{Deadline: queryWithin, MemoryLimit: queryMemory, Memory: shareOf(ctx), Vocabulary: s.vocabulary}
	if at := s.AsOf(); at != nil {
		o.AsOf = *at
	}
	if skip != nil {
		o.Skip = *skip
	}
	if limit != nil {
		if o.Limit = min(*limit, 10_000); o.Limit == 0 {
			o.Limit = -1 // counts only
		}
	}
	return o
}

// question is a request's tree, expanded, with what is wrong with it.
func (s session) question(q *Question) (*query.Query, []query.Problem, error) {
	switch {
	case q == nil || (q.Text == nil) == (q.Query == nil):
		return nil, nil, asked{errors.New("give either text or query")}
	case q.Query != nil:
		expanded := query.Expand(s.vocabulary, query.Normal(q.Query))
		return expanded, query.Check(s.vocabulary, expanded), nil
	}
	parsed, problems := query.Compile(s.vocabulary, *q.Text)
	return parsed, problems, nil
}

// checked is both spellings as far as they go.
func checked(asked *Question, q *query.Query, problems []query.Problem) Checked {
	c := Checked{Problems: list(problems)}
	if q != nil {
		c.Query, c.Text = q, query.Print(q)
	}
	if asked.Text != nil && (q == nil || len(problems) > 0) {
		c.Text = *asked.Text // the asker's own words: problems point into them
	}
	return c
}

// CheckQuery implements StrictServerInterface.
func (s session) CheckQuery(_ context.Context, r CheckQueryRequestObject) (CheckQueryResponseObject, error) {
	q, problems, err := s.question(r.Body)
	if err != nil {
		return nil, err
	}
	return CheckQuery200JSONResponse(checked(r.Body, q, problems)), nil
}

// RunQuery implements StrictServerInterface.
func (s session) RunQuery(ctx context.Context, r RunQueryRequestObject) (RunQueryResponseObject, error) {
	q, problems, err := s.question(r.Body)
	if err != nil {
		return nil, err
	}
	if len(problems) == 0 {
		problems = query.Missing(s.vocabulary, q, nil)
	}
	if len(problems) > 0 {
		return RunQuery400JSONResponse(checked(r.Body, q, problems)), nil
	}
	res, err := query.Run(ctx, s.View, s.Scope(), q, s.options(ctx, r.Body.Skip, r.Body.Limit))
	if err != nil {
		return nil, err
	}
	a := Answer{Query: *q, Text: query.Print(q), Columns: list(res.Columns), Rows: make([][]*Cell, len(res.Rows)), Roots: res.Roots,
		Total: res.Total, Partial: res.Partial, Gaps: list(res.Gaps), ElapsedMs: float32(res.Elapsed.Microseconds()) / 1000, AsOf: s.AsOf()}
	for i, row := range res.Rows {
		a.Rows[i] = make([]*Cell, len(row))
		for j := range row {
			a.Rows[i][j] = &row[j]
		}
	}
	return RunQuery200JSONResponse(a), nil
}

// CompleteValue implements StrictServerInterface.
func (s session) CompleteValue(ctx context.Context, r CompleteValueRequestObject) (CompleteValueResponseObject, error) {
	contains := ""
	if r.Body.Contains != nil {
		contains = *r.Body.Contains
	}
	v, err := query.Complete(ctx, s.View, s.Scope(), r.Body.Of, r.Body.Prop, contains, s.options(ctx, nil, new(50)))
	if err != nil {
		return nil, asked{err}
	}
	return CompleteValue200JSONResponse(v), nil
}

// FacetQuery implements StrictServerInterface.
func (s session) FacetQuery(ctx context.Context, r FacetQueryRequestObject) (FacetQueryResponseObject, error) {
	q := query.Expand(s.vocabulary, query.Normal(&r.Body.Query))
	v, err := query.Facets(ctx, s.View, s.Scope(), q, r.Body.Of, r.Body.Prop, s.options(ctx, nil, new(50)))
	if err != nil {
		return nil, asked{err}
	}
	return FacetQuery200JSONResponse(v), nil
}

// export writes all rows as CSV. What is missing of them and what could not be seen is
// said in lines behind them, because a file outlives the page it came from; a program asks
// for it as a part of its own.
func (s session) export(w http.ResponseWriter, r *http.Request) {
	q, problems := query.Compile(s.vocabulary, r.URL.Query().Get("text"))
	if len(problems) == 0 {
		problems = query.Missing(s.vocabulary, q, nil)
	}
	if len(problems) > 0 {
		problem(w, http.StatusBadRequest, "this cannot be asked", problems[0].Error())
		return
	}
	o := s.options(r.Context(), nil, nil)
	o.Limit = query.AllRows
	const csv = "text/csv; charset=utf-8"
	rows, kind := io.Writer(w), csv
	var parts *multipart.Writer
	if r.URL.Query().Get("parts") == "true" {
		parts = multipart.NewWriter(w)
		kind = "multipart/mixed; boundary=" + parts.Boundary()
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="breakwater.csv"`)
	var err error
	if parts != nil {
		rows, err = parts.CreatePart(textproto.MIMEHeader{"Content-Type": {csv}})
	}
	if err == nil {
		var res *query.Result
		if res, err = query.WriteCSV(r.Context(), rows, s.View, s.Scope(), q, o); err == nil {
			err = beside(w, parts, report.Beside(res, s.gaps(s.World)))
		}
	}
	if err != nil {
		s.log.Warn("export", "error", err) // the head of the answer is gone already
	}
}

// beside writes what there is to say of rows that were written.
func beside(w io.Writer, parts *multipart.Writer, said report.Unseen) error {
	if parts != nil {
		part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/json"}})
		if err == nil {
			err = json.NewEncoder(part).Encode(said)
		}
		return errors.Join(err, parts.Close())
	}
	var err error
	if said.Partial != "" {
		_, err = fmt.Fprintf(w, "# not whole: %s\n", terminal.Plain(said.Partial))
	}
	for _, g := range said.Gaps {
		what := strings.TrimPrefix(g.Cluster+": "+g.What, ": ")
		if _, werr := fmt.Fprintf(w, "# not seen: %s: %s; %s\n", terminal.Plain(what), terminal.Plain(g.Why),
			terminal.Plain(g.Consequence)); werr != nil {
			return werr
		}
	}
	return err
}
