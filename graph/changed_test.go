package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// ports are edges of an extension: the ports of each pair of pods, by their rows.
type ports map[Ends][]string

func (j ports) extend(v *View, only func(Ends) bool, kept *Rel, since *Difference, but ...Ends) *Segment {
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
		x.Keep(kept, since, but...)
	}
	return x.Build()
}

// at is the pairs by where their pods are, without those that are not there.
func (j ports) at(rows map[uint32]uint32) ports {
	out := ports{}
	for e, all := range j {
		if now, there := e.at(rows); there {
			out[now] = all
		}
	}
	return out
}

func (e Ends) at(rows map[uint32]uint32) (Ends, bool) {
	from, there := rows[e.From]
	to, too := rows[e.To]
	return Ends{from, to}, there && too
}

func TestEdgesThatAreKeptButForSomeAreThoseMadeAnew(t *testing.T) {
	const pods = 6
	clusterOf := func(there func(n int) bool) (*View, map[uint32]uint32) {
		b, rows := NewBuilder(testVocabulary, "c"), map[uint32]uint32{}
		for n := range pods {
			if there(n) {
				rows[uint32(n)] = uint32(len(rows))
				b.Node("Pod", fmt.Sprint("p", n))
			}
		}
		seg, _ := b.Build(nil)
		return NewView(testVocabulary, nil, seg), rows
	}
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
		before, wasAt := clusterOf(func(int) bool { return r.IntN(6) > 0 })
		after, isAt := clusterOf(func(n int) bool { _, was := wasAt[uint32(n)]; return was && r.IntN(8) > 0 || !was && r.IntN(2) > 0 })
		since := NewDifference(before.Clusters()[0], before.Shared(), after.Clusters()[0], after.Shared())
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
		for e := range is { // what begins or ends where nothing was is new
			_, from := wasAt[e.From]
			_, to := wasAt[e.To]
			changed[e] = changed[e] || !from || !to
		}
		rels := was.at(wasAt).extend(before, everything, nil, nil).Rels(testVocabulary.EdgeIndex("ROUTES_TO"))
		if len(rels) == 0 {
			continue // there is nothing to keep
		}
		but := map[Ends]bool{}
		for e := range changed {
			if at, there := e.at(isAt); there {
				but[at] = true
			}
		}
		got := is.at(isAt).extend(after, func(e Ends) bool { return but[e] }, rels[0], since, slices.Collect(maps.Keys(but))...)
		want := is.at(isAt).extend(after, everything, nil, nil)
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
