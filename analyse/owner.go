package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
)

// group is what a node is told as on a path: its owner, shared by all replicas.
// It names no pod, no digest and no single worker node, so that rollouts and
// rescheduling leave a path's identity alone.
type group struct {
	kind string
	// id is stable and begins with the cluster's name.
	id string
	// role is that of nodes, which are told by it.
	role string
}

// toldByOwner says that a node's properties decide what its group is.
func toldByOwner(n graph.Node) bool {
	switch n.Kind() {
	case "Pod", "Container", "Node":
		return true
	}
	return false
}

// groupOf is the group of a node.
func groupOf(n graph.Node) group {
	switch n.Kind() {
	case "Pod":
		return group{kind: "Pod", id: workloadOf(n).ID()}
	case "Container":
		return group{kind: "Container", id: workloadOf(n).ID() + "/" + n.Text("name")}
	case "Node":
		role := "worker"
		if n.Value("controlPlane").Bool() {
			role = "control-plane"
		}
		return group{kind: "Node", id: n.Cluster() + "/Nodes/" + role, role: role}
	}
	return group{kind: n.Kind(), id: n.ID()}
}

// workloadOf names the workload that owns a pod or container.
func workloadOf(n graph.Node) ref.Ref {
	return ref.Ref{Cluster: n.Cluster(), Namespace: n.Text("namespace")}.WithKindName(n.Text("workload"))
}

// members is a set of nodes of one group, in order of their ids.
type members []graph.Node

func (m members) sorted() members {
	slices.SortFunc(m, compareNodes)
	return slices.Compact(m)
}

// sum is a number made of the set, once it is sorted.
func (m members) sum() (n uint64) {
	for _, each := range m {
		n = mixed(n ^ uint64(each.KindIndex())<<32 ^ uint64(each.Index()))
	}
	return n
}

func compareNodes(a, b graph.Node) int {
	if a.KindIndex() != b.KindIndex() {
		return a.KindIndex() - b.KindIndex()
	}
	return int(a.Index()) - int(b.Index())
}
