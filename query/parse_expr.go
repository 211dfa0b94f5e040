package query

import "strings"

func (p *parser) expr() *Expr {
	first := p.and()
	if !p.peek().word("OR") {
		return first
	}
	e := &Expr{Or: []*Expr{first}, pos: first.pos}
	for p.acceptWord("OR") {
		e.Or = append(e.Or, p.and())
	}
	return e
}

func (p *parser) and() *Expr {
	first := p.not()
	if !p.peek().word("AND") {
		return first
	}
	e := &Expr{And: []*Expr{first}, pos: first.pos}
	for p.acceptWord("AND") {
		e.And = append(e.And, p.not())
	}
	return e
}

func (p *parser) not() *Expr {
	pos := p.peek().pos
	if p.acceptWord("NOT") {
		return &Expr{Not: p.atom(), pos: pos}
	}
	return p.atom()
}

func (p *parser) atom() *Expr {
	t := p.peek()
	p.term(t.pos)
	switch {
	case t.is("("):
		defer p.enter(t.pos)()
		p.take()
		e := p.expr()
		p.want(")", "after the condition")
		return e
	case t.word("EXISTS"):
		p.take()
		e := &Expr{pos: t.pos}
		e.Exists = p.sub(e)
		return e
	case t.word("COUNT"):
		return p.countAtom()
	case p.isName(t) || t.word("toLower"):
		return p.predicate()
	case t.word("NOT"):
		p.fail(t.pos, "write NOT (NOT …)", "NOT stands twice")
	}
	return p.has()
}

func (p *parser) countAtom() *Expr {
	t := p.take()
	e := &Expr{pos: t.pos}
	e.Count = p.sub(e)
	if p.long {
		p.fail(t.pos, "put the further edges into an EXISTS behind WHERE", "COUNT has one edge")
	}
	if e.Count.UpTo > 0 {
		p.fail(e.Count.pos, "ask EXISTS", "a reach cannot be counted")
	}
	if e.Op = p.comparison(); e.Op == "" {
		p.fail(p.peek().pos, "write COUNT { … } >= 1", "COUNT wants a comparison, found %s", p.peek())
	}
	e.valuePos = p.peek().pos
	e.Value = &Value{int64(p.int("COUNT", 0))}
	return e
}

// sub reads { path [WHERE expr] } and nests a longer path by EXISTS.
func (p *parser) sub(e *Expr) *Rel {
	defer p.enter(e.pos)()
	p.want("{", "and a pattern")
	p.acceptWord("MATCH")
	c := p.pattern()
	anchor := c.nodes[0]
	switch {
	case len(c.rels) == 0:
		p.fail(anchor.pos, "", "the pattern wants an edge")
	case anchor.As == "":
		p.fail(anchor.pos, "", "the pattern begins at the variable it asks about")
	case len(anchor.Kinds) > 0 || len(c.props[0]) > 0:
		p.fail(anchor.pos, "put it outside", "the pattern cannot narrow the variable it begins at")
	}
	p.anchors[e] = anchor.As
	for i, r := range c.rels {
		p.bindName(r.As, r.pos)
		p.bindName(c.nodes[i+1].As, c.nodes[i+1].pos)
		r.To = c.nodes[i+1]
	}
	conjuncts := p.where(&c)
	p.want("}", "after the pattern")
	if len(conjuncts[0]) > 0 {
		p.fail(conjuncts[0][0].pos, "put it outside", "a condition inside the pattern names only the pattern's new variables")
	}
	for i := len(c.rels) - 1; i >= 0; i-- {
		for _, cond := range conjuncts[i+1] {
			c.nodes[i+1].Where = and(c.nodes[i+1].Where, cond)
		}
		if i+1 < len(c.rels) {
			next := &Expr{Exists: c.rels[i+1], pos: c.rels[i+1].pos}
			c.nodes[i+1].Where = and(c.nodes[i+1].Where, next)
		}
	}
	p.long = len(c.rels) > 1
	return c.rels[0]
}

func (p *parser) comparison() string {
	t := p.peek()
	switch t.text {
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		if t.kind == tokPunct {
			p.take()
			return t.text
		}
	}
	return ""
}

func (p *parser) predicate() *Expr {
	e := &Expr{pos: p.peek().pos}
	e.Of, e.Prop, e.Fold, e.propPos = p.property(false)
	t := p.peek()
	if e.Op = p.comparison(); e.Op == "" {
		if e.Op = p.wordOp(); e.Op == OpTrue || e.Op == OpNull || e.Op == OpNotNull {
			return e
		}
	}
	e.valuePos = p.peek().pos
	if p.peek().word("NULL") {
		p.fail(e.valuePos, "write IS NULL or IS NOT NULL", "nothing is %s null", t.text)
	}
	v := p.value()
	e.Value = &v
	return e
}

func (p *parser) wordOp() string {
	switch {
	case p.acceptWord("CONTAINS"):
		return OpContains
	case p.acceptWord("STARTS"):
		p.wantWord("WITH")
		return OpStarts
	case p.acceptWord("ENDS"):
		p.wantWord("WITH")
		return OpEnds
	case p.acceptWord("IN"):
		return OpIn
	case p.acceptWord("IS"):
		op := OpNull
		if p.acceptWord("NOT") {
			op = OpNotNull
		}
		p.wantWord("NULL")
		return op
	}
	if t := p.peek(); t.kind == tokWord && !keywords[strings.ToUpper(t.text)] {
		p.fail(t.pos, nearest(t.text, []string{"CONTAINS", "STARTS WITH", "ENDS WITH", "IN", "IS NULL", "AND", "OR"}), "%s is no comparison", t)
	}
	return OpTrue
}

// has reads value IN var.prop.
func (p *parser) has() *Expr {
	e := &Expr{pos: p.peek().pos, valuePos: p.peek().pos, Op: OpHas}
	v := p.value()
	e.Value = &v
	if t := p.peek(); !p.acceptWord("IN") {
		p.fail(t.pos, "put the property on the left", "after a value only IN and a list property can stand, found %s", t)
	}
	e.Of, e.Prop, e.Fold, e.propPos = p.property(false)
	if e.Fold {
		p.fail(e.propPos, "", "toLower takes a text, not a list")
	}
	return e
}

func (p *parser) value() Value {
	t := p.take()
	p.term(t.pos)
	switch {
	case t.kind == tokString:
		return Value{t.text}
	case t.kind == tokNumber:
		return p.number(t.pos, t.text)
	case t.is("-") && p.peek().kind == tokNumber:
		return p.number(t.pos, "-"+p.take().text)
	case t.word("TRUE"), t.word("FALSE"):
		return Value{t.word("TRUE")}
	case t.kind == tokParam:
		return Value{Param(t.text)}
	case t.is("["):
		return p.list()
	}
	p.fail(t.pos, "put text in quotes", "expected a value, found %s", t)
	return Value{}
}

func (p *parser) number(pos Pos, text string) Value {
	v, err := parseNumber(text)
	if err != nil {
		p.fail(pos, "", "%v", err)
	}
	return v
}

func (p *parser) list() Value {
	list := []Value{}
	for !p.accept("]") {
		if len(list) > 0 {
			p.want(",", "between the values of a list")
		}
		if t := p.peek(); t.is("[") {
			p.fail(t.pos, "", "a list of values may not hold lists")
		}
		list = append(list, p.value())
	}
	return Value{list}
}
