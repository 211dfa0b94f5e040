package netpol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

func anp(name string, priority int, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: %s}\nspec: "+
		"{priority: %d, subject: {namespaces: {matchLabels: {team: a}}}, %s}\n", name, priority, spec)
}

func banp(spec string) string {
	return fmt.Sprintf("\n---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: "+
		"default}\nspec: {subject: {namespaces: {}}, %s}\n", spec)
}

// unseen is a pod on the network of a node that is not listed.
const unseen = `
---
apiVersion: v1
kind: Pod
metadata: {name: lost, namespace: bank}
spec: {nodeName: n9, hostNetwork: true, containers: [{name: c, image: i}]}
`

// lacking is a namespace with these labels only, and a pod in it.
func lacking(name, labels string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {%s}}\n---\napiVersion: v1\nkind: Pod\n"+
		"metadata: {name: p, namespace: %s}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\n", name, labels, name)
}

func TestAdminPolicies(t *testing.T) {
	const fromBank = `from: [{namespaces: {matchLabels: {team: b}}}]`
	denyNP := np("deny", `{podSelector: {}}`)
	tests := []struct {
		name, policies, from, to, port, want string
	}{
		{"a deny", anp("d", 5, `ingress: [{action: Deny, `+fromBank+`}]`), "bank/web", "shop/db", "80", "no d 0"},
		{"which is for its peers only", anp("d", 5, `ingress: [{action: Deny, `+fromBank+`}]`), "shop/web", "shop/db", "80", "yes"},
		{"and its subject only", anp("d", 5, `ingress: [{action: Deny, from: [{namespaces: {}}]}]`), "shop/web", "bank/web", "80", "yes"},
		{"an allow goes before NetworkPolicies", anp("a", 5, `ingress: [{action: Allow, `+fromBank+`}]`) + denyNP, "bank/web", "shop/db",
			"80", "yes a 0"},
		{"a pass leaves it to them", anp("p", 5, `ingress: [{action: Pass, `+fromBank+`}, {action: Allow, `+fromBank+`}]`) + denyNP,
			"bank/web", "shop/db", "80", "no deny -1"},
		{"a pass goes around later admin policies", anp("p", 5, `ingress: [{action: Pass, `+fromBank+`}]`) + anp("q", 6,
			`ingress: [{action: Deny, `+fromBank+`}]`), "bank/web", "shop/db", "80", "yes"},
		{"the lower number goes first", anp("late", 9, `ingress: [{action: Allow, `+fromBank+`}]`) + anp("early", 3,
			`ingress: [{action: Deny, `+fromBank+`}]`), "bank/web", "shop/db", "80", "no early 0"},
		{"the first rule decides", anp("r", 1,
			`ingress: [{action: Allow, `+fromBank+`, ports: [{portNumber: {protocol: TCP, port: 80}}]}, {action: Deny, `+fromBank+`}]`),
			"bank/web", "shop/db", "80", "yes r 0"},
		{"for its ports", anp("r", 1,
			`ingress: [{action: Allow, `+fromBank+`, ports: [{portNumber: {protocol: TCP, port: 80}}]}, {action: Deny, `+fromBank+`}]`),
			"bank/web", "shop/db", "81", "no r 1"},
		{"a range of ports", anp("r", 1,
			`ingress: [{action: Deny, `+fromBank+`, ports: [{portRange: {protocol: TCP, start: 80, end: 90}}]}]`), "bank/web", "shop/db",
			"85", "no r 0"},
		{"a named port", anp("r", 1, `ingress: [{action: Deny, `+fromBank+`, ports: [{namedPort: http}]}]`), "bank/web", "shop/db",
			"5432", "no r 0"},
		{"pods of namespaces", anp("r", 1,
			`ingress: [{action: Deny, from: [{pods: {namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: other}}}}]}]`),
			"bank/web", "shop/db", "80", "yes"},
		{"the older spelling of namespaces",
			anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {namespaceSelector: {matchLabels: {team: a}}}}]}]`), "bank/web",
			"shop/db", "80", "yes"},
		{"namespaces that share a label", anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {sameLabels: [team]}}]}]`),
			"shop/web", "shop/db", "80", "no r 0"},
		{"namespaces that do not", anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {notSameLabels: [team]}}]}]`), "shop/web",
			"shop/db", "80", "yes"},
		{"the internet is no pod", anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {}}]}]`), "internet", "shop/db", "80", "yes"},
		{"a deny of some pods does not deny somebody unknown", anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {}}]}]`),
			"somebody", "shop/db", "80", "yes"},
		{"egress to networks that may hold a pod whose address is not known", anp("r", 1,
			`egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}, {action: Allow, to: [{namespaces: {}}]}]`) + np("p", `{podSelector: {}}`),
			"shop/web", "shop/new", "80", "no p -1"},
		{"egress to networks", anp("r", 1, `egress: [{action: Deny, to: [{networks: [203.0.113.0/24]}]}]`), "shop/web",
			"range 203.0.113.7/32", "80", "no r 0"},
		{"egress to other networks", anp("r", 1, `egress: [{action: Deny, to: [{networks: [203.0.113.0/24]}]}]`), "shop/web",
			"range 198.51.100.7/32", "80", "yes"},
		{"egress to nodes", anp("r", 1, `egress: [{action: Deny, to: [{nodes: {}}]}]`), "shop/web", "node n2", "80", "no r 0"},
		{"egress to nodes with a label", anp("r", 1, `egress: [{action: Deny, to: [{nodes: {matchLabels: {role: edge}}}]}]`), "shop/web",
			"node n2", "80", "yes"},
		{"a pod on the host's network is its node", anp("r", 1, `egress: [{action: Deny, to: [{nodes: {}}]}]`), "shop/web", "bank/agent",
			"80", "no r 0"},
		{"a pod on its own network is none", anp("r", 1, `egress: [{action: Deny, to: [{nodes: {}}]}]`), "shop/web", "bank/web", "80", "yes"},
		{"a pod on the network of a node that was not seen", unseen + anp("r", 1, `egress: [{action: Deny, to: [{nodes: {}}]}]`), "shop/web",
			"bank/lost", "80", "yes"},
		{"a rule without peers is about nobody", anp("r", 1, `ingress: [{action: Allow, from: []}]`) + denyNP, "bank/web", "shop/db", "80",
			"no deny -1"},
		{"not even somebody unknown", anp("r", 1, `ingress: [{action: Allow, from: []}]`) + denyNP, "somebody", "shop/db", "80", "no deny -1"},
		{"who may be one of those allowed", anp("r", 1, `ingress: [{action: Allow, `+fromBank+`}]`) + denyNP, "somebody", "shop/db", "80",
			"yes? r 0"},
		{"or is allowed like all", anp("r", 1, `ingress: [{action: Allow, `+fromBank+`}]`) + np("p", `{podSelector: {}, ingress: [{}]}`),
			"somebody", "shop/db", "80", "yes p 0"},
		{"on the ports allowed", anp("r", 1, `ingress: [{action: Allow, `+fromBank+`, ports: [{portNumber: {port: 81}}]}]`) + denyNP,
			"somebody", "shop/db", "80", "no deny -1"},
		{"a label that the peer's namespace lacks is not shared", lacking("c", "") + anp("r", 1,
			`ingress: [{action: Deny, from: [{namespaces: {sameLabels: [team]}}]}]`), "c/p", "shop/db", "80", "yes"},
		{"nor one that the subject's lacks", lacking("c", "only: c") + anp("r", 1,
			`ingress: [{action: Deny, from: [{namespaces: {sameLabels: [only]}}]}]`), "c/p", "shop/db", "80", "yes"},
		{"nor is it unlike", lacking("c", "") + anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {notSameLabels: [team]}}]}]`),
			"c/p", "shop/db", "80", "yes"},
		{"another value is unlike", anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {notSameLabels: [team]}}]}]`), "bank/web",
			"shop/db", "80", "no r 0"},
		{"one label unlike of two is enough", anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {notSameLabels: [team, `+
			`kubernetes.io/metadata.name]}}]}]`), "bank/web", "shop/db", "80", "no r 0"},
		{"one shared of two is not", lacking("c", "team: a") + anp("r", 1, `ingress: [{action: Deny, from: [{namespaces: {sameLabels: [team, `+
			`kubernetes.io/metadata.name]}}]}]`), "c/p", "shop/db", "80", "yes"},
		{"the baseline decides last", banp(`ingress: [{action: Deny, from: [{namespaces: {}}]}]`), "bank/web", "shop/db", "80",
			"no default 0"},
		{"and not where a NetworkPolicy selects", banp(`ingress: [{action: Deny, from: [{namespaces: {}}]}]`) +
			np("p", `{podSelector: {}, ingress: [{}]}`), "bank/web", "shop/db", "80", "yes p 0"},
		{"a policy that cannot be read does not protect", anp("r", 1, `ingress: [{action: Deny, from: [{domainNames: [a.example]}]}]`),
			"bank/web", "shop/db", "80", "yes"},
		{"and makes what others deny uncertain", anp("r", 1, `ingress: [{action: Allow, from: [{domainNames: [a.example]}]}]`) + denyNP,
			"bank/web", "shop/db", "80", "yes? deny -1"},
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

func TestAnAdminPolicysSubjectAndPeersMayBePods(t *testing.T) {
	policy := func(whose, peer string) string {
		return about(anp("s", 1, `ingress: [{action: Deny, from: [`+peer+`]}]`), whose)
	}
	back := `pods: {podSelector: {matchLabels: {tier: back}}}`
	bank := `{pods: {namespaceSelector: {matchLabels: {team: b}}, podSelector: {}}}`
	other := `pods: {namespaceSelector: {matchLabels: {team: b}}, podSelector: {}}`
	older := `{pods: {namespaces: {namespaceSelector: {matchLabels: {team: b}}}, podSelector: {matchLabels: {app: web}}}}`
	for _, tt := range []struct{ name, policy, from, to, want string }{
		{"the pods of the subject", policy(back, bank), "bank/web", "shop/db", "no s 0"},
		{"and no others", policy(back, bank), "bank/web", "shop/web", "yes"},
		{"in the namespaces that it selects", policy(other, bank), "bank/web", "shop/db", "yes"},
		{"the pods of a peer", policy(back, bank), "shop/web", "shop/db", "yes"},
		{"the older spelling of a peer's namespaces", policy(back, older), "bank/web", "shop/db", "no s 0"},
		{"and its pods", policy(back, strings.Replace(older, "app: web", "app: none", 1)), "bank/web", "shop/db", "yes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := manifests.Facts(t, world, tt.policy)
			a := New(f).Ask(endpoint(t, f, tt.from), endpoint(t, f, tt.to), portOf(t, "80"))
			if got := short(a); got != tt.want {
				t.Errorf("got %q, want %q: %s", got, tt.want, a.Explain())
			}
		})
	}
}

// cnp writes a ClusterNetworkPolicy about every pod.
func cnp(name, tier string, priority int, rules string) string {
	return fmt.Sprintf("\n---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: %s}\n"+
		"spec: {tier: %s, priority: %d, subject: {namespaces: {}}, %s}\n", name, tier, priority, rules)
}

func TestClusterNetworkPolicies(t *testing.T) {
	from := func(action, more string) string {
		return `ingress: [{action: ` + action + `, from: [{namespaces: {matchLabels: {team: b}}}]` + more + `}]`
	}
	denyNP := np("deny", "{podSelector: {}}")
	tcp80 := `, protocols: [{tcp: {destinationPort: {number: 80}}}]`
	for _, tt := range []struct{ name, policies, from, to, port, want string }{
		{"the admin tier denies before a NetworkPolicy", cnp("a", "Admin", 1, from("Deny", "")) + np("p", `{podSelector: {}, ingress: [{}]}`),
			"bank/web", "shop/db", "80", "no a 0"},
		{"and accepts before it", cnp("a", "Admin", 1, from("Accept", "")) + denyNP, "bank/web", "shop/db", "80", "yes a 0"},
		{"another peer is left to it", cnp("a", "Admin", 1, from("Accept", "")) + denyNP, "shop/web", "shop/db", "80", "no deny -1"},
		{"a lower priority is asked first", cnp("a", "Admin", 2, from("Deny", "")) + cnp("b", "Admin", 1, from("Accept", "")), "bank/web",
			"shop/db", "80", "yes b 0"},
		{"what is passed skips the tier", cnp("a", "Admin", 1, from("Pass", "")) + cnp("b", "Admin", 2, from("Deny", "")), "bank/web",
			"shop/db", "80", "yes"},
		{"but not the next", cnp("a", "Admin", 1, from("Pass", "")) + cnp("b", "Baseline", 2, from("Deny", "")), "bank/web", "shop/db", "80",
			"no b 0"},
		{"the baseline tier decides last", cnp("b", "Baseline", 1, from("Deny", "")) + np("p", `{podSelector: {}, ingress: [{}]}`), "bank/web",
			"shop/db", "80", "yes p 0"},
		{"and may pass, to what allows all", cnp("b", "Baseline", 1, from("Pass", "")) + cnp("c", "Baseline", 2, from("Deny", "")), "bank/web",
			"shop/db", "80", "yes"},
		{"one port", cnp("a", "Admin", 1, from("Deny", tcp80)), "bank/web", "shop/db", "80", "no a 0"},
		{"and no other", cnp("a", "Admin", 1, from("Deny", tcp80)), "bank/web", "shop/db", "81", "yes"},
		{"a range of ports", cnp("a", "Admin", 1, from("Deny", `, protocols: [{tcp: {destinationPort: {range: {start: 70, end: 90}}}}]`)),
			"bank/web",
			"shop/db", "90", "no a 0"},
		{"all of a protocol", cnp("a", "Admin", 1, from("Deny", `, protocols: [{udp: {}}]`)), "bank/web", "shop/db", "80", "yes"},
		{"a named port", cnp("a", "Admin", 1, from("Deny", `, protocols: [{destinationNamedPort: http}]`)), "bank/web", "shop/db", "5432",
			"no a 0"},
		{"a tier that is not known does not protect", cnp("a", "Middle", 1, from("Deny", "")), "bank/web", "shop/db", "80", "yes"},
		{"and makes what others deny uncertain", cnp("a", "Middle", 1, from("Accept", "")) + denyNP, "bank/web", "shop/db", "80",
			"yes? deny -1"},
		{"a protocol that is not known, too", cnp("a", "Admin", 1, from("Accept", `, protocols: [{}]`)) + denyNP, "bank/web", "shop/db", "80",
			"yes? deny -1"},
		{"an action that is another kind's", cnp("a", "Admin", 1, from("Allow", "")) + denyNP, "bank/web", "shop/db", "80", "yes? deny -1"},
		{"out, too", cnp("a", "Admin", 1, `egress: [{action: Deny, to: [{networks: [10.1.0.0/16]}]}]`), "bank/web", "shop/db", "80", "no a 0"},
		{"a protocol that is not known on the way out", cnp("a", "Admin", 1,
			`egress: [{action: Deny, to: [{networks: [10.1.0.0/16]}], protocols: [{}]}]`), "bank/web", "shop/db", "80", "yes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := manifests.Facts(t, world, tt.policies)
			a := New(f).Ask(endpoint(t, f, tt.from), endpoint(t, f, tt.to), portOf(t, tt.port))
			if got := short(a); got != tt.want {
				t.Errorf("got %q, want %q: %s", got, tt.want, a.Explain())
			}
		})
	}
}
