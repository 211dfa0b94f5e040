package analyse

import (
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// ground is what an attacker walks on: the individuals that steps join, and the
// goals they lead to. A goal has no node of its own: it is reached by the edges by
// which its path type says that it is gained.
type ground struct {
	nodes []graph.Node // of a goal: none
	goals []*goal      // by number; nil for individuals
	group []int32      // what each is told as
	// groups are the groups by number, and those of goals with them.
	groups []group
	off    []int32 // arcs of i: arcs[off[i]:off[i+1]]
	arcs   []arc

	numbers map[int][]int32 // by kind and index: number + 1
	known   map[group]int32
	aimed   map[group]int32 // number + 1 of what goals are told as
}

// arc is a step from one individual to another.
type arc struct {
	to   int32
	cost int32
	rule int16 // in Rules.attack; -1 for a fact
	kind int16 // in stepKinds
}

// goal is what paths end in.
type goal struct {
	of    *pathType
	group group // what it is told as
	// namespace and workload decide for which footholds it is one.
	namespace, workload string
	name                string
	words               string // what people call it, of one on the ground
	told                int32  // number of its group among those of goals, of one on the ground
}

// goalAt is the goal of a type that a node stands for.
func goalAt(p *pathType, n graph.Node) *goal {
	return &goal{of: p, group: p.groupOf(n), namespace: n.Text("namespace"), workload: workloadOf(n).ID(), name: n.Text("name")}
}

// stepKinds are the edges that an attacker walks once inside, what gains most
// first. How traffic arrives, and who is exploited by it, is the way in.
var stepKinds = sync.OnceValue(func() (out []string) {
	for _, derived := range []bool{true, false} {
		for _, e := range schema.Edges() {
			if e.Step && e.Derived == derived && e.Name != "ROUTES_TO" && e.Name != "CAN_EXPLOIT" {
				out = append(out, e.Name)
			}
		}
	}
	return out
})

// newGround gathers the steps of a view; those that are gone are left out.
func newGround(v *graph.View, rules *Rules, types []*pathType, targets *targets, gone func(graph.Edge) bool) *ground {
	g := &ground{numbers: map[int][]int32{}, known: map[group]int32{}, aimed: map[group]int32{}}
	ruleAt := map[string]int16{}
	for i, t := range rules.attack {
		ruleAt[t.ID] = int16(i)
	}
	type goalKey struct {
		of    *pathType
		group group
		where string
	}
	goals := map[goalKey]int32{}
	goalFor := func(p *pathType, n graph.Node) int32 {
		k := goalKey{p, p.groupOf(n), n.Text("namespace")}
		if p.Only == sameWorkload {
			k.where = workloadOf(n).ID()
		}
		at, there := goals[k]
		if !there {
			t := goalAt(p, n)
			if g.aimed[t.group] == 0 {
				g.aimed[t.group] = int32(len(g.aimed) + 1)
			}
			t.words, t.told = t.inWords(), g.aimed[t.group]-1
			at = int32(len(g.nodes))
			goals[k] = at
			g.add(graph.Node{}, t, group{kind: "goal " + p.ID, id: t.group.id + " " + k.where})
		}
		return at
	}
	type reached struct {
		of, kind int
		index    uint32
	}
	known := map[reached]int32{}
	goalOf := func(of int, n graph.Node) int32 {
		k := reached{of, n.KindIndex(), n.Index()}
		at, there := known[k]
		if !there {
			at = goalFor(types[of], n)
			known[k] = at
		}
		return at
	}
	type link struct {
		from int32
		arc
	}
	var all []link
	for kind, name := range stepKinds() {
		for _, from := range startsOf(name) {
			for n := range v.Nodes(from) {
				for e := range n.Out(name) {
					if gone(e) {
						continue
					}
					l := link{g.number(n), arc{rule: -1, kind: int16(kind)}}
					onward, doubt := true, e.Value("uncertain").Str() != ""
					if id := e.Value("rule"); !id.IsNull() {
						at, known := ruleAt[id.Str()]
						if !known {
							continue
						}
						l.rule, l.cost, onward = at, rules.attack[at].cost(doubt), !rules.attack[at].Ends
					} else if doubt {
						l.cost = costOfDoubt
					}
					if onward {
						l.to = g.number(e.To)
						all = append(all, l)
					}
					for _, i := range targets.of(e.To) {
						if slices.Contains(types[i].Arrive, name) {
							l.to = goalOf(i, e.To)
							all = append(all, l)
							break // the type that gains most tells it
						}
					}
				}
			}
		}
	}
	g.off = make([]int32, len(g.nodes)+1)
	for _, l := range all {
		g.off[l.from+1]++
	}
	for i := range g.nodes {
		g.off[i+1] += g.off[i]
	}
	g.arcs = make([]arc, len(all))
	next := slices.Clone(g.off)
	for _, l := range all {
		g.arcs[next[l.from]] = l.arc
		next[l.from]++
	}
	return g
}

// startsOf are the kinds of nodes that an edge leads from, once each.
func startsOf(edge string) (out []string) {
	for _, j := range edgeOf(edge).Joins {
		if !slices.Contains(out, j.From) {
			out = append(out, j.From)
		}
	}
	return out
}

func (g *ground) arcsOf(i int32) []arc { return g.arcs[g.off[i]:g.off[i+1]] }

// number is that of an individual; it gets one when it is first met.
func (g *ground) number(n graph.Node) int32 {
	if i := g.find(n); i >= 0 {
		return i
	}
	of := g.numbers[n.KindIndex()]
	for len(of) <= int(n.Index()) {
		of = append(of, make([]int32, max(1024, len(of), int(n.Index())+1-len(of)))...)
	}
	g.numbers[n.KindIndex()] = of
	of[n.Index()] = g.add(n, nil, groupOf(n)) + 1
	return of[n.Index()] - 1
}

// find is the number of an individual that has one, else -1.
func (g *ground) find(n graph.Node) int32 {
	of := g.numbers[n.KindIndex()]
	if int(n.Index()) >= len(of) {
		return -1
	}
	return of[n.Index()] - 1
}

func (g *ground) add(n graph.Node, t *goal, told group) int32 {
	at, there := g.known[told]
	if !there {
		at = int32(len(g.groups))
		g.known[told] = at
		g.groups = append(g.groups, told)
	}
	g.nodes, g.goals, g.group = append(g.nodes, n), append(g.goals, t), append(g.group, at)
	return int32(len(g.nodes) - 1)
}
