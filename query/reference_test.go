package query

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/golden"
)

//go:generate go test -run TestTheSchemaReferenceIsFresh -update

func TestTheSchemaReferenceIsFresh(t *testing.T) {
	golden.Compare(t, filepath.Join("..", "docs", "reference", "schema.md"), referenceOf(Schema()))
}

// referenceOf is the vocabulary as the page docs/reference/schema.md.
func referenceOf(v *Vocabulary) string {
	r := &reference{v: v}
	r.linef("# Schema reference")
	r.linef("")
	r.linef("Generated from `schema/` by `go generate ./query`; a test fails when it is stale. Every kind also has `id`, a text:")
	r.linef("the stable id. A property nobody knows is null, which is neither false nor zero.")
	for _, g := range Kinds(v) {
		r.linef("\n## %s", g.Name)
		for _, c := range g.Kinds {
			if len(c.Kinds) > 0 {
				r.linef("\n### %s\n\nA family: any of %s.", c.Name, strings.Join(c.Kinds, ", "))
				continue
			}
			r.kind(v.kind[c.Name])
		}
	}
	r.edges()
	r.compositions()
	return r.String()
}

type reference struct {
	strings.Builder
	v *Vocabulary
}

func (r *reference) linef(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

func (r *reference) kind(k int) {
	kind := r.v.kinds[k]
	r.linef("\n### %s", kind.Name)
	r.linef("\n%s — %s", kind.Plural, kind.Sentence)
	if kind.Coverage != "" {
		r.linef("\nWhere `%s` is not true, the absence of something proves nothing: such %s %s.", kind.Coverage, lowerFirst(kind.Plural),
			kind.Uncovered)
	}
	if kind.Partly != "" {
		r.linef("\nWhere `%s` is true, they %s: what is there holds, and the absence of something proves nothing.", kind.Partly, kind.InPart)
	}
	m := MenuFor(r.v, kind.Name)
	r.linef("\n| property | type | meaning |\n|---|---|---|")
	for _, list := range [][]PropertyChoice{m.Insights, m.Properties} {
		r.properties(list)
	}
	r.linef("\n| connection | to | reads |\n|---|---|---|")
	for _, c := range m.Connections {
		var to []string
		for _, t := range c.To {
			to = append(to, t.Name)
		}
		arrow := fmt.Sprintf("`-[:%s]->`", c.Edge)
		if c.Dir == In {
			arrow = fmt.Sprintf("`<-[:%s]-`", c.Edge)
		}
		r.linef("| %s | %s | %s |", arrow, strings.Join(to, ", "), c.Label)
	}
}

func (r *reference) properties(list []PropertyChoice) {
	for _, p := range list {
		typ := p.Type
		if len(p.Enum) > 0 {
			typ = strings.Join(p.Enum, " < ")
		}
		r.linef("| `%s` | %s | %s: %s |", p.Name, typ, p.Label, p.Sentence)
	}
}

func (r *reference) edges() {
	r.linef("\n## Edges")
	for _, e := range r.v.edges {
		what := "A fact"
		if e.Derived {
			what = "Derived by an attack rule"
		}
		if e.Step {
			what += "; an attack path may step over it"
		}
		r.linef("\n### %s\n\n%s %s.", e.Name, e.Sentence, what)
		var joins []string
		for _, j := range e.Joins {
			if s := "`" + j.From + "` → `" + j.To + "`"; !slices.Contains(joins, s) {
				joins = append(joins, s)
			}
		}
		r.linef("\nJoins %s.", strings.Join(joins, ", "))
		if e.Through != "" {
			r.linef("\nIt holds through `%s`: what leads to a node leads to what that node %s, too.", e.Through,
				r.v.edges[r.v.edge[e.Through]].Verb)
		}
		if e.Coverage.From != "" {
			r.linef("\nA missing edge proves something only where `%s.%s` is true.", e.Coverage.From, e.Coverage.To)
		}
		if len(e.Properties) > 0 {
			r.linef("\n| property | type | meaning |\n|---|---|---|")
			var list []PropertyChoice
			for _, p := range e.Properties {
				list = append(list, propertyChoice(p))
			}
			r.properties(list)
		}
	}
}

func (r *reference) compositions() {
	r.linef("\n## Composed connections")
	r.linef("\nShort words for several edges; a query's text shows the edges.")
	r.linef("\n| name | stands for | forward | backward |\n|---|---|---|---|")
	for _, c := range r.v.composed {
		chain := c.From
		for _, s := range c.Steps {
			arrow := fmt.Sprintf("-[:%s]->", s.Edge)
			if s.In {
				arrow = fmt.Sprintf("<-[:%s]-", s.Edge)
			}
			chain += arrow + s.To
		}
		r.linef("| %s | `%s` | %s | %s |", c.Name, chain, c.Forward, c.Backward)
	}
}
