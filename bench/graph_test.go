package bench

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// measured skips what only `make bench` runs.
func measured(t *testing.T) {
	t.Helper()
	if os.Getenv("BENCH") == "" {
		t.Skip("make bench runs it")
	}
}

func podsWanted(otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv("PODS")); err == nil {
		return n
	}
	return otherwise
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// size counts the nodes and edges of a view, and the bytes of its adjacency
// alone: offsets and far ends in both directions.
func size(v *graph.View) (nodes, edges, adjacency int) {
	segs := append([]*graph.Segment{v.Shared()}, v.Clusters()...)
	voc := schema.Vocabulary()
	for _, s := range segs {
		for k, kind := range voc.Kinds() {
			if kind.Shared == s.Shared() {
				nodes += s.Len(k)
			}
		}
		for e := range voc.Edges() {
			for _, r := range s.Rels(e) {
				edges += r.Len()
				adjacency += 4 * (s.Len(r.From) + 1 + s.Len(r.To) + 1 + 2*r.Len())
			}
		}
	}
	return nodes, edges, adjacency
}

// TestMeasureGraph builds the estate and says what it costs.
func TestMeasureGraph(t *testing.T) {
	measured(t)
	pods := podsWanted(1_000_000)
	before, begin := heap(), time.Now()
	v := queryEstate(pods)
	took := time.Since(begin)
	bytes := heap() - before
	nodes, edges, adjacency := size(v)
	t.Logf("%d pods in %d clusters: %d nodes, %d edges; built in %s", pods, len(v.Clusters()), nodes, edges, took.Round(time.Millisecond))
	t.Logf("heap %d MiB: %.1f bytes a node or edge with payload; adjacency alone %.1f bytes an edge, both directions", bytes>>20,
		float64(bytes)/float64(nodes+edges), float64(adjacency)/float64(edges))
	runtime.KeepAlive(v)
}

// plainNode is the graph that one writes first: maps and pointers.
type plainNode struct {
	id      string
	props   map[string]any
	out, in map[string][]*plainEdge
}

type plainEdge struct{ from, to *plainNode }

// TestMeasureAgainstMapsAndPointers holds the same estate both ways, at a size
// that both fit, and asks both the same.
func TestMeasureAgainstMapsAndPointers(t *testing.T) {
	measured(t)
	before := heap()
	v := queryEstate(50_000)
	ours := heap() - before
	before = heap()
	plain := pointers(v)
	theirs := heap() - before
	t.Logf("memory: ours %d MiB, maps and pointers %d MiB: %.1f times as much", ours>>20, theirs>>20, float64(theirs)/float64(ours))
	runtime.KeepAlive(plain)
	runtime.KeepAlive(v)
}

func pointers(v *graph.View) map[graph.Node]*plainNode {
	all := map[graph.Node]*plainNode{}
	node := func(n graph.Node) *plainNode {
		p := all[n]
		if p == nil {
			p = &plainNode{id: n.ID(), props: map[string]any{}, out: map[string][]*plainEdge{}, in: map[string][]*plainEdge{}}
			kind, _ := schema.KindNamed(n.Kind())
			for _, prop := range kind.Properties {
				if val := n.Value(prop.Name); !val.IsNull() {
					p.props[prop.Name] = val.Any()
				}
			}
			all[n] = p
		}
		return p
	}
	for _, k := range schema.Kinds() {
		for n := range v.Nodes(k.Name) {
			from := node(n)
			for e := range n.Out("") {
				edge := &plainEdge{from: from, to: node(e.To)}
				from.out[e.Kind()] = append(from.out[e.Kind()], edge)
				edge.to.in[e.Kind()] = append(edge.to.in[e.Kind()], edge)
			}
		}
	}
	return all
}
