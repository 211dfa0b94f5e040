package query

import "fmt"

// returns checks what is returned, in which order, and the edge that is added.
func (p *planner) returns() {
	q := p.query
	if q.Add != nil {
		p.add(q.Add)
		return
	}
	if q.Skip < 0 || q.Limit < 0 {
		p.problem(Pos{}, "skip", "", "SKIP and LIMIT are not negative")
	}
	counting := false
	grouped := map[string]bool{}
	for i, it := range q.Return {
		b, ok := p.names[it.Of]
		path := fmt.Sprintf("return[%d]", i)
		switch {
		case it.Of == "" || !ok:
			p.problem(it.pos, path+".of", p.suggestName(it.Of), "nothing is called %s", it.Of)
		case it.Prop != "" && len(p.columns(b.v, b.edge, it.Prop)) == 0:
			p.problem(it.pos, path+".prop", p.suggestProperty(b.v, b.edge, it.Prop), "%s has no property %s", p.owner(b.v, b.edge), it.Prop)
		case it.Count && (it.Prop != "" || it.Fold):
			p.problem(it.pos, path, "count the variable", "count takes a variable")
		case it.Fold && it.Prop == "":
			p.problem(it.pos, path+".fold", "", "toLower takes a property")
		}
		counting = counting || it.Count
		if !it.Count && it.Prop == "" {
			grouped[it.Of] = true
		}
	}
	p.columnNames(grouped, counting)
	for i, k := range q.Order {
		p.orderKey(k, fmt.Sprintf("order[%d]", i), counting)
	}
}

// columnNames wants every column to have a name of its own and, with count,
// every variable that is grouped by to be returned.
func (p *planner) columnNames(grouped map[string]bool, counting bool) {
	names := map[string]bool{}
	for i, it := range p.query.Return {
		path := fmt.Sprintf("return[%d]", i)
		if c := it.Column(); names[c] {
			p.problem(it.pos, path, "name one of them with AS", "two columns are called %s", c)
		} else {
			names[c] = true
		}
		if counting && it.Prop != "" && !grouped[it.Of] {
			p.problem(it.pos, path, "return "+it.Of+" too", "with count, rows are grouped by variables, and %s is not returned", it.Of)
		}
	}
}

func (p *planner) suggestName(got string) string {
	var names []string
	for n := range p.names {
		if n != "" {
			names = append(names, n)
		}
	}
	return nearest(got, names)
}

// orderKey finds what a key sorts by: a returned column, or a property.
func (p *planner) orderKey(k Key, path string, counting bool) {
	q := p.query
	if k.Name != "" {
		for _, it := range q.Return {
			if it.Column() == k.Name {
				return
			}
		}
		if b, ok := p.names[k.Name]; ok && !b.edge && len(q.Return) == 0 {
			return
		}
		p.problem(k.pos, path+".name", p.suggestName(k.Name), "no column is called %s", k.Name)
		return
	}
	b, ok := p.names[k.Of]
	switch {
	case k.Of == "" || !ok:
		p.problem(k.pos, path+".of", p.suggestName(k.Of), "nothing is called %s", k.Of)
	case len(p.columns(b.v, b.edge, k.Prop)) == 0:
		p.problem(k.pos, path+".prop", p.suggestProperty(b.v, b.edge, k.Prop), "%s has no property %s", p.owner(b.v, b.edge), k.Prop)
	case (counting || q.Distinct) && !p.returned(k):
		p.problem(k.pos, path, "return it too", "with count or DISTINCT, rows are sorted by what is returned")
	}
}

// returned says that a key's property, or the node or edge it is of, is a column.
func (p *planner) returned(k Key) bool {
	for _, it := range p.query.Return {
		if !it.Count && it.Of == k.Of && (it.Prop == "" || it.Prop == k.Prop && it.Fold == k.Fold) {
			return true
		}
	}
	return len(p.query.Return) == 0
}

func (p *planner) add(a *Add) {
	if len(p.query.Return) > 0 {
		p.problem(a.pos, "add", "", "a query adds an edge or returns columns, not both")
	}
	e, ok := p.voc.edge[a.Edge]
	if !ok {
		p.problem(a.pos, "add.edge", nearest(a.Edge, p.voc.edgeNames()), "there is no edge %s", a.Edge)
		return
	}
	if !p.voc.edges[e].Derived {
		p.problem(a.pos, "add.edge", "", "%s is a fact; rules add derived edges", a.Edge)
	}
	from, to := p.names[a.From], p.names[a.To]
	for _, end := range []struct {
		name string
		b    binding
	}{{a.From, from}, {a.To, to}} {
		if end.b.v == nil || end.b.edge {
			p.problem(a.pos, "add", p.suggestName(end.name), "no node is called %s", end.name)
			return
		}
	}
	for _, f := range from.v.kinds {
		for _, t := range to.v.kinds {
			if !p.voc.edges[e].CanJoin(p.voc.kinds[f].Name, p.voc.kinds[t].Name) {
				p.problem(a.pos, "add", "", "%s does not join %s to %s", a.Edge, p.voc.kinds[f].Name, p.voc.kinds[t].Name)
				return
			}
		}
	}
}
