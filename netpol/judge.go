package netpol

import (
	"cmp"
	"fmt"
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
	tiers       []*tier // in the order they are asked
	namespaces  map[string]labels.Set
	selecting   map[subject]selection
	doubts      []doubt
	enforcement Enforcement
	gaps        []collect.Gap
	work        work
	cost        map[costOf]int
}

type costOf struct {
	subject
	Direction
}

// costs remembers what a question about a pod costs.
func (j *Judge) costs(p *collect.Pod, s selection, d Direction) int {
	of := costOf{subjectOf(p), d}
	n, known := j.cost[of]
	if !known {
		if n = s.costs(d); j.cost == nil {
			j.cost = map[costOf]int{}
		}
		j.cost[of] = n
	}
	return n
}

// doubt is a policy that could not be read, and whom it is about: it may allow
// what others deny.
type doubt struct {
	name    string
	subject peer
}

// subject is what policies can tell pods apart by.
type subject struct {
	namespace, account string
	labels             *collect.Labels
}

func subjectOf(p *collect.Pod) subject {
	s := subject{namespace: p.Namespace, labels: p.Labels}
	if p.Shape != nil {
		s.account = p.Shape.ServiceAccount
	}
	return s
}

// New prepares the answers for a cluster.
func New(f *collect.Facts) *Judge {
	j := &Judge{facts: f, namespaces: map[string]labels.Set{}, selecting: map[subject]selection{}}
	for k, n := range f.Namespaces {
		set := labels.Set{"kubernetes.io/metadata.name": k.Name}
		for key, v := range n.Labels {
			set[key] = v
		}
		j.namespaces[k.Name] = set
	}
	j.enforcement = enforcement(f)
	t := newTiers()
	for k, n := range f.NetworkPolicies {
		p, err := compile(n)
		j.file(t, "default", "NetworkPolicy", k, subjectOfNetwork(n), err, p)
	}
	for k, a := range f.AdminNetworkPolicies {
		p, err := compileAdmin("AdminNetworkPolicy", k.Name, a.Spec)
		j.file(t, "admin", "AdminNetworkPolicy", k, adminSubjectOf(a.Spec.Subject), err, p)
	}
	for k, b := range f.BaselineAdminNetworkPolicies {
		p, err := compileAdmin("BaselineAdminNetworkPolicy", k.Name, collect.AdminPolicySpec(b.Spec))
		j.file(t, "baseline", "BaselineAdminNetworkPolicy", k, peer{}, err, p)
	}
	for k, c := range f.ClusterNetworkPolicies {
		p, err := compileCluster(k.Name, c.Spec)
		switch c.Spec.Tier {
		case "Admin":
			j.file(t, "admin", "ClusterNetworkPolicy", k, adminSubjectOf(c.Spec.Subject), err, p)
		case "Baseline":
			j.file(t, "baseline", "ClusterNetworkPolicy", k, peer{}, err, p)
		default:
			err = fmt.Errorf("tier %q: want Admin or Baseline", c.Spec.Tier)
			j.file(t, "", "ClusterNetworkPolicy", k, adminSubjectOf(c.Spec.Subject), err)
		}
	}
	j.plugins(t)
	j.tiers = t.inOrder()
	slices.SortFunc(j.doubts, func(a, b doubt) int { return cmp.Compare(a.name, b.name) })
	j.missing()
	return j
}

// file puts what a policy was compiled to into its tier. One that could not be read
// protects nothing, and may allow its subject what others deny: but for a baseline,
// which is asked last and has none.
func (j *Judge) file(t tiers, tier, kind string, k collect.Key, subject peer, err error, compiled ...*policy) {
	if err == nil {
		for _, p := range compiled {
			t.put(tier, p)
		}
		return
	}
	if subject.chosen() {
		j.doubts = append(j.doubts, doubt{kind + " " + k.String(), subject})
	}
	j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: kind + " " + k.String(),
		Why:         err.Error(),
		Consequence: "What it denies is shown as open; what others deny is uncertain where it may allow.",
		Kinds:       []string{"ROUTES_TO", "SELECTS"}})
}

// subjectOfNetwork is whom a NetworkPolicy is about, at most: all pods of its namespace.
func subjectOfNetwork(n *networkingv1.NetworkPolicy) peer {
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

// missing turns kinds that could not be read into what answers may overstate.
func (j *Judge) missing() {
	for _, resource := range policyResources {
		if g, unseen := j.facts.Unseen(resource); unseen {
			j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: "network policies without " +
				resource, Why: g.Why,
				Consequence: "Policies that were not seen may close connections that are shown as open, or open some that are shown as closed.",
				Kinds:       []string{"ROUTES_TO", "SELECTS", "CAN_TALK_TO"}, Since: g.Since})
		}
	}
	for _, resource := range unreadPolicies {
		if j.facts.Unread[resource] != 0 || resource == meshPolicies && len(j.facts.AuthorizationPolicies) > 0 {
			j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: "policies of kind " + resource,
				Why:         "objects of this kind are not interpreted",
				Consequence: "They may close connections that are shown as open, or open some that are shown as closed.",
				Kinds:       []string{"ROUTES_TO", "CAN_TALK_TO"}})
		}
	}
	slices.SortFunc(j.gaps, func(a, b collect.Gap) int { return cmp.Compare(a.What, b.What) })
}

// policyResources are what policies are made of.
var policyResources = []string{
	"adminnetworkpolicies", "baselineadminnetworkpolicies", "ciliumclusterwidenetworkpolicies.cilium.io", "ciliumnetworkpolicies.cilium.io",
	"clusternetworkpolicies", "globalnetworkpolicies.projectcalico.org", "namespaces", "networkpolicies",
	"networkpolicies.projectcalico.org", "tiers.projectcalico.org",
}

const meshPolicies = "authorizationpolicies.security.istio.io"

// unreadPolicies are the kinds by which network plugins and meshes decide
// connections besides NetworkPolicies.
var unreadPolicies = []string{
	meshPolicies, "clusternetworkpolicies.crd.antrea.io", "networkpolicies.crd.antrea.io",
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
		return nil
	}
	key := subjectOf(p)
	s, known := j.selecting[key]
	if known {
		return s
	}
	s = make(selection, len(j.tiers))
	for i, t := range j.tiers {
		s[i] = t.of(p.Namespace, func(c *policy) bool { return j.selects(c.subject, p, nil) })
	}
	j.selecting[key] = s
	return s
}

// selects says whether a peer means a pod. self is the pod the policy selected.
func (j *Judge) selects(c peer, p, self *collect.Pod) bool {
	if c.pods == nil && c.identity == nil || hostNetwork(p) || c.namespace != "" && c.namespace != p.Namespace {
		return false
	}
	ns := j.namespaceLabels(p.Namespace)
	if c.namespaces != nil && !c.namespaces.Matches(ns) || c.pods != nil && !c.pods.Matches(podLabels(p)) ||
		c.identity != nil && !c.identity.Matches(j.identityOf(p)) {
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
	for _, c := range slices.Concat(j.selection(p)...) {
		if c.kind == "NetworkPolicy" && c.restricts(d) {
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
