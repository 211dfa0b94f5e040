package query

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// sortKey is a value made comparable. As in Cypher, null is larger than
// everything; ordered enums are their ranks.
type sortKey struct {
	class int8
	num   float64
	whole int64
	text  string
}

const (
	classText int8 = iota
	classBool
	classNumber
	classNull
)

func compareKeys(a, b sortKey) int {
	switch {
	case a.class != b.class:
		return cmp.Compare(a.class, b.class)
	case a.class == classText:
		return strings.Compare(a.text, b.text)
	}
	return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.whole, b.whole))
}

func keyOf(v graph.Value, enum []string) sortKey {
	switch v.Type() {
	case graph.Null:
		return sortKey{class: classNull}
	case graph.Enum:
		if rank := slices.Index(enum, v.Str()); rank >= 0 {
			return sortKey{class: classNumber, num: float64(rank)}
		}
		return sortKey{text: v.Str()}
	case graph.Int:
		return sortKey{class: classNumber, num: float64(v.Int()), whole: v.Int()}
	case graph.Float:
		return sortKey{class: classNumber, num: v.Float()}
	case graph.Bool:
		k := sortKey{class: classBool}
		if v.Bool() {
			k.num = 1
		}
		return k
	case graph.Time:
		return sortKey{class: classNumber, num: float64(v.Time().Unix()), whole: v.Time().UnixNano()}
	case graph.List:
		return sortKey{text: strings.Join(v.List(), "\x00")}
	}
	return sortKey{text: v.Str()}
}

// sorter reads the keys of a row.
type sorter struct {
	get  []func(row []cell) sortKey
	desc []bool
}

func (s sorter) keys(row []cell) []sortKey {
	out := make([]sortKey, len(s.get))
	for i, get := range s.get {
		out[i] = get(row)
	}
	return out
}

func (s sorter) compare(a, b []sortKey) int {
	for i := range a {
		c := compareKeys(a[i], b[i])
		if s.desc[i] {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// orderVariable is the one node variable that all keys are of, if a walk can
// begin there; then only its nodes need sorting, not the rows.
func (e *engine) orderVariable() *variable {
	var one *variable
	for _, k := range e.query.Order {
		o := e.keyItem(k)
		b := e.names[o.Of]
		if o.Count || b.edge || one != nil && one != b.v || !canStart(b.v) {
			return nil
		}
		one = b.v
	}
	return one
}

// keyItem is the item a key sorts by.
func (e *engine) keyItem(k Key) Item {
	if k.Name == "" {
		return Item{Of: k.Of, Prop: k.Prop, Fold: k.Fold}
	}
	for _, it := range e.items() {
		if it.Column() == k.Name {
			return it
		}
	}
	return Item{Of: k.Name}
}

// sorter compiles the keys for the rows of a walk.
func (e *engine) sorter(w *walk) sorter {
	var s sorter
	for _, k := range e.query.Order {
		it := e.keyItem(k)
		s.desc = append(s.desc, k.Desc)
		if it.Count {
			s.get = append(s.get, func([]cell) sortKey { return sortKey{} }) // filled in by the grouping
			continue
		}
		s.get = append(s.get, e.rowKey(e.output(w, it.Of, it.Prop, it.Fold)))
	}
	return s
}

func (e *engine) rowKey(o output) func(row []cell) sortKey {
	enums := map[int][]string{}
	if !o.edge && o.prop != "" && !o.fold {
		for k, kind := range o.v.kinds {
			if c, ok := e.voc.column(kind, o.prop); ok {
				enums[k] = c.Enum
			}
		}
	}
	return func(row []cell) sortKey {
		c := row[o.step]
		switch {
		case c.null:
			return sortKey{class: classNull}
		case o.prop == "" && o.edge:
			return sortKey{text: e.cell(o, row).String()}
		case o.prop == "":
			return sortKey{text: e.node(o.v, c).ID()}
		case o.edge && !o.fold:
			column, _ := e.voc.edges[c.lane.rel.Edge].Property(o.prop)
			return keyOf(e.value(o, row), column.Enum)
		}
		return keyOf(e.value(o, row), enums[c.k])
	}
}

// top keeps the best rows seen, in memory that does not grow with the rest.
type top struct {
	e      *engine
	sorter sorter
	need   int
	seen   int
	items  []ranked
}

type ranked struct {
	row  []cell
	keys []sortKey
	seen int // ties stay in the order they came
}

func (e *engine) best(w *walk, need int) *top { return &top{e: e, sorter: e.sorter(w), need: need} }

func (t *top) order(a, b ranked) int {
	return cmp.Or(t.sorter.compare(a.keys, b.keys), cmp.Compare(a.seen, b.seen))
}

// The heap's root is the worst row kept.
func (t *top) Len() int           { return len(t.items) }
func (t *top) Less(i, j int) bool { return t.order(t.items[i], t.items[j]) > 0 }
func (t *top) Swap(i, j int)      { t.items[i], t.items[j] = t.items[j], t.items[i] }
func (t *top) Push(x any)         { t.items = append(t.items, x.(ranked)) }
func (t *top) Pop() any {
	last := t.items[len(t.items)-1]
	t.items = t.items[:len(t.items)-1]
	return last
}

func (t *top) offer(row []cell) bool {
	t.seen++
	if t.need <= 0 {
		return false
	}
	if len(t.items) == t.need && t.worse(row) {
		return true
	}
	r := ranked{slices.Clone(row), t.sorter.keys(row), t.seen}
	if len(t.items) < t.need {
		t.e.use(128 * (len(row) + 1))
		heap.Push(t, r)
		return true
	}
	t.items[0] = r
	heap.Fix(t, 0)
	return true
}

// worse says that a row cannot displace the worst one kept; most rows are told
// by their first key.
func (t *top) worse(row []cell) bool {
	kept := t.items[0].keys
	for i, get := range t.sorter.get {
		c := compareKeys(get(row), kept[i])
		if t.sorter.desc[i] {
			c = -c
		}
		if c != 0 {
			return c > 0
		}
	}
	return true
}

func (t *top) ranked() []ranked {
	slices.SortFunc(t.items, t.order)
	return t.items
}

func (t *top) sorted() [][]cell {
	var out [][]cell
	for _, r := range t.ranked() {
		out = append(out, r.row)
	}
	return out
}

// first yields the first cell of each row kept, best first.
func (t *top) first() func(yield func(cell) bool) {
	return func(yield func(cell) bool) {
		for _, r := range t.ranked() {
			if !yield(r.row[0]) {
				return
			}
		}
	}
}
