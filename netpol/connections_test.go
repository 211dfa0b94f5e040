package netpol

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
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
		agree(t, manifests.Facts(t, text), text)
	}
}

// draw chooses at random.
type draw struct{ *rand.Rand }

func (d draw) pick(of ...string) string { return of[d.IntN(len(of))] }
func (d draw) one(in int) bool          { return d.IntN(in) == 0 }

func (d draw) selector() string {
	return d.pick("{}", "{matchLabels: {app: a}}", "{matchLabels: {app: b}}", "{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}")
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
	return "subject: {" + subject + "}, ingress: [" + rule("from") + ", " + rule("from") + "], egress: [" + rule("to") + ", " + rule("to") + "]"
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
