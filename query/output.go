package query

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// items is what is returned: what the query says, or every named variable.
func (p *plan) items() []Item {
	if len(p.query.Return) > 0 {
		return p.query.Return
	}
	var out []Item
	for _, name := range variables(p.query.Find) {
		out = append(out, Item{Of: name})
	}
	return out
}

// columns0 describes the result's columns.
func (p *plan) columns0() []Column {
	out := []Column{}
	for _, it := range p.items() {
		b := p.names[it.Of]
		c := Column{Name: it.Column(), Of: it.Of, Prop: it.Prop, Type: "node"}
		switch {
		case it.Count:
			c.Type = "int"
		case it.Prop != "":
			c.Type = p.columns(b.v, b.edge, it.Prop)[0].Type.String()
		case b.edge:
			c.Type = "edge"
		}
		if b.edge {
			for _, e := range b.v.hop.edges {
				c.Kinds = append(c.Kinds, p.voc.edges[e].Name)
			}
		} else {
			for _, k := range b.v.kinds {
				c.Kinds = append(c.Kinds, p.voc.kinds[k].Name)
			}
		}
		out = append(out, c)
	}
	return out
}

// output is where a column's value lies in a row.
type output struct {
	step int
	v    *variable
	edge bool
	prop string
	fold bool
}

// outputs places the items that are not counts in the rows of a walk.
func (e *engine) outputs(w *walk) []output {
	var out []output
	for _, it := range e.items() {
		if !it.Count {
			out = append(out, e.output(w, it.Of, it.Prop, it.Fold))
		}
	}
	return out
}

func (e *engine) output(w *walk, of, prop string, fold bool) output {
	b := e.names[of]
	o := output{v: b.v, edge: b.edge, prop: prop, fold: fold}
	o.step = stepOf(w.flat(), b)
	return o
}

// stepOf finds the step whose cell holds a variable, or the edge to it: seen
// from elsewhere the edge may have been walked the other way.
func stepOf(steps []*walk, b binding) int {
	return slices.IndexFunc(steps, func(s *walk) bool {
		if !b.edge {
			return s.v == b.v
		}
		return s.from != nil && (s.v == b.v && s.from.v == b.v.parent || s.v == b.v.parent && s.from.v == b.v)
	})
}

func (e *engine) cells(cols []output, row []cell) []Cell {
	out := make([]Cell, len(cols))
	for i, o := range cols {
		out[i] = e.cell(o, row)
	}
	return out
}

func (e *engine) cell(o output, row []cell) Cell {
	c := row[o.step]
	switch {
	case c.null:
		return Cell{}
	case o.prop != "":
		return Cell{Value: e.value(o, row)}
	case o.edge:
		return Cell{Edge: e.edge(c)}
	}
	return Cell{Node: e.node(o.v, c)}
}

func (e *engine) node(v *variable, c cell) graph.Node {
	kind := v.kinds[c.k]
	return e.view.At(e.segment(kind, c.slot), kind, c.i)
}

// value reads a property of a row.
func (e *engine) value(o output, row []cell) graph.Value {
	c := row[o.step]
	if c.null {
		return graph.Value{}
	}
	var v graph.Value
	switch {
	case o.edge:
		if col := c.lane.rel.Col(columnAt(e.voc.edges[c.lane.rel.Edge].Properties, o.prop)); col != nil {
			v = col.Value(c.pos)
		}
	case o.prop == "id":
		v = graph.TextValue(e.node(o.v, c).ID())
	default:
		v = e.node(o.v, c).Value(o.prop)
	}
	if o.fold && !v.IsNull() {
		return graph.TextValue(strings.ToLower(v.Str()))
	}
	return v
}

// edge makes the edge that a cell was reached over.
func (e *engine) edge(c cell) *Edge {
	r := c.lane.rel
	from, to := c.near, c.i
	if !c.lane.out {
		from, to = to, from
	}
	end := func(kind int, i uint32) graph.Node {
		if e.shared(kind) {
			return e.view.At(e.segs[0], kind, i)
		}
		return e.view.At(e.segs[c.lane.seg], kind, i)
	}
	out := &Edge{Kind: e.voc.edges[r.Edge].Name, From: end(r.From, from), To: end(r.To, to)}
	for i, p := range e.voc.edges[r.Edge].Properties {
		if col := r.Col(i); col != nil {
			if v := col.Value(c.pos); !v.IsNull() {
				out.Props = append(out.Props, graph.Prop{Name: p.Name, Value: v})
			}
		}
	}
	return out
}
