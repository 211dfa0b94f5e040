package query

import (
	"fmt"
	"strings"
)

// Print is the text of a tree, one clause a line. Parse reads it back into the
// tree's normal form.
func Print(q *Query) string {
	q = Normal(q)
	p := &printer{}
	p.clause(nil, nil, q.Find)
	switch {
	case q.Add != nil:
		fmt.Fprintf(p, "\nMERGE (%s)-[:%s]->(%s)", name(q.Add.From), word(q.Add.Edge), name(q.Add.To))
	default:
		p.returns(q)
	}
	return p.String()
}

type printer struct{ strings.Builder }

// word is a kind, edge or property: after ":" and "." keywords need no ticks.
func word(s string) string {
	if plain(s) || keywords[strings.ToUpper(s)] {
		return s
	}
	return name(s)
}

func words(list []string) string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = word(list[i])
	}
	return strings.Join(out, "|")
}

func (p *printer) clause(from *Node, r *Rel, n *Node) {
	if from != nil {
		p.WriteByte('\n')
		if r.Optional {
			p.WriteString("OPTIONAL ")
		}
	}
	p.WriteString("MATCH ")
	if from != nil {
		p.WriteString("(" + name(from.As) + ")")
		p.rel(r)
	}
	p.node(n)
	if n.Where != nil {
		p.WriteString(" WHERE ")
		p.expr(n.Where, n.As)
	}
	for _, r := range n.With {
		p.clause(n, r, r.To)
	}
}

func (p *printer) node(n *Node) {
	p.WriteByte('(')
	if n.As != "" {
		p.WriteString(name(n.As))
	}
	if len(n.Kinds) > 0 {
		p.WriteString(":" + words(n.Kinds))
	}
	p.WriteByte(')')
}

func (p *printer) rel(r *Rel) {
	left, right := "-[", "]->"
	if r.Dir == In {
		left, right = "<-[", "]-"
	}
	p.WriteString(left)
	if r.As != "" {
		p.WriteString(name(r.As))
	}
	p.WriteString(":" + words(r.Edge))
	if r.UpTo > 0 {
		fmt.Fprintf(p, "*1..%d", r.UpTo)
	}
	p.WriteString(right)
}

// expr writes a condition of the node called as.
func (p *printer) expr(e *Expr, as string) {
	switch {
	case e.And != nil:
		p.list(e.And, " AND ", as, func(sub *Expr) bool { return sub.And != nil || sub.Or != nil })
	case e.Or != nil:
		p.list(e.Or, " OR ", as, func(sub *Expr) bool { return sub.Or != nil })
	case e.Not != nil:
		p.WriteString("NOT ")
		p.nested(e.Not, as, e.Not.And != nil || e.Not.Or != nil || e.Not.Not != nil)
	case e.Exists != nil:
		p.sub("EXISTS", e.Exists, as)
	case e.Count != nil:
		p.sub("COUNT", e.Count, as)
		p.WriteString(" " + e.Op + " " + e.value())
	default:
		p.predicate(e)
	}
}

func (e *Expr) value() string {
	if e.Value == nil {
		return "''"
	}
	return e.Value.String()
}

func (p *printer) list(list []*Expr, sep, as string, parens func(*Expr) bool) {
	for i, sub := range list {
		if i > 0 {
			p.WriteString(sep)
		}
		p.nested(sub, as, parens(sub))
	}
}

func (p *printer) nested(e *Expr, as string, parens bool) {
	if parens {
		p.WriteByte('(')
		defer p.WriteByte(')')
	}
	p.expr(e, as)
}

func (p *printer) sub(keyword string, r *Rel, as string) {
	p.WriteString(keyword + " { (" + name(as) + ")")
	p.rel(r)
	p.node(r.To)
	if r.To.Where != nil {
		p.WriteString(" WHERE ")
		p.expr(r.To.Where, r.To.As)
	}
	p.WriteString(" }")
}

func property(of, prop string, fold bool) string {
	s := name(of)
	if prop != "" {
		s += "." + word(prop)
	}
	if fold {
		return "toLower(" + s + ")"
	}
	return s
}

func (p *printer) predicate(e *Expr) {
	prop := property(e.Of, e.Prop, e.Fold)
	switch e.Op {
	case OpTrue:
		p.WriteString(prop)
	case OpNull, OpNotNull:
		p.WriteString(prop + " " + e.Op)
	case OpHas:
		p.WriteString(e.value() + " IN " + prop)
	default:
		p.WriteString(prop + " " + e.Op + " " + e.value())
	}
}

func (p *printer) returns(q *Query) {
	p.WriteString("\nRETURN ")
	if q.Distinct {
		p.WriteString("DISTINCT ")
	}
	if len(q.Return) == 0 {
		p.WriteByte('*')
	}
	for i, it := range q.Return {
		if i > 0 {
			p.WriteString(", ")
		}
		p.WriteString(it.text())
		if it.As != "" {
			p.WriteString(" AS " + name(it.As))
		}
	}
	for i, k := range q.Order {
		p.WriteString([]string{" ORDER BY ", ", "}[min(i, 1)])
		if k.Name != "" {
			p.WriteString(name(k.Name))
		} else {
			p.WriteString(property(k.Of, k.Prop, k.Fold))
		}
		if k.Desc {
			p.WriteString(" DESC")
		}
	}
	if q.Skip > 0 {
		fmt.Fprintf(p, " SKIP %d", q.Skip)
	}
	if q.Limit > 0 {
		fmt.Fprintf(p, " LIMIT %d", q.Limit)
	}
}

// text is the item as written, which is its column's name unless AS says so.
func (it Item) text() string {
	s := property(it.Of, it.Prop, it.Fold)
	switch {
	case it.Count && it.Distinct:
		return "count(DISTINCT " + s + ")"
	case it.Count:
		return "count(" + s + ")"
	}
	return s
}

// Column is the name of the item's column.
func (it Item) Column() string {
	if it.As != "" {
		return it.As
	}
	return it.text()
}
