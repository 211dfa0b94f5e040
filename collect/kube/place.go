package kube

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// anyNode begins the names of machines that would run pods where manifests name none.
const anyNode = "any-node"

// places are the nodes that a made pod may run on. Of nodes that were read it is one: the
// first that has the labels it asks for, or takes pods. Manifests without nodes get one that
// stands for all, as nothing keeps their pods apart; where node selectors do, one for each
// of those that contradict another. A pod may be on each that does not contradict its own.
func (m *manifests) places(shape *collect.PodShape) []string {
	if m.nodes == nil {
		m.nodes = m.imagined()
	}
	var open []string
	for _, n := range m.nodes {
		if len(n.Taints) > 0 || shape != nil && contrary(n.Labels, shape.NodeSelector) {
			continue
		}
		if open = append(open, n.Name); !strings.HasPrefix(n.Name, anyNode) && (shape == nil || within(shape.NodeSelector, n.Labels)) {
			return []string{n.Name}
		}
	}
	switch {
	case len(open) == 0: // none that was read takes it, and a cluster has more than files name
		n := &collect.Node{Name: anyNode}
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Node", Key: collect.Key{Name: n.Name}, Object: n})
		return []string{n.Name}
	case !strings.HasPrefix(open[0], anyNode):
		return open[:1]
	}
	return open
}

// imagined are the nodes that were read, by name; if there are none, those that the pods
// of templates and the pods without a node would need.
func (m *manifests) imagined() (out []*collect.Node) {
	for _, n := range m.facts.Nodes {
		out = append(out, n)
	}
	if len(out) == 0 {
		for _, labels := range apart(m.selectors()) {
			out = append(out, &collect.Node{Name: nameOfNode(labels), Labels: labels})
		}
	}
	slices.SortFunc(out, func(a, b *collect.Node) int { return cmp.Compare(a.Name, b.Name) })
	for _, n := range out {
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Node", Key: collect.Key{Name: n.Name}, Object: n})
	}
	return out
}

func (m *manifests) selectors() (out []map[string]string) {
	shapes := map[*collect.PodShape]bool{}
	note := func(s *collect.PodShape) {
		if s != nil && !shapes[s] && len(s.NodeSelector) > 0 {
			shapes[s] = true
			out = append(out, s.NodeSelector)
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

// apart are the selectors that contradict another, each once; an empty one if none does.
func apart(all []map[string]string) (out []map[string]string) {
	named := map[string]bool{}
	slices.SortFunc(all, func(a, b map[string]string) int { return cmp.Compare(nameOfNode(a), nameOfNode(b)) })
	for _, a := range all {
		if !named[nameOfNode(a)] && len(out) < maxImagined &&
			slices.ContainsFunc(all, func(b map[string]string) bool { return contrary(a, b) }) {
			named[nameOfNode(a)] = true
			out = append(out, a)
		}
	}
	if len(out) == 0 || len(out) == maxImagined {
		return []map[string]string{nil}
	}
	return out
}

// contrary says that no node can have both.
func contrary(a, b map[string]string) bool {
	for k, v := range a {
		if w, both := b[k]; both && v != w {
			return true
		}
	}
	return false
}

func within(part, all map[string]string) bool {
	for k, v := range part {
		if w, there := all[k]; !there || w != v {
			return false
		}
	}
	return true
}

// nameOfNode tells a node that selectors ask for: "any-node-pool-a".
func nameOfNode(labels map[string]string) string {
	name := anyNode
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		name += "-" + k[strings.LastIndex(k, "/")+1:] + "-" + labels[k]
	}
	return name
}
