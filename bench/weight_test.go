package bench

import (
	"reflect"
	"unsafe"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// weight is how many of something there are, and the bytes that hold them.
type weight struct{ count, bytes int }

func (w weight) each() float64 { return float64(w.bytes) / float64(max(w.count, 1)) }

// weights are those of a view's nodes, of its edges, and of the edges that techniques made.
type weights struct{ nodes, edges, derived weight }

// weigh follows what segments hold in memory: nodes are their tables with the index of shared
// ids, edges their adjacency in both directions, columns and stubs. What two segments share
// counts once.
func weigh(v *graph.View) (w weights) {
	kinds, edges, held := schema.Kinds(), schema.Edges(), holder{}
	for _, seg := range append([]*graph.Segment{v.Shared()}, v.Clusters()...) {
		in := reflect.ValueOf(seg).Elem()
		w.nodes.bytes += held.by(in.FieldByName("tables")) + held.by(in.FieldByName("index"))
		for k, kind := range kinds {
			if kind.Shared == seg.Shared() {
				w.nodes.count += seg.Len(k)
			}
		}
		w.edges.bytes += held.by(in.FieldByName("stubs"))
		for e, edge := range edges {
			for _, r := range seg.Rels(e) {
				bytes := held.by(reflect.ValueOf(r))
				w.edges.count, w.edges.bytes = w.edges.count+r.Len(), w.edges.bytes+bytes
				if edge.Derived {
					w.derived.count, w.derived.bytes = w.derived.count+r.Len(), w.derived.bytes+bytes
				}
			}
		}
	}
	return w
}

// holder knows what was counted.
type holder map[unsafe.Pointer]bool

// vocabulary is not part of any graph.
var vocabulary = map[reflect.Type]bool{reflect.TypeFor[*graph.Vocabulary](): true, reflect.TypeFor[graph.Column](): true}

// by is the bytes behind a value, without its own: those lie in what holds it.
func (h holder) by(v reflect.Value) (bytes int) {
	if vocabulary[v.Type()] {
		return 0
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || h.seen(v.UnsafePointer()) {
			return 0
		}
		return int(v.Type().Elem().Size()) + h.by(v.Elem())
	case reflect.Slice:
		if v.Cap() == 0 || h.seen(v.UnsafePointer()) {
			return 0
		}
		bytes = v.Cap() * int(v.Type().Elem().Size())
		if refers(v.Type().Elem()) {
			for i := range v.Len() {
				bytes += h.by(v.Index(i))
			}
		}
	case reflect.String:
		if s := v.String(); s != "" && !h.seen(unsafe.Pointer(unsafe.StringData(s))) {
			bytes = len(s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			bytes += h.by(v.Field(i))
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next(); {
			bytes += int(v.Type().Key().Size()+v.Type().Elem().Size()) + h.by(at.Key()) + h.by(at.Value())
		}
	}
	return bytes
}

func (h holder) seen(p unsafe.Pointer) bool {
	if h[p] {
		return true
	}
	h[p] = true
	return false
}

// refers says that values of a type may lead to more bytes.
func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.String, reflect.Map:
		return true
	case reflect.Struct:
		for i := range t.NumField() {
			if refers(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
