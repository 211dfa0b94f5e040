package remedy

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// wall is a NetworkPolicy that keeps some away from the pods of a workload, and leaves
// all else as it is.
type wall struct {
	m   *Maker
	pod *collect.Pod // one of the workload's
	of  ref.Ref
	// apart are the workloads that no longer reach it, outside whether who is not in the
	// cluster does not either.
	apart   []ref.Ref
	outside bool
}

// apart keeps the workloads that move on over the network on a path from those that
// listen there, and them alone.
func (m *Maker) apart(p *analyse.Path, f analyse.Fix) (out []analyse.Change, err error) {
	_, class := ref.ParseKindID(f.Concerns[0])
	steps := slices.Concat(p.Steps, p.Also)
	var from []ref.Ref
	for _, connects := range steps {
		for _, sends := range steps {
			if connects.Edge == "CAN_TALK_TO" && connects.To == class && sends.Edge == "TALKS_AS" && sends.To == connects.From {
				for _, pod := range m.podsOf(p, sends.From) {
					if who := m.owner(pod); !slices.Contains(from, who) {
						from = append(from, who)
					}
				}
			}
		}
	}
	to, err := m.listening(p, class, f.Concerns[1:])
	if err != nil {
		return nil, err
	}
	if len(from) == 0 || len(to) == 0 {
		return nil, errGone
	}
	for _, pod := range to {
		w := wall{m: m, pod: pod, of: m.owner(pod)}
		w.apart = slices.DeleteFunc(slices.Clone(from), func(r ref.Ref) bool { return r == w.of })
		changes, err := w.policy()
		if err != nil {
			return nil, err
		}
		out = append(out, changes...)
	}
	return out, nil
}

// listening is a pod of each workload that a path goes on to from a class of listeners.
// Where it goes on to what one of them discloses, all that listen have to be of one.
func (m *Maker) listening(p *analyse.Path, class string, listeners []string) (out []*collect.Pod, err error) {
	seen := map[ref.Ref]bool{}
	add := func(pod *collect.Pod) {
		if pod != nil && pod.Shape != nil && !seen[m.owner(pod)] {
			seen[m.owner(pod)] = true
			out = append(out, pod)
		}
	}
	for _, s := range slices.Concat(p.Steps, p.Also) {
		if s.From != class {
			continue
		}
		if i := slices.IndexFunc(p.Nodes, func(t analyse.Thing) bool { return t.ID == s.To }); i >= 0 && p.Nodes[i].Kind == "Container" {
			for _, pod := range m.podsOf(p, s.To) {
				add(pod)
			}
			continue
		}
		for _, kindID := range listeners {
			if kind, id := ref.ParseKindID(kindID); kind == "Pod" {
				r, _, _ := ref.Parse(id)
				add(m.facts.Pods[collect.KeyOf(r)])
			}
		}
		if len(out) > 1 {
			return nil, errors.New("more workloads than one listen there, and the path does not say which of them gives it away")
		}
	}
	return out, nil
}

// podsOf are the pods of the containers that a thing of a path stands for.
func (m *Maker) podsOf(p *analyse.Path, thing string) (out []*collect.Pod) {
	for _, t := range p.Nodes {
		for _, member := range t.Members {
			if r, _, ok := ref.Parse(member); t.ID == thing && t.Kind == "Container" && ok {
				if pod := m.facts.Pods[collect.KeyOf(r)]; pod != nil && pod.Shape != nil {
					out = append(out, pod)
				}
			}
		}
	}
	return out
}

// policy writes the policy, tries it on the judge, and takes it only if it cuts what
// it is for and nothing else.
func (w *wall) policy() ([]analyse.Change, error) {
	judge := netpol.New(w.m.facts)
	policy, err := w.m.firstPolicy(judge, w.pod, netpol.Ingress, w.name())
	if err != nil {
		return nil, err
	}
	from, err := w.others()
	if err != nil {
		return nil, err
	}
	policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: from}}
	notes, err := w.tried(judge, policy)
	if err != nil {
		return nil, err
	}
	if w.outside && judge.Enforcement().State == netpol.Yes && w.stillOpen(policy) {
		return nil, errors.New("what comes from outside has the address of a node when it arrives, from which no policy keeps pods: " +
			"narrow what leads in, or set externalTrafficPolicy: Local")
	}
	return []analyse.Change{applied(judge, policy, notes...)}, nil
}

// firstPolicy begins a policy for the pods of a workload, of which none must select one
// yet: policies add up, and so a second one takes nothing away.
func (m *Maker) firstPolicy(judge *netpol.Judge, pod *collect.Pod, way netpol.Direction, name string) (*networkingv1.NetworkPolicy, error) {
	of, direction := m.owner(pod), networkingv1.PolicyTypeIngress
	if way == netpol.Egress {
		direction = networkingv1.PolicyTypeEgress
	}
	if pod.Shape.HostNetwork {
		return nil, fmt.Errorf("network policies do not hold for %s: its pods are on their nodes' network", of)
	}
	if by := judge.Selecting(pod, way); len(by) > 0 {
		return nil, fmt.Errorf("policies add up, so another one takes nothing away: narrow NetworkPolicy %s/%s, which selects the pods already",
			by[0].Namespace, by[0].Name)
	}
	selector, err := m.selecting(of, pod.Namespace)
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: apiVersions["NetworkPolicy"], Kind: "NetworkPolicy"},
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: name},
		Spec:       networkingv1.NetworkPolicySpec{PodSelector: selector, PolicyTypes: []networkingv1.PolicyType{direction}},
	}, err
}

// applied is the change that makes a policy. Whether anything enforces it is told.
func applied(judge *netpol.Judge, policy *networkingv1.NetworkPolicy, notes ...string) analyse.Change {
	if e := judge.Enforcement(); e.State != netpol.Yes {
		notes = append(notes, e.Why)
	}
	return application(ref.Ref{Kind: "NetworkPolicy", Namespace: policy.Namespace, Name: policy.Name}, policy, notes...)
}

// stillOpen says that the internet reaches the workload all the same.
func (w *wall) stillOpen(policy *networkingv1.NetworkPolicy) bool {
	f := w.m.with(policy)
	judged := exposure.Judge(f, netpol.New(f))
	for k, p := range f.Pods {
		if p.Shape == nil || w.m.owner(p) != w.of {
			continue
		}
		if _, open := judged.Find(k.Of("Pod")); open {
			return true
		}
	}
	return false
}

func (w *wall) name() string {
	if w.outside {
		return w.of.Name + "-from-inside-only"
	}
	name := w.of.Name + "-not-from-" + w.apart[0].Name
	if more := len(w.apart) - 1; more > 0 {
		name += fmt.Sprintf("-and-%d-more", more)
	}
	return name
}

// others are the peers that go on reaching the workload.
func (w *wall) others() (from []networkingv1.NetworkPolicyPeer, err error) {
	in := map[string][]ref.Ref{}
	for _, r := range w.apart {
		in[r.Namespace] = append(in[r.Namespace], r)
	}
	const byName = "kubernetes.io/metadata.name" // a label that the API server gives each namespace
	everywhere := &metav1.LabelSelector{}
	if names := slices.Sorted(maps.Keys(in)); len(names) > 0 {
		everywhere.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: byName, Operator: metav1.LabelSelectorOpNotIn, Values: names}}
	}
	from = append(from, networkingv1.NetworkPolicyPeer{NamespaceSelector: everywhere})
	for _, ns := range slices.Sorted(maps.Keys(in)) {
		rest, err := w.m.allBut(in[ns], ns)
		if err != nil {
			return nil, err
		}
		from = append(from, networkingv1.NetworkPolicyPeer{PodSelector: rest,
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{byName: ns}}})
	}
	if w.outside {
		return from, nil
	}
	pods, known := w.m.podNetworks()
	if !known {
		return nil, errors.New("which addresses pods have is not known, so that those outside of the cluster cannot be told from them")
	}
	return append(from, blocks(pods)...), nil
}

// blocks are all addresses but some.
func blocks(but []string) (out []networkingv1.NetworkPolicyPeer) {
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		b := &networkingv1.IPBlock{CIDR: all}
		for _, p := range but {
			if strings.Contains(p, ":") == strings.Contains(all, ":") {
				b.Except = append(b.Except, p)
			}
		}
		out = append(out, networkingv1.NetworkPolicyPeer{IPBlock: b})
	}
	return out
}

// podNetworks are the addresses of pods as nodes tell them.
func (m *Maker) podNetworks() (out []string, known bool) {
	for _, n := range m.facts.Nodes {
		if len(n.PodCIDRs) == 0 {
			return nil, false
		}
		for _, c := range n.PodCIDRs {
			if _, err := netip.ParsePrefix(c); err != nil {
				return nil, false
			}
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), len(out) > 0
}

// ofTemplate are labels that controllers add, each to a part of the pods.
var ofTemplate = []string{
	"pod-template-hash",
	"controller-revision-hash",
	"pod-template-generation",
	"statefulset.kubernetes.io/pod-name",
	"apps.kubernetes.io/pod-index",
	"batch.kubernetes.io/controller-uid",
	"controller-uid",
	"batch.kubernetes.io/job-name",
	"job-name",
}

// selecting selects the pods of a workload and no others of its namespace.
func (m *Maker) selecting(of ref.Ref, namespace string) (s metav1.LabelSelector, err error) {
	var common map[string]string
	for _, p := range m.podsIn(namespace) {
		if m.owner(p) != of {
			continue
		}
		own := maps.Clone(p.Labels.Map)
		maps.DeleteFunc(own, func(k, v string) bool {
			return slices.Contains(ofTemplate, k) || common != nil && common[k] != v
		})
		common = own
	}
	tell := func(by map[string]string) (other *collect.Pod) {
		for _, p := range m.podsIn(namespace) {
			if m.owner(p) != of && labels.SelectorFromSet(by).Matches(labels.Set(p.Labels.Map)) {
				return p
			}
		}
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(common)) { // one label is easier to read than all
		if one := map[string]string{k: common[k]}; tell(one) == nil {
			return metav1.LabelSelector{MatchLabels: one}, nil
		}
	}
	if len(common) == 0 {
		return s, fmt.Errorf("the pods of %s have no label in common by which a policy could select them", of)
	}
	if other := tell(common); other != nil {
		return s, fmt.Errorf("no label tells the pods of %s from those of %s: give them one", of, m.owner(other))
	}
	return metav1.LabelSelector{MatchLabels: common}, nil
}

// allBut selects the pods of a namespace but those of some workloads.
func (m *Maker) allBut(some []ref.Ref, namespace string) (*metav1.LabelSelector, error) {
	keys := map[string]map[string]bool{}
	for _, p := range m.podsIn(namespace) {
		if slices.Contains(some, m.owner(p)) {
			for k, v := range p.Labels.Map {
				if keys[k] == nil {
					keys[k] = map[string]bool{}
				}
				keys[k][v] = true
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		tells := !slices.Contains(ofTemplate, k)
		for _, p := range m.podsIn(namespace) {
			v, has := p.Labels.Map[k]
			tells = tells && slices.Contains(some, m.owner(p)) == (has && keys[k][v])
		}
		if tells {
			return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
				{Key: k, Operator: metav1.LabelSelectorOpNotIn, Values: slices.Sorted(maps.Keys(keys[k]))}}}, nil
		}
	}
	return nil, fmt.Errorf("no label tells the pods of %s from the others of namespace %s: give them one", some[0], namespace)
}

func (m *Maker) podsIn(namespace string) (out []*collect.Pod) {
	for k, p := range m.facts.Pods {
		if k.Namespace == namespace && p.Labels != nil && p.Shape != nil {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *collect.Pod) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// reached are the ports by which each workload, and who is outside, reaches one; or
// which it reaches.
func (m *Maker) reached(j *netpol.Judge, of ref.Ref, by netpol.Direction) (map[string]netpol.Ports, error) {
	name := func(p *collect.Pod) string { return m.owner(p).ID() }
	reach, out := j.Connections(name), map[string]netpol.Ports{}
	if reach.Unjudged > 0 {
		return nil, errors.New("policies tell too many pods apart to try what another one would do")
	}
	for _, l := range reach.Links {
		self, others := reach.Receivers[l.To].Members, reach.Senders[l.From].Members
		if by == netpol.Egress {
			self, others = others, self
		}
		if slices.Contains(self, of.ID()) {
			for _, other := range others {
				out[other] = out[other].Or(l.Ports)
			}
		}
	}
	return out, nil
}

// tried asks the judge what the policy cuts. What it cuts of processes on nodes
// themselves, which no selector means, is told.
func (w *wall) tried(judge *netpol.Judge, policy *networkingv1.NetworkPolicy) (notes []string, err error) {
	m := w.m
	before, err := m.reached(judge, w.of, netpol.Ingress)
	if err != nil {
		return nil, err
	}
	after, err := m.reached(netpol.New(m.with(policy)), w.of, netpol.Ingress)
	if err != nil {
		return nil, err
	}
	meant := map[string]bool{netpol.Outside: w.outside}
	for _, r := range w.apart {
		meant[r.ID()] = true
	}
	onNodes := 0
	for _, other := range slices.Sorted(maps.Keys(before)) {
		switch lost := !before[other].Without(after[other]).Empty(); {
		case other == w.of.ID():
		case meant[other] && !after[other].Empty() && judge.Enforcement().State != netpol.No:
			return nil, fmt.Errorf("no policy surely keeps %s away from %s: its pods %s", other, w.of, m.unnamed(other))
		case lost && !meant[other] && m.onNodes(other):
			onNodes++
		case lost && !meant[other] && other != netpol.Outside:
			return nil, fmt.Errorf("a policy would cut %s off as well", other)
		}
	}
	if w.outside {
		notes = append(notes, "Nothing outside of the cluster reaches the pods then: who must, needs an ipBlock of its own.")
	}
	for _, r := range w.apart {
		if !w.outside {
			notes = append(notes, fmt.Sprintf("%s no longer reaches any port of %s; all others do, those of other paths too.", r, w.of))
		}
	}
	if onNodes > 0 {
		notes = append(notes, fmt.Sprintf("Workloads on their nodes' own network that no longer reach it: %d.", onNodes))
	}
	return notes, nil
}

// with are the facts with one more policy.
func (m *Maker) with(policy *networkingv1.NetworkPolicy) *collect.Facts {
	f := m.facts.Clone()
	f.NetworkPolicies[collect.Key{Namespace: policy.Namespace, Name: policy.Name}] = policy
	return f
}

// onNodes says that the pods of a workload, by its id, are on their nodes' network.
func (m *Maker) onNodes(id string) bool {
	for _, p := range m.facts.Pods {
		if p.Shape != nil && p.Shape.HostNetwork && m.owner(p).ID() == id {
			return true
		}
	}
	return false
}

// unnamed says why the selectors of a policy do not mean a workload's pods surely.
func (m *Maker) unnamed(id string) string {
	if m.onNodes(id) {
		return "are on their nodes' network"
	}
	return "have no addresses yet, or some that no node says are pods'"
}

// denyEgress keeps a pod's workload from addresses outside.
func (e *edit) denyEgress(pod *collect.Pod, addresses []string) error {
	m, of, judge := e.m, e.m.owner(pod), netpol.New(e.m.facts)
	policy, err := m.firstPolicy(judge, pod, netpol.Egress, of.Name+"-without-metadata")
	if err != nil {
		return err
	}
	policy.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{
		{To: append([]networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}, blocks(addresses)...)}}
	before, err := m.reached(judge, of, netpol.Egress)
	if err != nil {
		return err
	}
	after, err := m.reached(netpol.New(m.with(policy)), of, netpol.Egress)
	if err != nil {
		return err
	}
	for _, other := range slices.Sorted(maps.Keys(before)) {
		if !before[other].Without(after[other]).Empty() && other != netpol.Outside && other != of.ID() {
			return fmt.Errorf("a policy would cut it off from %s as well", other)
		}
	}
	e.more = append(e.more, applied(judge, policy))
	return nil
}
