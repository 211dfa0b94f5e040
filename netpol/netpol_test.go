package netpol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// world is two namespaces with three pods each, and one on the host's network.
const world = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank, labels: {team: b}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: web,
  ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]}]}
status: {podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db, tier: back}}
spec: {nodeName: n2, containers: [{name: c, image: db, ports: [{name: http, containerPort: 5432}]}]}
status: {podIPs: [{ip: 10.1.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: bank, labels: {app: web}}
spec: {nodeName: n2, containers: [{name: c, image: web}]}
status: {podIPs: [{ip: 10.2.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: bank, labels: {app: web}}
spec: {nodeName: n2, hostNetwork: true, containers: [{name: c, image: agent, ports: [{containerPort: 9100}]}]}
status: {hostIP: 192.168.0.2, podIPs: [{ip: 192.168.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: new, namespace: shop, labels: {app: new}}
spec: {containers: [{name: c, image: new}]}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
`

// unread is a pod in a namespace that was not read.
const unread = `
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: dark}
spec: {nodeName: n2, containers: [{name: c, image: web}]}
`

// host is a pod on the network of a node that is not chosen yet, beside one on the
// host's network that has the labels of shop's web, bare a pod without labels.
const (
	host = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: later, namespace: bank}\n" +
		"spec: {hostNetwork: true, containers: [{name: c, image: i}]}\n"
	beside = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: host, namespace: shop, labels: {app: web}}\n" +
		"spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}\n"
	bare = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: bare, namespace: shop}\n" +
		"spec: {nodeName: n1, containers: [{name: c, image: i}]}\n"
)

// np writes a NetworkPolicy of namespace shop with a spec in flow style.
func np(name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s, namespace: shop}\nspec: %s\n",
		name, spec)
}

func endpoint(t *testing.T, f *collect.Facts, s string) Endpoint {
	t.Helper()
	switch {
	case s == "internet":
		return Internet()
	case s == "somebody":
		return Somebody("somebody")
	case s == "lb":
		return Somewhere("the load balancer", Private())
	case strings.HasPrefix(s, "range "):
		r, err := compileBlock(blockOf(s[6:]))
		if err != nil {
			t.Fatal(err)
		}
		return Addresses(s, r)
	case strings.HasPrefix(s, "node "):
		return Node(f.Nodes[collect.Key{Name: s[5:]}])
	}
	ns, name, _ := strings.Cut(s, "/")
	p := f.Pods[collect.Key{Namespace: ns, Name: name}]
	if p == nil {
		t.Fatalf("no pod %s", s)
	}
	return Pod(p)
}

func TestAsk(t *testing.T) {
	const only = `ingress: [{from: [%s]}]}`
	from := func(peer string) string {
		return np("p", `{podSelector: {matchLabels: {app: db}}, `+fmt.Sprintf(only, peer))
	}
	tests := []struct {
		name, policies, from, to, port string
		want                           string // "yes" or "no", then the witness; "?" marks uncertain
	}{
		{"nothing restricts", "", "shop/web", "shop/db", "5432", "yes"},
		{"an empty selector selects all of the namespace, and no rule allows", np("deny", `{podSelector: {}}`), "shop/web", "shop/db",
			"5432", "no deny -1"},
		{"the policy of another namespace does not", np("deny", `{podSelector: {}}`), "shop/web", "bank/web", "80", "yes"},
		{"a selector that misses the pod", np("deny", `{podSelector: {matchLabels: {app: other}}}`), "shop/web", "shop/db", "5432", "yes"},
		{"an empty rule allows all", np("p", `{podSelector: {}, ingress: [{}]}`), "bank/web", "shop/db", "5432", "yes p 0"},
		{"an empty rule allows the internet", np("p", `{podSelector: {}, ingress: [{}]}`), "internet", "shop/db", "5432", "yes p 0"},
		{"an empty list of rules allows nothing", np("p", `{podSelector: {}, ingress: []}`), "internet", "shop/db", "5432", "no p -1"},
		{"a pod selector means the policy's namespace", from(`{podSelector: {matchLabels: {app: web}}}`), "shop/web", "shop/db", "5432",
			"yes p 0"},
		{"and not another", from(`{podSelector: {matchLabels: {app: web}}}`), "bank/web", "shop/db", "5432", "no p -1"},
		{"an empty pod selector means every pod of the namespace", from(`{podSelector: {}}`), "shop/web", "shop/db", "5432", "yes p 0"},
		{"but no address", from(`{podSelector: {}}`), "internet", "shop/db", "5432", "no p -1"},
		{"a namespace selector means all its pods", from(`{namespaceSelector: {matchLabels: {team: b}}}`), "bank/web", "shop/db", "5432",
			"yes p 0"},
		{"an empty namespace selector means every pod", from(`{namespaceSelector: {}}`), "bank/web", "shop/db", "5432", "yes p 0"},
		{"but still no address", from(`{namespaceSelector: {}}`), "internet", "shop/db", "5432", "no p -1"},
		{"a namespace by its own name", from(`{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: bank}}}`), "bank/web",
			"shop/db", "5432", "yes p 0"},
		{"both selectors in one peer must match",
			from(`{namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: db}}}`), "bank/web", "shop/db", "5432",
			"no p -1"},
		{"in two peers one is enough", from(`{namespaceSelector: {matchLabels: {team: b}}}, {podSelector: {matchLabels: {app: db}}}`),
			"bank/web", "shop/db", "5432", "yes p 0"},
		{"a block", from(`{ipBlock: {cidr: 0.0.0.0/0}}`), "internet", "shop/db", "5432", "yes p 0"},
		{"a private block means nobody outside", from(`{ipBlock: {cidr: 10.0.0.0/8}}`), "internet", "shop/db", "5432", "no p -1"},
		{"a block without its exception", from(`{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.0/25]}}`), "range 203.0.113.5/32",
			"shop/db", "5432", "no p -1"},
		{"a block beside its exception", from(`{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.0/25]}}`), "range 203.0.113.200/32",
			"shop/db", "5432", "yes p 0"},
		{"a block that holds a pod's address is uncertain", from(`{ipBlock: {cidr: 10.1.0.0/16}}`), "shop/web", "shop/db", "5432",
			"yes? p 0"},
		{"a pod whose address is not known may be in a block", from(`{ipBlock: {cidr: 10.1.0.0/16}}`), "shop/new", "shop/db", "5432",
			"yes? p 0"},
		{"but in none of the internet", from(`{ipBlock: {cidr: 203.0.113.0/24}}`), "shop/new", "shop/db", "5432", "no p -1"},
		{"nor in that of the metadata service", from(`{ipBlock: {cidr: 169.254.169.254/32}}`), "shop/new", "shop/db", "5432", "no p -1"},
		{"and a selector means it for sure", from(`{ipBlock: {cidr: 10.1.0.0/16}}, {podSelector: {}}`), "shop/new", "shop/db", "5432",
			"yes p 0"},
		{"a block that holds a node's address", from(`{ipBlock: {cidr: 192.168.0.1/32}}`), "node n1", "shop/db", "5432", "yes p 0"},
		{"a block beside a node's address", from(`{ipBlock: {cidr: 192.168.0.7/32}}`), "node n1", "shop/db", "5432", "no p -1"},
		{"a node always reaches its own pods", np("deny", `{podSelector: {}}`), "node n2", "shop/db", "5432", "yes"},
		{"a load balancer somewhere in a block is uncertain", from(`{ipBlock: {cidr: 10.0.0.0/8}}`), "lb", "shop/db", "5432", "yes? p 0"},
		{"a load balancer is denied like all", np("deny", `{podSelector: {}}`), "lb", "shop/db", "5432", "no deny -1"},
		{"somebody unknown may be one of those allowed", from(`{podSelector: {matchLabels: {app: web}}}`), "somebody", "shop/db", "5432",
			"yes? p 0"},
		{"somebody unknown is denied like all", np("deny", `{podSelector: {}}`), "somebody", "shop/db", "5432", "no deny -1"},
		{"somebody unknown is allowed like all", np("p", `{podSelector: {}, ingress: [{}]}`), "somebody", "shop/db", "5432", "yes p 0"},
		{"a port that is allowed", np("p", `{podSelector: {}, ingress: [{ports: [{port: 5432}]}]}`), "bank/web", "shop/db", "5432",
			"yes p 0"},
		{"another port", np("p", `{podSelector: {}, ingress: [{ports: [{port: 5432}]}]}`), "bank/web", "shop/db", "5433", "no p -1"},
		{"another protocol", np("p", `{podSelector: {}, ingress: [{ports: [{port: 5432, protocol: UDP}]}]}`), "bank/web", "shop/db",
			"5432", "no p -1"},
		{"a protocol without a port is all its ports", np("p", `{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}`), "bank/web",
			"shop/db", "9999/UDP", "yes p 0"},
		{"a range of ports", np("p", `{podSelector: {}, ingress: [{ports: [{port: 5000, endPort: 6000}]}]}`), "bank/web", "shop/db",
			"5432", "yes p 0"},
		{"beyond the range", np("p", `{podSelector: {}, ingress: [{ports: [{port: 5000, endPort: 6000}]}]}`), "bank/web", "shop/db",
			"6001", "no p -1"},
		{"a named port is the receiver's", np("p", `{podSelector: {}, ingress: [{ports: [{port: http}]}]}`), "bank/web", "shop/db",
			"5432", "yes p 0"},
		{"and another number at another pod", np("p", `{podSelector: {}, ingress: [{ports: [{port: http}]}]}`), "bank/web", "shop/web",
			"5432", "no p -1"},
		{"a named port of another protocol", np("p", `{podSelector: {}, ingress: [{ports: [{port: dns}]}]}`), "bank/web", "shop/web",
			"53", "no p -1"},
		{"rules add up", np("deny", `{podSelector: {}}`) + np("p",
			`{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {from: [{namespaceSelector: {}}]}]}`), "bank/web", "shop/db",
			"5432", "yes p 1"},
		{"policyTypes Egress leaves ingress alone", np("p", `{podSelector: {}, policyTypes: [Egress]}`), "bank/web", "shop/db", "5432",
			"yes"},
		{"egress is denied", np("p", `{podSelector: {}, policyTypes: [Egress]}`), "shop/web", "bank/web", "80", "no p -1"},
		{"without policyTypes and egress rules egress is free", np("p", `{podSelector: {}}`), "shop/web", "bank/web", "80", "yes"},
		{"with egress rules it is restricted", np("p", `{podSelector: {}, egress: [{to: [{podSelector: {}}]}], ingress: [{}]}`),
			"shop/web", "bank/web", "80", "no p -1"},
		{"both sides must allow", np("p", `{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{podSelector: {}}]}]}`),
			"shop/web", "shop/db", "5432", "no p -1"},
		{"a named port in egress is the receiver's",
			np("p", `{podSelector: {matchLabels: {app: web}}, egress: [{ports: [{port: http}]}], policyTypes: [Egress]}`), "shop/web",
			"shop/db", "5432", "yes p 0"},
		{"a named port is of its protocol",
			np("p", `{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: dns, protocol: UDP}]}]}`), "bank/web",
			"shop/web", "53/UDP", "yes p 0"},
		{"and not of another", np("p", `{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: dns, protocol: TCP}]}]}`),
			"bank/web", "shop/web", "53/UDP", "no p -1"},
		{"a namespace that was not read has its own name as a label",
			unread + from(`{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dark}}}`), "dark/web", "shop/db", "5432",
			"yes p 0"},
		{"and no other label", unread + from(`{namespaceSelector: {matchLabels: {team: b}}}`), "dark/web", "shop/db", "5432", "no p -1"},
		{"a pod on the host's network is not protected", np("p", `{podSelector: {}}`), "internet", "bank/agent", "9100", "yes"},
		{"a pod on the host's network is no pod to a selector", from(`{namespaceSelector: {}, podSelector: {}}`), "bank/agent",
			"shop/web", "8080", "yes"},
		{"nor to one that would match",
			np("p", `{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}}]}]}`), "bank/agent", "shop/web",
			"8080", "no p -1"},
		{"but its node's address to a block",
			np("p", `{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/24}}]}]}`), "bank/agent",
			"shop/web", "8080", "yes p 0"},
		{"and always to pods beside it", np("p", `{podSelector: {}}`), "bank/agent", "shop/db", "5432", "yes"},
		{"unless it is not known where the pod will run", np("p", `{podSelector: {}}`), "bank/agent", "shop/new", "80", "yes? p -1"},
		{"a pod elsewhere needs no place", np("p", `{podSelector: {}}`), "bank/web", "shop/new", "80", "no p -1"},
		{"expressions", np("p", `{podSelector: {matchExpressions: [{key: tier, operator: Exists}]}}`), "bank/web", "shop/db", "5432",
			"no p -1"},
		{"a pod on the host's network beside nothing it could reach", np("p", `{podSelector: {}}`), "bank/agent", "shop/web", "8080", "no p -1"},
		{"policies say nothing of a node", np("p", `{podSelector: {}, policyTypes: [Ingress, Egress]}`), "node n1", "internet", "80", "yes"},
		{"nor of a pod on its network", np("p", `{podSelector: {}, policyTypes: [Ingress, Egress]}`), "bank/agent", "internet", "80", "yes"},
		{"a pod may not reach another node", np("p", `{podSelector: {}, policyTypes: [Egress]}`), "shop/web", "node n2", "80", "no p -1"},
		{"its own perhaps", np("p", `{podSelector: {}, policyTypes: [Egress]}`), "shop/web", "node n1", "80", "yes? p -1"},
		{"and what is on its network", np("p", `{podSelector: {}, policyTypes: [Egress]}`), "shop/db", "bank/agent", "80", "yes? p -1"},
		{"where egress allows it there is no doubt", np("p", `{podSelector: {}, policyTypes: [Egress], egress: [{}]}`), "shop/db",
			"bank/agent", "80", "yes p 0"},
		{"a pod that runs nowhere yet has no own node", np("p", `{podSelector: {}, policyTypes: [Egress]}`), "shop/new", "bank/agent", "80",
			"yes? p -1"},
		{"a pod on the host's network that runs nowhere yet", host + np("p", `{podSelector: {}}`), "bank/later", "shop/db", "80", "yes? p -1"},
		{"two pods alike, of which one is on the host's network", np("p", `{podSelector: {matchLabels: {app: web}}}`) + beside,
			"internet", "shop/host", "80", "yes"},
		{"and the other is not", np("p", `{podSelector: {matchLabels: {app: web}}}`) + beside, "internet", "shop/web", "80", "no p -1"},
		{"ingress does not open what egress denies", np("p", `{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}]}`),
			"shop/web", "shop/db", "80", "no p -1"},
		{"ingress that is free leaves egress as the reason", np("p", `{podSelector: {}, policyTypes: [Egress], egress: [{}]}`), "shop/web",
			"shop/db", "80", "yes p 0"},
		{"what is uncertain for egress stays so", np("e", `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: `+
			`10.1.0.0/16}}]}]}`) + np("i", `{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}`), "shop/web", "shop/db", "80", "yes? i 0"},
		{"unless another rule is certain", from(`{ipBlock: {cidr: 10.1.0.0/16}}]}, {from: [{podSelector: {}}`), "shop/web", "shop/db", "80",
			"yes p 1"},
		{"egress rules count only where policyTypes has Egress",
			np("p", `{podSelector: {}, policyTypes: [Ingress], ingress: [{}], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/32}}]}]}`), "shop/web",
			"bank/web", "80", "yes"},
		{"a protocol that policies do not know, restricted or not", np("p", `{podSelector: {}}`), "shop/web", "shop/db", "1/ICMP", "yes?"},
		{"and where nothing restricts", "", "shop/web", "shop/db", "1/ICMP", "yes"},
		{"a load balancer among all that are allowed", np("p", `{podSelector: {}, ingress: [{}]}`), "lb", "shop/db", "80", "yes p 0"},
		{"a load balancer where all private addresses are", from(`{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0'}}`), "lb", "shop/db",
			"80", "yes p 0"},
		{"a block that is written as IPv6", from(`{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}`), "range 10.7.0.0/16", "shop/db", "80", "yes p 0"},
		{"a range of which a part is allowed", from(`{ipBlock: {cidr: 10.0.0.0/8}}`), "range 0.0.0.0/0", "shop/db", "80", "yes p 0"},
		{"a port without a number is every port", np("p", `{podSelector: {}, ingress: [{ports: [{protocol: TCP}]}]}`), "shop/web", "shop/db",
			"1", "yes p 0"},
		{"a port by another name", np("p", `{podSelector: {}, ingress: [{ports: [{port: https}]}]}`), "bank/web", "shop/db", "5432", "no p -1"},
		{"a pod without labels is selected by what selects all", bare + np("p", `{podSelector: {}}`), "bank/web", "shop/bare", "80", "no p -1"},
		{"and by nothing else", bare + np("p", `{podSelector: {matchLabels: {app: web}}}`), "bank/web", "shop/bare", "80", "yes"},
		{"expressions that do not match", np("p", `{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [db]}]}}`),
			"bank/web", "shop/db", "5432", "yes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := manifests.Facts(t, world, tt.policies)
			a := New(f).Ask(endpoint(t, f, tt.from), endpoint(t, f, tt.to), portOf(t, tt.port))
			if got := short(a); got != tt.want {
				t.Errorf("got %q, want %q: %s", got, tt.want, a.Explain())
			}
		})
	}
}

func short(a Answer) string {
	out := "no"
	if a.Allowed {
		out = "yes"
	}
	if a.Uncertain != "" {
		out += "?"
	}
	if a.Witness.Kind != "" {
		out += fmt.Sprintf(" %s %d", a.Witness.Name, a.Witness.Rule)
	}
	return out
}

func portOf(t *testing.T, s string) (p Port) {
	t.Helper()
	p.Protocol = "TCP"
	if n, _ := fmt.Sscanf(s, "%d/%s", &p.Number, &p.Protocol); n == 0 {
		t.Fatalf("port %q", s)
	}
	return p
}

func TestAnAnswerForManyNamesThoseItIsFor(t *testing.T) {
	f := manifests.Facts(t, world,
		np("p", `{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}, {ipBlock: {cidr: 10.0.0.0/8}}]}, `+
			`{from: [{ipBlock: {cidr: 198.51.100.7/32}}]}]}`))
	a := New(f).Ask(Internet(), endpoint(t, f, "shop/db"), Port{"TCP", 5432})
	if got := a.Senders.String(); !a.Allowed || got != "198.51.100.7/32, 203.0.113.0/24" {
		t.Errorf("got %v %s", a.Allowed, got)
	}
}

func TestAnAnswerToManyNamesNoSenders(t *testing.T) {
	f := manifests.Facts(t, world, np("p", `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}`))
	a := New(f).Ask(endpoint(t, f, "shop/web"), endpoint(t, f, "range 0.0.0.0/0"), Port{"TCP", 80})
	if !a.Allowed || a.Senders != nil {
		t.Errorf("%v %s", a.Allowed, a.Senders)
	}
}

func TestTheWitnessSaysWhatDecided(t *testing.T) {
	deny, more := np("a", `{podSelector: {}}`), np("b", `{podSelector: {}}`)
	for _, c := range []struct {
		policies, to, want string
		rule               int
	}{
		{"", "shop/db", "no policy restricts it", -1},
		{"", "bank/agent", "no policy restricts it", -1},
		{deny, "shop/db", "NetworkPolicy shop/a restricts ingress and no rule allows it", -1},
		{deny + more, "shop/db", "NetworkPolicy shop/a and 1 more restrict ingress and no rule allows it", -1},
		{deny + more + np("c", `{podSelector: {}}`), "shop/db", "NetworkPolicy shop/a and 2 more restrict ingress and no rule allows it", -1},
		{np("p", `{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {}]}`), "shop/db",
			"ingress rule 1 of NetworkPolicy shop/p allows it", 1},
		{anp("x", 1, `ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}]`), "shop/db",
			"ingress rule 0 of AdminNetworkPolicy x denies it", 0},
		{anp("x", 1, `ingress: [{action: Allow, from: [{namespaces: {matchLabels: {team: b}}}]}]`) + deny, "shop/db",
			"ingress rule 0 of AdminNetworkPolicy x allows it", 0},
		{np("p", `{podSelector: {}}`), "shop/web", "NetworkPolicy shop/p restricts ingress and no rule allows it", -1},
	} {
		f := manifests.Facts(t, world, c.policies)
		a := New(f).Ask(endpoint(t, f, "bank/web"), endpoint(t, f, c.to), Port{"TCP", 80})
		if a.Witness.Text != c.want || a.Witness.Rule != c.rule {
			t.Errorf("%d %q, want %d %q", a.Witness.Rule, a.Witness.Text, c.rule, c.want)
		}
	}
	f := manifests.Facts(t, world, deny)
	a := New(f).Ask(endpoint(t, f, "node n2"), endpoint(t, f, "shop/db"), Port{"TCP", 80})
	if a.Witness.Text != "a node always reaches the pods that run on it" || a.Witness.Rule != -1 {
		t.Errorf("%+v", a.Witness)
	}
}

func TestEnforcement(t *testing.T) {
	agent := func(image, args string) string {
		return "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: net, namespace: kube-system}\nspec: {template: {spec: " +
			"{hostNetwork: true, containers: [{name: c, image: '" + image + "', args: [" + args + "]}]}}}"
	}
	const node = "apiVersion: v1\nkind: Node\nmetadata: {name: a, uid: n1}\n---\n"
	applied := func(agent string, nodes int) string {
		return strings.Replace(agent, "name: net", "uid: d, name: net", 1) + fmt.Sprintf("\nstatus: {desiredNumberScheduled: %d, "+
			"currentNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0}", nodes)
	}
	tests := []struct {
		name, manifests string
		want            State
	}{
		{"nothing seen", "", Unknown},
		{"calico", agent("docker.io/calico/node:v3.28.0", ""), Yes},
		{"cilium by digest", agent("quay.io/cilium/cilium:v1.16.1@sha256:0123", ""), Yes},
		{"flannel", agent("ghcr.io/flannel-io/flannel:v0.26.0", ""), No},
		{"calico beside flannel", agent("ghcr.io/flannel-io/flannel:v0.26.0", "") + "\n---\n" +
			strings.Replace(agent("calico/node:v3", ""), "name: net", "name: policy", 1), Yes},
		{"kindnet before it enforced", agent("docker.io/kindest/kindnetd:v20240202-8f1494ea", ""), No},
		{"kindnet since", agent("docker.io/kindest/kindnetd:v20250512-df8de77b", ""), Yes},
		{"kindnet of an unknown version", agent("kindnetd", ""), Unknown},
		{"kube-router", agent("docker.io/cloudnativelabs/kube-router:v2", ""), Yes},
		{"kube-router as a router only", agent("docker.io/cloudnativelabs/kube-router:v2", "--run-firewall=false"), No},
		{"kube-router told so in two words", agent("docker.io/cloudnativelabs/kube-router:v2", "--run-firewall, 'f'"), No},
		{"kube-router told to enforce", agent("docker.io/cloudnativelabs/kube-router:v2", "--run-firewall=true"), Yes},
		{"cilium that never enforces", agent("quay.io/cilium/cilium:v1.18", "--enable-policy=never"), No},
		{"cilium that only tells", agent("quay.io/cilium/cilium:v1.18", "--policy-audit-mode"), No},
		{"cilium as it comes", agent("quay.io/cilium/cilium:v1.18", "--enable-policy=default, --policy-audit-mode=false"), Yes},
		{"kube-ovn whose controller says no", agent("kubeovn/kube-ovn:v1.14", "") + "\n---\n" +
			strings.Replace(agent("kubeovn/kube-ovn:v1.14", "--enable-np=false"), "name: net", "name: controller", 1), No},
		{"calico on no node", node + applied(agent("calico/node:v3", ""), 0), Unknown},
		{"calico on no node, beside flannel", node + applied(agent("calico/node:v3", ""), 0) + "\n---\n" +
			strings.Replace(agent("flannel/flannel:v0.26", ""), "name: net", "name: flannel", 1), No},
		{"calico on a node", node + applied(agent("calico/node:v3", ""), 1), Yes},
		{"calico of a manifest, which nothing says of", node + agent("calico/node:v3", ""), Yes},
		{"aws without its agent", agent("602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.18", ""), No},
		{"aws with its agent on", agent("602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/aws-network-policy-agent:v1.1",
			"--enable-network-policy=true"), Yes},
		{"aws with its agent off", agent("602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/aws-network-policy-agent:v1.1",
			"--enable-network-policy=false"), No},
		{"k3s", "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {nodeInfo: {kubeletVersion: v1.30.0+k3s1, machineID: '', " +
			"systemUUID: '', bootID: '', kernelVersion: '', osImage: '', containerRuntimeVersion: '', kubeProxyVersion: '', " +
			"operatingSystem: '', architecture: ''}}", Unknown},
		{"an image that only sounds like it", agent("example.org/not-calico/node-exporter:v1", ""), Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := New(manifests.Facts(t, tt.manifests)).Enforcement(); got.State != tt.want || got.Why == "" {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
		})
	}
}
