package rbac

import (
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// TestRolesThatSelectEachOtherAreLookedAtUpToABound: and a role that selects a few has its rules all the same.
func TestRolesThatSelectEachOtherAreLookedAtUpToABound(t *testing.T) {
	const n = 800
	f := &collect.Facts{ClusterRoles: map[collect.Key]*rbacv1.ClusterRole{}}
	role := func(name, label, selects string) {
		selected := []metav1.LabelSelector{{MatchLabels: map[string]string{selects: "true"}}}
		f.ClusterRoles[collect.Key{Name: name}] = &rbacv1.ClusterRole{
			ObjectMeta:      metav1.ObjectMeta{Name: name, Labels: map[string]string{label: "true"}},
			AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: selected}}
	}
	for i := range n {
		role(fmt.Sprint("r", i), "each", "each")
	}
	role("honest", "none", "some")
	f.ClusterRoles[collect.Key{Name: "some"}] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "some",
		Labels: map[string]string{"some": "true"}}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}}}}
	roles := rolesOf(f)
	unknown := 0
	for i := range n {
		if found, there := roles.called(collect.Key{Name: fmt.Sprint("r", i)}.Of("ClusterRole")); !there || found == nil {
			unknown++
		}
	}
	if most := gatherAll / (n * n); unknown < n-most-1 || roles.left > 0 {
		t.Errorf("of %d the rules are not known, and %d may be looked at", unknown, roles.left)
	}
	found, _ := roles.called(collect.Key{Name: "honest"}.Of("ClusterRole"))
	if found == nil || len(found.rules) != 1 {
		t.Errorf("a role beside them has %v", found)
	}
}
