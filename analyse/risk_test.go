package analyse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestAScoreIsAWord(t *testing.T) {
	for score, want := range map[int]string{0: "low", 29: "low", 30: "medium", 54: "medium", 55: "high", 79: "high", 80: "critical",
		100: "critical"} {
		if got := riskWord(score); got != want {
			t.Errorf("%d is %s, want %s", score, got, want)
		}
	}
}

func TestWhatAFactorIsWorth(t *testing.T) {
	v, err := parseGiven(`
Internet internet -ROUTES_TO{width=ranges}-> Service narrow
Internet internet -ROUTES_TO-> Service open
Service narrow -ROUTES_TO-> Pod p -RUNS-> Container c
Service open -ROUTES_TO-> Pod p
Container c -CAN_EXECUTE_IN-> Container boss privileged=true
Container c -CAN_TAKE_OVER-> Node n controlPlane=true
NetClass y -CAN_TALK_TO-> NetClass x
`)
	if err != nil {
		t.Fatal(err)
	}
	edge := func(from, id, kind, to string) (out graph.Edge) {
		n, there := v.Node(from, id)
		for e := range n.Out(kind) {
			if givenID(e.To) == to {
				out = e
			}
		}
		if !there || out.To == (graph.Node{}) {
			t.Fatalf("no %s from %s to %s", kind, id, to)
		}
		return out
	}
	by := func(edges ...graph.Edge) (h hop) {
		for _, e := range edges {
			h.add(e)
		}
		h.edge = h.kinds[0]
		return h
	}
	narrow, open := edge("Internet", "internet", "ROUTES_TO", "narrow"), edge("Internet", "internet", "ROUTES_TO", "open")
	inner := by(edge("Service", "c/open", "ROUTES_TO", "p"))
	into, boss := edge("Pod", "c/p", "RUNS", "c"), edge("Container", "c/c", "CAN_EXECUTE_IN", "boss")
	over, talk := edge("Container", "c/c", "CAN_TAKE_OVER", "n"), edge("NetClass", "c/y", "CAN_TALK_TO", "x")
	gaining := pathType{Gain: 45}
	for _, test := range []struct {
		name   string
		class  string
		set    func(w *writer)
		hops   []hop
		weak   weakness
		cost   int32
		gain   pathType
		want   string
		effect string
	}{
		{name: "known", class: Known, want: "exposed 30", effect: "30 medium"},
		{name: "possible", class: Possible, want: "exposed, not judged 20", effect: "20 low"},
		{name: "supply chain", class: SupplyChain, want: "supply chain 15", effect: "15 low"},
		{name: "assumed", class: Assumed, want: "assumed 15", effect: "15 low"},
		{name: "assumed, from listed addresses only, which do not matter then", class: Assumed,
			set: func(w *writer) { w.foothold.arrivals = []arrival{{hops: []hop{by(narrow)}}} }, want: "assumed 15", effect: "15 low"},
		{name: "callers without credentials", class: Known, set: func(w *writer) { w.foothold.anonymous = true }, want: "no credentials 30",
			effect: "30 medium"},
		{name: "callers whose access nobody knows", class: Possible, set: func(w *writer) { w.foothold.anonymous = true },
			want:   "no credentials 30",
			effect: "30 medium"},
		{name: "listed addresses", class: Known, set: func(w *writer) { w.foothold.arrivals = []arrival{{hops: []hop{by(narrow), inner}}} },
			want: "exposed 30, listed addresses only -10", effect: "20 low"},
		{name: "listed addresses at one of two ways", class: Known, set: func(w *writer) {
			w.foothold.arrivals = []arrival{{hops: []hop{by(narrow), inner}}, {hops: []hop{by(open), inner}}}
		}, want: "exposed 30", effect: "30 medium"},
		{name: "listed addresses at one of two edges of a hop", class: Known, set: func(w *writer) {
			w.foothold.arrivals = []arrival{{hops: []hop{by(narrow, open), inner}}}
		}, want: "exposed 30", effect: "30 medium"},
		{name: "a critical vulnerability", class: Known, weak: weakness{worst: "Critical", severe: true},
			want: "exposed 30, critical vulnerability 12", effect: "42 medium"},
		{name: "a severe one", class: Known, weak: weakness{worst: "High", severe: true}, want: "exposed 30, high severity vulnerability 8",
			effect: "38 medium"},
		{name: "one of medium severity", class: Known, weak: weakness{worst: "Medium"}, want: "exposed 30", effect: "30 medium"},
		{name: "remote code execution", class: Known, weak: weakness{rce: true}, want: "exposed 30, remote code execution 5",
			effect: "35 medium"},
		{name: "exploited, and likely to be", class: Known, weak: weakness{exploited: true, epss: 0.9}, want: "exposed 30, known exploited 12",
			effect: "42 medium"},
		{name: "likely to be exploited", class: Known, weak: weakness{epss: 0.1}, want: "exposed 30, likely to be exploited 6",
			effect: "36 medium"},
		{name: "less likely", class: Known, weak: weakness{epss: 0.09}, want: "exposed 30", effect: "30 medium"},
		{name: "what lets nobody in counts for nothing", class: Possible, weak: weakness{worst: "Critical", rce: true, exploited: true},
			want: "exposed, not judged 20", effect: "20 low"},
		{name: "what is gained", class: Known, gain: gaining, want: "exposed 30, gain 45", effect: "75 high"},
		{name: "steps", class: Known, hops: []hop{by(boss)}, cost: 4, want: "exposed 30, privileged target 5, steps -4", effect: "31 medium"},
		{name: "a step that costs one", class: Known, hops: []hop{by(into)}, cost: 1, want: "exposed 30, steps -1", effect: "29 low"},
		{name: "as hard as counts", class: Known, hops: []hop{by(into)}, cost: 15, want: "exposed 30, steps -15", effect: "15 low"},
		{name: "harder", class: Known, hops: []hop{by(into)}, cost: 16, want: "exposed 30, steps -15", effect: "15 low"},
		{name: "over the network", class: Known, hops: []hop{by(talk), by(into)}, cost: 3,
			want: "exposed 30, steps -3, moves on over the network -20", effect: "7 low"},
		{name: "never less than nothing", class: Possible, hops: []hop{by(talk), by(into)}, cost: 9,
			want: "exposed, not judged 20, steps -9, moves on over the network -20", effect: "0 low"},
		{name: "never more than all", class: Known, gain: pathType{Gain: 90}, want: "exposed 30, gain 90", effect: "100 critical"},
		{name: "the control plane", class: Known, hops: []hop{by(boss), by(over)}, want: "exposed 30, control plane 10", effect: "40 medium"},
		{name: "a privileged container on the way", class: Known, hops: []hop{by(boss), by(into)}, want: "exposed 30", effect: "30 medium"},
		{name: "a foothold that is the target is no privileged target", class: Known, hops: []hop{by(boss)},
			set: func(w *writer) { w.path.Target = w.path.Foothold }, want: "exposed 30", effect: "30 medium"},
		{name: "the control plane's own node, from the start", class: Assumed, set: func(w *writer) { w.foothold.all = members{over.To} },
			want: "assumed 15, control plane 10", effect: "25 low"},
		{name: "something critical on the way", class: Known, set: func(w *writer) {
			w.path.Steps = []Step{{From: "a", To: "b"}}
			w.path.Nodes = []Thing{{ID: "a"}, {ID: "b", Insights: []string{"critical"}}}
		}, want: "exposed 30, critical resource 10", effect: "40 medium"},
		{name: "something critical at its start", class: Known, set: func(w *writer) {
			w.path.Steps = []Step{{From: "b", To: "a"}}
			w.path.Nodes = []Thing{{ID: "a"}, {ID: "b", Insights: []string{"privileged", "critical"}}}
		}, want: "exposed 30, critical resource 10", effect: "40 medium"},
		{name: "something critical beside it", class: Known, set: func(w *writer) {
			w.path.Steps = []Step{{From: "a", To: "c"}}
			w.path.Nodes = []Thing{{ID: "a"}, {ID: "b", Insights: []string{"critical"}}, {ID: "c"}}
		}, want: "exposed 30", effect: "30 medium"},
		{name: "a doubtful step", class: Known, set: func(w *writer) { w.path.Steps = []Step{{Uncertain: "?"}} },
			want: "exposed 30, uncertain -5", effect: "25 low"},
		{name: "that nobody knows what lets them in counts once", class: Possible,
			set:  func(w *writer) { w.path.Steps = []Step{{Uncertain: "?"}} },
			want: "exposed, not judged 20", effect: "20 low"},
		{name: "a doubtful step after that", class: Possible, set: func(w *writer) {
			w.path.Steps = []Step{{Uncertain: "?"}, {Uncertain: "?", Derived: true}}
		}, want: "exposed, not judged 20, uncertain -5", effect: "15 low"},
		{name: "no doubt", class: Known, set: func(w *writer) { w.path.Steps = []Step{{Derived: true}} }, want: "exposed 30",
			effect: "30 medium"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &writer{search: searchOn(t, v, &Rules{}), foothold: &foothold{class: test.class, all: members{into.To}}}
			w.path.Foothold, w.path.Target = Thing{ID: "foothold"}, Thing{ID: "target", Kind: "Node"}
			if test.set != nil {
				test.set(w)
			}
			var hops []*hop
			for i := range test.hops {
				hops = append(hops, &test.hops[i])
			}
			w.rate(&test.gain, hops, test.weak, test.cost)
			var said []string
			for _, f := range w.path.RiskFactors {
				said = append(said, fmt.Sprintf("%s %d", f.Name, f.Points))
			}
			if got := strings.Join(said, ", "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if got := fmt.Sprint(w.path.RiskScore, " ", w.path.Risk); got != test.effect {
				t.Errorf("the risk is %s, want %s", got, test.effect)
			}
		})
	}
}
