package schema

import (
	"embed"
	"fmt"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed kinds.yaml edges.yaml composed.yaml
var files embed.FS

// The files are read for the first who asks: a process that reads an image, and many a
// command, has no use for them.
var (
	kinds       = sync.OnceValue(func() []Kind { return read("kinds.yaml").kinds() })
	edges       = sync.OnceValue(func() []Edge { return read("edges.yaml").edges(Kinds()) })
	composition = sync.OnceValue(func() []Composed { return read("composed.yaml").Compositions })
)

// Kinds is every kind of node.
func Kinds() []Kind { return kinds() }

// Edges is every kind of edge.
func Edges() []Edge { return edges() }

// Composition is every composed connection.
func Composition() []Composed { return composition() }

// written is what a file of the vocabulary may hold.
type written struct {
	// Sets are properties that several have: a list of properties names them as {set: …}.
	Sets  map[string][]writtenProperty
	Kinds []struct {
		Kind       `yaml:",inline"`
		Properties []writtenProperty
	}
	Edges []struct {
		Edge       `yaml:",inline"`
		Joins      []struct{ From, To []string } // each of from with each of to; a family stands for its kinds
		Properties []writtenProperty
	}
	Compositions []Composed
}

// writtenProperty is the name of a set, or a property, its name after its type: {text: name, label: …}.
type writtenProperty struct {
	Set, Text, Number, Float, Flag, Moment, List string

	Word    string // a text of which few distinct ones occur
	Insight string // a flag worth a badge
	Enum    string // one of the values, lowest first
	Values  []string
	Names   bool // graph.Column has what it means

	Label, Sentence string
}

// read reads a file that is part of this package: what is wrong in it is our own fault.
func read(name string) (w written) {
	if _, err := strictyaml.Read(files, name, &w); err != nil {
		panic(err)
	}
	return w
}

func (w written) kinds() (out []Kind) {
	for _, k := range w.Kinds {
		k.Kind.Properties = w.properties(k.Name, k.Properties)
		out = append(out, k.Kind)
	}
	return out
}

func (w written) edges(kinds []Kind) (out []Edge) {
	for _, e := range w.Edges {
		e.Edge.Properties = w.properties(e.Name, e.Properties)
		for _, j := range e.Joins {
			for _, from := range families(kinds, j.From) {
				for _, to := range families(kinds, j.To) {
					e.Edge.Joins = append(e.Edge.Joins, Pair{from, to})
				}
			}
		}
		out = append(out, e.Edge)
	}
	return out
}

func families(kinds []Kind, names []string) (out []string) {
	for _, name := range names {
		of := family(kinds, name)
		if len(of) == 0 {
			panic("edges.yaml: there is no kind and no family " + name)
		}
		out = append(out, of...)
	}
	return out
}

// properties are those that of has, the sets written out.
func (w written) properties(of string, list []writtenProperty) (out []Property) {
	for _, p := range list {
		if p.Set == "" {
			out = append(out, p.property(of))
		} else if set := w.Sets[p.Set]; len(set) > 0 {
			out = append(out, w.properties(of, set)...)
		} else {
			panic(fmt.Sprintf("%s: there is no set %s of properties", of, p.Set))
		}
	}
	return out
}

func (w writtenProperty) property(of string) Property {
	p := Property{Label: w.Label, Sentence: w.Sentence, Insight: w.Insight != ""}
	for _, c := range []graph.Column{
		{Name: w.Text, Type: graph.Text}, {Name: w.Word, Type: graph.Text, Dict: true}, {Name: w.Number, Type: graph.Int},
		{Name: w.Float, Type: graph.Float}, {Name: w.Flag, Type: graph.Bool}, {Name: w.Insight, Type: graph.Bool},
		{Name: w.Moment, Type: graph.Time}, {Name: w.List, Type: graph.List}, {Name: w.Enum, Type: graph.Enum, Enum: w.Values},
	} {
		if c.Name != "" {
			p.Column = c
		}
	}
	p.Names = w.Names
	if p.Name == "" || p.Label == "" || p.Sentence == "" {
		panic(fmt.Sprintf("%s: property %q: want a name after its type, a label and a sentence", of, p.Name))
	}
	return p
}
