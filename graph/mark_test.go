package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// contents is everything in a segment, in its order.
func contents(v *View) string {
	var b strings.Builder
	for _, k := range v.vocab.kinds {
		for n := range v.Nodes(k.Name) {
			fmt.Fprint(&b, k.Name, " ", n.ID())
			for _, c := range k.Columns {
				fmt.Fprint(&b, " ", c.Name, "=", n.Value(c.Name))
			}
			for e := range n.Out("") {
				fmt.Fprint(&b, "\n  ", e.Kind(), " ", e.To.ID(), " ", e.Value("ports"))
			}
			for e := range n.In("") {
				fmt.Fprint(&b, "\n  from ", e.Kind(), " ", e.From.ID(), " ", e.Value("ports"))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// some adds to a Builder at random what its number decides.
func some(b *Builder, seed uint64, many int) {
	r := rand.New(rand.NewPCG(seed, 7))
	id := func() string { return fmt.Sprint("n", r.IntN(8)) }
	for range r.IntN(many) {
		switch r.IntN(5) {
		case 0:
			b.Node("Pod", id(), S("name", fmt.Sprint(r.IntN(3))))
		case 1:
			b.Set(b.Ref("Pod", id()), B("hostNetwork", r.IntN(2) == 0))
		case 2:
			b.Edge("USES", b.Ref("Pod", id()), b.Ref("Image", id()))
		case 3:
			b.Edge("ROUTES_TO", b.Ref("Internet", "internet"), b.Ref("Pod", id()), L("ports", []string{id()}))
		case 4:
			b.Edge("ROUTES_TO", b.Ref("Pod", id()), b.Node("Pod", id()))
		}
	}
}

func TestWhatIsBuiltAfterRewindingIsWhatWouldBeBuiltAnew(t *testing.T) {
	kept, built := 0, 0
	for seed := range uint64(300) {
		first, last := NewBuilder(testVocabulary, "c"), (*Segment)(nil)
		some(first, seed, 20)
		first.Mark()
		shared := NewShared(testVocabulary)
		shared.Put("Internet", "internet")
		for step := range uint64(6) {
			if step > 0 {
				first.Rewind()
			}
			if step == 3 {
				shared.Put("Image", "n3")
			}
			frozen := shared.Freeze()
			anew := NewBuilder(testVocabulary, "c")
			some(anew, seed, 20)
			for _, b := range []*Builder{first, anew} {
				some(b, 1000*seed+step, 3)
			}
			got, dangling := first.Build(frozen)
			want, lacking := anew.Build(frozen)
			a, b := contents(NewView(testVocabulary, frozen, got)), contents(NewView(testVocabulary, frozen, want))
			if a != b || !slices.Equal(dangling, lacking) {
				t.Fatalf("seed %d, step %d: got\n%s%v\nwant\n%s%v", seed, step, a, dangling, b, lacking)
			}
			for e := range testVocabulary.edges {
				for _, r := range got.rels[e] {
					if built++; last != nil && slices.Contains(last.rels[e], r) {
						kept++
					}
				}
			}
			last = got
		}
	}
	t.Logf("%d of %d adjacencies were kept", kept, built)
	if kept < built/4 {
		t.Error("the test says little")
	}
}
