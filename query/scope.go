package query

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// compileScope turns what an asker may see into bitmaps by kind and slot; nil
// means everything. A shared node is visible when a visible node of a cluster
// is joined to it, or a visible shared node leads to it.
func (e *engine) compileScope(scope graph.Scope) {
	if scope.All {
		return
	}
	e.mask = make([][]graph.Bitmap, len(e.voc.kinds))
	for kind := range e.voc.kinds {
		e.mask[kind] = make([]graph.Bitmap, e.slots(kind))
		if e.shared(kind) {
			e.mask[kind][0] = graph.NewBitmap(e.segs[0].Len(kind))
		}
	}
	for slot, seg := range e.segs[1:] {
		tenants, seen := scope.Segments[seg.Name()]
		if !seen {
			continue
		}
		for kind := range e.voc.kinds {
			if !e.shared(kind) {
				e.mask[kind][slot] = e.visibleNodes(seg, kind, tenants)
			}
		}
		e.touchShared(seg, slot)
	}
	e.closeShared()
}

func (e *engine) visibleNodes(seg *graph.Segment, kind int, tenants []string) graph.Bitmap {
	n := seg.Len(kind)
	if len(tenants) == 0 {
		return graph.Full(n)
	}
	out := graph.NewBitmap(n)
	tenant := slices.IndexFunc(e.voc.kinds[kind].Properties, func(p schema.Property) bool { return p.Name == e.voc.kinds[kind].Tenant })
	for i := range uint32(n) {
		if v := seg.Value(kind, tenant, i); !v.IsNull() && slices.Contains(tenants, v.Str()) {
			out.Set(i)
		}
	}
	return out
}

// touchShared makes the shared nodes visible that visible nodes are joined to.
func (e *engine) touchShared(seg *graph.Segment, slot int) {
	for edge := range e.voc.edges {
		for _, r := range seg.Rels(edge) {
			switch from, to := e.shared(r.From), e.shared(r.To); {
			case to && !from:
				for i := range e.mask[r.From][slot].All() {
					dst, _ := r.Out(i)
					e.tick(len(dst) + 1)
					for _, d := range dst {
						e.mask[r.To][0].Set(seg.Stubs(r.To)[d])
					}
				}
			case from && !to:
				for i := range e.mask[r.To][slot].All() {
					src, _ := r.In(i)
					e.tick(len(src) + 1)
					for _, s := range src {
						e.mask[r.From][0].Set(seg.Stubs(r.From)[s])
					}
				}
			}
		}
	}
}

// closeShared follows the shared segment's edges forward from what is visible.
func (e *engine) closeShared() {
	reached := make([]graph.Bitmap, len(e.voc.kinds)) // in the last round
	for kind := range reached {
		if e.shared(kind) {
			reached[kind] = e.mask[kind][0].Clone()
		}
	}
	for changed := true; changed; {
		changed = false
		next := make([]graph.Bitmap, len(reached))
		for edge := range e.voc.edges {
			for _, r := range e.segs[0].Rels(edge) {
				if next[r.To] == nil {
					next[r.To] = graph.NewBitmap(e.segs[0].Len(r.To))
				}
				changed = e.follow(r, reached[r.From], next[r.To]) || changed
			}
		}
		reached = next
	}
}

// follow makes the targets of some nodes visible and gathers those that were
// not before.
func (e *engine) follow(r *graph.Rel, from, reached graph.Bitmap) (changed bool) {
	mask := e.mask[r.To][0]
	for i := range from.All() {
		dst, _ := r.Out(i)
		e.tick(len(dst) + 1)
		for _, d := range dst {
			if !mask.Has(d) {
				mask.Set(d)
				reached.Set(d)
				changed = true
			}
		}
	}
	return changed
}
