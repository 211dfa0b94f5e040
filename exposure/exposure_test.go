package exposure

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/test/golden"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// calico makes policies count; nothing else is told of the cluster by it.
const calico = `
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec: {template: {spec: {containers: [{name: c, image: calico/node:v3}]}}}
`

const flannel = `
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: flannel, namespace: kube-flannel}
spec: {template: {spec: {containers: [{name: c, image: flannel/flannel:v0.26}]}}}
`

// estate is a pod on the second of two private nodes.
const estate = `
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n2, containers: [{name: c, image: web, ports: [{name: http, containerPort: 8080}]}]}
status: {podIPs: [{ip: 10.1.0.1}]}
`

// public gives n2 an address of the internet.
const public = `
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}, {type: ExternalIP, address: 203.0.113.2}]}
`

func svc(spec, more string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop, uid: u%s\nspec: %s\n", more, spec)
}

// withAddress ends a Service's metadata and gives its load balancer an address.
const withAddress = "}\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}"

func np(spec string) string {
	return "\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: " + spec + "\n"
}

// routes prints each route as "hop > hop > pod ports width", "?" where uncertain.
func routes(r *Result) (out []string) {
	for _, route := range r.Routes {
		var text []string
		for _, h := range route.Hops {
			text = append(text, h.To.ID())
		}
		last := route.Hops[len(route.Hops)-1]
		var ports []string
		for _, p := range last.Ports {
			ports = append(ports, p.String())
		}
		line := strings.Join(text, " > ") + " " + strings.Join(ports, ",") + " " + string(route.Width)
		for _, p := range route.Ranges {
			line += " " + p.String()
		}
		if len(route.Uncertain()) > 0 {
			line += " ?"
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func closed(r *Result) (out []string) {
	for _, c := range r.Closed {
		out = append(out, c.To.ID()+" by "+c.Policy.Name)
	}
	return out
}

// judged asks both judges.
func judged(f *collect.Facts) *Result { return Judge(f, netpol.New(f)) }

type test struct {
	name, manifests string
	want            []string
	closed          []string
}

func run(t *testing.T, tests []test) {
	t.Helper()
	var all strings.Builder
	defer func() {
		if !strings.Contains(t.Name(), "/") {
			golden.Compare(t, filepath.Join("testdata", t.Name()+".txt"), all.String())
		}
	}()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(manifests.Facts(t, tt.manifests))
			fmt.Fprintf(&all, "# %s\n%s", tt.name, told(r))
			if got := routes(r); !slices.Equal(got, tt.want) {
				t.Errorf("routes\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
			if got := closed(r); !slices.Equal(got, tt.closed) {
				t.Errorf("closed %v, want %v", got, tt.closed)
			}
		})
	}
}

const lb = `{type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http, protocol: TCP}]%s}`

func balancer(more, meta string) string {
	return svc(fmt.Sprintf(lb, more), ", annotations: {"+meta+"}"+withAddress)
}

// unapplied is a load balancer of a manifest: it has no address yet.
func unapplied(more, meta string) string {
	return strings.Replace(svc(fmt.Sprintf(lb, more), ", annotations: {"+meta+"}}"), ", uid: u", "", 1)
}

func TestLoadBalancers(t *testing.T) {
	open := []string{"shop/Service/web > shop/Pod/web 8080/TCP any"}
	status := func(ingress string) string {
		return svc(fmt.Sprintf(lb, ""), "}\nstatus: {loadBalancer: {ingress: ["+ingress+"]}}")
	}
	run(t, []test{
		{"a public address", estate + balancer("", ""), open, nil},
		{"a host name", estate + status("{hostname: a-1.elb.amazonaws.com}"), open, nil},
		{"a private address", estate + status("{ip: 10.0.0.9}"), nil, nil},
		{"an address behind carrier-grade NAT", estate + status("{ip: 100.64.3.9}"), nil, nil},
		{"a unique local address", estate + status("{ip: 'fd00::9'}"), nil, nil},
		{"an internal host name", estate + status("{hostname: internal-a-1.elb.amazonaws.com}"), nil, nil},
		{"no address yet", estate + svc(fmt.Sprintf(lb, ""), "}"), nil, nil},
		{"a manifest that cannot have one", estate + strings.Replace(svc(fmt.Sprintf(lb, ""), "}"), ", uid: u", "", 1),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP any ?"}, nil},
		{"internal by annotation", estate + unapplied("", `networking.gke.io/load-balancer-type: Internal`), nil, nil},
		{"internal in Azure", estate + unapplied("", `service.beta.kubernetes.io/azure-load-balancer-internal: "true"`), nil, nil},
		{"not internal in Azure", estate + balancer("", `service.beta.kubernetes.io/azure-load-balancer-internal: "false"`), open, nil},
		{"internal in AWS, the old way", estate + unapplied("", `service.beta.kubernetes.io/aws-load-balancer-internal: "0.0.0.0/0"`),
			nil, nil},
		{"the AWS controller's default", estate + unapplied("", `service.beta.kubernetes.io/aws-load-balancer-type: external`), nil, nil},
		{"the AWS controller told otherwise", estate + balancer("",
			`service.beta.kubernetes.io/aws-load-balancer-type: external, `+
				`service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing`), open, nil},
		{"listed clients", estate + balancer(", loadBalancerSourceRanges: [198.51.100.0/24]", ""),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"only private clients", estate + balancer(", loadBalancerSourceRanges: [10.0.0.0/8]", ""), nil, nil},
		{"everyone listed", estate + balancer(", loadBalancerSourceRanges: [0.0.0.0/0]", ""), open, nil},
		{"nothing behind it", strings.ReplaceAll(estate, "{app: web}", "{app: other}") + balancer("", ""), nil, nil},
		{"a pod that has ended", strings.Replace(estate, "status: {podIPs", "status: {phase: Succeeded, podIPs", 1) + balancer("", ""),
			nil, nil},
		{"ClusterIP", estate + svc(`{type: ClusterIP, selector: {app: web}, ports: [{port: 80}]}`, "}"), nil, nil},
		{"headless", estate + svc(`{clusterIP: None, selector: {app: web}, ports: [{port: 80}]}`, "}"), nil, nil},
		{"ExternalName", estate + svc(`{type: ExternalName, externalName: example.org, ports: [{port: 80}]}`, "}"), nil, nil},
		{"an external address", estate + svc(`{type: ClusterIP, externalIPs: [203.0.113.50], selector: {app: web}, ports: [{port: 80}]}`,
			"}"),
			[]string{"shop/Service/web > shop/Pod/web 80/TCP any"}, nil},
		{"a private external address",
			estate + svc(`{type: ClusterIP, externalIPs: [10.0.0.50], selector: {app: web}, ports: [{port: 80}]}`, "}"), nil, nil},
	})
}

func TestPoliciesOnTheWay(t *testing.T) {
	open := "shop/Service/web > shop/Pod/web 8080/TCP any"
	// The load balancer itself connects to the pods, from an address nobody knows.
	const direct = "service.beta.kubernetes.io/aws-load-balancer-type: nlb-ip, service.beta.kubernetes.io/aws-load-balancer-scheme: " +
		"internet-facing"
	run(t, []test{
		{"deny all, enforced", estate + calico + balancer("", "") + np(`{podSelector: {}}`), nil, []string{"shop/Pod/web by p"}},
		{"deny all, enforced by nothing", estate + flannel + balancer("", "") + np(`{podSelector: {}}`), []string{open}, nil},
		{"deny all, enforcement unknown", estate + balancer("", "") + np(`{podSelector: {}}`), []string{open + " ?"}, nil},
		{"allow all", estate + calico + balancer("", "") + np(`{podSelector: {}, ingress: [{}]}`), []string{open}, nil},
		{"allow another port", estate + calico + balancer("", "") + np(`{podSelector: {}, ingress: [{ports: [{port: 9090}]}]}`), nil,
			[]string{"shop/Pod/web by p"}},
		{"allow pods only", estate + calico + balancer("", "") + np(`{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}`),
			nil, []string{"shop/Pod/web by p"}},
		{"allow the nodes, through whom the traffic comes", estate + calico + balancer("", "") +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/24}}]}]}`), []string{open}, nil},
		{"but not when the service keeps the client's address", estate + calico + balancer(", externalTrafficPolicy: Local", "") +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/24}}]}]}`), nil, []string{"shop/Pod/web by p"}},
		{"nor where the only node sees the client itself", estate[strings.Index(estate,
			"apiVersion: v1\nkind: Node\nmetadata: {name: n2}"):] + calico + balancer("", "") +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/24}}]}]}`), nil, []string{"shop/Pod/web by p"}},
		{"allow some of the internet", estate + calico + balancer(", externalTrafficPolicy: Local", "") +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}`),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"a certain way for some goes before an uncertain one for all", estate + calico + balancer("", direct) +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}`),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"an uncertain way is better than none", estate + calico + balancer("", direct) +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}`), []string{open + " ?"}, nil},
		{"the policy allows others than the load balancer", estate + calico +
			balancer(", externalTrafficPolicy: Local, loadBalancerSourceRanges: [203.0.113.0/24]", "") +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}`),
			nil, []string{"shop/Pod/web by p"}},
	})
}

func TestNodes(t *testing.T) {
	const port = `{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}`
	host := func(spec string) string {
		return "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: agent, namespace: shop, labels: {app: agent}}\n" +
			"spec: {nodeName: n2, " + spec + "}\n"
	}
	const hostPort = `containers: [{name: c, image: a, ports: [{containerPort: 9100, hostPort: 9101}]}]`
	const hostNet = `hostNetwork: true, containers: [{name: c, image: a, ports: [{containerPort: 9100}]}]`
	run(t, []test{
		{"a node port of private nodes", estate + svc(port, "}"), nil, nil},
		{"a node port of a public node", estate + public + svc(port, "}"), []string{"shop/Service/web > shop/Pod/web 8080/TCP any"}, nil},
		{"a node port where no node was seen", svc(port, "}") + estate[strings.Index(estate, "---\napiVersion: v1\nkind: Pod"):],
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP any ?"}, nil},
		{"a host port on a private node", estate + host(hostPort), nil, nil},
		{"a host port on a public node", estate + public + host(hostPort), []string{"Node/n2 > shop/Pod/agent 9100/TCP any"}, nil},
		{"a host port bound to localhost", estate + public + host(strings.Replace(hostPort, "hostPort: 9101",
			"hostPort: 9101, hostIP: 127.0.0.1", 1)), nil, nil},
		{"a host port that a policy closes", estate + public + calico + host(hostPort) + np(`{podSelector: {}}`), nil,
			[]string{"shop/Pod/agent by p"}},
		{"the host's network of a private node", estate + host(hostNet), nil, nil},
		{"the host's network of a public node", estate + public + host(hostNet), []string{"Node/n2 > shop/Pod/agent 9100/TCP any"}, nil},
		{"which no policy closes", estate + public + calico + host(hostNet) + np(`{podSelector: {}}`),
			[]string{"Node/n2 > shop/Pod/agent 9100/TCP any"}, nil},
		{"on the other node", estate + public + strings.Replace(host(hostNet), "n2", "n1", 1), nil, nil},
		{"the host's network without declared ports is uncertain",
			estate + public + host(`hostNetwork: true, containers: [{name: c, image: a}]`), []string{"Node/n2 > shop/Pod/agent  any ?"},
			nil},
	})
}

func TestEndpoints(t *testing.T) {
	slice := func(endpoint string) string {
		return "\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, namespace: shop, labels: " +
			"{kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{port: 8080}]\nendpoints: [" + endpoint + "]\n"
	}
	bare := svc(`{type: LoadBalancer, ports: [{port: 80}]}`, withAddress)
	open := []string{"shop/Service/web > shop/Pod/web 8080/TCP any"}
	estate6 := strings.Replace(estate, "{ip: 10.1.0.1}", "{ip: 10.1.0.1}, {ip: 'fd00::1'}", 1)
	run(t, []test{
		{"no selector and no endpoints", estate + bare, nil, nil},
		{"endpoints by hand that name a pod",
			estate + bare + slice("{addresses: [10.1.0.1], targetRef: {kind: Pod, name: web, namespace: shop}}"), open, nil},
		{"endpoints by hand that name a pod's address", estate + bare + slice("{addresses: [10.1.0.1]}"), open, nil},
		{"endpoints by hand, written in another way",
			estate6 + bare + strings.Replace(slice("{addresses: ['fd00:0:0:0:0:0:0:1']}"), "IPv4", "IPv6", 1),
			open, nil},
		{"endpoints elsewhere", estate + bare + slice("{addresses: [172.16.0.9]}"), nil, nil},
		{"an endpoint that is not ready may be soon", estate + bare +
			slice("{addresses: [10.1.0.1], conditions: {ready: false}, targetRef: {kind: Pod, name: web, namespace: shop}}"), open, nil},
	})
}

func TestWhatCouldNotBeReadIsSaid(t *testing.T) {
	f := manifests.Facts(t, estate)
	f.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "api", What: "services", Why: "403"}})
	r := judged(f)
	if len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].Consequence, "services") {
		t.Errorf("gaps %v", r.Gaps)
	}
}

func TestEntitiesAreFoundByTheirID(t *testing.T) {
	r := judged(manifests.Facts(t, estate+balancer("", "")))
	for _, e := range []ref.Ref{{Namespace: "shop", Kind: "Pod", Name: "web"}, {Namespace: "shop", Kind: "Service", Name: "web"}} {
		x, ok := r.Find(e)
		if !ok || x.Width != Any || len(x.Ports) != 1 || len(x.Via) != 1 {
			t.Errorf("%s: %+v", e, x)
		}
	}
	if _, ok := r.Find(ref.Ref{Kind: "Node", Name: "n1"}); ok {
		t.Error("a node nobody exposes is exposed")
	}
}

func TestKindsNobodyInterpretsAreSaid(t *testing.T) {
	f := manifests.Facts(t, estate)
	f.Apply(collect.Change{Op: collect.Counted, Kind: "ingressroutes.traefik.io", Object: 2})
	f.Apply(collect.Change{Op: collect.Counted, Kind: "clusternetworkpolicies.crd.antrea.io", Object: -1})
	f.Apply(collect.Change{Op: collect.Counted, Kind: "routes.route.openshift.io", Object: 0})
	if r := judged(f); len(r.Gaps) != 1 {
		t.Errorf("gaps %v", r.Gaps)
	}
}

func TestARouteExplainsEveryHop(t *testing.T) {
	r := judged(manifests.Facts(t, estate+balancer(", loadBalancerSourceRanges: [198.51.100.0/24]", "")+np(`{podSelector: {}}`)))
	want := "the internet → Service shop/web on 80/TCP: through load balancer 203.0.113.9, for 198.51.100.0/24 only.\n" +
		"Service shop/web → Pod shop/web on 8080/TCP: through Service shop/web to port 8080/TCP, for 198.51.100.0/24 only; " +
		"NetworkPolicy shop/p restricts ingress and no rule allows it; whether anything enforces that is not known. No known network " +
		"plugin was seen, so nothing shows whether policies are enforced.\n"
	if got := r.Routes[0].Explain(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
