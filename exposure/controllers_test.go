package exposure

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/golden"
)

// TestEveryControllerIsKnownByItsClassAndIsWhatItIs: clouds' load balancers need
// no pods, private ones lead nobody in.
func TestEveryControllerIsKnownByItsClassAndIsWhatItIs(t *testing.T) {
	for _, c := range controllers {
		ids := strings.NewReplacer("*", "x").Replace(strings.Join(c.ids, " "))
		for _, id := range strings.Fields(ids) {
			if got := controllerByID(id); got == nil || got.name != c.name {
				t.Errorf("%s: controller %s is %+v", c.name, id, got)
			}
		}
		if controllerByID(strings.TrimSuffix(ids, "x")+"-of-nobody") != nil && len(c.ids) == 1 && !strings.HasSuffix(c.ids[0], "*") {
			t.Errorf("%s is found by the beginning of its id", c.name)
		}
	}
	for _, test := range []struct {
		class         string
		managed, open bool
	}{
		{"nginx", false, true}, {"nginx-plus", false, true}, {"traefik", false, true}, {"contour", false, true}, {"gce", true, true},
		{"gce-internal", true, false}, {"azure-application-gateway", true, true}, {"azure/application-gateway", true, true},
		{"azure-alb-external", true, true}, {"cloudflare-tunnel", true, true}, {"ngrok", true, true}, {"tailscale", true, false},
		{"alb", true, true},
	} {
		c := controllerByClass(test.class)
		if c == nil || c.managed != test.managed || c.private == test.open {
			t.Errorf("class %s: %+v", test.class, c)
		}
	}
	if controllerByClass("house") != nil || controllerByID("house.example/controller") != nil {
		t.Error("a controller that nobody knows is known")
	}
}

func TestIngressesInDetail(t *testing.T) {
	ctl := "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	web := "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any"
	byClass := ing("ingressClassName: nginx,", "", "")
	all := func(parts ...string) string { return estate + backendService + strings.Join(parts, "") }
	installed := func(args string) string { return fmt.Sprintf(nginx, "", args, "}", "203.0.113.1") }
	status := func(point string) string { return "status: {loadBalancer: {ingress: [{" + point + "}]}}" }
	class := func(name, id string) string {
		return "\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: " + name + "}\nspec: {controller: " + id + "}\n"
	}
	legacy := ing("", ", annotations: {kubernetes.io/ingress.class: nginx}", "")
	unserved := func(s string) string { return strings.Replace(s, ", uid: i", "", 1) }
	house := strings.ReplaceAll(controllerOpen, "registry.k8s.io/ingress-nginx/controller:v1.11.0", "house/proxy")
	traefik := strings.NewReplacer("registry.k8s.io/ingress-nginx/controller:v1.11.0", "traefik:v3", "name: nginx}", "name: other}",
		"k8s.io/ingress-nginx", "example.org/other").Replace(controllerOpen)
	second := strings.NewReplacer("name: ctl,", "name: ctl-2,", "10.9.0.1", "10.9.0.2").Replace(
		controllerOpen[strings.Index(controllerOpen, "---\napiVersion: v1\nkind: Pod"):strings.Index(controllerOpen,
			"---\napiVersion: v1\nkind: Service")])
	run(t, []test{
		{"an installation that calls itself so, with any image", all(strings.Replace(installed("--controller-class=example.org/house"),
			"registry.k8s.io/ingress-nginx/controller:v1.11.0", "house/proxy", 1), class("house", "example.org/house"),
			ing("ingressClassName: house,", "", "")), []string{ctl, web}, nil},
		{"its argument and value are two words", all(installed(`--controller-class, k8s.io/internal`), byClass), []string{ctl}, nil},
		{"its argument is the class's own", all(installed(`--controller-class, k8s.io/ingress-nginx, -v=2`), byClass), []string{ctl, web}, nil},
		{"classes by name, of another name", all(installed("--ingress-class-by-name, --ingress-class=internal"), byClass), []string{ctl}, nil},
		{"classes by name, said as true", all(installed("--ingress-class-by-name=true, --ingress-class, internal"), byClass), []string{ctl}, nil},
		{"classes by name, of this name", all(installed("--ingress-class-by-name, --ingress-class=nginx"), byClass), []string{ctl, web}, nil},
		{"another name counts only for classes by name", all(installed("--ingress-class=internal"), byClass), []string{ctl, web}, nil},
		{"the annotation of old, and a flag of this name", all(installed("--ingress-class=nginx"), legacy), []string{ctl, web}, nil},
		{"the annotation of old, and a flag at the end", all(installed("--v=2, --ingress-class"), legacy), []string{ctl}, nil},
		{"Traefik serves what names no class", all(traefik, ing("", "", "")), []string{ctl, web}, nil},
		{"a class whose object names another controller", all(house, class("nginx-2", "k8s.io/ingress-nginx"), ing("ingressClassName: nginx-2,",
			"", "")),
			[]string{ctl}, nil},
		{"HAProxy by the beginning of its controller's id", all(strings.Replace(controllerOpen,
			"registry.k8s.io/ingress-nginx/controller:v1.11.0",
			"haproxytech/kubernetes-ingress:3.0", 1), class("ha", "haproxy.org/ingress-controller/shop"), ing("ingressClassName: ha,", "", "")),
			[]string{ctl, web}, nil},
		{"two pods of the controller", all(controllerOpen, second, byClass),
			[]string{ctl, "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl-2 80/TCP any", web}, nil},
		{"with TLS", all(controllerOpen, strings.Replace(byClass, "spec: {", "spec: {tls: [{hosts: [shop.example]}], ", 1)), []string{ctl, web},
			nil},
		{"two hosts and a default", all(controllerOpen, strings.Replace(byClass, "rules: [",
			"defaultBackend: {service: {name: web, port: {number: 80}}}, rules: [{host: empty.example}, "+
				"{http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}, ", 1)), []string{ctl, web}, nil},
		{"a backend that is no service", all(controllerOpen, strings.Replace(byClass, "backend: {service: {name: web, port: {number: 80}}}",
			"backend: {resource: {kind: Bucket, name: b}}", 1)), []string{ctl}, nil},
		{"an allow list of 400 ranges", all(controllerOpen, ing("ingressClassName: nginx,",
			", annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: '"+
				strings.Repeat("198.51.100.0/24,", 399)+"198.51.100.0/24'}", "")),
			[]string{ctl, "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"an allow list that cannot be read limits nothing for certain", all(controllerOpen, ing("ingressClassName: nginx,",
			", annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: office}", "")), []string{ctl, web + " ?"}, nil},
		{"ALB in a manifest that says it faces the internet", all(unserved(ing("ingressClassName: alb,",
			", annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}", ""))), []string{web + " ?"}, nil},
		{"ALB in a manifest that says nothing", all(unserved(ing("ingressClassName: alb,", "", ""))), nil, nil},
		{"ALB that says internal, whatever its address", all(ing("ingressClassName: alb,",
			", annotations: {alb.ingress.kubernetes.io/scheme: internal}", status("ip: 203.0.113.7"))), nil, nil},
		{"ALB without an address yet", all(ing("ingressClassName: alb,", ", annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}",
			"")), nil, nil},
		{"GKE in a manifest", all(unserved(ing("", ", annotations: {kubernetes.io/ingress.class: gce}", ""))), []string{web + " ?"}, nil},
		{"GKE with a private address", all(ing("", ", annotations: {kubernetes.io/ingress.class: gce}", status("ip: 10.0.0.7"))), nil, nil},
		{"Tailscale leads nobody in from the internet", all(ing("ingressClassName: tailscale,", "", status("hostname: shop.tail1.ts.net"))),
			nil, nil},
		{"an unknown controller without an address is a gap", all(class("house", "example.org/house"), ing("ingressClassName: house,", "", "")),
			nil, nil},
		{"an unknown controller with a private address", all(ing("ingressClassName: house,", "", status("ip: 10.0.0.7"))), nil, nil},
		{"a controller found by one of two addresses", all(house, ing("ingressClassName: house,", "",
			"status: {loadBalancer: {ingress: [{ip: 10.0.0.8}, {ip: 203.0.113.1}, {ip: 203.0.113.1}]}}")), []string{ctl, web}, nil},
		{"ranges of two load balancers of one controller", all(controllerOpen, strings.NewReplacer("name: ctl,", "name: more,",
			"type: LoadBalancer,", "type: LoadBalancer, loadBalancerSourceRanges: [198.51.100.0/24],", "uid: c", "uid: d").Replace(
			controllerOpen[strings.Index(controllerOpen, "---\napiVersion: v1\nkind: Service"):strings.Index(controllerOpen,
				"---\napiVersion: v1\nkind: Namespace")]),
			byClass), []string{ctl, "ingress-nginx/Service/more > ingress-nginx/Pod/ctl 80/TCP ranges 198.51.100.0/24", web}, nil},
	})
}

func TestGatewaysInDetail(t *testing.T) {
	proxy := "infra/Service/gw-svc > infra/Pod/proxy 80/TCP any"
	web := "shop/Service/web > shop/Pod/web 8080/TCP any"
	all := func(changes ...string) string {
		return strings.NewReplacer(changes...).Replace(estate + backendService + envoy + route)
	}
	// alone is the gateway without pods of its own; by says by which controller,
	// address where.
	alone := func(by, address string) string {
		gateway := envoy[:strings.Index(envoy, "---\napiVersion: v1\nkind: Service")]
		gateway = strings.Replace(gateway, "example.org/gateway", by, 1)
		if address != "" {
			gateway = strings.Replace(gateway, "allowedRoutes: {namespaces: {from: All}}}]}",
				"allowedRoutes: {namespaces: {from: All}}}]}\nstatus: {addresses: [{value: "+address+"}]}", 1)
		}
		return estate + backendService + gateway + route
	}
	manifest := application + backendService + strings.Replace(envoy[:strings.Index(envoy, "---\napiVersion: v1\nkind: Service")],
		", uid: g", "", 1) + route
	const listener = `{name: web, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}`
	elsewhere := "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: app}\nspec: " +
		"{parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}\n"
	grant := func(from, to string) string {
		return "\n---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: shop}\nspec: " +
			"{from: [{group: " + from + ", namespace: app}], to: [{" + to + "}]}\n"
	}
	const ours = "gateway.networking.k8s.io, kind: HTTPRoute"
	run(t, []test{
		{"a cloud's gateway with a public address", alone("networking.gke.io/gateway", "203.0.113.7"), []string{web}, nil},
		{"of AWS", alone("gateway.k8s.aws/alb", "203.0.113.7"), []string{web}, nil},
		{"of Azure", alone("alb.networking.azure.io/alb-controller", "203.0.113.7"), []string{web}, nil},
		{"of Cilium", alone("io.cilium/gateway-controller", "203.0.113.7"), []string{web}, nil},
		{"of VPC Lattice, which is private", alone("application-networking.k8s.aws/gateway-api-controller", "203.0.113.7"), nil, nil},
		{"a public class of GKE", strings.NewReplacer("name: gc}", "name: gke-l7-gxlb}", "gatewayClassName: gc", "gatewayClassName: gke-l7-gxlb").
			Replace(alone("networking.gke.io/gateway", "203.0.113.7")), []string{web}, nil},
		{"another's class that sounds like GKE's", strings.NewReplacer("name: gc}", "name: my-internal-rilb}", "gatewayClassName: gc",
			"gatewayClassName: my-internal-rilb").Replace(alone("networking.gke.io/gateway", "203.0.113.7")), []string{web}, nil},
		{"a private class of GKE for several regions", strings.NewReplacer("name: gc}", "name: gke-l7-cross-regional-internal-managed-mc}",
			"gatewayClassName: gc", "gatewayClassName: gke-l7-cross-regional-internal-managed-mc").
			Replace(alone("networking.gke.io/gateway", "203.0.113.7")), nil, nil},
		{"a private class of GKE", strings.NewReplacer("name: gc}", "name: gke-l7-rilb}", "gatewayClassName: gc",
			"gatewayClassName: gke-l7-rilb").
			Replace(alone("networking.gke.io/gateway", "203.0.113.7")), nil, nil},
		{"a class that is not there", strings.Replace(alone("example.org/gateway", "203.0.113.7"), "gatewayClassName: gc",
			"gatewayClassName: lost", 1),
			[]string{web + " ?"}, nil},
		{"a public address whose pods were not found", alone("example.org/gateway", "203.0.113.7"), []string{web + " ?"}, nil},
		{"a private address", alone("example.org/gateway", "10.0.0.7"), nil, nil},
		{"no address yet", alone("example.org/gateway", ""), nil, nil},
		{"a manifest without the cluster", manifest, []string{web + " ?"}, nil},
		{"its pods by the address it publishes", strings.Replace(all("labels: {gateway.networking.k8s.io/gateway-name: gw}", "labels: {a: b}"),
			"from: All}}}]}", "from: All}}}]}\nstatus: {addresses: [{value: 203.0.113.1}]}", 1), []string{proxy, web}, nil},
		{"its pods by the image of its controller", all("labels: {gateway.networking.k8s.io/gateway-name: gw}", "labels: {a: b}",
			"example.org/gateway", "traefik.io/gateway-controller", "image: envoy", "image: 'traefik:v3'"), []string{proxy, web}, nil},
		{"Envoy Gateway's service in another namespace", all("labels: {gateway.networking.k8s.io/gateway-name: gw}",
			"labels: {gateway.envoyproxy.io/owning-gateway-name: gw, gateway.envoyproxy.io/owning-gateway-namespace: infra}"), []string{proxy,
			web}, nil},
		{"a service made for another gateway", all("labels: {gateway.networking.k8s.io/gateway-name: gw}",
			"labels: {gateway.envoyproxy.io/owning-gateway-name: gw, gateway.envoyproxy.io/owning-gateway-namespace: other}"), []string{proxy}, nil},
		{"a parent that is a service", all("parentRefs: [{name: gw,", "parentRefs: [{kind: Service, group: '', name: gw,"), []string{proxy}, nil},
		{"a parent that says it is a gateway, its section and port", all("parentRefs: [{name: gw,",
			"parentRefs: [{kind: Gateway, sectionName: web, port: 80, name: gw,"),
			[]string{proxy, web}, nil},
		{"a backend that says it is a service", all("{name: web, port: 80}]}]}",
			"{kind: Service, group: '', name: web, port: 80, weight: 1}]}]}"), []string{proxy, web}, nil},
		{"a backend of another kind", all("{name: web, port: 80}]}]}", "{kind: Bucket, name: web, port: 80}]}]}"), []string{proxy}, nil},
		{"a backend of another group", all("{name: web, port: 80}]}]}", "{group: example.org, name: web, port: 80}]}]}"), []string{proxy}, nil},
		{"a backend port that is not there", all("{name: web, port: 80}]}]}", "{name: web, port: 81}]}]}"), []string{proxy}, nil},
		{"a copy of one request in a hundred", all("backendRefs: [{name: web, port: 80}]",
			"filters: [{type: RequestMirror, requestMirror: {percent: 1, backendRef: {name: web, port: 80}}}]"), []string{proxy, web}, nil},
		{"another filter", all("backendRefs: [{name: web, port: 80}]", "filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]"),
			[]string{proxy}, nil},
		{"a grant for this service", all(route, elsewhere+grant(ours, "group: '', kind: Service, name: web")), []string{proxy, web}, nil},
		{"a grant for another service", all(route, elsewhere+grant(ours, "group: '', kind: Service, name: api")), []string{proxy}, nil},
		{"a grant for secrets", all(route, elsewhere+grant(ours, "group: '', kind: Secret")), []string{proxy}, nil},
		{"a grant for another group", all(route, elsewhere+grant(ours, "group: example.org, kind: Service")), []string{proxy}, nil},
		{"a grant from another kind", all(route, elsewhere+grant("gateway.networking.k8s.io, kind: GRPCRoute", "group: '', kind: Service")),
			[]string{proxy}, nil},
		{"a grant from another group", all(route, elsewhere+grant("example.org, kind: HTTPRoute", "group: '', kind: Service")), []string{proxy},
			nil},
		{"a grant in another namespace", all(route, elsewhere+strings.Replace(grant(ours, "group: '', kind: Service"), "namespace: shop",
			"namespace: app", 1)),
			[]string{proxy}, nil},
		{"a listener that says nothing of routes takes its namespace's", all(listener, "{name: web, port: 80, protocol: HTTP}",
			"name: r, namespace: shop", "name: r, namespace: infra", "{name: web, port: 80}]}]}", "{name: gw-svc, port: 80}]}]}",
			"hostnames: [www.example.com], ", ""), []string{"infra/Service/gw-svc > infra/Pod/proxy 80/TCP any", proxy}, nil},
		{"and none of others", all(listener, "{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {}}}"), []string{proxy}, nil},
		{"a listener that takes none", all("from: All", "from: None"), []string{proxy}, nil},
		{"HTTPS", all("protocol: HTTP,", "protocol: HTTPS,"), []string{proxy, web}, nil},
		{"TCP", all("protocol: HTTP,", "protocol: TCP,"), []string{proxy}, nil},
		{"kinds with this one among them", all("from: All}", "from: All}, kinds: [{kind: GRPCRoute}, {kind: HTTPRoute}]"), []string{proxy, web},
			nil},
		{"a listener of every host", all(`hostname: "*.example.com", `, ""), []string{proxy, web}, nil},
		{"a listener whose host is empty", all(`hostname: "*.example.com"`, `hostname: ""`), []string{proxy, web}, nil},
		{"a listener of one host, and a route of its wildcard", all(`"*.example.com"`, "www.example.com", "[www.example.com]",
			`["*.Example.com"]`), []string{proxy, web}, nil},
		{"the same wildcard on both sides", all("[www.example.com]", `["*.example.com"]`), []string{proxy, web}, nil},
		{"a deeper wildcard", all("[www.example.com]", `["*.eu.example.com"]`), []string{proxy, web}, nil},
		{"a gRPC route", all("kind: HTTPRoute", "kind: GRPCRoute"), []string{proxy, web}, nil},
	})
}

func TestEveryKindThatCouldNotBeReadIsSaid(t *testing.T) {
	var all strings.Builder
	for _, resource := range []string{"services", "pods", "endpointslices", "ingresses", "ingressclasses", "gateways", "gatewayclasses",
		"referencegrants", "httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes", "nodes"} {
		f := collect.NewFacts()
		f.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "api", What: resource, Why: "403"}})
		fmt.Fprintf(&all, "# %s\n%s", resource, told(judged(f)))
	}
	for _, resource := range unreadRoutes {
		f := collect.NewFacts()
		f.Apply(collect.Change{Op: collect.Counted, Kind: resource, Object: 1})
		if r := judged(f); len(r.Gaps) != 1 || r.Gaps[0].What != "exposure through "+resource {
			t.Errorf("%s: gaps %v", resource, r.Gaps)
		}
	}
	golden.Compare(t, filepath.Join("testdata", t.Name()+".txt"), all.String())
}
