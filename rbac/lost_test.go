package rbac

import (
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestWhatAChangeOfBindingsTakesFromWhom(t *testing.T) {
	const roles = "ClusterRole reader: get pods,pods/log | get /metrics\nRole shop/one: get pods [web]\nServiceAccount shop/web\n"
	const everywhere, here = "ClusterRoleBinding a: reader <- ServiceAccount shop/web\n",
		"RoleBinding shop/b: reader <- ServiceAccount shop/web\n"
	const named, members = "RoleBinding shop/b: Role/one <- ServiceAccount shop/web\n",
		"ClusterRoleBinding g: reader <- Group system:serviceaccounts\n"
	web := "ServiceAccount shop/web: "
	group := "Group system:serviceaccounts: "
	allPods := func(who string) []string {
		return []string{who + "get /metrics", who + "get pods in the whole cluster", who + "get pods/log in the whole cluster"}
	}
	for _, test := range []struct {
		name, given, revoke string
		want                []string
	}{
		{"the only binding", everywhere, "ClusterRoleBinding a", allPods(web)},
		{"a narrower one is left", everywhere + here, "ClusterRoleBinding a", allPods(web)},
		{"a wider one is left", everywhere + here, "RoleBinding shop/b", nil},
		{"a named object, and the account's group may get all", named + members, "RoleBinding shop/b", nil},
		{"a named object", named, "RoleBinding shop/b", []string{web + "get pods web in namespace shop"}},
		{"who is a member of a group loses it with all of the group", members, "ClusterRoleBinding g", allPods(group)},
		{"the same rules by another name", everywhere + "ClusterRole again: get pods,pods/log | get /metrics\n" +
			"ClusterRoleBinding c: again <- ServiceAccount shop/web\n", "ClusterRoleBinding a", nil},
		{"other rules by another binding", everywhere + "ClusterRole lister: list pods | get pods\nClusterRoleBinding c: lister <- " +
			"ServiceAccount shop/web\n",
			"ClusterRoleBinding a", []string{web + "get /metrics", web + "get pods/log in the whole cluster"}},
		{"the same rules in another namespace", here + "RoleBinding bank/b: reader <- ServiceAccount shop/web\n", "RoleBinding shop/b",
			[]string{web + "get pods in namespace shop", web + "get pods/log in namespace shop"}},
		{"what a role allows twice is lost once",
			"ClusterRole twice: get pods | get,get pods\nClusterRoleBinding a: twice <- ServiceAccount shop/web\n",
			"ClusterRoleBinding a", []string{web + "get pods in the whole cluster"}},
		{"what two of its bindings allow is lost once", "ClusterRole again: get pods\nClusterRoleBinding a: again <- ServiceAccount shop/web, " +
			"ServiceAccount shop/web\n", "ClusterRoleBinding a", []string{web + "get pods in the whole cluster"}},
		{"a group that the account is not in", "ClusterRoleBinding a: reader <- Group system:serviceaccounts:bank\n",
			"ClusterRoleBinding a", nil},
		{"the account's group in its namespace", "RoleBinding shop/b: Role/one <- Group system:serviceaccounts:shop\n", "RoleBinding shop/b",
			[]string{"Group system:serviceaccounts:shop: get pods web in namespace shop"}},
		{"a binding of another name", everywhere, "ClusterRoleBinding other", nil},
		{"another subject of the binding", "ClusterRoleBinding a: reader <- User eve\n", "ClusterRoleBinding a", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := facts(t, roles+test.given)
			var got []string
			for _, l := range Lost(f, Revoke(f, Grant{ServiceAccount("shop", "web"), test.revoke})) {
				if got = append(got, l.Subject.String()+": "+l.Request.String()); l.Unread {
					t.Errorf("%s: a role is unread", l.Request)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("lost %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnAccountThatIsNoMoreLosesNothing(t *testing.T) {
	before := facts(t, "ClusterRole reader: get pods\nServiceAccount shop/web\nClusterRoleBinding a: reader <- ServiceAccount shop/web\n")
	if lost := Lost(before, facts(t, "ClusterRole reader: get pods\n")); len(lost) > 0 {
		t.Errorf("%+v", lost)
	}
}

func TestWhatARoleThatCannotBeReadMayStillAllowIsNotKnownToBeLost(t *testing.T) {
	f := facts(t, "ClusterRole reader: get pods\nClusterRoleBinding a: reader <- User eve\nClusterRoleBinding b: hidden <- User eve\n")
	f.Gaps[collect.GapKey{Source: "api", What: "clusterroles"}] = collect.Gap{Source: "api", What: "clusterroles",
		Kinds: []string{"ClusterRole"}}
	if lost := Lost(f, Revoke(f, Grant{User("eve"), "ClusterRoleBinding a"})); len(lost) != 1 || !lost[0].Unread {
		t.Errorf("%+v", lost)
	}
}

func TestABindingThatKeepsItsSubjectsIsLeftAsItIs(t *testing.T) {
	f := facts(t, "ClusterRole reader: get pods\nServiceAccount shop/web\nClusterRoleBinding a: reader <- User eve\n"+
		"RoleBinding shop/b: reader <- User eve, ServiceAccount shop/web\n")
	a, b := collect.Key{Name: "a"}, collect.Key{Namespace: "shop", Name: "b"}
	left := Revoke(f, Grant{ServiceAccount("shop", "web"), "RoleBinding shop/b"}, Grant{ServiceAccount("shop", "web"),
		"ClusterRoleBinding a"})
	if left.ClusterRoleBindings[a] != f.ClusterRoleBindings[a] {
		t.Error("a binding that names others is made anew")
	}
	if now := left.RoleBindings[b].Subjects; len(now) != 1 || now[0].Name != "eve" || len(f.RoleBindings[b].Subjects) != 2 {
		t.Errorf("left are %v, of the facts before %v", now, f.RoleBindings[b].Subjects)
	}
}
