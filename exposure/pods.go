package exposure

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// group is pods that neither selectors, policies nor ports tell apart.
type group struct {
	pods   []*collect.Pod
	labels labels.Set
}

type groupKey struct {
	namespace string
	labels    *collect.Labels
	shape     *collect.PodShape
	node      string // only on the host's network: there the node is the address
}

// podIndex finds pods by labels and address. Pods that have ended are left out.
type podIndex struct {
	groups map[string][]*group // by namespace
	of     map[collect.Key]*group
	byIP   map[string][]*collect.Pod
	slices map[collect.Key][]*collect.EndpointSlice // by service
	asked  asked
}

func indexPods(f *collect.Facts) *podIndex {
	x := &podIndex{groups: map[string][]*group{}, of: map[collect.Key]*group{}, byIP: map[string][]*collect.Pod{},
		slices: map[collect.Key][]*collect.EndpointSlice{}}
	groups := map[groupKey]*group{}
	for _, p := range f.Pods {
		if p.Phase == "Succeeded" || p.Phase == "Failed" || p.Shape == nil {
			continue
		}
		key := groupKey{p.Namespace, p.Labels, p.Shape, ""}
		if p.Shape.HostNetwork {
			key.node = p.Node
		}
		g := groups[key]
		if g == nil {
			g = &group{labels: labelsOf(p)}
			groups[key] = g
			x.groups[p.Namespace] = append(x.groups[p.Namespace], g)
		}
		g.pods = append(g.pods, p)
		x.of[p.Key] = g
		for _, ip := range p.IPs {
			ip = plain(ip)
			x.byIP[ip] = append(x.byIP[ip], p)
		}
	}
	x.sort()
	for _, s := range f.EndpointSlices {
		k := collect.Key{Namespace: s.Namespace, Name: s.Service}
		x.slices[k] = append(x.slices[k], s)
	}
	return x
}

func (x *podIndex) sort() {
	byKey := func(a, b *collect.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	}
	for _, gs := range x.groups {
		for _, g := range gs {
			slices.SortFunc(g.pods, byKey)
		}
		slices.SortFunc(gs, func(a, b *group) int { return byKey(a.pods[0], b.pods[0]) })
	}
}

func labelsOf(p *collect.Pod) labels.Set {
	if p.Labels == nil {
		return nil
	}
	return p.Labels.Map
}

// target is pods behind a service with the ports it reaches there.
type target struct {
	pods  []*collect.Pod
	ports []netpol.Port
}

// targets of a service through some of its ports: what its selector selects,
// and what its EndpointSlices name besides, ready or not.
func (x *podIndex) targets(s *corev1.Service, ports []corev1.ServicePort) []target {
	if x.asked.service != s || !slices.Equal(x.asked.ports, ports) { // whether it leads anywhere is asked before where
		x.asked = asked{s, ports, x.find(s, ports)}
	}
	return x.asked.targets
}

// asked is what was found last.
type asked struct {
	service *corev1.Service
	ports   []corev1.ServicePort
	targets []target
}

func (x *podIndex) find(s *corev1.Service, ports []corev1.ServicePort) []target {
	if s.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	var out []target
	selected := map[*group]bool{}
	if len(s.Spec.Selector) > 0 {
		selector := labels.SelectorFromSet(s.Spec.Selector)
		for _, g := range x.groups[s.Namespace] {
			if selector.Matches(g.labels) {
				selected[g] = true
				out = add(out, g.pods, portsAt(g.pods[0], ports))
			}
		}
	}
	names := map[string]bool{}
	for _, sp := range ports {
		names[sp.Name] = true
	}
	for _, e := range x.sliced(s) {
		at := slicePorts(e, names)
		for _, k := range e.Pods {
			if g := x.of[k]; g != nil && !selected[g] {
				out = add(out, only(g.pods, k), at)
			}
		}
		for _, ip := range e.Addresses {
			for _, p := range x.byIP[plain(ip)] {
				out = add(out, []*collect.Pod{p}, listening(p, at))
			}
		}
	}
	return out
}

// plain is an address in the one way to write it: one of IPv6 may be written in many.
func plain(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	return a.Unmap().String()
}

// sliced are the slices of a service in a fixed order.
func (x *podIndex) sliced(s *corev1.Service) []*collect.EndpointSlice {
	all := slices.Clone(x.slices[collect.Key{Namespace: s.Namespace, Name: s.Name}])
	slices.SortFunc(all, func(a, b *collect.EndpointSlice) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func add(out []target, pods []*collect.Pod, ports []netpol.Port) []target {
	if len(pods) == 0 || len(ports) == 0 {
		return out
	}
	return append(out, target{pods, ports})
}

func only(pods []*collect.Pod, k collect.Key) []*collect.Pod {
	i := slices.IndexFunc(pods, func(p *collect.Pod) bool { return p.Key == k })
	return pods[i : i+1]
}

// listening drops the ports that a pod on the host's network does not declare:
// it shares its address with others.
func listening(p *collect.Pod, ports []netpol.Port) (out []netpol.Port) {
	if !p.Shape.HostNetwork {
		return ports
	}
	all := map[netpol.Port]bool{}
	for _, port := range declared(p) {
		all[port] = true
	}
	for _, port := range ports {
		if all[port] {
			out = append(out, port)
		}
	}
	return out
}

// declared ports of a pod's running containers.
func declared(p *collect.Pod) (out []netpol.Port) {
	for _, c := range p.Shape.Containers {
		for _, port := range c.Ports {
			if c.Type != collect.Init {
				out = append(out, netpol.Port{Protocol: cmp.Or(port.Protocol, "TCP"), Number: port.Port})
			}
		}
	}
	return out
}

// portsAt resolves the target ports of service ports at a pod.
func portsAt(p *collect.Pod, ports []corev1.ServicePort) (out []netpol.Port) {
	for _, sp := range ports {
		protocol := cmp.Or(string(sp.Protocol), "TCP")
		switch {
		case sp.TargetPort.Type == intstr.String && sp.TargetPort.StrVal != "":
			out = append(out, named(p, sp.TargetPort.StrVal, protocol)...)
		default:
			out = append(out, netpol.Port{Protocol: protocol, Number: cmp.Or(sp.TargetPort.IntVal, sp.Port)})
		}
	}
	return distinct(out)
}

func named(p *collect.Pod, name, protocol string) (out []netpol.Port) {
	for _, c := range p.Shape.Containers {
		for _, port := range c.Ports {
			if port.Name == name && cmp.Or(port.Protocol, "TCP") == protocol {
				out = append(out, netpol.Port{Protocol: protocol, Number: port.Port})
			}
		}
	}
	return out
}

// slicePorts are an EndpointSlice's ports that belong to service ports of some names.
func slicePorts(e *collect.EndpointSlice, names map[string]bool) (out []netpol.Port) {
	for _, ep := range e.Ports {
		if names[ep.Name] {
			out = append(out, netpol.Port{Protocol: cmp.Or(ep.Protocol, "TCP"), Number: ep.Port})
		}
	}
	return distinct(out)
}

func distinct(ports []netpol.Port) []netpol.Port {
	slices.SortFunc(ports, comparePorts)
	return slices.Compact(ports)
}

func comparePorts(a, b netpol.Port) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol))
}

// on are the pods of a node.
func (x *podIndex) on(node string) (out []*collect.Pod) {
	for _, groups := range x.groups {
		for _, g := range groups {
			for _, p := range g.pods {
				if p.Node == node {
					out = append(out, p)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *collect.Pod) int { return compare(a.Key.String(), b.Key.String()) })
	return out
}
