package netpol

import (
	"cmp"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
)

// Judge answers for one state of one cluster. It remembers which policies
// select which labels, so it is for one goroutine.
type Judge struct {
	facts       *collect.Facts
	admin       []*policy // by priority
	byNamespace map[string][]*policy
	baseline    []*policy
	namespaces  map[string]labels.Set
	selecting   map[subject]selection
	doubts      []doubt
	enforcement Enforcement
	gaps        []collect.Gap
}

// doubt is a policy that could not be read, and whom it is about: it may allow
// what others deny.
type doubt struct {
	name    string
	subject peer
}

// subject is what policies can tell pods apart by.
type subject struct {
	namespace string
	labels    *collect.Labels
}

// selection is the policies that select a subject.
type selection struct{ admin, network, baseline []*policy }

// New prepares the answers for a cluster.
func New(f *collect.Facts) *Judge {
	j := &Judge{facts: f, byNamespace: map[string][]*policy{}, namespaces: map[string]labels.Set{}, selecting: map[subject]selection{}}
	for k, n := range f.Namespaces {
		set := labels.Set{"kubernetes.io/metadata.name": k.Name}
		for key, v := range n.Labels {
			set[key] = v
		}
		j.namespaces[k.Name] = set
	}
	for k, n := range f.NetworkPolicies {
		p, err := compile(n)
		if j.usable("NetworkPolicy", k, err) {
			j.byNamespace[k.Namespace] = append(j.byNamespace[k.Namespace], p)
		} else {
			j.doubts = append(j.doubts, doubt{"NetworkPolicy " + k.String(), subjectOf(n)})
		}
	}
	for k, a := range f.AdminNetworkPolicies {
		p, err := compileAdmin("AdminNetworkPolicy", k.Name, a.Spec)
		if j.usable("AdminNetworkPolicy", k, err) {
			j.admin = append(j.admin, p)
		} else {
			j.doubts = append(j.doubts, doubt{"AdminNetworkPolicy " + k.Name, adminSubjectOf(a.Spec.Subject)})
		}
	}
	for k, b := range f.BaselineAdminNetworkPolicies {
		p, err := compileAdmin("BaselineAdminNetworkPolicy", k.Name, b.Spec)
		if j.usable("BaselineAdminNetworkPolicy", k, err) {
			j.baseline = append(j.baseline, p)
		}
	}
	j.sort()
	j.enforcement = enforcement(f)
	j.missing()
	return j
}

func (j *Judge) sort() {
	slices.SortFunc(j.admin, func(a, b *policy) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.Name, b.Name))
	})
	for _, ps := range j.byNamespace {
		slices.SortFunc(ps, func(a, b *policy) int { return cmp.Compare(a.Name, b.Name) })
	}
	slices.SortFunc(j.doubts, func(a, b doubt) int { return cmp.Compare(a.name, b.name) })
}

// subjectOf is whom a NetworkPolicy is about, at most: all pods of its namespace.
func subjectOf(n *networkingv1.NetworkPolicy) peer {
	pods, err := selectorOf(&n.Spec.PodSelector)
	if err != nil {
		pods = labels.Everything()
	}
	return peer{namespace: n.Namespace, pods: pods}
}

// adminSubjectOf is whom an admin policy is about, at most: all pods.
func adminSubjectOf(s collect.AdminSubject) peer {
	subject, err := adminSubject(s)
	if err != nil {
		return peer{namespaces: labels.Everything(), pods: labels.Everything()}
	}
	return subject
}

// usable records a policy that cannot be read: it protects nothing.
func (j *Judge) usable(kind string, k collect.Key, err error) bool {
	if err != nil {
		j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: kind + " " + k.String(),
			Why:         err.Error(),
			Consequence: "What it denies is shown as open; what others deny is uncertain where it may allow.",
			Kinds:       []string{"ROUTES_TO", "SELECTS"}})
	}
	return err == nil
}

// missing turns kinds that could not be read into what answers may overstate.
func (j *Judge) missing() {
	for _, resource := range []string{"adminnetworkpolicies", "baselineadminnetworkpolicies", "namespaces", "networkpolicies"} {
		if g, unseen := j.facts.Unseen(resource); unseen {
			j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: "network policies without " +
				resource, Why: g.Why,
				Consequence: "Policies that were not seen may close connections that are shown as open, or open some that are shown as closed.",
				Kinds:       []string{"ROUTES_TO", "SELECTS"}, Since: g.Since})
		}
	}
	for _, resource := range unreadPolicies {
		if j.facts.Unread[resource] != 0 {
			j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: "policies of kind " + resource,
				Why:         "objects of this kind are not interpreted",
				Consequence: "They may close connections that are shown as open, or open some that are shown as closed.",
				Kinds:       []string{"ROUTES_TO"}})
		}
	}
	slices.SortFunc(j.gaps, func(a, b collect.Gap) int { return cmp.Compare(a.What, b.What) })
}

// unreadPolicies are the kinds by which network plugins and meshes decide
// connections besides NetworkPolicies.
var unreadPolicies = []string{
	"authorizationpolicies.security.istio.io", "ciliumclusterwidenetworkpolicies.cilium.io", "ciliumnetworkpolicies.cilium.io",
	"clusternetworkpolicies.crd.antrea.io", "clusternetworkpolicies.policy.networking.k8s.io",
	"globalnetworkpolicies.crd.projectcalico.org",
	"networkpolicies.crd.antrea.io", "networkpolicies.crd.projectcalico.org",
}

// Gaps says what could not be seen or read, and what answers may therefore miss.
func (j *Judge) Gaps() []collect.Gap { return j.gaps }

// Enforcement says whether anything heeds policies.
func (j *Judge) Enforcement() Enforcement { return j.enforcement }

// doubted names a policy about a pod that could not be read.
func (j *Judge) doubted(p *collect.Pod) string {
	for _, d := range j.doubts {
		if j.selects(d.subject, p, nil) {
			return d.name
		}
	}
	return ""
}

// namespaceLabels are those a namespace surely has: its name, if nobody saw it.
func (j *Judge) namespaceLabels(ns string) labels.Set {
	set, known := j.namespaces[ns]
	if !known {
		set = labels.Set{"kubernetes.io/metadata.name": ns}
		j.namespaces[ns] = set
	}
	return set
}

func podLabels(p *collect.Pod) labels.Set {
	if p.Labels == nil {
		return nil
	}
	return p.Labels.Map
}

// hostNetwork says that a pod shares its node's address: policies do not apply
// to it, and as a peer it is the node.
func hostNetwork(p *collect.Pod) bool { return p.Shape != nil && p.Shape.HostNetwork }

// selection of a pod; empty on the host's network.
func (j *Judge) selection(p *collect.Pod) selection {
	if hostNetwork(p) {
		return selection{}
	}
	key := subject{p.Namespace, p.Labels}
	s, known := j.selecting[key]
	if known {
		return s
	}
	keep := func(all []*policy) (out []*policy) {
		for _, c := range all {
			if j.selects(c.subject, p, nil) {
				out = append(out, c)
			}
		}
		return out
	}
	s = selection{keep(j.admin), keep(j.byNamespace[p.Namespace]), keep(j.baseline)}
	j.selecting[key] = s
	return s
}

// selects says whether a peer means a pod. self is the pod the policy selected.
func (j *Judge) selects(c peer, p, self *collect.Pod) bool {
	if c.pods == nil || hostNetwork(p) {
		return false
	}
	if c.namespaces == nil && c.namespace != p.Namespace {
		return false
	}
	ns := j.namespaceLabels(p.Namespace)
	if c.namespaces != nil && !c.namespaces.Matches(ns) || !c.pods.Matches(podLabels(p)) {
		return false
	}
	if self == nil {
		return true
	}
	own := j.namespaceLabels(self.Namespace)
	equal := func(key string) bool { return ns.Has(key) && own.Has(key) && ns.Get(key) == own.Get(key) }
	return all(c.same, equal) && (len(c.other) == 0 || all(c.other, ns.Has) && !all(c.other, equal))
}

func all(keys []string, is func(string) bool) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return !is(k) })
}

// Selecting lists the NetworkPolicies that select a pod, by direction.
func (j *Judge) Selecting(p *collect.Pod, d Direction) (out []*networkingv1.NetworkPolicy) {
	for _, c := range j.selection(p).network {
		if c.restricts(d) {
			out = append(out, j.facts.NetworkPolicies[c.Key])
		}
	}
	return out
}

func (p *policy) restricts(d Direction) bool {
	return d == Ingress && p.ingress || d == Egress && p.egress
}

func (p *policy) rules(d Direction) []rule {
	if d == Ingress {
		return p.in
	}
	return p.out
}

// NamespaceMatches says whether a selector means a namespace. A selector that
// the API server would refuse means none.
func (j *Judge) NamespaceMatches(s *metav1.LabelSelector, ns string) bool {
	selector, err := selectorOf(s)
	return err == nil && selector.Matches(j.namespaceLabels(ns))
}
