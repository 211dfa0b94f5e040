package query

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// KindChoice is a kind, or a family of kinds, that a query can find.
type KindChoice struct {
	Name     string   `json:"name"`
	Label    string   `json:"label"`
	Plural   string   `json:"plural"`
	Sentence string   `json:"sentence,omitempty"`
	Kinds    []string `json:"kinds,omitempty"` // of a family
}

// KindGroup is a group of the menu of kinds.
type KindGroup struct {
	Name  string       `json:"name"`
	Kinds []KindChoice `json:"kinds"`
}

// Kinds is the menu of what a query can find, families before their kinds.
func Kinds(v *Vocabulary) []KindGroup {
	var out []KindGroup
	for _, k := range v.kinds {
		at := slices.IndexFunc(out, func(g KindGroup) bool { return g.Name == k.Group })
		if at < 0 {
			at = len(out)
			out = append(out, KindGroup{Name: k.Group})
		}
		g := &out[at]
		family := slices.IndexFunc(g.Kinds, func(c KindChoice) bool { return c.Name == k.Family })
		if k.Family != "" && family < 0 {
			family = len(g.Kinds)
			g.Kinds = append(g.Kinds, KindChoice{Name: k.Family, Label: k.Family, Plural: "Any " + lowerFirst(k.Family),
				Sentence: "Any of its kinds."})
		}
		if k.Family != "" {
			g.Kinds[family].Kinds = append(g.Kinds[family].Kinds, k.Name)
		}
		g.Kinds = append(g.Kinds, choice(k))
	}
	slices.SortStableFunc(out, func(a, b KindGroup) int { return groupRank(a.Name) - groupRank(b.Name) })
	return out
}

func groupRank(name string) int {
	if i := slices.Index(schema.Groups, name); i >= 0 {
		return i
	}
	return len(schema.Groups)
}

func choice(k schema.Kind) KindChoice {
	return KindChoice{Name: k.Name, Label: k.Label, Plural: k.Plural, Sentence: k.Sentence}
}

// PropertyChoice is a property that a condition may speak of.
type PropertyChoice struct {
	Name     string   `json:"name"`
	Label    string   `json:"label"`
	Sentence string   `json:"sentence"`
	Type     string   `json:"type"`
	Enum     []string `json:"enum,omitempty"` // lowest first
	Ops      []string `json:"ops"`            // as Expr.Op; "" is "is true"
}

// ConnectionChoice is a connection that a node of the menu's kinds may have.
type ConnectionChoice struct {
	Edge       string           `json:"edge"`
	Dir        string           `json:"dir"`
	Label      string           `json:"label"` // "is used by", or a phrase such as "pods running them"
	Sentence   string           `json:"sentence"`
	To         []KindChoice     `json:"to"`
	Properties []PropertyChoice `json:"properties,omitempty"` // of the edge
	Derived    bool             `json:"derived,omitempty"`
	// Composed connections stand for Steps; the query's text shows those.
	Composed bool         `json:"composed,omitempty"`
	Steps    []StepChoice `json:"steps,omitempty"`
}

// StepChoice is one edge of a composed connection.
type StepChoice struct {
	Edge string `json:"edge"`
	Dir  string `json:"dir"`
	To   string `json:"to"`
}

// Menu is everything that can be added to a node of some kinds: insights first,
// then properties, then connections, those people name in one phrase first.
type Menu struct {
	Insights    []PropertyChoice   `json:"insights"`
	Properties  []PropertyChoice   `json:"properties"`
	Connections []ConnectionChoice `json:"connections"`
}

// MenuFor makes the menu of some kinds or families. Nothing in it fails Check.
func MenuFor(v *Vocabulary, names ...string) Menu {
	m := Menu{Insights: []PropertyChoice{}, Properties: []PropertyChoice{idOf(names)}, Connections: []ConnectionChoice{}}
	var kinds []int
	for _, name := range names {
		kinds = append(kinds, v.kindsOf(name)...)
	}
	seen := map[string]bool{}
	for _, k := range kinds {
		for _, p := range v.kinds[k].Properties {
			if seen[p.Name] {
				continue
			}
			seen[p.Name] = true
			if p.Insight {
				m.Insights = append(m.Insights, propertyChoice(p))
			} else {
				m.Properties = append(m.Properties, propertyChoice(p))
			}
		}
	}
	m.composed(v, kinds)
	for e := range v.edges {
		for _, dir := range []string{Out, In} {
			if to := v.leads(kinds, []int{e}, dir); len(to) > 0 {
				m.Connections = append(m.Connections, connection(v, e, dir, to))
			}
		}
	}
	return m
}

// idOf is the stable id, in the words that people have for it.
func idOf(names []string) PropertyChoice {
	id := PropertyChoice{Name: "id", Label: "Id", Type: graph.Text.String(), Ops: textOps,
		Sentence: "The stable id: cluster/namespace/Kind/name."}
	if len(names) != 1 {
		return id
	}
	switch names[0] {
	case "Vulnerability":
		id.Label, id.Sentence = "CVE id", "The CVE id, or that of the advisory if it has none."
	case "Image":
		id.Sentence = "The digest; where it is unknown, the reference."
	}
	return id
}

func propertyChoice(p schema.Property) PropertyChoice {
	return PropertyChoice{Name: p.Name, Label: p.Label, Sentence: p.Sentence, Type: p.Type.String(), Enum: p.Enum, Ops: opsOf[p.Type]}
}

func connection(v *Vocabulary, e int, dir string, to []int) ConnectionChoice {
	edge := v.edges[e]
	c := ConnectionChoice{Edge: edge.Name, Dir: dir, Label: edge.Verb, Sentence: edge.Sentence, Derived: edge.Derived}
	if dir == In {
		c.Label = edge.Inverse
	}
	for _, k := range to {
		c.To = append(c.To, choice(v.kinds[k]))
	}
	for _, p := range edge.Properties {
		c.Properties = append(c.Properties, propertyChoice(p))
	}
	return c
}

func (m *Menu) composed(v *Vocabulary, kinds []int) {
	for _, c := range v.composed {
		for _, dir := range []string{Out, In} {
			near, far, label := c.From, c.To, c.Forward
			if dir == In {
				near, far, label = c.To, c.From, c.Backward
			}
			if !slices.Contains(kinds, v.kind[near]) {
				continue
			}
			choices := ConnectionChoice{Edge: c.Name, Dir: dir, Label: label, Sentence: c.Sentence, Composed: true,
				To: []KindChoice{choice(v.kinds[v.kind[far]])}}
			for _, s := range stepsFrom(c, dir) {
				step := StepChoice{Edge: s.Edge, Dir: Out, To: s.To}
				if s.In {
					step.Dir = In
				}
				choices.Steps = append(choices.Steps, step)
			}
			m.Connections = append(m.Connections, choices)
		}
	}
}
