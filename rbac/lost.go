package rbac

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// Loss is something that a subject might do before a change and may not after it. Unread says that
// a role bound to it could not be read, so that it may still be allowed.
type Loss struct {
	Subject Subject
	Request Request
	Unread  bool
}

// Lost compares what bindings give to the subjects that they name, as their rules write it: what a
// subject may do by another binding, or as a member of a group, is not lost. Subjects that are no
// more lose nothing.
func Lost(before, after *collect.Facts) (out []Loss) {
	was, is := New(before), New(after)
	there := map[Subject]bool{}
	for _, s := range is.accounts {
		there[s] = true
	}
	for s, grants := range was.named {
		if s.Kind == "ServiceAccount" && !there[s] {
			continue
		}
		asked := map[Request]bool{}
		for _, g := range grants {
			if g.role == nil || slices.ContainsFunc(is.named[s], g.same) {
				continue
			}
			for _, rule := range g.role.rules {
				for _, r := range requests(rule, g.namespace) {
					if asked[r] {
						continue
					}
					asked[r] = true
					if !was.Can(s, r).Allowed { // a RoleBinding grants no paths
						continue
					}
					if d := is.Can(s, r); !d.Allowed {
						out = append(out, Loss{s, r, len(d.Unread) > 0})
					}
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Loss) int {
		return cmp.Or(compareSubjects(a.Subject, b.Subject), cmp.Compare(a.Request.String(), b.Request.String()))
	})
	return out
}

// same says that two grants give the same rules in the same place.
func (g grant) same(o grant) bool {
	return o.role != nil && g.namespace == o.namespace && reflect.DeepEqual(g.role.rules, o.role.rules)
}

// requests are what a rule allows, in its own words: a wildcard is asked for as such.
func requests(rule rbacv1.PolicyRule, namespace string) (out []Request) {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	for _, verb := range rule.Verbs {
		for _, path := range rule.NonResourceURLs {
			out = append(out, Request{Verb: verb, Path: path})
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				resource, sub, _ := strings.Cut(resource, "/")
				for _, name := range names {
					out = append(out, Request{Verb: verb, Group: group, Resource: resource, Subresource: sub, Namespace: namespace, Name: name})
				}
			}
		}
	}
	return out
}
