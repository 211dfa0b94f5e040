// Package graph is an immutable, in-memory property graph: typed columns and
// compressed adjacency in segments, joined by views. It knows nothing about
// Kubernetes; what the kinds mean is told by a Vocabulary handed in.
package graph

import "fmt"

// Type is the type of a column.
type Type uint8

const (
	Null  Type = iota
	Text       // any string
	Int        // int64
	Float      // float64
	Bool
	Time // nanoseconds since 1970
	List // a set of strings
	Enum // a string of Column.Enum, compared by rank
)

func (t Type) String() string {
	return [...]string{"null", "text", "int", "float", "bool", "time", "list", "enum"}[t]
}

// Column is one property of a kind.
type Column struct {
	Name string
	Type Type
	// Enum lists the values of an Enum column, lowest first.
	Enum []string
	// Dict says that few distinct values occur, so that they share a dictionary.
	Dict bool
	// Names says that the column may name other things than the node, or the edge's
	// two ends: it is not seen by who sees only tenants of the segment.
	Names bool
}

// Kind is a kind of node. Every kind has an implicit text id.
type Kind struct {
	Name string
	// Shared kinds live in the shared segment and are seen by every cluster's.
	Shared bool
	// Dependent shared nodes leave with the last shared edge that led to them.
	Dependent bool
	Columns   []Column
	// Tenant is the column that a Scope may restrict by; a node of a kind
	// without one is seen only by those who see its whole segment.
	Tenant string
}

// EdgeKind is a kind of edge. It may join several pairs of node kinds.
type EdgeKind struct {
	Name    string
	Columns []Column
}

// Vocabulary is the kinds a graph is made of. It is read-only once made.
type Vocabulary struct {
	kinds []Kind
	edges []EdgeKind
	kind  map[string]int
	edge  map[string]int
}

// NewVocabulary indexes kinds and edges. A name twice is a programming error.
func NewVocabulary(kinds []Kind, edges []EdgeKind) *Vocabulary {
	v := &Vocabulary{kinds: kinds, edges: edges, kind: map[string]int{}, edge: map[string]int{}}
	for i, k := range kinds {
		if _, twice := v.kind[k.Name]; twice {
			panic(fmt.Sprintf("graph: kind %s twice", k.Name))
		}
		v.kind[k.Name] = i
	}
	for i, e := range edges {
		if _, twice := v.edge[e.Name]; twice {
			panic(fmt.Sprintf("graph: edge %s twice", e.Name))
		}
		v.edge[e.Name] = i
	}
	return v
}

// Kinds lists the node kinds; a kind's position is its number in segments.
func (v *Vocabulary) Kinds() []Kind { return v.kinds }

// Edges lists the edge kinds.
func (v *Vocabulary) Edges() []EdgeKind { return v.edges }

// KindIndex is the number of a kind, or -1.
func (v *Vocabulary) KindIndex(name string) int { return index(v.kind, name) }

// EdgeIndex is the number of an edge kind, or -1.
func (v *Vocabulary) EdgeIndex(name string) int { return index(v.edge, name) }

func index(m map[string]int, name string) int {
	if i, ok := m[name]; ok {
		return i
	}
	return -1
}

func columnIndex(cols []Column, name string) int {
	for i := range cols {
		if cols[i].Name == name {
			return i
		}
	}
	return -1
}
