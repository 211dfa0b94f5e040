package analyse

import (
	"github.com/breakwater-sec/breakwater/graph"
)

// inherited are the insights that containers and pods have through their images.
var inherited = []string{"severe", "rce", "exploited"}

// answers are values of the inherited insights: true, false or unknown each.
type answers [3]graph.Value

// or unites: true where either is, unknown where either is and none is true.
func (a answers) or(b answers) answers {
	for i := range a {
		if a[i].Bool() || !b[i].Bool() && a[i].IsNull() {
			continue
		}
		a[i] = b[i]
	}
	return a
}

// inherit writes what images say onto the containers and pods that run them.
func inherit(x *graph.Extension, v *graph.View) {
	known := map[graph.Node]answers{}
	for pod := range v.Nodes("Pod") {
		whole, some := answers{}, false
		for runs := range pod.Out("RUNS") {
			for uses := range runs.To.Out("USES_IMAGE") {
				a, seen := known[uses.To]
				if !seen {
					for i, name := range inherited {
						a[i] = uses.To.Value(name)
					}
					known[uses.To] = a
				}
				x.Set(runs.To, a.props()...)
				if some {
					a = whole.or(a)
				}
				whole, some = a, true
			}
		}
		x.Set(pod, whole.props()...)
	}
}

func (a answers) props() []graph.Prop {
	out := make([]graph.Prop, 0, len(a))
	for i, name := range inherited {
		if !a[i].IsNull() {
			out = append(out, graph.Prop{Name: name, Value: a[i]})
		}
	}
	return out
}
