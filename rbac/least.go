package rbac

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// maxNames is how many objects a rule names; more of them are a kind of object that comes and goes.
const maxNames = 10

// nameless verbs are judged without a name, or mean more than one object.
var nameless = []string{"create", "list", "watch", "deletecollection"}

// Least is the fewest rules that allow what was done: by namespace, where "" is what needs
// the whole cluster.
func Least(done []Request) map[string][]rbacv1.PolicyRule {
	type thing struct{ namespace, group, resource, path string }
	verbs := map[thing]map[string]map[string]bool{} // verb → names
	for _, r := range done {
		resource := r.Resource
		if r.Subresource != "" {
			resource += "/" + r.Subresource
		}
		t := thing{r.Namespace, r.Group, resource, r.Path}
		if verbs[t] == nil {
			verbs[t] = map[string]map[string]bool{}
		}
		if verbs[t][r.Verb] == nil {
			verbs[t][r.Verb] = map[string]bool{}
		}
		name := r.Name
		if slices.Contains(nameless, r.Verb) && r.Subresource == "" {
			name = ""
		}
		verbs[t][r.Verb][name] = true
	}
	out := map[string][]rbacv1.PolicyRule{}
	for t, byVerb := range verbs {
		byNames := map[string]*rbacv1.PolicyRule{} // verbs that need the same objects are one rule
		for verb, names := range byVerb {
			of := slices.Sorted(maps.Keys(names))
			if names[""] || len(of) > maxNames {
				of = nil
			}
			key := strings.Join(of, ",")
			if byNames[key] == nil {
				byNames[key] = &rbacv1.PolicyRule{ResourceNames: of, APIGroups: []string{t.group}, Resources: []string{t.resource}}
				if t.path != "" {
					byNames[key] = &rbacv1.PolicyRule{NonResourceURLs: []string{t.path}}
				}
			}
			byNames[key].Verbs = append(byNames[key].Verbs, verb)
		}
		for _, rule := range byNames {
			slices.Sort(rule.Verbs)
			out[t.namespace] = append(out[t.namespace], *rule)
		}
	}
	for ns := range out {
		slices.SortFunc(out[ns], func(a, b rbacv1.PolicyRule) int { return cmp.Compare(a.String(), b.String()) })
	}
	return out
}

// Own says whether a decision rests on a binding that names the subject itself: what it may do as a
// member of a group, it may do without.
func (d Decision) Own() bool { return d.Allowed && d.Witness.Rule >= 0 && d.Witness.As == d.Subject }

// Replaced are the facts in which the subject is in no binding but has these rules instead. What is not
// about access is shared with the facts.
func Replaced(f *collect.Facts, s Subject, rules map[string][]rbacv1.PolicyRule) *collect.Facts {
	out := *f
	out.Roles, out.ClusterRoles = maps.Clone(f.Roles), maps.Clone(f.ClusterRoles)
	out.RoleBindings, out.ClusterRoleBindings = maps.Clone(f.RoleBindings), maps.Clone(f.ClusterRoleBindings)
	without := func(namespace string, all []rbacv1.Subject) []rbacv1.Subject {
		return slices.DeleteFunc(slices.Clone(all), func(each rbacv1.Subject) bool {
			is, ok := subjectOf(each, namespace)
			return ok && is == s
		})
	}
	for k, b := range out.RoleBindings {
		c := *b
		c.Subjects = without(k.Namespace, b.Subjects)
		out.RoleBindings[k] = &c
	}
	for k, b := range out.ClusterRoleBindings {
		c := *b
		c.Subjects = without("", b.Subjects)
		out.ClusterRoleBindings[k] = &c
	}
	for _, o := range Manifests(s, rules) {
		switch o := o.(type) {
		case *rbacv1.Role:
			out.Roles[collect.Key{Namespace: o.Namespace, Name: o.Name}] = o
		case *rbacv1.ClusterRole:
			out.ClusterRoles[collect.Key{Name: o.Name}] = o
		case *rbacv1.RoleBinding:
			out.RoleBindings[collect.Key{Namespace: o.Namespace, Name: o.Name}] = o
		case *rbacv1.ClusterRoleBinding:
			out.ClusterRoleBindings[collect.Key{Name: o.Name}] = o
		}
	}
	return &out
}

// Manifests are roles with the rules and the bindings that give them to the subject, by namespace.
func Manifests(s Subject, rules map[string][]rbacv1.PolicyRule) (out []any) {
	name := strings.NewReplacer(":", "-", "/", "-", "@", "-").Replace(strings.ToLower(s.Name)) + "-least"
	who := rbacv1.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}
	if s.Kind != rbacv1.ServiceAccountKind {
		who.APIGroup = rbacv1.GroupName
	}
	for _, ns := range slices.Sorted(maps.Keys(rules)) {
		role, binding := manifests(ns, name, rules[ns], who)
		out = append(out, role, binding)
	}
	return out
}

func manifests(ns, name string, rules []rbacv1.PolicyRule, who rbacv1.Subject) (role, binding any) {
	kind := func(k string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: k}
	}
	meta := metav1.ObjectMeta{Name: name, Namespace: ns}
	if ns == "" {
		return &rbacv1.ClusterRole{TypeMeta: kind("ClusterRole"), ObjectMeta: meta, Rules: rules},
			&rbacv1.ClusterRoleBinding{TypeMeta: kind("ClusterRoleBinding"), ObjectMeta: meta, Subjects: []rbacv1.Subject{who},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}}
	}
	return &rbacv1.Role{TypeMeta: kind("Role"), ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{TypeMeta: kind("RoleBinding"), ObjectMeta: meta, Subjects: []rbacv1.Subject{who},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}}
}
