package query

import (
	"maps"
	"slices"
	"strconv"
)

// pattern is a chain of patterns as written: rels[i] joins nodes[i] and nodes[i+1].
type pattern struct {
	nodes []*Node
	props [][]*Expr // inline maps, by node
	rels  []*Rel
}

func (p *parser) pattern() pattern {
	var out pattern
	node := func() {
		n, props := p.node()
		out.nodes, out.props = append(out.nodes, n), append(out.props, props)
	}
	node()
	for p.peek().is("-") || p.peek().is("<") {
		r := p.rel()
		for _, before := range out.rels {
			for i, e := range r.Edge {
				if slices.Contains(before.Edge, e) {
					p.fail(r.edgePos[i], "begin another MATCH", "edge %s stands twice in one pattern", e)
				}
			}
		}
		out.rels = append(out.rels, r)
		node()
	}
	return out
}

func (p *parser) node() (*Node, []*Expr) {
	n := &Node{pos: p.peek().pos}
	if p.count++; p.count > MaxNodes {
		p.fail(n.pos, "", "a query may have at most %d nodes", MaxNodes)
	}
	p.want("(", "of a node")
	if p.isName(p.peek()) {
		n.As, n.pos = p.name("a variable", false)
	}
	if p.accept(":") {
		n.Kinds, n.kindPos = p.alternatives("a kind")
	}
	var props []*Expr
	if p.accept("{") {
		for {
			prop, pos := p.name("a property", true)
			p.want(":", "after the property")
			vpos := p.peek().pos
			v := p.value()
			props = append(props, &Expr{Of: n.As, Prop: prop, Op: OpEq, Value: &v, pos: pos, propPos: pos, valuePos: vpos})
			if !p.accept(",") {
				break
			}
		}
		p.want("}", "after the properties")
	}
	p.want(")", "after the node")
	return n, props
}

func (p *parser) alternatives(what string) (names []string, at []Pos) {
	for {
		s, pos := p.name(what, true)
		names, at = append(names, s), append(at, pos)
		if !p.accept("|") {
			return names, at
		}
		p.accept(":") // the older spelling :A|:B
	}
}

func (p *parser) rel() *Rel {
	r := &Rel{Dir: Out, pos: p.peek().pos}
	if p.accept("<") {
		r.Dir = In
	}
	p.want("-", "of an edge")
	p.want("[", "of an edge; its kind must be said")
	if p.isName(p.peek()) {
		r.As, r.pos = p.name("a variable", false)
	}
	p.want(":", "and an edge's name")
	r.Edge, r.edgePos = p.alternatives("an edge")
	if t := p.peek(); p.accept("*") {
		p.upTo(r, t.pos)
	}
	p.want("]", "after the edge")
	p.want("-", "after the edge")
	if t := p.peek(); p.accept(">") {
		if r.Dir == In {
			p.fail(t.pos, "", "an edge points one way")
		}
	} else if r.Dir == Out {
		p.fail(t.pos, "write -> or <-", "an edge wants a direction")
	}
	return r
}

func (p *parser) upTo(r *Rel, pos Pos) {
	const form = "write *1..n"
	if t := p.take(); t.kind != tokNumber || t.text != "1" {
		p.fail(t.pos, form, "a reach begins at 1")
	}
	if t := p.take(); !t.is("..") {
		p.fail(t.pos, form, "a reach has a bound")
	}
	t := p.peek()
	r.UpTo = p.int("a reach", 1)
	if r.UpTo > MaxUpTo {
		p.fail(t.pos, "", "a reach may be at most %d steps", MaxUpTo)
	}
	if r.As != "" {
		p.fail(pos, "leave the name out", "an edge with a reach cannot have a name")
	}
}

// clause reads one MATCH and hangs it on the tree.
func (p *parser) clause() {
	start := p.peek().pos
	optional := p.acceptWord("OPTIONAL")
	p.wantWord("MATCH")
	c := p.pattern()
	for _, r := range c.rels {
		if r.UpTo > 0 {
			p.fail(r.pos, "ask WHERE EXISTS { … }", "a reach (*1..%s) is for EXISTS only", strconv.Itoa(r.UpTo))
		}
	}
	if optional && len(c.rels) > 1 {
		p.fail(start, "write one OPTIONAL MATCH for each edge", "an OPTIONAL MATCH has one edge")
	}
	p.join(&c, optional, start)
	conjuncts := p.where(&c)
	for i, list := range conjuncts {
		if i == 0 && optional && len(list) > 0 {
			p.fail(list[0].pos, "put it behind the MATCH that binds "+c.nodes[0].As,
				"a condition of an OPTIONAL MATCH names only its new variables")
		}
		for _, e := range list {
			c.nodes[i].Where = and(c.nodes[i].Where, e)
		}
	}
}

// join finds where the path begins, turning it round if its far end is what is
// bound, and binds its new variables.
func (p *parser) join(c *pattern, optional bool, start Pos) {
	if len(c.rels) == 0 && (p.root != nil || optional) {
		p.fail(start, "add an edge to a variable bound before", "only the first MATCH may be a node alone")
	}
	if p.root == nil {
		if optional {
			p.fail(start, "begin with MATCH", "the first clause cannot be OPTIONAL")
		}
		p.root = c.nodes[0]
		p.bind(p.root)
	} else {
		if p.nodes[c.nodes[0].As] == nil && p.nodes[c.nodes[len(c.nodes)-1].As] != nil {
			c.reverse()
		}
		c.nodes[0] = p.bound(c.nodes[0])
	}
	if !optional && p.optional[c.nodes[0]] {
		p.fail(start, "write OPTIONAL MATCH", "below an OPTIONAL MATCH everything is OPTIONAL")
	}
	for i, r := range c.rels {
		r.Optional, r.To = optional, c.nodes[i+1]
		p.bindName(r.As, r.pos)
		p.bind(r.To)
		p.optional[r.To] = optional
		c.nodes[i].With = append(c.nodes[i].With, r)
	}
}

func (c *pattern) reverse() {
	slices.Reverse(c.nodes)
	slices.Reverse(c.props)
	slices.Reverse(c.rels)
	for _, r := range c.rels {
		r.Dir = flip(r.Dir)
	}
}

func flip(dir string) string {
	if dir == Out {
		return In
	}
	return Out
}

// bound is the node a later clause begins at.
func (p *parser) bound(n *Node) *Node {
	if n.As == "" {
		p.fail(n.pos, "", "a later clause begins at a variable bound before")
	}
	old := p.nodes[n.As]
	if old == nil {
		p.fail(n.pos, nearest(n.As, slices.Sorted(maps.Keys(p.nodes))), "a later clause begins at a variable bound before, and %s is not", n.As)
	}
	if len(n.Kinds) > 0 && !slices.Equal(n.Kinds, old.Kinds) {
		p.fail(n.kindPos[0], "say its kind where it is bound first", "%s has its kinds already", n.As)
	}
	return old
}

func (p *parser) bind(n *Node) {
	if n.As == "" {
		return
	}
	if p.nodes[n.As] != nil {
		p.fail(n.pos, "", "%s is bound twice; a query is a tree", n.As)
	}
	p.bindName(n.As, n.pos)
	p.nodes[n.As] = n
}

func (p *parser) bindName(as string, pos Pos) {
	if as == "" {
		return
	}
	if p.rels[as] || p.nodes[as] != nil {
		p.fail(pos, "", "%s is bound twice; a query is a tree", as)
	}
	p.rels[as] = true
}

// where gathers the conditions on each node of the path: inline maps first,
// then the WHERE, split at its ANDs where it speaks of several nodes.
func (p *parser) where(c *pattern) [][]*Expr {
	out := make([][]*Expr, len(c.nodes))
	for i := range c.nodes {
		out[i] = c.props[i]
		for _, e := range out[i] {
			p.term(e.pos)
		}
	}
	if !p.acceptWord("WHERE") {
		return out
	}
	owner := map[string]int{}
	for i, n := range c.nodes {
		if n.As != "" {
			owner[n.As] = i
		}
		if i > 0 && c.rels[i-1].As != "" {
			owner[c.rels[i-1].As] = i
		}
	}
	p.assign(p.expr(), owner, c, out)
	return out
}

func (p *parser) assign(e *Expr, owner map[string]int, c *pattern, out [][]*Expr) {
	refs := map[int]bool{}
	p.refs(e, owner, c, refs)
	if len(refs) == 1 {
		for i := range refs {
			out[i] = append(out[i], e)
		}
		return
	}
	if e.And == nil {
		p.fail(e.pos, "use EXISTS, or split it at an AND", "a condition may speak of one node and its edge, not of several")
	}
	for _, sub := range e.And {
		p.assign(sub, owner, c, out)
	}
}

// refs gathers which of the clause's nodes a condition speaks of.
func (p *parser) refs(e *Expr, owner map[string]int, c *pattern, refs map[int]bool) {
	of := e.Of
	if e.Exists != nil || e.Count != nil {
		of = p.anchors[e]
	}
	for _, sub := range append(append([]*Expr{}, e.And...), e.Or...) {
		p.refs(sub, owner, c, refs)
	}
	if e.Not != nil {
		p.refs(e.Not, owner, c, refs)
	}
	if of == "" {
		return
	}
	i, ok := owner[of]
	switch {
	case !ok && (p.nodes[of] != nil || p.rels[of]):
		p.fail(e.pos, "put it behind the MATCH that binds "+of, "WHERE names only the variables of its own clause, and %s is of another", of)
	case !ok:
		p.fail(e.pos, nearest(of, slices.Sorted(maps.Keys(owner))), "nothing is called %s here", of)
	case (e.Exists != nil || e.Count != nil) && c.nodes[i].As != of:
		p.fail(e.pos, "", "EXISTS and COUNT begin at a node, and %s is an edge", of)
	}
	refs[i] = true
}

func and(a, b *Expr) *Expr {
	switch {
	case a == nil:
		return b
	case a.And != nil:
		return &Expr{And: append(slices.Clone(a.And), b), pos: a.pos}
	}
	return &Expr{And: []*Expr{a, b}, pos: a.pos}
}
