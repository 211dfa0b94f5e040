// Package query is the Explorer's language: one tree with two spellings, JSON
// and a subset of Cypher, each printing exactly what the other says. It parses,
// prints, checks, plans and runs such trees on a graph.View, always within a
// graph.Scope.
//
// What a text means is what Cypher says, with one deviation: ordered enums
// compare by rank (severity >= 'High'). The package knows the vocabulary it is
// handed and no rule, cluster or store; conditions on records are resolved by a
// func from the caller.
package query

// Query is a tree of nodes, with what to return of it or the edge to add.
type Query struct {
	Find     *Node  `json:"find"`
	Distinct bool   `json:"distinct,omitempty"`
	Return   []Item `json:"return,omitempty"` // empty: every named variable
	Order    []Key  `json:"order,omitempty"`
	Skip     int    `json:"skip,omitempty"`
	Limit    int    `json:"limit,omitempty"` // 0: no limit of its own
	Add      *Add   `json:"add,omitempty"`   // attack rules only
}

// Node is a set of things of some kinds, narrowed by a condition and joined to
// more nodes. No kinds means every kind its edge can lead to.
type Node struct {
	As    string   `json:"as,omitempty"`
	Kinds []string `json:"kinds,omitempty"`
	Where *Expr    `json:"where,omitempty"`
	With  []*Rel   `json:"with,omitempty"`

	pos     Pos
	kindPos []Pos
	path    string // in the JSON it came as
}

// Directions of a Rel: along its edges, or against them.
const (
	Out = "out"
	In  = "in"
)

// Rel joins the node that holds it to another. Several edge kinds mean any of
// them. UpTo > 0 means one to that many steps and is for EXISTS only.
type Rel struct {
	As       string   `json:"as,omitempty"`
	Edge     []string `json:"edge"`
	Dir      string   `json:"dir"`
	UpTo     int      `json:"upTo,omitempty"`
	Optional bool     `json:"optional,omitempty"`
	To       *Node    `json:"to"`

	pos     Pos
	edgePos []Pos
	path    string
}

// Expr is a condition with three answers: true, false and unknown. Exactly one
// form is filled: And, Or, Not, Exists, Count with Op and Value, or a predicate
// on the property Prop of variable Of (empty: of the node that holds it).
type Expr struct {
	And    []*Expr `json:"and,omitempty"`
	Or     []*Expr `json:"or,omitempty"`
	Not    *Expr   `json:"not,omitempty"`
	Of     string  `json:"of,omitempty"`
	Prop   string  `json:"prop,omitempty"`
	Fold   bool    `json:"fold,omitempty"` // toLower(of.prop)
	Op     string  `json:"op,omitempty"`   // one of the Ops; empty: the property is true
	Value  *Value  `json:"value,omitempty"`
	Exists *Rel    `json:"exists,omitempty"`
	Count  *Rel    `json:"count,omitempty"`

	pos      Pos
	propPos  Pos
	valuePos Pos
	path     string
}

// Ops of a predicate. OpHas is Cypher's `value IN of.prop`.
const (
	OpTrue     = ""
	OpEq       = "="
	OpNe       = "<>"
	OpLt       = "<"
	OpLe       = "<="
	OpGt       = ">"
	OpGe       = ">="
	OpContains = "CONTAINS"
	OpStarts   = "STARTS WITH"
	OpEnds     = "ENDS WITH"
	OpIn       = "IN"
	OpHas      = "HAS"
	OpNull     = "IS NULL"
	OpNotNull  = "IS NOT NULL"
)

// Item is a column: a variable, a property of one, or a count of one.
type Item struct {
	Of       string `json:"of"`
	Prop     string `json:"prop,omitempty"`
	Fold     bool   `json:"fold,omitempty"`
	Count    bool   `json:"count,omitempty"`
	Distinct bool   `json:"distinct,omitempty"` // count(DISTINCT of)
	As       string `json:"as,omitempty"`

	pos Pos
}

// Key is a sort key: a property, or a returned column by Name.
type Key struct {
	Of   string `json:"of,omitempty"`
	Prop string `json:"prop,omitempty"`
	Fold bool   `json:"fold,omitempty"`
	Name string `json:"name,omitempty"`
	Desc bool   `json:"desc,omitempty"`

	pos Pos
}

// Add is the edge an attack rule makes of each match.
type Add struct {
	From string `json:"from"`
	Edge string `json:"edge"`
	To   string `json:"to"`

	pos Pos
}

// Pos is a place in a text: line and column count from 1, columns in
// characters. The zero Pos is unknown, as in trees that came as JSON.
type Pos struct{ Line, Col int }

// Limits on what strangers may send.
const (
	MaxText  = 64 << 10 // bytes of a text
	MaxDepth = 32       // nesting of conditions and of connections
	MaxNodes = 64       // nodes of a tree, those of EXISTS and COUNT included
	MaxTerms = 1000     // conditions of a tree, and values of one list
	MaxUpTo  = 20       // steps of a bounded reachability
)

// Problem is what is wrong with a query, where, and what may have been meant.
type Problem struct {
	Line       int    `json:"line,omitempty"` // in the text, from 1
	Col        int    `json:"col,omitempty"`
	Path       string `json:"path,omitempty"` // in the JSON, such as find.with[0].to.where
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

func (p *Problem) Error() string {
	s := p.Message
	if p.Suggestion != "" {
		s += "; " + p.Suggestion
	}
	if p.Line > 0 {
		return itoa(p.Line) + ":" + itoa(p.Col) + ": " + s
	}
	if p.Path != "" {
		return p.Path + ": " + s
	}
	return s
}
