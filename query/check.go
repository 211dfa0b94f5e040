package query

import (
	"slices"
	"strings"
)

// where plans a node's condition, split into what needs the edge and what not.
func (p *planner) where(v *variable, n *Node, depth int) {
	if n.Where == nil {
		return
	}
	c := p.expr(v, n.Where, depth)
	if c == nil {
		return
	}
	parts := []*cond{c}
	if c.kind == condAnd {
		parts = c.sub
	}
	for _, part := range parts {
		if part.edge {
			v.onEdge = join(v.onEdge, part)
		} else {
			v.where = join(v.where, part)
		}
	}
}

func join(a, b *cond) *cond {
	switch {
	case a == nil:
		return b
	case a.kind == condAnd:
		return &cond{kind: condAnd, sub: append(slices.Clone(a.sub), b), edge: a.edge || b.edge}
	}
	return &cond{kind: condAnd, sub: []*cond{a, b}, edge: a.edge || b.edge}
}

func (p *planner) expr(v *variable, e *Expr, depth int) *cond {
	path := e.path
	if p.terms++; p.terms > MaxTerms || depth > MaxDepth {
		if p.terms == MaxTerms+1 || depth == MaxDepth+1 {
			p.problem(e.pos, path, "", "a query may have at most %d conditions, nested at most %d deep", MaxTerms, MaxDepth)
		}
		return nil
	}
	if forms(e) != 1 {
		p.problem(e.pos, path, "", "a condition is exactly one of and, or, not, exists, count and a property")
		return nil
	}
	switch {
	case e.And != nil:
		return p.group(v, condAnd, e.And, depth)
	case e.Or != nil:
		return p.group(v, condOr, e.Or, depth)
	case e.Not != nil:
		if sub := p.expr(v, e.Not, depth+1); sub != nil {
			return &cond{kind: condNot, sub: []*cond{sub}, edge: sub.edge}
		}
		return nil
	case e.Exists != nil:
		return &cond{kind: condExists, to: p.sub(v, e.Exists, depth)}
	case e.Count != nil:
		return p.count(v, e, depth)
	}
	return p.predicate(v, e, path)
}

func forms(e *Expr) int {
	n := 0
	for _, is := range []bool{e.And != nil, e.Or != nil, e.Not != nil, e.Exists != nil, e.Count != nil, e.Prop != ""} {
		if is {
			n++
		}
	}
	return n
}

func (p *planner) group(v *variable, kind condKind, list []*Expr, depth int) *cond {
	c := &cond{kind: kind}
	for _, e := range list {
		if sub := p.expr(v, e, depth+1); sub != nil {
			c.sub = append(c.sub, sub)
			c.edge = c.edge || sub.edge
		}
	}
	return c
}

// sub plans the pattern of an EXISTS or COUNT.
func (p *planner) sub(near *variable, r *Rel, depth int) *variable {
	path := r.path
	h, kinds := p.rel(near, r)
	v := &variable{id: -1, as: r.To.As, kinds: kinds, hop: h, parent: near}
	h.far = v
	if r.Optional {
		p.problem(r.pos, path+".optional", "", "nothing inside EXISTS or COUNT is optional")
	}
	if len(r.To.With) > 0 {
		p.problem(r.To.pos, path+".to.with", "put an exists into its where", "a pattern inside EXISTS or COUNT has one edge")
	}
	if !p.room(r.To.pos, path, depth) {
		return v
	}
	p.bind(r.To.As, r.To.pos, path+".to")
	p.where(v, r.To, depth+1)
	if h.upTo > 0 && v.onEdge != nil {
		p.problem(r.pos, path, "", "a reach has no conditions on its edges")
	}
	return v
}

var comparisons = []string{OpEq, OpNe, OpLt, OpLe, OpGt, OpGe}

func (p *planner) count(v *variable, e *Expr, depth int) *cond {
	path := e.path
	c := &cond{kind: condCount, op: e.Op, to: p.sub(v, e.Count, depth)}
	if e.Count.UpTo > 0 {
		p.problem(e.pos, path+".count.upTo", "ask EXISTS", "a reach cannot be counted")
	}
	if !slices.Contains(comparisons, e.Op) {
		p.problem(e.pos, path+".op", "", "COUNT is compared with one of %s", strings.Join(comparisons, " "))
	}
	n, ok := int64(0), false
	if e.Value != nil {
		n, ok = e.Value.V.(int64)
	}
	if !ok || n < 0 {
		p.problem(e.valuePos, path+".value", "", "COUNT is compared with a whole number, 0 or more")
	}
	c.n = n
	return c
}

func (p *planner) predicate(v *variable, e *Expr, path string) *cond {
	t := &test{prop: e.Prop, fold: e.Fold, op: e.Op}
	switch {
	case e.Of == v.as:
	case v.hop != nil && v.hop.as != "" && e.Of == v.hop.as:
		t.edge = true
	default:
		p.problem(e.pos, path+".of", "", "a condition speaks of its own node or edge, and %s is neither", e.Of)
		return nil
	}
	columns := p.columns(v, t.edge, e.Prop)
	if len(columns) == 0 {
		if len(v.kinds) > 0 || t.edge && len(v.hop.edges) > 0 {
			p.problem(e.propPos, path+".prop", p.suggestProperty(v, t.edge, e.Prop), "%s has no property %s", p.owner(v, t.edge), e.Prop)
		}
		return nil
	}
	for _, c := range columns {
		if !p.typed(e, t, c, path) {
			return nil
		}
	}
	if e.Op == OpEq || e.Op == OpNe || e.Op == OpIn {
		p.enumKnows(e, t, columns, path)
	}
	return &cond{kind: condTest, edge: t.edge, test: t}
}

func (p *planner) owner(v *variable, edge bool) string {
	if !edge {
		return p.list(v.kinds)
	}
	var names []string
	for _, e := range v.hop.edges {
		names = append(names, p.voc.edges[e].Name)
	}
	return strings.Join(names, "|")
}
