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
	"github.com/breakwater-sec/breakwater/ref"
)

// services judges what services open by themselves: load balancers, node ports
// and external addresses.
func (j *judge) services() {
	for _, s := range j.facts.Each("Service") {
		j.service(s.(*corev1.Service))
	}
}

func (j *judge) service(s *corev1.Service) {
	targets, listeners := j.pods.targets(s, s.Spec.Ports), j.listeners(s)
	if len(targets) == 0 {
		j.lostEndpoints(s, len(listeners) > 0)
		return
	}
	for _, l := range listeners {
		w := way{clients: l.clients, hops: []*Hop{j.hop(Hop{From: internet, To: serviceRef(s), Ports: l.ports,
			Width: widthOf(l.clients), Ranges: listed(l.clients), Source: FromInternet, Via: l.via,
			Evidence: []ref.Ref{serviceRef(s)}, Uncertain: l.uncertain})}}
		j.deliver(w, serviceRef(s), j.answering(s, l, targets), j.senders(s, w, l))
	}
}

// answering leaves out the pods that a node port does not lead to: with the policy
// Local, a node answers for the pods that run on it.
func (j *judge) answering(s *corev1.Service, l listener, targets []target) (out []target) {
	if !l.onNodes || s.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal {
		return targets
	}
	for _, t := range targets {
		pods := slices.DeleteFunc(slices.Clone(t.pods), func(p *collect.Pod) bool {
			return p.Node != "" && !p.Made && !j.nodes.isPublic(p.Node)
		})
		out = add(out, pods, t.ports)
	}
	return out
}

// lostEndpoints tells of a Service that is reached and whose pods are written
// elsewhere: in a manifest nobody says where it leads.
func (j *judge) lostEndpoints(s *corev1.Service, reached bool) {
	elsewhere := len(s.Spec.Selector) == 0 && s.Spec.Type != corev1.ServiceTypeExternalName
	if reached && elsewhere && s.UID == "" && len(j.pods.sliced(s)) == 0 {
		j.gap("the endpoints of "+serviceRef(s).String(), "it has no selector, and no EndpointSlice of it was seen",
			"The pods that it leads to may be exposed and are not shown.")
	}
}

// listener is where a Service takes traffic from the internet: at a load balancer,
// on node ports or at external addresses.
type listener struct {
	via       string
	ports     []netpol.Port
	clients   netpol.Ranges
	uncertain string
	// direct traffic comes from the load balancer straight to the pods.
	direct bool
	// onNodes is traffic that the nodes with a public address take themselves.
	onNodes bool
}

func (j *judge) listeners(s *corev1.Service) (out []listener) {
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		if l, ok := j.balancer(s); ok {
			out = append(out, l)
		}
	}
	if l, ok := j.nodePort(s); ok {
		out = append(out, l)
	}
	if open := publicAmong(s.Spec.ExternalIPs); len(open) > 0 {
		out = append(out, listener{via: "the external address " + texts(open), ports: servicePorts(s), clients: everyone()})
	}
	return out
}

// balancer is the listener of a Service of type LoadBalancer, unless its load
// balancer is not of the internet.
func (j *judge) balancer(s *corev1.Service) (listener, bool) {
	l := listener{ports: servicePorts(s), clients: everyone(), direct: directBalancer(s)}
	points, internal := balancerAddresses(s.Status.LoadBalancer.Ingress), j.internalBalancer(s)
	if internal == "" && len(points) == 0 && s.UID == "" && isPrivate(j.askedAddresses(s)) {
		return listener{}, false
	}
	open := publicAmong(points)
	if internal != "" {
		open = slices.DeleteFunc(open, isName) // names of internal load balancers look like others
	}
	switch {
	case len(open) > 0:
		l.via = "load balancer " + texts(open)
		if internal != "" {
			l.uncertain = internal + " says that the load balancer is internal, though its address is one of the internet"
		}
	case internal != "" || len(points) > 0 || s.UID != "":
		return listener{}, false // internal, a private address, or none was given yet
	default:
		l.via = "a load balancer"
		l.uncertain = "a manifest does not say which address the load balancer will get"
	}
	clients, doubt := j.balancerClients(s)
	l.clients, l.uncertain = clients, allOf(l.uncertain, doubt)
	return l, len(l.clients.And(familiesAt(open))) > 0
}

// familiesAt are all addresses of the families that points have: who has an address of IPv6
// alone does not come to one of IPv4. A name may be of both, and so may what is not known.
func familiesAt(points []string) (out netpol.Ranges) {
	for _, p := range points {
		a, err := netip.ParseAddr(p)
		switch {
		case err != nil:
			return everyone()
		case a.Unmap().Is4():
			out = out.Or(everyV4)
		default:
			out = out.Or(everyV6)
		}
	}
	if out == nil {
		return everyone()
	}
	return out
}

// askedAddresses are those that a manifest asks for its load balancer.
func (j *judge) askedAddresses(s *corev1.Service) (out []string) {
	if a := s.Spec.LoadBalancerIP; a != "" {
		out = append(out, a)
	}
	for _, a := range j.said(collect.Address, s.Annotations) {
		for text := range strings.SplitSeq(s.Annotations[a.Key], ",") {
			out = append(out, strings.TrimSpace(text))
		}
	}
	return out
}

// isPrivate says that there are addresses, and none that the internet may route. The
// unspecified one asks for any.
func isPrivate(addresses []string) bool {
	return len(addresses) > 0 && !slices.ContainsFunc(addresses, func(text string) bool {
		a, err := netip.ParseAddr(text)
		return err != nil || a.IsUnspecified() || netpol.Public().Contains(a.Unmap())
	})
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

func isName(address string) bool {
	_, err := netip.ParseAddr(address)
	return err != nil
}

// publicName says whether a host name may be one of the internet: those of AWS's
// internal load balancers begin with internal-, those of a tailnet end in ts.net.
func publicName(host string) bool {
	return !strings.HasPrefix(host, "internal-") && host != "localhost" &&
		!slices.ContainsFunc([]string{".internal", ".local", ".localhost", ".localdomain", ".lan", ".ts.net"},
			func(s string) bool { return strings.HasSuffix(host, s) })
}

// nodePort is the listener of the ports a service opens on every node. It is one
// only where some node has an address of the internet.
func (j *judge) nodePort(s *corev1.Service) (listener, bool) {
	l := listener{clients: everyone()}
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			l.ports = append(l.ports, netpol.Port{Protocol: cmp.Or(string(p.Protocol), "TCP"), Number: p.NodePort})
		}
	}
	byType := s.Spec.Type == corev1.ServiceTypeNodePort || s.Spec.Type == corev1.ServiceTypeLoadBalancer && willOpenNodePorts(s)
	if s.Spec.Type == corev1.ServiceTypeClusterIP || !byType && len(l.ports) == 0 {
		return l, false
	}
	switch {
	case len(j.nodes.public) > 0:
		l.via, l.onNodes = fmt.Sprintf("the node ports of %s", j.nodes.text()), true
	case j.nodes.count > 0:
		return l, false
	case s.Spec.Type == corev1.ServiceTypeNodePort:
		l.via, l.uncertain = "the node ports", "whether any node has a public address is not known: no node was seen"
	default: // of a load balancer: only an internal one leaves a question
		j.noNodes = j.noNodes || j.internalBalancer(s) != ""
		return l, false
	}
	return l, true
}

// willOpenNodePorts says whether an API server gives the Service of a manifest
// node ports: it does for load balancers, internal ones too, unless told not to.
func willOpenNodePorts(s *corev1.Service) bool {
	return s.UID == "" && (s.Spec.AllocateLoadBalancerNodePorts == nil || *s.Spec.AllocateLoadBalancerNodePorts)
}

func servicePorts(s *corev1.Service) []netpol.Port { return portsOfService(s.Spec.Ports) }

func portsOfService(ports []corev1.ServicePort) (out []netpol.Port) {
	for _, p := range ports {
		out = append(out, netpol.Port{Protocol: cmp.Or(string(p.Protocol), "TCP"), Number: p.Port})
	}
	return out
}

// senders of a service's traffic, as its pods see them.
func (j *judge) senders(s *corev1.Service, w way, l listener) []sender {
	if l.direct {
		return []sender{w.sender(),
			{Endpoint: netpol.Somewhere("the load balancer", netpol.Everywhere()), source: FromLoadBalancer, whole: true}}
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

// serviceAt finds a service by name.
func (j *judge) serviceAt(namespace, name string) *corev1.Service {
	return j.facts.Services[collect.Key{Namespace: namespace, Name: name}]
}
