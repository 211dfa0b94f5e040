// Package schema is Breakwater's vocabulary: every kind, property and edge of
// the security graph with the sentence that explains it, written in kinds.yaml,
// edges.yaml and composed.yaml. The Explorer's menus, the query checker and the
// reference page are all made from them; nothing else may invent a word.
package schema

import (
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
)

// Kind is a kind of node with what people need to know of it.
type Kind struct {
	Name   string // "Image", as queries write it
	Label  string // "Container image"
	Plural string // "Container images"
	// Group and Family place it in menus: a family ("Workload") is picked whole.
	Group, Family string
	Sentence      string
	Shared        bool
	// Dependent shared nodes leave with the last edge from another shared node.
	Dependent  bool
	Tenant     string
	Properties []Property `yaml:"-"`
	// Coverage is the Bool property that must be true before the absence of
	// something about this node proves anything; Uncovered says it in words
	// ("were never scanned").
	Coverage, Uncovered string
	// Partly is the Bool property that is true where something was seen and not all
	// of it: what is there holds, what is missing proves nothing. InPart says it in
	// words ("were read in part").
	Partly string
	InPart string `yaml:"inPart"`
	// Over is the Bool property that is true of what has ended: an attacker gains
	// nothing from it, and it cannot be gained.
	Over string
}

// Property is a column with its sentence.
type Property struct {
	graph.Column
	Label    string
	Sentence string
	// Insight marks a Bool worth a badge; the sentence says why it matters.
	Insight bool
	// Record says that the value lives in the store, not in the graph: a query
	// resolves conditions on it through its caller.
	Record bool
}

// Edge is a kind of edge with what people need to know of it.
type Edge struct {
	Name string // "ROUTES_TO"
	// Verb reads forward ("routes to"), Inverse backward ("is reached through").
	Verb, Inverse string
	Sentence      string
	Joins         []Pair `yaml:"-"`
	// Through names an edge that this one holds through: where it leads to a node,
	// it leads to what an edge of that name leads to from there, too, as far as it
	// joins such kinds. Queries know; nothing of it is stored.
	Through string
	// Step says that an attack path may walk this edge. Derived edges are made
	// by attack rules and are always steps.
	Step, Derived bool
	// Coverage names the kind and Bool property that must be true on the source
	// before a missing edge proves anything: {"Image", "scanned"}.
	Coverage   Pair
	Properties []Property `yaml:"-"`
}

// Pair is two kind names an edge joins, or a kind and a property.
type Pair struct{ From, To string }

// Groups in the order menus show them.
var Groups = []string{"Images", "Kubernetes", "Identity", "Cloud", "Network"}

// Vocabulary is the schema as the graph engine takes it.
func Vocabulary() *graph.Vocabulary { return vocabulary() }

var vocabulary = sync.OnceValue(func() *graph.Vocabulary {
	var kinds []graph.Kind
	for _, k := range Kinds() {
		kinds = append(
			kinds,
			graph.Kind{Name: k.Name, Shared: k.Shared, Dependent: k.Dependent, Tenant: k.Tenant, Columns: columns(k.Properties)},
		)
	}
	var edges []graph.EdgeKind
	for _, e := range Edges() {
		edges = append(edges, graph.EdgeKind{Name: e.Name, Columns: columns(e.Properties)})
	}
	return graph.NewVocabulary(kinds, edges)
})

func columns(ps []Property) []graph.Column {
	var cols []graph.Column
	for _, p := range ps {
		cols = append(cols, p.Column)
	}
	return cols
}

// KindNamed finds a kind.
func KindNamed(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds(), func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds()[i], true
}

// EdgeNamed finds an edge kind.
func EdgeNamed(name string) (Edge, bool) {
	i := slices.IndexFunc(Edges(), func(e Edge) bool { return e.Name == name })
	if i < 0 {
		return Edge{}, false
	}
	return Edges()[i], true
}

// Property finds a property of a kind.
func (k Kind) Property(name string) (Property, bool) { return property(k.Properties, name) }

// Property finds a property of an edge kind.
func (e Edge) Property(name string) (Property, bool) { return property(e.Properties, name) }

func property(ps []Property, name string) (Property, bool) {
	i := slices.IndexFunc(ps, func(p Property) bool { return p.Name == name })
	if i < 0 {
		return Property{}, false
	}
	return ps[i], true
}

// Family lists the kinds of a family, or the kind itself: "Workload" → six kinds.
func Family(name string) []string { return family(Kinds(), name) }

func family(kinds []Kind, name string) []string {
	var out []string
	for _, k := range kinds {
		if k.Name == name || k.Family == name {
			out = append(out, k.Name)
		}
	}
	return out
}

// Joins says whether the edge may lead from one kind to another.
func (e Edge) CanJoin(from, to string) bool { return slices.Contains(e.Joins, Pair{from, to}) }
