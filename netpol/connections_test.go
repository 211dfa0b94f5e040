package netpol

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// TestConnectionsAgreeWithAskingEveryPair draws random policies: the classes
// must say what Ask says of each pair of pods and some ports.
func TestConnectionsAgreeWithAskingEveryPair(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	selector := func() string {
		return pick("{}", "{matchLabels: {app: a}}", "{matchLabels: {app: b}}",
			"{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}")
	}
	peers := func() string {
		return pick("[{podSelector: "+selector()+"}]", "[{namespaceSelector: {matchLabels: {n: x}}, podSelector: "+selector()+"}]",
			"[{namespaceSelector: {}}]", "[]",
			"[{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: "+selector()+"}]")
	}
	ports := func() string {
		return pick("[]", "[{port: 80}]", "[{port: http}]", "[{port: 80, endPort: 90}]", "[{protocol: UDP}]")
	}
	for range 150 {
		text := "apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {n: x}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: " +
			"{name: z}\n"
		for i, app := range []string{"a", "b", "c"} {
			for k, ns := range []string{"x", "z"} {
				text += fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {app: %s}}\nspec: "+
					"{nodeName: n-%s-%d, hostNetwork: %v, containers: [{name: c, image: i, ports: [{name: http, containerPort: "+
					"%d}]}]}\nstatus: {podIPs: [{ip: 10.0.%d.%d}]}\n",
					app, ns, app, app, k, app == "c" && ns == "z", 80+i, i, k)
			}
		}
		for i := range 1 + rnd.IntN(4) {
			text += fmt.Sprintf("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%d, namespace: "+
				"%s}\nspec: {podSelector: %s, policyTypes: %s, ingress: [{from: %s, ports: %s}], egress: [{to: %s, ports: %s}]}\n",
				i, pick("x", "z"), selector(), pick("[Ingress]", "[Egress]", "[Ingress, Egress]"), peers(), ports(), peers(), ports())
		}
		agree(t, manifests.Facts(t, text), text)
	}
}

func agree(t *testing.T, f *collect.Facts, text string) {
	t.Helper()
	j := New(f)
	open := map[string]Ports{}
	for c := range j.Connections(func(p *collect.Pod) string { return p.Key.String() }).All() {
		open[c.From+" "+c.To] = open[c.From+" "+c.To].Or(c.Ports)
	}
	for a, from := range f.Pods {
		for b, to := range f.Pods {
			for _, port := range []Port{{"TCP", 80}, {"TCP", 81}, {"TCP", 85}, {"TCP", 91}, {"UDP", 80}} {
				want := j.Ask(Pod(from), Pod(to), port)
				if got := open[a.String()+" "+b.String()].Contains(port); a != b && got != want.Allowed {
					t.Fatalf("%s\n%s to %s on %s: class says %v, %s", text, a, b, port, got, want.Explain())
				}
			}
		}
	}
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
