package audit

import "slices"

// rights is what an RBAC object gives: a role's rules, a binding's role and
// subjects.
type rights struct {
	Rules    []rule
	RoleRef  *role
	Subjects []subject
}

type role struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// clusterAdmin is the role that allows everything, and the binding that every API server has of it.
const clusterAdmin = "cluster-admin"

// roleOf is the role that a binding gives, which a patch of its subjects need not name.
func (r *rights) roleOf(of *record) *role {
	if r.RoleRef == nil && len(r.Subjects) > 0 && of.isBuiltInBinding() {
		return &role{Kind: "ClusterRole", Name: clusterAdmin}
	}
	return r.RoleRef
}

type rule struct {
	Verbs     []string `json:"verbs"`
	Groups    []string `json:"apiGroups"`
	Resources []string `json:"resources"`
	Names     []string `json:"resourceNames"`
	URLs      []string `json:"nonResourceURLs"`
}

type subject struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

func (r *rights) verbs() (out []string) {
	for _, rule := range r.Rules {
		out = append(out, rule.Verbs...)
	}
	return unique(out)
}

func (r *rights) resources() (out []string) {
	for _, rule := range r.Rules {
		out = append(out, rule.Resources...)
	}
	return unique(out)
}

// maxGrants bounds the grants that are told of a role.
const maxGrants = 1000

// grants are each verb with each resource and its API group.
func (r *rights) grants() (out []string) {
	for _, rule := range r.Rules {
		for _, resource := range rule.Resources {
			for _, group := range rule.Groups {
				if group != "" {
					group = "." + group
				}
				for _, verb := range rule.Verbs {
					if len(out) < maxGrants {
						out = append(out, verb+" "+resource+group)
					}
				}
			}
		}
	}
	return unique(out)
}

// everything says that one rule of the role allows every verb on every resource.
func (r *rights) everything() bool {
	for _, rule := range r.Rules {
		if slices.Contains(rule.Verbs, "*") && slices.Contains(rule.Resources, "*") {
			return true
		}
	}
	return false
}

// subjects are told as "User alice", "ServiceAccount shop/builder".
func (r *rights) subjects() (out []string) {
	for _, s := range r.Subjects {
		name := s.Name
		if s.Namespace != "" {
			name = s.Namespace + "/" + s.Name
		}
		out = append(out, s.Kind+" "+name)
	}
	return unique(out)
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
