package query

import (
	"encoding/binary"

	"github.com/breakwater-sec/breakwater/graph"
)

// distinct answers RETURN DISTINCT: branches that are not returned only decide
// whether a row is there, which the sets know already.
func (e *engine) distinct(res *Result, out *pager) {
	returned := map[*variable]bool{}
	for _, it := range e.items() {
		b := e.names[it.Of]
		returned[b.v] = true
		if b.edge {
			returned[b.v.parent] = true
		}
	}
	start := e.vars[0]
	for _, v := range e.vars {
		if returned[v] && canStart(v) {
			start = v
			break
		}
	}
	w := e.walkFrom(start, func(v *variable) bool { return returned[v] })
	cols := e.outputs(w)
	best := e.best(w, out.need())
	keys := e.newRowKeys(cols)
	seen, total := map[string]struct{}{}, int64(0)
	plain := len(w.below) == 0 && len(cols) > 0 && cols[0].prop == ""
	e.rows(w, e.members(start), func(row []cell) bool {
		if !plain {
			k := keys.of(row)
			if _, twice := seen[k]; twice {
				return true
			}
			seen[k] = struct{}{}
			e.use(len(k) + 48)
		}
		total++
		if len(e.query.Order) > 0 {
			best.offer(row)
		} else {
			out.push(func() []Cell { return e.cells(cols, row) })
		}
		return true
	})
	for _, row := range best.sorted() {
		out.push(func() []Cell { return e.cells(cols, row) })
	}
	res.Total = total
}

// rowKeys makes a text of what is returned of a row, equal for equal rows.
type rowKeys struct {
	e    *engine
	cols []output
	rels map[any]uint64
	buf  []byte
}

func (e *engine) newRowKeys(cols []output) *rowKeys {
	return &rowKeys{e: e, cols: cols, rels: map[any]uint64{}}
}

func (r *rowKeys) of(row []cell) string {
	r.buf = r.buf[:0]
	for _, o := range r.cols {
		r.add(o, row)
	}
	return string(r.buf)
}

func (r *rowKeys) add(o output, row []cell) {
	c := row[o.step]
	if o.prop != "" {
		v := r.e.value(o, row)
		s := v.String()
		t := v.Type()
		if t == graph.Enum {
			t = graph.Text
		}
		r.buf = append(binary.AppendUvarint(append(r.buf, byte(t)), uint64(len(s))), s...)
		return
	}
	if c.null {
		r.buf = append(r.buf, 255)
		return
	}
	if o.edge {
		id, ok := r.rels[c.lane.rel]
		if !ok {
			id = uint64(len(r.rels))
			r.rels[c.lane.rel] = id
		}
		r.buf = binary.AppendUvarint(append(r.buf, 254), id)
		r.buf = binary.AppendUvarint(r.buf, uint64(c.i))
		r.buf = binary.AppendUvarint(r.buf, uint64(c.near))
		if len(r.e.voc.edges[c.lane.rel.Edge].Properties) > 0 {
			r.buf = binary.AppendUvarint(r.buf, uint64(c.pos)) // tells parallel edges apart
		}
		return
	}
	r.buf = binary.AppendUvarint(append(r.buf, byte(c.k)), uint64(c.slot))
	r.buf = binary.AppendUvarint(r.buf, uint64(c.i))
}
