package segment

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// tokenPath is where admission mounts the token of a pod's service account. A
// container that mounts something else there gets none.
const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// admitted is how the volume is named that admission adds: where a pod has one,
// each container's mounts tell whether it has the token.
const admitted = "kube-api-access-"

// tokenMounted says whether a container gets its account's token for the API server:
// by what it mounts, else by what admission would do: the pod's own word, else the
// account's, else yes. Unknown where the account was not read.
func (c *cluster) tokenMounted(p *collect.Pod, s *collect.ContainerShape) *bool {
	yes, no := true, false
	for _, m := range s.Mounts {
		if v := volumeNamed(p.Shape, m.Volume); v != nil && givesToken(p, v, m.Path) {
			return &yes
		}
	}
	stored := func(v collect.Volume) bool { return v.Token && strings.HasPrefix(v.Name, admitted) }
	taken := func(m collect.Mount) bool { return m.Path == tokenPath }
	if slices.ContainsFunc(p.Shape.Volumes, stored) || slices.ContainsFunc(s.Mounts, taken) || p.Owner.Kind == "Node" {
		return &no // a node's own pod has no account to speak of
	}
	return c.automounted(p)
}

// givesToken says whether a volume holds the account's token: a projected one, or
// the Secret that admission mounted until Kubernetes 1.21.
func givesToken(p *collect.Pod, v *collect.Volume, path string) bool {
	return v.Token && forAPIServer(v.Audience) || path == tokenPath && v.Type == "secret" &&
		slices.ContainsFunc(v.Secrets, func(s string) bool { return strings.HasPrefix(s, account(p.Shape)+"-token-") })
}

// forAPIServer says whether the API server takes tokens of an audience: no audience
// is its own, and its own is named after it where nobody chose another.
func forAPIServer(audience string) bool {
	return audience == "" || strings.HasPrefix(strings.TrimPrefix(audience, "https://"), "kubernetes.default.svc")
}

func volumeNamed(s *collect.PodShape, name string) *collect.Volume {
	i := slices.IndexFunc(s.Volumes, func(v collect.Volume) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Volumes[i]
}

func (c *cluster) automounted(p *collect.Pod) *bool {
	yes := true
	if p.Shape.AutomountToken != nil {
		return p.Shape.AutomountToken
	}
	sa, read := c.facts.ServiceAccounts[collect.Key{Namespace: p.Namespace, Name: account(p.Shape)}]
	switch {
	case read && sa.AutomountServiceAccountToken != nil:
		return sa.AutomountServiceAccountToken
	case read || c.seen("ServiceAccount"):
		return &yes // the default, also of an account that is yet to be made
	}
	return nil
}

// tokensOf says for each container of a pod whether it gets the token, and whether
// one of them does.
func (c *cluster) tokensOf(p *collect.Pod) (each []*bool, any *bool) {
	no := false
	any = &no
	for i := range p.Shape.Containers {
		m := c.tokenMounted(p, &p.Shape.Containers[i])
		each = append(each, m)
		if any != nil && !*any || m != nil && *m {
			any = m
		}
	}
	return each, any
}

// nodeTokens is the version from which a node is given tokens only for what its pods
// mount; before, for any account of its pods.
const nodeTokens = "1.33"

// tokenForNode says whether the API server gives a pod's node tokens of its account.
func (c *cluster) tokenForNode(mounted *bool) *bool {
	if c.anyToken {
		yes := true
		return &yes
	}
	return mounted
}

// audiences are for whom else than the API server a container has tokens, such as a cloud.
func audiences(p *collect.Pod, s *collect.ContainerShape) (out []string) {
	for _, m := range s.Mounts {
		v := volumeNamed(p.Shape, m.Volume)
		if v != nil && v.Token && !forAPIServer(v.Audience) && !slices.Contains(out, v.Audience) {
			out = append(out, v.Audience)
		}
	}
	slices.Sort(out)
	return out
}
