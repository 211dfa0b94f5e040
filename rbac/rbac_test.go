package rbac

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// facts makes facts of lines such as
//
//	ClusterRole reader: get,list secrets
//	Role shop/deployer: create apps:deployments | get pods/log [a,b]
//	ClusterRoleBinding x: reader <- ServiceAccount shop/web, Group devs
//	RoleBinding shop/y: ClusterRole/reader <- User alice
func facts(t testing.TB, text string) *collect.Facts {
	t.Helper()
	f := collect.NewFacts()
	for line := range strings.Lines(text) {
		kind, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		name, body, _ := strings.Cut(rest, ": ")
		key := keyOf(name)
		meta := metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}
		switch kind {
		case "ClusterRole":
			f.ClusterRoles[key] = &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rulesOf(body)}
		case "Role":
			f.Roles[key] = &rbacv1.Role{ObjectMeta: meta, Rules: rulesOf(body)}
		case "ClusterRoleBinding":
			ref, subjects := bindingOf(body)
			f.ClusterRoleBindings[key] = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
		case "RoleBinding":
			ref, subjects := bindingOf(body)
			f.RoleBindings[key] = &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
		case "ServiceAccount":
			f.ServiceAccounts[key] = nil
		default:
			t.Fatalf("roles: %q", line)
		}
	}
	return f
}

func keyOf(s string) collect.Key {
	if ns, name, ok := strings.Cut(s, "/"); ok {
		return collect.Key{Namespace: ns, Name: name}
	}
	return collect.Key{Name: s}
}

func rulesOf(body string) (out []rbacv1.PolicyRule) {
	for part := range strings.SplitSeq(body, " | ") {
		fields := strings.Fields(part)
		rule := rbacv1.PolicyRule{Verbs: strings.Split(fields[0], ",")}
		if strings.HasPrefix(fields[1], "/") {
			rule.NonResourceURLs = strings.Split(fields[1], ",")
		} else {
			groups, resources, ok := strings.Cut(fields[1], ":")
			if !ok {
				groups, resources = "", fields[1]
			}
			rule.APIGroups, rule.Resources = strings.Split(groups, ","), strings.Split(resources, ",")
		}
		if len(fields) > 2 {
			rule.ResourceNames = strings.Split(strings.Trim(fields[2], "[]"), ",")
		}
		out = append(out, rule)
	}
	return out
}

func bindingOf(body string) (ref rbacv1.RoleRef, out []rbacv1.Subject) {
	role, who, _ := strings.Cut(body, " <- ")
	ref = rbacv1.RoleRef{Kind: "ClusterRole", Name: role}
	if kind, name, ok := strings.Cut(role, "/"); ok {
		ref.Kind, ref.Name = kind, name
	}
	for s := range strings.SplitSeq(who, ", ") {
		kind, name, _ := strings.Cut(s, " ")
		sub := rbacv1.Subject{Kind: kind, Name: name}
		if kind == "ServiceAccount" {
			k := keyOf(name)
			sub.Namespace, sub.Name = k.Namespace, k.Name
		}
		out = append(out, sub)
	}
	return ref, out
}

// subject reads "sa shop/web", "user alice" or "group devs".
func subject(s string) Subject {
	kind, name, _ := strings.Cut(s, " ")
	switch kind {
	case "sa":
		k := keyOf(name)
		return ServiceAccount(k.Namespace, k.Name)
	case "user":
		return User(name)
	}
	return Group(name)
}

func TestCan(t *testing.T) {
	tests := []struct {
		name, roles, who string
		ask              Request
		want             string // "" for no, else "binding role rule"
	}{
		{"a cluster binding grants everywhere", "ClusterRole r: get secrets\nClusterRoleBinding b: r <- ServiceAccount shop/web",
			"sa shop/web", Request{Verb: "get", Resource: "secrets", Namespace: "bank"}, "b r 0"},
		{"a role binding grants in its namespace", "ClusterRole r: get secrets\nRoleBinding shop/b: r <- ServiceAccount shop/web",
			"sa shop/web", Request{Verb: "get", Resource: "secrets", Namespace: "shop"}, "b r 0"},
		{"a role binding grants nothing elsewhere", "ClusterRole r: get secrets\nRoleBinding shop/b: r <- ServiceAccount shop/web",
			"sa shop/web", Request{Verb: "get", Resource: "secrets", Namespace: "bank"}, ""},
		{"a role binding grants nothing in the whole cluster",
			"ClusterRole r: get secrets\nRoleBinding shop/b: r <- ServiceAccount shop/web",
			"sa shop/web", Request{Verb: "get", Resource: "secrets"}, ""},
		{"another account of the name is another", "ClusterRole r: get secrets\nClusterRoleBinding b: r <- ServiceAccount shop/web",
			"sa bank/web", Request{Verb: "get", Resource: "secrets"}, ""},
		{"the rule that allows is named", "ClusterRole r: get pods | list,get secrets\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Resource: "secrets"}, "b r 1"},
		{"star verbs, groups and resources", "ClusterRole r: * *:*\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "delete", Group: "apps", Resource: "deployments", Subresource: "scale"}, "b r 0"},
		{"a resource does not include its subresources", "ClusterRole r: * pods\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "create", Resource: "pods", Subresource: "exec"}, ""},
		{"pods/* matches no subresource", "ClusterRole r: * pods/*\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "create", Resource: "pods", Subresource: "exec"}, ""},
		{"*/scale matches that subresource", "ClusterRole r: patch apps:*/scale\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "patch", Group: "apps", Resource: "deployments", Subresource: "scale"}, "b r 0"},
		{"*/scale does not match the resource", "ClusterRole r: patch apps:*/scale\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "patch", Group: "apps", Resource: "deployments"}, ""},
		{"another API group", "ClusterRole r: get apps:deployments\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Group: "extensions", Resource: "deployments"}, ""},
		{"a named object", "ClusterRole r: get secrets [tls]\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Resource: "secrets", Name: "tls"}, "b r 0"},
		{"not another name", "ClusterRole r: get secrets [tls]\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Resource: "secrets", Name: "db"}, ""},
		{"not every name", "ClusterRole r: get secrets [tls]\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Resource: "secrets"}, ""},
		{"a URL below a star", "ClusterRole r: get /healthz/*\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Path: "/healthz/etcd"}, "b r 0"},
		{"a URL beside it", "ClusterRole r: get /healthz\nClusterRoleBinding b: r <- User alice",
			"user alice", Request{Verb: "get", Path: "/healthz/etcd"}, ""},
		{"a URL is never granted in a namespace", "ClusterRole r: get /healthz\nRoleBinding shop/b: r <- User alice",
			"user alice", Request{Verb: "get", Path: "/healthz", Namespace: "shop"}, ""},
		{"everybody who is authenticated", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:authenticated",
			"sa shop/web", Request{Verb: "get", Resource: "pods"}, "b r 0"},
		{"but not the anonymous", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:authenticated",
			"user system:anonymous", Request{Verb: "get", Resource: "pods"}, ""},
		{"the anonymous by their group", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:unauthenticated",
			"user system:anonymous", Request{Verb: "get", Resource: "pods"}, "b r 0"},
		{"all service accounts", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:serviceaccounts",
			"sa shop/web", Request{Verb: "get", Resource: "pods"}, "b r 0"},
		{"users are no service accounts", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:serviceaccounts",
			"user alice", Request{Verb: "get", Resource: "pods"}, ""},
		{"all service accounts of a namespace", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:serviceaccounts:shop",
			"sa shop/web", Request{Verb: "get", Resource: "pods"}, "b r 0"},
		{"not those of another", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group system:serviceaccounts:bank",
			"sa shop/web", Request{Verb: "get", Resource: "pods"}, ""},
		{"system:masters need no role", "", "group system:masters", Request{Verb: "delete", Resource: "nodes"}, "  -1"},
		{"a service account named as a user", "ClusterRole r: get pods\nClusterRoleBinding b: r <- User system:serviceaccount:shop:web",
			"sa shop/web", Request{Verb: "get", Resource: "pods"}, "b r 0"},
		{"an account without a namespace is the binding's", "ClusterRole r: get pods\nRoleBinding shop/b: r <- ServiceAccount web",
			"sa shop/web", Request{Verb: "get", Resource: "pods", Namespace: "shop"}, "b r 0"},
		{"and nobody in a ClusterRoleBinding", "ClusterRole r: get pods\nClusterRoleBinding b: r <- ServiceAccount web",
			"sa default/web", Request{Verb: "get", Resource: "pods"}, ""},
		{"a role of the binding's namespace", "Role shop/r: get pods\nRoleBinding shop/b: Role/r <- User alice",
			"user alice", Request{Verb: "get", Resource: "pods", Namespace: "shop"}, "b r 0"},
		{"a role of another namespace is not meant", "Role bank/r: get pods\nRoleBinding shop/b: Role/r <- User alice",
			"user alice", Request{Verb: "get", Resource: "pods", Namespace: "shop"}, ""},
		{"a ClusterRoleBinding cannot name a Role", "Role shop/r: get pods\nClusterRoleBinding b: Role/r <- User alice",
			"user alice", Request{Verb: "get", Resource: "pods", Namespace: "shop"}, ""},
		{"a default role that was not read", "ClusterRoleBinding b: cluster-admin <- User alice",
			"user alice", Request{Verb: "delete", Resource: "nodes"}, "b cluster-admin 0"},
		{"a role that is not there grants nothing", "ClusterRoleBinding b: lost <- User alice",
			"user alice", Request{Verb: "get", Resource: "pods"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := New(facts(t, tt.roles)).Can(subject(tt.who), tt.ask)
			if got := proof(d); got != tt.want {
				t.Errorf("got %q, want %q: %s", got, tt.want, d.Explain())
			}
		})
	}
}

func proof(d Decision) string {
	if !d.Allowed {
		return ""
	}
	return strings.Join([]string{d.Witness.Binding.Name, d.Witness.Role.Name, itoa(d.Witness.Rule)}, " ")
}
