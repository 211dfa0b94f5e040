package segment

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
)

// accounts makes service accounts.
func (c *cluster) accounts() {
	for k, sa := range c.facts.ServiceAccounts {
		automount := sa.AutomountServiceAccountToken == nil || *sa.AutomountServiceAccountToken
		c.b.Set(c.serviceAccount(k.Namespace, k.Name), labelList(sa.Labels), graph.B("automount", automount),
			criticality(sa.Labels, sa.Annotations))
	}
}

// identities makes roles, bindings and what the RBAC judge says each identity holds.
func (c *cluster) identities() {
	for k := range c.facts.ServiceAccounts {
		if c.judged.Admission.RefusesAccount(k.Namespace, k.Name) {
			c.b.Edge("REFUSES_PODS_AS", c.namespace(k.Namespace), c.serviceAccount(k.Namespace, k.Name))
		}
	}
	for k, role := range c.facts.Roles {
		c.object(k.Of("Role"), labelList(role.Labels))
	}
	for k, role := range c.facts.ClusterRoles {
		c.wide("ClusterRole", k.Name, labelList(role.Labels))
	}
	for k, b := range c.facts.RoleBindings {
		c.binding(c.object(k.Of("RoleBinding"), labelList(b.Labels)), k.Namespace, b.RoleRef, b.Subjects)
	}
	for k, b := range c.facts.ClusterRoleBindings {
		c.binding(c.wide("ClusterRoleBinding", k.Name, labelList(b.Labels)), "", b.RoleRef, b.Subjects)
	}
	c.kubelets()
	c.holds()
}

func (c *cluster) wide(kind, name string, props ...graph.Prop) graph.Ref {
	is := ref.Ref{Kind: kind, Name: name}
	c.put(is)
	r := c.b.Node(kind, is.ID(), graph.S("name", name), graph.S("cluster", c.name))
	c.b.Set(r, props...)
	return r
}

func (c *cluster) serviceAccount(namespace, name string) graph.Ref {
	return c.referred(ref.Ref{Namespace: namespace, Kind: "ServiceAccount", Name: name})
}

func (c *cluster) subject(kind, namespace, name string) (graph.Ref, bool) {
	switch {
	case kind == rbacv1.ServiceAccountKind && namespace != "":
		return c.serviceAccount(namespace, name), true
	case kind == rbacv1.UserKind:
		return c.wide("User", name), true
	case kind == rbacv1.GroupKind:
		return c.wide("Group", name, graph.B("everyone", name == "system:authenticated" || name == "system:unauthenticated")), true
	}
	return graph.Ref{}, false
}

func (c *cluster) binding(r graph.Ref, namespace string, role rbacv1.RoleRef, subjects []rbacv1.Subject) {
	if role.Kind == "Role" && namespace != "" {
		c.b.Edge("GRANTS", r, c.referred(ref.Ref{Namespace: namespace, Kind: "Role", Name: role.Name}))
	} else if role.Kind == "ClusterRole" {
		c.b.Edge("GRANTS", r, c.wide("ClusterRole", role.Name))
	}
	for _, s := range subjects {
		ns := s.Namespace
		if ns == "" {
			ns = namespace
		}
		if id, ok := c.subject(s.Kind, ns, s.Name); ok {
			c.b.Edge("BOUND_BY", id, r)
		}
	}
}

func (c *cluster) secretsAndConfigMaps() {
	for k, s := range c.facts.Secrets {
		r := c.referred(k.Of("Secret"))
		c.b.Set(r, text("type", s.Type))
		if s.Account != "" { // the API server deletes it with its account
			c.b.Edge("TOKEN_OF", r, c.serviceAccount(k.Namespace, s.Account))
		}
	}
	for k, m := range c.facts.ConfigMaps {
		c.b.Set(c.referred(k.Of("ConfigMap")), labelList(m.Labels))
	}
}

const (
	// everything is the power whose holder may do all.
	everything = "everything"
	// takeOverNodes is what other powers amount to where admission lets them: nobody is granted it.
	takeOverNodes = "take-over-nodes"
)

// holds draws the judge's effective answers: identity → permission → scope.
func (c *cluster) holds() {
	admins := map[rbac.Subject]bool{}
	for _, h := range c.judged.Holds {
		id, ok := c.subject(h.Subject.Kind, h.Subject.Namespace, h.Subject.Name)
		if !ok || !c.there(h.Scope) {
			continue
		}
		if h.Power == everything && h.Scope.Kind == rbac.Cluster {
			admins[h.Subject] = true
			c.b.Set(id, graph.B("clusterAdmin", true))
		}
		c.b.Edge("HOLDS", id, c.permission(h.Power, h.Scope), text("binding", refText(h.Witness.Binding)), text("role", refText(h.Witness.Role)),
			text("witnessRule", h.Witness.Text), text("creates", h.Witness.Creates), flagged("elsewhere", h.Elsewhere))
		if h.Subject.Anybody() {
			c.b.Edge("TAKES_ANYBODY_FOR", c.at(self), id)
		}
	}
	c.excepted()
	c.unguarded()
	for _, g := range c.judged.Gains {
		if c.there(g.Scope) && c.there(g.Gives.Scope) {
			c.b.Edge("GIVES", c.permission(g.Power, g.Scope), c.permission(g.Gives.Power, g.Gives.Scope))
		}
	}
	for k, p := range c.facts.Pods {
		if p.Shape != nil && admins[rbac.ServiceAccount(k.Namespace, account(p.Shape))] {
			c.b.Set(c.podAt(p), graph.B("clusterAdmin", true))
		}
	}
	if !c.seen("HOLDS", "Permission", "ClusterRole", "ClusterRoleBinding") {
		return // an account that nobody was seen to make an administrator may be one
	}
	unsure := func(s rbac.Subject) bool { // bound in the whole cluster to a role that may allow all
		return slices.ContainsFunc(c.judged.Unread[s], func(u rbac.Unread) bool { return u.Namespace == "" })
	}
	for k := range c.facts.ServiceAccounts {
		if s := rbac.ServiceAccount(k.Namespace, k.Name); !admins[s] && !unsure(s) {
			c.b.Set(c.serviceAccount(k.Namespace, k.Name), graph.B("clusterAdmin", false))
		}
	}
	for k, p := range c.facts.Pods {
		if p.Shape == nil {
			continue
		}
		if s := rbac.ServiceAccount(k.Namespace, account(p.Shape)); !admins[s] && !unsure(s) {
			c.b.Set(c.podAt(p), graph.B("clusterAdmin", false))
		}
	}
}

// there says that a scope's namespace may exist: a role may name one that does not.
func (c *cluster) there(in rbac.Scope) bool {
	return in.Namespace == "" || len(c.things[thing{"Namespace", in.Namespace}]) > 0 || !c.seen("Namespace")
}

func refText(r ref.Ref) string {
	if r == (ref.Ref{}) {
		return ""
	}
	return r.String()
}

// webhooks makes the admission webhooks.
func (c *cluster) webhooks() {
	for k, w := range c.facts.ValidatingWebhooks {
		open := false
		for _, h := range w.Webhooks {
			open = open || h.FailurePolicy != nil && *h.FailurePolicy == "Ignore"
		}
		c.wide("AdmissionWebhook", k.Name, graph.S("type", "validating"), graph.B("failsOpen", open))
	}
	for k, w := range c.facts.MutatingWebhooks {
		open := false
		for _, h := range w.Webhooks {
			open = open || h.FailurePolicy != nil && *h.FailurePolicy == "Ignore"
		}
		c.wide("AdmissionWebhook", k.Name, graph.S("type", "mutating"), graph.B("failsOpen", open))
	}
}
