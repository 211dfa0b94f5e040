package query

import (
	"context"
	"math"
	"time"
	"unsafe"

	"github.com/breakwater-sec/breakwater/graph"
)

// Run evaluates a query on a view, seeing only what the scope allows. A query
// that does not check fails with Problems; a spent budget is no error but a
// partial result.
func Run(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, opts Options) (*Result, error) {
	var rows [][]Cell
	res, err := stream(ctx, view, scope, q, opts, func([]Column) error { return nil }, func(e *engine, row []Cell) bool {
		e.use(sizeOf(row)) // they stay until the last is found
		rows = append(rows, row)
		return true
	})
	if err != nil {
		return nil, err
	}
	if res.Rows = rows; rows == nil {
		res.Rows = [][]Cell{}
	}
	return res, nil
}

// Stream is Run, handing over each row as it is found. header comes first;
// row may end the enumeration by returning false.
func Stream(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, opts Options,
	header func([]Column) error, row func([]Cell) bool) (*Result, error) {
	return stream(ctx, view, scope, q, opts, header, func(_ *engine, cells []Cell) bool { return row(cells) })
}

// sizeOf is about how much memory a row takes.
func sizeOf(row []Cell) int {
	n := 24
	for _, c := range row {
		n += int(unsafe.Sizeof(c))
		if c.Edge != nil {
			n += int(unsafe.Sizeof(*c.Edge)) + len(c.Edge.Props)*int(unsafe.Sizeof(graph.Prop{}))
		}
	}
	return n
}

func stream(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, opts Options,
	header func([]Column) error, row func(*engine, []Cell) bool) (*Result, error) {
	begin := time.Now()
	e, err := newEngine(ctx, view, q, opts)
	if err != nil {
		return nil, err
	}
	res := &Result{Columns: e.columns0(), Gaps: []Gap{}, AsOf: opts.AsOf}
	if err := header(res.Columns); err != nil {
		return nil, err
	}
	answer := func() {
		e.compileScope(scope)
		e.reduce()
		res.Roots, res.Matched = e.sets[0].count(), e.matched()
		e.answer(res, func(cells []Cell) bool { return row(e, cells) })
	}
	if res.Partial, err = e.guard(answer); err != nil {
		return nil, err
	}
	if res.Partial == "" {
		reason, err := e.guard(func() { res.Gaps = append(res.Gaps, e.gaps()...) })
		if err != nil {
			return nil, err
		}
		if reason != "" {
			res.Partial = reason + " after all rows were found; gaps may be missing"
		}
	}
	res.Elapsed = time.Since(begin)
	return res, nil
}

func (e *engine) matched() map[string]int {
	out := map[string]int{}
	for _, v := range e.vars {
		if v.as != "" {
			out[v.as] = e.sets[v.id].count()
		}
	}
	return out
}

func newEngine(ctx context.Context, view *graph.View, q *Query, opts Options) (*engine, error) {
	voc := opts.Vocabulary
	if voc == nil {
		voc = Schema()
	}
	if err := voc.fits(view.Vocabulary()); err != nil {
		return nil, err
	}
	p, problems := compile(voc, q, opts.Params, false)
	if len(problems) > 0 {
		return nil, Problems(problems)
	}
	e := &engine{plan: p, ctx: ctx, view: view, opts: opts, mixed: map[*cond][2]nodeSet{}, laneCache: map[*hop]*hopLanes{}}
	e.segs = append([]*graph.Segment{view.Shared()}, view.Clusters()...)
	if opts.Deadline > 0 {
		e.deadline = time.Now().Add(opts.Deadline)
	}
	return e, ctx.Err()
}

// page is which rows of the result are visible.
type page struct{ skip, limit int }

func (e *engine) page() page {
	p := page{e.query.Skip + e.opts.Skip, e.opts.Limit}
	if p.limit == 0 {
		p.limit = DefaultLimit
	}
	if p.limit < 0 {
		p.limit = 0
	}
	if e.query.Limit > 0 {
		p.limit = min(p.limit, max(0, e.query.Limit-e.opts.Skip))
	}
	return p
}

// need is how many rows from the start decide the page.
func (p page) need() int {
	if p.limit > math.MaxInt-p.skip {
		return math.MaxInt
	}
	return p.skip + p.limit
}

// pager hands the page's rows over and says when there is no more to do.
type pager struct {
	page
	row func([]Cell) bool
}

func (p *pager) push(make func() []Cell) bool {
	if p.limit <= 0 {
		return false
	}
	if p.skip > 0 {
		p.skip--
		return true
	}
	p.limit--
	return p.row(make()) && p.limit > 0
}

// answer finds rows and total. Rows come first, so that a spent budget still
// leaves some; the total is then at least what was seen.
func (e *engine) answer(res *Result, row func([]Cell) bool) {
	counting := false
	for _, it := range e.query.Return {
		counting = counting || it.Count
	}
	out := &pager{e.page(), func(cells []Cell) bool {
		res.Total++
		return row(cells)
	}}
	switch {
	case counting:
		e.aggregate(res, out)
	case e.query.Distinct:
		e.distinct(res, out)
	default:
		e.plainRows(out)
		total := e.total(e.walkFrom(e.vars[0], everyone), nil)
		res.Total = int64(min(total, math.MaxInt64))
	}
}

func everyone(*variable) bool { return true }

// plainRows enumerates the page: in order if all keys are of one variable that
// a walk can begin at, else by keeping the best of all rows.
func (e *engine) plainRows(out *pager) {
	if out.limit == 0 {
		return
	}
	start := e.vars[0]
	one := e.orderVariable()
	if one != nil {
		start = one
	}
	w := e.walkFrom(start, everyone)
	cols := e.outputs(w)
	emit := func(row []cell) bool { return out.push(func() []Cell { return e.cells(cols, row) }) }
	switch {
	case len(e.query.Order) == 0:
		e.rows(w, e.members(start), emit)
	case one != nil:
		best := e.best(w, out.need())
		e.rows(&walk{v: start}, e.members(start), best.offer)
		e.rows(w, best.first(), emit)
	default:
		best := e.best(w, out.need())
		e.rows(w, e.members(start), best.offer)
		for _, row := range best.sorted() {
			if !emit(row) {
				return
			}
		}
	}
}
