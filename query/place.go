package query

import "fmt"

// place notes on every part of a tree where it stands, so that problems found
// in the normal, expanded tree point into the one that was sent.
func place(q *Query) {
	if q.Find != nil {
		placeNode(q.Find, "find")
	}
}

func placeNode(n *Node, path string) {
	if n.path == "" {
		n.path = path
	}
	placeExpr(n.Where, n.path+".where")
	for i, r := range n.With {
		placeRel(r, fmt.Sprintf("%s.with[%d]", n.path, i))
	}
}

func placeRel(r *Rel, path string) {
	if r == nil {
		return
	}
	if r.path == "" {
		r.path = path
	}
	if r.To != nil {
		placeNode(r.To, r.path+".to")
	}
}

func placeExpr(e *Expr, path string) {
	if e == nil {
		return
	}
	if e.path == "" {
		e.path = path
	}
	for i, sub := range e.And {
		placeExpr(sub, fmt.Sprintf("%s.and[%d]", e.path, i))
	}
	for i, sub := range e.Or {
		placeExpr(sub, fmt.Sprintf("%s.or[%d]", e.path, i))
	}
	placeExpr(e.Not, e.path+".not")
	placeRel(e.Exists, e.path+".exists")
	placeRel(e.Count, e.path+".count")
}
