package netpol

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// compileAdmin prepares an admin policy of either kind.
func compileAdmin(kind, name string, spec collect.AdminPolicySpec) (*policy, error) {
	actions := map[string]action{"Allow": allow, "Deny": deny}
	if kind == "AdminNetworkPolicy" {
		actions["Pass"] = pass
	}
	return administered(kind, name, spec, actions)
}

// compileCluster prepares a ClusterNetworkPolicy, which says the same in other fields.
func compileCluster(name string, spec collect.ClusterPolicySpec) (*policy, error) {
	as := collect.AdminPolicySpec{Priority: spec.Priority, Subject: spec.Subject}
	var err error
	if as.Ingress, err = clusterRules(spec.Ingress); err != nil {
		return nil, fmt.Errorf("ingress %w", err)
	}
	if as.Egress, err = clusterRules(spec.Egress); err != nil {
		return nil, fmt.Errorf("egress %w", err)
	}
	return administered("ClusterNetworkPolicy", name, as, map[string]action{"Accept": allow, "Deny": deny, "Pass": pass})
}

func clusterRules(from []collect.ClusterRule) (out []collect.AdminRule, err error) {
	for i, r := range from {
		a := collect.AdminRule{Name: r.Name, Action: r.Action, From: r.From, To: r.To}
		for _, p := range r.Protocols {
			port, err := clusterPort(p)
			if err != nil {
				return nil, fmt.Errorf("rule %d: %w", i, err)
			}
			a.Ports = append(a.Ports, port)
		}
		out = append(out, a)
	}
	return out, nil
}

func clusterPort(p collect.ClusterProtocol) (a collect.AdminPort, err error) {
	if p.DestinationNamedPort != "" {
		return collect.AdminPort{NamedPort: &p.DestinationNamedPort}, nil
	}
	for protocol, ports := range map[string]*collect.ClusterPorts{"TCP": p.TCP, "UDP": p.UDP, "SCTP": p.SCTP} {
		if ports == nil {
			continue
		}
		low, high := int32(1), int32(lastPort)
		if d := ports.DestinationPort; d != nil {
			if low, high = d.Number, d.Number; d.Range != nil {
				low, high = d.Range.Start, d.Range.End
			}
		}
		a.PortRange = &collect.AdminPortRange{Protocol: protocol, Start: low, End: high}
		return a, nil
	}
	return a, errors.New("protocol: want tcp, udp, sctp or destinationNamedPort")
}

func administered(kind, name string, spec collect.AdminPolicySpec, actions map[string]action) (*policy, error) {
	p := &policy{kind: kind, Key: collect.Key{Name: name}, ingress: true, egress: true, order: float64(spec.Priority)}
	var err error
	if p.subject, err = adminSubject(spec.Subject); err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	if p.in, err = adminRules(spec.Ingress, actions); err != nil {
		return nil, fmt.Errorf("ingress %w", err)
	}
	if p.out, err = adminRules(spec.Egress, actions); err != nil {
		return nil, fmt.Errorf("egress %w", err)
	}
	return p, nil
}

func adminSubject(s collect.AdminSubject) (peer, error) {
	switch {
	case s.Namespaces != nil:
		return podPeer(s.Namespaces, &metav1.LabelSelector{})
	case s.Pods != nil:
		return podPeer(orEvery(s.Pods.NamespaceSelector), &s.Pods.PodSelector)
	}
	return peer{}, fmt.Errorf("want namespaces or pods")
}

func podPeer(namespaces, pods *metav1.LabelSelector) (c peer, err error) {
	if c.namespaces, err = selectorOf(namespaces); err != nil {
		return c, fmt.Errorf("namespaceSelector: %w", err)
	}
	if c.pods, err = selectorOf(pods); err != nil {
		return c, fmt.Errorf("podSelector: %w", err)
	}
	return c, nil
}

func adminRules(from []collect.AdminRule, actions map[string]action) (out []rule, err error) {
	for i, a := range from {
		r, err := adminRule(a, actions)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i, err)
		}
		r.index = i
		out = append(out, r)
	}
	return out, nil
}

func adminRule(a collect.AdminRule, actions map[string]action) (r rule, err error) {
	var known bool
	if r.action, known = actions[a.Action]; !known {
		return r, fmt.Errorf("action %q: want %s", a.Action, strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
	}
	for _, list := range [][]collect.AdminPeer{a.From, a.To} {
		for _, p := range list {
			c, err := adminPeer(p)
			if err != nil {
				return r, err
			}
			r.peers = append(r.peers, c)
		}
	}
	for _, p := range a.Ports {
		m, err := adminPort(p)
		if err != nil {
			return r, err
		}
		r.ports = append(r.ports, m)
	}
	return r.united(), nil
}

func adminPeer(a collect.AdminPeer) (peer, error) {
	switch {
	case a.Namespaces != nil:
		return adminNamespaces(a.Namespaces, &metav1.LabelSelector{})
	case a.Pods != nil && a.Pods.Namespaces != nil:
		return adminNamespaces(a.Pods.Namespaces, &a.Pods.PodSelector)
	case a.Pods != nil:
		return podPeer(orEvery(a.Pods.NamespaceSelector), &a.Pods.PodSelector)
	case a.Networks != nil:
		return networks(a.Networks)
	case a.Nodes != nil:
		nodes, err := selectorOf(a.Nodes)
		return peer{nodes: nodes}, err
	}
	return peer{}, fmt.Errorf("peer: want namespaces, pods, nodes or networks; domain names are not read")
}

func adminNamespaces(n *collect.AdminNamespaces, pods *metav1.LabelSelector) (peer, error) {
	selector := &n.LabelSelector
	if n.NamespaceSelector != nil {
		selector = n.NamespaceSelector
	}
	c, err := podPeer(selector, pods)
	c.same, c.other = n.SameLabels, n.NotSameLabels
	return c, err
}

func networks(cidrs []string) (c peer, err error) {
	c.means = anyAddress
	for _, s := range cidrs {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return c, fmt.Errorf("networks: %w", err)
		}
		c.block = c.block.Or(In(p))
	}
	return c, nil
}

// adminPort is one of its fields. Without any, it is of a kind that is not known here.
func adminPort(p collect.AdminPort) (portMatch, error) {
	switch {
	case p.PortNumber != nil:
		return portMatch{protocol: p.PortNumber.Protocol, low: p.PortNumber.Port, high: p.PortNumber.Port}.checked()
	case p.PortRange != nil:
		return portMatch{protocol: p.PortRange.Protocol, low: p.PortRange.Start, high: p.PortRange.End}.checked()
	case p.NamedPort != nil:
		return portMatch{name: *p.NamedPort}, nil
	}
	return portMatch{}, errors.New("port: want portNumber, portRange or namedPort")
}
