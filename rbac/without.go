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

// Lesser is what a subject keeps of what a binding grants it, where powers are taken
// from it.
type Lesser struct {
	Binding, Role ref.Ref
	// Others are the binding's other subjects, who keep what they have.
	Others []rbacv1.Subject
	// Rules are what the subject keeps of the role.
	Rules []rbacv1.PolicyRule
	// Wild says that a rule with a wildcard granted the powers. It is left out whole:
	// rules add up, and none takes away.
	Wild bool
	// Own says that the role serves this subject by this binding only, and may be
	// changed itself.
	Own bool
	// Default says that the binding is one of those that an API server makes and, when
	// it starts, makes good.
	Default bool
}

// Without takes powers from what bindings grant a subject: all of them, or in one
// namespace. It is empty where no binding of its own grants them.
func Without(f *collect.Facts, s Subject, powers []Power, namespace string) (out []Lesser) {
	j := New(f)
	byName := j.createsByName(s, powers)
	for _, g := range j.named[s] {
		if g.role == nil || namespace != "" && g.namespace != "" && g.namespace != namespace {
			continue
		}
		l := Lesser{Binding: g.binding, Role: g.ref}
		changed := false
		for _, rule := range g.role.rules {
			rules, wild, hit := []rbacv1.PolicyRule{rule}, false, false
			for _, p := range powers {
				for _, a := range p.taken() {
					var again bool
					if rules, wild, again = narrowed(rules, a, byName); wild {
						l.Wild = true
					}
					hit = hit || again
				}
			}
			changed = changed || hit
			for _, r := range rules {
				if g.namespace == "" || len(r.NonResourceURLs) == 0 { // which a RoleBinding does not grant
					l.Rules = append(l.Rules, r)
				}
			}
		}
		if !changed {
			continue
		}
		if !slices.ContainsFunc(l.Rules, func(r rbacv1.PolicyRule) bool { return len(r.NonResourceURLs) == 0 }) {
			l.Rules = nil // what is left of an administrator is no work
		}
		subjects, labelled := subjectsIn(f, g.binding)
		for _, each := range subjects {
			if as, ok := subjectOf(each, g.namespace); ok && as != s {
				l.Others = append(l.Others, each)
			}
		}
		l.Default = isDefault(labelled)
		l.Own = len(l.Others) == 0 && j.own(f, g)
		out = append(out, l)
	}
	return out
}

// taken are the asks without which a power is not held: the first of those that are
// all needed, else each of those of which one is enough.
func (p Power) taken() []Ask {
	if len(p.All) > 0 {
		return p.All[:1]
	}
	return p.Any
}

// createsByName says that the subject holds one of the powers because it may create what has a certain name.
func (j *Judge) createsByName(s Subject, powers []Power) bool {
	return slices.ContainsFunc(j.Holds(powers), func(h Hold) bool { return h.Subject == s && h.Witness.Creates != "" })
}

// narrowed are rules that no longer allow the ask and all else that they did, to create by name where that counts. wild
// says that one of them cannot be narrowed, and is left out: a wildcard allows it.
func narrowed(rules []rbacv1.PolicyRule, a Ask, byName bool) (out []rbacv1.PolicyRule, wild, hit bool) {
	for _, rule := range rules {
		_, allowed := a.allowedBy(rule)
		if !allowed && byName && a.Nameless() {
			_, allowed = a.named("create").allowedBy(rule)
		}
		if !allowed {
			out = append(out, rule)
			continue
		}
		hit = true
		if a.Path != "" || slices.Contains(rule.APIGroups, "*") ||
			slices.ContainsFunc(rule.Resources, func(r string) bool { return strings.HasPrefix(r, "*") }) {
			wild = true
			continue
		}
		out = append(out, split(rule, a)...)
	}
	return out, wild, hit
}

// allVerbs are what a star stands for with most resources.
var allVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

// split is a rule without an ask that it allows by name.
func split(rule rbacv1.PolicyRule, a Ask) (out []rbacv1.PolicyRule) {
	group := func(g string) bool { return g == a.Group }
	resource := func(r string) bool {
		return slices.ContainsFunc(a.Subresources(), func(sub string) bool { return resourceMatches(r, a.Resource, sub) })
	}
	not := func(is func(string) bool) func(string) bool { return func(s string) bool { return !is(s) } }
	only := func(list []string, is func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(list), not(is))
	}
	verbs := rule.Verbs
	if slices.Contains(verbs, "*") {
		verbs = allVerbs
	}
	for _, part := range []rbacv1.PolicyRule{
		{Verbs: rule.Verbs, APIGroups: only(rule.APIGroups, not(group)), Resources: rule.Resources},
		{Verbs: rule.Verbs, APIGroups: only(rule.APIGroups, group), Resources: only(rule.Resources, not(resource))},
		{Verbs: only(verbs, func(v string) bool { return !slices.Contains(a.Verbs, v) }),
			APIGroups: only(rule.APIGroups, group), Resources: only(rule.Resources, resource)},
	} {
		if len(part.Verbs) > 0 && len(part.APIGroups) > 0 && len(part.Resources) > 0 {
			part.ResourceNames = rule.ResourceNames
			out = append(out, part)
		}
	}
	return out
}

func subjectsIn(f *collect.Facts, r ref.Ref) ([]rbacv1.Subject, map[string]string) {
	key := collect.KeyOf(r)
	if b := f.RoleBindings[key]; r.Kind == "RoleBinding" && b != nil {
		return b.Subjects, b.Labels
	}
	if b := f.ClusterRoleBindings[key]; r.Kind == "ClusterRoleBinding" && b != nil {
		return b.Subjects, b.Labels
	}
	return nil, nil
}

// isDefault says that an object is one that API servers make themselves.
func isDefault(labelled map[string]string) bool { return labelled["kubernetes.io/bootstrapping"] != "" }

// own says that a role is bound once, and neither gathers rules nor is gathered.
func (j *Judge) own(f *collect.Facts, g grant) bool {
	for binding, role := range j.bound {
		if role == g.ref && binding != g.binding {
			return false
		}
	}
	if g.ref.Kind == "Role" {
		role := f.Roles[collect.KeyOf(g.ref)]
		return role != nil && !isDefault(role.Labels)
	}
	role := f.ClusterRoles[collect.KeyOf(g.ref)]
	return role != nil && !isDefault(role.Labels) && role.AggregationRule == nil && !gathered(f, role)
}

// gathered says that another role takes in the rules of this one.
func gathered(f *collect.Facts, role *rbacv1.ClusterRole) bool {
	for _, other := range f.ClusterRoles {
		if other.AggregationRule == nil {
			continue
		}
		for _, s := range other.AggregationRule.ClusterRoleSelectors {
			if selector, err := metav1.LabelSelectorAsSelector(&s); err == nil && selector.Matches(labels.Set(role.Labels)) {
				return true
			}
		}
	}
	for label := range maps.Keys(role.Labels) { // the default roles gather, seen or not
		if strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-") {
			return true
		}
	}
	return false
}

// Holding says whether a subject holds a power in a namespace, or in the whole
// cluster, and who it is that bindings name for it: the subject or a group it is in.
func (j *Judge) Holding(s Subject, p Power, namespace string) (by Subject, holds bool) {
	for _, h := range j.Holds([]Power{p}) {
		if h.Subject == s && (namespace == "" || h.Scope.Namespace == "" || h.Scope.Namespace == namespace) {
			return h.Witness.As, true
		}
	}
	return Subject{}, false
}
