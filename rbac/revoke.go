package rbac

import (
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// Grant is what a binding, named as ref.Ref writes it, gives to a subject.
type Grant struct {
	Subject Subject
	Binding string
}

// Revoke are the facts in which bindings no longer name subjects, nor groups that the
// subjects are in. What is not about access is shared with the facts.
func Revoke(f *collect.Facts, grants ...Grant) *collect.Facts {
	out := *f
	out.RoleBindings, out.ClusterRoleBindings = maps.Clone(f.RoleBindings), maps.Clone(f.ClusterRoleBindings)
	left := func(binding ref.Ref, all []rbacv1.Subject) []rbacv1.Subject {
		return slices.DeleteFunc(slices.Clone(all), func(each rbacv1.Subject) bool {
			is, ok := subjectOf(each, binding.Namespace)
			return ok && slices.ContainsFunc(grants, func(g Grant) bool {
				return g.Binding == binding.String() && (g.Subject == is || is.Kind == "Group" && slices.Contains(g.Subject.groups(), is.Name))
			})
		})
	}
	for k, b := range f.RoleBindings {
		c := *b
		c.Subjects = left(ref.Ref{Kind: "RoleBinding", Namespace: k.Namespace, Name: k.Name}, b.Subjects)
		if len(c.Subjects) < len(b.Subjects) {
			out.RoleBindings[k] = &c
		}
	}
	for k, b := range f.ClusterRoleBindings {
		c := *b
		c.Subjects = left(ref.Ref{Kind: "ClusterRoleBinding", Name: k.Name}, b.Subjects)
		if len(c.Subjects) < len(b.Subjects) {
			out.ClusterRoleBindings[k] = &c
		}
	}
	return &out
}
