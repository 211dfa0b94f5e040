package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// Closed is traffic from the internet to a workload that fixes end, or narrow: Ports are those it
// arrives at before, Left those after.
type Closed struct {
	Workload string   `json:"workload"` // its stable id
	Ports    []string `json:"ports"`
	Left     []string `json:"left"`
}

// closed compares the ways to each pod with those that there are without the steps that are
// taken to be no more.
func (s *search) closed() (out []Closed) {
	if !slices.ContainsFunc(s.without.all, func(e ending) bool { return e.edge == "ROUTES_TO" }) {
		return nil
	}
	whole := *s.survey
	whole.without = nil
	open := newSearch(&whole, nil)
	at := map[string]int{}
	for pod := range s.view.Nodes("Pod") {
		was, is := portsOf(open.routesTo(pod)), portsOf(s.routesTo(pod))
		if ended(pod) || len(was) == 0 {
			continue
		}
		id := workloadOf(pod).ID()
		i, known := at[id]
		if !known {
			i = len(out)
			at[id] = i
			out = append(out, Closed{Workload: id, Left: []string{}})
		}
		out[i].Ports, out[i].Left = merged(out[i].Ports, was), merged(out[i].Left, is)
	}
	for _, c := range out {
		slices.Sort(c.Ports)
		slices.Sort(c.Left)
	}
	return slices.DeleteFunc(out, func(c Closed) bool { return len(c.Ports) == len(c.Left) })
}

// portsOf are the ports of a pod at which traffic arrives.
func portsOf(ways map[string][]arrival) (out []string) {
	for _, way := range ways {
		for _, a := range way {
			for _, e := range a.hops[len(a.hops)-1].edges {
				out = merged(out, portsAt(e))
			}
		}
	}
	return out
}

func portsAt(e graph.Edge) []string {
	if ports := e.Value("ports").List(); len(ports) > 0 {
		return ports
	}
	return []string{"all"}
}
