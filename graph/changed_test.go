package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// ports are edges of an extension: the ports of each pair of pods, by their rows.
type ports map[Ends][]string

func (j ports) extend(v *View, only func(Ends) bool, kept *Rel, but ...Ends) *Segment {
	x := NewExtension(v, v.Clusters()[0])
	pods := v.vocab.KindIndex("Pod")
	for e, all := range j {
		if !only(e) {
			continue
		}
		for _, one := range all {
			var props []Prop
			if one != "" {
				props = []Prop{L("ports", []string{one})}
			}
			x.Edge("ROUTES_TO", v.At(v.Clusters()[0], pods, e.From), v.At(v.Clusters()[0], pods, e.To), props...)
		}
	}
	if kept != nil {
		x.Keep(kept, but...)
	}
	return x.Build()
}

func TestEdgesThatAreKeptButForSomeAreThoseMadeAnew(t *testing.T) {
	b := NewBuilder(testVocabulary, "c")
	const pods = 6
	for n := range pods {
		b.Node("Pod", fmt.Sprint("p", n))
	}
	seg, _ := b.Build(nil)
	v := NewView(testVocabulary, nil, seg)
	everything := func(Ends) bool { return true }
	emptied := 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		some := func() (out []string) {
			for n := range r.IntN(3) {
				out = append(out, []string{"", "80", "443", fmt.Sprint(r.IntN(100))}[(n+r.IntN(4))%4])
			}
			return out
		}
		was, is := ports{}, ports{}
		for range r.IntN(20) {
			was[Ends{uint32(r.IntN(pods)), uint32(r.IntN(pods))}] = some()
		}
		for e, all := range was {
			is[e] = all
		}
		changed := map[Ends]bool{}
		for range 1 + r.IntN(20) {
			e := Ends{uint32(r.IntN(pods)), uint32(r.IntN(pods))}
			changed[e], is[e] = true, some()
		}
		if seed%10 == 0 {
			clear(is)
			for e := range was {
				changed[e] = true
			}
		}
		rels := was.extend(v, everything, nil).Rels(testVocabulary.EdgeIndex("ROUTES_TO"))
		if len(rels) == 0 {
			continue // there is nothing to keep
		}
		var but []Ends
		for e := range changed {
			but = append(but, e)
		}
		got := is.extend(v, func(e Ends) bool { return changed[e] }, rels[0], but...)
		want := is.extend(v, everything, nil)
		if a, b := contents(NewView(testVocabulary, nil, got)), contents(NewView(testVocabulary, nil, want)); a != b {
			t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, a, b)
		}
		if len(got.Rels(testVocabulary.EdgeIndex("ROUTES_TO"))) == 0 {
			emptied++
		}
	}
	if emptied == 0 {
		t.Error("no time was nothing left: the test says little")
	}
}
