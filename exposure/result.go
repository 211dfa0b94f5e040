package exposure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

func compare(a, b string) int { return strings.Compare(a, b) }

// finish sorts what was found, and derives hops and entities from the routes.
func (j *judge) finish() {
	r := j.res
	slices.SortStableFunc(r.Routes, func(a, b Route) int {
		return cmp.Or(compare(a.Target().ID(), b.Target().ID()), cmp.Compare(len(a.Hops), len(b.Hops)), compare(a.via(), b.via()))
	})
	seen := map[*Hop]bool{}
	for _, route := range r.Routes {
		for _, h := range route.Hops {
			if !seen[h] {
				seen[h] = true
				r.hops = append(r.hops, h)
			}
		}
	}
	r.Entities = entities(r.Routes)
	j.open(r.Entities)
	r.Closed = j.closedOnly()
	slices.SortFunc(r.Gaps, func(a, b collect.Gap) int { return compare(a.What, b.What) })
	r.Gaps = slices.CompactFunc(r.Gaps, func(a, b collect.Gap) bool { return a.What == b.What })
}

func (r Route) via() string { return through(r.Hops[:len(r.Hops)-1], r.Hops[len(r.Hops)-1].Via) }

// entities gathers what routes pass. The hops up to an entity are its ways in.
func entities(routes []Route) []Exposed {
	all := map[ref.Ref]*Exposed{}
	certain := map[ref.Ref]bool{}
	vias := map[ref.Ref]map[string]bool{}
	for _, r := range routes {
		unsure, via := "", ""
		for i, h := range r.Hops {
			unsure = cmp.Or(unsure, h.Uncertain)
			if via = h.Via; i > 0 {
				via = through(r.Hops[:i], h.Via)
			}
			e := all[h.To]
			if e == nil {
				e = &Exposed{Ref: h.To, Width: Ranges, Uncertain: unsure}
				all[h.To], vias[h.To] = e, map[string]bool{}
			}
			certain[h.To] = certain[h.To] || unsure == ""
			if h.Width == Any && r.Width == Any {
				e.Width = Any
			}
			if !vias[h.To][via] {
				vias[h.To][via] = true
				e.Via = append(e.Via, via)
				e.Ports = distinct(append(e.Ports, h.Ports...))
			}
		}
	}
	return sortedEntities(all, certain)
}

func sortedEntities(all map[ref.Ref]*Exposed, certain map[ref.Ref]bool) (out []Exposed) {
	for e, x := range all {
		if certain[e] {
			x.Uncertain = ""
		}
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Exposed) int { return compare(a.ID(), b.ID()) })
	return out
}

// closedOnly sorts and drops repeated answers.
func (j *judge) closedOnly() []Closed {
	byText := map[string]Closed{}
	for _, c := range j.res.Closed {
		byText[fmt.Sprint(c.To, c.Via, c.Ports, c.Policy)] = c
	}
	var out []Closed
	for _, k := range slices.Sorted(maps.Keys(byText)) {
		out = append(out, byText[k])
	}
	return out
}

// missing turns what could not be read into what the result may miss.
func (j *judge) missing() {
	for _, m := range []struct{ resource, consequence string }{
		{"services", "Pods may be exposed through services that were not seen."},
		{"pods", "Pods that were not seen may be exposed."},
		{"endpointslices", "Pods may be exposed through services without a selector."},
		{"ingresses", "Pods may be exposed through ingresses that were not seen."},
		{"ingressclasses", "Which controller serves an ingress is not known, so ingresses may be exposed and not shown."},
		{"gateways", "Pods may be exposed through gateways that were not seen."},
		{"gatewayclasses", "Which controller serves a gateway is not known, so what it leads to may be exposed and not be shown."},
		{"referencegrants", "Pods may be exposed through routes that lead to services of other namespaces."},
		{"httproutes", "Pods may be exposed through HTTP routes that were not seen."},
		{"grpcroutes", "Pods may be exposed through gRPC routes that were not seen."},
		{"tlsroutes", "Pods may be exposed through TLS routes that were not seen."},
		{"tcproutes", "Pods may be exposed through TCP routes that were not seen."},
		{"udproutes", "Pods may be exposed through UDP routes that were not seen."},
		{"routes.route.openshift.io", "Pods may be exposed through OpenShift's routes that were not seen."},
		{"gateways.networking.istio.io", "Pods may be exposed through gateways of Istio that were not seen."},
		{"virtualservices.networking.istio.io", "Pods may be exposed through virtual services that were not seen."},
		{"nodes", "Node ports and host ports may be open to the internet and not be shown."},
	} {
		if g, unseen := j.facts.Unseen(m.resource); unseen {
			j.gap("exposure without "+m.resource, g.Why, m.consequence)
		}
	}
	for _, resource := range unreadRoutes {
		if n, there := j.facts.Unread[resource]; there && n != 0 {
			j.gap("exposure through "+resource, "objects of this kind are not interpreted",
				"Pods may be exposed through them and not be shown.")
		}
	}
	if j.noNodes {
		j.gap("node ports of load balancers", "no node was seen",
			"A load balancer's Service is open on its node ports too, if a node has an address of the internet.")
	}
	if len(j.nodes.public) > 0 {
		j.gap("firewalls outside of the cluster", "nothing in the cluster shows them",
			"Node ports, host ports and the host network of nodes with public addresses count as open, though a firewall may close them.")
	}
}

// unreadRoutes are the kinds by which controllers let traffic in besides
// ingresses and HTTP routes.
var unreadRoutes = []string{
	"agentendpoints.ngrok.k8s.ngrok.com", "apisixroutes.apisix.apache.org", "cloudendpoints.ngrok.k8s.ngrok.com",
	"edgeingresses.hub.traefik.io", "httpproxies.projectcontour.io", "ingresses.networking.internal.knative.dev",
	"ingresses.voyager.appscode.com", "ingresses.voyagermesh.com", "ingressgateways.consul.hashicorp.com",
	"ingressroutes.traefik.containo.us", "ingressroutes.traefik.io", "ingressroutetcps.traefik.containo.us",
	"ingressroutetcps.traefik.io", "ingressrouteudps.traefik.containo.us", "ingressrouteudps.traefik.io",
	"listenersets.gateway.networking.k8s.io", "mappings.getambassador.io", "meshgatewayroutes.kuma.io",
	"multiclusteringresses.networking.gke.io", "routegroups.zalando.org", "routes.serving.knative.dev",
	"tcpingresses.configuration.konghq.com", "tcpmappings.getambassador.io", "transportservers.cis.f5.com",
	"transportservers.k8s.nginx.org", "tunnelbindings.networking.cfargotunnel.com", "udpingresses.configuration.konghq.com",
	"virtualserverroutes.k8s.nginx.org", "virtualservers.cis.f5.com", "virtualservers.k8s.nginx.org",
	"virtualservices.gateway.solo.io", "xlistenersets.gateway.networking.x-k8s.io",
}

func (j *judge) gap(what, why, consequence string) {
	j.res.Gaps = append(j.res.Gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: what, Why: why,
		Consequence: consequence, Kinds: []string{"ROUTES_TO"}})
}
