package query

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// Options bounds an evaluation and fills in what the query leaves open.
type Options struct {
	// Skip and Limit are the visible page of the query's result. Limit 0 means
	// DefaultLimit; below 0 no rows, only counts.
	Skip, Limit int
	// Deadline and MemoryLimit (bytes) end an evaluation early, with what is
	// known by then and the reason. Zero means no bound.
	Deadline    time.Duration
	MemoryLimit int64
	// Memory is a share of what all questions may use at once: one that takes too much of it ends with ErrMemory.
	Memory  *Share
	Params  map[string]any // strings, ints, floats, bools and lists of them
	Records Records
	// Within narrows variables to nodes of the view, beyond what the query says.
	Within map[string][]graph.Node
	// Vocabulary is Schema() unless set.
	Vocabulary *Vocabulary
	// AsOf is when the view was true; it is passed through to the result.
	AsOf time.Time
}

// DefaultLimit is the page of a caller who asks for none.
const DefaultLimit = 100

// AllRows as a Limit asks for every row.
const AllRows = int(^uint(0) >> 1)

// Result is the visible page of the rows, and how many there are.
type Result struct {
	Columns []Column `json:"columns"`
	Rows    [][]Cell `json:"rows"`
	// Roots is the number of distinct nodes the query set out to find; Total
	// the number of rows before SKIP and LIMIT.
	Roots int   `json:"roots"`
	Total int64 `json:"total"`
	// Matched is the number of distinct nodes of each named variable.
	Matched map[string]int `json:"matched,omitempty"`
	// Partial is why the answer is not whole; empty if it is. Rows are then
	// right but some are missing, and Total is what is known to be there.
	Partial string        `json:"partial"`
	Gaps    []Gap         `json:"gaps"`
	Elapsed time.Duration `json:"elapsed"`
	AsOf    time.Time     `json:"asOf,omitzero"`
}

// Column describes one column of the rows.
type Column struct {
	Name string `json:"name"`
	// Type is node, edge, or the type of a property or count.
	Type  string   `json:"type"`
	Of    string   `json:"of,omitempty"` // the variable
	Prop  string   `json:"prop,omitempty"`
	Kinds []string `json:"kinds,omitempty"` // of the variable: node kinds, or edge kinds
}

// Cell is one value: a node, an edge, or a property's value. All are empty
// where an OPTIONAL MATCH found nothing.
type Cell struct {
	Node  graph.Node
	Edge  *Edge
	Value graph.Value
}

// Edge is an edge as a row's value.
type Edge struct {
	Kind     string
	From, To graph.Node
	Props    []graph.Prop
}

// Gap is what an answer cannot know: how many things it depends on that nobody
// looked into. Its JSON is that of every other gap.
type Gap struct {
	Cluster     string   `json:"cluster,omitempty"`
	Source      string   `json:"source"` // "query"
	What        string   `json:"what"`
	Why         string   `json:"why"`
	Consequence string   `json:"consequence"`
	Kinds       []string `json:"kinds,omitempty"`
	Count       int      `json:"count"`
}

func (c Cell) IsNull() bool { return c.Node.IsZero() && c.Edge == nil && c.Value.IsNull() }

// Name is what people call a node: its name, or its id where it has none.
func Name(n graph.Node) string {
	if s := n.Text("name"); s != "" {
		return s
	}
	return n.ID()
}

// String is the cell for people and CSV; a node is its stable id.
func (c Cell) String() string {
	switch {
	case !c.Node.IsZero():
		return c.Node.ID()
	case c.Edge != nil:
		return c.Edge.From.ID() + " -" + c.Edge.Kind + "-> " + c.Edge.To.ID()
	}
	return c.Value.String()
}

func (c Cell) MarshalJSON() ([]byte, error) {
	switch {
	case !c.Node.IsZero():
		return json.Marshal(nodeJSON(c.Node))
	case c.Edge != nil:
		props := map[string]any{}
		for _, p := range c.Edge.Props {
			props[p.Name] = p.Any()
		}
		return json.Marshal(map[string]any{"edge": c.Edge.Kind, "from": nodeJSON(c.Edge.From), "to": nodeJSON(c.Edge.To), "properties": props})
	}
	return json.Marshal(c.Value.Any())
}

func nodeJSON(n graph.Node) map[string]string {
	out := map[string]string{"kind": n.Kind(), "id": n.ID(), "name": Name(n)}
	for _, where := range []string{"cluster", "namespace"} {
		if s := n.Text(where); s != "" {
			out[where] = s
		}
	}
	return out
}

// Problems is the error of a query that does not check.
type Problems []Problem

func (p Problems) Error() string {
	out := make([]string, len(p))
	for i := range p {
		out[i] = p[i].Error()
	}
	return strings.Join(out, "\n")
}
