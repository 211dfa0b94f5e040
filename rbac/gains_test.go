package rbac

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

// gained lists "power in scope: power in scope" of what is gained, without what system:masters holds anyway.
func gained(t *testing.T, text string) (out []string) {
	t.Helper()
	all, j := powers(t), New(facts(t, text))
	holds := slices.DeleteFunc(j.Holds(all), func(h Hold) bool { return h.Subject == Group(masters) })
	for _, g := range j.Gains(all, holds) {
		out = append(out, g.Power+" in "+g.Scope.String()+": "+g.Gives.Power+" in "+g.Gives.Scope.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const rights = "rbac.authorization.k8s.io:"

func TestWhatPowersOverRolesGive(t *testing.T) {
	tests := []struct {
		name, roles string
		want        []string // some of what is gained
		never       string   // a part of what is not
	}{
		{"binding any ClusterRole in the cluster is everything",
			"ClusterRole r: bind " + rights + "clusterroles | create " + rights + "clusterrolebindings\nClusterRoleBinding b: r <- User alice",
			[]string{"bind-cluster-roles in the whole cluster: everything in the whole cluster"}, "namespace"},
		{"binding one ClusterRole is what it gives",
			"ClusterRole r: bind " + rights + "clusterroles [reader] | create " + rights + "clusterrolebindings\n" +
				"ClusterRole reader: get secrets\nClusterRoleBinding b: r <- User alice",
			[]string{"bind-cluster-roles in reader in the whole cluster: read-secrets in the whole cluster"}, "everything"},
		{"binding any ClusterRole in a namespace is everything there",
			"Role shop/r: bind " + rights + "clusterroles | create " + rights + "rolebindings\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"bind-roles in namespace shop: everything in namespace shop", "bind-roles in namespace shop: exec-pods in namespace shop"},
			"whole cluster"},
		{"binding one ClusterRole in a namespace is what it gives there",
			"Role shop/r: bind " + rights + "clusterroles [reader] | create " + rights + "rolebindings\nClusterRole reader: get secrets\n" +
				"RoleBinding shop/b: Role/r <- User alice",
			[]string{"bind-roles in reader in namespace shop: read-secrets in namespace shop"}, "everything"},
		{"binding ClusterRoles in each namespace gives nothing that lies in none",
			"ClusterRole r: bind " + rights + "clusterroles | create " + rights + "rolebindings\nClusterRoleBinding b: r <- User alice",
			[]string{"bind-roles in the whole cluster: read-secrets in the whole cluster"}, ": proxy-to-nodes"},
		{"binding a ClusterRole by name in each namespace gives nothing that lies in none",
			"ClusterRole r: bind " + rights + "clusterroles [strong] | create " + rights + "rolebindings\n" +
				"ClusterRole strong: get secrets | get nodes/proxy\nClusterRoleBinding b: r <- User alice",
			[]string{"bind-roles in strong in the whole cluster: read-secrets in the whole cluster"}, ": proxy-to-nodes"},
		{"binding the Roles of a namespace is what they give",
			"Role shop/r: bind " + rights + "roles | create " + rights + "rolebindings\nRole shop/reader: get secrets\n" +
				"Role bank/exec: create pods/exec\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"bind-namespace-roles in namespace shop: read-secrets in namespace shop"}, "exec-pods"},
		{"binding one Role of a namespace is what it gives",
			"Role shop/r: bind " + rights + "roles [reader] | create " + rights + "rolebindings\nRole shop/reader: get secrets\n" +
				"Role shop/exec: create pods/exec\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"bind-namespace-roles in reader in namespace shop: read-secrets in namespace shop"}, "exec-pods"},
		{"binding without the verb bind gives nothing",
			"ClusterRole r: create " + rights + "clusterrolebindings\nClusterRoleBinding b: r <- User alice", nil, "in"},
		{"joining a binding is what its ClusterRole gives",
			"ClusterRole r: bind " + rights + "clusterroles [reader] | patch " + rights + "clusterrolebindings [ops]\n" +
				"ClusterRole reader: get secrets\nClusterRoleBinding ops: reader <- User bob\nClusterRoleBinding b: r <- User alice",
			[]string{"join-cluster-role-bindings in ops in the whole cluster: read-secrets in the whole cluster"}, "everything"},
		{"joining a binding of a role that one may not bind gives nothing",
			"ClusterRole r: bind " + rights + "clusterroles [other] | patch " + rights + "clusterrolebindings [ops]\n" +
				"ClusterRole reader: get secrets\nClusterRole other: get pods\nClusterRoleBinding ops: reader <- User bob\n" +
				"ClusterRoleBinding b: r <- User alice", nil, "in"},
		{"any role may be bound, but the binding is of this one",
			"ClusterRole r: bind " + rights + "clusterroles | update " + rights + "clusterrolebindings [ops]\n" +
				"ClusterRole reader: get secrets\nClusterRoleBinding ops: reader <- User bob\nClusterRoleBinding b: r <- User alice",
			[]string{"join-cluster-role-bindings in ops in the whole cluster: read-secrets in the whole cluster"}, "everything"},
		{"a binding that is not there is not joined",
			"ClusterRole r: bind " + rights + "clusterroles | update " + rights + "clusterrolebindings [gone]\n" +
				"ClusterRoleBinding b: r <- User alice", nil, "in"},
		{"writing any ClusterRole is everything",
			"ClusterRole r: escalate,patch " + rights + "clusterroles\nClusterRoleBinding b: r <- User alice",
			[]string{"escalate-cluster-roles in the whole cluster: everything in the whole cluster"}, "namespace"},
		{"writing the ClusterRole that one is bound to is everything",
			"ClusterRole r: escalate,patch " + rights + "clusterroles [r]\nClusterRoleBinding b: r <- User alice",
			[]string{"escalate-cluster-roles in r in the whole cluster: everything in the whole cluster"}, "namespace"},
		{"writing one that others are bound to gives nothing",
			"ClusterRole r: escalate,patch " + rights + "clusterroles [x]\nClusterRole x: get pods\n" +
				"ClusterRoleBinding b: r <- User alice\nClusterRoleBinding c: x <- User bob", nil, "in"},
		{"writing one that one is bound to in a namespace is everything there",
			"ClusterRole r: escalate,patch " + rights + "clusterroles [x]\nClusterRole x: get pods\n" +
				"ClusterRoleBinding b: r <- User alice\nRoleBinding shop/c: x <- User alice",
			[]string{"escalate-cluster-roles in x in the whole cluster: everything in namespace shop"}, "everything in the whole cluster"},
		{"writing Roles where one is bound to one",
			"Role shop/r: escalate,update " + rights + "roles\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"escalate-roles in namespace shop: everything in namespace shop"}, "whole cluster"},
		{"writing Roles where one is bound to a ClusterRole only gives nothing",
			"ClusterRole r: escalate,update " + rights + "roles\nRoleBinding shop/b: r <- User alice", nil, "in"},
		{"writing the Roles of a namespace changes none of another",
			"ClusterRole r: escalate,update " + rights + "roles\nRoleBinding shop/b: r <- User alice\nRole bank/x: get pods\n" +
				"RoleBinding bank/c: Role/x <- User alice", nil, "in"},
		{"everything of one name writes a ClusterRole and its binding",
			"ClusterRole r: * *:* [mine]\nClusterRoleBinding b: r <- User alice",
			[]string{"write-cluster-role-and-binding in mine in the whole cluster: everything in the whole cluster"}, "everything in namespace"},
		{"everything of one name in a namespace writes a Role and its binding",
			"ClusterRole r: * *:* [mine]\nRoleBinding shop/b: r <- User alice",
			[]string{"write-role-and-binding in mine in namespace shop: everything in namespace shop"}, "everything in the whole cluster"},
		{"all verbs on bindings alone write no role",
			"ClusterRole r: * " + rights + "clusterrolebindings [mine]\nClusterRoleBinding b: r <- User alice", nil, "in"},
		{"a role that does not exist gives nothing",
			"ClusterRole r: bind " + rights + "clusterroles [gone] | create " + rights + "clusterrolebindings\n" +
				"ClusterRoleBinding b: r <- User alice",
			nil, "in"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := gained(t, tt.roles)
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("%q is missing", w)
				}
			}
			if i := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, tt.never) }); i >= 0 {
				t.Errorf("%q is there", got[i])
			}
			if t.Failed() {
				t.Log("got\n  " + strings.Join(got, "\n  "))
			}
		})
	}
}

func TestAPowerDoesNotGiveItself(t *testing.T) {
	const binder = "Role shop/r: bind " + rights + "clusterroles | create " + rights + "rolebindings\n"
	for _, g := range gained(t, binder+"RoleBinding shop/b: Role/r <- User alice") {
		if from, to, _ := strings.Cut(g, ": "); from == to {
			t.Error(g)
		}
	}
}

func TestPowersGoByTheVersionOfTheCluster(t *testing.T) {
	const reads = "ClusterRole r: get pods/exec\nClusterRoleBinding b: r <- User alice"
	for _, tt := range []struct {
		name, server string
		nodes        []string
		want         bool
	}{
		{"to get was enough", "v1.34.9", nil, true},
		{"to create is needed", "v1.35.0", nil, false},
		{"to create is needed in what comes after", "v2.0.0", nil, false},
		{"no node is newer than its API server", "", []string{"v1.33.1", "v1.34.2"}, true},
		{"the newest node counts", "", []string{"v1.34.2", "v1.36.0", "v1.33.1"}, false},
		{"the server's own word counts first", "v1.36.1", []string{"v1.34.2"}, false},
		{"without any word it is a version that is supported", "", nil, false},
		{"a word that is no version is none", "unknown", []string{"v1.34.2"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(t, reads)
			f.Cluster.Version = tt.server
			for _, version := range tt.nodes {
				f.Nodes[collect.Key{Name: version}] = &collect.Node{KubeletVersion: version}
			}
			if got := slices.Contains(held(t, f), "User alice: exec-pods in the whole cluster"); got != tt.want {
				t.Errorf("held: %v, want %v", got, tt.want)
			}
		})
	}
}
