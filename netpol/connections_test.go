package netpol

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// TestConnectionsAgreeWithAskingEveryPair draws random policies of every kind,
// some of which cannot be read, over pods of which some are on the host's network
// and some nowhere yet: the classes must say what Ask says of each pair of pods,
// of addresses outside, and some ports.
func TestConnectionsAgreeWithAskingEveryPair(t *testing.T) {
	d := draw{rand.New(rand.NewPCG(5, 6))}
	for range 120 {
		text := "apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {team: x}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: " +
			"{name: z}\n"
		for i, node := range []string{"n1", "n2", "n3"} {
			text += fmt.Sprintf("---\napiVersion: v1\nkind: Node\nmetadata: {name: %s, labels: {role: %s}}\n", node, d.pick("edge", "inner")) +
				fmt.Sprintf("status: {addresses: [{type: InternalIP, address: 192.168.0.%d}]}\n", i)
		}
		for i, app := range []string{"a", "a2", "b", "c"} {
			for k, ns := range []string{"x", "z"} {
				text += fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {app: %s}}\nspec: "+
					"{nodeName: %s, hostNetwork: %v, containers: [{name: c, image: i, ports: [{name: http, containerPort: "+
					"%d}]}]}\nstatus: {podIPs: [{ip: 10.%d.0.%d}]}\n",
					app, ns, app[:1], d.pick("n1", "n2", "n3", "''"), app == "c" && d.one(3), 80+i, d.IntN(3), 10*i+k)
			}
		}
		for i := range d.IntN(5) {
			text += fmt.Sprintf("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%d, namespace: "+
				"%s}\nspec: {podSelector: %s, policyTypes: %s, ingress: [{from: %s, ports: %s}], egress: [{to: %s, ports: %s}]}\n",
				i, d.pick("x", "z"), d.selector(), d.pick("[Ingress]", "[Egress]", "[Ingress, Egress]"), d.peers(), d.ports(), d.peers(), d.ports())
		}
		for i := range d.IntN(3) {
			text += fmt.Sprintf("---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: a%d}\nspec: "+
				"{priority: %d, %s}\n", i, d.IntN(9), d.admin())
		}
		if d.one(4) {
			text += "---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec: {" +
				d.admin() + "}\n"
		}
		for i := range d.IntN(3) {
			text += fmt.Sprintf("---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: k%d}\nspec: "+
				"{tier: %s, priority: %d, %s}\n", i, d.pick("Admin", "Baseline"), d.IntN(9), d.cluster())
		}
		switch d.IntN(3) { // a cluster has one plugin
		case 0:
			for i := range d.IntN(4) {
				text += cnpIn(fmt.Sprint("c", i), d.cilium()) + ccnp(fmt.Sprint("w", i), d.cilium())
			}
		case 1:
			text += lists + tierOf("sec", d.IntN(9), d.pick("", ", defaultAction: Pass"))
			for i := range d.IntN(4) {
				text += strings.ReplaceAll(cali(fmt.Sprint("c", i), d.calico()), "namespace: shop", "namespace: x") +
					gnp(fmt.Sprint("g", i), d.pick("tier: sec, ", "")+d.calico())
			}
		}
		agree(t, manifests.Facts(t, text), text)
	}
}

// draw chooses at random.
type draw struct{ *rand.Rand }

func (d draw) pick(of ...string) string { return of[d.IntN(len(of))] }
func (d draw) one(in int) bool          { return d.IntN(in) == 0 }

func (d draw) selector() string {
	return d.pick("{}", "{matchLabels: {app: a}}", "{matchLabels: {app: b}}",
		"{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}")
}

func (d draw) peers() string {
	if d.one(15) {
		return "[{}]" // of a kind that is not known
	}
	return d.pick("[{podSelector: "+d.selector()+"}]", "[{namespaceSelector: {matchLabels: {team: x}}, podSelector: "+d.selector()+"}]",
		"[{namespaceSelector: {}}]", "[]", "[{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: "+d.selector()+"}]",
		"[{ipBlock: {cidr: 10.1.0.0/16}}]", "[{ipBlock: {cidr: 0.0.0.0/0, except: [10.2.0.0/16]}}]", "[{ipBlock: {cidr: '2001:db8::/32'}}]",
		"[{ipBlock: {cidr: 192.168.0.1/32}}]")
}

func (d draw) ports() string {
	return d.pick("[]", "[{port: 80}]", "[{port: http}]", "[{port: 80, endPort: 90}]", "[{protocol: UDP}]")
}

func (d draw) admin() string {
	subject := d.pick("namespaces: {}", "namespaces: {matchLabels: {team: x}}", "pods: {podSelector: "+d.selector()+"}")
	rule := func(side string) string {
		peer := d.pick("namespaces: {}", "namespaces: {matchLabels: {team: x}}", "pods: {namespaceSelector: {}, podSelector: "+d.selector()+"}",
			"namespaces: {sameLabels: [team]}", "namespaces: {notSameLabels: [team]}", "networks: [10.1.0.0/16]",
			"networks: [0.0.0.0/0]", "nodes: {matchLabels: {role: edge}}")
		if d.one(15) {
			peer = "domainNames: [a.example]"
		}
		ports := d.pick("", "", ", ports: [{namedPort: http}]", ", ports: [{portNumber: {protocol: TCP, port: 80}}]",
			", ports: [{portRange: {protocol: TCP, start: 81, end: 90}}]")
		return "{action: " + d.pick("Allow", "Deny", "Pass") + ", " + side + ": [{" + peer + "}]" + ports + "}"
	}
	return "subject: {" + subject + "}, ingress: [" + rule("from") + ", " + rule("from") + "], " +
		"egress: [" + rule("to") + ", " + rule("to") + "]"
}

// cluster is admin in the words of a ClusterNetworkPolicy.
func (d draw) cluster() string {
	return strings.NewReplacer("Allow", "Accept", "ports: [{namedPort: http}]", "protocols: [{destinationNamedPort: http}]",
		"ports: [{portNumber: {protocol: TCP, port: 80}}]", "protocols: [{tcp: {destinationPort: {number: 80}}}]",
		"ports: [{portRange: {protocol: TCP, start: 81, end: 90}}]",
		"protocols: [{udp: {}}, {tcp: {destinationPort: {range: {start: 81, end: 90}}}}]").
		Replace(d.admin())
}

// cilium is the spec of a policy of Cilium.
func (d draw) cilium() string {
	rule := func(side string) string {
		peer := d.pick("Endpoints: [{}]", "Endpoints: [{matchLabels: {app: a}}]",
			"Endpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': z}}]",
			"Endpoints: []", "Entities: [world]", "Entities: [cluster]", "Entities: [all]", "Entities: [remote-node]", "CIDR: [10.1.0.0/16]",
			"CIDRSet: [{cidr: 0.0.0.0/0, except: [203.0.113.0/24]}]", "CIDRSet: [{cidrGroupRef: g}]", "Entities: [kube-apiserver]",
			"Entities: [moon]")
		return "{" + side + peer + d.pick("", "", ", toPorts: [{ports: [{port: '80'}]}]", ", toPorts: [{ports: [{port: http, protocol: TCP}]}]",
			", toPorts: [{ports: [{port: '81', endPort: 90}], rules: {http: [{}]}}]") + "}"
	}
	return "endpointSelector: " + d.selector() + ", ingress: [" + d.pick("", rule("from")+", "+rule("from")) + "], egress: [" +
		d.pick("", rule("to")) + "]" + d.pick("", ", ingressDeny: ["+rule("from")+"]") + d.pick("", ", egressDeny: ["+rule("to")+"]") +
		d.pick("", "", ", enableDefaultDeny: {ingress: false}")
}

// calico is the spec of a policy of Calico, but for its tier.
func (d draw) calico() string {
	rule := func(own, other string) string {
		ends := map[string]string{other: d.pick("", "selector: \"app == 'a'\"", "selector: \"app == 'b'\", namespaceSelector: all()",
			"namespaceSelector: \"team == 'x'\"", "notSelector: \"app == 'a'\"", "nets: [10.1.0.0/16]",
			"nets: [0.0.0.0/0], notNets: [203.0.113.0/24]",
			"selector: \"list == 'partners'\"", "selector: \"app != 'a'\", nets: [10.0.0.0/8]"),
			own: d.pick("", "", "selector: \"app == 'a'\"", "nets: [10.2.0.0/16]")}
		more := ""
		if d.one(2) {
			more = ", protocol: TCP"
			ends["destination"] += map[bool]string{true: ", "}[ends["destination"] != ""] + "ports: [" + d.pick("80", "'81:90'", "http") + "]"
		}
		return "{action: " + d.pick("Allow", "Deny", "Pass", "Log") + more + d.pick("", "", ", http: {}") +
			", source: {" + ends["source"] + "}, destination: {" + ends["destination"] + "}}"
	}
	return d.pick("", fmt.Sprintf("order: %d, ", d.IntN(3000))) + "selector: \"" + d.pick("all()", "app == 'a'", "app in {'b', 'c'}") +
		"\", " +
		d.pick("", "types: [Ingress], ") + "ingress: [" + rule("destination", "source") + ", " + rule("destination", "source") + "], egress: [" +
		rule("source", "destination") + "]"
}

func agree(t *testing.T, f *collect.Facts, text string) {
	t.Helper()
	j := New(f)
	open := map[string][]Connection{}
	for c := range j.Connections(func(p *collect.Pod) string { return p.Key.String() }).All() {
		open[c.From+" "+c.To] = append(open[c.From+" "+c.To], c)
	}
	ends := map[string]Endpoint{}
	for k, p := range f.Pods {
		ends[k.String()] = Pod(p)
	}
	for _, a := range []string{"10.1.0.1", "203.0.113.7", "2001:db8::1", "2001:db9::1"} {
		ends[a] = Addresses(a, Of(netip.MustParseAddr(a)))
	}
	for a, from := range ends {
		for b, to := range ends {
			if a == b || from.outside() && to.outside() {
				continue
			}
			for _, port := range []Port{{"TCP", 80}, {"TCP", 81}, {"TCP", 85}, {"TCP", 91}, {"UDP", 80}} {
				want := j.Ask(from, to, port)
				if got := joins(open, from, to, port); got != want.Allowed {
					t.Fatalf("%s\n%s to %s on %s: the classes say %v, %s", text, a, b, port, got, want.Explain())
				}
			}
		}
	}
}

// joins says whether some connection is between two ends on a port.
func joins(open map[string][]Connection, from, to Endpoint, port Port) bool {
	name := func(e Endpoint) string {
		if e.outside() {
			return Outside
		}
		return e.pod.Key.String()
	}
	return slices.ContainsFunc(open[name(from)+" "+name(to)], func(c Connection) bool {
		return c.Ports.Contains(port) && (c.Addresses == nil || c.Addresses.Covers(slices.Concat(from.addresses, to.addresses)))
	})
}

func TestUnrestrictedWorkloadsAreOneClass(t *testing.T) {
	r := New(manifests.Facts(t, world)).Connections(func(p *collect.Pod) string { return p.Key.String() })
	// The pod on the host's network is apart; outside is a class of its own.
	if len(r.Senders) != 3 || len(r.Receivers) != 3 {
		t.Errorf("%d senders, %d receivers", len(r.Senders), len(r.Receivers))
	}
}

// classes of the connections of a text: members of senders, of receivers, and links
// with their ports and addresses, as "a,b → c: ports at addresses".
func classesOf(t *testing.T, text string) (senders, receivers, links []string) {
	t.Helper()
	r := New(manifests.Facts(t, text)).Connections(func(p *collect.Pod) string { return p.Labels.Map["of"] })
	members := func(c Class) string { return strings.Join(c.Members, ",") }
	for _, c := range r.Senders {
		senders = append(senders, members(c))
	}
	for _, c := range r.Receivers {
		receivers = append(receivers, members(c))
	}
	for _, l := range r.Links {
		text := members(r.Senders[l.From]) + " → " + members(r.Receivers[l.To]) + ": " + l.Ports.String()
		if l.Addresses != nil {
			text += " at " + l.Addresses.String()
		}
		links = append(links, text)
	}
	return senders, receivers, links
}

// podOf writes a pod of a workload, on the pods' network or its node's.
func podOf(workload, name, node, address string, host bool) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop, labels: {of: %s}}\nspec: {nodeName: '%s', "+
		"hostNetwork: %v, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}\nstatus: {podIPs: [{ip: %s}]}\n",
		name, workload, node, host, address)
}

func TestWorkloadsArePutIntoClasses(t *testing.T) {
	two := podOf("web", "web-1", "n1", "10.0.0.1", false) + podOf("db", "db-1", "n2", "10.0.0.2", false)
	of := func(workload, spec string) string {
		return np("p", `{podSelector: {matchLabels: {of: `+workload+`}}, `+spec+`}`)
	}
	for _, tt := range []struct{ name, text, senders, receivers, links string }{
		{"no policy: all are alike", two, "db,web outside", "db,web outside",
			"db,web → db,web: all; db,web → outside: all; outside → db,web: all"},
		{"pods of a workload are alike, wherever they run", two + podOf("web", "web-2", "n2", "10.0.0.3", false), "db,web outside",
			"db,web outside", "db,web → db,web: all; db,web → outside: all; outside → db,web: all"},
		{"one that is selected for ingress is a receiver of its own", two + of("db", "ingress: [{ports: [{port: 80}]}]"),
			"db,web outside", "db web outside",
			"db,web → db: 80/TCP; db,web → web: all; db,web → outside: all; outside → db: 80/TCP; outside → web: all"},
		{"one that a rule names is a sender of its own",
			two + of("db", "ingress: [{from: [{podSelector: {matchLabels: {of: web}}}]}]"), "db web outside", "db web outside",
			"db → web: all; db → outside: all; web → db: all; web → web: all; web → outside: all; outside → web: all"},
		{"addresses outside have their own ports", two + of("db", "ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}], "+
			"ports: [{port: 80}]}, {from: [{ipBlock: {cidr: 198.51.100.0/24}}], ports: [{port: 81}]}]"),
			"db,web outside", "db web outside",
			"db,web → web: all; db,web → outside: all; outside → db: 81/TCP at 198.51.100.0/24; outside → db: 80/TCP at 203.0.113.0/24; " +
				"outside → web: all"},
		{"addresses of the same ports are one link", two + of("db", "policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: "+
			"203.0.113.0/24}}]}, {from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]"), "db,web outside", "db web outside",
			"db,web → web: all; db,web → outside: all; outside → db: all at 198.51.100.0/24, 203.0.113.0/24; outside → web: all"},
		{"halves of everywhere are everywhere", two + of("db", "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}, "+
			"{to: [{ipBlock: {cidr: '::/0'}}]}]"), "db web outside", "db,web outside",
			"db → db,web: all; db → outside: all; web → db,web: all; web → outside: all; outside → db,web: all"},
		{"rules of one block add up", two + of("db", "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], "+
			"ports: [{port: 80}]}, {to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 81}]}]"), "db web outside", "db,web outside",
			"db → outside: 80-81/TCP at 203.0.113.0/24; web → db,web: all; web → outside: all; outside → db,web: all"},
		{"addresses of IPv6 are outside too", two + of("db", "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: '2001:db8::/32'}}]}]"),
			"db web outside", "db,web outside",
			"db → outside: all at 2001:db8::/32; web → db,web: all; web → outside: all; outside → db,web: all"},
		{"a block tells the pods of a workload apart", two + podOf("web", "web-2", "n2", "10.1.0.1", false) +
			of("db", "ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}]"), "db,web web outside", "db web outside",
			"db,web → web: all; db,web → outside: all; web → db: all; web → web: all; web → outside: all; " +
				"outside → db: all at 10.1.0.0/16; outside → web: all"},
		{"a policy's nodes tell those on the host's network apart", two + podOf("agent", "agent-1", "n1", "192.168.0.1", true) +
			podOf("agent", "agent-2", "n2", "192.168.0.2", true) + podOf("agent", "agent-3", "n3", "192.168.0.3", true) +
			"\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n2, labels: {role: edge}}\n" +
			about(anp("a", 1, "egress: [{action: Deny, to: [{nodes: {matchLabels: {role: edge}}}], ports: [{portNumber: {port: 80}}]}]"),
				"namespaces: {}"), "agent db,web outside db", "agent agent db,web outside agent",
			"agent → agent: all; agent → agent: all; agent → db,web: all; agent → outside: all; db,web → agent: all; " +
				"db,web → agent: 1-79/TCP, 81-65535/TCP, 1-65535/UDP, 1-65535/SCTP; db,web → db,web: all; db,web → outside: all; " +
				"outside → agent: all; outside → agent: all; outside → db,web: all; db → agent: all"},
		{"a node reaches its own pods only", two + podOf("agent", "agent-1", "n1", "192.168.0.1", true) +
			np("p", "{podSelector: {}}"), "agent db,web outside agent", "agent db,web outside web",
			"agent → agent: all; agent → outside: all; db,web → agent: all; db,web → outside: all; outside → agent: all; " +
				"agent → web: all"},
		{"and perhaps they it", two + podOf("agent", "agent-1", "n1", "192.168.0.1", true) + np("p", "{podSelector: {}, policyTypes: [Egress]}"),
			"agent db,web outside web", "agent db,web outside agent",
			"agent → agent: all; agent → db,web: all; agent → outside: all; outside → agent: all; outside → db,web: all; " +
				"web → agent: all"},
		{"where a pod will run is not known", two + podOf("agent", "agent-1", "", "192.168.0.1", true) +
			np("p", "{podSelector: {}, policyTypes: [Ingress, Egress]}"), "agent db,web outside agent db,web",
			"agent db,web outside db,web agent",
			"agent → agent: all; agent → outside: all; outside → agent: all; agent → db,web: all; db,web → agent: all"},
		{"a node that has none of them", two + podOf("agent", "agent-1", "n3", "192.168.0.1", true) +
			np("p", "{podSelector: {}, policyTypes: [Ingress, Egress]}"), "agent db,web outside", "agent db,web outside",
			"agent → agent: all; agent → outside: all; outside → agent: all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			senders, receivers, links := classesOf(t, tt.text)
			if got := strings.Join(senders, " "); got != tt.senders {
				t.Errorf("senders %s, want %s", got, tt.senders)
			}
			if got := strings.Join(receivers, " "); got != tt.receivers {
				t.Errorf("receivers %s, want %s", got, tt.receivers)
			}
			if got := strings.Join(links, "; "); got != tt.links {
				t.Errorf("links %s\nwant  %s", got, tt.links)
			}
		})
	}
}

func TestConnectionsMayBeReadInPart(t *testing.T) {
	r := New(manifests.Facts(t, world)).Connections(func(p *collect.Pod) string { return p.Key.String() })
	var got []Connection
	for c := range r.All() {
		if c.From == c.To {
			t.Errorf("%s with itself", c.From)
		}
		if got = append(got, c); len(got) == 3 {
			break
		}
	}
	if len(got) != 3 {
		t.Errorf("%d", len(got))
	}
}

func TestMorePoliciesThatAllowNeverCloseAnything(t *testing.T) {
	base := world + np("deny", `{podSelector: {}}`)
	more := base + np("web", `{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}`)
	f, g := manifests.Facts(t, base), manifests.Facts(t, more)
	for a := range f.Pods {
		for b := range f.Pods {
			p := Port{"TCP", 5432}
			before, after := New(f).Ask(Pod(f.Pods[a]), Pod(f.Pods[b]), p), New(g).Ask(Pod(g.Pods[a]), Pod(g.Pods[b]), p)
			if before.Allowed && !after.Allowed {
				t.Errorf("%s to %s: %s", a, b, after.Explain())
			}
		}
	}
}

// network is a DaemonSet of a network plugin's image.
func network(image string) string {
	return fmt.Sprintf("---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: %s, namespace: kube-system}\n"+
		"spec: {template: {spec: {containers: [{name: c, image: 'docker.io/%s:v3'}]}}}\n", strings.Split(image, "/")[0], image)
}

func TestPoliciesThatNothingEnforcesCloseNoConnection(t *testing.T) {
	const closed = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: a}\nspec: {containers: [{name: c, image: i}]}\n" +
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: b}\nspec: {containers: [{name: c, image: i}]}\n" +
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: b}\n" +
		"spec: {podSelector: {}, policyTypes: [Ingress]}\n"
	for _, test := range []struct {
		name, plugins string
		open          bool
	}{
		{"flannel", network("flannel-io/flannel"), true},
		{"canal", network("flannel-io/flannel") + network("calico/node"), false},
		{"nobody knows which", "", false},
	} {
		var open bool
		for c := range New(manifests.Facts(t, closed+test.plugins)).Connections(func(p *collect.Pod) string { return p.Name }).All() {
			open = open || c.From == "web" && c.To == "db"
		}
		if open != test.open {
			t.Errorf("%s: web may connect to db: %v, want %v", test.name, open, test.open)
		}
	}
}
