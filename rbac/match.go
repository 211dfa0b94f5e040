package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// allows says whether one rule allows the request, as the API server matches it.
func allows(rule rbacv1.PolicyRule, r Request) bool {
	if !has(rule.Verbs, r.Verb) {
		return false
	}
	if r.Path != "" {
		return slices.ContainsFunc(rule.NonResourceURLs, func(u string) bool { return urlMatches(u, r.Path) })
	}
	return allowsResource(rule, r) && (len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, r.Name))
}

func allowsResource(rule rbacv1.PolicyRule, r Request) bool {
	return has(rule.APIGroups, r.Group) &&
		slices.ContainsFunc(rule.Resources, func(s string) bool { return resourceMatches(s, r.Resource, r.Subresource) })
}

func has(list []string, one string) bool {
	return slices.Contains(list, "*") || slices.Contains(list, one)
}

// resourceMatches knows "*" (every resource and subresource), "pods",
// "pods/log" and "*/scale"; "pods/*" matches nothing, as in the API server.
func resourceMatches(rule, resource, subresource string) bool {
	if rule == "*" {
		return true
	}
	if subresource == "" {
		return rule == resource
	}
	return rule == resource+"/"+subresource || rule == "*/"+subresource
}

func urlMatches(rule, path string) bool {
	if rule == "*" || rule == path {
		return true
	}
	prefix, wild := strings.CutSuffix(rule, "*")
	return wild && strings.HasPrefix(path, strings.TrimRight(prefix, "*"))
}
