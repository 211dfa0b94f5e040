package rbac

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// random writes roles and bindings that often meet.
func random(rnd *rand.Rand) string {
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	rule := func() string {
		return pick("get,list", "create", "create,patch", "*", "bind", "patch", "impersonate", "escalate") + " " +
			pick("secrets", "pods", "pods/exec", "*:*", "rbac.authorization.k8s.io:clusterroles,rolebindings", "nodes/proxy",
				"users,groups", "serviceaccounts/token") + pick("", "", " [a]", " [a,b]")
	}
	who := func() string {
		return pick("ServiceAccount shop/web", "ServiceAccount bank/job", "User alice", "Group devs",
			"Group system:serviceaccounts:shop", "Group system:authenticated")
	}
	var b strings.Builder
	for i := range 4 {
		fmt.Fprintf(&b, "ClusterRole c%d: %s | %s\n", i, rule(), rule())
		fmt.Fprintf(&b, "Role shop/r%d: %s\n", i, rule())
	}
	for i := range rnd.IntN(5) {
		fmt.Fprintf(&b, "RoleBinding %s/b%d: c%d <- %s\n", pick("shop", "bank"), i, rnd.IntN(4), who())
		fmt.Fprintf(&b, "RoleBinding shop/q%d: Role/r%d <- %s, %s\n", i, rnd.IntN(4), who(), who())
	}
	if rnd.IntN(2) == 0 {
		fmt.Fprintf(&b, "ClusterRoleBinding g: c%d <- %s\n", rnd.IntN(4), who())
	}
	return b.String()
}

// reaches is every place that a hold covers, one by one.
func reaches(j *Judge, powers []Power) map[string]bool {
	out := map[string]bool{}
	for _, h := range j.Holds(powers) {
		names, spaces := h.Scope.Names, []string{h.Scope.Namespace}
		if h.Scope.Kind != Names {
			names = []string{"", "a", "b"}
		}
		if h.Scope.Namespace == "" {
			spaces = []string{"", "shop", "bank"}
		}
		for _, ns := range spaces {
			for _, n := range names {
				out[fmt.Sprint(h.Subject, " ", h.Power, " ", ns, "/", n)] = true
			}
		}
	}
	return out
}

func TestAnotherBindingNeverRemovesAPower(t *testing.T) {
	all := powers(t)
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		text := random(rnd)
		before := reaches(New(facts(t, text)), all)
		more := text + "RoleBinding shop/more: c1 <- ServiceAccount shop/web\nClusterRoleBinding more: c2 <- User alice\n"
		after := reaches(New(facts(t, more)), all)
		for place := range before {
			if !after[place] {
				t.Fatalf("%s\nlost %s", more, place)
			}
		}
	}
}

func TestRenamingANamespaceChangesNoCount(t *testing.T) {
	all := powers(t)
	for seed := range uint64(100) {
		text := random(rand.New(rand.NewPCG(seed, 2)))
		renamed := strings.NewReplacer("shop/", "store/", "serviceaccounts:shop", "serviceaccounts:store").Replace(text)
		a, b := New(facts(t, text)).Holds(all), New(facts(t, renamed)).Holds(all)
		if len(a) != len(b) {
			t.Fatalf("%s\n%d holds, %d after renaming", text, len(a), len(b))
		}
	}
}

// TestEveryHoldCanBeAsked takes a hold to the judge's other answer: each place
// it covers must be allowed there, for powers that want one thing only.
func TestEveryHoldCanBeAsked(t *testing.T) {
	all := powers(t)
	byName := map[string]Power{}
	for _, p := range all {
		byName[p.Name] = p
	}
	for seed := range uint64(100) {
		text := random(rand.New(rand.NewPCG(seed, 3)))
		j := New(facts(t, text))
		for _, h := range j.Holds(all) {
			name := ""
			if h.Scope.Kind == Names {
				name = h.Scope.Names[0]
			}
			if p := byName[h.Power]; len(p.All) == 0 && !anyAllowed(j, h, p, name) {
				t.Fatalf("%s\n%s holds %s in %s, and may not", text, h.Subject, h.Power, h.Scope)
			}
		}
	}
}

func anyAllowed(j *Judge, h Hold, p Power, name string) bool {
	return slices.ContainsFunc(p.Any, func(a Ask) bool {
		return slices.ContainsFunc(a.Verbs, func(verb string) bool {
			is := cmp.Or(name, a.Name)
			if a.Resource == "namespaces" {
				is = h.Scope.Namespace
			}
			r := Request{Verb: verb, Group: a.Group, Resource: a.Resource, Path: a.Path, Namespace: h.Scope.Namespace, Name: is}
			if h.Witness.Creates == "" || verb != "create" {
				return slices.ContainsFunc(a.Subresources(), func(sub string) bool {
					r.Subresource = sub
					return j.Can(h.Subject, r).Allowed
				})
			}
			patch := r // by a server-side apply
			r.Name, patch.Name, patch.Verb = h.Witness.Creates, h.Witness.Creates, "patch"
			return j.Can(h.Subject, r).Allowed && j.Can(h.Subject, patch).Allowed
		})
	})
}

func TestHoldsAreTheSameInEveryRun(t *testing.T) {
	text := random(rand.New(rand.NewPCG(9, 9)))
	want := fmt.Sprint(New(facts(t, text)).Holds(powers(t)))
	for range 20 {
		if got := fmt.Sprint(New(facts(t, text)).Holds(powers(t))); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// BenchmarkHolds is every power of every identity of a cluster with 5,000
// bindings to 500 roles in 300 namespaces, and 3,000 more service accounts.
func BenchmarkHolds(b *testing.B) {
	f := collect.NewFacts()
	for i := range 500 {
		name := fmt.Sprintf("role-%d", i)
		rules := rulesOf([]string{"get,list secrets", "create pods/exec", "patch apps:deployments | get pods",
			"get configmaps [a,b] | create serviceaccounts/token [x]"}[i%4])
		f.ClusterRoles[collect.Key{Name: name}] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	}
	for i := range 5000 {
		k := collect.Key{Namespace: fmt.Sprintf("ns-%d", i%300), Name: fmt.Sprintf("b-%d", i)}
		f.RoleBindings[k] = &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: fmt.Sprintf("role-%d", i%500)},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: fmt.Sprintf("sa-%d", i%1000)}}}
	}
	for i := range 3000 {
		f.ServiceAccounts[collect.Key{Namespace: fmt.Sprintf("ns-%d", i%300), Name: fmt.Sprintf("idle-%d", i)}] = nil
	}
	all := powers(b)
	for b.Loop() {
		holds := New(f).Holds(all)
		b.ReportMetric(float64(len(holds)), "holds")
	}
}

// TestWhatIsLeftWithoutABindingIsWhatAllOthersGive holds what is marked as held elsewhere against all that the other bindings give.
func TestWhatIsLeftWithoutABindingIsWhatAllOthersGive(t *testing.T) {
	all, marked := powers(t), map[bool]int{}
	all = append(all, Power{Name: "both", All: []Ask{{Verbs: []string{"impersonate"}, Resource: "serviceaccounts", Names: anywhere},
		{Verbs: []string{"get"}, Resource: "secrets"}}})
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		text := random(rnd) + "ClusterRole impersonator: impersonate serviceaccounts | list pods\n"
		for i := range rnd.IntN(4) {
			text += fmt.Sprintf("RoleBinding team-%d/m: c%d <- ServiceAccount shop/web\nRoleBinding team-%d/n: impersonator <- User alice\n", i,
				rnd.IntN(4), rnd.IntN(4))
		}
		j := New(facts(t, text))
		a := newAsked(all, j)
		for _, h := range j.Holds(all) {
			if slices.Contains(h.Subject.groups(), masters) {
				continue
			}
			others := a.holds(slices.DeleteFunc(j.grants(h.Subject), func(g grant) bool { return g.binding == h.Witness.Binding }))
			want := slices.ContainsFunc(others, func(o Hold) bool { return o.Power == h.Power && o.Scope.overlaps(h.Scope) })
			if marked[want]++; h.Elsewhere != want {
				t.Fatalf("seed %d: %s\n%s holds %s in %s by %s: elsewhere %v, want %v", seed, text, h.Subject, h.Power, h.Scope,
					h.Witness.Binding, h.Elsewhere, want)
			}
		}
	}
	if marked[true] < 100 || marked[false] < 100 {
		t.Errorf("%v: the test says little", marked)
	}
}

// BenchmarkHoldsOfOneWhoIsBoundInManyNamespaces is a deployer's account.
func BenchmarkHoldsOfOneWhoIsBoundInManyNamespaces(b *testing.B) {
	all := powers(b)
	for _, n := range []int{100, 400} {
		var text strings.Builder
		text.WriteString("ClusterRole admin: * *:*\n")
		for i := range n {
			fmt.Fprintf(&text, "RoleBinding team-%d/deployer: admin <- ServiceAccount ops/deployer\n", i)
		}
		j := New(facts(b, text.String()))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				j.Holds(all)
			}
		})
	}
}
