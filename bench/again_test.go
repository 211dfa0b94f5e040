package bench

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
)

// TestMeasureAgain says what the graph, and techniques and paths, cost after a change where what was made before is remembered, against
// all anew, and that both tell the same.
func TestMeasureAgain(t *testing.T) {
	measured(t)
	rules := builtInRules(t)
	sizes := sizes(1000, 3000, 10_000, 30_000)
	f, err := kube.Read(clusterOf(sizes[len(sizes)-1]).files(t))
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "bench"
	var memory analyse.Memory
	var drawing segment.Memory
	shared := graph.NewShared(schema.Vocabulary())
	after := func(what string) {
		drawn := func(m *segment.Memory) (seg *graph.Segment, frozen *graph.Segment, gaps []collect.Gap, cpu time.Duration) {
			began := cpuTime()
			made := m.Drawn(f, rules.Powers, func(*segment.Judged) {})
			made.PutShared(shared)
			frozen = shared.Freeze()
			seg, gaps = made.Build(frozen)
			return seg, frozen, gaps, (cpuTime() - began).Round(time.Millisecond)
		}
		_, _, _, whole := drawn(nil)
		seg, frozen, gaps, part := drawn(&drawing)
		view := graph.NewView(schema.Vocabulary(), frozen, seg)
		timed := func(m *analyse.Memory) (text string, cpu time.Duration) {
			began := cpuTime()
			_, paths, _, err := m.Cluster(t.Context(), view, seg, rules, gaps...)
			cpu = cpuTime() - began
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(paths)
			if err != nil {
				t.Fatal(err)
			}
			return string(b), cpu.Round(time.Millisecond)
		}
		again, some := timed(&memory)
		anew, all := timed(nil)
		if again != anew {
			t.Errorf("%s: other paths are told", what)
		}
		t.Logf("%d pods, %s: judges and graph %s of CPU time, %s anew; techniques and paths %s with %d of %d paths told again, %s anew",
			len(f.Pods), what, part, whole, some, memory.Reused, memory.Told, all)
	}
	after("the first time")
	after("nothing is different")
	f.Apply(grant("measured", "team-5", 52))
	after("an account is given the whole cluster")
	for k, p := range f.Pods {
		other := *p
		other.Key.Name += "x"
		f.Apply(collect.Change{Op: collect.Gone, Kind: "Pod", Key: k})
		f.Apply(collect.Change{Op: collect.Put, Kind: "Pod", Key: other.Key, Object: &other})
		break
	}
	after("another pod is in the place of one")
}
