package rbac

import (
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

func ownRules(from ref.Ref, rules []rbacv1.PolicyRule) *role {
	r := &role{rules: rules}
	for i := range rules {
		r.from = append(r.from, source{from, i})
	}
	return r
}

// effective is a ClusterRole's rules. The API server fills in those of an
// aggregated role; where it has not yet (manifests), they are gathered here.
func effective(all map[collect.Key]*rbacv1.ClusterRole, name string) *role {
	r := &role{}
	gather(all, name, map[string]bool{}, r)
	return r
}

func gather(all map[collect.Key]*rbacv1.ClusterRole, name string, visited map[string]bool, into *role) {
	c := all[collect.Key{Name: name}]
	if visited[name] {
		return
	}
	visited[name] = true
	for i, rule := range c.Rules {
		into.rules = append(into.rules, rule)
		into.from = append(into.from, source{collect.Key{Name: name}.Of("ClusterRole"), i})
	}
	if len(c.Rules) > 0 || c.AggregationRule == nil {
		return
	}
	for _, other := range slices.SortedFunc(maps.Keys(all), func(a, b collect.Key) int { return strings.Compare(a.Name, b.Name) }) {
		if selectedBy(c.AggregationRule, all[other].Labels) {
			gather(all, other.Name, visited, into)
		}
	}
}

func selectedBy(rule *rbacv1.AggregationRule, set map[string]string) bool {
	return slices.ContainsFunc(rule.ClusterRoleSelectors, func(s metav1.LabelSelector) bool {
		selector, err := metav1.LabelSelectorAsSelector(&s)
		return err == nil && selector.Matches(labels.Set(set))
	})
}

// builtInRoles are the roles for people that every API server creates. They
// stand in where they were not among what was read: manifests bind them and do
// not contain them. Rules that no power asks about are left out.
func builtInRoles() map[string][]rbacv1.PolicyRule {
	rule := func(verbs, groups, resources []string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: verbs, APIGroups: groups, Resources: resources}
	}
	core, read := []string{""}, []string{"get", "list", "watch"}
	write := []string{"create", "delete", "deletecollection", "patch", "update"}
	workloads := []rbacv1.PolicyRule{
		rule(write, []string{"apps"}, []string{"daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
			"replicasets/scale", "statefulsets", "statefulsets/scale"}),
		rule(write, []string{"batch"}, []string{"cronjobs", "jobs"}),
		rule(write, []string{"networking.k8s.io"}, []string{"ingresses", "networkpolicies"}),
	}
	view := []rbacv1.PolicyRule{
		rule(read, core, []string{"configmaps", "endpoints", "persistentvolumeclaims", "pods", "pods/log", "pods/status",
			"replicationcontrollers", "serviceaccounts", "services", "namespaces", "events"}),
		rule(read, []string{"apps", "batch", "networking.k8s.io", "autoscaling", "policy"},
			[]string{"daemonsets", "deployments", "replicasets", "statefulsets", "cronjobs", "jobs", "ingresses", "networkpolicies",
				"horizontalpodautoscalers", "poddisruptionbudgets"}),
	}
	edit := slices.Concat([]rbacv1.PolicyRule{
		rule(read, core, []string{"pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"}),
		rule([]string{"impersonate"}, core, []string{"serviceaccounts"}),
		rule(write, core, []string{"pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"}),
		rule([]string{"create"}, core, []string{"pods/eviction", "serviceaccounts/token"}),
		rule(write, core, []string{"configmaps", "persistentvolumeclaims", "replicationcontrollers", "replicationcontrollers/scale",
			"secrets", "serviceaccounts", "services", "services/proxy"}),
	}, workloads, view)
	admin := slices.Concat([]rbacv1.PolicyRule{
		rule(slices.Concat(read, write), []string{"rbac.authorization.k8s.io"}, []string{"rolebindings", "roles"}),
		rule([]string{"create"}, []string{"authorization.k8s.io"}, []string{"localsubjectaccessreviews"}),
	}, edit)
	all := []string{"*"}
	return map[string][]rbacv1.PolicyRule{
		"cluster-admin": {rule(all, all, all), {Verbs: all, NonResourceURLs: all}},
		"admin":         admin, "edit": edit, "view": view,
	}
}

// gapsOf turns what could not be read into what the judge cannot say.
func gapsOf(f *collect.Facts) (gaps []collect.Gap) {
	for _, resource := range []string{"clusterrolebindings", "clusterroles", "rolebindings", "roles"} {
		if g, unseen := f.Unseen(resource); unseen {
			gaps = append(gaps, collect.Gap{Cluster: f.Cluster.Name, Source: "judge", What: "permissions by " + resource, Why: g.Why,
				Consequence: "Identities may hold permissions that are not shown.", Kinds: []string{"Permission", "HOLDS"},
				Since: g.Since})
		}
	}
	return gaps
}
