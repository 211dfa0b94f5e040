package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
)

// makePods adds the pods that workloads would make where no pod of theirs was
// read: one for each template, however many replicas they ask for, because all
// would be alike. The pods a Job's CronJob or a ReplicaSet's Deployment stands for
// are made once, by the first of them that was read.
func (m *manifests) makePods() {
	m.placePods()
	templates := m.templates
	for k, w := range m.facts.Workloads {
		templates = append(templates, templateOf(w))
		m.owners[k] = w.Owner
	}
	// One workload's are in their order, so that a name is the same each time.
	slices.SortStableFunc(templates, func(a, b template) int { return compareWorkloads(a.owner, b.owner) })
	owned := m.owned()
	made := map[template]bool{}
	for _, t := range templates {
		_, above := m.owners[collect.WorkloadKey{Kind: t.up.Kind, Key: collect.Key{Namespace: t.owner.Namespace, Name: t.up.Name}}]
		if owned[t.owner] || above || t.shape == nil || len(t.shape.Containers) == 0 || t.idle || made[t] {
			continue
		}
		made[t] = true
		key := collect.Key{Namespace: t.owner.Namespace, Name: m.freeName(t.owner)}
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Pod", Key: key, Object: &collect.Pod{
			Key: key, Node: m.place(), Phase: "Pending", Labels: t.labels, Shape: t.shape, Made: true,
			Owner: collect.OwnerRef{Kind: t.kind, Name: t.owner.Name, UID: t.uid},
		}})
	}
}

// maxOwners bounds a chain of owners, which a file could close to a ring.
const maxOwners = 8

// owned is the workloads that have pods among those that were read.
func (m *manifests) owned() map[collect.WorkloadKey]bool {
	owned := map[collect.WorkloadKey]bool{}
	for _, p := range m.facts.Pods {
		up := p.Owner
		for range maxOwners {
			if up.Kind == "" {
				break
			}
			k := collect.WorkloadKey{Kind: up.Kind, Key: collect.Key{Namespace: p.Namespace, Name: up.Name}}
			owned[k] = true
			up = m.owners[k]
		}
	}
	return owned
}

// placePods puts the pods that no node was chosen for on the node that they would
// be placed on, or every way out of them would end nowhere.
func (m *manifests) placePods() {
	for _, p := range m.facts.Pods {
		if p.Node == "" && (p.Phase == "" || p.Phase == "Pending") {
			p.Node, p.Made = m.place(), true
		}
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
	if m.placed != "" {
		return m.placed
	}
	for _, k := range slices.SortedFunc(maps.Keys(m.facts.Nodes), func(a, b collect.Key) int { return cmp.Compare(a.Name, b.Name) }) {
		if len(m.facts.Nodes[k].Taints) == 0 {
			m.placed = k.Name
			return k.Name
		}
	}
	key := collect.Key{Name: anyNode}
	m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Node", Key: key, Object: &collect.Node{Name: anyNode}})
	m.placed = anyNode
	return anyNode
}
