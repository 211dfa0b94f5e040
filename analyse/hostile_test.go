package analyse

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
)

// hostile is a cluster that somebody made to be hard to look at.
type hostile struct{ *collect.Facts }

func newHostile() hostile {
	f := collect.NewFacts()
	f.Cluster.Name, f.Cluster.Version = "c", "v1.34.0"
	return hostile{f}
}

func objectMeta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func (h hostile) namespace(name string) {
	h.Namespaces[collect.Key{Name: name}] = &corev1.Namespace{ObjectMeta: objectMeta("", name)}
}

func (h hostile) role(name string, rules ...rbacv1.PolicyRule) {
	h.ClusterRoles[collect.Key{Name: name}] = &rbacv1.ClusterRole{ObjectMeta: objectMeta("", name), Rules: rules}
}

func (h hostile) account(namespace, name string) rbacv1.Subject {
	h.ServiceAccounts[collect.Key{Namespace: namespace, Name: name}] = &corev1.ServiceAccount{ObjectMeta: objectMeta(namespace, name)}
	return rbacv1.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: name}
}

// bind gives a ClusterRole, in a namespace or everywhere.
func (h hostile) bind(namespace, name, role string, to ...rbacv1.Subject) {
	given := rbacv1.RoleRef{Kind: "ClusterRole", Name: role}
	if namespace == "" {
		h.ClusterRoleBindings[collect.Key{Name: name}] = &rbacv1.ClusterRoleBinding{
			ObjectMeta: objectMeta("", name),
			RoleRef:    given,
			Subjects:   to,
		}
		return
	}
	h.RoleBindings[collect.Key{Namespace: namespace, Name: name}] = &rbacv1.RoleBinding{ObjectMeta: objectMeta(namespace,
		name), RoleRef: given, Subjects: to}
}

func (h hostile) pod(namespace, name string, node int, privileged bool) {
	host := fmt.Sprintf("node-%d", node)
	h.Nodes[collect.Key{Name: host}] = &collect.Node{Name: host, Ready: true}
	h.Pods[collect.Key{Namespace: namespace, Name: name}] = &collect.Pod{Key: collect.Key{Namespace: namespace, Name: name}, Node: host,
		Phase: "Running", Labels: &collect.Labels{}, Shape: &collect.PodShape{ServiceAccount: name,
			Containers: []collect.ContainerShape{{Name: "app", Image: "registry.test/a:1", Privileged: privileged}}}}
}

var everything = rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}

// everybody is privileged pods whose accounts administer the cluster.
func everybody(n int) hostile {
	h := newHostile()
	h.role("all", everything)
	for i := range n {
		ns, name := fmt.Sprintf("n%d", i%50), fmt.Sprintf("p%d", i)
		h.namespace(ns)
		h.bind("", name, "all", h.account(ns, name))
		h.pod(ns, name, i%(n/20+1), true)
	}
	return h
}

// looked analyses it all, and says how much memory that left in use at most.
func (h hostile) looked(t *testing.T, rules *Rules) (v *graph.View, gaps []collect.Gap) {
	t.Helper()
	made := segment.Cluster(h.Facts, segment.Judge(h.Facts, rules.Powers))
	shared := graph.NewShared(schema.Vocabulary())
	made.PutShared(shared)
	frozen := shared.Freeze()
	seg, gaps := made.Build(frozen)
	seg, _, more, err := Cluster(t.Context(), graph.NewView(schema.Vocabulary(), frozen, seg), seg, rules, gaps...)
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 4<<30 {
		t.Errorf("%d MiB came from the operating system", m.Sys>>20)
	}
	return graph.NewView(schema.Vocabulary(), frozen, seg), slices.Concat(gaps, more)
}

func TestWhereEverythingReachesEverythingNoPathIsLostSilently(t *testing.T) {
	const pods = 2000
	rules := builtIn(t)
	v, _ := everybody(pods).looked(t, rules)
	on, err := newSurvey(t.Context(), v, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newSearch(on, nil)
	s.most = 500
	footholds := s.assumed(assumption{kind: "any"})
	all := 0
	for _, f := range footholds {
		f.all = f.all.sorted()
		all += len(s.goals(f))
	}
	paths, err := s.follow(t.Context(), footholds)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != s.most || len(paths)+s.left != all || all < 4*pods {
		t.Errorf("%d paths are told and %d counted, of %d", len(paths), s.left, all)
	}
	if len(s.gaps) != 1 || !strings.Contains(s.gaps[0].Why, fmt.Sprint(s.left)) {
		t.Errorf("what is not told is no gap: %v", s.gaps)
	}
	for n := range v.Nodes("Container") {
		if !n.Value("reachesClusterAdmin").Bool() {
			t.Fatalf("%s does not say what it reaches", n.ID())
		}
	}
}

func TestRolesBindingsAndPoliciesOfAnySizeAreLookedAtWhole(t *testing.T) {
	reads := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list"}}
	holders := func(v *graph.View, power string) (n int) {
		for s := range v.Nodes("ServiceAccount") {
			for e := range s.Out("HOLDS") {
				if e.To.Text("power") == power {
					n++
					break
				}
			}
		}
		return n
	}
	tests := []struct {
		name    string
		make    func(hostile)
		readers int
	}{
		{"ClusterRoles that gather each other", func(h hostile) {
			for i := range 2000 {
				name := fmt.Sprintf("r%d", i)
				h.role(name)
				r := h.ClusterRoles[collect.Key{Name: name}]
				r.Labels = map[string]string{"ring": fmt.Sprint(i)}
				r.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
					{MatchLabels: map[string]string{"ring": fmt.Sprint((i + 1) % 2000)}}}}
			}
			h.role("last", reads)
			h.ClusterRoles[collect.Key{Name: "last"}].Labels = map[string]string{"ring": "0"}
			h.bind("", "b", "r7", h.account("n", "a"))
		}, 1},
		{"roles of ten thousand rules", func(h hostile) {
			var rules []rbacv1.PolicyRule
			for i := range 10_000 {
				rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{fmt.Sprintf("g%d.example", i)}, Resources: []string{"things"},
					Verbs: []string{"get"}, ResourceNames: []string{fmt.Sprint(i)}})
			}
			for r := range 5 {
				h.role(fmt.Sprintf("r%d", r), append(slices.Clone(rules), reads)...)
				for a := range 20 {
					h.bind("n", fmt.Sprintf("b%d-%d", r, a), fmt.Sprintf("r%d", r), h.account("n", fmt.Sprintf("a%d-%d", r, a)))
				}
			}
		}, 100},
		{"many bindings", func(h hostile) {
			h.role("reader", reads)
			for i := range 100_000 {
				ns := fmt.Sprintf("n%d", i%500)
				h.namespace(ns)
				h.bind(ns, fmt.Sprintf("b%d", i), "reader", h.account(ns, fmt.Sprintf("a%d", i%4000)))
			}
		}, 4000},
		{"policies in each of many namespaces", func(h hostile) {
			for i := range 5000 {
				ns := fmt.Sprintf("n%d", i)
				h.namespace(ns)
				h.pod(ns, "p", i%125, false)
				for _, name := range []string{"deny", "own"} {
					p := &networkingv1.NetworkPolicy{ObjectMeta: objectMeta(ns, name)}
					if name == "own" {
						p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{
							From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}}
					}
					h.NetworkPolicies[collect.Key{Namespace: ns, Name: name}] = p
				}
			}
			h.role("reader", reads)
			h.bind("", "b", "reader", h.account("n1", "a"))
		}, 1},
	}
	rules := builtIn(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHostile()
			h.namespace("n")
			test.make(h)
			v, _ := h.looked(t, rules)
			if got := holders(v, "read-secrets"); got != test.readers {
				t.Errorf("%d accounts may read Secrets, want %d", got, test.readers)
			}
		})
	}
}
