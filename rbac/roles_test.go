package rbac

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/breakwater-sec/breakwater/collect"
)

// aggregate makes a ClusterRole gather those with a label; uid is that of an
// applied one.
func aggregate(f *collect.Facts, name, label, uid string) {
	c := f.ClusterRoles[keyOf(name)]
	if c == nil {
		c = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
		f.ClusterRoles[keyOf(name)] = c
	}
	c.UID = types.UID(uid)
	c.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
		{MatchLabels: map[string]string{label: "true"}},
		{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: label, Operator: "Nonsense"}}},
	}}
}

func label(f *collect.Facts, name string, labels ...string) {
	f.ClusterRoles[keyOf(name)].Labels = map[string]string{}
	for _, l := range labels {
		f.ClusterRoles[keyOf(name)].Labels[l] = "true"
	}
}

// TestAggregationIsTheControllers: it overwrites the rules of an aggregating role
// by those of the roles that it selects, Kubernetes' own among them.
func TestAggregationIsTheControllers(t *testing.T) {
	const to = "rbac.authorization.k8s.io/aggregate-to-"
	for _, c := range []struct {
		name, roles string
		set         func(*collect.Facts)
		can, cannot []string // verbs and resources
	}{
		{"own rules are overwritten", "ClusterRole agg: create pods\nClusterRole part: list secrets\nClusterRole other: list nodes",
			func(f *collect.Facts) { aggregate(f, "agg", "x", ""); label(f, "part", "x") },
			[]string{"list secrets"}, []string{"create pods", "list nodes"}},
		{"it does not select itself", "ClusterRole agg: create pods\nClusterRole part: list secrets",
			func(f *collect.Facts) { aggregate(f, "agg", "x", ""); label(f, "part", "x"); label(f, "agg", "x") },
			[]string{"list secrets"}, []string{"create pods"}},
		{"those of an applied one are what the controller wrote", "ClusterRole agg: create pods\nClusterRole part: list secrets",
			func(f *collect.Facts) { aggregate(f, "agg", "x", "applied"); label(f, "part", "x") },
			[]string{"create pods"}, []string{"list secrets"}},
		{"where it has written nothing yet, they are gathered", "ClusterRole part: list secrets",
			func(f *collect.Facts) { aggregate(f, "agg", "x", "applied"); label(f, "part", "x") },
			[]string{"list secrets"}, nil},
		{"through another that gathers", "ClusterRole mid: create pods\nClusterRole part: list secrets",
			func(f *collect.Facts) {
				aggregate(f, "agg", "x", "")
				aggregate(f, "mid", "y", "")
				label(f, "mid", "x")
				label(f, "part", "y")
			}, []string{"list secrets"}, []string{"create pods"}},
		{"in a circle", "ClusterRole part: list secrets",
			func(f *collect.Facts) {
				aggregate(f, "agg", "x", "")
				aggregate(f, "mid", "y", "")
				label(f, "mid", "x")
				label(f, "agg", "y")
				label(f, "part", "y")
			}, []string{"list secrets"}, nil},
		{"Kubernetes' own parts", "ClusterRole part: create widgets",
			func(f *collect.Facts) { aggregate(f, "agg", to+"edit", ""); label(f, "part", to+"edit") },
			[]string{"create widgets", "create pods", "get pods"}, []string{"bind roles"}},
	} {
		f := facts(t, c.roles+"\nClusterRoleBinding b: agg <- User alice")
		c.set(f)
		check(t, c.name, New(f), c.can, true)
		check(t, c.name, New(f), c.cannot, false)
		if g := New(f).Gaps(); len(g) != 0 {
			t.Errorf("%s: gaps %v", c.name, g)
		}
	}
}

func check(t *testing.T, name string, j *Judge, asks []string, want bool) {
	t.Helper()
	for _, ask := range asks {
		verb, resource, _ := strings.Cut(ask, " ")
		if d := j.Can(User("alice"), Request{Verb: verb, Resource: resource}); d.Allowed != want {
			t.Errorf("%s: %s is %v: %s", name, ask, d.Allowed, d.Explain())
		}
	}
}

// TestLabelsAddToKubernetesOwnRoles: view holds what is labelled for
// it, and so does edit, which gathers view.
func TestLabelsAddToKubernetesOwnRoles(t *testing.T) {
	for name, want := range map[string]bool{"view": true, "edit": true, "admin": true, "system:basic-user": false} {
		f := facts(t, "ClusterRole more: list secrets\nClusterRoleBinding b: "+name+" <- User alice")
		label(f, "more", "rbac.authorization.k8s.io/aggregate-to-view")
		d := New(f).Can(User("alice"), Request{Verb: "list", Resource: "secrets"})
		if d.Allowed != want {
			t.Errorf("%s: %s", name, d.Explain())
		}
	}
	f := facts(t, "ClusterRole more: list widgets\nClusterRoleBinding b: view <- User alice")
	label(f, "more", "rbac.authorization.k8s.io/aggregate-to-view")
	for resource, want := range map[string]string{
		"widgets": "to ClusterRole view, which gathers the rules of ClusterRole more, whose rule 0 allows list widgets.",
		"pods":    "which gathers the rules of ClusterRole system:aggregate-to-view (a Kubernetes default, not read), whose rule",
	} {
		if got := New(f).Can(User("alice"), Request{Verb: "list", Resource: resource}).Explain(); !strings.Contains(got, want) {
			t.Errorf("%s: %s", resource, got)
		}
	}
}

func TestRolesThatEveryClusterHas(t *testing.T) {
	for _, c := range []struct {
		binding string
		asks    Request
		want    bool
	}{
		{"ClusterRoleBinding b: system:auth-delegator <- User alice", Request{Verb: "create", Group: "authentication.k8s.io",
			Resource: "tokenreviews"}, true},
		{"ClusterRoleBinding b: system:node <- User alice", Request{Verb: "get", Resource: "secrets"}, true},
		{"ClusterRoleBinding b: cluster-admin <- User alice", Request{Verb: "get", Path: "/metrics"}, true},
		{"RoleBinding kube-system/b: Role/extension-apiserver-authentication-reader <- User alice", Request{Verb: "get", Namespace: "kube-system",
			Resource: "configmaps", Name: "extension-apiserver-authentication"}, true},
		{"RoleBinding kube-system/b: Role/extension-apiserver-authentication-reader <- User alice", Request{Verb: "get", Namespace: "kube-system",
			Resource: "configmaps", Name: "other"}, false},
	} {
		j := New(facts(t, c.binding))
		if d := j.Can(User("alice"), c.asks); d.Allowed != c.want || len(j.Gaps()) != 0 || d.Allowed && !d.Witness.BuiltIn {
			t.Errorf("%s: %s, gaps %v", c.binding, d.Explain(), j.Gaps())
		}
	}
	f := facts(t, "ClusterRole view: list widgets\nRole kube-system/system:controller:token-cleaner: list widgets\n"+
		"ClusterRoleBinding b: view <- User alice\nRoleBinding kube-system/c: Role/system:controller:token-cleaner <- User bob")
	for _, s := range []Subject{User("alice"), User("bob")} {
		d := New(f).Can(s, Request{Verb: "list", Resource: "widgets", Namespace: "kube-system"})
		if !d.Allowed || d.Witness.BuiltIn || New(f).Can(s, Request{Verb: "list", Resource: "secrets", Namespace: "kube-system"}).Allowed {
			t.Errorf("what was read is not what counts: %s", d.Explain())
		}
	}
}

// TestARoleThatNobodySawIsAGapOfItsHolders, unless all roles were read.
func TestARoleThatNobodySawIsAGapOfItsHolders(t *testing.T) {
	read := func(f *collect.Facts) {
		f.Apply(collect.Change{Op: collect.Resynced, Kind: "ClusterRole", Version: "7"})
		f.Apply(collect.Change{Op: collect.Resynced, Kind: "Role", Version: "7"})
	}
	forbidden := func(f *collect.Facts) {
		read(f)
		f.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "api", What: "clusterroles.rbac.authorization.k8s.io", Why: "403"}})
	}
	nothing := func(*collect.Facts) {}
	for _, c := range []struct {
		name, roles string
		set         func(*collect.Facts)
		gap         string // its words, empty if there is none
		unread      []Subject
	}{
		{"a ClusterRole", "ClusterRoleBinding b: lost <- User alice, User bob, User alice", nothing,
			"ClusterRole lost: it was not seen, and ClusterRoleBinding b binds it: User alice and 1 more may hold",
			[]Subject{User("alice"), User("bob")}},
		{"a Role", "RoleBinding shop/b: Role/lost <- ServiceAccount shop/web", nothing,
			"Role shop/lost: it was not seen, and RoleBinding shop/b binds it: ServiceAccount shop/web may hold",
			[]Subject{ServiceAccount("shop", "web")}},
		{"of a group's members", "ServiceAccount shop/web\nClusterRoleBinding b: lost <- Group system:serviceaccounts:shop", nothing,
			"Group system:serviceaccounts:shop may hold", []Subject{Group("system:serviceaccounts:shop"), ServiceAccount("shop", "web")}},
		{"one that selects nothing that was seen", "ClusterRole agg: get pods\nClusterRoleBinding b: agg <- User alice",
			func(f *collect.Facts) { aggregate(f, "agg", "x", "") }, "it gathers the rules of other roles, and none", []Subject{User("alice")}},
		{"one that selects only itself", "ClusterRole agg: get pods\nClusterRoleBinding b: agg <- User alice",
			func(f *collect.Facts) { aggregate(f, "agg", "x", ""); label(f, "agg", "x") }, "it gathers the rules of other roles, and none",
			[]Subject{User("alice")}},
		{"beside one that was seen", "ClusterRole r: list nodes\nClusterRoleBinding a: r <- User alice, User bob\n" +
			"ClusterRoleBinding b: lost <- User alice", nothing, "User alice may hold", []Subject{User("alice")}},
		{"an applied one that selects nothing", "ClusterRoleBinding b: agg <- User alice",
			func(f *collect.Facts) { aggregate(f, "agg", "x", "applied") }, "", nil},
		{"one that is not there, when all were read",
			"ClusterRoleBinding b: lost <- User alice\nRoleBinding shop/b: Role/lost <- User alice", read, "", nil},
		{"when roles may not be read", "ClusterRoleBinding b: lost <- User alice", forbidden, "by clusterroles: 403", []Subject{User("alice")}},
	} {
		f := facts(t, c.roles)
		c.set(f)
		j := New(f)
		var text []string
		for _, g := range j.Gaps() {
			text = append(text, g.What+": "+g.Why+": "+g.Consequence)
		}
		if (c.gap == "") != (len(text) == 0) || len(text) > 1 || !strings.Contains(strings.Join(text, ""), c.gap) {
			t.Errorf("%s: gaps %q, want %q", c.name, text, c.gap)
		}
		var unread []Subject
		for s, roles := range j.Unread() {
			if unread = append(unread, s); len(roles) == 0 || roles[0].Binding.Name != "b" {
				t.Errorf("%s: unread %v", c.name, roles)
			}
		}
		slices.SortFunc(unread, compareSubjects)
		slices.SortFunc(c.unread, compareSubjects)
		if !slices.Equal(unread, c.unread) {
			t.Errorf("%s: unread of %v, want %v", c.name, unread, c.unread)
		}
		if d := j.Can(User("alice"), Request{Verb: "get", Resource: "pods"}); slices.Contains(c.unread, User("alice")) !=
			strings.Contains(d.Explain(), "could not be seen and may") {
			t.Errorf("%s: %s", c.name, d.Explain())
		}
	}
}
