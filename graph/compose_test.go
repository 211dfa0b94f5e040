package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEdgesThatTwoAdjacenciesMake: each pair once, both ways, without those that
// are there already.
func TestEdgesThatTwoAdjacenciesMake(t *testing.T) {
	v := NewVocabulary([]Kind{{Name: "Right"}, {Name: "Place"}, {Name: "Room"}}, []EdgeKind{{Name: "COVERS"}, {Name: "CONTAINS"},
		{Name: "LETS", Columns: []Column{{Name: "to", Type: Text}}}})
	const covers, contains, lets = 0, 1, 2
	for _, c := range []struct{ name, edges, want string }{
		{"none", "r COVERS p", ""},
		{"one", "r COVERS p, p CONTAINS x", "r>x"},
		{"of each place's rooms", "r COVERS p, s COVERS q, p CONTAINS x, q CONTAINS y", "r>x s>y"},
		{"each pair once, in order", "r COVERS q, r COVERS p, p CONTAINS y, p CONTAINS x, q CONTAINS y", "r>x r>y"},
		{"without what is there", "r COVERS p, p CONTAINS x, p CONTAINS y, r COVERS x", "r>y"},
		{"though others are there", "r COVERS p, p CONTAINS x, s COVERS x", "r>x"},
		{"of parallel edges one", "r COVERS p, p LETS x to=a, p LETS x to=b, p LETS y to=a", "r>x r>y"},
		{"with several before and behind", "r COVERS p, s COVERS p, t COVERS q, p CONTAINS x, p CONTAINS y, q CONTAINS y", "r>x r>y s>x s>y t>y"},
	} {
		b := NewBuilder(v, "c")
		then := contains
		kinds := map[string]string{"r": "Right", "s": "Right", "t": "Right", "p": "Place", "q": "Place", "x": "Room", "y": "Room"}
		for _, edge := range strings.Split(c.edges, ", ") {
			f := strings.Fields(edge)
			var props []Prop
			if f[1] == "LETS" {
				then, props = lets, []Prop{S("to", f[3])}
			}
			b.Edge(f[1], b.Node(kinds[f[0]], f[0]), b.Node(kinds[f[2]], f[2]), props...)
		}
		seg, _ := b.Build(nil)
		rel := func(edge, to int) *Rel {
			for _, r := range seg.Rels(edge) {
				if r.To == to {
					return r
				}
			}
			return &Rel{Edge: edge, From: 1, To: to, out: csr{off: []uint32{0}}}
		}
		r := seg.Compose(covers, rel(covers, 1), rel(then, 2), seg.Rels(covers))
		var forth, back []string
		for i := range uint32(seg.Len(0)) {
			ends, _ := r.Out(i)
			for _, x := range ends {
				forth = append(forth, seg.ID(0, i)+">"+seg.ID(2, x))
			}
		}
		for x := range uint32(seg.Len(2)) {
			starts, pos := r.In(x)
			for _, i := range starts {
				back = append(back, seg.ID(0, i)+">"+seg.ID(2, x))
			}
			if pos != nil {
				t.Errorf("%s: columns %v", c.name, pos)
			}
		}
		slices.Sort(back)
		if got := strings.Join(forth, " "); got != c.want || !slices.Equal(forth, back) || r.Len() != len(forth) {
			t.Errorf("%s: forth %v, back %v, %d edges; want %s", c.name, forth, back, r.Len(), c.want)
		}
		if names := fmt.Sprint(r.Edge, r.From, r.To); names != "0 0 2" {
			t.Errorf("%s: made %s", c.name, names)
		}
	}
}

// TestWhatComposesIsNotPutTogether: rights in a whole cluster times its namespaces are many, and a question is of few.
func TestWhatComposesIsNotPutTogether(t *testing.T) {
	v := NewVocabulary([]Kind{{Name: "Right"}, {Name: "Place"}, {Name: "Room"}}, []EdgeKind{{Name: "COVERS"}, {Name: "CONTAINS"}})
	b := NewBuilder(v, "c")
	const many = 1000
	for i := range many {
		b.Edge("COVERS", b.Node("Right", fmt.Sprint("r", i)), b.Node("Place", "p"))
		b.Edge("CONTAINS", b.Node("Place", "p"), b.Node("Room", fmt.Sprint("x", i)))
	}
	seg, _ := b.Build(nil)
	first, then := seg.Rels(0)[0], seg.Rels(1)[0]
	var r *Rel
	if n := testing.AllocsPerRun(10, func() { r = seg.Compose(0, first, then, []*Rel{first}) }); n > 10 {
		t.Errorf("%v allocations", n)
	}
	if r.Len() != many*many {
		t.Errorf("%d edges", r.Len())
	}
	if n := testing.AllocsPerRun(10, func() { r.Out(7); r.In(7) }); n > 0 {
		t.Errorf("%v allocations for one node's edges", n)
	}
}
