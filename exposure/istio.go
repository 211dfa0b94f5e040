package exposure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// virtualServices judges the VirtualServices of Istio through the gateways they name.
// What holds in the mesh only is no way in.
func (j *judge) virtualServices() {
	frontends := map[collect.Key]frontend{}
	for k, o := range j.facts.Each("IstioGateway") {
		if f, ok := j.istioFrontend(k, o.(*collect.IstioGateway)); ok {
			frontends[k] = f
		}
	}
	for k, o := range j.facts.Each("VirtualService") {
		o := o.(*collect.VirtualService)
		for _, name := range o.Spec.Gateways {
			gw := gatewayNamed(name, k.Namespace)
			f, reached := frontends[gw]
			if name != "mesh" && o.UID == "" && j.facts.IstioGateways[gw] == nil {
				j.gap(gw.Of("IstioGateway").String(), k.Of("VirtualService").String()+" names it, and it was not seen",
					"What the VirtualService leads to may be exposed and is not shown.")
			}
			if !reached || !exported(o, gw.Namespace) {
				continue
			}
			for _, host := range j.served(j.facts.IstioGateways[gw], o) {
				j.virtualService(f, gw, name, host, o)
			}
		}
	}
}

// gatewayNamed is a Gateway as a VirtualService of a namespace names it.
func gatewayNamed(name, namespace string) collect.Key {
	if ns, name, qualified := strings.Cut(name, "/"); qualified {
		return collect.Key{Namespace: cmp.Or(strings.TrimPrefix(ns, "."), namespace), Name: name}
	}
	return collect.Key{Namespace: namespace, Name: name}
}

// exported says whether proxies of a namespace see a VirtualService.
func exported(o *collect.VirtualService, ns string) bool {
	return len(o.Spec.ExportTo) == 0 || slices.ContainsFunc(o.Spec.ExportTo, func(to string) bool {
		return to == "*" || to == ns || to == "." && ns == o.Namespace
	})
}

// istioFrontend is the proxies that a Gateway selects, in any namespace.
func (j *judge) istioFrontend(k collect.Key, o *collect.IstioGateway) (frontend, bool) {
	if len(o.Spec.Selector) == 0 {
		return frontend{}, false
	}
	var pods []*collect.Pod
	selector := labels.SelectorFromSet(o.Spec.Selector)
	for _, ns := range j.pods.namespaces() {
		for _, g := range j.pods.groups[ns] {
			if selector.Matches(g.labels) {
				pods = append(pods, g.pods...)
			}
		}
	}
	switch {
	case len(pods) > 0:
		f, ok := j.proxies(pods, "which serve gateway "+k.String())
		return j.authorized(f, pods[0].Namespace), ok
	case j.partial || j.ofManifest(o.UID):
		return j.hiddenFrontend("the proxies of gateway "+k.String(),
			"the manifests do not contain the proxies that the gateway selects, so whether the internet reaches them is not known"), true
	}
	j.gap("the proxies of IstioGateway "+k.String(), "no pod has the labels "+selector.String(),
		"What this gateway leads to may be exposed and is not shown.")
	return frontend{}, false
}

// authorized doubts what leads through namespaces with AuthorizationPolicies, which
// are not interpreted; those of Istio's own hold everywhere.
func (j *judge) authorized(f frontend, ns string) frontend {
	for _, k := range slices.SortedFunc(maps.Keys(j.facts.AuthorizationPolicies), compareKeys) {
		if k.Namespace == ns || k.Namespace == "istio-system" {
			f.uncertain = cmp.Or(f.uncertain, "AuthorizationPolicy "+k.String()+" may refuse it, which is not interpreted")
		}
	}
	return f
}

func compareKeys(a, b collect.Key) int { return cmp.Compare(a.String(), b.String()) }

// istioHost is a host that a server of a gateway and a VirtualService both mean.
type istioHost struct {
	name  string
	port  int32
	doubt string
}

// served are the hosts of a VirtualService that a gateway serves. Hosts and servers multiply: where there are too many, the
// VirtualService counts as served once, and the rest as not looked at.
func (j *judge) served(gw *collect.IstioGateway, o *collect.VirtualService) (out []istioHost) {
	k := collect.Key{Namespace: o.Namespace, Name: o.Name}
	for _, s := range gw.Spec.Servers {
		for _, h := range o.Spec.Hosts {
			if !j.crowd.visits.take(o.Namespace, 1+len(s.Hosts)) {
				if j.crowd.lost++; !j.crowd.passed[k.Of("VirtualService")] {
					j.crowd.passed[k.Of("VirtualService")] = true
					out = append(out, istioHost{name: h, port: s.Port.Number, doubt: "so many hosts and servers are named that they were not compared"})
				}
				return out
			}
			if !slices.ContainsFunc(s.Hosts, func(of string) bool { return serves(of, gw.Namespace, h, o.Namespace) }) {
				continue
			}
			host := istioHost{name: h, port: s.Port.Number}
			if s.TLS != nil && strings.HasSuffix(s.TLS.Mode, "MUTUAL") {
				host.doubt = "the gateway asks clients for a certificate"
			}
			j.crowd.passed[k.Of("VirtualService")] = true
			out = append(out, host)
		}
	}
	return out
}

// serves says whether a server's host, perhaps with the namespaces that it takes
// hosts from, means a host of a namespace.
func serves(of, own, host, ns string) bool {
	if from, name, limited := strings.Cut(of, "/"); limited {
		if of = name; from != "*" && from != ns && (from != "." || ns != own) {
			return false
		}
	}
	return of == "*" || host == "*" || hostCovers(of, host) || hostCovers(host, of)
}

func (j *judge) virtualService(f frontend, gw collect.Key, named string, host istioHost, o *collect.VirtualService) {
	e := collect.Key{Namespace: o.Namespace, Name: o.Name}.Of("VirtualService")
	f.uncertain = cmp.Or(f.uncertain, host.doubt)
	f.byName = aliases{doubt: "whether Istio follows Services of type ExternalName depends on its version"}
	via := fmt.Sprintf("%s → %s for %s on port %d/TCP", f.via, e, host.name, host.port)
	for _, r := range slices.Concat(o.Spec.HTTP, o.Spec.TLS, o.Spec.TCP) {
		if len(r.Match) > 0 && !atGateway(r, named) {
			continue
		}
		j.istioRoute(f, via, o.Namespace, r, gw.Of("IstioGateway"), e)
		if r.Delegate == nil {
			continue
		}
		k := collect.Key{Namespace: cmp.Or(r.Delegate.Namespace, o.Namespace), Name: r.Delegate.Name}
		if to := j.facts.VirtualServices[k]; to != nil && len(to.Spec.Hosts)+len(to.Spec.Gateways) == 0 {
			for _, r := range to.Spec.HTTP {
				j.istioRoute(f, via+" → "+k.Of("VirtualService").String(), k.Namespace, r, gw.Of("IstioGateway"), e, k.Of("VirtualService"))
			}
		}
	}
}

// atGateway says whether some match of a route holds at a gateway, as it is named.
func atGateway(r collect.IstioRoute, named string) bool {
	for _, m := range r.Match {
		if len(m.Gateways) == 0 || slices.Contains(m.Gateways, named) {
			return true
		}
	}
	return false
}

func (j *judge) istioRoute(f frontend, via, ns string, r collect.IstioRoute, by ...ref.Ref) {
	var to []collect.IstioService
	for _, d := range r.Route {
		if d.Weight > 0 || len(r.Route) == 1 {
			to = append(to, d.Destination)
		}
	}
	for _, m := range r.Mirrors {
		to = append(to, m.Destination)
	}
	if r.Mirror != nil {
		to = append(to, *r.Mirror)
	}
	for _, d := range to {
		s := j.istioService(d.Host, ns)
		if s == nil {
			continue
		}
		ports := s.Spec.Ports
		if d.Port != nil {
			ports = portsAsked(s, d.Port.Number)
		}
		j.reached(j.authorized(f, s.Namespace), via, s, ports, by...)
	}
}

// istioService is the Service of a destination: a short name is one of the
// VirtualService's namespace.
func (j *judge) istioService(host, ns string) *corev1.Service {
	name, rest, long := strings.Cut(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	if !long {
		return j.serviceAt(ns, name)
	}
	parts := strings.Split(rest, ".")
	if len(parts) < 2 || parts[1] != "svc" {
		return nil
	}
	return j.serviceAt(parts[0], name)
}
