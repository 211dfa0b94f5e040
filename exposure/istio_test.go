package exposure

import (
	"strings"
	"testing"
)

// mesh is Istio's ingress gateway behind a load balancer, and a Gateway that it serves.
const mesh = `
---
apiVersion: v1
kind: Service
metadata: {name: ingressgateway, namespace: istio-system, uid: s}
spec: {type: LoadBalancer, selector: {istio: ingressgateway}, ports: [{port: 443, protocol: TCP}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: istio-system, labels: {istio: ingressgateway}}
spec: {nodeName: n1, containers: [{name: c, image: istio/proxyv2, ports: [{containerPort: 443}]}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: infra}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.example.com"],
  tls: {mode: SIMPLE, credentialName: c}}]}
`

const virtual = `
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec: {hosts: [www.example.com], gateways: [infra/gw],
  http: [{match: [{uri: {prefix: /}}], route: [{destination: {host: web, port: {number: 80}}}]}]}
`

func TestVirtualServices(t *testing.T) {
	proxy := "istio-system/Service/ingressgateway > istio-system/Pod/proxy 443/TCP any"
	web := "shop/Service/web > shop/Pod/web 8080/TCP any"
	all := func(changes ...string) string {
		return strings.NewReplacer(changes...).Replace(estate + webService + mesh + virtual)
	}
	policy := func(ns string) string {
		return all() + "\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: " + ns +
			"}\nspec: {rules: [{}]}\n"
	}
	delegate := "\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: d, namespace: shop}\n" +
		"spec: {http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}\n"
	alone := func(uid string) string {
		return strings.NewReplacer("istio: ingressgateway}}\nspec: {node", "app: other}}\nspec: {node", "selector: {istio: ingressgateway}, ports", "ports",
			"name: gw, namespace: infra", "name: gw, namespace: infra"+uid).Replace(estate[strings.LastIndex(estate, "---"):]+webService+mesh+virtual) +
			"\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n"
	}
	run(t, []test{
		{"in a manifest, without the gateway's proxies", alone(""), []string{web + " ?"}, nil},
		{"in a cluster, without them", alone(", uid: g"), nil, nil},
		{"a destination behind an exposed gateway", all(), []string{proxy, web}, nil},
		{"a gateway that is not reached", all("203.0.113.1", "10.0.0.1"), nil, nil},
		{"in the mesh only", all("gateways: [infra/gw]", "gateways: [mesh]"), []string{proxy}, nil},
		{"without gateways in the mesh only", all("gateways: [infra/gw],\n ", ""), []string{proxy}, nil},
		{"a gateway of its own namespace by its name", all("gateways: [infra/gw]", "gateways: [gw]"), []string{proxy}, nil},
		{"which is there", all("gateways: [infra/gw]", "gateways: [gw]", "name: gw, namespace: infra", "name: gw, namespace: shop"),
			[]string{proxy, web}, nil},
		{"a host that the gateway does not serve", all("hosts: [www.example.com]", "hosts: [www.example.org]"), []string{proxy}, nil},
		{"a gateway for every host", all(`"*.example.com"`, `"*"`), []string{proxy, web}, nil},
		{"a gateway for hosts of its own namespace", all(`"*.example.com"`, `"./*.example.com"`), []string{proxy}, nil},
		{"of another", all(`"*.example.com"`, `"bank/*.example.com"`), []string{proxy}, nil},
		{"of this one", all(`"*.example.com"`, `"shop/*"`), []string{proxy, web}, nil},
		{"one that is not exported to the gateway", all("gateways: [infra/gw]", "gateways: [infra/gw], exportTo: [.]"), []string{proxy}, nil},
		{"one that is", all("gateways: [infra/gw]", "gateways: [infra/gw], exportTo: [infra]"), []string{proxy, web}, nil},
		{"a match for the mesh", all("match: [{uri: {prefix: /}}]", "match: [{gateways: [mesh]}]"), []string{proxy}, nil},
		{"a match for the gateway", all("match: [{uri: {prefix: /}}]", "match: [{gateways: [infra/gw]}]"), []string{proxy, web}, nil},
		{"a Service by its whole name", all("host: web", "host: web.shop.svc.cluster.local"), []string{proxy, web}, nil},
		{"of another namespace", all("host: web", "host: web.bank.svc.cluster.local"), []string{proxy}, nil},
		{"a name that is no Service's", all("host: web", "host: web.example.org"), []string{proxy}, nil},
		{"a port that it does not have", all("number: 80}", "number: 81}"), []string{proxy}, nil},
		{"connections as they are", all("http: [{match: [{uri: {prefix: /}}], route", "tcp: [{route"), []string{proxy, web}, nil},
		{"a destination of weight zero", all(
			"route: [{destination: {host: web, port: {number: 80}}}]",
			"route: [{destination: {host: web, port: {number: 80}}, weight: 0}, {destination: {host: other}, weight: 100}]",
		), []string{proxy}, nil},
		{"a copy of the requests", all("route: [{destination: {host: web, port: {number: 80}}}]",
			"route: [{destination: {host: other}}], mirror: {host: web, port: {number: 80}}"), []string{proxy, web}, nil},
		{"routes of another that it names", all("route: [{destination: {host: web, port: {number: 80}}}]", "delegate: {name: d}") + delegate,
			[]string{proxy, web}, nil},
		{"clients with certificates, perhaps", all("mode: SIMPLE", "mode: MUTUAL"), []string{proxy, web + " ?"}, nil},
		{"where authorization may refuse", policy("shop"), []string{proxy, web + " ?"}, nil},
		{"or does elsewhere", policy("bank"), []string{proxy, web}, nil},
		{
			"in a manifest alone it may be",
			estate[strings.LastIndex(estate, "---"):] + webService + mesh[strings.LastIndex(mesh, "---"):] + virtual,
			[]string{web + " ?"},
			nil,
		},
	})
}
