package query

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// ValueCount is a value and how many visible things have it.
type ValueCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Values is what a property's values are, most frequent first.
type Values struct {
	Values  []ValueCount `json:"values"`
	Partial string       `json:"partial"` // why some may be missing
}

// maxDistinct bounds the memory of counting values that hardly repeat.
const maxDistinct = 100_000

// Complete lists the values that a property of a kind, family or edge has in
// the visible graph: those that contain a text, in any case, most frequent
// first. Only Limit, Deadline and Vocabulary of the options matter.
func Complete(ctx context.Context, view *graph.View, scope graph.Scope, of, prop, contains string, opts Options) (Values, error) {
	voc := opts.Vocabulary
	if voc == nil {
		voc = Schema()
	}
	if edge, ok := voc.edge[of]; ok {
		return completeEdge(ctx, view, scope, edge, prop, contains, opts)
	}
	q := &Query{Find: &Node{As: "x", Kinds: []string{of}}, Return: []Item{{Of: "x", Prop: prop}}}
	return facet(ctx, view, scope, q, "x", prop, contains, opts)
}

// Facets counts the values of a property among the nodes that a variable of a
// query stands for.
func Facets(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, of, prop string, opts Options) (Values, error) {
	return facet(ctx, view, scope, q, of, prop, "", opts)
}

func facet(ctx context.Context, view *graph.View, scope graph.Scope, q *Query, of, prop, contains string, opts Options) (Values, error) {
	e, err := newEngine(ctx, view, q, opts)
	if err != nil {
		return Values{}, err
	}
	b, ok := e.names[of]
	if of == "" || !ok || b.edge || len(e.columns(b.v, false, prop)) == 0 {
		return Values{}, Problems{{Message: "no node is called " + of + " that has a property " + prop}}
	}
	c := counterOf(e, contains)
	partial, err := e.guard(func() {
		e.compileScope(scope)
		e.reduce()
		set := e.sets[b.v.id]
		for k, kind := range set.kinds {
			for slot, bits := range set.bits[k] {
				if bits != nil {
					c.slot(kind, slot, prop, bits)
				}
			}
		}
	})
	return c.values(partial, opts.Limit), err
}

// completeEdge counts the values of an edge's property where both ends are seen.
func completeEdge(ctx context.Context, view *graph.View, scope graph.Scope, edge int, prop, contains string, opts Options) (Values, error) {
	voc := opts.Vocabulary
	if voc == nil {
		voc = Schema()
	}
	name := voc.edges[edge].Name
	q := &Query{Find: &Node{As: "a", With: []*Rel{{As: "r", Edge: []string{name}, Dir: Out, To: &Node{As: "b"}}}}}
	e, err := newEngine(ctx, view, q, opts)
	if err != nil {
		return Values{}, err
	}
	at := columnAt(voc.edges[edge].Properties, prop)
	if at < 0 {
		return Values{}, Problems{{Message: name + " has no property " + prop, Suggestion: e.suggestProperty(e.names["r"].v, true, prop)}}
	}
	c := counterOf(e, contains)
	partial, err := e.guard(func() {
		e.compileScope(scope)
		e.reduce()
		e.rows(e.walkFrom(e.vars[0], everyone), e.members(e.vars[0]), func(row []cell) bool {
			if col := row[1].lane.rel.Col(at); col != nil {
				c.value(col.Value(row[1].pos), 1)
			}
			return true
		})
	})
	return c.values(partial, opts.Limit), err
}

type valueCounter struct {
	e        *engine
	contains string
	counts   map[string]int
	full     bool
}

func counterOf(e *engine, contains string) *valueCounter {
	return &valueCounter{e: e, contains: strings.ToLower(contains), counts: map[string]int{}}
}

// slot counts within one column; where values share a dictionary, by code.
func (c *valueCounter) slot(kind, slot int, prop string, bits graph.Bitmap) {
	seg := c.e.segment(kind, slot)
	c.e.tick(bits.Count())
	if prop == "id" {
		for i := range bits.All() {
			c.value(graph.TextValue(c.e.view.At(seg, kind, i).ID()), 1)
		}
		return
	}
	if n := columnAt(c.e.voc.kinds[kind].Properties, prop); n >= 0 {
		for p := range seg.Parts(kind, n) {
			if p.Col != nil {
				c.part(p.Col, p.Of(bits))
			}
		}
	}
}

func (c *valueCounter) part(col *graph.Col, bits graph.Bitmap) {
	codes, dict := col.Dict()
	if codes == nil {
		for i := range bits.All() {
			c.value(col.Value(i), 1)
		}
		return
	}
	byCode := make([]int, len(dict))
	for i := range bits.All() {
		if col.Present().Has(i) {
			byCode[codes[i]]++
		}
	}
	for code, n := range byCode {
		if n > 0 {
			c.value(graph.TextValue(dict[code]), n)
		}
	}
}

func (c *valueCounter) value(v graph.Value, n int) {
	if v.IsNull() {
		return
	}
	list := []string{v.String()}
	if v.Type() == graph.List {
		list = v.List()
	}
	for _, s := range list {
		if c.contains != "" && !strings.Contains(strings.ToLower(s), c.contains) {
			continue
		}
		if _, known := c.counts[s]; !known {
			if len(c.counts) >= maxDistinct {
				c.full = true
				continue
			}
			c.e.use(len(s) + 48)
		}
		c.counts[s] += n
	}
}

func (c *valueCounter) values(partial string, limit int) Values {
	out := Values{Values: []ValueCount{}, Partial: partial}
	if c.full && partial == "" {
		out.Partial = "there are more values than are counted"
	}
	for s, n := range c.counts {
		out.Values = append(out.Values, ValueCount{s, n})
	}
	slices.SortFunc(out.Values, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	if limit <= 0 {
		limit = DefaultLimit
	}
	out.Values = out.Values[:min(limit, len(out.Values))]
	return out
}
