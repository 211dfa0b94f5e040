package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Decode reads a tree from JSON, strictly, into its normal form. It looks no
// names up; Check does that.
func Decode(b []byte) (*Query, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var q Query
	if err := d.Decode(&q); err != nil {
		return nil, &Problem{Message: fmt.Sprintf("read a query: %v", err)}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &Problem{Message: "read a query: something follows it"}
	}
	if q.Find == nil {
		return nil, &Problem{Path: "find", Message: "a query wants something to find"}
	}
	place(&q)
	return normalize(&q), nil
}

// Normal is a copy of the tree in the one form that has a text of its own:
// every node and edge that is spoken of has a name, and no AND or OR has fewer than two parts.
// Where that gave names to what had none and nothing was said to be returned,
// the named variables are.
func Normal(q *Query) *Query { return normalize(clone(q)) }

func clone(q *Query) *Query {
	c := *q
	c.Find = cloneNode(q.Find)
	c.Return = append([]Item(nil), q.Return...)
	c.Order = append([]Key(nil), q.Order...)
	if q.Add != nil {
		a := *q.Add
		c.Add = &a
	}
	return &c
}

func cloneNode(n *Node) *Node {
	if n == nil {
		return &Node{}
	}
	c := *n
	c.Where = cloneExpr(n.Where)
	c.With = nil
	for _, r := range n.With {
		if r != nil {
			c.With = append(c.With, cloneRel(r))
		}
	}
	return &c
}

func cloneRel(r *Rel) *Rel {
	c := *r
	c.To = cloneNode(r.To)
	return &c
}

func cloneExpr(e *Expr) *Expr {
	if e == nil {
		return nil
	}
	c := *e
	c.And, c.Or = cloneExprs(e.And), cloneExprs(e.Or)
	c.Not = cloneExpr(e.Not)
	if e.Exists != nil {
		c.Exists = cloneRel(e.Exists)
	}
	if e.Count != nil {
		c.Count = cloneRel(e.Count)
	}
	return &c
}

func cloneExprs(list []*Expr) []*Expr {
	var out []*Expr
	for _, e := range list {
		if e != nil {
			out = append(out, cloneExpr(e))
		}
	}
	return out
}

// normalize works in place.
func normalize(q *Query) *Query {
	if q.Find == nil {
		q.Find = &Node{}
	}
	n := namer{used: map[string]bool{}}
	n.collect(q.Find)
	visible := variables(q.Find)
	n.name(q.Find)
	if len(q.Return) == 0 && q.Add == nil && n.named && len(visible) > 0 {
		for _, v := range visible {
			q.Return = append(q.Return, Item{Of: v})
		}
	}
	return q
}

// variables lists the names that MATCH binds, in the order of the text.
func variables(n *Node) []string {
	var out []string
	if n.As != "" {
		out = append(out, n.As)
	}
	for _, r := range n.With {
		if r == nil {
			continue
		}
		if r.As != "" {
			out = append(out, r.As)
		}
		if r.To != nil {
			out = append(out, variables(r.To)...)
		}
	}
	return out
}

type namer struct {
	used  map[string]bool
	next  int
	named bool // a node of a MATCH got a name
}

func (m *namer) collect(n *Node) {
	m.used[n.As] = true
	m.collectExpr(n.Where)
	for _, r := range n.With {
		m.collectRel(r)
	}
}

func (m *namer) collectRel(r *Rel) {
	if r == nil {
		return
	}
	m.used[r.As] = true
	if r.To != nil {
		m.collect(r.To)
	}
}

func (m *namer) collectExpr(e *Expr) {
	if e == nil {
		return
	}
	for _, list := range [][]*Expr{e.And, e.Or, {e.Not}} {
		for _, sub := range list {
			m.collectExpr(sub)
		}
	}
	m.collectRel(e.Exists)
	m.collectRel(e.Count)
}

func (m *namer) fresh() string {
	for {
		m.next++
		if s := "_" + itoa(m.next); !m.used[s] {
			return s
		}
	}
}

func (m *namer) name(n *Node) {
	n.Where = simplify(n.Where)
	if n.As == "" && (n.Where != nil || len(n.With) > 0) {
		n.As, m.named = m.fresh(), true
	}
	m.nameExpr(n.Where, n.As)
	kept := n.With[:0]
	for _, r := range n.With {
		if r != nil {
			m.nameRel(r)
			kept = append(kept, r)
		}
	}
	n.With = kept
	if len(kept) == 0 {
		n.With = nil
	}
	if len(n.Kinds) == 0 {
		n.Kinds = nil
	}
}

func (m *namer) nameRel(r *Rel) {
	if r.Dir == "" {
		r.Dir = Out
	}
	if r.To == nil {
		r.To = &Node{}
	}
	m.name(r.To)
}

func (m *namer) nameExpr(e *Expr, as string) {
	if e == nil {
		return
	}
	for _, sub := range append(append([]*Expr{}, e.And...), e.Or...) {
		m.nameExpr(sub, as)
	}
	m.nameExpr(e.Not, as)
	for _, r := range []*Rel{e.Exists, e.Count} {
		if r != nil {
			inner := m.named
			m.nameRel(r)
			m.named = inner // names inside are no columns
		}
	}
	if e.Prop != "" && e.Of == "" {
		e.Of = as
	}
}

// simplify drops empty groups and unwraps groups of one.
func simplify(e *Expr) *Expr {
	if e == nil {
		return nil
	}
	if e.Not != nil {
		if e.Not = simplify(e.Not); e.Not == nil {
			return nil
		}
		return e
	}
	for _, list := range []*[]*Expr{&e.And, &e.Or} {
		if *list == nil {
			continue
		}
		var kept []*Expr
		for _, sub := range *list {
			if sub = simplify(sub); sub != nil {
				kept = append(kept, sub)
			}
		}
		*list = kept
		switch len(kept) {
		case 0:
			return nil
		case 1:
			return kept[0]
		}
		return e
	}
	return e
}
