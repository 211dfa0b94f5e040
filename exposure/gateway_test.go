package exposure

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// envoy is a gateway in namespace infra whose own Service has a public address.
const envoy = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: gc}
spec: {controllerName: example.org/gateway}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {routes: "yes"}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: infra, uid: g}
spec: {gatewayClassName: gc,
  listeners: [{name: web, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: gw-svc, namespace: infra, uid: s, labels: {gateway.networking.k8s.io/gateway-name: gw}}
spec: {type: LoadBalancer, selector: {app: proxy}, ports: [{port: 80, protocol: TCP}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: infra, labels: {app: proxy}}
spec: {nodeName: n1, containers: [{name: c, image: envoy, ports: [{containerPort: 80}]}]}
`

const route = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [www.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}
`

func TestGateways(t *testing.T) {
	proxy := "infra/Service/gw-svc > infra/Pod/proxy 80/TCP any"
	web := "shop/Service/web > shop/Pod/web 8080/TCP any"
	all := func(changes ...string) string {
		return strings.NewReplacer(changes...).Replace(estate + backendService + envoy + route)
	}
	elsewhere := "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: app}\nspec: " +
		"{parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}\n"
	grant := "\n---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: shop}\nspec: " +
		"{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: app}], to: [{group: '', kind: Service}]}\n"
	const mirror = "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]"
	run(t, []test{
		{"a route of an exposed gateway", all(), []string{proxy, web}, nil},
		{"a gateway with a private address", all("203.0.113.1", "10.0.0.1"), nil, nil},
		{"a listener for its own namespace", all("from: All", "from: Same"), []string{proxy}, nil},
		{"a listener for selected namespaces", all("from: All", "from: Selector, selector: {matchLabels: {routes: 'yes'}}"),
			[]string{proxy, web}, nil},
		{"a listener for other namespaces", all("from: All", "from: Selector, selector: {matchLabels: {routes: 'no'}}"), []string{proxy},
			nil},
		{"a section that is not there", all("namespace: infra}], host", "namespace: infra, sectionName: other}], host"), []string{proxy},
			nil},
		{"a port that is not there", all("namespace: infra}], host", "namespace: infra, port: 81}], host"), []string{proxy}, nil},
		{"a host the listener does not serve", all("www.example.com", "www.example.org"), []string{proxy}, nil},
		{"the domain itself is not below its wildcard", all("www.example.com", "example.com"), []string{proxy}, nil},
		{"a kind the listener does not take", all("from: All}", "from: All}, kinds: [{kind: GRPCRoute}]"), []string{proxy}, nil},
		{"a backend without traffic", all("{name: web, port: 80}]}]}", "{name: web, port: 80, weight: 0}]}]}"), []string{proxy}, nil},
		{"a backend that gets a copy of the requests", all("backendRefs: [{name: web, port: 80}]", mirror), []string{proxy, web}, nil},
		{"a backend that gets a copy of none", all("backendRefs: [{name: web, port: 80}]",
			strings.Replace(mirror, "{backendRef", "{percent: 0, backendRef", 1)), []string{proxy}, nil},
		{"a copy that a backend asks for", all("backendRefs: [{name: web, port: 80}]",
			"backendRefs: [{name: lost, port: 80, "+mirror+"}]"), []string{proxy, web}, nil},
		{"a copy of gRPC requests", all("kind: HTTPRoute", "kind: GRPCRoute", "backendRefs: [{name: web, port: 80}]", mirror),
			[]string{proxy, web}, nil},
		{"a backend that is not there", all("{name: web, port: 80}]}]}", "{name: lost, port: 80}]}]}"), []string{proxy}, nil},
		{"a gateway that is not there", all("{name: gw, namespace: infra}]", "{name: other, namespace: infra}]"), []string{proxy}, nil},
		{"a backend elsewhere without a grant", all(route, elsewhere), []string{proxy}, nil},
		{"a backend elsewhere with a grant", all(route, elsewhere+grant), []string{proxy, web}, nil},
		{"a grant for others", all(route, elsewhere+strings.Replace(grant, "namespace: app", "namespace: other", 1)), []string{proxy},
			nil},
		{"a policy closes the backend to the proxy", all() + calico + np(`{podSelector: {}}`), []string{proxy},
			[]string{"shop/Pod/web by p"}},
		{"a policy lets the proxy in",
			all() + calico + np(`{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: infra}}}]}]}`),
			[]string{proxy, web}, nil},
	})
}

// TestWhatARouteNamesAndNobodySawIsTold: in a manifest it may be written elsewhere; in a cluster
// it is not there.
func TestWhatARouteNamesAndNobodySawIsTold(t *testing.T) {
	const virtual = "\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: shop}\n" +
		"spec: {hosts: [a.example.org], gateways: [mesh, infra/edge], http: [{route: [{destination: {host: web}}]}]}\n"
	for _, test := range []struct{ name, manifests, want string }{
		{"a gateway", estate + backendService + route, "Gateway infra/gw: HTTPRoute shop/r is attached to it, and it was not seen"},
		{"a gateway, in a cluster", estate + backendService + strings.Replace(route, "name: r,", "name: r, uid: r,", 1), ""},
		{"a Service", estate + envoy + route, "Service shop/web: HTTPRoute shop/r leads to it, and it was not seen"},
		{"a Service, in a cluster", estate + envoy + strings.Replace(route, "name: r,", "name: r, uid: r,", 1), ""},
		{"a gateway of Istio", estate + backendService + virtual, "IstioGateway infra/edge: VirtualService shop/v names it, and it was not seen"},
		{"a gateway of Istio, in a cluster", estate + backendService + strings.Replace(virtual, "name: v,", "name: v, uid: v,", 1), ""},
	} {
		got := ""
		for _, g := range judged(manifests.Facts(t, test.manifests)).Gaps {
			got += g.What + ": " + g.Why
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
