package query

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// adjacencies are the edges of a kind in a segment: those it holds, and those that
// follow from an edge to what contains the far end.
func (e *engine) adjacencies(seg, edge int, wanted func(from, to int) bool) []*graph.Rel {
	held := e.segs[seg].Rels(edge)
	through, known := e.voc.edge[e.voc.edges[edge].Through]
	if !known {
		return held
	}
	out := slices.Clone(held)
	for _, first := range held {
		for _, then := range e.segs[seg].Rels(through) {
			if first.To == then.From && wanted(first.From, then.To) && e.voc.joins(edge, first.From, then.To) {
				r := e.segs[seg].Compose(edge, first, then, out)
				e.tick(r.Len() + 1)
				out = append(out, r)
			}
		}
	}
	return out
}

// joins says whether edges of a kind lead from one kind to another.
func (v *Vocabulary) joins(edge, from, to int) bool {
	return slices.Contains(v.edges[edge].Joins, schema.Pair{From: v.kinds[from].Name, To: v.kinds[to].Name})
}
