package rbac

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
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
			left, wild, _ := narrowed([]rbacv1.PolicyRule{c.rule}, exec)
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
