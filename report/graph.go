// Package report writes a World in the shapes the command line promises: the
// whole graph, exposure per workload, attack paths. Server and command line use
// the same functions, so that an answer does not depend on who gave it. It
// judges nothing.
package report

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/scope"
)

// Node is a node of the graph document.
type Node struct {
	ID         string         `json:"id"`
	Kind       string         `json:"kind"`
	Name       string         `json:"name"`
	Namespace  string         `json:"namespace,omitempty"`
	Cluster    string         `json:"cluster,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
}

// Edge is an edge of the graph document; Rule is set on derived edges.
type Edge struct {
	Kind       string         `json:"kind"`
	From       string         `json:"from"`
	To         string         `json:"to"`
	Properties map[string]any `json:"properties,omitempty"`
	Rule       string         `json:"rule,omitempty"`
}

// NodeOf describes one node.
func NodeOf(n graph.Node) Node {
	out := Node{ID: n.ID(), Kind: n.Kind(), Name: n.Text("name"), Namespace: n.Text("namespace"), Cluster: n.Cluster(),
		Properties: map[string]any{}}
	if out.Name == "" {
		out.Name = out.ID
	}
	kind, _ := schema.KindNamed(n.Kind())
	for _, p := range kind.Properties {
		switch p.Name {
		case "name", "namespace", "cluster":
		default:
			if v := n.Value(p.Name); !v.IsNull() {
				out.Properties[p.Name] = v.Any()
			}
		}
	}
	return out
}

// EdgeOf describes one edge.
func EdgeOf(e graph.Edge) Edge {
	out := Edge{Kind: e.Kind(), From: e.From.ID(), To: e.To.ID(), Properties: map[string]any{}}
	kind, _ := schema.EdgeNamed(e.Kind())
	for _, p := range kind.Properties {
		v := e.Value(p.Name)
		switch {
		case v.IsNull():
		case p.Name == "rule":
			out.Rule = v.Str()
		default:
			out.Properties[p.Name] = v.Any()
		}
	}
	return out
}

// nodes yields every node of a view: shared kinds once, the others by cluster.
func nodes(v *graph.View, yield func(graph.Node) error) error {
	for _, k := range schema.Kinds() {
		for n := range v.Nodes(k.Name) {
			if err := yield(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// Graph streams {nodes, edges, gaps} as one JSON document, or as one item per
// line: nodes first, then edges, then gaps, each {"node": …}, {"edge": …}, {"gap": …}.
func Graph(w io.Writer, of *scope.World, gaps []collect.Gap, lines bool) error {
	b := bufio.NewWriterSize(w, 1<<16)
	d := &document{w: b, lines: lines, enc: json.NewEncoder(b)}
	d.enc.SetEscapeHTML(false)
	d.open("{\n\"nodes\": [\n")
	err := nodes(of.View, func(n graph.Node) error { return d.item("node", NodeOf(n)) })
	if err != nil {
		return err
	}
	d.next("],\n\"edges\": [\n")
	err = nodes(of.View, func(n graph.Node) error {
		for e := range n.Out("") {
			if err := d.item("edge", EdgeOf(e)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.next("],\n\"gaps\": [\n")
	for _, g := range gaps {
		if err := d.item("gap", g); err != nil {
			return err
		}
	}
	d.open("]\n}\n")
	return b.Flush()
}

// document writes lists item by item.
type document struct {
	w     *bufio.Writer
	enc   *json.Encoder
	lines bool
	some  bool
}

func (d *document) open(s string) {
	if !d.lines {
		d.w.WriteString(s) // bufio keeps the error until Flush
	}
}

func (d *document) next(s string) {
	d.open(s)
	d.some = false
}

func (d *document) item(name string, v any) error {
	if d.lines {
		return d.enc.Encode(map[string]any{name: v})
	}
	if d.some {
		d.w.WriteString(",")
	}
	d.some = true
	return d.enc.Encode(v)
}
