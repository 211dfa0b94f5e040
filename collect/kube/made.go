package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
)

// makePods adds the pods that workloads would make where no pod of theirs was
// read: one for each, however many replicas they ask for, because all would be
// alike. The pods a Job's CronJob or a ReplicaSet's Deployment stands for are
// made once, by the workload that nothing owns.
func (m *manifests) makePods() {
	owned := map[collect.WorkloadKey]bool{}
	for _, p := range m.facts.Pods {
		for k, hops := (collect.WorkloadKey{Kind: p.Owner.Kind, Key: collect.Key{Namespace: p.Namespace, Name: p.Owner.Name}}),
			0; k.Kind != "" && hops < 5; hops++ {
			owned[k] = true
			w := m.facts.Workloads[k]
			if w == nil {
				break
			}
			k = collect.WorkloadKey{Kind: w.Owner.Kind, Key: collect.Key{Namespace: k.Namespace, Name: w.Owner.Name}}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(m.facts.Workloads), compareWorkloads) {
		w := m.facts.Workloads[k]
		if owned[k] || w.Owner.Kind != "" || w.Shape == nil || len(w.Shape.Containers) == 0 || scaledDown(w) {
			continue
		}
		key := collect.Key{Namespace: k.Namespace, Name: m.freeName(k)}
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Pod", Key: key, Object: &collect.Pod{
			Key: key, Node: m.place(), Phase: "Pending", Labels: w.PodLabels, Shape: w.Shape, Made: true,
			Owner: collect.OwnerRef{Kind: k.Kind, Name: k.Name, UID: w.UID},
		}})
	}
}

// scaledDown workloads make no pods. A DaemonSet's number is a status that
// manifests do not have; a CronJob's is zero while it is suspended.
func scaledDown(w *collect.Workload) bool { return w.Replicas == 0 && w.Kind != "DaemonSet" }

func (m *manifests) freeName(k collect.WorkloadKey) string {
	name := k.Name
	for i := 2; m.facts.Pods[collect.Key{Namespace: k.Namespace, Name: name}] != nil; i++ {
		name = fmt.Sprintf("%s-%d", k.Name, i)
	}
	return name
}

func compareWorkloads(a, b collect.WorkloadKey) int {
	return slices.Compare([]string{a.Namespace, a.Kind, a.Name}, []string{b.Namespace, b.Kind, b.Name})
}

// anyNode stands for the machine that would run a pod where manifests name none.
const anyNode = "any-node"

// place is the node that a made pod would run on: the first that takes pods.
// Manifests without nodes get one that stands for all.
func (m *manifests) place() string {
	for _, k := range slices.SortedFunc(maps.Keys(m.facts.Nodes), func(a, b collect.Key) int { return cmp.Compare(a.Name, b.Name) }) {
		if len(m.facts.Nodes[k].Taints) == 0 {
			return k.Name
		}
	}
	key := collect.Key{Name: anyNode}
	m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Node", Key: key, Object: &collect.Node{Name: anyNode}})
	return anyNode
}
