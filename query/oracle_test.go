package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// oracle is what a query means, written as plainly as can be: nested loops over
// graph.Node, no sets, no plan. The engine must agree with it.
type oracle struct {
	voc     *Vocabulary
	view    *graph.View
	visible map[graph.Node]bool
	params  map[string]any
}

type oracleRow map[string]any // name → graph.Node, *oracleEdge or nil

type oracleEdge struct {
	edge graph.Edge
	id   string
}

func newOracle(voc *Vocabulary, view *graph.View, scope graph.Scope, params map[string]any) *oracle {
	o := &oracle{voc: voc, view: view, visible: map[graph.Node]bool{}, params: params}
	for _, k := range voc.kinds {
		for n := range view.Nodes(k.Name) {
			o.visible[n] = scope.All || !k.Shared && o.inScope(scope, k.Tenant, n)
		}
	}
	for changed := !scope.All; changed; {
		changed = false
		for n := range o.visible {
			if !n.Segment().Shared() || o.visible[n] {
				continue
			}
			for e := range n.In("") {
				changed = changed || o.visible[e.From]
				o.visible[n] = o.visible[n] || o.visible[e.From]
			}
			for e := range n.Out("") {
				if !e.To.Segment().Shared() && o.visible[e.To] {
					changed, o.visible[n] = true, true
				}
			}
		}
	}
	return o
}

func (o *oracle) inScope(scope graph.Scope, tenant string, n graph.Node) bool {
	tenants, ok := scope.Segments[n.Cluster()]
	return ok && (len(tenants) == 0 || tenant != "" && slices.Contains(tenants, n.Text(tenant)))
}

func (o *oracle) isKind(n graph.Node, kinds []string) bool {
	if len(kinds) == 0 {
		return true
	}
	k := o.voc.kinds[n.KindIndex()]
	return slices.Contains(kinds, k.Name) || k.Family != "" && slices.Contains(kinds, k.Family)
}

// rows is every combination of matched variables.
func (o *oracle) rows(q *Query) (rows []oracleRow, roots int) {
	for _, k := range o.voc.kinds {
		for n := range o.view.Nodes(k.Name) {
			if !o.visible[n] || !o.isKind(n, q.Find.Kinds) || o.expr(q.Find.Where, n, nil) != yes {
				continue
			}
			found := o.below(q.Find, n, oracleRow{q.Find.As: n})
			rows = append(rows, found...)
			if len(found) > 0 {
				roots++
			}
		}
	}
	return rows, roots
}

func (o *oracle) below(n *Node, at graph.Node, row oracleRow) []oracleRow {
	rows := []oracleRow{row}
	for _, r := range n.With {
		var next []oracleRow
		for _, row := range rows {
			var found []oracleRow
			for _, s := range o.steps(r, at) {
				if o.isKind(s.to, r.To.Kinds) && o.expr(r.To.Where, s.to, s.edge) == yes {
					more := oracleRow{}
					for k, v := range row {
						more[k] = v
					}
					more[r.As], more[r.To.As] = s.edge, s.to
					found = append(found, o.below(r.To, s.to, more)...)
				}
			}
			if len(found) == 0 && r.Optional {
				found = []oracleRow{row}
			}
			next = append(next, found...)
		}
		rows = next
	}
	return rows
}

type oracleStep struct {
	edge *oracleEdge
	to   graph.Node
}

func (o *oracle) steps(r *Rel, at graph.Node) []oracleStep {
	var out []oracleStep
	for _, kind := range r.Edge {
		n := 0
		for _, e := range o.edges(kind, at, r.Dir) {
			to := e.To
			if r.Dir == In {
				to = e.From
			}
			n++
			if o.visible[to] {
				id := fmt.Sprintf("%s|%s|%s|%s", kind, e.From.ID(), e.To.ID(), o.edgeProps(kind, e))
				out = append(out, oracleStep{&oracleEdge{e, id}, to})
			}
		}
	}
	return out
}

// follows says that an edge is not held but holds through another: it has no properties.
func follows(e graph.Edge) bool { return e == graph.Edge{From: e.From, To: e.To} }

// edges are those of a node, with those that hold through another edge.
func (o *oracle) edges(kind string, at graph.Node, dir string) (out []graph.Edge) {
	edge := o.voc.edges[o.voc.edge[kind]]
	add := func(e graph.Edge) {
		if !slices.ContainsFunc(out, func(x graph.Edge) bool { return x.From == e.From && x.To == e.To }) {
			out = append(out, e)
		}
	}
	if dir != In {
		out = slices.Collect(at.Out(kind))
		for e := range at.Out(kind) {
			for next := range e.To.Out(edge.Through) {
				if edge.Through != "" && o.voc.joins(o.voc.edge[kind], at.KindIndex(), next.To.KindIndex()) {
					add(graph.Edge{From: at, To: next.To})
				}
			}
		}
		return out
	}
	out = slices.Collect(at.In(kind))
	for next := range at.In(edge.Through) {
		for e := range next.From.In(kind) {
			if edge.Through != "" && o.voc.joins(o.voc.edge[kind], e.From.KindIndex(), at.KindIndex()) {
				add(graph.Edge{From: e.From, To: at})
			}
		}
	}
	return out
}

func (o *oracle) edgeProps(kind string, e graph.Edge) string {
	var out []string
	for _, p := range o.voc.edges[o.voc.edge[kind]].Properties {
		v := graph.Value{}
		if !follows(e) {
			v = e.Value(p.Name)
		}
		out = append(out, p.Name+"="+v.String())
	}
	return strings.Join(out, ",")
}

func (o *oracle) expr(e *Expr, n graph.Node, edge *oracleEdge) tri {
	switch {
	case e == nil:
		return yes
	case e.And != nil:
		out := yes
		for _, sub := range e.And {
			out = min(out, o.expr(sub, n, edge))
		}
		return out
	case e.Or != nil:
		out := no
		for _, sub := range e.Or {
			out = max(out, o.expr(sub, n, edge))
		}
		return out
	case e.Not != nil:
		return -o.expr(e.Not, n, edge)
	case e.Exists != nil:
		return is(o.reaches(e.Exists, n, max(1, e.Exists.UpTo)))
	case e.Count != nil:
		count := int64(0)
		for _, s := range o.steps(e.Count, n) {
			if o.isKind(s.to, e.Count.To.Kinds) && o.expr(e.Count.To.Where, s.to, s.edge) == yes {
				count++
			}
		}
		return is(oracleCompare(e.Op, float64(count), float64(e.Value.V.(int64))))
	}
	return o.predicate(e, n, edge)
}

func (o *oracle) reaches(r *Rel, n graph.Node, steps int) bool {
	for _, s := range o.steps(r, n) {
		if o.isKind(s.to, r.To.Kinds) && o.expr(r.To.Where, s.to, s.edge) == yes || steps > 1 && o.reaches(r, s.to, steps-1) {
			return true
		}
	}
	return false
}

func oracleCompare[T float64 | string](op string, a, b T) bool {
	return op == "=" && a == b || op == "<>" && a != b || op == "<" && a < b || op == "<=" && a <= b || op == ">" && a > b ||
		op == ">=" && a >= b
}

func (o *oracle) value(of, prop string, n graph.Node, edge *oracleEdge) (graph.Value, []string) {
	if edge != nil && of == "edge" {
		if follows(edge.edge) {
			return graph.Value{}, nil
		}
		p, _ := o.voc.edges[o.voc.edge[edge.edge.Kind()]].Property(prop)
		return edge.edge.Value(prop), p.Enum
	}
	if prop == "id" {
		return graph.TextValue(n.ID()), nil
	}
	p, _ := o.voc.kinds[n.KindIndex()].Property(prop)
	return n.Value(prop), p.Enum
}

func (o *oracle) predicate(e *Expr, n graph.Node, edge *oracleEdge) tri {
	of := "node"
	if strings.HasPrefix(e.Of, "r") { // the generator names edges r…
		of = "edge"
	}
	v, enum := o.value(of, e.Prop, n, edge)
	switch e.Op {
	case OpNull:
		return is(v.IsNull())
	case OpNotNull:
		return is(!v.IsNull())
	}
	var want []any
	if e.Value != nil {
		want = append(want, o.literals(*e.Value)...)
	}
	if e.Op == OpIn && len(want) == 0 {
		return no
	}
	if v.IsNull() {
		return unknown
	}
	if e.Op == OpTrue {
		return is(v.Bool())
	}
	for _, w := range want {
		op := e.Op
		if op == OpIn {
			op = OpEq
		}
		if o.compare(op, v, enum, w, e.Fold) {
			return yes
		}
	}
	return no
}

func (o *oracle) literals(v Value) []any {
	switch x := v.V.(type) {
	case Param:
		return []any{o.params[string(x)]}
	case []Value:
		var out []any
		for _, y := range x {
			out = append(out, o.literals(y)...)
		}
		return out
	}
	return []any{v.V}
}

func (o *oracle) compare(op string, v graph.Value, enum []string, want any, fold bool) bool {
	switch w := want.(type) {
	case bool:
		return oracleCompare(op, fmt.Sprint(v.Bool()), fmt.Sprint(w))
	case int64:
		return oracleCompare(op, v.Float(), float64(w))
	case float64:
		return oracleCompare(op, v.Float(), w)
	case string:
		if v.Type() == graph.Time {
			at, _ := moment(w)
			return oracleCompare(op, float64(v.Time().Unix()), float64(at.Unix()))
		}
		if op == OpHas {
			return slices.Contains(v.List(), w)
		}
		if enum != nil && !fold && (op[0] == '<' || op[0] == '>') && op != OpNe {
			return oracleCompare(op, float64(slices.Index(enum, v.Str())), float64(slices.Index(enum, w)))
		}
		s := v.Str()
		if fold {
			s = strings.ToLower(s)
		}
		return op == OpContains && strings.Contains(s, w) || op == OpStarts && strings.HasPrefix(s, w) ||
			op == OpEnds && strings.HasSuffix(s, w) || oracleCompare(op, s, w)
	}
	panic("no such literal")
}

// answer is the rows of a query as texts, before ORDER BY.
func (o *oracle) answer(q *Query, items []Item) (out []string, total, roots int) {
	rows, roots := o.rows(q)
	if slices.ContainsFunc(items, func(it Item) bool { return it.Count }) {
		out = o.grouped(rows, items)
		return out, len(out), roots
	}
	seen := map[string]bool{}
	for _, row := range rows {
		var cells []string
		for _, it := range items {
			cells = append(cells, o.cell(row, it))
		}
		if s := strings.Join(cells, " ; "); !q.Distinct || !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out, len(out), roots
}

func (o *oracle) cell(row oracleRow, it Item) string {
	switch x := row[it.Of].(type) {
	case graph.Node:
		if it.Prop == "" {
			return x.ID()
		}
		v, _ := o.value("node", it.Prop, x, nil)
		return foldIf(v.String(), it.Fold)
	case *oracleEdge:
		if it.Prop == "" {
			return x.id
		}
		if follows(x.edge) {
			return foldIf(graph.Value{}.String(), it.Fold)
		}
		return foldIf(x.edge.Value(it.Prop).String(), it.Fold)
	}
	return ""
}

func foldIf(s string, fold bool) string {
	if fold {
		return strings.ToLower(s)
	}
	return s
}

func (o *oracle) grouped(rows []oracleRow, items []Item) []string {
	counts := map[string]map[int]map[string]int{}
	key := func(row oracleRow) string {
		var cells []string
		for _, it := range items {
			if it.Count {
				cells = append(cells, "\x01")
				continue
			}
			cells = append(cells, o.cell(row, it))
		}
		return strings.Join(cells, " ; ")
	}
	anyGroup := slices.ContainsFunc(items, func(it Item) bool { return !it.Count })
	if !anyGroup {
		counts[key(nil)] = map[int]map[string]int{}
	}
	for _, row := range rows {
		k := key(row)
		if counts[k] == nil {
			counts[k] = map[int]map[string]int{}
		}
		for i, it := range items {
			if it.Count && row[it.Of] != nil {
				if counts[k][i] == nil {
					counts[k][i] = map[string]int{}
				}
				counts[k][i][o.cell(row, Item{Of: it.Of})]++
			}
		}
	}
	var out []string
	for k, byItem := range counts {
		for i, it := range items {
			if !it.Count {
				continue
			}
			n := len(byItem[i])
			if !it.Distinct {
				n = 0
				for _, c := range byItem[i] {
					n += c
				}
			}
			k = strings.Replace(k, "\x01", fmt.Sprint(n), 1)
		}
		out = append(out, k)
	}
	return out
}
