package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomSegment is a cluster of few names, so that much of two is the same.
func randomSegment(r *rand.Rand, shared *Segment) *Segment {
	b := NewBuilder(testVocabulary, "c")
	var pods []Ref
	for i := range 8 {
		if r.IntN(8) > 0 {
			pods = append(pods, b.Node("Pod", fmt.Sprint("p", i), S("name", fmt.Sprint("n", r.IntN(12)/11)), B("hostNetwork", r.IntN(9) == 0),
				S("phase", []string{"Running", "Failed"}[r.IntN(9)/8])))
		}
	}
	for range 12 {
		if len(pods) == 0 {
			break
		}
		at := pods[r.IntN(len(pods))]
		b.Edge("USES", at, b.Ref("Image", fmt.Sprint("i", r.IntN(4))))
		b.Edge("USES", at, pods[r.IntN(len(pods))])
		b.Edge("ROUTES_TO", b.Ref("Internet", "internet"), at, L("ports", []string{fmt.Sprint(r.IntN(3))}))
	}
	seg, _ := b.Build(shared)
	return seg
}

func randomShared(r *rand.Rand) *Segment {
	s := NewShared(testVocabulary)
	s.Put("Internet", "internet")
	for _, i := range r.Perm(4) {
		s.Put("Image", fmt.Sprint("i", i), S("name", fmt.Sprint(r.IntN(2))))
	}
	return s.Freeze()
}

// edgeTexts are the edges of a node as text, in order.
func edgeTexts(n Node, kind string, out bool) (all []string) {
	if out {
		for e := range n.Out(kind) {
			all = append(all, e.To.Kind()+" "+e.To.ID()+" "+e.Value("ports").String())
		}
		return all
	}
	for e := range n.In(kind) {
		all = append(all, e.From.Kind()+" "+e.From.ID()+" "+e.Value("ports").String())
	}
	return all
}

func TestADifferenceIsWhatNodeByNodeIsNotTheSame(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		wasShared := randomShared(r)
		isShared := wasShared
		if seed%2 == 1 {
			isShared = randomShared(r)
		}
		was, is := randomSegment(r, wasShared), randomSegment(r, isShared)
		if seed%5 == 0 {
			is = was
		}
		d := NewDifference(was, wasShared, is, isShared)
		before, after := NewView(testVocabulary, wasShared, was), NewView(testVocabulary, isShared, is)
		pod := testVocabulary.KindIndex("Pod")
		for n := range after.Nodes("Pod") {
			old, there := before.Node("Pod", n.ID())
			alike := there && n.Same(old)
			seen[fmt.Sprint("node ", alike)]++
			if d.NodeDiffers(pod, n.Index()) == alike {
				t.Fatalf("seed %d: %s differs: %v, want %v", seed, n.ID(), alike, !alike)
			}
			if there && int(d.Rows(pod)[n.Index()]) != int(old.Index()) || !there && d.Rows(pod)[n.Index()] >= 0 {
				t.Fatalf("seed %d: %s was in row %d", seed, n.ID(), d.Rows(pod)[n.Index()])
			}
			for e, kind := range testVocabulary.Edges() {
				for _, out := range []bool{true, false} {
					if !there {
						continue
					}
					same := slices.Equal(edgeTexts(n, kind.Name, out), edgeTexts(old, kind.Name, out))
					differs := d.EdgesDiffer(pod, n.Index(), e, out)
					seen[fmt.Sprint("edges ", same)]++
					// Of two shared segments, an image in another row is taken for another.
					if same == differs && (!same || seed%2 == 0) {
						t.Fatalf("seed %d: %s edges of %s differ: %v, want %v", seed, kind.Name, n.ID(), differs, !same)
					}
				}
			}
		}
		toldOf(t, seed, d, before, after)
	}
	for _, what := range []string{"node true", "node false", "edges true", "edges false"} {
		if seen[what] < 500 {
			t.Errorf("%s: %d, which says little", what, seen[what])
		}
	}
}

// toldOf checks that each edge which only one side has is told of that side.
func toldOf(t *testing.T, seed uint64, d *Difference, before, after *View) {
	t.Helper()
	texts := func(v *View) map[string]bool {
		all := map[string]bool{}
		for n := range v.Nodes("Pod") {
			for _, e := range edgeTexts(n, "USES", true) {
				all[n.ID()+" "+e] = true
			}
		}
		return all
	}
	told := func(side int, v *View) map[string]bool {
		all := map[string]bool{}
		d.Edges(side, testVocabulary.EdgeIndex("USES"), func(from, to int, ends []Ends) {
			for _, e := range ends {
				far := v.far(v.clusters[0], to, e.To)
				all["c/"+v.clusters[0].ID(from, e.From)+" "+far.Kind()+" "+far.ID()+" "] = true
			}
		})
		return all
	}
	sides := []*View{before, after}
	for side, v := range sides {
		other, said := texts(sides[1-side]), told(side, v)
		for e := range texts(v) {
			if !other[e] && !said[e] {
				t.Fatalf("seed %d: nothing is said of %q, which only side %d has", seed, e, side)
			}
		}
	}
}

func TestAnExtensionKeepsEdgesOfAnEarlierOne(t *testing.T) {
	b := NewBuilder(testVocabulary, "c")
	for _, id := range []string{"a", "b"} {
		b.Node("Pod", id)
	}
	seg, _ := b.Build(nil)
	v := NewView(testVocabulary, nil, seg)
	a, _ := v.Node("Pod", "c/a")
	first := NewExtension(v, seg)
	first.Edge("USES", a, a)
	uses := testVocabulary.EdgeIndex("USES")
	same := NewDifference(seg, v.Shared(), seg, v.Shared())
	second := NewExtension(v, seg)
	second.Edge("ROUTES_TO", a, a)
	second.Keep(first.Build().Rels(uses)[0], same)
	now := second.Build()
	if ends, _ := now.Rels(uses)[0].Out(a.Index()); len(ends) != 1 || len(now.Rels(testVocabulary.EdgeIndex("ROUTES_TO"))) != 1 {
		t.Errorf("edges are lost: %v", ends)
	}
	defer func() {
		if recover() == nil {
			t.Error("edges are kept and added: want a panic")
		}
	}()
	twice := NewExtension(v, seg)
	twice.Edge("USES", a, a)
	twice.Keep(first.Build().Rels(uses)[0], same)
	twice.Build()
}
