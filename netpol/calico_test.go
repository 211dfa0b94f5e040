package netpol

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

// cali writes a NetworkPolicy of Calico in namespace shop, gnp one of the cluster.
func cali(name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: %s, namespace: shop}\nspec: {%s}\n",
		name, spec)
}

func gnp(name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkPolicy\nmetadata: {name: %s}\nspec: {%s}\n", name,
		spec)
}

func tierOf(name string, order int, more string) string {
	return fmt.Sprintf("\n---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: %s}\nspec: {order: %d%s}\n", name, order, more)
}

// lists is a set of addresses of namespace shop and one of the cluster, and an account with a label.
const lists = `
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: partners, namespace: shop, labels: {list: partners}}
spec: {nets: [203.0.113.0/24]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: bad, labels: {list: bad}}
spec: {nets: [198.51.100.0/24]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: bank, labels: {role: teller}}
`

func TestCalicoPolicies(t *testing.T) {
	in := func(rules string) string { return cali("c", "ingress: ["+rules+"]") }
	from := func(source string) string { return in("{action: Allow, source: {" + source + "}}") }
	allowAll := np("p", "{podSelector: {}, ingress: [{}]}")
	denyNP := np("deny", "{podSelector: {}}")
	for _, tt := range []struct{ name, policies, from, to, port, want string }{
		{"pods of its own namespace", from(`selector: "app == 'web'"`), "shop/web", "shop/db", "80", "yes c 0"},
		{"are not those of another", from(`selector: "app == 'web'"`), "bank/web", "shop/db", "80", "no c -1"},
		{"unless it selects namespaces", from(`selector: "app == 'web'", namespaceSelector: "team == 'b'"`), "bank/web", "shop/db", "80",
			"yes c 0"},
		{"by their names", from(`namespaceSelector: "projectcalico.org/name == 'bank'"`), "bank/web", "shop/db", "80", "yes c 0"},
		{"or every one", from(`selector: "app == 'web'", namespaceSelector: all()`), "bank/web", "shop/db", "80", "yes c 0"},
		{"of what is in no namespace no pod is", from(`namespaceSelector: global()`), "bank/web", "shop/db", "80", "no c -1"},
		{"a policy of the cluster means every namespace", gnp("c", `ingress: [{action: Allow, source: {selector: "app == 'web'"}}]`), "bank/web",
			"shop/db", "80", "yes c 0"},
		{"and selects in every one", gnp("c", `selector: "app == 'web'", ingress: []`), "shop/web", "bank/web", "80", "no c -1"},
		{"or in some", gnp("c", `namespaceSelector: "team == 'a'", types: [Ingress]`), "shop/web", "bank/web", "80", "yes"},
		{"by accounts", gnp("c", `serviceAccountSelector: "role == 'teller'", types: [Ingress]`) + lists, "shop/web", "bank/web", "80",
			"no c -1"},
		{"and no others", gnp("c", `serviceAccountSelector: "role == 'teller'", types: [Ingress]`) + lists, "bank/web", "shop/web", "80", "yes"},
		{"accounts of its own namespace", from(`serviceAccounts: {names: [default]}`), "shop/web", "shop/db", "80", "yes c 0"},
		{"are not those of others", from(`serviceAccounts: {names: [default]}`), "bank/web", "shop/db", "80", "no c -1"},
		{"accounts by their labels", from(`serviceAccounts: {selector: "role == 'teller'"}, namespaceSelector: all()`) + lists, "bank/web",
			"shop/db",
			"80", "yes c 0"},
		{"all but some pods", from(`notSelector: "app == 'web'"`), "shop/web", "shop/db", "80", "no c -1"},
		{"which are others, and addresses", from(`notSelector: "app == 'web'"`), "internet", "shop/db", "80", "yes c 0"},
		{"the first rule that matches decides", in(`{action: Deny, source: {selector: "app == 'web'"}}, {action: Allow}`), "shop/web", "shop/db",
			"80", "no c 0"},
		{"one that logs does not", in(`{action: Log}, {action: Allow}`), "shop/web", "shop/db", "80", "yes c 1"},
		{"lower orders are asked first", cali("a", "order: 9, types: [Ingress]") + cali("b", "order: 2, ingress: [{action: Deny}]") +
			cali("d", "order: 1, ingress: [{action: Allow}]"), "shop/web", "shop/db", "80", "yes d 0"},
		{"then names", cali("b", "order: 2, ingress: [{action: Deny}]") + cali("a", "order: 2, ingress: [{action: Allow}]"), "shop/web",
			"shop/db",
			"80", "yes a 0"},
		{"without an order last", cali("a", "ingress: [{action: Deny}]") + cali("b", "order: 2, ingress: [{action: Allow}]"), "shop/web",
			"shop/db",
			"80", "yes b 0"},
		{"NetworkPolicies stand at 1000", cali("b", "order: 999, ingress: [{action: Deny}]") + allowAll, "shop/web", "shop/db", "80", "no b 0"},
		{"before what is higher", cali("b", "order: 1001, ingress: [{action: Deny}]") + allowAll, "shop/web", "shop/db", "80", "yes p 0"},
		{"what they do not allow goes on to it", cali("b", "order: 1001, ingress: [{action: Allow}]") + denyNP, "shop/web", "shop/db", "80",
			"yes b 0"},
		{"a tier before theirs denies", tierOf("sec", 5, "") + gnp("sec.g", "tier: sec, types: [Ingress]") + allowAll, "shop/web", "shop/db",
			"80",
			"no sec.g -1"},
		{"unless it passes", tierOf("sec", 5, "") + gnp("sec.g", "tier: sec, ingress: [{action: Pass}]") + allowAll, "shop/web", "shop/db", "80",
			"yes p 0"},
		{"or all its policies do", tierOf("sec", 5, ", defaultAction: Pass") + gnp("sec.g", "tier: sec, types: [Ingress]") + allowAll, "shop/web",
			"shop/db", "80", "yes p 0"},
		{"what is passed goes around the rest of the tier", tierOf("sec", 5, "") + gnp("sec.g",
			"tier: sec, ingress: [{action: Pass}, {action: Deny}]"),
			"shop/web", "shop/db", "80", "yes"},
		{"a later tier is asked after it", tierOf("late", 2_000_000, "") + gnp("late.g", "tier: late, ingress: [{action: Deny}]") + allowAll,
			"shop/web", "shop/db", "80", "yes p 0"},
		{"a tier that was not seen closes nothing", gnp("g", "tier: lost, types: [Ingress]"), "shop/web", "shop/db", "80", "yes"},
		{"and may open what others close", gnp("g", "tier: lost, types: [Ingress]") + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
		{"blocks mean pods", from(`nets: [10.1.0.0/16]`), "shop/web", "shop/db", "80", "yes c 0"},
		{"and not those outside of them", from(`nets: [10.9.0.0/16]`), "shop/web", "shop/db", "80", "no c -1"},
		{"and nodes", from(`nets: [192.168.0.1/32]`), "node n1", "shop/db", "80", "yes c 0"},
		{"perhaps one without an address", from(`nets: [10.9.0.0/16]`), "shop/new", "shop/db", "80", "yes? c 0"},
		{"surely, where all are meant", from(`nets: [0.0.0.0/0, '::/0']`), "shop/new", "shop/db", "80", "yes c 0"},
		{"but for others", from(`nets: [10.0.0.0/8], notNets: [10.1.0.0/16]`), "shop/web", "shop/db", "80", "no c -1"},
		{"a selector and a block are both asked for", from(`selector: "app == 'web'", nets: [10.9.0.0/16]`), "shop/web", "shop/db", "80",
			"no c -1"},
		{"a family of addresses", in(`{action: Allow, ipVersion: 6}`), "shop/web", "shop/db", "80", "no c -1"},
		{"sets of addresses by their labels", from(`selector: "list == 'partners'"`) + lists, "range 203.0.113.0/25", "shop/db", "80", "yes c 0"},
		{"of the cluster, too", gnp("c", `ingress: [{action: Deny, source: {selector: "list == 'bad'"}}, {action: Allow}]`) + lists,
			"range 198.51.100.0/25", "shop/db", "80", "no c 0"},
		{"which are others than those of a namespace", from(`selector: "list == 'bad'"`) + lists, "range 198.51.100.0/25", "shop/db", "80",
			"no c -1"},
		{"and are in no namespace", from(`selector: "list == 'bad'", namespaceSelector: global()`) + lists, "range 198.51.100.0/25", "shop/db",
			"80", "yes c 0"},
		{"a port", in(`{action: Allow, protocol: TCP, destination: {ports: [80]}}`), "shop/web", "shop/db", "80", "yes c 0"},
		{"and no other", in(`{action: Allow, protocol: TCP, destination: {ports: [80]}}`), "shop/web", "shop/db", "81", "no c -1"},
		{"a range of them", in(`{action: Allow, protocol: 6, destination: {ports: ['80:90']}}`), "shop/web", "shop/db", "90", "yes c 0"},
		{"a named one", in(`{action: Allow, protocol: TCP, destination: {ports: [http]}}`), "shop/web", "shop/db", "5432", "yes c 0"},
		{"all but one", in(`{action: Allow, protocol: TCP, destination: {notPorts: [80]}}`), "shop/web", "shop/db", "80", "no c -1"},
		{"all of a protocol", in(`{action: Allow, protocol: UDP}`), "shop/web", "shop/db", "80", "no c -1"},
		{"all of the others", in(`{action: Allow, notProtocol: UDP}`), "shop/web", "shop/db", "80", "yes c 0"},
		{"messages of ICMP are no connections", in(`{action: Allow, protocol: ICMP}`), "shop/web", "shop/db", "80", "no c -1"},
		{"the pod itself, as a rule may ask", in(`{action: Allow, destination: {selector: "app == 'web'"}}`), "shop/web", "shop/db", "80",
			"no c -1"},
		{"and it is", in(`{action: Allow, destination: {selector: "app == 'db'"}}`), "shop/web", "shop/db", "80", "yes c 0"},
		{"what is in the packets is uncertain", in(`{action: Allow, http: {methods: [GET]}}`), "shop/web", "shop/db", "80", "yes? c 0"},
		{"a deny by it leaves it open, uncertain", in(`{action: Deny, http: {methods: [GET]}}, {action: Allow}`), "shop/web", "shop/db", "80",
			"yes? c 1"},
		{"a pass by it, too", in(`{action: Pass, http: {methods: [GET]}}, {action: Deny}`), "shop/web", "shop/db", "80", "yes? c 1"},
		{"the port that packets come from, too", in(`{action: Allow, protocol: TCP, source: {ports: [99]}}`), "shop/web", "shop/db", "80",
			"yes? c 0"},
		{"egress rules only restrict egress", cali("c", `egress: [{action: Deny}]`), "bank/web", "shop/db", "80", "yes"},
		{"and do", cali("c", `egress: [{action: Deny}]`), "shop/db", "bank/web", "80", "no c 0"},
		{"no rules restrict ingress", cali("c", ``), "bank/web", "shop/db", "80", "no c -1"},
		{"types are said, where they are", cali("c", `types: [Egress], ingress: [{action: Deny}]`), "bank/web", "shop/db", "80", "yes"},
		{"policies about nodes leave pods alone", gnp("c", `preDNAT: true, ingress: [{action: Deny}]`), "shop/web", "shop/db", "80", "yes"},
		{"a Service's pods, perhaps", cali("c", `egress: [{action: Allow, destination: {services: {name: db}}}]`) + lookup, "shop/web", "shop/db",
			"80", "yes? c 0"},
		{"names lead to where is not known", gnp("c", `egress: [{action: Allow, destination: {domains: [a.example]}}]`), "shop/web", "internet",
			"80", "yes? c 0"},
		{"a selector that cannot be read may be anyone's", from(`selector: "app = 'web'"`) + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
		{"an action that is not known, too", in(`{action: Drop}`) + denyNP, "shop/web", "shop/db", "80", "yes? deny -1"},
		{"a port without a protocol, too", in(`{action: Allow, destination: {ports: [80]}}`) + denyNP, "shop/web", "shop/db", "80",
			"yes? deny -1"},
		{"a range that is none, too", in(`{action: Allow, protocol: TCP, destination: {ports: ['a:b']}}`) + denyNP, "shop/web", "shop/db", "80",
			"yes? deny -1"},
	} {
		t.Run(tt.name, func(t *testing.T) { asked(t, tt.policies, tt.from, tt.to, tt.port, tt.want) })
	}
}

func TestCalicosSelectors(t *testing.T) {
	pod := labels.Set{"app": "web-front", "tier": "front", "a/b.c_d-e": "1"}
	for text, want := range map[string]bool{
		"": true, "all()": true, " all() ": true, "global()": false, "app == 'web-front'": true, `app == "web-front"`: true, "app == 'x'": false,
		"app != 'x'": true, "lost != 'x'": true, "app != 'web-front'": false, "has(app)": true, "has(lost)": false, "!has(lost)": true,
		"!!has(app)": true, "app in {'x', 'web-front'}": true, "app in {}": false, "app not in {'x'}": true, "lost not  in {'x'}": true,
		"app not in {'web-front'}": false, "app contains 'b-f'": true, "lost contains ''": false, "app starts with 'web'": true,
		"app starts  with 'front'": false, "app ends with 'front'": true, "app ends with 'web'": false, "a/b.c_d-e == '1'": true,
		"has(app) && has(lost)": false, "has(app) || has(lost)": true, "has(lost) && has(lost) || has(app)": true,
		"has(lost) && (has(lost) || has(app))": false, "!(has(lost) && has(app)) && has(tier)": true, "app=='web-front'&&tier=='front'": true,
	} {
		s, err := parseCalico(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := s.Matches(pod); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"app": "want ==", "app = 'x'": "want ==", "app == x": "want a value in quotes", "app == 'x": "want the closing quote",
		"app in 'x'": "want {", "app in {'x' 'y'}": "want , or }", "app in {'x'": "want , or }", "(has(app)": "want )", "has(app": "want )",
		"has()": "want a label", "has(app) has(app)": "want the end", "&&": "want a label", "has(app) &&": "want a label", "!": "want a label",
		strings.Repeat("(", 200) + "has(a)": "want at most 100 levels", strings.Repeat(" ", 20_000): "want at most 16384",
	} {
		if _, err := parseCalico(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// FuzzCalicosSelectors holds that what can be read can be asked, and that its
// opposite, in brackets, is read and says the opposite.
func FuzzCalicosSelectors(f *testing.F) {
	for _, text := range []string{"app == 'a' && has(b) || !(c in {'d', \"e\"})", "x not in {'y'} && z starts with 'a'", "global()", "((",
		"!", "all()"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseCalico(text)
		if err != nil || strings.TrimSpace(text) == "" || len(text) > maxSelector-3 {
			return
		}
		not, err := parseCalico("!(" + text + ")")
		if err != nil {
			if strings.Contains(err.Error(), "levels") {
				return
			}
			t.Fatalf("%q is read, and its opposite not: %v", text, err)
		}
		for _, l := range []labels.Set{nil, {"app": "a"}, {"x": "y", "b": ""}} {
			if s.Matches(l) == not.Matches(l) {
				t.Fatalf("%q and its opposite are both %v of %v", text, s.Matches(l), l)
			}
		}
	})
}
