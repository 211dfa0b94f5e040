package analyse

import (
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/severity"
)

// Where a score becomes a word.
const (
	criticalFrom = 80
	highFrom     = 55
	mediumFrom   = 30
)

// Points of the factors; docs/adr/0310 has the table and its reasons.
const (
	mostForSteps     = 15 // that are taken away for how hard the way on is
	likelyExploited  = 0.1
	pointsOfKnown    = 30
	pointsOfPossible = 20
	pointsOfOthers   = 15 // supply chain, assumed
	pointsOfMoving   = 20 // that are taken away for another program that must give way

	pointsOfControlPlane = 10
)

// rate sums the risk's factors: how easy the way in is, how hard the way on, and
// what it leads to. The factors that counted are told with the path.
func (w *writer) rate(p *pathType, hops []*hop, v weakness, cost int32) {
	w.path.RiskFactors = []Factor{}
	w.rateEntry()
	if w.foothold.class == Known {
		w.rateWeakness(v)
	}
	if p.Gain != 0 {
		w.factor("gain", p.Gain, "What is gained: "+label(w.path.Target.Kind)+" "+w.path.Target.Name+".")
	}
	w.rateTarget(hops)
	if cost > 0 {
		w.factor(
			"steps",
			-min(int(cost), mostForSteps),
			fmt.Sprintf("It takes %s from the foothold on, as likely and as hard as their techniques are.",
				plural(len(hops), "step")),
		)
	}
	if slices.ContainsFunc(hops, func(h *hop) bool { return h.edge == "CAN_TALK_TO" }) {
		w.factor("moves on over the network", -pointsOfMoving,
			"From the foothold, another program has to be attacked over the cluster's network.")
	}
	if w.doubtful() {
		w.factor("uncertain", -5, "Something that was not seen might prevent a step.")
	}
	for _, f := range w.path.RiskFactors {
		w.path.RiskScore += f.Points
	}
	w.path.RiskScore = min(max(w.path.RiskScore, 0), 100)
	w.path.Risk = riskWord(w.path.RiskScore)
}

// doubtful says that something might prevent a step. That nobody knows what lets the
// attacker in is what makes an entry a possible one, and counts there.
func (w *writer) doubtful() bool {
	return slices.ContainsFunc(w.path.Steps, func(st Step) bool {
		return st.Uncertain != "" && (w.foothold.class != Possible || st.Derived)
	})
}

// rateEntry is for how sure it is that an attacker gets in.
func (w *writer) rateEntry() {
	switch f := w.foothold; {
	case f.class == Assumed:
		w.factor("assumed", pointsOfOthers, "It is assumed that an attacker is there; how they came is not judged.")
		return
	case f.class == SupplyChain:
		w.factor("supply chain", pointsOfOthers, "Others may replace what runs.")
	case f.anonymous:
		w.factor("no credentials", pointsOfKnown, "Callers of the API server have it without credentials of this cluster.")
	case f.class == Possible:
		w.factor(
			"exposed, not judged",
			pointsOfPossible,
			"Traffic from the internet reaches the pod; nobody knows whether something lets an attacker in.",
		)
	default:
		w.factor("exposed", pointsOfKnown, "Traffic from the internet reaches the pod.")
	}
	if w.narrow() {
		w.factor("listed addresses only", -10, "Only listed address ranges can send it.")
	}
}

// rateWeakness is for how well what lets the attacker in is known to work.
func (w *writer) rateWeakness(v weakness) {
	switch {
	case w.open():
		w.factor("asks nobody", 12, "What lets the attacker in asks nobody who they are: no vulnerability is needed.")
	case v.worst == string(severity.Critical):
		w.factor("critical vulnerability", 12, "A vulnerability in the image is of critical severity.")
	case v.severe:
		w.factor("high severity vulnerability", 8, "A vulnerability in the image is of high severity.")
	}
	if v.rce {
		w.factor("remote code execution", 5, "A vulnerability lets a remote attacker run code.")
	}
	switch {
	case v.exploited:
		w.factor("known exploited", 12, "A vulnerability is in the list of known exploited ones.")
	case v.epss >= likelyExploited:
		w.factor("likely to be exploited", 6,
			fmt.Sprintf("A vulnerability is expected to be exploited within 30 days with a probability of %.0f %%.", 100*v.epss))
	}
}

func (w *writer) rateTarget(hops []*hop) {
	target := w.foothold.all
	if len(hops) > 0 {
		target = hops[len(hops)-1].members
	}
	is := func(insight string) bool {
		return slices.ContainsFunc(target, func(n graph.Node) bool { return n.Value(insight).Bool() })
	}
	if is("controlPlane") {
		w.factor("control plane", pointsOfControlPlane, "The node runs the control plane.")
	}
	if is("privileged") && w.path.Target.ID != w.path.Foothold.ID {
		w.factor("privileged target", 5, "The container reached is privileged on its node.")
	}
	if slices.ContainsFunc(w.path.Nodes, func(t Thing) bool { return w.onRoute(t.ID) && slices.Contains(t.Insights, "critical") }) {
		w.factor("critical resource", 10, "Something on the path is marked as critical.")
	}
}

// onRoute says whether the most likely route passes a thing.
func (w *writer) onRoute(id string) bool {
	if w.route == nil {
		w.route = map[string]bool{}
		for _, st := range w.path.Steps {
			w.route[st.From], w.route[st.To] = true, true
		}
	}
	return w.route[id]
}

func (w *writer) factor(name string, points int, why string) {
	w.path.RiskFactors = append(w.path.RiskFactors, Factor{name, points, why})
}

// narrow says that on every way in some hop admits only listed ranges.
func (w *writer) narrow() bool {
	for _, a := range w.foothold.arrivals {
		if !slices.ContainsFunc(a.hops, func(h hop) bool {
			return !slices.ContainsFunc(h.edges, func(e graph.Edge) bool { return e.Value("width").Str() != "ranges" })
		}) {
			return false
		}
	}
	return len(w.foothold.arrivals) > 0
}

func riskWord(score int) string {
	switch {
	case score >= criticalFrom:
		return "critical"
	case score >= highFrom:
		return "high"
	case score >= mediumFrom:
		return "medium"
	}
	return "low"
}
