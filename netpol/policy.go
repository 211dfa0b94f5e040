package netpol

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/collect"
)

// policy is a policy of any kind with its selectors compiled.
type policy struct {
	kind string
	collect.Key
	subject         peer
	ingress, egress bool // whether it restricts that direction at all
	in, out         []rule
	// order is its place among those of its tier, the lower the earlier.
	order float64
}

type action uint8

const (
	allow action = iota
	deny
	pass // on to the next tier
)

type rule struct {
	action action
	// anyone is a rule without peers: it matches all, addresses included.
	anyone bool
	peers  []peer
	// blocks are the addresses that its peers surely mean, perhaps those that they may.
	blocks, perhaps Ranges
	// ports the rule is about, but for notPorts; nil is all.
	ports, notPorts []portMatch
	// self is what the pod that the policy selects must be as well; nil is any.
	self *peer
	// index is its place among those of its policy.
	index int
	// doubt is why it may not hold for all that it matches: it asks for more than
	// addresses and ports.
	doubt string
}

// matcher selects by labels.
type matcher interface {
	Matches(labels.Labels) bool
	String() string
}

// peer is one end as a rule names it: all that it asks for must be so.
type peer struct {
	nodes      matcher
	everyNode  bool
	namespace  string  // only this one, where not empty
	namespaces matcher // nil with namespace set
	pods       matcher
	// identity selects by what network plugins know of a pod besides its labels.
	identity matcher
	// not selects pods that are not meant.
	not   matcher
	block Ranges
	means blockSense
	// same are namespace labels that must all be those of the selected pod's
	// namespace; of other, which it must have too, one must not.
	same, other []string
	// doubt is why it may not mean what it matches.
	doubt string
}

// blockSense is whether address blocks mean what is in the cluster.
type blockSense uint8

const (
	pluginsDiffer blockSense = iota // for pods, as the API of NetworkPolicy says
	anyAddress
	outsideOnly // and nodes, if the plugin is set so
	neverInside
)

// chosen says that a peer names pods or nodes, not addresses alone.
func (c peer) chosen() bool {
	return c.pods != nil || c.identity != nil || c.nodes != nil || c.everyNode
}

type portMatch struct {
	protocol  string
	low, high int32
	name      string
}

func selectorOf(s *metav1.LabelSelector) (labels.Selector, error) {
	return metav1.LabelSelectorAsSelector(s)
}

// compile prepares a NetworkPolicy. An error is a selector, block or port that
// the API server would have refused.
func compile(n *networkingv1.NetworkPolicy) (*policy, error) {
	pods, err := selectorOf(&n.Spec.PodSelector)
	if err != nil {
		return nil, fmt.Errorf("podSelector: %w", err)
	}
	p := &policy{kind: "NetworkPolicy", Key: collect.Key{Namespace: n.Namespace, Name: n.Name}, order: networkOrder,
		subject: peer{namespace: n.Namespace, pods: pods}}
	p.ingress = len(n.Spec.PolicyTypes) == 0 || slices.Contains(n.Spec.PolicyTypes, networkingv1.PolicyTypeIngress)
	p.egress = len(n.Spec.PolicyTypes) == 0 && len(n.Spec.Egress) > 0 || slices.Contains(n.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
	for i, r := range n.Spec.Ingress {
		c, err := compileRule(n.Namespace, r.From, r.Ports)
		if err != nil {
			return nil, fmt.Errorf("ingress rule %d: %w", i, err)
		}
		c.index = i
		p.in = append(p.in, c)
	}
	for i, r := range n.Spec.Egress {
		c, err := compileRule(n.Namespace, r.To, r.Ports)
		if err != nil {
			return nil, fmt.Errorf("egress rule %d: %w", i, err)
		}
		c.index = i
		p.out = append(p.out, c)
	}
	if !p.ingress {
		p.in = nil
	}
	if !p.egress {
		p.out = nil
	}
	return p, nil
}

func compileRule(ns string, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) (rule, error) {
	r := rule{anyone: len(peers) == 0}
	var blocks Ranges // are one peer: a rule may name thousands, and each is asked about every pod
	for _, p := range peers {
		c, err := compilePeer(ns, p)
		if err != nil {
			return r, err
		}
		if p.IPBlock != nil {
			blocks = append(blocks, c.block...)
			continue
		}
		r.peers = append(r.peers, c)
	}
	if blocks != nil {
		r.peers = append(r.peers, peer{block: blocks.tidy()})
	}
	for _, p := range ports {
		m, err := compilePort(p).checked()
		if err != nil {
			return r, err
		}
		r.ports = append(r.ports, m)
	}
	return r.united(), nil
}

// united gathers the peers' blocks of addresses outside.
func (r rule) united() rule {
	for _, p := range r.peers {
		switch {
		case p.chosen():
		case p.doubt != "":
			r.perhaps = append(r.perhaps, p.block...)
		default:
			r.blocks = append(r.blocks, p.block...)
		}
	}
	r.blocks, r.perhaps = r.blocks.tidy(), r.perhaps.tidy()
	return r
}

func compilePeer(ns string, p networkingv1.NetworkPolicyPeer) (c peer, err error) {
	if p.IPBlock != nil {
		c.block, err = compileBlock(p.IPBlock)
		return c, err
	}
	if p.PodSelector == nil && p.NamespaceSelector == nil {
		return c, errors.New("peer: want podSelector, namespaceSelector or ipBlock")
	}
	if c.pods, err = selectorOf(orEvery(p.PodSelector)); err != nil {
		return c, fmt.Errorf("podSelector: %w", err)
	}
	if p.NamespaceSelector == nil {
		c.namespace = ns
		return c, nil
	}
	if c.namespaces, err = selectorOf(p.NamespaceSelector); err != nil {
		return c, fmt.Errorf("namespaceSelector: %w", err)
	}
	return c, nil
}

// orEvery reads a selector that is absent as one that selects everything.
func orEvery(s *metav1.LabelSelector) *metav1.LabelSelector {
	if s == nil {
		return &metav1.LabelSelector{}
	}
	return s
}

func compileBlock(b *networkingv1.IPBlock) (Ranges, error) {
	cidr, err := netip.ParsePrefix(b.CIDR)
	if err != nil {
		return nil, fmt.Errorf("ipBlock: %w", err)
	}
	except := make([]netip.Prefix, 0, len(b.Except)) // taken away at once: each by itself would cost their square
	for _, e := range b.Except {
		p, err := netip.ParsePrefix(e)
		if err != nil {
			return nil, fmt.Errorf("ipBlock except: %w", err)
		}
		except = append(except, p)
	}
	return In(cidr).Without(In(except...)), nil
}

func compilePort(p networkingv1.NetworkPolicyPort) portMatch {
	m := portMatch{protocol: "TCP", low: 1, high: lastPort}
	if p.Protocol != nil {
		m.protocol = string(*p.Protocol)
	}
	if p.Port == nil {
		return m
	}
	if p.Port.Type == intstr.String {
		return portMatch{protocol: m.protocol, name: p.Port.StrVal}
	}
	m.low, m.high = p.Port.IntVal, p.Port.IntVal
	if p.EndPort != nil {
		m.high = *p.EndPort
	}
	return m
}

// checked refuses what the API server would have: a port without a number and
// name, or one that cannot be, decides nothing that could be told.
func (m portMatch) checked() (portMatch, error) {
	if m.name == "" && portRange(m.protocol, m.low, m.high).Empty() {
		return m, fmt.Errorf("ports %d to %d of %q: want 1 to 65535 of TCP, UDP or SCTP", m.low, m.high, m.protocol)
	}
	return m, nil
}

// portsAt is the ports a rule is about at a receiver; named ports are looked up
// there, and an address outside has none.
func (r rule) portsAt(to *collect.Pod) Ports {
	ports := AllPorts()
	if r.ports != nil {
		ports = portsAt(r.ports, to)
	}
	if r.notPorts != nil {
		ports = ports.Without(portsAt(r.notPorts, to))
	}
	return ports
}

func portsAt(matches []portMatch, to *collect.Pod) (out Ports) {
	for _, m := range matches {
		if m.name == "" {
			out = out.Or(portRange(m.protocol, m.low, m.high))
			continue
		}
		out = out.Or(namedPort(to, m.name, m.protocol))
	}
	return out
}

// namedPort finds a named port. An empty protocol takes any: admin policies
// name no protocol.
func namedPort(to *collect.Pod, name, protocol string) (out Ports) {
	if to == nil || to.Shape == nil {
		return out
	}
	for _, c := range to.Shape.Containers {
		for _, p := range c.Ports {
			if p.Name == name && (protocol == "" || protocol == protocolOf(p)) {
				out = out.Or(portRange(protocolOf(p), p.Port, p.Port))
			}
		}
	}
	return out
}

func protocolOf(p collect.ContainerPort) string {
	if p.Protocol == "" {
		return "TCP"
	}
	return p.Protocol
}
