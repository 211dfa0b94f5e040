package exposure

import (
	"fmt"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// FromKubelet is the source of what a kubelet does in its pods for those who call it.
const FromKubelet Source = "kubelet"

// kubelets judges whether the internet reaches kubelets that ask nobody who they are.
// One that is open to all has each pod of its node run commands; what stands behind its
// read-only port is told, and is no way in.
func (j *judge) kubelets() {
	own := j.kubeletsInPods()
	unsaid := false
	for _, node := range j.kubeletNodes() {
		told, uncertain := j.facts.Kubelets, ""
		if k, runs := own[node.Name]; runs {
			told = []collect.Kubelet{k}
		}
		if len(told) > 1 && slices.ContainsFunc(told, func(k collect.Kubelet) bool { return k.Open() != told[0].Open() }) {
			uncertain = fmt.Sprintf("which of %d configurations its kubelet has is not known", len(told))
		}
		if unsaid = unsaid || len(told) == 0; len(told) == 0 || node.Name == "" {
			continue
		}
		if len(publicOf(node)) == 0 {
			uncertain = "the addresses of node " + node.Name + " are not known"
		}
		j.kubelet(node, told, uncertain)
	}
	if unsaid {
		j.res.Gaps = append(j.res.Gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: "kubelets that answer anybody",
			Why:         "whether they do was not looked for: how kubelets are configured is written on nodes, and in no object that is read",
			Consequence: "A kubelet that runs commands for anybody is a way from the internet into each container of its node, and is not shown."})
	}
}

// kubeletNodes are the nodes that the internet may reach: those with a public address, or,
// where no node was seen, those that pods would be placed on.
func (j *judge) kubeletNodes() []*collect.Node {
	if j.nodes.count > 0 {
		return j.nodes.public
	}
	implied := map[string]*collect.Node{}
	for k := range j.pods.of {
		name := j.facts.Pods[k].Node
		implied[name] = &collect.Node{Name: name}
	}
	var out []*collect.Node
	for _, name := range slices.Sorted(maps.Keys(implied)) {
		out = append(out, implied[name])
	}
	return out
}

// kubeletsInPods are those that run as a container, by their node.
func (j *judge) kubeletsInPods() map[string]collect.Kubelet {
	out := map[string]collect.Kubelet{}
	for _, p := range j.facts.Pods {
		if p.Shape == nil || p.Node == "" || j.pods.of[p.Key] == nil {
			continue
		}
		for _, c := range p.Shape.Containers {
			if k, said := collect.KubeletIn(c, "container "+c.Name+" of pod "+p.Key.String()); said {
				out[p.Node] = k
			}
		}
	}
	return out
}

func (j *judge) kubelet(node *collect.Node, told []collect.Kubelet, uncertain string) {
	is := nodeRef(node.Name)
	for _, k := range told {
		if k.ReadOnlyPort != 0 {
			j.route(way{[]*Hop{j.kubeletHop(is, k.ReadOnlyPort, "the read-only port of the kubelet", uncertain)}, everyone()})
		}
		if !k.Open() {
			continue
		}
		first := j.kubeletHop(is, k.Port, "the port of the kubelet, which asks nobody who they are ("+k.From+")", uncertain)
		j.route(way{[]*Hop{first}, everyone()})
		for _, p := range j.pods.on(node.Name) {
			j.res.hops = append(j.res.hops, j.hop(Hop{From: is, To: p.Of("Pod"), Ports: first.Ports, Width: Any, Source: FromKubelet,
				Uncertain: uncertain, Via: fmt.Sprintf("the kubelet of %s, which runs commands in its containers for anybody", is),
				Evidence: []ref.Ref{is, p.Of("Pod")}}))
		}
		return
	}
}

func (j *judge) kubeletHop(node ref.Ref, port int32, via, uncertain string) *Hop {
	return j.hop(Hop{From: internet, To: node, Ports: []netpol.Port{{Protocol: "TCP", Number: port}}, Width: Any, Source: FromInternet,
		Via: via, Evidence: []ref.Ref{node}, Uncertain: uncertain})
}
