package netpol

import (
	"fmt"

	netpolv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"

	"github.com/breakwater-sec/breakwater/collect"
)

// spoken is a rule of either admin kind, in the words both share.
type spoken struct {
	action string
	peers  []netpolv1alpha1.AdminNetworkPolicyPeer
	ports  *[]netpolv1alpha1.AdminNetworkPolicyPort
}

func compileAdmin(a *netpolv1alpha1.AdminNetworkPolicy) (*policy, error) {
	var in, out []spoken
	for _, r := range a.Spec.Ingress {
		in = append(in, spoken{string(r.Action), r.From, r.Ports})
	}
	for _, r := range a.Spec.Egress {
		out = append(out, spoken{string(r.Action), r.To, r.Ports})
	}
	p, err := compileSpoken("AdminNetworkPolicy", a.Name, a.Spec.Subject, in, out)
	if err == nil {
		p.priority = a.Spec.Priority
	}
	return p, err
}

func compileBaseline(b *netpolv1alpha1.BaselineAdminNetworkPolicy) (*policy, error) {
	var in, out []spoken
	for _, r := range b.Spec.Ingress {
		in = append(in, spoken{string(r.Action), r.From, r.Ports})
	}
	for _, r := range b.Spec.Egress {
		out = append(out, spoken{string(r.Action), r.To, r.Ports})
	}
	return compileSpoken("BaselineAdminNetworkPolicy", b.Name, b.Spec.Subject, in, out)
}

func compileSpoken(kind, name string, subject netpolv1alpha1.AdminNetworkPolicySubject, in, out []spoken) (*policy, error) {
	p, err := adminSubject(kind, name, subject)
	if err != nil {
		return nil, err
	}
	if p.in, err = adminRules(in); err != nil {
		return nil, fmt.Errorf("ingress %w", err)
	}
	if p.out, err = adminRules(out); err != nil {
		return nil, fmt.Errorf("egress %w", err)
	}
	return p, nil
}

func adminRules(from []spoken) (out []rule, err error) {
	for i, s := range from {
		r, err := adminRule(s)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func adminSubject(kind, name string, s netpolv1alpha1.AdminNetworkPolicySubject) (*policy, error) {
	p := &policy{kind: kind, Key: collect.Key{Name: name}, ingress: true, egress: true}
	var err error
	switch {
	case s.Namespaces != nil:
		p.subject.namespaces, err = selectorOf(s.Namespaces)
	case s.Pods != nil:
		if p.subject.namespaces, err = selectorOf(&s.Pods.NamespaceSelector); err == nil {
			p.subject.pods, err = selectorOf(&s.Pods.PodSelector)
		}
	default:
		err = fmt.Errorf("want namespaces or pods")
	}
	if err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	if p.subject.pods == nil {
		p.subject.pods, err = selectorOf(cmpSelector(nil))
	}
	return p, err
}

func adminRule(s spoken) (r rule, err error) {
	switch s.action {
	case "Allow":
		r.action = allow
	case "Deny":
		r.action = deny
	case "Pass":
		r.action = pass
	default:
		return r, fmt.Errorf("action %q: want Allow, Deny or Pass", s.action)
	}
	for _, p := range s.peers {
		c, err := adminPeer(p)
		if err != nil {
			return r, err
		}
		r.peers = append(r.peers, c)
	}
	if s.ports != nil {
		r.ports = []portMatch{}
		for _, p := range *s.ports {
			r.ports = append(r.ports, adminPort(p))
		}
	}
	return r, nil
}

func adminPeer(a netpolv1alpha1.AdminNetworkPolicyPeer) (c peer, err error) {
	var ns netpolv1alpha1.NamespacedPeer
	c.pods, _ = selectorOf(cmpSelector(nil))
	switch {
	case a.Namespaces != nil:
		ns = *a.Namespaces
	case a.Pods != nil:
		ns = a.Pods.Namespaces
		if c.pods, err = selectorOf(&a.Pods.PodSelector); err != nil {
			return c, fmt.Errorf("podSelector: %w", err)
		}
	default:
		return c, fmt.Errorf("peer: want namespaces or pods; nodes and networks are not read")
	}
	c.same, c.other = ns.SameLabels, ns.NotSameLabels
	if c.namespaces, err = selectorOf(cmpSelector(ns.NamespaceSelector)); err != nil {
		return c, fmt.Errorf("namespaceSelector: %w", err)
	}
	return c, nil
}

func adminPort(p netpolv1alpha1.AdminNetworkPolicyPort) portMatch {
	switch {
	case p.PortNumber != nil:
		return portMatch{protocol: string(p.PortNumber.Protocol), low: p.PortNumber.Port, high: p.PortNumber.Port}
	case p.PortRange != nil:
		return portMatch{protocol: string(p.PortRange.Protocol), low: p.PortRange.Start, high: p.PortRange.End}
	case p.NamedPort != nil:
		return portMatch{name: *p.NamedPort}
	}
	return portMatch{} // no port: the API server refuses it, and it matches nothing
}
