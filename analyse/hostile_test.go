package analyse

import (
	"encoding/json"
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

// TestWhatIsLongIsNotRepeatedByEveryPath: a Service of thousands of ports, and a volume whose path is a megabyte, stand at a step of
// each of many paths.
func TestWhatIsLongIsNotRepeatedByEveryPath(t *testing.T) {
	const containers, ports = 20, 3000
	h := newHostile()
	h.namespace("n")
	h.pod("n", "p", 0, false)
	p := h.Pods[collect.Key{Namespace: "n", Name: "p"}]
	p.Labels = &collect.Labels{Map: map[string]string{"app": "a"}}
	long := "/" + strings.Repeat("x", 1<<20)
	p.Shape.Volumes = []collect.Volume{{Name: "v", Type: "hostPath", Path: long}}
	p.Shape.Containers = nil
	for i := range containers {
		p.Shape.Containers = append(p.Shape.Containers, collect.ContainerShape{Name: fmt.Sprint("c", i), Image: "registry.test/a:1",
			Privileged: true, Mounts: []collect.Mount{{Volume: "v", Path: "/v"}}})
	}
	s := &corev1.Service{ObjectMeta: objectMeta("n", "s"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer,
		Selector: map[string]string{"app": "a"}}}
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "8.8.8.8"}}
	for i := range ports {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", i), Port: int32(i + 1)})
	}
	h.Services[collect.Key{Namespace: "n", Name: "s"}] = s
	made := segment.Cluster(h.Facts, segment.Judge(h.Facts, builtIn(t).Powers))
	shared := graph.NewShared(schema.Vocabulary())
	made.PutShared(shared)
	frozen := shared.Freeze()
	seg, gaps := made.Build(frozen)
	_, paths, _, err := Cluster(t.Context(), graph.NewView(schema.Vocabulary(), frozen, seg), seg, builtIn(t), gaps...)
	if err != nil || len(paths) == 0 {
		t.Fatal(len(paths), err)
	}
	all, err := json.Marshal(paths)
	if err != nil {
		t.Fatal(err)
	}
	if most := len(paths) * 40_000; len(all) > most {
		t.Errorf("%d paths are %d bytes: %.2000s", len(paths), len(all), all)
	}
}

// drawn is the graph of the facts and what is not in it.
func (h hostile) drawn() (*graph.View, string) {
	made := segment.Cluster(h.Facts, segment.Judge(h.Facts, nil))
	shared := graph.NewShared(schema.Vocabulary())
	made.PutShared(shared)
	frozen := shared.Freeze()
	seg, gaps := made.Build(frozen)
	var said strings.Builder
	for _, g := range gaps {
		fmt.Fprintf(&said, "%s: %s\n", g.What, g.Why)
	}
	return graph.NewView(schema.Vocabulary(), frozen, seg), said.String()
}

func counted(v *graph.View, kind, name string) (n int) {
	for node := range v.Nodes(kind) {
		for range node.Out(name) {
			n++
		}
	}
	return n
}

func TestWhatIsDrawnOfObjectsDoesNotMultiply(t *testing.T) {
	const n = 300
	for _, test := range []struct {
		name, kind, edge string
		make             func(hostile)
		most             int
		says             string
	}{
		{"one volume of many Secrets, mounted at many paths", "Container", "MOUNTS", func(h hostile) {
			h.pod("n", "p", 0, false)
			p := h.Pods[collect.Key{Namespace: "n", Name: "p"}]
			v := collect.Volume{Name: "v", Type: "projected"}
			for i := range n {
				v.Secrets = append(v.Secrets, fmt.Sprint("s", i))
				p.Shape.Containers[0].Mounts = append(p.Shape.Containers[0].Mounts, collect.Mount{Volume: "v", Path: fmt.Sprint("/", i), SubPath: "x"})
			}
			p.Shape.Volumes = []collect.Volume{v}
		}, 2 * n, ""},
		{"an account of many secrets for images, and its pods", "Pod", "NEEDS", func(h hostile) {
			h.account("n", "a")
			for i := range n {
				sa := h.ServiceAccounts[collect.Key{Namespace: "n", Name: "a"}]
				sa.ImagePullSecrets = append(sa.ImagePullSecrets, corev1.LocalObjectReference{Name: fmt.Sprint("s", i)})
				h.pod("n", fmt.Sprint("p", i), 0, false)
				h.Pods[collect.Key{Namespace: "n", Name: fmt.Sprint("p", i)}].Shape.ServiceAccount = "a"
			}
		}, 64 * n, "accounts with more than 64 secrets for images: 1, the first of them n/a"},
		{"policies that each select all pods", "NetworkPolicy", "SELECTS", func(h hostile) {
			for i := range 2 * n {
				h.pod("n", fmt.Sprint("p", i), 0, false)
				h.NetworkPolicies[collect.Key{Namespace: "n", Name: fmt.Sprint(i)}] = &networkingv1.NetworkPolicy{
					ObjectMeta: objectMeta("n", fmt.Sprint(i))}
			}
		}, 64*2*n + 100_000, "of pods with more than 64 policies 221600 times one was left out"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHostile()
			h.namespace("n")
			test.make(h)
			v, said := h.drawn()
			if got := counted(v, test.kind, test.edge); got > test.most || got < n {
				t.Errorf("%d edges %s, want at most %d", got, test.edge, test.most)
			}
			if !strings.Contains(said, test.says) {
				t.Errorf("nothing says what is left out: %s", said)
			}
		})
	}
}
