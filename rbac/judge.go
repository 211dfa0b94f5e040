package rbac

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// Judge answers for one state of one cluster, for as long as its Facts are not changed.
type Judge struct {
	// named holds the grants by the subject that bindings name.
	named map[Subject][]grant
	// accounts are the service accounts that exist, are bound or run a pod.
	accounts []Subject
	gaps     []collect.Gap
	release  release
	roles    *roles
	// bound are the roles of all bindings, those that name nobody too.
	bound map[ref.Ref]ref.Ref
	// untold are the identities of which Holds told nothing, because it would be too much.
	untold  []Subject
	cluster string
	facts   *collect.Facts
}

// grant is one binding as one of its subjects sees it.
type grant struct {
	binding ref.Ref
	as      Subject
	// namespace the grant holds in; empty for the whole cluster.
	namespace string
	ref       ref.Ref
	role      *role // nil if it is not known
	gone      bool  // all such roles were read, and this is none of them
}

// unread says that the grant may allow more than is known.
func (g grant) unread() bool { return g.role == nil && !g.gone }

// New prepares the answers for a cluster.
func New(f *collect.Facts) *Judge {
	j := &Judge{named: map[Subject][]grant{}, release: releaseIn(f), bound: map[ref.Ref]ref.Ref{}, cluster: f.Cluster.Name, facts: f}
	roles := rolesOf(f)
	j.roles = roles
	for k, b := range f.ClusterRoleBindings {
		j.bind(roles, k.Of("ClusterRoleBinding"), "", b.RoleRef, b.Subjects)
	}
	for k, b := range f.RoleBindings {
		j.bind(roles, k.Of("RoleBinding"), k.Namespace, b.RoleRef, b.Subjects)
	}
	for s := range j.named {
		slices.SortFunc(j.named[s], compareGrants)
	}
	j.accounts = accountsOf(f, j.named)
	j.gaps = j.gapsOf(f)
	return j
}

func (j *Judge) bind(roles *roles, binding ref.Ref, namespace string, role rbacv1.RoleRef, subjects []rbacv1.Subject) {
	to := ref.Ref{Kind: role.Kind, Name: role.Name}
	if role.Kind == "Role" {
		to.Namespace = namespace
	}
	j.bound[binding] = to
	if namespace == "" && role.Kind == "Role" {
		return // the API server refuses such a binding
	}
	rules, there := roles.called(to)
	gone := !there && roles.listed(to.Kind)
	for _, s := range subjects {
		if as, ok := subjectOf(s, namespace); ok {
			j.named[as] = append(j.named[as], grant{binding, as, namespace, to, rules, gone})
		}
	}
}

// subjectOf is who a binding means: a service account without a namespace is
// one of the binding's own, and of nowhere in a ClusterRoleBinding.
func subjectOf(s rbacv1.Subject, namespace string) (Subject, bool) {
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		ns := cmp.Or(s.Namespace, namespace)
		return ServiceAccount(ns, s.Name), ns != ""
	case rbacv1.UserKind:
		return User(s.Name), true
	case rbacv1.GroupKind:
		return Group(s.Name), true
	}
	return Subject{}, false
}

// compareGrants puts what reaches further first, so that witnesses are the
// widest grant and the same in every run.
func compareGrants(a, b grant) int {
	return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.binding.Kind, b.binding.Kind),
		cmp.Compare(a.binding.Name, b.binding.Name))
}

func accountsOf(f *collect.Facts, named map[Subject][]grant) []Subject {
	set := map[Subject]struct{}{}
	for k := range f.ServiceAccounts {
		set[ServiceAccount(k.Namespace, k.Name)] = struct{}{}
	}
	for _, p := range f.Pods {
		if p.Shape != nil {
			set[ServiceAccount(p.Namespace, cmp.Or(p.Shape.ServiceAccount, "default"))] = struct{}{}
		}
	}
	for s := range named {
		if s.Kind == "ServiceAccount" {
			set[s] = struct{}{}
		}
	}
	return slices.SortedFunc(maps.Keys(set), compareSubjects)
}

func compareSubjects(a, b Subject) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// grants are all that a subject's requests are judged by: its own and its groups'.
func (j *Judge) grants(s Subject) []grant {
	var all []grant
	if s.Kind != "Group" {
		all = append(all, j.named[s]...)
	}
	for _, g := range s.groups() {
		all = append(all, j.named[Group(g)]...)
	}
	return all
}

// Can decides one request.
func (j *Judge) Can(s Subject, r Request) Decision {
	d := Decision{Subject: s, Request: r}
	if slices.Contains(s.groups(), masters) {
		d.Allowed, d.Witness = true, unlimited()
		return d
	}
	for _, g := range j.grants(s) {
		if g.namespace != "" && (g.namespace != r.Namespace || r.Path != "") {
			continue
		}
		if g.unread() {
			d.Unread = append(d.Unread, g.ref)
		}
		if g.role == nil {
			continue
		}
		for i, rule := range g.role.rules {
			if allows(rule, r) {
				d.Allowed, d.Witness, d.Unread = true, g.witness(i), nil
				return d
			}
		}
	}
	return d
}

func (g grant) witness(rule int) *Witness {
	from := g.role.from[rule]
	return &Witness{Binding: g.binding, As: g.as, Bound: g.ref, Role: from.role, Rule: from.rule,
		Text: describe(g.role.rules[rule]), BuiltIn: from.builtIn}
}

// unlimited is the witness of system:masters.
func unlimited() *Witness {
	return &Witness{As: Group(masters), Rule: -1,
		Text: "members of the group system:masters may do everything, regardless of the roles"}
}

// Subjects are the identities that bindings name, sorted.
func (j *Judge) Subjects() []Subject {
	return slices.SortedFunc(maps.Keys(j.named), compareSubjects)
}

// Identities are all that any grant reaches, service accounts through their groups too, sorted.
func (j *Judge) Identities() []Subject { return j.holders() }

// Knows says that a binding names the subject or, of a service account, that it exists or runs a pod.
func (j *Judge) Knows(s Subject) bool {
	return len(j.named[s]) > 0 || slices.Contains(j.accounts, s)
}

// Gaps says what could not be seen and what the judge's answers may therefore miss.
func (j *Judge) Gaps() []collect.Gap {
	if len(j.untold) == 0 {
		return j.gaps
	}
	who := j.untold[0].String()
	if more := len(j.untold) - 1; more > 0 {
		who = fmt.Sprintf("%s and %d more", who, more)
	}
	return append(slices.Clone(j.gaps), collect.Gap{Cluster: j.cluster, Source: "judge", What: "permissions of " + who,
		Why:         fmt.Sprintf("their roles and bindings multiply beyond bounds: want at most %d permissions held in the cluster", maxHolds),
		Consequence: "Of these identities no permission is shown; they may hold any.", Kinds: []string{"Permission", "HOLDS"}})
}
