package query

import (
	"context"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// RecordCondition is a condition on what lives in the store and not in the
// graph, such as an alert's status.
type RecordCondition struct {
	Kind, Property string
	Op             string
	Fold           bool
	Value          Value
}

// Records resolves a condition to the stable ids of the nodes it is true for.
type Records func(ctx context.Context, c RecordCondition) (ids []string, err error)

func columnAt(properties []schema.Property, name string) int {
	return slices.IndexFunc(properties, func(p schema.Property) bool { return p.Name == name })
}

// record asks the caller about a condition on a record; false if it is none.
func (e *engine) record(t *test, kinds []int) (nodeSet, bool) {
	out, asked := nodeSet{}, false
	for k, kind := range kinds {
		p, ok := e.voc.kinds[kind].Property(t.prop)
		if !ok || !p.Record || t.edge {
			continue
		}
		if !asked {
			out, asked = e.empty(kinds), true
		}
		if e.opts.Records == nil {
			panic(stop{fmt.Errorf("%s of %s is a record, and there is no store to ask", t.prop, e.voc.kinds[kind].Name)})
		}
		c := RecordCondition{e.voc.kinds[kind].Name, t.prop, t.op, t.fold, t.value}
		ids, err := e.opts.Records(e.ctx, c)
		if err != nil {
			panic(stop{fmt.Errorf("ask the store about %s of %s: %w", t.prop, c.Kind, err)})
		}
		for _, id := range ids {
			if n, ok := e.view.Node(c.Kind, id); ok {
				e.add(out, k, n)
			}
		}
	}
	return out, asked
}

// add puts a node of the view into a set; k is its kind's position there.
func (e *engine) add(s nodeSet, k int, n graph.Node) {
	slot := 0
	if !n.Segment().Shared() {
		slot = slices.Index(e.segs, n.Segment()) - 1
	}
	if slot < 0 {
		return
	}
	if s.bits[k][slot] == nil {
		s.bits[k][slot] = graph.NewBitmap(n.Segment().Len(n.KindIndex()))
	}
	s.bits[k][slot].Set(n.Index())
}
