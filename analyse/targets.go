package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// targets says in which nodes each type of paths may end. It is asked about every step
// of a cluster, so that each node has the number of a set of types.
type targets struct {
	sets [][]int            // types by number, ascending; the first set is empty
	with map[[2]int32]int32 // a set with one type more
	at   [][]int32          // the set of a node, by kind and index
}

func newTargets() *targets { return &targets{sets: [][]int{nil}, with: map[[2]int32]int32{}} }

// add makes a node a target of a type; types come in their order.
func (t *targets) add(n graph.Node, of int) {
	kind, i := n.KindIndex(), int(n.Index())
	for len(t.at) <= kind {
		t.at = append(t.at, nil)
	}
	if more := i + 1 - len(t.at[kind]); more > 0 {
		t.at[kind] = append(t.at[kind], make([]int32, max(more, len(t.at[kind])))...)
	}
	step := [2]int32{t.at[kind][i], int32(of)}
	set, known := t.with[step]
	if !known {
		set = int32(len(t.sets))
		t.with[step] = set
		t.sets = append(t.sets, append(slices.Clone(t.sets[step[0]]), of))
	}
	t.at[kind][i] = set
}

// of are the types that may end in a node.
func (t *targets) of(n graph.Node) []int {
	if kind, i := n.KindIndex(), int(n.Index()); kind < len(t.at) && i < len(t.at[kind]) {
		return t.sets[t.at[kind][i]]
	}
	return nil
}

// has says whether a type of paths may end in a node.
func (t *targets) has(of int, n graph.Node) bool { return slices.Contains(t.of(n), of) }
