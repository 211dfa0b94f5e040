package query

import (
	"errors"
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// Vocabulary is the words a query may use: a schema, indexed.
type Vocabulary struct {
	kinds    []schema.Kind
	edges    []schema.Edge
	composed []schema.Composed
	kind     map[string]int
	edge     map[string]int
}

// NewVocabulary indexes a schema. Kinds and edges stand in the order of the
// graph.Vocabulary made of them, so that positions are the graph's numbers.
func NewVocabulary(kinds []schema.Kind, edges []schema.Edge, composed []schema.Composed) *Vocabulary {
	v := &Vocabulary{kinds: kinds, edges: edges, composed: composed, kind: map[string]int{}, edge: map[string]int{}}
	for i, k := range kinds {
		v.kind[k.Name] = i
	}
	for i, e := range edges {
		v.edge[e.Name] = i
	}
	return v
}

// fits says whether a graph was made of this vocabulary: numbers are shared.
func (v *Vocabulary) fits(g *graph.Vocabulary) error {
	same := len(v.kinds) == len(g.Kinds()) && len(v.edges) == len(g.Edges())
	for i := 0; same && i < len(v.kinds); i++ {
		same = v.kinds[i].Name == g.Kinds()[i].Name && len(v.kinds[i].Properties) == len(g.Kinds()[i].Columns)
	}
	for i := 0; same && i < len(v.edges); i++ {
		same = v.edges[i].Name == g.Edges()[i].Name && len(v.edges[i].Properties) == len(g.Edges()[i].Columns)
	}
	if !same {
		return errors.New("the graph was made of another vocabulary than the query's")
	}
	return nil
}

// Schema is the product's vocabulary.
func Schema() *Vocabulary { return schemaVocabulary() }

var schemaVocabulary = sync.OnceValue(func() *Vocabulary {
	return NewVocabulary(schema.Kinds(), schema.Edges(), schema.Composition())
})

// kindsOf resolves the name of a kind or a family. Most kinds have no family: no name is nobody's.
func (v *Vocabulary) kindsOf(name string) []int {
	var out []int
	for i, k := range v.kinds {
		if name != "" && (k.Name == name || k.Family == name) {
			out = append(out, i)
		}
	}
	return out
}

func (v *Vocabulary) kindNames() []string {
	var out []string
	for _, k := range v.kinds {
		out = append(out, k.Name)
		if k.Family != "" && !slices.Contains(out, k.Family) {
			out = append(out, k.Family)
		}
	}
	return out
}

func (v *Vocabulary) edgeNames() []string {
	var out []string
	for _, e := range v.edges {
		out = append(out, e.Name)
	}
	for _, c := range v.composed {
		out = append(out, c.Name)
	}
	return out
}

func (v *Vocabulary) composition(name string) (schema.Composed, bool) {
	i := slices.IndexFunc(v.composed, func(c schema.Composed) bool { return c.Name == name })
	if i < 0 {
		return schema.Composed{}, false
	}
	return v.composed[i], true
}

// leads lists the kinds that the edges lead to from some kinds.
func (v *Vocabulary) leads(from []int, edges []int, dir string) []int {
	var out []int
	for _, e := range edges {
		for _, j := range v.edges[e].Joins {
			near, far := v.kind[j.From], v.kind[j.To]
			if dir == In {
				near, far = far, near
			}
			if slices.Contains(from, near) && !slices.Contains(out, far) {
				out = append(out, far)
			}
		}
	}
	slices.Sort(out)
	return out
}

// reaches is leads, repeated up to n times.
func (v *Vocabulary) reaches(from []int, edges []int, dir string, n int) []int {
	var out []int
	for range n {
		from = v.leads(from, edges, dir)
		for _, k := range from {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	slices.Sort(out)
	return out
}

// column finds a property of a kind; every kind has a text id.
func (v *Vocabulary) column(kind int, prop string) (graph.Column, bool) {
	if prop == "id" {
		return graph.Column{Name: "id", Type: graph.Text}, true
	}
	p, ok := v.kinds[kind].Property(prop)
	return p.Column, ok
}

// Expand is a copy of the query, in normal form, with every composed
// connection replaced by its steps. What it passes through gets names and is
// not returned unless something said so.
func Expand(v *Vocabulary, q *Query) *Query {
	c := clone(q)
	place(c)
	x := expander{v: v}
	x.node(c.Find)
	if x.changed && len(c.Return) == 0 && c.Add == nil {
		for _, name := range variables(c.Find) {
			c.Return = append(c.Return, Item{Of: name})
		}
	}
	return normalize(c)
}

type expander struct {
	v       *Vocabulary
	changed bool
}

func (x *expander) node(n *Node) {
	x.expr(n.Where)
	for _, r := range n.With {
		x.rel(r, false)
	}
}

func (x *expander) expr(e *Expr) {
	if e == nil {
		return
	}
	for _, list := range [][]*Expr{e.And, e.Or, {e.Not}} {
		for _, sub := range list {
			x.expr(sub)
		}
	}
	if e.Exists != nil {
		x.rel(e.Exists, true)
	}
	if e.Count != nil {
		x.node(e.Count.To)
	}
}

// rel replaces a composed edge by a chain: connections, or nested EXISTS.
func (x *expander) rel(r *Rel, inside bool) {
	x.node(r.To)
	if len(r.Edge) != 1 || r.As != "" || r.UpTo > 0 {
		return
	}
	c, ok := x.v.composition(r.Edge[0])
	if !ok {
		return
	}
	x.changed = true
	to, opt := r.To, r.Optional
	steps := stepsFrom(c, r.Dir)
	if len(to.Kinds) == 0 {
		to.Kinds = []string{steps[len(steps)-1].To}
	}
	at := r
	for i, s := range steps {
		at.Edge, at.edgePos, at.Dir, at.Optional = []string{s.Edge}, nil, Out, opt
		if s.In {
			at.Dir = In
		}
		if i == len(steps)-1 {
			at.To = to
			return
		}
		next := &Rel{pos: r.pos, path: r.path}
		at.To = &Node{Kinds: []string{s.To}, pos: r.pos, path: r.path + ".to"}
		if inside {
			at.To.Where = &Expr{Exists: next, pos: r.pos, path: r.path}
		} else {
			at.To.With = []*Rel{next}
		}
		at = next
	}
}

// stepsFrom is the chain as walked in a direction.
func stepsFrom(c schema.Composed, dir string) []schema.Step {
	if dir != In {
		return c.Steps
	}
	var out []schema.Step
	for i := len(c.Steps) - 1; i >= 0; i-- {
		to := c.From
		if i > 0 {
			to = c.Steps[i-1].To
		}
		out = append(out, schema.Step{Edge: c.Steps[i].Edge, In: !c.Steps[i].In, To: to})
	}
	return out
}
