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

// rate sums the risk's factors: how easy the way in is, and what it leads to.
// The table is in docs/adr/0082; the factors that counted are told with the path.
func (w *writer) rate(p *pathType, hops []hop, v weakness) {
	w.path.RiskFactors = []Factor{}
	w.factor("exposed", 40, "Traffic from the internet reaches the pod.")
	if w.narrow() {
		w.factor("listed addresses only", -15, "Only listed address ranges can send it.")
	}
	switch {
	case v.worst == string(severity.Critical):
		w.factor("critical vulnerability", 30, "A vulnerability in the image is of critical severity.")
	case v.severe:
		w.factor("high severity vulnerability", 20, "A vulnerability in the image is of high severity.")
	}
	if v.rce {
		w.factor("remote code execution", 10, "A vulnerability lets a remote attacker run code.")
	}
	switch {
	case v.exploited:
		w.factor("known exploited", 20, "A vulnerability is in the list of known exploited ones.")
	case v.epss >= 0.1:
		w.factor("likely to be exploited", 10,
			fmt.Sprintf("A vulnerability is expected to be exploited within 30 days with a probability of %.0f %%.", 100*v.epss))
	}
	if p.Gain != 0 {
		w.factor("gain", p.Gain, "What is gained: "+label(w.path.Target.Kind)+" "+w.path.Target.Name+".")
	}
	w.rateTarget(hops[len(hops)-1].members)
	if len(w.path.Uncertain) > 0 {
		w.factor("uncertain", -10, "Something that was not seen might prevent a step.")
	}
	for _, f := range w.path.RiskFactors {
		w.path.RiskScore += f.Points
	}
	w.path.RiskScore = min(max(w.path.RiskScore, 0), 100)
	w.path.Risk = riskWord(w.path.RiskScore)
}

func (w *writer) rateTarget(target members) {
	is := func(insight string) bool {
		return slices.ContainsFunc(target, func(n graph.Node) bool { return n.Value(insight).Bool() })
	}
	if is("controlPlane") {
		w.factor("control plane", 10, "The node runs the control plane.")
	}
	if is("privileged") && w.path.Target.ID != w.path.Foothold.ID {
		w.factor("privileged target", 15, "The container reached is privileged on its node.")
	}
	if slices.ContainsFunc(w.path.Nodes, func(t Thing) bool { return slices.Contains(t.Insights, "critical") }) {
		w.factor("critical resource", 15, "Something on the path is marked as critical.")
	}
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
