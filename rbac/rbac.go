// Package rbac is the judge of one question: may this identity do that? It
// answers as the API server's RBAC authorizer would, from roles and bindings as
// collected, and names the binding, role and rule that say yes.
//
// It knows RBAC only. Other authorizers (Node, webhooks, an identity provider's
// group memberships) are not seen: a no means that RBAC does not grant it, and a
// user's groups are those that Kubernetes implies. Members of system:masters may
// do everything, regardless of the roles.
package rbac

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/ref"
)

// Subject is an identity. Kind is ServiceAccount, User or Group; only a
// ServiceAccount has a Namespace.
type Subject struct{ Kind, Namespace, Name string }

// ServiceAccount is the identity pods run as.
func ServiceAccount(namespace, name string) Subject {
	return Subject{"ServiceAccount", namespace, name}
}

// User is a user by name; "system:serviceaccount:ns:name" is that service account.
func User(name string) Subject {
	if ns, sa, ok := accountOf(name); ok {
		return ServiceAccount(ns, sa)
	}
	return Subject{Kind: "User", Name: name}
}

// Group is any member of a group, of whom nothing else is known.
func Group(name string) Subject { return Subject{Kind: "Group", Name: name} }

func (s Subject) String() string {
	if s.Namespace != "" {
		return s.Kind + " " + s.Namespace + "/" + s.Name
	}
	return s.Kind + " " + s.Name
}

const (
	masters         = "system:masters"
	authenticated   = "system:authenticated"
	unauthenticated = "system:unauthenticated"
	accounts        = "system:serviceaccounts"
	anonymous       = "system:anonymous"
	accountPrefix   = "system:serviceaccount:"
)

func accountOf(user string) (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(user, accountPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}

// As is what the API server knows of a request of the subject: user name and groups.
func (s Subject) As() (user string, groups []string) {
	switch s.Kind {
	case "ServiceAccount":
		user = accountPrefix + s.Namespace + ":" + s.Name
	case "User":
		user = s.Name
	}
	return user, s.groups()
}

// groups are those every request of the subject carries.
func (s Subject) groups() []string {
	switch {
	case s.Kind == "ServiceAccount":
		return []string{accounts, accounts + ":" + s.Namespace, authenticated}
	case s.Kind == "User" && s.Name == anonymous, s.Kind == "Group" && s.Name == unauthenticated:
		return []string{unauthenticated}
	case s.Kind == "User" || s.Name == authenticated:
		return []string{authenticated}
	case strings.HasPrefix(s.Name, accounts+":"):
		return []string{s.Name, accounts, authenticated}
	}
	return []string{s.Name, authenticated}
}

// Anybody says that a request without a credential is one of the subject.
func (s Subject) Anybody() bool {
	return s.Kind == "User" && s.Name == anonymous || s.Kind == "Group" && s.Name == unauthenticated
}

// Request is what is asked for. With a Path it is about a URL that is no
// resource. Namespace "" asks for the whole cluster, Name "" for every object.
type Request struct {
	Verb        string
	Group       string
	Resource    string
	Subresource string
	Namespace   string
	Name        string
	Path        string
}

func (r Request) String() string {
	if r.Path != "" {
		return r.Verb + " " + r.Path
	}
	what := r.Resource
	if r.Subresource != "" {
		what += "/" + r.Subresource
	}
	if r.Group != "" {
		what += "." + r.Group
	}
	if r.Name != "" {
		what += " " + r.Name
	}
	if r.Namespace == "" {
		return r.Verb + " " + what + " in the whole cluster"
	}
	return r.Verb + " " + what + " in namespace " + r.Namespace
}

// Witness proves a yes. Binding is empty where no binding is needed.
type Witness struct {
	Binding ref.Ref
	// As is the subject the binding names: the identity or a group it is in.
	As Subject
	// Bound is the role that is bound, Role the one that has the rule: the same,
	// unless Bound gathers the rules of others.
	Bound, Role ref.Ref
	// Rule is the rule's index in the role, -1 where no role is needed.
	Rule int
	// Text is the rule in words.
	Text string
	// Creates is the name of what is created, where rules that are limited to names allow that: a server-side apply, for
	// which to patch is needed too, tells the name; a POST does not.
	Creates string
	// BuiltIn is true for a default role that Kubernetes creates and that was
	// not among what was read.
	BuiltIn bool
}

// Decision is the answer to a Request.
type Decision struct {
	Subject Subject
	Request Request
	Allowed bool
	// Witness proves Allowed; nil otherwise.
	Witness *Witness
	// Unread are roles bound to the subject whose rules could not be seen: they
	// may allow what is not allowed here.
	Unread []ref.Ref
}

// Explain says the decision and its reason in a sentence or two.
func (d Decision) Explain() string {
	if d.Allowed {
		return fmt.Sprintf("%s may %s: %s.", d.Subject, d.Request, d.Witness.Explain())
	}
	text := fmt.Sprintf("No binding that names %s or its groups (%s) lets it %s.",
		d.Subject, strings.Join(d.Subject.groups(), ", "), d.Request)
	if len(d.Unread) > 0 {
		text += fmt.Sprintf(" The rules of %s could not be seen and may.", joinRefs(d.Unread))
	}
	return text
}

// Explain says who grants it, without a full stop.
func (w Witness) Explain() string {
	if w.Binding == (ref.Ref{}) {
		return w.Text
	}
	role := w.Role.String()
	if w.BuiltIn {
		role += " (a Kubernetes default, not read)"
	}
	if w.Bound != w.Role {
		role = w.Bound.String() + ", which gathers the rules of " + role
	}
	return fmt.Sprintf("%s binds %s to %s, whose rule %d allows %s", w.Binding, w.As, role, w.Rule, w.Text)
}

func joinRefs(refs []ref.Ref) string {
	var names []string
	for _, r := range refs {
		names = append(names, r.String())
	}
	return strings.Join(names, ", ")
}

// describe puts a rule into words: "get, list secrets, pods/log.apps named a, b".
func describe(rule rbacv1.PolicyRule) string {
	text := strings.Join(rule.Verbs, ", ")
	if len(rule.NonResourceURLs) > 0 {
		text += " " + strings.Join(rule.NonResourceURLs, ", ")
	}
	if len(rule.Resources) > 0 {
		text += " " + strings.Join(rule.Resources, ", ")
	}
	if groups := slices.DeleteFunc(slices.Clone(rule.APIGroups), func(g string) bool { return g == "" }); len(groups) > 0 {
		text += " of " + strings.Join(groups, ", ")
	}
	if len(rule.ResourceNames) > 0 {
		text += " named " + strings.Join(rule.ResourceNames, ", ")
	}
	return text
}
