package query

import (
	"strconv"
	"strings"
)

// Parse reads a text into its normal tree. Names are not looked up; Check does
// that. The error is a *Problem.
func Parse(text string) (q *Query, err error) {
	toks, problem := lex(text)
	if problem != nil {
		return nil, problem
	}
	p := &parser{toks: toks, nodes: map[string]*Node{}, rels: map[string]bool{}, optional: map[*Node]bool{}, anchors: map[*Expr]string{}}
	defer func() {
		if r := recover(); r != nil {
			problem, ok := r.(*Problem)
			if !ok {
				panic(r)
			}
			q, err = nil, problem
		}
	}()
	return normalize(p.query()), nil
}

type parser struct {
	toks     []token
	at       int
	root     *Node
	nodes    map[string]*Node // of MATCH clauses, by name
	rels     map[string]bool  // names of edges, and of everything inside EXISTS and COUNT
	optional map[*Node]bool
	anchors  map[*Expr]string // EXISTS and COUNT → the variable they start at
	long     bool             // the EXISTS or COUNT read last has several edges
	depth    int
	count    int // nodes
	terms    int
}

func (p *parser) fail(pos Pos, suggestion, format string, args ...any) {
	panic(problemAt(pos, suggestion, format, args...))
}

func (p *parser) peek() token { return p.toks[p.at] }

func (p *parser) take() token {
	t := p.toks[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

func (t token) is(punct string) bool { return t.kind == tokPunct && t.text == punct }
func (t token) word(keyword string) bool {
	return t.kind == tokWord && strings.EqualFold(t.text, keyword)
}

func (p *parser) accept(punct string) bool {
	if p.peek().is(punct) {
		p.at++
		return true
	}
	return false
}

func (p *parser) acceptWord(keyword string) bool {
	if p.peek().word(keyword) {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(punct, after string) {
	if t := p.peek(); !p.accept(punct) {
		p.fail(t.pos, "", "expected %s %s, found %s", punct, after, t)
	}
}

func (p *parser) wantWord(keyword string) {
	if t := p.peek(); !p.acceptWord(keyword) {
		p.fail(t.pos, nearest(t.text, []string{keyword}), "expected %s, found %s", keyword, t)
	}
}

// name takes a name; keywords are fine where nothing else could stand.
func (p *parser) name(what string, keywordsToo bool) (string, Pos) {
	t := p.take()
	if t.kind == tokQuoted && t.text != "" || t.kind == tokWord && (keywordsToo || !keywords[strings.ToUpper(t.text)]) {
		return t.text, t.pos
	}
	if t.kind == tokWord {
		p.fail(t.pos, "write it in backticks", "%s is a keyword and cannot be %s", t, what)
	}
	p.fail(t.pos, "", "expected %s, found %s", what, t)
	return "", Pos{}
}

func (p *parser) isName(t token) bool {
	return t.kind == tokQuoted || t.kind == tokWord && !keywords[strings.ToUpper(t.text)]
}

func (p *parser) query() *Query {
	if t := p.peek(); !t.word("MATCH") {
		p.fail(t.pos, nearest(t.text, []string{"MATCH"}), "a query begins with MATCH, not %s", t)
	}
	for p.peek().word("MATCH") || p.peek().word("OPTIONAL") {
		p.clause()
	}
	q := &Query{Find: p.root}
	switch t := p.take(); {
	case t.kind == tokEnd:
		return q
	case t.word("RETURN"):
		p.returns(q)
	case t.word("MERGE"):
		q.Add = p.merge(t.pos)
	default:
		words := []string{"MATCH", "OPTIONAL MATCH", "WHERE", "RETURN", "MERGE"}
		p.fail(t.pos, nearest(t.text, words), "expected MATCH, WHERE, RETURN or MERGE, found %s", t)
	}
	if t := p.peek(); t.kind != tokEnd {
		p.fail(t.pos, nearest(t.text, []string{"ORDER BY", "SKIP", "LIMIT"}), "expected the end of the query, found %s", t)
	}
	return q
}

func (p *parser) merge(pos Pos) *Add {
	a := &Add{pos: pos}
	p.want("(", "after MERGE")
	a.From, _ = p.name("a variable", false)
	p.want(")", "after the variable")
	p.want("-", "of -[:EDGE]->")
	p.want("[", "of -[:EDGE]->")
	p.want(":", "before the edge's name")
	a.Edge, _ = p.name("an edge", true)
	p.want("]", "after the edge's name")
	p.want("-", "of -[:EDGE]->")
	p.want(">", "of -[:EDGE]->")
	p.want("(", "before the variable")
	a.To, _ = p.name("a variable", false)
	p.want(")", "after the variable")
	return a
}

func (p *parser) returns(q *Query) {
	q.Distinct = p.acceptWord("DISTINCT")
	if !p.accept("*") {
		q.Return = append(q.Return, p.item())
		for p.accept(",") {
			q.Return = append(q.Return, p.item())
		}
	}
	if p.acceptWord("ORDER") {
		p.wantWord("BY")
		q.Order = append(q.Order, p.key())
		for p.accept(",") {
			q.Order = append(q.Order, p.key())
		}
	}
	if p.acceptWord("SKIP") {
		q.Skip = p.int("SKIP", 0)
	}
	if p.acceptWord("LIMIT") {
		q.Limit = p.int("LIMIT", 1)
	}
}

func (p *parser) int(what string, least int) int {
	t := p.take()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokNumber || err != nil {
		p.fail(t.pos, "", "%s wants a whole number, found %s", what, t)
	}
	if n < least {
		p.fail(t.pos, "", "%s must be at least %d", what, least)
	}
	return n
}

func (p *parser) item() Item {
	t := p.peek()
	it := Item{pos: t.pos}
	if t.word("COUNT") {
		p.take()
		p.want("(", "after count")
		if t := p.peek(); t.is("*") {
			p.fail(t.pos, "count a variable", "count(*) is not part of this subset")
		}
		it.Count, it.Distinct = true, p.acceptWord("DISTINCT")
		it.Of, _ = p.name("a variable to count", false)
		p.want(")", "after the variable")
	} else {
		it.Of, it.Prop, it.Fold, _ = p.property(true)
	}
	if p.acceptWord("AS") {
		it.As, _ = p.name("a column's name", false)
	}
	return it
}

func (p *parser) key() Key {
	k := Key{pos: p.peek().pos}
	k.Of, k.Prop, k.Fold, _ = p.property(true)
	if k.Prop == "" {
		k.Name, k.Of = k.Of, ""
	}
	if !p.acceptWord("ASC") {
		k.Desc = p.acceptWord("DESC")
	}
	return k
}

// property reads var.name or toLower(var.name); bare allows a var alone.
func (p *parser) property(bare bool) (of, prop string, fold bool, pos Pos) {
	if p.acceptWord("toLower") {
		p.want("(", "after toLower")
		of, prop, _, pos = p.property(false)
		p.want(")", "after the property")
		return of, prop, true, pos
	}
	of, _ = p.name("a variable", false)
	if bare && !p.peek().is(".") {
		return of, "", false, Pos{}
	}
	p.want(".", "and a property after "+of)
	prop, pos = p.name("a property", true)
	return of, prop, false, pos
}

// enter guards against nesting too deep; the result leaves again.
func (p *parser) enter(pos Pos) func() {
	if p.depth++; p.depth > MaxDepth {
		p.fail(pos, "", "conditions are nested deeper than %d", MaxDepth)
	}
	return func() { p.depth-- }
}

func (p *parser) term(pos Pos) {
	if p.terms++; p.terms > MaxTerms {
		p.fail(pos, "", "a query may have at most %d conditions and values", MaxTerms)
	}
}
