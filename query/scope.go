package query

import "github.com/breakwater-sec/breakwater/graph"

// compileScope lets the engine see what an asker may see: bitmaps by kind and
// slot, nil for everything.
func (e *engine) compileScope(scope graph.Scope) {
	e.view = e.view.Within(scope)
	e.segs = append([]*graph.Segment{e.view.Shared()}, e.view.Clusters()...)
	if e.view.Whole() {
		return
	}
	e.mask = make([][]graph.Bitmap, len(e.voc.kinds))
	for kind := range e.voc.kinds {
		e.mask[kind] = make([]graph.Bitmap, e.slots(kind))
		for slot := range e.mask[kind] {
			e.mask[kind][slot] = e.view.Seen(kind, e.segment(kind, slot))
		}
	}
}
