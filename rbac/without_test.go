package rbac

import (
	"fmt"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestARuleLosesOneAskAndKeepsTheRest(t *testing.T) {
	exec := Ask{Verbs: []string{"create"}, Resource: "pods", Subresource: "exec"}
	for _, c := range []struct {
		name string
		rule rbacv1.PolicyRule
		want string
		wild bool
	}{
		{"another verb stays", rule("", "pods/exec", "create,get"), "/pods/exec get", false},
		{"another resource stays", rule("", "pods,pods/exec", "create"), "/pods create", false},
		{"another group stays", rule(",apps", "pods/exec", "create"), "apps/pods/exec create", false},
		{"of every verb all others stay", rule("", "pods/exec", "*"), "/pods/exec delete,deletecollection,get,list,patch,update,watch", false},
		{"a rule about something else stays as it is", rule("", "pods", "*"), "/pods *", false},
		{"every resource cannot be narrowed", rule("", "*", "create"), "", true},
		{"the subresource of every resource cannot", rule("", "*/exec", "create"), "", true},
		{"every group cannot", rule("*", "pods/exec", "create"), "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			left, wild, _ := narrowed([]rbacv1.PolicyRule{c.rule}, exec, false)
			var got []string
			for _, r := range left {
				got = append(got, strings.Join(r.APIGroups, ",")+"/"+strings.Join(r.Resources, ",")+" "+strings.Join(r.Verbs, ","))
			}
			if text := strings.Join(got, "; "); text != c.want || wild != c.wild {
				t.Errorf("%q, wild %v: want %q, %v", text, wild, c.want, c.wild)
			}
		})
	}
}

func rule(groups, resources, verbs string) rbacv1.PolicyRule {
	split := func(s string) []string { return strings.Split(s, ",") }
	return rbacv1.PolicyRule{APIGroups: split(groups), Resources: split(resources), Verbs: split(verbs)}
}

func TestWhatASubjectKeepsWithoutAPower(t *testing.T) {
	exec := Power{Name: "exec", Any: []Ask{{Verbs: []string{"create"}, Resource: "pods", Subresource: "exec"}}}
	pods := Power{Name: "create-pods", Any: []Ask{{Verbs: []string{"create"}, Resource: "pods"}}}
	reads := Ask{Verbs: []string{"get"}, Resource: "secrets"}
	lists := Ask{Verbs: []string{"list"}, Resource: "secrets"}
	one, both := Power{Name: "one", Any: []Ask{reads, lists}}, Power{Name: "both", All: []Ask{reads, lists}}
	debug := Power{Name: "debug", Any: []Ask{{Verbs: []string{"get"}, Path: "/debug"}}}
	const web = " <- ServiceAccount shop/web"
	madeByAPI := map[string]string{"kubernetes.io/bootstrapping": "rbac-defaults"}
	label := func(labels map[string]string, role bool) func(*collect.Facts) {
		return func(f *collect.Facts) {
			for _, r := range f.ClusterRoles {
				if role {
					r.Labels = labels
				}
			}
			for _, r := range f.Roles {
				if role {
					r.Labels = labels
				}
			}
			for _, b := range f.ClusterRoleBindings {
				if !role {
					b.Labels = labels
				}
			}
			for _, b := range f.RoleBindings {
				if !role {
					b.Labels = labels
				}
			}
		}
	}
	gathers := func(selector map[string]string) func(*collect.Facts) {
		return func(f *collect.Facts) {
			f.ClusterRoles[keyOf("reader")].Labels = map[string]string{"to": "all"}
			f.ClusterRoles[keyOf("gatherer")] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "gatherer"},
				AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: selector}}}}
		}
	}
	for _, c := range []struct {
		name, given string
		change      func(*collect.Facts)
		powers      []Power
		namespace   string
		want        string
	}{
		{"a role of its own", "Role shop/r: create pods,pods/exec\nRoleBinding shop/b: Role/r" + web, nil, []Power{exec}, "shop",
			"RoleBinding shop/b keeps create pods of Role shop/r, its own"},
		{"pods are created by their name alone", "Role shop/r: create,get,patch pods [debug]\nRoleBinding shop/b: Role/r" + web, nil,
			[]Power{pods}, "shop", "RoleBinding shop/b keeps get,patch pods [debug] of Role shop/r, its own"},
		{"to create a name without changing it is no power", "Role shop/r: create,get pods [debug]\nRoleBinding shop/b: Role/r" + web, nil,
			[]Power{pods}, "shop", ""},
		{"nothing is left", "Role shop/r: create pods/exec\nRoleBinding shop/b: Role/r" + web, nil, []Power{exec}, "shop",
			"RoleBinding shop/b keeps nothing of Role shop/r, its own"},
		{"rules that have nothing to do with it stay", "Role shop/r: create pods/exec | get pods [a]\nRoleBinding shop/b: Role/r" + web, nil,
			[]Power{exec}, "shop", "RoleBinding shop/b keeps get pods [a] of Role shop/r, its own"},
		{"it is not granted", "Role shop/r: get pods\nRoleBinding shop/b: Role/r" + web, nil, []Power{exec}, "shop", ""},
		{"it is granted to somebody else", "Role shop/r: create pods/exec\nRoleBinding shop/b: Role/r <- User eve", nil, []Power{exec},
			"shop", ""},
		{"elsewhere", "Role bank/r: create pods/exec\nRoleBinding bank/b: Role/r" + web, nil, []Power{exec}, "shop", ""},
		{"anywhere", "Role bank/r: create pods/exec\nRoleBinding bank/b: Role/r" + web, nil, []Power{exec}, "",
			"RoleBinding bank/b keeps nothing of Role bank/r, its own"},
		{"in the whole cluster", "ClusterRole r: create pods,pods/exec\nClusterRoleBinding b: r" + web, nil, []Power{exec}, "shop",
			"ClusterRoleBinding b keeps create pods of ClusterRole r, its own"},
		{"a role that nobody read", "RoleBinding shop/b: Role/r" + web, nil, []Power{exec}, "shop", ""},
		{"others are bound, too",
			"Role shop/r: create pods,pods/exec\nRoleBinding shop/b: Role/r <- User eve, ServiceAccount shop/web, Group devs", nil,
			[]Power{exec}, "shop", "RoleBinding shop/b keeps create pods of Role shop/r, leaves eve devs"},
		{"the role is bound elsewhere, too", "ClusterRole r: create pods,pods/exec\nRoleBinding shop/b: r" + web +
			"\nRoleBinding bank/b: r <- User eve",
			nil, []Power{exec}, "shop", "RoleBinding shop/b keeps create pods of ClusterRole r"},
		{"another role is bound elsewhere", "ClusterRole r: create pods,pods/exec\nClusterRole q: get pods\nRoleBinding shop/b: r" + web +
			"\nRoleBinding bank/b: q <- User eve", nil, []Power{exec}, "shop", "RoleBinding shop/b keeps create pods of ClusterRole r, its own"},
		{"a wildcard", "Role shop/r: create * | get pods\nRoleBinding shop/b: Role/r" + web, nil, []Power{exec}, "shop",
			"RoleBinding shop/b keeps get pods of Role shop/r, its own, wild"},
		{"a wildcard before what is not one", "Role shop/r: create * | create pods/exec,pods\nRoleBinding shop/b: Role/r" + web, nil,
			[]Power{exec},
			"shop", "RoleBinding shop/b keeps create pods of Role shop/r, its own, wild"},
		{"of what is enough by itself, all", "Role shop/r: get,list,watch secrets\nRoleBinding shop/b: Role/r" + web, nil, []Power{one}, "shop",
			"RoleBinding shop/b keeps watch secrets of Role shop/r, its own"},
		{"of what is needed together, one", "Role shop/r: get,list,watch secrets\nRoleBinding shop/b: Role/r" + web, nil, []Power{both}, "shop",
			"RoleBinding shop/b keeps list,watch secrets of Role shop/r, its own"},
		{"two powers", "Role shop/r: get,list secrets | create pods/exec,pods\nRoleBinding shop/b: Role/r" + web, nil, []Power{both,
			exec}, "shop",
			"RoleBinding shop/b keeps list secrets | create pods of Role shop/r, its own"},
		{"the first of two is not granted", "Role shop/r: get,list secrets\nRoleBinding shop/b: Role/r" + web, nil, []Power{exec, both}, "shop",
			"RoleBinding shop/b keeps list secrets of Role shop/r, its own"},
		{"a path", "ClusterRole r: get /debug,/metrics | get pods\nClusterRoleBinding b: r" + web, nil, []Power{debug}, "",
			"ClusterRoleBinding b keeps get pods of ClusterRole r, its own, wild"},
		{"paths that stay", "ClusterRole r: get /metrics | create pods/exec | get pods\nClusterRoleBinding b: r" + web, nil, []Power{exec}, "",
			"ClusterRoleBinding b keeps get /metrics | get pods of ClusterRole r, its own"},
		{"paths alone are no work", "ClusterRole r: get /metrics | create pods/exec\nClusterRoleBinding b: r" + web, nil, []Power{exec}, "",
			"ClusterRoleBinding b keeps nothing of ClusterRole r, its own"},
		{"paths, which no RoleBinding grants", "ClusterRole r: get /metrics | create pods/exec | get pods\nRoleBinding shop/b: r" + web,
			nil, []Power{exec},
			"", "RoleBinding shop/b keeps get pods of ClusterRole r, its own"},
		{"a binding that the API server makes", "ClusterRole r: create pods/exec\nClusterRoleBinding b: r" + web, label(madeByAPI, false),
			[]Power{exec}, "",
			"ClusterRoleBinding b keeps nothing of ClusterRole r, its own, default"},
		{"a binding in a namespace that the API server makes", "ClusterRole r: create pods/exec\nRoleBinding shop/b: r" + web,
			label(madeByAPI, false),
			[]Power{exec}, "", "RoleBinding shop/b keeps nothing of ClusterRole r, its own, default"},
		{"a role that the API server makes", "ClusterRole r: create pods/exec\nClusterRoleBinding b: r" + web, label(madeByAPI, true),
			[]Power{exec}, "",
			"ClusterRoleBinding b keeps nothing of ClusterRole r"},
		{"a role of a namespace that it makes", "Role shop/r: create pods/exec\nRoleBinding shop/b: Role/r" + web, label(madeByAPI, true),
			[]Power{exec}, "",
			"RoleBinding shop/b keeps nothing of Role shop/r"},
		{"a role that another gathers", "ClusterRole reader: create pods/exec\nClusterRoleBinding b: reader" + web,
			gathers(map[string]string{"to": "all"}), []Power{exec}, "", "ClusterRoleBinding b keeps nothing of ClusterRole reader"},
		{"a role that another does not gather", "ClusterRole reader: create pods/exec\nClusterRoleBinding b: reader" + web,
			gathers(map[string]string{"to": "some"}), []Power{exec}, "", "ClusterRoleBinding b keeps nothing of ClusterRole reader, its own"},
		{"a role that the default ones gather", "ClusterRole r: create pods/exec\nClusterRoleBinding b: r" + web,
			label(map[string]string{"rbac.authorization.k8s.io/aggregate-to-edit": "true"}, true), []Power{exec}, "",
			"ClusterRoleBinding b keeps nothing of ClusterRole r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := facts(t, "ServiceAccount shop/web\n"+c.given)
			if c.change != nil {
				c.change(f)
			}
			var said []string
			for _, l := range Without(f, ServiceAccount("shop", "web"), c.powers, c.namespace) {
				var kept []string
				for _, r := range l.Rules {
					text := strings.Join(r.Verbs, ",") + " " + strings.Join(append(r.Resources, r.NonResourceURLs...), ",")
					if len(r.ResourceNames) > 0 {
						text += fmt.Sprint(" ", r.ResourceNames)
					}
					kept = append(kept, text)
				}
				text := l.Binding.String() + " keeps " + strings.Join(kept, " | ")
				if len(kept) == 0 {
					text += "nothing"
				}
				text += " of " + l.Role.String()
				for i, o := range l.Others {
					text += map[bool]string{true: ", leaves "}[i == 0] + map[bool]string{true: " "}[i > 0] + o.Name
				}
				text += map[bool]string{true: ", its own"}[l.Own] + map[bool]string{true: ", wild"}[l.Wild] +
					map[bool]string{true: ", default"}[l.Default]
				said = append(said, text)
			}
			if got := strings.Join(said, "; "); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhoHoldsAPowerWhere(t *testing.T) {
	exec := Power{Name: "exec", Any: []Ask{{Verbs: []string{"create"}, Resource: "pods", Subresource: "exec"}}}
	const shop, everywhere = "RoleBinding shop/b: r <- ServiceAccount shop/web", "ClusterRoleBinding b: r <- Group system:serviceaccounts"
	for _, c := range []struct{ name, given, namespace, want string }{
		{"there", shop, "shop", "ServiceAccount shop/web"},
		{"somewhere", shop, "", "ServiceAccount shop/web"},
		{"elsewhere", shop, "bank", "nobody"},
		{"everywhere, as one of a group", everywhere, "shop", "Group system:serviceaccounts"},
		{"another", strings.ReplaceAll(shop, "shop/web", "shop/api"), "shop", "nobody"},
	} {
		got := "nobody"
		j := New(facts(t, "ClusterRole r: create pods/exec\nServiceAccount shop/web\nServiceAccount shop/api\n"+c.given))
		if by, holds := j.Holding(ServiceAccount("shop", "web"), exec, c.namespace); holds {
			got = by.String()
		} else if by != (Subject{}) {
			got = "nobody, and " + by.String()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
