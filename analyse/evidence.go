package analyse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
)

// evidence renders what an edge rests on: the facts that its rule's pattern
// matched, read again from the same graph.
type evidence struct {
	search *search
	known  map[evidenceKey][]Evidence
}

type evidenceKey struct {
	rule     string
	from, to graph.Node
}

func newEvidence(s *search) *evidence { return &evidence{s, map[evidenceKey][]Evidence{}} }

// of is the evidence of a derived edge.
func (ev *evidence) of(t *technique, e graph.Edge) []Evidence {
	k := evidenceKey{t.ID, e.From, e.To}
	said, known := ev.known[k]
	if !known {
		ev.search.reader.unheard(func() { said = ev.read(t, e) })
		ev.known[k] = said
	}
	ev.search.reader.proves(t, e, said)
	return said
}

func (ev *evidence) read(t *technique, e graph.Edge) []Evidence {
	out := []Evidence{}
	witness := e.Value("witness").List()
	for _, w := range t.ways {
		if len(out) > 0 {
			break
		}
		add := w.query.Add
		ev.search.within(w.query, map[string][]graph.Node{add.From: {e.From}, add.To: {e.To}}, func(b query.Binding) bool {
			if !slices.Equal(kindIDs(w.witness(e.From, e.To, b)), witness) {
				return true // another way, which a guard may prevent
			}
			out = append(out, facts(w.query.Find, b)...)
			return false
		})
	}
	return out
}

// facts puts into words what a pattern's node, and what hangs on it, is bound to.
func facts(n *query.Node, b query.Binding) (out []Evidence) {
	at, ok := b.Node(n.As)
	if !ok {
		return nil
	}
	if said := properties(at, n.Where); len(said) > 0 {
		out = append(out, Evidence{Text: nameOf(at) + ": " + strings.Join(said, ", "), Nodes: []string{kindID(at)}})
	}
	for _, r := range n.With {
		if to, ok := b.Node(r.To.As); ok {
			if text := connection(at, to, r); text != "" {
				out = append(out, Evidence{Text: text, Nodes: []string{kindID(at), kindID(to)}})
			}
		}
		out = append(out, facts(r.To, b)...)
	}
	return out
}

// properties are those a condition names and that are known, in words.
func properties(n graph.Node, where *query.Expr) (out []string) {
	if where == nil {
		return nil
	}
	for _, each := range slices.Concat(where.And, where.Or, []*query.Expr{where.Not}) {
		for _, said := range properties(n, each) {
			if !slices.Contains(out, said) {
				out = append(out, said)
			}
		}
	}
	v := n.Value(where.Prop)
	p, known := kindOf(n.Kind()).Property(where.Prop)
	switch {
	case where.Prop == "" || !known || v.IsNull() || where.Op == query.OpNe:
		return out
	case v.Type() == graph.Bool && v.Bool():
		return append(out, lowerFirst(p.Label))
	case v.Type() == graph.Bool:
		return out
	}
	return append(out, fmt.Sprintf("%s %s", strings.ToLower(p.Label), briefly(v)))
}

// connection says an edge of a pattern with what is known about it.
func connection(near, far graph.Node, r *query.Rel) string {
	from, to := near, far
	if r.Dir == query.In {
		from, to = far, near
	}
	for _, kind := range r.Edge {
		if kind == "RUNS" {
			return "" // a container names its pod
		}
		for e := range from.Out(kind) {
			if e.To != to {
				continue
			}
			return factText(e)
		}
	}
	return ""
}

// factText says an edge with what is known about it.
func factText(e graph.Edge) string {
	kind := edgeOf(e.Kind())
	text := nameOf(e.From) + " " + kind.Verb + " " + nameOf(e.To)
	var more []string
	for _, p := range kind.Properties {
		if v := e.Value(p.Name); !v.IsNull() && v.String() != "" && !inName(e.To, p.Name, v) {
			more = append(more, strings.ToLower(p.Label)+": "+briefly(v))
		}
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, "; ") + ")"
	}
	return text
}

// maxSaid is how long a value in a sentence is: the path of a volume may be a megabyte, and stand at each of thousands of paths.
const maxSaid = 512

// briefly is a value in a sentence: of a long one its beginning.
func briefly(v graph.Value) string {
	text := v.String()
	if v.Type() == graph.List {
		text = strings.Join(some(v.List()), ", ")
	}
	if len(text) <= maxSaid {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxSaid], ""), len(text))
}

// inName says that a node's own name tells the value already: the ports of what listens.
func inName(n graph.Node, property string, v graph.Value) bool {
	return n.Kind() == "NetClass" && len(v.List()) > 0 && slices.Equal(v.List(), n.Value(property).List())
}

// nameOf is a node in a sentence: "pod cart-1".
func nameOf(n graph.Node) string {
	what := label(n.Kind())
	if n.Kind() == "NetClass" {
		return n.Text("name") // which says whom it is made of
	}
	if n.Kind() != "Internet" {
		what = lowerFirst(what)
	}
	return what + " " + cmp.Or(n.Text("name"), n.ID())
}
