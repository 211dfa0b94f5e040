package segment

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// A kubelet speaks as a user of its own, who is in the group of all nodes.
const (
	nodeUser  = "system:node:"
	nodeGroup = "system:nodes"
)

// kubelets joins nodes to what their kubelets speak as, where a binding names it:
// what the node authorizer allows every kubelet is not drawn.
func (c *cluster) kubelets() {
	bound := map[rbacv1.Subject]bool{}
	for _, b := range c.facts.ClusterRoleBindings {
		c.kubeletsOf(b.Subjects, bound)
	}
	for _, b := range c.facts.RoleBindings {
		c.kubeletsOf(b.Subjects, bound)
	}
}

func (c *cluster) kubeletsOf(subjects []rbacv1.Subject, drawn map[rbacv1.Subject]bool) {
	for _, s := range subjects {
		is := rbacv1.Subject{Kind: s.Kind, Name: s.Name}
		name, one := strings.CutPrefix(s.Name, nodeUser)
		if drawn[is] || s.Kind != rbacv1.GroupKind && s.Kind != rbacv1.UserKind {
			continue
		}
		drawn[is] = true
		for k := range c.facts.Nodes {
			if s.Kind == rbacv1.GroupKind && s.Name == nodeGroup || s.Kind == rbacv1.UserKind && one && k == (collect.Key{Name: name}) {
				c.b.Edge("RUNS_AS", c.nodeRef(k.Name), c.wide(s.Kind, s.Name))
			}
		}
	}
}
