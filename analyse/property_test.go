package analyse

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/vuln"
)

// random is a small cluster in which anything may be true of anything. ns names
// its namespaces.
func random(seed uint64, ns func(int) string) (*collect.Facts, []*assess.Assessment) {
	r := rand.New(rand.NewPCG(seed, 1))
	one := func(in int) bool { return r.IntN(in) == 0 }
	f := collect.NewFacts()
	f.Cluster.Name = "c"
	for i := range 3 {
		n := &collect.Node{Name: fmt.Sprint("node-", i), InternalIPs: []string{fmt.Sprint("10.0.0.", i)}}
		if one(3) {
			n.ExternalIPs = []string{fmt.Sprint("203.0.113.", i)}
		}
		f.Nodes[collect.Key{Name: n.Name}] = n
	}
	f.ClusterRoles[collect.Key{Name: "all"}] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "all"},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}}
	for w := range 6 {
		k := collect.Key{Namespace: ns(r.IntN(2)), Name: fmt.Sprint("w-", w)}
		labels := &collect.Labels{Map: map[string]string{"app": k.Name}}
		shape := &collect.PodShape{ServiceAccount: fmt.Sprint("sa-", r.IntN(3)), HostNetwork: one(5), ShareProcessNamespace: one(3),
			Volumes: []collect.Volume{{Name: "data", Type: "emptyDir"}}}
		for c := range 1 + r.IntN(3) {
			s := collect.ContainerShape{Name: fmt.Sprint("c-", c), Image: fmt.Sprint("registry.test/i-", r.IntN(4)), Privileged: one(4)}
			if one(2) {
				s.Ports = []collect.ContainerPort{{Port: int32(8080 + c)}}
			}
			if one(2) {
				s.Mounts = []collect.Mount{{Volume: "data", Path: "/d", ReadOnly: one(2)}}
			}
			shape.Containers = append(shape.Containers, s)
		}
		for p := range 1 + r.IntN(3) {
			key := collect.Key{Namespace: k.Namespace, Name: fmt.Sprint(k.Name, "-", p)}
			f.Pods[key] = &collect.Pod{Key: key, Node: fmt.Sprint("node-", r.IntN(3)), IPs: []string{fmt.Sprint("10.2.", w, ".", p)},
				Phase:  "Running",
				Labels: labels, Shape: shape, Owner: collect.OwnerRef{Kind: "StatefulSet", Name: k.Name}}
		}
		if one(2) {
			f.Services[k] = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: k.Name}, Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeLoadBalancer, Selector: labels.Map,
				Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(int32(8080 + r.IntN(3)))}}},
				Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{
					Ingress: []corev1.LoadBalancerIngress{{IP: fmt.Sprint("203.0.113.1", w)}}}}}
		}
	}
	for i := range 2 {
		if one(2) {
			bind(f, ns(i), fmt.Sprint("sa-", r.IntN(3)))
		}
	}
	var images []*assess.Assessment
	for i := range 4 {
		var found advisories
		if one(2) {
			found = advisories{{ID: "CVE-2026-1", Severity: vuln.High, RCE: true}}
		}
		images = append(images, assess.Contents{ID: fmt.Sprint("registry.test/i-", i, ":latest"),
			Components: []assess.Component{{Package: vuln.Package{Ecosystem: "Debian:12", Name: "p", Version: "1"},
				PURL: "pkg:deb/debian/p@1"}}}.Assess(found))
	}
	return f, images
}

// bind makes a service account an administrator of the cluster.
func bind(f *collect.Facts, namespace, account string) {
	name := namespace + "-" + account
	f.ClusterRoleBindings[collect.Key{Name: name}] = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:  rbacv1.RoleRef{Kind: "ClusterRole", Name: "all"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: account}}}
}

func plainNames(i int) string { return fmt.Sprint("ns-", i) }

const seeds = 60

func TestAddingABindingNeverRemovesAPath(t *testing.T) {
	rules, found := builtIn(t), 0
	for seed := range uint64(seeds) {
		f, images := random(seed, plainNames)
		_, before := analysed(t, f, rules, images)
		bind(f, plainNames(int(seed%2)), fmt.Sprint("sa-", seed%3))
		_, after := analysed(t, f, rules, images)
		left := map[string]bool{}
		for _, p := range after {
			left[p.ID] = true
		}
		for _, p := range before {
			if !left[p.ID] {
				t.Errorf("seed %d: %s is gone", seed, p.Title)
			}
		}
		found += len(before)
	}
	if found < seeds {
		t.Errorf("only %d paths in %d clusters: the test says little", found, seeds)
	}
}

func TestRenamingNamespacesChangesNoCount(t *testing.T) {
	rules := builtIn(t)
	for seed := range uint64(seeds) {
		f, images := random(seed, plainNames)
		g, _ := random(seed, func(i int) string { return fmt.Sprint("zz-other-", 9-i) })
		_, a := analysed(t, f, rules, images)
		_, b := analysed(t, g, rules, images)
		if x, y := tally(a), tally(b); !maps.Equal(x, y) {
			t.Errorf("seed %d: %v became %v", seed, x, y)
		}
	}
}

func tally(paths []Path) map[string]int {
	out := map[string]int{}
	for _, p := range paths {
		out[p.Type+" "+p.Risk]++
	}
	return out
}

func TestTheSearchReachesExactlyWhatANaiveWalkReachesAndAsCheaply(t *testing.T) {
	rules, some := builtIn(t), 0
	for seed := range uint64(seeds) {
		f, images := random(seed, plainNames)
		view, paths := analysed(t, f, rules, images)
		s := searchOn(t, view, rules)
		told := map[string]bool{}
		for _, p := range paths {
			if p.Identity() != p.ID {
				t.Errorf("seed %d: %s says of itself that it is %s: %s", seed, p.ID, p.Identity(), p.Title)
			}
			if p.Target.ID != p.Foothold.ID {
				told[p.EntryClass+" "+p.Foothold.ID+" ⇒ "+p.Target.Kind+" "+p.Target.ID] = true
			}
		}
		reached := map[string]bool{}
		for _, hold := range s.footholds() {
			want := naive(s, hold)
			got := map[string]int32{}
			s.walk.from(s.starts(hold))
			for _, p := range s.walk.reached {
				g := s.field.goalOf(p)
				if g == nil || !hold.wants(g) {
					continue
				}
				key := hold.class + " " + hold.group.id + " ⇒ " + g.group.kind + " " + g.group.id
				if _, there := got[key]; !there {
					got[key] = s.walk.cost[p]
				}
				reached[key] = true
			}
			if !maps.Equal(got, want) {
				t.Errorf("seed %d: found %v, want %v", seed, got, want)
			}
			some += len(want)
		}
		if !maps.Equal(told, reached) {
			t.Errorf("seed %d: told %v, reached %v", seed, slices.Sorted(maps.Keys(told)), slices.Sorted(maps.Keys(reached)))
		}
	}
	if some < seeds {
		t.Errorf("only %d reached in %d clusters: the test says little", some, seeds)
	}
}

// naive is what a foothold's individuals reach, one by one, and what the cheapest
// way costs: every edge is tried again until nothing gets cheaper.
func naive(s *search, f *foothold) map[string]int32 {
	out := map[string]int32{}
	cost := map[graph.Node]int32{}
	next := slices.Clone(f.walks)
	for _, n := range next {
		cost[n] = 0
	}
	for len(next) > 0 {
		n := next[0]
		next = next[1:]
		for _, kind := range stepKinds() {
			for e := range n.Out(kind) {
				total, ends := cost[n], false
				if rule := s.rules.byID[e.Value("rule").Str()]; rule != nil {
					total, ends = total+rule.cost(e.Value("uncertain").Str() != ""), rule.Ends
				}
				for i, p := range s.types {
					if s.targets.has(i, e.To) && slices.Contains(p.Arrive, kind) {
						if goal := goalAt(p, e.To); f.wants(goal) {
							key := f.class + " " + f.group.id + " ⇒ " + goal.group.kind + " " + goal.group.id
							if was, there := out[key]; !there || total < was {
								out[key] = total
							}
						}
						break
					}
				}
				if was, there := cost[e.To]; !ends && (!there || total < was) {
					cost[e.To] = total
					next = append(next, e.To)
				}
			}
		}
	}
	return out
}
