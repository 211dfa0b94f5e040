package query

import (
	"fmt"
	"slices"
)

// query makes a random tree; it need not check.
type queryMaker struct {
	generator
	names int
}

func (m *queryMaker) query() *Query {
	q := &Query{Find: m.node(3, false)}
	if m.IntN(4) > 0 {
		m.returns(q)
	}
	return Normal(q)
}

func (m *queryMaker) name(prefix string) string {
	m.names++
	return fmt.Sprintf("%s%d", prefix, m.names)
}

func (m *queryMaker) node(depth int, optional bool) *Node {
	n := &Node{}
	if m.IntN(5) > 0 {
		n.As = m.name("v")
	}
	for range pick(m.generator, 0, 1, 1, 1, 2) {
		n.Kinds = append(n.Kinds, pick(m.generator, "A", "B", "C", "S", "T", "F"))
	}
	if m.IntN(2) == 0 {
		n.Where = m.expr(2, "")
	}
	for range m.IntN(depth) {
		r := m.rel(optional || m.IntN(4) == 0, depth-1)
		n.With = append(n.With, r)
	}
	return n
}

func (m *queryMaker) rel(optional bool, depth int) *Rel {
	r := &Rel{Edge: []string{pick(m.generator, "X", "Y", "Z", "W")}, Dir: pick(m.generator, Out, In), Optional: optional}
	if m.IntN(4) == 0 {
		r.Edge = []string{"X", pick(m.generator, "Y", "Z", "W")}
	}
	if m.IntN(2) == 0 {
		r.As = m.name("r")
	}
	if depth >= 0 {
		r.To = m.node(depth, optional)
	} else {
		r.To = &Node{}
		if m.IntN(2) == 0 {
			r.To.Kinds = []string{pick(m.generator, "A", "B", "C", "S", "T")}
		}
	}
	if r.As != "" && m.IntN(2) == 0 {
		r.To.Where = simplify(&Expr{And: []*Expr{{Or: []*Expr{m.test(r.As), m.expr(1, r.As)}},
			r.To.Where}[:1+min(1, boolInt(r.To.Where != nil))]})
	}
	return r
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (m *queryMaker) expr(depth int, edge string) *Expr {
	switch k := m.IntN(9); {
	case k < 2 && depth > 0:
		return &Expr{And: []*Expr{m.expr(depth-1, edge), m.expr(depth-1, edge)}}
	case k < 4 && depth > 0:
		return &Expr{Or: []*Expr{m.expr(depth-1, edge), m.expr(depth-1, edge)}}
	case k == 4 && depth > 0:
		return &Expr{Not: m.expr(depth-1, edge)}
	case k == 5 && depth > 0:
		r := m.rel(false, -1)
		if m.IntN(2) == 0 && r.As == "" {
			r.UpTo = 1 + m.IntN(3)
		} else if m.IntN(2) == 0 {
			r.To.Where = m.expr(depth-1, r.As)
		}
		return &Expr{Exists: r}
	case k == 6 && depth > 0:
		r := m.rel(false, -1)
		return &Expr{Count: r, Op: pick(m.generator, comparisons...), Value: Lit(m.IntN(3))}
	}
	if edge != "" && m.IntN(2) == 0 {
		return m.test(edge)
	}
	return m.test("")
}

func (m *queryMaker) test(of string) *Expr {
	e := &Expr{Of: of}
	if of != "" {
		e.Prop = pick(m.generator, "w", "e", "b")
	} else {
		e.Prop = pick(m.generator, "id", "name", "ns", "n", "f", "b", "t", "l", "e")
	}
	if m.IntN(8) == 0 {
		e.Op = pick(m.generator, OpNull, OpNotNull)
		return e
	}
	text := func() *Value { return Lit(pick(m.generator, "a", "b", "ab", "Ab", "")) }
	switch e.Prop {
	case "id", "name", "ns":
		e.Op, e.Value = pick(m.generator, textOps[:9]...), text()
		e.Fold = m.IntN(4) == 0
		if m.IntN(4) == 0 {
			e.Op, e.Value = OpIn, &Value{[]Value{*text(), *text()}[:m.IntN(3)]}
		}
	case "e":
		e.Op, e.Value = pick(m.generator, comparisons...), Lit(pick(m.generator, "Zero", "Low", "High"))
		if m.IntN(4) == 0 {
			e.Op, e.Value = OpIn, Lit([]string{"Low", "High"})
		}
	case "b":
		if e.Op = pick(m.generator, OpTrue, OpEq, OpNe); e.Op != OpTrue {
			e.Value = Lit(m.IntN(2) == 0)
		}
	case "t":
		e.Op, e.Value = pick(m.generator, comparisons...), Lit(pick(m.generator, "2026-01-01", "2026-01-02T00:00:00Z"))
	case "l":
		e.Op, e.Value = OpHas, text()
	default:
		e.Op, e.Value = pick(m.generator, comparisons...), pick(m.generator, Lit(0), Lit(1), Lit(0.5), &Value{Param("p")})
		if m.IntN(4) == 0 {
			e.Op, e.Value = OpIn, &Value{[]Value{{int64(1)}, {0.5}, {Param("p")}}}
		}
	}
	return e
}

func (m *queryMaker) returns(q *Query) {
	names := variables(Normal(q).Find)
	if len(names) == 0 {
		return
	}
	counting := m.IntN(3) == 0
	for range 1 + m.IntN(3) {
		it := Item{Of: pick(m.generator, names...)}
		switch {
		case counting && m.IntN(2) == 0:
			it.Count, it.Distinct = true, m.IntN(2) == 0
		case m.IntN(3) == 0:
			it.Prop = pick(m.generator, "name", "e", "n", "w", "id")
			it.Fold = it.Prop == "name" && m.IntN(2) == 0
			if counting {
				q.Return = append(q.Return, Item{Of: it.Of})
			}
		}
		if !slices.ContainsFunc(q.Return, func(o Item) bool { return o.text() == it.text() }) {
			q.Return = append(q.Return, it)
		}
	}
	q.Distinct = !counting && m.IntN(3) == 0
	for range m.IntN(3) {
		if m.IntN(2) == 0 {
			q.Order = append(q.Order, Key{Name: pick(m.generator, q.Return...).Column(), Desc: m.IntN(2) == 0})
		} else {
			q.Order = append(q.Order, Key{Of: pick(m.generator, names...), Prop: pick(m.generator, "name", "e", "n", "f", "t", "b", "id"),
				Desc: m.IntN(2) == 0})
		}
	}
}
