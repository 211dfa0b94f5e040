package netpol

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
)

// cilium prepares the policies of Cilium. Its rules add up with those of
// NetworkPolicies, and what one denies nothing allows. Its blocks mean what is
// outside of the cluster only.
type cilium struct {
	facts *collect.Facts
	kind  string
	collect.Key
}

// policies of an object: each spec is one that denies and one that allows.
func (c cilium) policies(o *collect.CiliumNetworkPolicy) (out []*policy, err error) {
	specs := o.Specs
	if o.Spec != nil {
		specs = append([]collect.CiliumPolicy{*o.Spec}, specs...)
	}
	if len(specs) == 0 {
		return nil, errors.New("want spec or specs")
	}
	for _, s := range specs {
		if s.EndpointSelector == nil && s.NodeSelector != nil {
			continue // the nodes' own firewall: see hostPolicy
		}
		subject, err := c.subject(s)
		if err != nil {
			return nil, err
		}
		first := &policy{kind: c.kind, Key: c.Key, subject: subject, order: math.Inf(-1)}
		then := &policy{kind: c.kind, Key: c.Key, subject: subject, order: networkOrder,
			ingress: denies(s.EnableDefaultDeny.Ingress, s.Ingress, s.IngressDeny),
			egress:  denies(s.EnableDefaultDeny.Egress, s.Egress, s.EgressDeny)}
		for _, part := range []struct {
			into   *[]rule
			what   string
			rules  []collect.CiliumRule
			action action
		}{
			{&first.in, "ingressDeny", s.IngressDeny, deny}, {&first.out, "egressDeny", s.EgressDeny, deny},
			{&then.in, "ingress", s.Ingress, allow}, {&then.out, "egress", s.Egress, allow},
		} {
			for i, r := range part.rules {
				rules, err := c.rules(r, part.action, i)
				if err != nil {
					return nil, fmt.Errorf("%s rule %d: %w", part.what, i, err)
				}
				*part.into = append(*part.into, rules...)
			}
		}
		out = append(out, first, then)
	}
	return out, nil
}

// denies says whether what no rule allows is refused.
func denies(set *bool, allowing, denying []collect.CiliumRule) bool {
	if set != nil {
		return *set
	}
	return len(allowing)+len(denying) > 0
}

// hostPolicy says that an object is about nodes too.
func hostPolicy(o *collect.CiliumNetworkPolicy) bool {
	return o.Spec != nil && o.Spec.NodeSelector != nil ||
		slices.ContainsFunc(o.Specs, func(s collect.CiliumPolicy) bool { return s.NodeSelector != nil })
}

func (c cilium) subject(s collect.CiliumPolicy) (peer, error) {
	if s.EndpointSelector == nil {
		return peer{}, errors.New("want endpointSelector or nodeSelector")
	}
	selector, _, err := ciliumSelector(*s.EndpointSelector)
	if err != nil {
		return peer{}, fmt.Errorf("endpointSelector: %w", err)
	}
	return peer{namespace: c.Namespace, identity: selector}, nil
}

// ciliumSelector is a selector without the sources that labels may name before them.
func ciliumSelector(s metav1.LabelSelector) (selector labels.Selector, keys []string, err error) {
	plain := metav1.LabelSelector{MatchLabels: map[string]string{}}
	key := func(k string) (string, error) {
		if source, name, named := strings.Cut(k, ":"); named {
			if source != "k8s" && source != "any" {
				return "", fmt.Errorf("label %q: want one of a pod", k)
			}
			k = name
		}
		keys = append(keys, k)
		return k, nil
	}
	for k, v := range s.MatchLabels {
		if k, err = key(k); err != nil {
			return nil, nil, err
		}
		plain.MatchLabels[k] = v
	}
	for _, e := range s.MatchExpressions {
		if e.Key, err = key(e.Key); err != nil {
			return nil, nil, err
		}
		plain.MatchExpressions = append(plain.MatchExpressions, e)
	}
	selector, err = selectorOf(&plain)
	return selector, keys, err
}

// rules of one: each of its lists of ports is a rule, for they differ in what must be
// in the packets.
func (c cilium) rules(r collect.CiliumRule, a action, index int) (out []rule, err error) {
	base := rule{action: a, index: index}
	if r.Authentication != nil && r.Authentication.Mode == "required" {
		base.doubt = "it asks for mutual authentication"
	}
	named, err := c.peers(&base, r)
	if err != nil {
		return nil, err
	}
	if len(r.ToPorts)+len(r.ICMPs) == 0 {
		return []rule{base.united()}, nil
	}
	base.anyone = base.anyone || !named
	for _, p := range r.ToPorts {
		with := base
		if with.ports, err = ciliumPorts(p); err != nil {
			return nil, err
		}
		if p.Rules != nil || len(p.ServerNames) > 0 {
			with.doubt = "it asks for what is in the packets, too"
		}
		out = append(out, with.united())
	}
	return out, nil
}

// peers of a rule; named says whether it names any at all, be it none.
func (c cilium) peers(r *rule, of collect.CiliumRule) (named bool, err error) {
	if of.FromRequires != nil || of.ToRequires != nil {
		return true, errors.New("fromRequires and toRequires are not interpreted")
	}
	for _, list := range [][]metav1.LabelSelector{of.FromEndpoints, of.ToEndpoints} {
		named = named || list != nil
		for _, s := range list {
			if err := c.endpoints(r, s); err != nil {
				return true, err
			}
		}
	}
	for _, list := range [][]metav1.LabelSelector{of.FromNodes, of.ToNodes} {
		named = named || list != nil
		for _, s := range list {
			nodes, _, err := ciliumSelector(s)
			if err != nil {
				return true, err
			}
			r.peers = append(r.peers, peer{nodes: nodes, doubt: "whether nodes are told apart by labels is set in Cilium"})
		}
	}
	for _, list := range [][]string{of.FromEntities, of.ToEntities} {
		named = named || list != nil
		for _, e := range list {
			if err := c.entity(r, e); err != nil {
				return true, err
			}
		}
	}
	for _, list := range [][]string{of.FromCIDR, of.ToCIDR} {
		named = named || list != nil
		for _, cidr := range list {
			if err := ciliumBlock(r, collect.CiliumBlock{CIDR: cidr}); err != nil {
				return true, err
			}
		}
	}
	for _, list := range [][]collect.CiliumBlock{of.FromCIDRSet, of.ToCIDRSet} {
		named = named || list != nil
		for _, b := range list {
			if err := ciliumBlock(r, b); err != nil {
				return true, err
			}
		}
	}
	for _, list := range [][]any{of.FromGroups, of.ToGroups, of.ToFQDNs} {
		if named = named || list != nil; len(list) > 0 {
			r.peers = append(r.peers, peer{block: everywhere, means: neverInside, doubt: "it names what has other addresses from time to time"})
		}
	}
	named = named || of.ToServices != nil
	for _, s := range of.ToServices {
		if err := c.services(r, s); err != nil {
			return true, err
		}
	}
	return named, nil
}

// endpoints adds the pods of a selector: those of the policy's own namespace, where
// the selector says nothing of namespaces.
func (c cilium) endpoints(r *rule, s metav1.LabelSelector) error {
	for k := range s.MatchLabels {
		if entity, reserved := strings.CutPrefix(k, "reserved:"); reserved && len(s.MatchLabels) == 1 && len(s.MatchExpressions) == 0 {
			return c.entity(r, entity)
		}
	}
	selector, keys, err := ciliumSelector(s)
	if err != nil {
		return err
	}
	p := peer{identity: selector, namespace: c.Namespace}
	if slices.ContainsFunc(keys, func(k string) bool { return k == ciliumNamespace || strings.HasPrefix(k, ciliumNamespaceLabels) }) {
		p.namespace = ""
	}
	r.peers = append(r.peers, p)
	return nil
}

func (c cilium) entity(r *rule, name string) error {
	everyPod := peer{identity: labels.Everything()}
	switch name {
	case "all":
		r.anyone = true
	case "world":
		r.peers = append(r.peers, peer{block: everywhere, means: neverInside})
	case "world-ipv4":
		r.peers = append(r.peers, peer{block: In(netip.MustParsePrefix("0.0.0.0/0")), means: neverInside})
	case "world-ipv6":
		r.peers = append(r.peers, peer{block: In(netip.MustParsePrefix("::/0")), means: neverInside})
	case "cluster":
		r.peers = append(r.peers, everyPod, peer{everyNode: true})
	case "remote-node":
		r.peers = append(r.peers, peer{everyNode: true})
	case "host": // a pod's own node, which always reaches it
		r.peers = append(r.peers, peer{nodes: labels.Nothing()})
	case "kube-apiserver":
		r.peers = append(r.peers, c.apiServer())
	case "ingress", "health", "init", "unmanaged", "none": // none of them are pods that are judged
	default:
		return fmt.Errorf("entity %q is not known", name)
	}
	return nil
}

// apiServer is where the endpoints of the Service kubernetes are.
func (c cilium) apiServer() peer {
	if at := c.addresses("default", "kubernetes"); len(at) > 0 {
		return peer{block: at, means: anyAddress}
	}
	return peer{block: everywhere, means: outsideOnly, doubt: "where the API server is was not seen"}
}

// addresses of the endpoints of a Service that are no pods.
func (c cilium) addresses(namespace, service string) (out Ranges) {
	for _, e := range c.facts.EndpointSlices {
		if e.Namespace == namespace && e.Service == service {
			out = out.Or(Of(parsed(e.Addresses)...))
		}
	}
	return out
}

// services adds what Services lead to.
func (c cilium) services(r *rule, s collect.CiliumService) error {
	switch {
	case s.K8sService != nil:
		ns := s.K8sService.Namespace
		if ns == "" {
			ns = c.Namespace
		}
		found := c.facts.Services[collect.Key{Namespace: ns, Name: s.K8sService.ServiceName}]
		if found == nil {
			const doubt = "it names a Service that was not seen"
			r.peers = append(r.peers, peer{identity: labels.Everything(), doubt: doubt}, peer{block: everywhere, means: outsideOnly, doubt: doubt})
			return nil
		}
		r.peers = append(r.peers, c.service(found))
	case s.K8sServiceSelector != nil:
		selector, _, err := ciliumSelector(s.K8sServiceSelector.Selector)
		if err != nil {
			return err
		}
		for k, found := range c.facts.Services {
			if ns := s.K8sServiceSelector.Namespace; (ns == "" || ns == k.Namespace) && selector.Matches(labels.Set(found.Labels)) {
				r.peers = append(r.peers, c.service(found))
			}
		}
	default:
		return errors.New("toServices: want k8sService or k8sServiceSelector")
	}
	return nil
}

func (c cilium) service(s *corev1.Service) peer {
	if len(s.Spec.Selector) > 0 {
		return peer{namespace: s.Namespace, pods: labels.SelectorFromSet(s.Spec.Selector),
			doubt: "whether toServices means Services with selectors depends on Cilium's version"}
	}
	return peer{block: c.addresses(s.Namespace, s.Name), means: outsideOnly}
}

func ciliumBlock(r *rule, b collect.CiliumBlock) error {
	p := peer{block: everywhere, means: outsideOnly}
	if b.CIDR == "" {
		p.doubt = "groups of addresses are not read"
	} else {
		var err error
		if p.block, err = addressBlock(b.CIDR); err != nil {
			return err
		}
	}
	for _, e := range b.Except {
		except, err := addressBlock(e)
		if err != nil {
			return err
		}
		p.block = p.block.Without(except)
	}
	r.peers = append(r.peers, p)
	return nil
}

// addressBlock is a block, or one address.
func addressBlock(s string) (Ranges, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return Of(a), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, fmt.Errorf("want a block of addresses: %w", err)
	}
	return In(p), nil
}

// ciliumPorts are those of a list; of ICMP and the like there are none.
func ciliumPorts(p collect.CiliumPorts) ([]portMatch, error) {
	out := []portMatch{}
	for _, one := range p.Ports {
		protocols := []string{one.Protocol}
		switch one.Protocol {
		case "", "ANY":
			protocols = []string{"TCP", "UDP", "SCTP"}
		case "ICMP", "ICMPv6", "VRRP", "IGMP":
			continue
		}
		for _, protocol := range protocols {
			m, err := ciliumPort(one.Port, one.EndPort, protocol)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

func ciliumPort(port string, end int32, protocol string) (portMatch, error) {
	n, err := strconv.ParseInt(port, 10, 32)
	switch {
	case port == "" || err == nil && n == 0:
		return portMatch{protocol: protocol, low: 1, high: lastPort}.checked()
	case err != nil:
		return portMatch{protocol: protocol, name: port}, nil
	}
	return portMatch{protocol: protocol, low: int32(n), high: max(int32(n), end)}.checked()
}
