package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// services judges what services open by themselves: load balancers, node ports
// and external addresses.
func (j *judge) services() {
	for _, s := range j.facts.Each("Service") {
		j.service(s.(*corev1.Service))
	}
}

func (j *judge) service(s *corev1.Service) {
	targets := j.pods.targets(s, s.Spec.Ports)
	if len(targets) == 0 {
		return
	}
	for _, d := range j.doors(s) {
		w := way{clients: d.clients, hops: []*Hop{j.hop(Hop{From: internet, To: serviceEntity(s), Ports: d.ports,
			Width: widthOf(d.clients), Ranges: listed(d.clients), Source: FromInternet, Via: d.via,
			Evidence: []string{serviceEntity(s).ID()}, Uncertain: d.uncertain})}}
		j.deliver(w, serviceEntity(s), targets, j.senders(s, w, d))
	}
}

// door is one way that a service opens to the internet.
type door struct {
	via       string
	ports     []netpol.Port
	clients   netpol.Ranges
	uncertain string
	// direct traffic comes from the load balancer straight to the pods.
	direct bool
}

func (j *judge) doors(s *corev1.Service) (out []door) {
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		if d, ok := j.balancer(s); ok {
			out = append(out, d)
		}
	}
	if d, ok := j.nodePort(s); ok {
		out = append(out, d)
	}
	if open := publicAmong(s.Spec.ExternalIPs); len(open) > 0 {
		out = append(out, door{via: "the external address " + strings.Join(open, ", "), ports: servicePorts(s), clients: everyone()})
	}
	return out
}

// balancer is the door of a Service of type LoadBalancer, unless its load
// balancer is not of the internet.
func (j *judge) balancer(s *corev1.Service) (door, bool) {
	if why := internalBalancer(s); why != "" {
		return door{}, false
	}
	d := door{ports: servicePorts(s), clients: everyone(), direct: directBalancer(s)}
	points := balancerAddresses(s.Status.LoadBalancer.Ingress)
	open := publicAmong(points)
	switch {
	case len(open) > 0:
		d.via = "load balancer " + strings.Join(open, ", ")
	case len(points) > 0 || s.UID != "":
		return door{}, false // a private address, or none was given yet
	default:
		d.via = "a load balancer"
		d.uncertain = "a manifest does not say which address the load balancer will get"
	}
	if ranges, listed := sourceRanges(s); listed {
		d.clients = ranges.And(everyone())
	}
	return d, len(d.clients) > 0
}

func balancerAddresses(in []corev1.LoadBalancerIngress) (out []string) {
	for _, i := range in {
		if a := cmp.Or(i.IP, i.Hostname); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// publicAmong keeps the addresses the internet routes, and host names that do
// not say they are internal.
func publicAmong(all []string) (out []string) {
	for _, s := range all {
		a, err := netip.ParseAddr(s)
		if err == nil && netpol.Public().Contains(a.Unmap()) || err != nil && publicName(s) {
			out = append(out, s)
		}
	}
	return out
}

func publicName(host string) bool {
	return !strings.HasPrefix(host, "internal-") && host != "localhost" &&
		!slices.ContainsFunc([]string{".internal", ".local", ".localhost", ".localdomain", ".lan"}, func(s string) bool { return strings.HasSuffix(host, s) })
}

// nodePort is the door of the ports a service opens on every node. It is one
// only where some node has an address of the internet.
func (j *judge) nodePort(s *corev1.Service) (door, bool) {
	d := door{clients: everyone()}
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			d.ports = append(d.ports, netpol.Port{Protocol: cmp.Or(string(p.Protocol), "TCP"), Number: p.NodePort})
		}
	}
	if s.Spec.Type != corev1.ServiceTypeNodePort && len(d.ports) == 0 || s.Spec.Type == corev1.ServiceTypeClusterIP {
		return d, false
	}
	switch {
	case len(j.nodes.public) > 0:
		d.via = fmt.Sprintf("the node ports of %s", j.nodes.text())
	case j.nodes.count == 0 && s.Spec.Type == corev1.ServiceTypeNodePort:
		d.via, d.uncertain = "the node ports", "whether any node has a public address is not known: no node was seen"
	default:
		return d, false
	}
	return d, true
}

func servicePorts(s *corev1.Service) []netpol.Port { return portsOfService(s.Spec.Ports) }

func portsOfService(ports []corev1.ServicePort) (out []netpol.Port) {
	for _, p := range ports {
		out = append(out, netpol.Port{Protocol: cmp.Or(string(p.Protocol), "TCP"), Number: p.Port})
	}
	return out
}

// senders of a service's traffic, as its pods see them.
func (j *judge) senders(s *corev1.Service, w way, d door) []sender {
	if d.direct {
		return []sender{w.sender(), {Endpoint: netpol.Somewhere("the load balancer", netpol.Everywhere()), source: FromLoadBalancer, whole: true}}
	}
	if s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		return []sender{w.sender()}
	}
	return j.relay(w)
}

func (x *podIndex) namespaces() []string {
	var out []string
	for ns := range x.groups {
		out = append(out, ns)
	}
	slices.Sort(out)
	return out
}

// sourceRanges are the clients a load balancer is told to let in.
func sourceRanges(s *corev1.Service) (netpol.Ranges, bool) {
	text := slices.Clone(s.Spec.LoadBalancerSourceRanges)
	for _, a := range collect.Said(collect.SourceRanges, s.Annotations) {
		if len(text) == 0 {
			text = strings.Split(s.Annotations[a.Key], ",")
		}
	}
	return parseRanges(text)
}

// parseRanges reads prefixes and single addresses. What cannot be read limits
// nothing.
func parseRanges(text []string) (netpol.Ranges, bool) {
	var out netpol.Ranges
	for _, s := range text {
		s = strings.TrimSpace(s)
		if p, err := netip.ParsePrefix(s); err == nil {
			out = out.Or(netpol.In(p))
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = out.Or(netpol.Of(a))
		} else {
			return nil, false
		}
	}
	return out, len(out) > 0
}

// serviceAt finds a service by name.
func (j *judge) serviceAt(namespace, name string) *corev1.Service {
	return j.facts.Services[collect.Key{Namespace: namespace, Name: name}]
}
