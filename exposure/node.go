package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// nodes is what routes ask of a cluster's nodes.
type nodes struct {
	public []*collect.Node // with an address the internet routes
	all    netpol.Ranges   // every address of every node
	count  int
}

func nodesOf(f *collect.Facts) (n nodes) {
	for _, node := range f.Nodes {
		if !seen(node) {
			continue
		}
		n.count++
		if len(publicOf(node)) > 0 {
			n.public = append(n.public, node)
		}
		n.all = n.all.Or(netpol.Of(addresses(node.InternalIPs)...)).Or(netpol.Of(addresses(node.ExternalIPs)...))
	}
	slices.SortFunc(n.public, func(a, b *collect.Node) int { return cmp.Compare(a.Name, b.Name) })
	return n
}

// seen says whether somebody saw the node: one that manifests only imply has
// neither a uid nor an address, and proves nothing.
func seen(n *collect.Node) bool {
	return n != nil && (n.UID != "" || len(n.InternalIPs)+len(n.ExternalIPs) > 0)
}

func addresses(text []string) (out []netip.Addr) {
	for _, s := range text {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// publicOf are a node's addresses that the internet routes, also where its
// provider calls a public address internal.
func publicOf(n *collect.Node) (out []netip.Addr) {
	for _, a := range addresses(slices.Concat(n.ExternalIPs, n.InternalIPs)) {
		if netpol.Public().Contains(a) {
			out = append(out, a)
		}
	}
	return out
}

func (n nodes) isPublic(name string) bool {
	return slices.ContainsFunc(n.public, func(p *collect.Node) bool { return p.Name == name })
}

// text names the public nodes: "node a (203.0.113.4) and 2 more".
func (n nodes) text() string {
	text := fmt.Sprintf("node %s (%s)", n.public[0].Name, publicOf(n.public[0])[0])
	if more := len(n.public) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// relay is the senders of traffic that arrived at a node and went on to a pod:
// on the pod's own node the client is seen, from any other that node's address.
func (j *judge) relay(w way) []sender {
	out := []sender{w.sender()}
	other := sender{source: FromNode, whole: true}
	switch {
	case j.nodes.count == 1:
		return out
	case len(j.nodes.all) == 0:
		other.Endpoint = netpol.Somewhere("the nodes", netpol.Private())
	default:
		other.Endpoint = netpol.Addresses("the nodes", j.nodes.all)
	}
	return append(out, other)
}

// everyone with a public address.
func everyone() netpol.Ranges { return netpol.Public() }

// hostPorts judges pods that listen on their node's own addresses.
func (j *judge) hostPorts() {
	for _, ns := range j.pods.namespaces() {
		for _, g := range j.pods.groups[ns] {
			for _, p := range g.pods {
				j.hostPort(p)
			}
		}
	}
}

func (j *judge) hostPort(p *collect.Pod) {
	ports, unknown := hostPortsOf(p)
	if len(ports) == 0 && !unknown {
		return
	}
	node, uncertain := j.publicNode(p)
	if node.Name == "" {
		return
	}
	if unknown {
		const silent = "the pod is on its node's network and declares no port: what it listens on is not known"
		uncertain = strings.TrimPrefix(uncertain+"; "+silent, "; ")
	}
	w := way{clients: everyone()}
	w.hops = []*Hop{j.hop(Hop{From: internet, To: node, Ports: ports, Width: Any, Source: FromInternet, Uncertain: uncertain,
		Via: fmt.Sprintf("the address of %s", node), Evidence: []ref.Ref{node}})}
	t := target{[]*collect.Pod{p}, containerPorts(p)}
	if p.Shape.HostNetwork {
		h := j.hop(Hop{From: node, To: p.Of("Pod"), Ports: ports, Width: Any, Source: FromInternet, Uncertain: uncertain,
			Via: fmt.Sprintf("the network of %s, which the pod shares", node), Evidence: []ref.Ref{node, p.Of("Pod")}})
		j.route(way{append(w.hops, h), w.clients})
		return
	}
	j.deliver(w, node, []target{t}, []sender{w.sender()})
}

// hostPortsOf are the ports on the node that lead into a pod; unknown says that
// there may be others nobody declared.
func hostPortsOf(p *collect.Pod) (ports []netpol.Port, unknown bool) {
	if p.Shape.HostNetwork {
		ports = distinct(declared(p))
		return ports, len(ports) == 0
	}
	for _, c := range hostPortSpecs(p) {
		ports = append(ports, netpol.Port{Protocol: cmp.Or(c.Protocol, "TCP"), Number: c.HostPort})
	}
	return distinct(ports), false
}

// containerPorts are the pod's own ports behind its host ports.
func containerPorts(p *collect.Pod) (out []netpol.Port) {
	for _, c := range hostPortSpecs(p) {
		out = append(out, netpol.Port{Protocol: cmp.Or(c.Protocol, "TCP"), Number: c.Port})
	}
	return distinct(out)
}

// hostPortSpecs leaves out ports bound to an address that is not public.
func hostPortSpecs(p *collect.Pod) (out []collect.ContainerPort) {
	for _, c := range p.Shape.Containers {
		for _, port := range c.Ports {
			ip, err := netip.ParseAddr(port.HostIP)
			bound := err == nil && !ip.IsUnspecified() && !netpol.Public().Contains(ip)
			if port.HostPort != 0 && !bound && c.Type != collect.Init {
				out = append(out, port)
			}
		}
	}
	return out
}

// publicNode is the node whose public address leads to a pod. Where a pod will
// run is not known before it does, so any node will do then, marked.
func (j *judge) publicNode(p *collect.Pod) (ref.Ref, string) {
	if p.Node != "" && (!p.Made || j.nodes.count <= 1) { // of several nodes, a made pod stands on any
		for _, n := range j.nodes.public {
			if n.Name == p.Node {
				return nodeRef(n.Name), ""
			}
		}
		if seen(j.facts.Nodes[collect.Key{Name: p.Node}]) {
			return ref.Ref{}, ""
		}
		return nodeRef(p.Node), "the addresses of node " + p.Node + " are not known"
	}
	if len(j.nodes.public) > 0 {
		return nodeRef(j.nodes.public[0].Name), "the pod runs on no node yet"
	}
	return ref.Ref{}, ""
}
