package analyse

import (
	"cmp"
	"math/bits"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// blast is what an attacker reaches who has something.
type blast struct {
	targets int
	worst   *goal
	admin   bool
}

// stand is what decides what an attacker reaches who has something.
type stand struct {
	knots     uint64 // where they stand
	namespace string
	group     group // only where it is a goal: nobody comes to what they have
}

// blastOf counts the goals that a foothold leads to, and names the one that gains
// most. Many stand where others do, so each answer is made once.
func (s *search) blastOf(f *foothold) blast {
	starts := s.starts(f)
	at := stand{knots: s.reach.knots(starts), namespace: f.all[0].Text("namespace")}
	if s.reach.groups[f.group] {
		at.group = f.group
	}
	b, known := s.blasts[at]
	if !known {
		b = s.count(f, starts)
		s.blasts[at] = b
	}
	return b
}

// count is made goal by goal. Other containers of the foothold's own workload are part of it.
func (s *search) count(f *foothold, starts []int32) (b blast) {
	for w, word := range s.reach.from(starts) {
		for ; word != 0; word &= word - 1 {
			g := s.field.goalOf(s.reach.goals[64*w+bits.TrailingZeros64(word)])
			if g.of.Only == sameWorkload || !f.wants(g) {
				continue
			}
			b.targets++
			b.admin = b.admin || g.group.kind == "Cluster"
			if b.worst == nil || cmp.Or(cmp.Compare(g.gain(), b.worst.gain()), strings.Compare(b.worst.words, g.words)) > 0 {
				b.worst = g
			}
		}
	}
	return b
}

// gain orders goals; a node of the control plane is more than another.
func (g *goal) gain() int {
	if g.group.role == "control-plane" {
		return g.of.Gain + 1
	}
	return g.of.Gain
}

// inWords is what people call the goal.
func (g *goal) inWords() string {
	switch {
	case g.group.kind == "Cluster":
		return "cluster administrator"
	case g.group.role != "":
		return g.group.role + " nodes"
	case g.of.Together:
		return kindOf(g.group.kind).Plural + " of namespace " + g.namespace
	}
	text := lowerFirst(label(g.group.kind)) + " " + g.name
	if g.namespace != "" {
		text += " in " + g.namespace
	}
	return text
}

// blastKinds are the kinds that say what is lost with them.
var blastKinds = []string{"Container", "Pod", "ServiceAccount", "User", "Group", "Node"}

// tellBlast writes on everything that runs and every identity what an attacker
// reaches who has it.
func (s *search) tellBlast(x *graph.Extension) {
	workloads := map[string]*foothold{}
	for _, kind := range blastKinds {
		for n := range s.view.Nodes(kind) {
			f := &foothold{class: Assumed, group: groupOf(n), all: members{n}, walks: s.inside(n)}
			x.Set(n, s.blastOf(f).props()...)
			if kind != "Pod" {
				continue
			}
			id := workloadOf(n).ID()
			if workloads[id] == nil {
				workloads[id] = &foothold{class: Assumed, group: f.group, all: members{n}}
			}
			workloads[id].walks = append(workloads[id].walks, f.walks...)
		}
	}
	for _, kind := range assumable["workload"] {
		if kind == "Pod" {
			continue
		}
		for n := range s.view.Nodes(kind) {
			b := blast{}
			if f := workloads[n.ID()]; f != nil {
				b = s.blastOf(f)
			}
			x.Set(n, b.props()...)
		}
	}
}

func (b blast) props() []graph.Prop {
	out := []graph.Prop{graph.I("blastRadius", int64(b.targets)), graph.B("reachesClusterAdmin", b.admin)}
	if b.worst != nil {
		out = append(out, graph.S("worstTarget", b.worst.words))
	}
	return out
}
