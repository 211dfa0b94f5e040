package exposure

import (
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// gateways judges routes through the gateways they attach to. A
// Gateway and its route are no hops of their own: they are what carries the
// traffic from the internet to a Service.
func (j *judge) gateways() {
	frontends := map[collect.Key]frontend{}
	for k, o := range j.facts.Each("Gateway") {
		if f, ok := j.gatewayFrontend(o.(*gatewayv1.Gateway)); ok {
			frontends[k] = f
		}
	}
	for k, o := range j.facts.Each("HTTPRoute") {
		j.gatewayRoute(frontends, httpRoute(k, o.(*gatewayv1.HTTPRoute)))
	}
	for k, o := range j.facts.Each("GRPCRoute") {
		j.gatewayRoute(frontends, grpcRoute(k, o.(*gatewayv1.GRPCRoute)))
	}
	for k, o := range j.facts.Each("TLSRoute") {
		o := o.(*gatewayv1.TLSRoute)
		j.gatewayRoute(frontends, connections(k.Of("TLSRoute"), o.UID != "", o.Spec.ParentRefs, o.Spec.Hostnames, o.Spec.Rules,
			func(r gatewayv1.TLSRouteRule) []gatewayv1.BackendRef { return r.BackendRefs }))
	}
	for k, o := range j.facts.Each("TCPRoute") {
		o := o.(*gatewayv1.TCPRoute)
		j.gatewayRoute(frontends, connections(k.Of("TCPRoute"), o.UID != "", o.Spec.ParentRefs, nil, o.Spec.Rules,
			func(r gatewayv1.TCPRouteRule) []gatewayv1.BackendRef { return r.BackendRefs }))
	}
	for k, o := range j.facts.Each("UDPRoute") {
		o := o.(*gatewayv1.UDPRoute)
		j.gatewayRoute(frontends, connections(k.Of("UDPRoute"), o.UID != "", o.Spec.ParentRefs, nil, o.Spec.Rules,
			func(r gatewayv1.UDPRouteRule) []gatewayv1.BackendRef { return r.BackendRefs }))
	}
}

// connections is a route that passes connections on as they are.
func connections[R any](is ref.Ref, applied bool, parents []gatewayv1.ParentReference, hosts []gatewayv1.Hostname, rules []R,
	backends func(R) []gatewayv1.BackendRef,
) gatewayRoute {
	r := gatewayRoute{is, applied, parents, hosts, nil}
	for _, rule := range rules {
		for _, b := range backends(rule) {
			r.add(b)
		}
	}
	return r
}

// gatewayRoute is a route of any kind, in the words that all share.
type gatewayRoute struct {
	ref.Ref
	applied  bool // is of a cluster: what it names and was not seen is not there
	parents  []gatewayv1.ParentReference
	hosts    []gatewayv1.Hostname
	backends []gatewayv1.BackendObjectReference
}

func httpRoute(k collect.Key, o *gatewayv1.HTTPRoute) gatewayRoute {
	r := gatewayRoute{k.Of("HTTPRoute"), o.UID != "", o.Spec.ParentRefs, o.Spec.Hostnames, nil}
	for _, rule := range o.Spec.Rules {
		for _, f := range rule.Filters {
			r.mirror(f.RequestMirror)
		}
		for _, b := range rule.BackendRefs {
			r.add(b.BackendRef)
			for _, f := range b.Filters {
				r.mirror(f.RequestMirror)
			}
		}
	}
	return r
}

func grpcRoute(k collect.Key, o *gatewayv1.GRPCRoute) gatewayRoute {
	r := gatewayRoute{k.Of("GRPCRoute"), o.UID != "", o.Spec.ParentRefs, o.Spec.Hostnames, nil}
	for _, rule := range o.Spec.Rules {
		for _, f := range rule.Filters {
			r.mirror(f.RequestMirror)
		}
		for _, b := range rule.BackendRefs {
			r.add(b.BackendRef)
			for _, f := range b.Filters {
				r.mirror(f.RequestMirror)
			}
		}
	}
	return r
}

// mirror adds the backend that gets a copy of the requests, if a filter names one.
func (r *gatewayRoute) mirror(m *gatewayv1.HTTPRequestMirrorFilter) {
	if m != nil && (m.Percent == nil || *m.Percent > 0) {
		r.backends = append(r.backends, m.BackendRef)
	}
}

// add leaves out backends whose weight is zero: they get no traffic.
func (r *gatewayRoute) add(b gatewayv1.BackendRef) {
	if b.Weight == nil || *b.Weight > 0 {
		r.backends = append(r.backends, b.BackendObjectReference)
	}
}

func (j *judge) gatewayRoute(frontends map[collect.Key]frontend, r gatewayRoute) {
	for _, p := range r.parents {
		if p.Kind != nil && *p.Kind != "Gateway" {
			continue
		}
		k := collect.Key{Namespace: deref(p.Namespace, gatewayv1.Namespace(r.Namespace)), Name: string(p.Name)}
		f, reached := frontends[k]
		if !reached {
			if j.facts.Gateways[k] == nil && !r.applied {
				j.gap(k.Of("Gateway").String(), r.String()+" is attached to it, and it was not seen",
					"What the route leads to may be exposed and is not shown.")
			}
			continue
		}
		ports := j.attached(j.facts.Gateways[k], p, r)
		if len(ports) == 0 {
			continue
		}
		for _, b := range r.backends {
			j.gatewayBackend(f, k.Of("Gateway"), r, b)
		}
	}
}

func deref[T ~string](p *T, otherwise T) string {
	if p != nil {
		return string(*p)
	}
	return string(otherwise)
}

// gatewayBackend follows a backend to its pods, if the route may refer to it.
func (j *judge) gatewayBackend(f frontend, gw ref.Ref, r gatewayRoute, b gatewayv1.BackendObjectReference) {
	if kind := deref(b.Kind, gatewayv1.Kind("Service")); kind != "Service" || b.Group != nil && *b.Group != "" {
		j.gap("backends of "+r.String(), "it leads to objects that are not interpreted: "+kind+" "+string(b.Name),
			"Pods may be exposed through them and not be shown.")
		return
	}
	ns := deref(b.Namespace, gatewayv1.Namespace(r.Namespace))
	s := j.serviceAt(ns, string(b.Name))
	if s == nil && !r.applied {
		j.unseenService(ns, string(b.Name), r.Ref)
	}
	if s == nil || ns != r.Namespace && !j.granted(r, ns, string(b.Name)) {
		return
	}
	if b.Port == nil {
		return // a Service's port must be named
	}
	if !j.crowd.visits.take(r.Namespace, 1) && j.crowd.passed[serviceRef(s)] { // parents and backends multiply
		j.crowd.lost++
		return
	}
	ports := portsAsked(s, int32(*b.Port))
	f.byName = aliases{doubt: "whether a gateway follows Services of type ExternalName depends on its controller"}
	if !j.leads(f, s, ports, nil) {
		return
	}
	via := fmt.Sprintf("%s → %s → %s", f.via, gw, r.Ref)
	evidence := append(slices.Clone(f.evidence), gw, r.Ref, serviceRef(s))
	h := j.hop(Hop{From: internet, To: serviceRef(s), Ports: portsOfService(ports), Width: widthOf(f.clients), Ranges: listed(f.clients),
		Source: FromController, Via: via, Evidence: evidence, Uncertain: f.uncertain})
	j.toPods(f, way{[]*Hop{h}, f.clients}, s, ports)
}

// granted says whether a ReferenceGrant lets the route refer to a Service of
// another namespace.
func (j *judge) granted(r gatewayRoute, ns, service string) bool {
	for k, g := range j.facts.ReferenceGrants {
		if k.Namespace != ns {
			continue
		}
		from := slices.ContainsFunc(g.Spec.From, func(f gatewayv1.ReferenceGrantFrom) bool {
			return f.Group == gatewayv1.GroupName && string(f.Kind) == r.Kind && string(f.Namespace) == r.Namespace
		})
		to := slices.ContainsFunc(g.Spec.To, func(t gatewayv1.ReferenceGrantTo) bool {
			return t.Group == "" && t.Kind == "Service" && (t.Name == nil || string(*t.Name) == service)
		})
		if from && to {
			return true
		}
	}
	return false
}

// attached are the listeners of a gateway that take a route: the ports they
// listen on.
func (j *judge) attached(g *gatewayv1.Gateway, p gatewayv1.ParentReference, r gatewayRoute) (out []netpol.Port) {
	for _, l := range g.Spec.Listeners {
		switch {
		case p.SectionName != nil && *p.SectionName != l.Name,
			p.Port != nil && *p.Port != l.Port,
			!j.allowsNamespace(g, l, r.Namespace), !allowsKind(l, r.Kind), !sharesHost(l.Hostname, r.hosts):
			continue
		}
		protocol := "TCP"
		if l.Protocol == gatewayv1.UDPProtocolType {
			protocol = "UDP"
		}
		out = append(out, netpol.Port{Protocol: protocol, Number: int32(l.Port)})
	}
	return out
}

func (j *judge) allowsNamespace(g *gatewayv1.Gateway, l gatewayv1.Listener, ns string) bool {
	from := gatewayv1.NamespacesFromSame
	if l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil && l.AllowedRoutes.Namespaces.From != nil {
		from = *l.AllowedRoutes.Namespaces.From
	}
	switch from {
	case gatewayv1.NamespacesFromAll:
		return true
	case gatewayv1.NamespacesFromSelector:
		return j.net.NamespaceMatches(l.AllowedRoutes.Namespaces.Selector, ns)
	case gatewayv1.NamespacesFromSame:
		return g.Namespace == ns
	}
	return false
}

// allowsKind says whether a listener takes routes of a kind: those it lists, or
// those its protocol carries.
func allowsKind(l gatewayv1.Listener, kind string) bool {
	if l.AllowedRoutes != nil && len(l.AllowedRoutes.Kinds) > 0 {
		return slices.ContainsFunc(l.AllowedRoutes.Kinds, func(k gatewayv1.RouteGroupKind) bool { return string(k.Kind) == kind })
	}
	return slices.Contains(carried[l.Protocol], kind)
}

// carried are the kinds of routes that a listener's protocol carries.
var carried = map[gatewayv1.ProtocolType][]string{
	gatewayv1.HTTPProtocolType: {"HTTPRoute", "GRPCRoute"}, gatewayv1.HTTPSProtocolType: {"HTTPRoute", "GRPCRoute"},
	gatewayv1.TLSProtocolType: {"TLSRoute", "TCPRoute"}, gatewayv1.TCPProtocolType: {"TCPRoute"},
	gatewayv1.UDPProtocolType: {"UDPRoute"},
}

// sharesHost says whether some host name is meant by both the listener and the
// route; none named is any.
func sharesHost(listener *gatewayv1.Hostname, hosts []gatewayv1.Hostname) bool {
	if listener == nil || *listener == "" || len(hosts) == 0 {
		return true
	}
	return slices.ContainsFunc(hosts, func(h gatewayv1.Hostname) bool {
		return hostCovers(string(*listener), string(h)) || hostCovers(string(h), string(*listener))
	})
}

// hostCovers: "*.example.com" covers every name below it, wildcards too, but
// not "example.com" itself.
func hostCovers(pattern, host string) bool {
	pattern, host = strings.ToLower(pattern), strings.ToLower(host)
	suffix, wild := strings.CutPrefix(pattern, "*")
	return pattern == host || wild && strings.HasSuffix(strings.TrimPrefix(host, "*"), suffix) && len(host) > len(suffix)
}
