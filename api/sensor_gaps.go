package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
)

// blindness is what each state means for detection.
var blindness = []struct {
	state           SensorState
	what, are, then string
}{
	{None, "nodes without a sensor", "have no sensor", "Processes on these nodes are not seen: no runtime alert can come from them."},
	{Silent, "nodes whose sensor is silent", "have a sensor that is silent",
		"Processes on these nodes are not seen since their sensor last reported."},
	{Partial, "nodes whose sensor does not see everything", "have a sensor that does not see everything",
		"Some processes on these nodes went unseen: no alert does not mean that nothing happened."},
}

// sensorGaps says where processes are not seen, one gap for each cluster and state.
func (s session) sensorGaps(w *scope.World, cluster string, rows []SensorRow) []collect.Gap {
	out := []collect.Gap{}
	gap := func(of, what, why, then string) {
		out = append(out, collect.Gap{Cluster: of, Source: "sensor", What: what, Why: why, Consequence: then})
	}
	if !s.HasSensors() {
		gap("", "sensors", "this server takes no events: it was started without --ingest-listen", "Processes are not seen anywhere.")
	}
	for _, c := range w.Ordered() {
		if cluster != "" && c.Name != cluster {
			continue
		}
		all, named := byState(c.Name, rows)
		if all == 0 {
			gap(c.Name, "nodes", "no node of the cluster is known", "Whether sensors are missing cannot be told.")
		}
		for _, b := range blindness {
			if names := named[b.state]; len(names) > 0 {
				gap(c.Name, b.what, fmt.Sprintf("%d of %d nodes %s: %s", len(names), all, b.are, few(names)), b.then)
			}
		}
		for _, g := range c.Gaps {
			if g.Source == "api" && g.What == "nodes" {
				g.Cluster = c.Name
				out = append(out, g)
			}
		}
	}
	return out
}

// byState names the nodes of a cluster by what is seen of them. A silent sensor
// of a node that is not there any more is no blind spot.
func byState(cluster string, rows []SensorRow) (all int, named map[SensorState][]string) {
	known := slices.ContainsFunc(rows, func(r SensorRow) bool { return r.Cluster == cluster && r.Known })
	named = map[SensorState][]string{}
	for _, r := range rows {
		if r.Cluster == cluster && (r.Known || !known || r.State != Silent) {
			all++
			named[r.State] = append(named[r.State], r.Node)
		}
	}
	return all, named
}

// few names the first and says how many more there are.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
