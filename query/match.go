package query

import (
	"context"

	"github.com/breakwater-sec/breakwater/graph"
)

// Binding is one match: what each name of the query stands for. It is valid
// until the func it was handed to returns.
type Binding struct {
	e     *engine
	steps []*walk
	row   []cell
}

// Node is the node of a name; false if there is no such name, or nothing was
// found by an OPTIONAL MATCH.
func (b Binding) Node(name string) (graph.Node, bool) {
	n, ok := b.e.names[name]
	if !ok || n.edge {
		return graph.Node{}, false
	}
	c := b.row[stepOf(b.steps, n)]
	if c.null {
		return graph.Node{}, false
	}
	return b.e.node(n.v, c), true
}

// Edge is the edge of a name.
func (b Binding) Edge(name string) (*Edge, bool) {
	n, ok := b.e.names[name]
	if !ok || !n.edge {
		return nil, false
	}
	c := b.row[stepOf(b.steps, n)]
	if c.null {
		return nil, false
	}
	return b.e.edge(c), true
}

// Match hands over every match of a query, without its RETURN, until
// yield says no. Params fill in `$name`s.
func Match(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, params map[string]any, yield func(Binding) bool) error {
	return MatchWith(ctx, view, scope, q, Options{Params: params}, yield)
}

// MatchWith is Match with more options: Within binds variables beforehand.
func MatchWith(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, opts Options, yield func(Binding) bool) error {
	e, err := newEngine(ctx, view, q, opts)
	if err != nil {
		return err
	}
	partial, err := e.guard(func() {
		e.compileScope(scope)
		e.reduce()
		w := e.walkFrom(e.vars[0], everyone)
		steps := w.flat()
		e.rows(w, e.members(e.vars[0]), func(row []cell) bool { return yield(Binding{e, steps, row}) })
	})
	if err == nil && partial != "" {
		err = errBudget{partial}
	}
	return err
}
