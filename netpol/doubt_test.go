package netpol

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// about gives an admin policy another subject than team a's namespaces.
func about(policy, s string) string {
	return strings.Replace(policy, "namespaces: {matchLabels: {team: a}}", s, 1)
}

// denyBoth closes shop and bank to all.
var denyBoth = np("deny", `{podSelector: {}}`) + strings.Replace(np("deny", `{podSelector: {}}`), "namespace: shop", "namespace: bank", 1)

func TestAPolicyThatCannotBeReadIsAGapAndADoubt(t *testing.T) {
	peers := func(list string) string { return np("p", `{podSelector: {}, ingress: [{from: [`+list+`]}]}`) }
	ports := func(list string) string { return np("p", `{podSelector: {}, ingress: [{ports: [`+list+`]}]}`) }
	admin := func(rule string) string { return anp("p", 1, `ingress: [`+rule+`]`) }
	adminPorts := func(list string) string {
		return admin(`{action: Allow, from: [{namespaces: {}}], ports: [` + list + `]}`)
	}
	const near = `matchExpressions: [{key: a, operator: Near}]`
	for _, c := range []struct{ name, policy, why string }{
		{"whom a policy selects", np("p", `{podSelector: {`+near+`}}`), `podSelector: "Near" is not a valid label selector operator`},
		{"which pods", peers(`{podSelector: {` + near + `}}`), "ingress rule 0: podSelector: "},
		{"which namespaces", peers(`{namespaceSelector: {` + near + `}}`), "ingress rule 0: namespaceSelector: "},
		{"a peer of a kind that is not known", peers(`{podSelector: {}}, {}`), "ingress rule 0: peer: want podSelector"},
		{"a block", peers(`{ipBlock: {cidr: 10.0.0.0/99}}`), "ingress rule 0: ipBlock: "},
		{"an exception", peers(`{ipBlock: {cidr: 10.0.0.0/8, except: [here]}}`), "ingress rule 0: ipBlock except: "},
		{"a rule of egress", np("p", `{podSelector: {}, egress: [{}, {to: [{}]}]}`), "egress rule 1: peer: "},
		{"port 0", ports(`{port: 0}`), `ingress rule 0: ports 0 to 0 of "TCP": want 1 to 65535 of TCP, UDP or SCTP`},
		{"a port beyond the last", ports(`{port: 65536}`), "ports 65536 to 65536"},
		{"a range that ends before it begins", ports(`{port: 90, endPort: 80}`), "ports 90 to 80"},
		{"another protocol", ports(`{protocol: TCP}`), `of "ICMP"`},
		{"a port without a name", ports(`{port: ""}`), `ports 0 to 0`},
		{"an admin policy's action", admin(`{action: Perhaps, from: [{namespaces: {}}]}`), `action "Perhaps": want Allow, Deny, Pass`},
		{"its peers", admin(`{action: Deny, from: [{namespaces: {}}, {}]}`), "ingress rule 0: peer: want namespaces, pods, nodes or networks"},
		{"its namespaces", admin(`{action: Deny, from: [{namespaces: {` + near + `}}]}`), "ingress rule 0: namespaceSelector: "},
		{"its pods", admin(`{action: Deny, from: [{pods: {podSelector: {` + near + `}}}]}`), "ingress rule 0: podSelector: "},
		{"its nodes", anp("p", 1, `egress: [{action: Deny, to: [{nodes: {`+near+`}}]}]`), "egress rule 0: "},
		{"its networks", anp("p", 1, `egress: [{action: Deny, to: [{networks: [10.0.0.0/8, here]}]}]`), "egress rule 0: networks: "},
		{"a port of a kind that is not known", adminPorts(`{}`), "ingress rule 0: port: want portNumber, portRange or namedPort"},
		{"an admin policy's port", adminPorts(`{portNumber: {protocol: GRE, port: 80}}`), `ports 80 to 80 of "GRE"`},
		{"and range", adminPorts(`{portRange: {protocol: TCP, start: 2, end: 1}}`), "ports 2 to 1"},
		{"its subject", about(admin(``), `namespaces: {`+near+`}`), "subject: namespaceSelector: "},
		{"the subject's pods", about(admin(``), `pods: {podSelector: {`+near+`}}`), "subject: podSelector: "},
		{"no subject", about(admin(``), ``), "subject: want namespaces or pods"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := manifests.Facts(t, world, denyBoth, c.policy)
			if c.name == "another protocol" { // which no manifest says today
				*f.NetworkPolicies[collect.Key{Namespace: "shop", Name: "p"}].Spec.Ingress[0].Ports[0].Protocol = "ICMP"
			}
			j := New(f)
			g := j.Gaps()
			if len(g) != 1 || !strings.HasSuffix(g[0].What, "p") || !strings.Contains(g[0].Why, c.why) {
				t.Fatalf("gaps %+v, want %q", g, c.why)
			}
			a := j.Ask(endpoint(t, f, "bank/web"), endpoint(t, f, "shop/db"), Port{"TCP", 80})
			if !a.Allowed || !strings.Contains(a.Uncertain, g[0].What+" could not be read and may allow it, though NetworkPolicy shop/deny") {
				t.Errorf("%s", a.Explain())
			}
			a = j.Ask(Internet(), endpoint(t, f, "shop/db"), Port{"TCP", 80})
			if !a.Allowed || a.Uncertain == "" || !a.Senders.Covers(Public()) {
				t.Errorf("%s", a.Explain())
			}
		})
	}
}

func TestADoubtIsAboutThePodsOfThePolicy(t *testing.T) {
	const bad = `ingress: [{action: Allow, from: [{domainNames: [a.example]}]}]`
	badPeer := `{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{}]}]}`
	for _, c := range []struct{ name, policy, to, want string }{
		{"of its namespaces", anp("p", 1, bad), "shop/db", "yes? deny -1"},
		{"and of no others", anp("p", 1, bad), "bank/web", "no deny -1"},
		{"all, where it is not known whose", about(anp("p", 1, bad), "namespaces: {matchExpressions: [{key: a, operator: Near}]}"),
			"bank/web", "yes? deny -1"},
		{"of its namespace that its selector means", np("p", badPeer), "shop/db", "yes? deny -1"},
		{"and that it does not", np("p", badPeer), "shop/web", "no deny -1"},
		{"not of another namespace", np("p", badPeer), "bank/web", "no deny -1"},
		{"a baseline cannot allow what a NetworkPolicy denies", banp(bad), "shop/db", "no deny -1"},
		{"and leaves nothing to later policies", banp(`ingress: [{action: Pass, from: [{namespaces: {}}]}]`), "shop/db", "no deny -1"},
		{"a pod on the host's network is nobody's", anp("p", 1, bad), "bank/agent", "yes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := manifests.Facts(t, world, denyBoth, c.policy)
			j := New(f)
			if len(j.Gaps()) != 1 {
				t.Errorf("gaps %v", j.Gaps())
			}
			if a := j.Ask(Internet(), endpoint(t, f, c.to), Port{"TCP", 80}); short(a) != c.want {
				t.Errorf("got %q, want %q: %s", short(a), c.want, a.Explain())
			}
		})
	}
}

func TestADoubtLeavesWhatIsSurelyAllowed(t *testing.T) {
	f := manifests.Facts(t, world, np("p", `{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}`),
		np("q", `{podSelector: {}, ingress: [{from: [{}]}]}`))
	j := New(f)
	if a := j.Ask(endpoint(t, f, "range 203.0.113.0/25"), endpoint(t, f, "shop/db"), Port{"TCP", 80}); short(a) != "yes p 0" {
		t.Error(a.Explain())
	}
	a := j.Ask(endpoint(t, f, "range 203.0.0.0/16"), endpoint(t, f, "shop/db"), Port{"TCP", 80})
	if !a.Allowed || a.Uncertain == "" || a.Senders.String() != "203.0.0.0/16" {
		t.Errorf("%s %s", a.Senders, a.Explain())
	}
}

func TestPoliciesThatWereNotSeenAreGaps(t *testing.T) {
	f := collect.NewFacts()
	f.Unread = map[string]int{"clusternetworkpolicies.crd.antrea.io": -1, "networkpolicies.crd.antrea.io": 1,
		"authorizationpolicies.security.istio.io": 0, "certificates.cert-manager.io": 7}
	for _, what := range []string{"networkpolicies.networking.k8s.io", "namespaces", "services"} {
		f.Gaps[collect.GapKey{What: what}] = collect.Gap{Source: "api", What: what, Why: "forbidden"}
	}
	var got []string
	for _, g := range New(f).Gaps() {
		got = append(got, g.What+": "+g.Why)
		if g.Consequence == "" || g.Kinds == nil {
			t.Errorf("%+v", g)
		}
	}
	want := "network policies without namespaces: forbidden; network policies without networkpolicies: forbidden; " +
		"policies of kind clusternetworkpolicies.crd.antrea.io: objects of this kind are not interpreted; " +
		"policies of kind networkpolicies.crd.antrea.io: objects of this kind are not interpreted"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if g := New(collect.NewFacts()).Gaps(); g != nil {
		t.Errorf("all was seen: %v", g)
	}
}

func TestThePoliciesThatSelectAPodAreListedByDirection(t *testing.T) {
	f := manifests.Facts(t, world, np("in", `{podSelector: {}}`), np("out", `{podSelector: {}, policyTypes: [Egress]}`),
		np("both", `{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress]}`),
		np("bad", `{podSelector: {}, ingress: [{from: [{}]}]}`),
		anp("admin", 1, `ingress: []`))
	for _, c := range []struct {
		pod  string
		d    Direction
		want string
	}{
		{"shop/db", Ingress, "both in"}, {"shop/db", Egress, "both out"}, {"shop/web", Ingress, "in"}, {"shop/web", Egress, "out"},
		{"bank/web", Ingress, ""}, {"bank/agent", Egress, ""},
	} {
		var got []string
		for _, p := range New(f).Selecting(endpoint(t, f, c.pod).pod, c.d) {
			got = append(got, p.Name)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s %s: %q, want %q", c.pod, c.d, text, c.want)
		}
	}
}

func TestASelectorMeansNamespaces(t *testing.T) {
	j := New(manifests.Facts(t, world))
	of := func(key, value string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
	}
	for _, c := range []struct {
		selector *metav1.LabelSelector
		ns       string
		want     bool
	}{
		{of("team", "a"), "shop", true}, {of("team", "a"), "bank", false}, {of("team", "a"), "dark", false},
		{of("kubernetes.io/metadata.name", "dark"), "dark", true}, {&metav1.LabelSelector{}, "shop", true}, {nil, "shop", false},
		{&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}, "shop", false},
	} {
		if got := j.NamespaceMatches(c.selector, c.ns); got != c.want {
			t.Errorf("%v means %s: %v", c.selector, c.ns, got)
		}
	}
}
