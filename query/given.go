package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// Given makes a view of a few lines of text, for the tests of rules and
// templates:
//
//	cluster prod
//	Pod web hostNetwork=true -RUNS-> Container web/app privileged=true
//	Image sha256:1 -HAS_VULNERABILITY{severity=High}-> Vulnerability CVE-1
//
// Nodes are kind, id and properties, in any order and as often as wanted.
// Lists are written a,b; values with spaces in double quotes. Lines before any
// "cluster" line belong to one called c. gv is the graph's side of the
// vocabulary.
func Given(v *Vocabulary, gv *graph.Vocabulary, text string) (*graph.View, error) {
	g := &given{v: v, gv: gv, shared: graph.NewShared(gv), builders: map[string]*graph.Builder{}, edges: map[string][]graph.Target{}}
	cluster := "c"
	for n, line := range strings.Split(text, "\n") {
		words, err := fields(line)
		if err == nil && len(words) == 2 && words[0] == "cluster" {
			cluster = words[1]
			continue
		}
		if err == nil && len(words) > 0 {
			err = g.line(cluster, words)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return g.view(), nil
}

type given struct {
	v        *Vocabulary
	gv       *graph.Vocabulary
	shared   *graph.Shared
	builders map[string]*graph.Builder
	order    []string
	edges    map[string][]graph.Target // shared edges by source
}

// fields splits at spaces, but not inside double quotes or braces.
func fields(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	quoted, braces := false, 0
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
			word.WriteRune('"')
		case r == '#' && !quoted && word.Len() == 0:
			flush()
			return out, nil
		case (r == ' ' || r == '\t' || r == '\r') && !quoted && braces == 0:
			flush()
		default:
			if r == '{' && !quoted {
				braces++
			}
			if r == '}' && !quoted {
				braces--
			}
			word.WriteRune(r)
		}
	}
	flush()
	if quoted || braces != 0 {
		return nil, fmt.Errorf("a quote or brace is never closed")
	}
	return out, nil
}

type givenNode struct {
	kind  int
	id    string
	props []graph.Prop
}

func (g *given) line(cluster string, words []string) error {
	at, rest, err := g.node(words)
	if err != nil {
		return err
	}
	g.put(cluster, at)
	for len(rest) > 0 {
		edge, props, back, err := g.edge(rest[0])
		if err != nil {
			return err
		}
		next, more, err := g.node(rest[1:])
		if err != nil {
			return err
		}
		g.put(cluster, next)
		from, to := at, next
		if back {
			from, to = to, from
		}
		if !g.v.edges[g.v.edge[edge]].CanJoin(g.v.kinds[from.kind].Name, g.v.kinds[to.kind].Name) {
			return fmt.Errorf("%s does not join %s to %s", edge, g.v.kinds[from.kind].Name, g.v.kinds[to.kind].Name)
		}
		g.join(cluster, edge, from, to, props)
		at, rest = next, more
	}
	return nil
}

func (g *given) node(words []string) (givenNode, []string, error) {
	if len(words) < 2 {
		return givenNode{}, nil, fmt.Errorf("a node is its kind and id, found %q", strings.Join(words, " "))
	}
	kind, ok := g.v.kind[words[0]]
	if !ok {
		return givenNode{}, nil, fmt.Errorf("there is no kind %s; %s", words[0], nearest(words[0], g.v.kindNames()))
	}
	n := givenNode{kind: kind, id: strings.Trim(words[1], `"`)}
	words = words[2:]
	for len(words) > 0 && !isEdgeWord(words[0]) {
		name, text, ok := strings.Cut(words[0], "=")
		p, known := g.v.kinds[kind].Property(name)
		if !ok || !known {
			return n, nil, fmt.Errorf("%s has no property for %q", g.v.kinds[kind].Name, words[0])
		}
		value, err := parseValue(p.Column, text)
		if err != nil {
			return n, nil, err
		}
		n.props = append(n.props, graph.Prop{Name: name, Value: value})
		words = words[1:]
	}
	return n, words, nil
}

func isEdgeWord(s string) bool {
	return strings.HasPrefix(s, "-") && strings.HasSuffix(s, "->") || strings.HasPrefix(s, "<-") && strings.HasSuffix(s, "-")
}

// edge reads -NAME{a=1}-> or <-NAME-.
func (g *given) edge(s string) (name string, props []graph.Prop, back bool, err error) {
	back = s[0] == '<'
	s = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(s, "<"), "-"), ">"), "-")
	name, inner, braces := strings.Cut(s, "{")
	e, ok := g.v.edge[name]
	if !ok {
		return "", nil, false, fmt.Errorf("there is no edge %s; %s", name, nearest(name, g.v.edgeNames()))
	}
	if !braces {
		return name, nil, back, nil
	}
	words, err := fields(strings.TrimSuffix(inner, "}"))
	if err != nil {
		return "", nil, false, err
	}
	for _, w := range words {
		key, text, _ := strings.Cut(w, "=")
		p, known := g.v.edges[e].Property(key)
		if !known {
			return "", nil, false, fmt.Errorf("%s has no property %s", name, key)
		}
		v, err := parseValue(p.Column, text)
		if err != nil {
			return "", nil, false, err
		}
		props = append(props, graph.Prop{Name: key, Value: v})
	}
	return name, props, back, nil
}

func parseValue(c graph.Column, s string) (graph.Value, error) {
	s = strings.Trim(s, `"`)
	var err error
	switch c.Type {
	case graph.Int:
		var n int64
		if n, err = strconv.ParseInt(s, 10, 64); err == nil {
			return graph.IntValue(n), nil
		}
	case graph.Float:
		var f float64
		if f, err = strconv.ParseFloat(s, 64); err == nil {
			return graph.FloatValue(f), nil
		}
	case graph.Bool:
		if s == "true" || s == "false" {
			return graph.BoolValue(s == "true"), nil
		}
		err = fmt.Errorf("it is true or false")
	case graph.Time:
		t, terr := moment(s)
		if err = terr; err == nil {
			return graph.TimeValue(t), nil
		}
	case graph.List:
		if s == "" {
			return graph.ListValue(nil), nil
		}
		return graph.ListValue(strings.Split(s, ",")), nil
	case graph.Enum:
		for _, e := range c.Enum {
			if e == s {
				return graph.TextValue(s), nil
			}
		}
		err = fmt.Errorf("it is one of %s", strings.Join(c.Enum, ", "))
	default:
		return graph.TextValue(s), nil
	}
	return graph.Value{}, fmt.Errorf("%s=%s: %w", c.Name, s, err)
}

func (g *given) builder(cluster string) *graph.Builder {
	if g.builders[cluster] == nil {
		g.builders[cluster] = graph.NewBuilder(g.gv, cluster)
		g.order = append(g.order, cluster)
	}
	return g.builders[cluster]
}

func (g *given) put(cluster string, n givenNode) {
	if k := g.v.kinds[n.kind]; k.Shared {
		g.shared.Put(k.Name, n.id, n.props...)
	} else {
		g.builder(cluster).Node(k.Name, n.id, n.props...)
	}
}

func (g *given) join(cluster, edge string, from, to givenNode, props []graph.Prop) {
	f, t := g.v.kinds[from.kind], g.v.kinds[to.kind]
	if !f.Shared || !t.Shared {
		b := g.builder(cluster)
		b.Edge(edge, b.Ref(f.Name, from.id), b.Ref(t.Name, to.id), props...)
		return
	}
	key := strings.Join([]string{edge, f.Name, from.id, t.Name}, "\x00")
	g.edges[key] = append(g.edges[key], graph.Target{Kind: t.Name, ID: to.id, Props: props})
	g.shared.SetEdges(edge, f.Name, from.id, t.Name, g.edges[key])
}

func (g *given) view() *graph.View {
	shared := g.shared.Freeze()
	var clusters []*graph.Segment
	for _, name := range g.order {
		seg, _ := g.builders[name].Build(shared)
		clusters = append(clusters, seg)
	}
	return graph.NewView(g.gv, shared, clusters...)
}
