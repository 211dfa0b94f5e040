package remedy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
)

// taking is the powers that are taken from one subject in one scope.
type taking struct {
	from      rbac.Subject
	namespace string // empty for the whole cluster
	powers    []rbac.Power
}

// holders takes a permission from all who hold it on the path.
func (e *edit) holders(p *analyse.Path, permission string) error {
	_, id := ref.ParseKindID(permission)
	found := false
	for _, s := range slices.Concat(p.Steps, p.Also) {
		if s.Edge != "HOLDS" || s.To != id {
			continue
		}
		for _, t := range p.Nodes {
			if t.ID == s.From {
				found = true
				if err := e.take(ref.KindID(t.Kind, t.ID), permission); err != nil {
					return err
				}
			}
		}
	}
	if !found {
		return fmt.Errorf("nobody on the path is granted the permission: it ends with the power that leads to it")
	}
	return nil
}

// take notes that an identity loses a permission.
func (e *edit) take(identity, permission string) error {
	from, ok := subject(identity)
	power, namespace, ok2 := e.m.permission(permission)
	if !ok || !ok2 {
		return fmt.Errorf("no binding grants it to %s", identity)
	}
	for _, t := range e.takings {
		if t.from == from && t.namespace == namespace {
			t.powers = append(t.powers, power)
			return nil
		}
	}
	e.takings = append(e.takings, &taking{from, namespace, []rbac.Power{power}})
	return nil
}

func subject(kindID string) (rbac.Subject, bool) {
	_, id := ref.ParseKindID(kindID)
	r, _, ok := ref.Parse(id)
	return rbac.Subject{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}, ok
}

// permission reads the id of a permission: "prod/shop/Permission/exec-pods",
// "prod/Permission/exec-pods@cluster".
func (m *Maker) permission(kindID string) (power rbac.Power, namespace string, ok bool) {
	_, id := ref.ParseKindID(kindID)
	before, after, ok := strings.Cut(strings.TrimPrefix(id, m.facts.Cluster.Name+"/"), "Permission/")
	if !ok {
		return power, "", false
	}
	name, _, _ := strings.Cut(after, "@")
	power, ok = m.power(name)
	return power, strings.TrimSuffix(before, "/"), ok
}

// changes narrow what bindings grant: the role where it serves nobody else, else a new
// role and binding in place of the old grant.
func (t *taking) changes(f *collect.Facts) (out []analyse.Change, err error) {
	lesser := rbac.Without(f, t.from, t.powers, t.namespace)
	after := rbac.New(without(f, t.from, lesser))
	for _, p := range t.powers {
		switch by, still := after.Holding(t.from, p, t.namespace); {
		case still && by != t.from:
			return nil, fmt.Errorf("%s holds it as a member of %s, as others do: see what is granted to that", t.from, by)
		case still || len(lesser) == 0:
			return nil, fmt.Errorf("what grants it to %s cannot be told apart from what else it is granted", t.from)
		}
	}
	for _, l := range lesser {
		out = append(out, t.narrow(l)...)
	}
	return out, nil
}

// narrow writes one of them.
func (t *taking) narrow(l rbac.Lesser) (out []analyse.Change) {
	var notes []string
	if l.Wild {
		notes = append(notes, fmt.Sprintf("%s grants by a wildcard, from which nothing can be taken away, so that all of it goes: "+
			"breakwater least-privilege writes a role with what the audit log shows in use.", l.Role))
	}
	if len(l.Rules) > 0 && l.Own {
		return []analyse.Change{patch(l.Role, "merge", map[string]any{"rules": l.Rules}, notes)}
	}
	if len(l.Rules) > 0 {
		out = t.instead(l)
	}
	if l.Default {
		notes = append(notes, "The API server makes the binding again when it starts, unless its annotation "+
			"rbac.authorization.kubernetes.io/autoupdate is \"false\".")
	}
	if len(l.Others) == 0 {
		return append(out, deletion(l.Binding, notes...))
	}
	return append(out, patch(l.Binding, "merge", map[string]any{"subjects": l.Others}, notes))
}

// instead is a role with what is left, bound to the subject.
func (t *taking) instead(l rbac.Lesser) []analyse.Change {
	suffix := "-without-" + t.powers[0].Name
	if more := len(t.powers) - 1; more > 0 {
		suffix += fmt.Sprintf("-and-%d-more", more)
	}
	kind := cmp.Or(map[string]string{"RoleBinding": "Role"}[l.Binding.Kind], "ClusterRole")
	role := ref.Ref{Kind: kind, Namespace: l.Binding.Namespace, Name: l.Role.Name + suffix}
	binding := l.Binding.Beside(l.Binding.Kind, l.Binding.Name+suffix)
	who := rbacv1.Subject{Kind: t.from.Kind, Namespace: t.from.Namespace, Name: t.from.Name}
	if t.from.Kind != rbacv1.ServiceAccountKind {
		who.APIGroup = rbacv1.GroupName
	}
	if len(l.Others) > 0 {
		binding.Name += "-for-" + strings.NewReplacer("/", "-", "%", "-").Replace(t.from.Name)
	}
	meta := func(r ref.Ref) map[string]any {
		out := map[string]any{"name": r.Name}
		if r.Namespace != "" {
			out["namespace"] = r.Namespace
		}
		return out
	}
	return []analyse.Change{
		application(role, map[string]any{"apiVersion": apiVersions[role.Kind], "kind": role.Kind, "metadata": meta(role), "rules": l.Rules}),
		application(binding, map[string]any{"apiVersion": apiVersions[binding.Kind], "kind": binding.Kind, "metadata": meta(binding),
			"subjects": []rbacv1.Subject{who}, "roleRef": rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: role.Kind, Name: role.Name}}),
	}
}

// without are the facts in which the subject has only what it keeps.
func without(f *collect.Facts, s rbac.Subject, lesser []rbac.Lesser) *collect.Facts {
	out := f.Clone()
	who := rbacv1.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}
	for i, l := range lesser {
		key, kept := collect.KeyOf(l.Binding), collect.Key{Namespace: l.Binding.Namespace, Name: fmt.Sprintf("kept/%d", i)}
		meta := metav1.ObjectMeta{Namespace: kept.Namespace, Name: kept.Name}
		if l.Binding.Kind == "RoleBinding" {
			b := *f.RoleBindings[key]
			b.Subjects = l.Others
			out.RoleBindings[key] = &b
			out.Roles[kept] = &rbacv1.Role{ObjectMeta: meta, Rules: l.Rules}
			out.RoleBindings[kept] = &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: []rbacv1.Subject{who},
				RoleRef: rbacv1.RoleRef{Kind: "Role", Name: kept.Name}}
			continue
		}
		b := *f.ClusterRoleBindings[key]
		b.Subjects = l.Others
		out.ClusterRoleBindings[key] = &b
		out.ClusterRoles[kept] = &rbacv1.ClusterRole{ObjectMeta: meta, Rules: l.Rules}
		out.ClusterRoleBindings[kept] = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: []rbacv1.Subject{who},
			RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: kept.Name}}
	}
	return out
}
