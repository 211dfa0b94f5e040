package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// plan is a query with its names resolved: positions are the graph's numbers.
type plan struct {
	voc   *Vocabulary
	query *Query // normal and expanded
	vars  []*variable
	names map[string]binding // what MATCH binds
}

// binding is what a name stands for: a node, or the edge that leads to it.
type binding struct {
	v    *variable
	edge bool
}

// variable is one node of the tree, or of an EXISTS or COUNT.
type variable struct {
	id     int // position among the plan's vars; -1 inside EXISTS and COUNT
	as     string
	kinds  []int
	parent *variable
	hop    *hop // from the parent; nil at the root
	below  []*variable
	where  *cond // conditions that need the node alone
	onEdge *cond // conditions that need the edge too
}

// hop is the edges between a variable and the one it hangs from.
type hop struct {
	near, far *variable
	as        string
	edges     []int
	in        bool
	upTo      int
	optional  bool
}

type condKind uint8

const (
	condAnd condKind = iota
	condOr
	condNot
	condTest
	condExists
	condCount
)

type cond struct {
	kind condKind
	sub  []*cond
	edge bool // speaks of the edge, not only of the node
	test *test
	to   *variable // EXISTS and COUNT
	op   string
	n    int64
}

// test is a predicate on one property.
type test struct {
	edge  bool
	prop  string
	fold  bool
	op    string
	value Value // parameters are filled in
}

type planner struct {
	*plan
	params   map[string]any
	checking bool // parameters are not known yet
	problems []Problem
	seen     map[string]bool
	nodes    int
	terms    int
}

// Check looks every name and type up and returns what is wrong, best first.
func Check(v *Vocabulary, q *Query) []Problem {
	_, problems := compile(v, q, nil, true)
	return problems
}

// Compile parses, expands and checks a text.
func Compile(v *Vocabulary, text string) (*Query, []Problem) {
	q, err := Parse(text)
	if err != nil {
		return nil, []Problem{*err.(*Problem)}
	}
	q = Expand(v, q)
	return q, Check(v, q)
}

// Missing says what keeps a query that was found sound from being run: parameters that are not given.
func Missing(v *Vocabulary, q *Query, params map[string]any) []Problem {
	_, problems := compile(v, q, params, false)
	return problems
}

func compile(v *Vocabulary, q *Query, params map[string]any, checking bool) (*plan, []Problem) {
	p := &planner{plan: &plan{voc: v, query: Expand(v, q), names: map[string]binding{}},
		params: params, checking: checking, seen: map[string]bool{}}
	root := p.query.Find
	kinds := p.kinds(root)
	if len(root.Kinds) == 0 {
		for i := range v.kinds {
			kinds = append(kinds, i)
		}
	}
	p.node(root, kinds, nil, 0)
	if len(p.problems) == 0 {
		p.returns()
	}
	return p.plan, p.problems
}

func (p *planner) problem(pos Pos, path, suggestion, format string, args ...any) {
	if len(p.problems) < 20 {
		p.problems = append(p.problems, Problem{Line: pos.Line, Col: pos.Col, Path: path,
			Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
	}
}

func at(list []Pos, i int, otherwise Pos) Pos {
	if i < len(list) {
		return list[i]
	}
	return otherwise
}

// kinds resolves the kinds a node names.
func (p *planner) kinds(n *Node) []int {
	var out []int
	for i, name := range n.Kinds {
		found := p.voc.kindsOf(name)
		if len(found) == 0 {
			p.problem(at(n.kindPos, i, n.pos), fmt.Sprintf("%s.kinds[%d]", n.path, i), nearest(name, p.voc.kindNames()), "there is no kind %s", name)
		}
		for _, k := range found {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	slices.Sort(out)
	return out
}

// bind registers a name; every name in a query is used once.
func (p *planner) bind(as string, pos Pos, path string) {
	if as == "" {
		return
	}
	if p.seen[as] {
		p.problem(pos, path+".as", "", "%s is bound twice", as)
	}
	p.seen[as] = true
}

// node plans a node of the MATCH tree and what hangs from it.
func (p *planner) node(n *Node, kinds []int, h *hop, depth int) {
	path := n.path
	v := &variable{id: len(p.vars), as: n.As, kinds: kinds, hop: h}
	if !p.room(n.pos, path, depth) {
		return
	}
	p.vars = append(p.vars, v)
	p.bind(n.As, n.pos, path)
	p.names[n.As] = binding{v, false}
	if h != nil {
		h.far, v.parent = v, h.near
		h.near.below = append(h.near.below, v)
		p.names[h.as] = binding{v, true}
	}
	p.where(v, n, 0)
	for _, r := range n.With {
		rpath := r.path
		if r.UpTo > 0 {
			p.problem(r.pos, rpath+".upTo", "ask EXISTS", "a reach is for EXISTS only")
		}
		if h != nil && h.optional && !r.Optional {
			p.problem(r.pos, rpath+".optional", "make it optional", "below an optional connection everything is optional")
		}
		child, kinds := p.rel(v, r)
		child.optional = r.Optional
		p.node(r.To, kinds, child, depth+1)
	}
}

// room keeps a tree within its limits.
func (p *planner) room(pos Pos, path string, depth int) bool {
	if p.nodes++; p.nodes > MaxNodes || depth > MaxNodes {
		if p.nodes == MaxNodes+1 || depth == MaxNodes+1 {
			p.problem(pos, path, "", "a query may have at most %d nodes", MaxNodes)
		}
		return false
	}
	return true
}

// rel resolves an edge and which kinds it leads to.
func (p *planner) rel(near *variable, r *Rel) (*hop, []int) {
	path := r.path
	h := &hop{near: near, as: r.As, in: r.Dir == In, upTo: r.UpTo}
	p.bind(r.As, r.pos, path)
	if r.Dir != In && r.Dir != Out {
		p.problem(r.pos, path+".dir", "", "dir is out or in, not %q", r.Dir)
	}
	if r.UpTo < 0 || r.UpTo > MaxUpTo || r.UpTo > 0 && r.As != "" {
		p.problem(r.pos, path+".upTo", "", "a reach is 1 to %d steps, and its edge has no name", MaxUpTo)
		h.upTo = 0
	}
	if len(r.Edge) == 0 {
		p.problem(r.pos, path+".edge", "", "a connection wants an edge")
	}
	for i, name := range r.Edge {
		e, ok := p.voc.edge[name]
		switch {
		case ok:
			h.edges = append(h.edges, e)
		case p.composed(name):
			p.problem(at(r.edgePos, i, r.pos), fmt.Sprintf("%s.edge[%d]", path, i), "",
				"%s is made of several edges: it stands alone, without a name, a reach or a COUNT", name)
		default:
			p.problem(at(r.edgePos, i, r.pos), fmt.Sprintf("%s.edge[%d]", path, i), nearest(name, p.voc.edgeNames()), "there is no edge %s", name)
		}
	}
	return h, p.far(near, r, h)
}

func (p *planner) composed(name string) bool {
	_, ok := p.voc.composition(name)
	return ok
}

// far finds the kinds at the other end of a connection.
func (p *planner) far(near *variable, r *Rel, h *hop) []int {
	named := p.kinds(r.To)
	if len(h.edges) < len(r.Edge) || len(h.edges) == 0 || len(near.kinds) == 0 || len(named) == 0 && len(r.To.Kinds) > 0 {
		return named // said already
	}
	led := p.voc.reaches(near.kinds, h.edges, r.Dir, max(1, h.upTo))
	if len(named) == 0 {
		named = led
	}
	if !slices.ContainsFunc(named, func(k int) bool { return slices.Contains(led, k) }) {
		p.cannotJoin(near, r, h, named)
	}
	return named
}

func (p *planner) cannotJoin(near *variable, r *Rel, h *hop, named []int) {
	suggestion := ""
	back := p.voc.reaches(near.kinds, h.edges, flip(r.Dir), max(1, h.upTo))
	if slices.ContainsFunc(named, func(k int) bool { return slices.Contains(back, k) }) || len(named) == 0 && len(back) > 0 {
		suggestion = "turn the edge round"
	} else {
		var joins []string
		for _, e := range h.edges {
			for _, j := range p.voc.edges[e].Joins {
				if joins = append(joins, j.From+" → "+j.To); len(joins) == 4 {
					joins = append(joins[:3], "…")
				}
			}
		}
		suggestion = "it joins " + strings.Join(joins, ", ")
	}
	to := p.list(named)
	if to == "" {
		to = "anything"
	}
	p.problem(at(r.edgePos, 0, r.pos), r.path+".edge", suggestion, "%s does not lead from %s to %s", strings.Join(r.Edge, "|"),
		p.list(near.kinds), to)
}

func (p *planner) list(kinds []int) string {
	var names []string
	for i, k := range kinds {
		if i == 4 {
			names = append(names, "…")
			break
		}
		names = append(names, p.voc.kinds[k].Name)
	}
	return strings.Join(names, "|")
}

// columns lists the columns a property has among a variable's kinds or edges.
func (p *plan) columns(v *variable, edge bool, prop string) []graph.Column {
	var out []graph.Column
	if edge {
		for _, e := range v.hop.edges {
			if c, ok := p.voc.edges[e].Property(prop); ok {
				out = append(out, c.Column)
			}
		}
		return out
	}
	for _, k := range v.kinds {
		if c, ok := p.voc.column(k, prop); ok {
			out = append(out, c)
		}
	}
	return out
}

// suggestProperty names the nearest property that would have done.
func (p *plan) suggestProperty(v *variable, edge bool, got string) string {
	names := []string{"id"}
	if edge {
		names = nil
		for _, e := range v.hop.edges {
			for _, c := range p.voc.edges[e].Properties {
				names = append(names, c.Name)
			}
		}
	} else {
		for _, k := range v.kinds {
			for _, c := range p.voc.kinds[k].Properties {
				names = append(names, c.Name)
			}
		}
	}
	return nearest(got, names)
}
