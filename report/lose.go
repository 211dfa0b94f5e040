package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
)

// Losable is a workload or identity from which an attacker who has it comes on.
type Losable struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	Cluster   string `json:"cluster"`
	// Targets is how many it leads to, Worst the one that gains most.
	Targets      int64  `json:"targets"`
	Worst        string `json:"worst"`
	ClusterAdmin bool   `json:"clusterAdmin"`
}

// mostToLose is how many are named.
const mostToLose = 5

// worstToLose lists what leads to most, and counts all that lead to anything. Who
// sees only part of a cluster is told nothing of it: targets lie in all of it.
func worstToLose(w *scope.World) (worst []Losable, all int) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ServiceAccount", "User", "Group"} {
		for n := range w.View.Nodes(kind) {
			if l := losable(n); l.Targets > 0 && !partOfAnother(n) && w.Whole(l.Cluster) {
				worst = append(worst, l)
			}
		}
	}
	slices.SortFunc(worst, func(a, b Losable) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(b.Targets, a.Targets), strings.Compare(a.Kind+a.ID, b.Kind+b.ID))
	})
	return worst[:min(len(worst), mostToLose)], len(worst)
}

func rank(l Losable) int {
	if l.ClusterAdmin {
		return 1
	}
	return 0
}

// partOfAnother is a pod that a workload stands for, and whom Kubernetes itself
// allows everything.
func partOfAnother(n graph.Node) bool {
	return n.Kind() == "Pod" && !strings.HasPrefix(n.Text("workload"), "Pod/") || analyse.Administrators(n)
}

func losable(n graph.Node) Losable {
	return Losable{ID: n.ID(), Kind: n.Kind(), Name: n.Text("name"), Namespace: n.Text("namespace"), Cluster: n.Cluster(),
		Targets: n.Value("blastRadius").Int(), Worst: n.Text("worstTarget"), ClusterAdmin: n.Value("reachesClusterAdmin").Bool()}
}
