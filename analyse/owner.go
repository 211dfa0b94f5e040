package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// group is what a node is told as on a path: its owner, shared by all replicas.
// It names no pod, no digest and no single worker node, so that rollouts and
// rescheduling leave a path's identity alone.
type group struct {
	kind string
	// id is stable and begins with the cluster's name.
	id string
}

// groupOf is the group of a node.
func groupOf(n graph.Node) group {
	switch n.Kind() {
	case "Pod":
		return group{"Pod", workloadID(n)}
	case "Container":
		return group{"Container", workloadID(n) + "/" + n.Text("name")}
	case "Node":
		if n.Value("controlPlane").Bool() {
			return group{"Node", n.Cluster() + "/Nodes/control-plane"}
		}
		return group{"Node", n.Cluster() + "/Nodes/worker"}
	}
	return group{n.Kind(), n.ID()}
}

// workloadID is the stable id of the workload that owns a pod or container.
func workloadID(n graph.Node) string {
	return n.Cluster() + "/" + n.Text("namespace") + "/" + n.Text("workload")
}

// members is a set of nodes of one group, in order of their ids.
type members []graph.Node

func (m members) sorted() members {
	slices.SortFunc(m, compareNodes)
	return slices.Compact(m)
}

func compareNodes(a, b graph.Node) int {
	if a.KindIndex() != b.KindIndex() {
		return a.KindIndex() - b.KindIndex()
	}
	return int(a.Index()) - int(b.Index())
}
