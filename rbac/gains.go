package rbac

import (
	"cmp"
	"slices"

	"github.com/breakwater-sec/breakwater/ref"
)

// Gain says that a power over roles and bindings gives another power: its holder
// may bind, or write, a role that has it.
type Gain struct {
	Power string
	Scope Scope
	// Gives is held by those who take the way.
	Gives Hold
}

// Gains are what the powers to bind, escalate and write roles give, for those that
// somebody holds. Gives has no Subject and, where a role would have to be written first,
// no Witness.
func (j *Judge) Gains(powers []Power, holds []Hold) (out []Gain) {
	g := gains{judge: j, asked: newAsked(powers, j)}
	for _, m := range holdersOfEach(holds) {
		for _, given := range g.of(m) {
			if given.Power != m.power || !equalScopes(given.Scope, m.scope) {
				out = append(out, Gain{m.power, m.scope, given})
			}
		}
	}
	return out
}

// heldBy is a power in a scope with all who hold it.
type heldBy struct {
	power string
	scope Scope
	who   map[Subject]bool
}

func holdersOfEach(holds []Hold) (out []*heldBy) {
	byText := map[string]*heldBy{}
	for _, h := range holds {
		key := h.Power + " in " + h.Scope.String()
		m := byText[key]
		if m == nil {
			m = &heldBy{h.Power, h.Scope, map[Subject]bool{}}
			byText[key] = m
			out = append(out, m)
		}
		m.who[h.Subject] = true
	}
	return out
}

func equalScopes(a, b Scope) bool {
	return a.Kind == b.Kind && a.Namespace == b.Namespace && slices.Equal(a.Names, b.Names)
}

type gains struct {
	judge *Judge
	asked *asked
}

func (g gains) of(m *heldBy) []Hold {
	limited := m.scope.Kind == Names
	switch m.power {
	case "bind-cluster-roles":
		if limited {
			return g.roles("ClusterRole", "", m.scope.Names)
		}
		return g.all("")
	case "bind-roles":
		if limited {
			return g.within(g.roles("ClusterRole", m.scope.Namespace, m.scope.Names))
		}
		return g.within(g.all(m.scope.Namespace))
	case "bind-namespace-roles":
		return g.namespaceRoles(m.scope)
	case "join-cluster-role-bindings":
		if limited {
			return g.joined(m)
		}
	case "escalate-cluster-roles":
		if limited {
			return g.rewritten("ClusterRole", m)
		}
		return g.all("")
	case "escalate-roles":
		return g.rewritten("Role", m)
	case "write-cluster-role-and-binding":
		return g.all("")
	case "write-role-and-binding":
		return g.within(g.all(m.scope.Namespace))
	}
	return nil
}

// all is every power in a namespace, or in the cluster where that is empty.
func (g gains) all(namespace string) (out []Hold) {
	for _, p := range g.asked.powers {
		switch {
		case namespace == "" && p.Name == everythingPower:
			return []Hold{{Power: p.Name, Scope: Scope{Kind: Cluster}}} // which is each other power
		case namespace == "":
			out = append(out, Hold{Power: p.Name, Scope: Scope{Kind: Cluster}})
		case p.namespaced() || p.Name == everythingPower:
			out = append(out, Hold{Power: p.Name, Scope: Scope{Kind: Namespace, Namespace: namespace}})
		}
	}
	return out
}

// within drops what a RoleBinding cannot give: with one in every namespace, what lies
// in no namespace is still out of reach.
func (g gains) within(all []Hold) (out []Hold) {
	for _, h := range all {
		if h.Scope.Namespace != "" {
			out = append(out, h)
			continue
		}
		for _, p := range g.asked.powers {
			if p.namespaced() && (p.Name == h.Power || h.Power == everythingPower) {
				out = append(out, Hold{Power: p.Name, Scope: h.Scope, Witness: h.Witness})
			}
		}
	}
	return out
}

// everythingPower is the power that includes each other.
const everythingPower = "everything"

// namespaced says that a RoleBinding can give the power.
func (p Power) namespaced() bool {
	return !slices.ContainsFunc(slices.Concat(p.Any, p.All), func(a Ask) bool {
		return a.ClusterScoped || a.Path != "" || a.Resource == "*"
	})
}

// roles is what roles of these names give when bound in a namespace, or everywhere.
func (g gains) roles(kind, namespace string, names []string) (out []Hold) {
	for _, name := range names {
		to := ref.Ref{Kind: kind, Name: name}
		if kind == "Role" {
			to.Namespace = namespace
		}
		role, there := g.judge.roles.called(to)
		if !there || role == nil {
			continue
		}
		out = append(out, g.asked.holds([]grant{{namespace: namespace, ref: to, role: role}})...)
	}
	return out
}

// namespaceRoles is what the Roles of the scope's namespaces give.
func (g gains) namespaceRoles(in Scope) (out []Hold) {
	for _, r := range g.judge.roles.ofNamespaces() {
		if (in.Namespace == "" || in.Namespace == r.Namespace) && (in.Kind != Names || slices.Contains(in.Names, r.Name)) {
			out = append(out, g.roles("Role", r.Namespace, []string{r.Name})...)
		}
	}
	return out
}

// joined is what the ClusterRoles of the named bindings give to those who may bind them.
func (g gains) joined(m *heldBy) (out []Hold) {
	for _, name := range m.scope.Names {
		to, there := g.judge.bound[ref.Ref{Kind: "ClusterRoleBinding", Name: name}]
		if !there {
			continue
		}
		bind := Request{Verb: "bind", Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Name: to.Name}
		for who := range m.who {
			if g.judge.Can(who, bind).Allowed {
				out = append(out, g.roles(to.Kind, "", []string{to.Name})...)
				break
			}
		}
	}
	return out
}

// rewritten is what a role gives to its holders who write any rules into it: all, wherever
// it is bound to one of them.
func (g gains) rewritten(kind string, m *heldBy) (out []Hold) {
	done := map[string]bool{}
	for who := range m.who {
		for _, b := range g.judge.grants(who) {
			if b.ref.Kind != kind || done[b.namespace] ||
				kind == "Role" && m.scope.Namespace != "" && m.scope.Namespace != b.namespace ||
				m.scope.Kind == Names && !slices.Contains(m.scope.Names, b.ref.Name) {
				continue
			}
			done[b.namespace] = true
			out = append(out, g.all(b.namespace)...)
		}
	}
	slices.SortFunc(out, func(a, b Hold) int {
		return cmp.Or(cmp.Compare(a.Power, b.Power), cmp.Compare(a.Scope.Namespace, b.Scope.Namespace))
	})
	return out
}
