package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// anyNode begins the names of machines that would run pods where manifests name none.
const anyNode = "any-node"

// places are the nodes that a made pod may be on: of those that were read, each if its pods are
// everywhere, else one of each sort that takes it. Manifests without nodes get one that stands for
// all, as nothing keeps their pods apart; where what pods ask of nodes does, one for each of those
// that contradict another, and for the control plane. A pod may be on each that does not contradict
// what it asks.
func (m *manifests) places(shape *collect.PodShape, everywhere bool) []string {
	if m.nodes == nil {
		m.imagine()
	}
	var on []string
	switch {
	case m.imagined:
		for _, n := range m.nodes {
			if takes(n, shape) {
				on = append(on, n.Name)
			}
		}
	case everywhere:
		on = collect.Places(m.nodes, shape, m.room(len(m.nodes)))
	default:
		on = collect.Places(m.nodes, shape, false)
	}
	if len(on) == 0 { // none that was read takes it, and a cluster has more than files name
		n := &collect.Node{Name: anyNode}
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Node", Key: collect.Key{Name: n.Name}, Object: n})
		return []string{n.Name}
	}
	return on
}

// maxEverywhere bounds the pods that are made because they would be on every node.
const maxEverywhere = 100_000

// room says whether pods on so many nodes can still be made, and tells once if not.
func (m *manifests) room(nodes int) bool {
	full := m.everywhere+nodes > maxEverywhere
	if m.everywhere += nodes; full {
		m.facts.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "file", What: "pods of every node", Since: time.Now(),
			Why:         fmt.Sprintf("more than %d pods would be there because DaemonSets run on every node", maxEverywhere),
			Consequence: "Of further DaemonSets one pod is told for each sort of nodes."}})
	}
	return !full
}

// imagine takes the nodes that were read; if there are none, those that the pods of
// templates and the pods without a node would need.
func (m *manifests) imagine() {
	for _, n := range m.facts.Nodes {
		m.nodes = append(m.nodes, n)
	}
	if m.imagined = len(m.nodes) == 0; !m.imagined {
		return
	}
	for _, labels := range slices.SortedFunc(slices.Values(apart(m.wanted())), byName) {
		n := &collect.Node{Name: nameOfNode(labels), Labels: labels}
		if collect.OfControlPlane(labels) {
			n.Taints = []string{"node-role.kubernetes.io/control-plane=:NoSchedule"}
		}
		m.nodes = append(m.nodes, n)
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Node", Key: collect.Key{Name: n.Name}, Object: n})
	}
}

func (m *manifests) wanted() (out []map[string]string) {
	shapes := map[*collect.PodShape]bool{}
	note := func(s *collect.PodShape) {
		if s == nil || shapes[s] {
			return
		}
		shapes[s] = true
		if wants := s.Wants(); len(wants) > 0 {
			out = append(out, wants)
		}
	}
	for _, p := range m.facts.Pods {
		note(p.Shape)
	}
	for _, w := range m.facts.Workloads {
		note(w.Shape)
	}
	for _, t := range m.templates {
		note(t.shape)
	}
	return out
}

// maxImagined bounds the nodes that selectors ask for.
const maxImagined = 32

// apart are what pods ask that contradicts another or asks for the control plane, each once, and an
// empty one if the workers' are none.
func apart(all []map[string]string) (out []map[string]string) {
	named := map[string]bool{}
	slices.SortFunc(all, byName)
	workers := 0
	for _, a := range all {
		control := collect.OfControlPlane(a)
		if named[nameOfNode(a)] || len(out) == maxImagined ||
			!control && !slices.ContainsFunc(all, func(b map[string]string) bool { return !collect.OfControlPlane(b) && contrary(a, b) }) {
			continue
		}
		named[nameOfNode(a)] = true
		out = append(out, a)
		if !control {
			workers++
		}
	}
	if len(out) == maxImagined {
		out = slices.DeleteFunc(out, func(a map[string]string) bool { return !collect.OfControlPlane(a) })
		workers = 0
	}
	if workers == 0 {
		out = append(out, nil)
	}
	return out
}

func byName(a, b map[string]string) int { return cmp.Compare(nameOfNode(a), nameOfNode(b)) }

// contrary says that no node can have both.
func contrary(a, b map[string]string) bool {
	for k, v := range a {
		if w, both := b[k]; both && v != w {
			return true
		}
	}
	return false
}

// takes says that a node that is imagined takes a pod: one that asks for the control plane is there,
// whether or not it bears the taint that most have.
func takes(n *collect.Node, shape *collect.PodShape) bool {
	if shape != nil {
		if wants := shape.Wants(); collect.OfControlPlane(wants) {
			return collect.OfControlPlane(n.Labels) && !contrary(n.Labels, wants)
		}
	}
	return n.Fit(shape) > collect.Refuses
}

// nameOfNode tells a node that selectors ask for: "any-node-pool-a".
func nameOfNode(labels map[string]string) string {
	name := anyNode
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		name += "-" + k[strings.LastIndex(k, "/")+1:]
		if labels[k] != "" {
			name += "-" + labels[k]
		}
	}
	return name
}
