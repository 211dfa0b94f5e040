package netpol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// cnpIn writes a CiliumNetworkPolicy of namespace shop, ccnp one of the cluster.
func cnpIn(name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: %s, namespace: shop}\nspec: {%s}\n",
		name, spec)
}

func ccnp(name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: %s}\nspec: {%s}\n", name, spec)
}

const allEndpoints = "endpointSelector: {}, "

// lookup is a Service with a selector, one without, and the API server's.
const lookup = `
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop, labels: {kind: store}}
spec: {selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: shop, labels: {kind: far}}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: far-1, namespace: shop, labels: {kubernetes.io/service-name: far}}
addressType: IPv4
endpoints: [{addresses: [203.0.113.9]}]
ports: [{port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [192.168.0.1]}]
ports: [{port: 6443}]
`

func asked(t *testing.T, policies, from, to, port, want string) {
	t.Helper()
	f := manifests.Facts(t, world, policies)
	a := New(f).Ask(endpoint(t, f, from), endpoint(t, f, to), portOf(t, port))
	if got := short(a); got != want {
		t.Errorf("got %q, want %q: %s", got, want, a.Explain())
	}
}

func TestCiliumPolicies(t *testing.T) {
	in := func(rules string) string { return cnpIn("c", allEndpoints+"ingress: ["+rules+"]") }
	out := func(rules string) string { return cnpIn("c", allEndpoints+"egress: ["+rules+"]") }
	denyNP := np("deny", "{podSelector: {}}")
	fromWeb := `fromEndpoints: [{matchLabels: {app: web}}]`
	bank := `fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': bank}}]`
	for _, tt := range []struct{ name, policies, from, to, port, want string }{
		{"endpoints of its own namespace", in("{" + fromWeb + "}"), "shop/web", "shop/db", "80", "yes c 0"},
		{"are not those of another", in("{" + fromWeb + "}"), "bank/web", "shop/db", "80", "no c -1"},
		{"unless it names one", in("{" + bank + "}"), "bank/web", "shop/db", "80", "yes c 0"},
		{"by its labels, too", in("{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': b}}]}"), "bank/web", "shop/db",
			"80", "yes c 0"},
		{"all endpoints are all of its namespace", in("{fromEndpoints: [{}]}"), "bank/web", "shop/db", "80", "no c -1"},
		{"in a policy of the cluster all of it", ccnp("c", allEndpoints+"ingress: [{fromEndpoints: [{}]}]"), "bank/web", "shop/db", "80",
			"yes c 0"},
		{"which selects in every namespace", ccnp("c", allEndpoints+"ingress: [{fromEndpoints: [{}]}]"), "internet", "bank/web", "80", "no c -1"},
		{"service accounts are labels", in("{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: default}}]}"), "shop/web",
			"shop/db", "80", "yes c 0"},
		{"and other accounts others", in("{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: admin}}]}"), "shop/web",
			"shop/db", "80", "no c -1"},
		{"expressions count", in("{fromEndpoints: [{matchExpressions: [{key: 'any:app', operator: In, values: [web]}]}]}"), "shop/web", "shop/db",
			"80", "yes c 0"},
		{"the other direction is open", in("{" + fromWeb + "}"), "shop/db", "bank/web", "80", "yes"},
		{"an empty rule allows nothing", in("{}"), "shop/web", "shop/db", "80", "no c -1"},
		{"an empty list of endpoints, too", in("{fromEndpoints: []}"), "shop/web", "shop/db", "80", "no c -1"},
		{"on no port", in("{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}"), "shop/web", "shop/db", "80", "no c -1"},
		{"no rule at all restricts nothing", in(""), "shop/web", "shop/db", "80", "yes"},
		{"ports alone are for anyone", in("{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}"), "internet", "shop/db", "80", "yes c 0"},
		{"and no other port", in("{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}"), "internet", "shop/db", "81", "no c -1"},
		{"a range of ports", in("{toPorts: [{ports: [{port: '80', endPort: 90}]}]}"), "internet", "shop/db", "90", "yes c 0"},
		{"port 0 is all of a protocol", in("{toPorts: [{ports: [{port: '0', protocol: TCP}]}]}"), "internet", "shop/db", "99", "yes c 0"},
		{"a named port", in("{toPorts: [{ports: [{port: http}]}]}"), "internet", "shop/db", "5432", "yes c 0"},
		{"messages of ICMP are no connections", in("{icmps: [{fields: [{type: 8}]}]}"), "shop/web", "shop/db", "80", "no c -1"},
		{"what is in the packets is uncertain", in("{" + fromWeb + ", toPorts: [{ports: [{port: '80'}], rules: {http: [{method: GET}]}}]}"),
			"shop/web", "shop/db", "80", "yes? c 0"},
		{"so is authentication", in("{" + fromWeb + ", authentication: {mode: required}}"), "shop/web", "shop/db", "80", "yes? c 0"},
		{"NetworkPolicies add up", in("{"+fromWeb+"}") + denyNP, "shop/web", "shop/db", "80", "yes c 0"},
		{"with Cilium's", in("{}") + np("p", "{podSelector: {}, ingress: [{}]}"), "shop/web", "shop/db", "80", "yes p 0"},
		{"a deny goes before every allow", cnpIn("c", allEndpoints+"ingress: [{fromEntities: [all]}], ingressDeny: [{"+fromWeb+"}]"), "shop/web",
			"shop/db", "80", "no c 0"},
		{"also of a NetworkPolicy", cnpIn("c", allEndpoints+"ingressDeny: [{"+fromWeb+"}]") + np("p", "{podSelector: {}, ingress: [{}]}"),
			"shop/web", "shop/db", "80", "no c 0"},
		{"and of another policy", cnpIn("c", allEndpoints+"ingressDeny: [{"+fromWeb+"}]") + cnpIn("a", allEndpoints+"ingress: [{"+fromWeb+"}]"),
			"shop/web", "shop/db", "80", "no c 0"},
		{"on its ports", cnpIn("c", allEndpoints+"ingress: [{fromEntities: [all]}], ingressDeny: [{"+fromWeb+", toPorts: [{ports: [{port: "+
			"'81'}]}]}]"),
			"shop/web", "shop/db", "80", "yes c 0"},
		{"no default deny where it is switched off", cnpIn("c", allEndpoints+"enableDefaultDeny: {ingress: false}, ingress: [{"+fromWeb+"}]"),
			"bank/web", "shop/db", "80", "yes"},
		{"what it allows counts beside others", cnpIn("c", allEndpoints+"enableDefaultDeny: {ingress: false}, ingress: [{"+fromWeb+"}]") + denyNP,
			"shop/web", "shop/db", "80", "yes c 0"},
		{"the world is outside", in("{fromEntities: [world]}"), "internet", "shop/db", "80", "yes c 0"},
		{"and no pod", in("{fromEntities: [world]}"), "shop/web", "shop/db", "80", "no c -1"},
		{"nor node", in("{fromEntities: [world]}"), "node n1", "shop/db", "80", "no c -1"},
		{"half of the world", in("{fromEntities: [world-ipv6]}"), "range 203.0.113.0/24", "shop/db", "80", "no c -1"},
		{"the cluster is every pod", in("{fromEntities: [cluster]}"), "bank/web", "shop/db", "80", "yes c 0"},
		{"and node", in("{fromEntities: [cluster]}"), "node n1", "shop/db", "80", "yes c 0"},
		{"and nobody outside", in("{fromEntities: [cluster]}"), "internet", "shop/db", "80", "no c -1"},
		{"but perhaps a load balancer that is a node", in("{fromEntities: [remote-node]}"), "lb", "shop/db", "80", "yes? c 0"},
		{"other nodes", in("{fromEntities: [remote-node]}"), "node n1", "shop/db", "80", "yes c 0"},
		{"are not the host", in("{fromEntities: [host]}"), "node n1", "shop/db", "80", "no c -1"},
		{"which always reaches its pods", in("{fromEntities: [none]}"), "node n2", "shop/db", "80", "yes"},
		{"a reserved label is an entity", in("{fromEndpoints: [{matchLabels: {'reserved:world': ''}}]}"), "internet", "shop/db", "80", "yes c 0"},
		{"the API server where it was seen", in("{fromEntities: [kube-apiserver]}") + lookup, "node n1", "shop/db", "80", "yes c 0"},
		{"or may be any node", in("{fromEntities: [kube-apiserver]}"), "node n1", "shop/db", "80", "yes? c 0"},
		{"an entity that is not known may be anyone", in("{fromEntities: [moon]}") + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
		{"a block means the outside", in("{fromCIDR: [203.0.113.0/24]}"), "range 203.0.113.0/25", "shop/db", "80", "yes c 0"},
		{"and no pod in it", in("{fromCIDR: [10.0.0.0/8]}"), "shop/web", "shop/db", "80", "no c -1"},
		{"perhaps a node", in("{fromCIDR: [192.168.0.0/16]}"), "node n1", "shop/db", "80", "yes? c 0"},
		{"but for exceptions", in("{fromCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.0/25]}]}"), "range 203.0.113.0/25", "shop/db", "80",
			"no c -1"},
		{"one address is a block", in("{fromCIDR: [203.0.113.7]}"), "range 203.0.113.7/32", "shop/db", "80", "yes c 0"},
		{"a group of addresses may be any", in("{fromCIDRSet: [{cidrGroupRef: g}]}"), "internet", "shop/db", "80", "yes? c 0"},
		{"a block that is none may be any", in("{fromCIDR: [x]}") + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
		{"names lead outside, to where is not known", out("{toFQDNs: [{matchName: a.example}]}"), "shop/db", "internet", "443", "yes? c 0"},
		{"and never inside", out("{toFQDNs: [{matchName: a.example}]}"), "shop/db", "bank/web", "443", "no c -1"},
		{"a Service's pods, in some versions", out("{toServices: [{k8sService: {serviceName: db, namespace: shop}}]}") + lookup, "shop/web",
			"shop/db", "80", "yes? c 0"},
		{"a Service's addresses outside", out("{toServices: [{k8sServiceSelector: {selector: {matchLabels: {kind: far}}}}]}") + lookup,
			"shop/web", "range 203.0.113.9/32", "80", "yes c 0"},
		{"and no others", out("{toServices: [{k8sService: {serviceName: far}}]}") + lookup, "shop/web", "range 203.0.113.8/32", "80",
			"no c -1"},
		{"a Service that was not seen", out("{toServices: [{k8sService: {serviceName: lost}}]}"), "shop/web", "bank/web", "80", "yes? c 0"},
		{"nodes by their labels", out("{toNodes: [{}]}"), "shop/web", "bank/agent", "80", "yes? c 0"},
		{"requirements are not interpreted", in("{fromRequires: [{}]}") + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
		{"several specs", strings.Replace(in("{"+fromWeb+"}"), "\nspec: {", "\nspecs: [{", 1)[:len(in("{"+fromWeb+"}"))] + "}]\n", "bank/web",
			"shop/db", "80", "no c -1"},
		{"a policy about nodes leaves pods alone", ccnp("c", "nodeSelector: {}, ingress: [{}]"), "shop/web", "shop/db", "80", "yes"},
		{"a policy without a selector", cnpIn("c", "ingress: [{}]") + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
	} {
		t.Run(tt.name, func(t *testing.T) { asked(t, tt.policies, tt.from, tt.to, tt.port, tt.want) })
	}
}

func TestPoliciesOfAPluginCountWhereItRuns(t *testing.T) {
	policies := cnpIn("c", allEndpoints+"ingress: [{}]")
	for _, tt := range []struct{ name, plugin, want string }{
		{"no plugin is known", "", "no c -1"},
		{"Cilium runs", network("cilium/cilium"), "no c -1"},
		{"Calico runs, and no Cilium", network("calico/node"), "yes"},
		{"both run", network("calico/node") + network("cilium/cilium"), "no c -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked(t, policies+"\n"+tt.plugin, "shop/web", "shop/db", "80", tt.want)
			gaps := New(manifests.Facts(t, world, policies+"\n"+tt.plugin)).Gaps()
			if told := len(gaps) == 1 && gaps[0].What == "policies of Cilium"; told != (tt.want == "yes") {
				t.Errorf("gaps %v", gaps)
			}
		})
	}
}
