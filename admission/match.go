package admission

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// matches says whether a rule of a policy or webhook is about the request.
func matches(rule admissionv1.Rule, operations []admissionv1.OperationType, r *request) bool {
	operation := admissionv1.Create
	if r.update {
		operation = admissionv1.Update
	}
	return (slices.Contains(operations, operation) || slices.Contains(operations, admissionv1.OperationAll)) &&
		anyOf(rule.APIGroups, r.resource.Group) && anyOf(rule.APIVersions, r.resource.Version) &&
		(rule.Scope == nil || *rule.Scope != admissionv1.ClusterScope) &&
		slices.ContainsFunc(rule.Resources, func(s string) bool { return isResource(s, r) })
}

func anyOf(list []string, one string) bool {
	return slices.Contains(list, "*") || slices.Contains(list, one)
}

// isResource knows "pods", "pods/ephemeralcontainers", "pods/*", "*/ephemeralcontainers", "*" (no
// subresource) and "*/*".
func isResource(pattern string, r *request) bool {
	resource, subresource := r.resource.Resource, r.subresource
	if subresource == "" {
		return pattern == resource || pattern == "*" || pattern == "*/*" || pattern == resource+"/*"
	}
	return slices.Contains([]string{"*/*", resource + "/*", "*/" + subresource, resource + "/" + subresource}, pattern)
}

// selects says whether a namespace has the labels; one that cannot be read selects everything.
func selects(s *metav1.LabelSelector, ns place) bool {
	if s == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err != nil || selector.Matches(labels.Set(ns.labels))
}

// chosen says that a selector goes by labels of the object itself: the maker of the object
// gives it others.
func chosen(s *metav1.LabelSelector) bool {
	return s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0
}
