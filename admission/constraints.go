package admission

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
)

// constraints is OpenShift's admission of pods: SecurityContextConstraints. A pod gets
// in if one of them allows it that its account or its maker may use. Which of
// several is taken, by priority, decides what is filled in, not whether it gets in.
type constraints struct {
	facts    *collect.Facts
	accounts *rbac.Judge
	// unseen says that the cluster has some and they could not be read.
	unseen bool
	// usable remembers who may use which, by namespace and identity.
	usable map[string][]usable
}

// usable is one that somebody may use; doubt says that this hangs on roles that were not read.
type usable struct {
	*collect.SecurityContextConstraints
	doubt bool
}

const constraintsResource = "securitycontextconstraints"

func newConstraints(f *collect.Facts) *constraints {
	_, unseen := f.Unseen(constraintsResource + ".security.openshift.io")
	if !unseen && len(f.SecurityContextConstraints) == 0 {
		return nil
	}
	return &constraints{facts: f, accounts: rbac.New(f), unseen: unseen, usable: map[string][]usable{}}
}

// admits tries those that any account of the namespace may use, for the maker of a pod
// chooses it, or the one that is asked for; where a person makes it, those of the person.
func (c *constraints) admits(ns place, r *request) Verdict {
	switch {
	case c == nil || r.pod == nil:
		return Admitted
	case c.unseen:
		return Unknown
	}
	best := Refused
	for _, who := range c.makers(ns, r) {
		for _, u := range c.usableBy(ns.name, who) {
			switch {
			case !allows(u.SecurityContextConstraints, r.pod):
			case u.doubt:
				best = max(best, Unknown)
			default:
				return Admitted
			}
		}
	}
	return best
}

// maker is one whose constraints count for a pod.
type maker struct {
	user   string
	groups []string
}

func (c *constraints) makers(ns place, r *request) (out []maker) {
	account := func(name string) {
		user, groups := rbac.ServiceAccount(ns.name, name).As()
		out = append(out, maker{user, groups})
	}
	if ns.account != "" {
		account(ns.account)
	} else {
		account("default")
		for k := range c.facts.ServiceAccounts {
			if k.Namespace == ns.name && k.Name != "default" {
				account(k.Name)
			}
		}
	}
	if r.controller == "" && (ns.user != "" || len(ns.groups) > 0) {
		out = append(out, maker{ns.user, ns.groups})
	}
	return out
}

// usableBy are those that a maker may use in a namespace: it or a group of it is
// named in them, or RBAC allows it the verb use.
func (c *constraints) usableBy(ns string, m maker) []usable {
	key := ns + " " + m.user + " " + strings.Join(m.groups, " ")
	out, known := c.usable[key]
	if known {
		return out
	}
	for _, s := range c.facts.SecurityContextConstraints {
		named := m.user != "" && slices.Contains(s.Users, m.user) ||
			slices.ContainsFunc(s.Groups, func(g string) bool { return slices.Contains(m.groups, g) })
		may, doubt := c.may(ns, s.Name, m)
		if named || may {
			out = append(out, usable{s, false})
		} else if doubt {
			out = append(out, usable{s, true})
		}
	}
	c.usable[key] = out
	return out
}

// may asks RBAC about the verb use.
func (c *constraints) may(ns, name string, m maker) (allowed, doubt bool) {
	asks := rbac.Request{Verb: "use", Group: "security.openshift.io", Resource: constraintsResource, Namespace: ns, Name: name}
	var as []rbac.Subject
	if m.user != "" {
		as = append(as, rbac.User(m.user))
	}
	for _, g := range m.groups {
		as = append(as, rbac.Group(g))
	}
	for _, s := range as {
		d := c.accounts.Can(s, asks)
		if d.Allowed {
			return true, false
		}
		doubt = doubt || len(d.Unread) > 0
	}
	return false, doubt
}

// allows says whether a pod gets in as it is. What it need not be to take over its
// node (which user that is not root, a profile) its maker chooses as the constraints want.
func allows(s *collect.SecurityContextConstraints, p *corev1.Pod) bool {
	spec := &p.Spec
	if spec.HostPID && !s.AllowHostPID || spec.HostIPC && !s.AllowHostIPC || spec.HostNetwork && !s.AllowHostNetwork ||
		!s.AllowHostDirVolumePlugin && slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil }) {
		return false
	}
	containers := slices.Concat(spec.InitContainers, spec.Containers)
	for _, e := range spec.EphemeralContainers {
		containers = append(containers, corev1.Container(e.EphemeralContainerCommon))
	}
	return !slices.ContainsFunc(containers, func(k corev1.Container) bool { return !allowsContainer(s, spec, k.SecurityContext) })
}

func allowsContainer(s *collect.SecurityContextConstraints, pod *corev1.PodSpec, sc *corev1.SecurityContext) bool {
	if sc == nil {
		sc = &corev1.SecurityContext{}
	}
	if sc.Privileged != nil && *sc.Privileged {
		return s.AllowPrivilegedContainer && (s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation)
	}
	if sc.Capabilities != nil {
		for _, add := range sc.Capabilities.Add {
			if !allowsCapability(s, string(add)) {
				return false
			}
		}
	}
	root := sc.RunAsUser == nil && (pod.SecurityContext == nil || pod.SecurityContext.RunAsUser == nil)
	return !root || allowsRoot(s)
}

// allowsCapability: what needs more than the process has now cannot be had where it
// may not get more.
func allowsCapability(s *collect.SecurityContextConstraints, add string) bool {
	if s.AllowPrivilegeEscalation != nil && !*s.AllowPrivilegeEscalation && strings.HasSuffix(add, "SYS_ADMIN") {
		return false
	}
	return slices.ContainsFunc(
		slices.Concat(s.AllowedCapabilities, s.DefaultAddCapabilities),
		func(c string) bool { return c == "*" || c == add },
	)
}

func allowsRoot(s *collect.SecurityContextConstraints) bool {
	isRoot := func(id *int64) bool { return id != nil && *id == 0 }
	switch s.RunAsUser.Type {
	case "RunAsAny":
		return true
	case "MustRunAs":
		return isRoot(s.RunAsUser.UID)
	case "MustRunAsRange":
		return isRoot(s.RunAsUser.UIDRangeMin)
	}
	return false
}
