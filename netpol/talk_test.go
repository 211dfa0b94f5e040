package netpol

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// TestWhoCanTalkToWhomAgreesWithAskingEveryPair holds the classes to what Ask says of
// each pair of pods, over random policies of every kind.
func TestWhoCanTalkToWhomAgreesWithAskingEveryPair(t *testing.T) {
	d := draw{rand.New(rand.NewPCG(7, 8))}
	said := map[string]int{}
	for range 150 {
		text := d.world()
		j := New(manifests.Facts(t, text))
		j.enforcement = Enforcement{State: Yes}
		var listeners []Listener
		for _, p := range sortedPods(j.facts) {
			for _, port := range []Port{{"TCP", 80}, {"TCP", 82}, {"UDP", 53}} {
				listeners = append(listeners, Listener{p, []Port{port}})
			}
		}
		talk := j.Talk(listeners)
		for _, from := range sortedPods(j.facts) {
			for n, l := range listeners {
				if from == l.Pod {
					continue
				}
				got, want := talk.answer(from, n), oneAnswer(j, from, l)
				said[want]++
				mixed := hostNetwork(from) != hostNetwork(l.Pod) // others of its class may share the node
				if got == want || want == "same node" && got != "closed" || want == "closed" && mixed && got == "uncertain" {
					continue
				}
				t.Fatalf("%s to %s on %s: %s, want %s, with\n%s", from.Key, l.Pod.Key, l.Ports, got, want, text)
			}
		}
	}
	for _, want := range []string{"open", "closed", "uncertain", "same node"} {
		if said[want] < 100 {
			t.Errorf("%q was asked for only %d times", want, said[want])
		}
	}
}

// oneAnswer is the answer for one pair. What hangs on where two pods run is not told by
// classes: there it is enough that it is not called closed.
func oneAnswer(j *Judge, from *collect.Pod, l Listener) string {
	a := j.Ask(Pod(from), Pod(l.Pod), l.Ports[0])
	if sure, hangs := local(Pod(from), Pod(l.Pod)); (sure || hangs != "") && (a.Uncertain != "" || sure) {
		return "same node"
	}
	switch {
	case !a.Allowed:
		return "closed"
	case a.Uncertain != "":
		return "uncertain"
	}
	return "open"
}

// answer is what the links say of a pod and a listener.
func (t *Talk) answer(from *collect.Pod, listener int) string {
	got := "closed"
	for _, l := range t.Links {
		if l.To == t.Of[listener] && slices.Contains(t.Senders[l.From].Pods, from) {
			if l.Uncertain == "" {
				return "open"
			}
			got = "uncertain"
		}
	}
	return got
}

const denied = `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]
`

func TestWhatDeniesIsHeldAgainstWhatEnforcesIt(t *testing.T) {
	for _, c := range []struct {
		name     string
		enforced State
		unseen   string
		from     string
		port     int32
		want     string
	}{
		{"allowed and enforced", Yes, "", "shop/web", 5432, "open"},
		{"another port", Yes, "", "shop/web", 22, "closed"},
		{"another pod", Yes, "", "shop/new", 5432, "closed"},
		{"another pod, nothing enforces", No, "", "shop/new", 5432, "open"},
		{"another pod, nobody knows what enforces", Unknown, "", "shop/new", 5432, "uncertain"},
		{"allowed, nobody knows what enforces", Unknown, "", "shop/web", 5432, "open"},
		{"allowed, beside policies of a kind that is not read", Yes, unreadPolicies[0], "shop/web", 5432, "uncertain"},
		{"denied, beside policies of a kind that is not read", Yes, unreadPolicies[0], "shop/new", 5432, "closed"},
		{"policies of a kind that is not read, and nothing enforces", No, unreadPolicies[0], "shop/new", 5432, "open"},
		{"from the same node's own network", Yes, "", "bank/agent", 5432, "uncertain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := manifests.Facts(t, world+denied)
			if c.unseen != "" {
				f.Unread = map[string]int{c.unseen: 1}
			}
			j := New(f)
			j.enforcement = Enforcement{State: c.enforced}
			talk := j.Talk([]Listener{{f.Pods[collect.Key{Namespace: "shop", Name: "db"}], []Port{{"TCP", c.port}}}})
			ns, name, _ := strings.Cut(c.from, "/")
			if got := talk.answer(f.Pods[collect.Key{Namespace: ns, Name: name}], 0); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestLinksGrowWithPoliciesNotWithPods has a policy of its own in each namespace and
// listeners everywhere.
func TestLinksGrowWithPoliciesNotWithPods(t *testing.T) {
	const namespaces = 200
	var b strings.Builder
	for i := range namespaces {
		for _, app := range []string{"a", "b", "c", "d"} {
			fmt.Fprintf(&b, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: n%d, labels: {app: %s}}\n"+
				"spec: {nodeName: node1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n---\n", app, i, app)
		}
		if i%2 == 0 {
			fmt.Fprintf(&b, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: own, namespace: n%d}\n"+
				"spec: {podSelector: {}, policyTypes: [Ingress, Egress], "+
				"ingress: [{from: [{podSelector: {}}]}], egress: [{to: [{podSelector: {}}]}]}\n---\n", i)
		}
	}
	j := New(manifests.Facts(t, b.String()))
	j.enforcement = Enforcement{State: Yes}
	var listeners []Listener
	for _, p := range sortedPods(j.facts) {
		listeners = append(listeners, Listener{p, []Port{{"TCP", 80}}})
	}
	talk := j.Talk(listeners)
	if n := len(talk.Links); n > 2*namespaces {
		t.Errorf("%d links for %d namespaces with policies: want about one each", n, namespaces/2)
	}
	if len(talk.Receivers) > namespaces {
		t.Errorf("%d classes of listeners", len(talk.Receivers))
	}
}

func TestTooManyPoliciesAreToldAsUncertain(t *testing.T) {
	f := manifests.Facts(t, world+denied)
	j := New(f)
	j.enforcement = Enforcement{State: Yes}
	listeners := []Listener{{f.Pods[collect.Key{Namespace: "shop", Name: "db"}], []Port{{"TCP", 22}}}}
	talk := j.talk(listeners, 0)
	if talk.Unjudged != 1 || len(talk.Links) != 1 || talk.Links[0].Uncertain == "" {
		t.Errorf("got %d listeners that were not judged and links %v: want one of each, uncertain", talk.Unjudged, talk.Links)
	}
	if got := talk.answer(f.Pods[collect.Key{Namespace: "shop", Name: "new"}], 0); got != "uncertain" {
		t.Errorf("a pod that policies deny: %s, want uncertain", got)
	}
}

// world is four workloads in two namespaces, one perhaps on the host's network, with
// policies of each kind.
func (d draw) world() string {
	text := "apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {team: x}}\n"
	for i, app := range []string{"a", "a2", "b", "c"} {
		for k, ns := range []string{"x", "z"} {
			text += fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {app: %s}}\nspec: "+
				"{nodeName: %s, hostNetwork: %v, containers: [{name: c, image: i, ports: [{name: http, containerPort: %d}]}]}\n"+
				"status: {podIPs: [{ip: 10.%d.0.%d}]}\n",
				app, ns, app[:1], d.pick("n1", "n2", "n3", "''"), app == "c" && d.one(3), 80+i, d.IntN(3), 10*i+k)
		}
	}
	for i := range d.IntN(5) {
		text += fmt.Sprintf("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%d, namespace: "+
			"%s}\nspec: {podSelector: %s, policyTypes: %s, ingress: [{from: %s, ports: %s}], egress: [{to: %s, ports: %s}]}\n",
			i, d.pick("x", "z"), d.selector(), d.pick("[Ingress]", "[Egress]", "[Ingress, Egress]"), d.peers(), d.ports(), d.peers(), d.ports())
	}
	for i := range d.IntN(2) {
		text += fmt.Sprintf("---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: k%d}\nspec: "+
			"{tier: %s, priority: %d, %s}\n", i, d.pick("Admin", "Baseline"), d.IntN(9), d.cluster())
	}
	switch d.IntN(3) { // a cluster has one plugin
	case 0:
		text += cnpIn("c0", d.cilium()) + ccnp("w0", d.cilium())
	case 1:
		text += lists + strings.ReplaceAll(cali("c0", d.calico()), "namespace: shop", "namespace: x") + gnp("g0", d.calico())
	}
	return text
}

func TestPoliciesThatWereNotSeenMakeWhatIsOpenUncertain(t *testing.T) {
	for _, resource := range policyResources {
		f := manifests.Facts(t, world)
		f.Gaps[collect.GapKey{Source: "api", What: resource}] = collect.Gap{Source: "api", What: resource, Why: "forbidden"}
		for state, want := range map[State]string{Yes: "uncertain", Unknown: "uncertain", No: "open"} {
			j := New(f)
			j.enforcement = Enforcement{State: state}
			talk := j.Talk([]Listener{{f.Pods[collect.Key{Namespace: "shop", Name: "db"}], []Port{{"TCP", 5432}}}})
			if got := talk.answer(f.Pods[collect.Key{Namespace: "shop", Name: "web"}], 0); got != want {
				t.Errorf("without %s, enforced %v: %s, want %s", resource, state, got, want)
			}
			for _, l := range talk.Links {
				if want == "uncertain" && l.Uncertain != resource+" were not seen and may forbid it" {
					t.Errorf("without %s it is said that %s", resource, l.Uncertain)
				}
			}
		}
	}
}

func TestWhoCannotRunSendsNothing(t *testing.T) {
	f := manifests.Facts(t, world)
	for name, phase := range map[string]string{"done": "Succeeded", "broken": "Failed", "waits": "Pending"} {
		p := *f.Pods[collect.Key{Namespace: "shop", Name: "web"}]
		p.Key.Name, p.Phase = name, phase
		f.Pods[p.Key] = &p
	}
	bare := collect.Key{Namespace: "shop", Name: "bare"} // of which only the name was seen
	f.Pods[bare] = &collect.Pod{Key: bare}
	var names []string
	for _, p := range sortedPods(f) {
		names = append(names, p.Namespace+"/"+p.Name)
	}
	if got, want := strings.Join(names, " "), "bank/agent bank/web shop/db shop/new shop/waits shop/web"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	j := New(f)
	j.enforcement = Enforcement{State: Yes}
	pod := func(name string) *collect.Pod { return f.Pods[collect.Key{Namespace: "shop", Name: name}] }
	talk := j.Talk([]Listener{{pod("db"), []Port{{"TCP", 5432}}}, {pod("web"), nil}})
	if len(talk.Senders) != 1 || !talk.Senders[0].Unrestricted || len(talk.Senders[0].Pods) != 6 || len(talk.Links) != 1 {
		t.Errorf("where no policy is all send as one: %d classes, %d links", len(talk.Senders), len(talk.Links))
	}
}

func TestWhetherPodsMayRunOnOneNode(t *testing.T) {
	on := func(placed bool, nodes ...string) *TalkClass {
		c := &TalkClass{placed: placed, nodes: map[string]bool{}}
		for _, n := range nodes {
			c.nodes[n] = true
		}
		return c
	}
	for _, c := range []struct {
		name string
		a, b *TalkClass
		want bool
	}{
		{"the same", on(true, "a"), on(true, "a"), true}, {"others", on(true, "a"), on(true, "b"), false},
		{"one of several", on(true, "a", "b"), on(true, "b", "c"), true},
		{"one is placed nowhere yet", on(false), on(true, "b"), true}, {"the other is not", on(true, "a"), on(false), true},
	} {
		if got := c.a.overlaps(c.b); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

func TestTheDoubtIsThatOfWhatIsAllowed(t *testing.T) {
	open, closed := piece{allowed: true}, piece{}
	doubted, denied := piece{allowed: true, uncertain: "a policy is not read"}, piece{uncertain: "what is denied is doubted"}
	for _, c := range []struct {
		sides [][]piece
		want  string
	}{
		{[][]piece{{open, denied}, {doubted}}, "a policy is not read"},
		{[][]piece{{doubted}, {open}}, "a policy is not read"},
		{[][]piece{{open}, {closed, denied}}, "what policies mean for it is not known"},
	} {
		if got := doubtOf(c.sides...); got != c.want {
			t.Errorf("%v: %s, want %s", c.sides, got, c.want)
		}
	}
}
