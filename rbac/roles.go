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

// role is a role's effective rules. from[i] is where rules[i] stands.
type role struct {
	rules []rbacv1.PolicyRule
	from  []source
}

type source struct {
	role ref.Ref
	rule int
	// builtIn roles are Kubernetes' own and were not among what was read.
	builtIn bool
}

func (r *role) add(from ref.Ref, rules []rbacv1.PolicyRule, builtIn bool) {
	for i, rule := range rules {
		r.rules = append(r.rules, rule)
		r.from = append(r.from, source{from, i, builtIn})
	}
}

// roles are the rules of every role that is bound, by what bindings call it; nil
// where they cannot be known.
type roles struct {
	facts   *collect.Facts
	cluster map[collect.Key]*rbacv1.ClusterRole // those that were seen, and Kubernetes' own besides
	names   []collect.Key                       // of cluster, sorted
	done    map[ref.Ref]*role
	left    int // roles that may be looked at, for all that select others
}

// Roles that select each other are looked at as often as the cube of their number. So one that selects roles which select others
// has a bound, and all have one; each may look at all roles a few times, whatever others did. Of what is beyond the rules are not known.
const gatherOne, gatherAll, gatherAnyway = 8_000_000, 40_000_000, 4

func rolesOf(f *collect.Facts) *roles {
	r := &roles{facts: f, cluster: maps.Clone(builtInRoles().cluster), done: map[ref.Ref]*role{}, left: gatherAll}
	maps.Copy(r.cluster, f.ClusterRoles)
	r.names = slices.SortedFunc(maps.Keys(r.cluster), func(a, b collect.Key) int { return strings.Compare(a.Name, b.Name) })
	return r
}

// called finds a role; there is false if no such role was seen.
func (r *roles) called(to ref.Ref) (found *role, there bool) {
	if found, there = r.done[to]; there {
		return found, true
	}
	key := collect.KeyOf(to)
	switch to.Kind {
	case "Role":
		own, seen := r.facts.Roles[key]
		if !seen {
			own, there = builtInRoles().roles[key]
		}
		if seen || there {
			found, there = &role{}, true
			found.add(to, own.Rules, !seen)
		}
	case "ClusterRole":
		if _, there = r.cluster[key]; there {
			found = r.effective(key)
		}
	}
	if there {
		r.done[to] = found
	}
	return found, there
}

// ofNamespaces are the Roles that were seen, sorted.
func (r *roles) ofNamespaces() (out []ref.Ref) {
	for k := range r.facts.Roles {
		out = append(out, k.Of("Role"))
	}
	slices.SortFunc(out, func(a, b ref.Ref) int { return strings.Compare(a.ID(), b.ID()) })
	return out
}

// listed says whether all roles of a kind were read, as an API server lists them.
func (r *roles) listed(kind string) bool {
	_, unseen := r.facts.Unseen(strings.ToLower(kind) + "s")
	return r.facts.ResourceVersions[kind] != "" && !unseen
}

// effective is a ClusterRole's rules. The controller in a cluster overwrites
// those of an aggregating role by the rules of the roles that it selects; where it
// has not yet, as in manifests, they are gathered here.
func (r *roles) effective(key collect.Key) *role {
	rules, may := &role{}, max(min(gatherOne, r.left), gatherAnyway*len(r.names))
	left := may
	known := r.gather(key, map[collect.Key]bool{}, rules, &left)
	r.left = max(0, r.left-(may-left))
	if !known || left < 0 {
		return nil
	}
	return rules
}

// gather adds a role's rules. It says whether they are known: which roles a manifest's
// aggregating role will find is not, where it finds none in what was read.
func (r *roles) gather(key collect.Key, visited map[collect.Key]bool, into *role, left *int) bool {
	c := r.cluster[key]
	visited[key] = true
	if c.AggregationRule == nil || c.UID != "" && len(c.Rules) > 0 {
		_, seen := r.facts.ClusterRoles[key]
		into.add(key.Of("ClusterRole"), c.Rules, !seen)
		return true
	}
	found, selects := c.UID != "", selectorOf(c.AggregationRule)
	for _, other := range r.names {
		if *left--; *left < 0 {
			break
		}
		if other == key || !selects(r.cluster[other].Labels) {
			continue
		}
		found = true
		if !visited[other] {
			r.gather(other, visited, into, left)
		}
	}
	return found
}

// selectorOf says which labels an aggregation selects.
func selectorOf(rule *rbacv1.AggregationRule) func(map[string]string) bool {
	var all []labels.Selector
	for _, s := range rule.ClusterRoleSelectors {
		if selector, err := metav1.LabelSelectorAsSelector(&s); err == nil {
			all = append(all, selector)
		}
	}
	return func(set map[string]string) bool {
		return slices.ContainsFunc(all, func(s labels.Selector) bool { return s.Matches(labels.Set(set)) })
	}
}
