package netpol

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/collect"
)

// calico prepares the policies of Calico, which are asked tier by tier, in their
// order: NetworkPolicies stand in the tier default. Its blocks mean pods too.
type calico struct {
	facts *collect.Facts
	kind  string
	collect.Key
}

// addCalicoTiers adds the tiers that Calico has besides those of Kubernetes.
func addCalicoTiers(t tiers, f *collect.Facts) {
	for k, o := range f.CalicoTiers {
		switch k.Name {
		case "kube-admin", "adminnetworkpolicy", "kube-baseline", "baselineadminnetworkpolicy":
			continue
		case "default":
			if o.Spec.Order != nil {
				t["default"].order = *o.Spec.Order
			}
			t["default"].refuses = o.Spec.DefaultAction != "Pass"
			continue
		}
		t.add(k.Name, orLast(o.Spec.Order), o.Spec.DefaultAction != "Pass")
	}
}

func orLast(order *float64) float64 {
	if order == nil {
		return atLast
	}
	return *order
}

// tierOf is the tier of a policy, one that was seen.
func (c calico) tierOf(t tiers, s collect.CalicoPolicySpec) (string, error) {
	name := cmp.Or(s.Tier, "default")
	if t[name] == nil || name == "admin" || name == "baseline" {
		return "", fmt.Errorf("its tier %s was not seen", name)
	}
	return name, nil
}

// onlyHosts says that a policy is about nodes, not pods.
func onlyHosts(s collect.CalicoPolicySpec) bool { return s.DoNotTrack || s.PreDNAT }

func (c calico) policy(s collect.CalicoPolicySpec) (p *policy, err error) {
	p = &policy{kind: c.kind, Key: c.Key, order: orLast(s.Order)}
	if p.subject, err = c.selected(s.Selector, s.NamespaceSelector, s.ServiceAccountSelector, nil); err != nil {
		return nil, err
	}
	p.ingress, p.egress = slices.Contains(s.Types, "Ingress"), slices.Contains(s.Types, "Egress")
	if len(s.Types) == 0 {
		p.ingress, p.egress = len(s.Ingress) > 0 || len(s.Egress) == 0, len(s.Egress) > 0
	}
	if p.ingress {
		p.in, err = c.rules("ingress", s.Ingress, func(r collect.CalicoRule) (peer, self collect.CalicoEntity) { return r.Source, r.Destination })
	}
	if p.egress && err == nil {
		p.out, err = c.rules("egress", s.Egress, func(r collect.CalicoRule) (peer, self collect.CalicoEntity) { return r.Destination, r.Source })
	}
	return p, err
}

// selected is pods by selectors, in the policy's own namespace where nothing is said
// of namespaces.
func (c calico) selected(selector, namespaces, accountSelector string, accounts []string) (p peer, err error) {
	var all every
	for _, part := range []struct {
		text string
		as   func(calicoSelector) matcher
	}{
		{selector, func(s calicoSelector) matcher { return s }},
		{accountSelector, func(s calicoSelector) matcher { return accountLabels{c.facts, s} }},
	} {
		s, err := parseCalico(part.text)
		if err != nil {
			return p, err
		}
		if part.text != "" {
			all = append(all, part.as(s))
		}
	}
	if len(accounts) > 0 {
		all = append(all, accountNames(accounts))
	}
	p.identity = all
	if namespaces == "" {
		p.namespace = c.Namespace
		return p, nil
	}
	s, err := parseCalico(namespaces)
	p.namespaces = namespaceNames{s}
	return p, err
}

// every is all of its matchers; none of them match everything.
type every []matcher

func (e every) Matches(l labels.Labels) bool {
	return !slices.ContainsFunc(e, func(m matcher) bool { return !m.Matches(l) })
}

func (e every) String() string {
	var out []string
	for _, m := range e {
		out = append(out, m.String())
	}
	return strings.Join(out, " && ")
}

// accountNames is pods of service accounts with these names.
type accountNames []string

func (a accountNames) Matches(l labels.Labels) bool { return slices.Contains(a, l.Get(calicoAccount)) }
func (a accountNames) String() string               { return "serviceaccounts " + strings.Join(a, ",") }

// accountLabels is pods of service accounts with certain labels.
type accountLabels struct {
	facts *collect.Facts
	calicoSelector
}

func (a accountLabels) Matches(l labels.Labels) bool {
	account := a.facts.ServiceAccounts[collect.Key{Namespace: l.Get(calicoNamespace), Name: l.Get(calicoAccount)}]
	return account != nil && a.is(labels.Set(account.Labels))
}
func (a accountLabels) String() string { return "serviceaccounts " + a.text }

// namespaceNames selects namespaces, which have their name as another label in Calico.
type namespaceNames struct{ calicoSelector }

func (n namespaceNames) Matches(l labels.Labels) bool { return n.is(named{l}) }

type named struct{ labels.Labels }

func (n named) Lookup(key string) (string, bool) {
	if key == "projectcalico.org/name" {
		key = "kubernetes.io/metadata.name"
	}
	return n.Labels.Lookup(key)
}
func (n named) Has(key string) bool { _, has := n.Lookup(key); return has }

var calicoActions = map[string]action{"Allow": allow, "Deny": deny, "Pass": pass}

func (c calico) rules(direction string, from []collect.CalicoRule, ends func(collect.CalicoRule) (peer, self collect.CalicoEntity),
) (out []rule, err error) {
	for i, r := range from {
		if r.Action == "Log" {
			continue
		}
		peer, self := ends(r)
		compiled, err := c.rule(r, peer, self, r.Source)
		if err != nil {
			return nil, fmt.Errorf("%s rule %d: %w", direction, i, err)
		}
		compiled.index = i
		out = append(out, compiled.united())
	}
	return out, nil
}

func (c calico) rule(of collect.CalicoRule, other, self, source collect.CalicoEntity) (r rule, err error) {
	var known bool
	if r.action, known = calicoActions[of.Action]; !known {
		return r, fmt.Errorf("action %q: want Allow, Deny, Log or Pass", of.Action)
	}
	r.peers, err = c.entity(other, of.IPVersion)
	if err != nil {
		return r, err
	}
	r.anyone = len(r.peers) == 0
	own, err := c.entity(self, nil)
	if err != nil {
		return r, err
	}
	if len(own) > 0 {
		r.self = &own[0]
	}
	switch {
	case of.HTTP != nil:
		r.doubt = "it asks for what is in the packets, too"
	case len(source.Ports)+len(source.NotPorts) > 0:
		r.doubt = "it asks for the port that packets come from"
	}
	return r, c.ports(&r, of)
}

// entity is one end: nothing if it is anyone. What selectors select may be pods, and
// sets of addresses.
func (c calico) entity(e collect.CalicoEntity, version *int) (out []peer, err error) {
	if e.Services != nil {
		return []peer{c.service(e.Services.Namespace, e.Services.Name)}, nil
	}
	if len(e.Domains) > 0 {
		out = append(out, peer{block: everywhere, means: neverInside, doubt: "it depends on what names resolve to"})
	}
	var accounts []string
	var accountSelector string
	if e.ServiceAccounts != nil {
		accounts, accountSelector = e.ServiceAccounts.Names, e.ServiceAccounts.Selector
	}
	chosen := e.Selector != "" || e.NamespaceSelector != "" || len(accounts) > 0 || accountSelector != ""
	block, limited, err := c.block(e, version)
	if err != nil || !chosen && !limited && e.NotSelector == "" {
		return out, err
	}
	var p peer
	if chosen {
		if p, err = c.selected(e.Selector, e.NamespaceSelector, accountSelector, accounts); err != nil {
			return nil, err
		}
	}
	if e.NotSelector != "" {
		not, err := parseCalico(e.NotSelector)
		if err != nil {
			return nil, err
		}
		p.not = not
		block = block.Without(c.sets(not, peer{}))
	}
	p.means = anyAddress
	if limited || !chosen {
		p.block = block
	}
	out = append(out, p)
	if chosen && len(accounts) == 0 && accountSelector == "" {
		if in := c.sets(p.identity, p).And(block); len(in) > 0 {
			out = append(out, peer{block: in, means: anyAddress})
		}
	}
	return out, nil
}

// block is the addresses that an end must have; limited says that not all will do.
func (c calico) block(e collect.CalicoEntity, version *int) (out Ranges, limited bool, err error) {
	if out = everywhere; len(e.Nets) > 0 {
		if out, err = blocks(e.Nets); err != nil {
			return nil, false, err
		}
	}
	not, err := blocks(e.NotNets)
	if err != nil {
		return nil, false, err
	}
	if version != nil {
		family, known := map[int]string{4: "0.0.0.0/0", 6: "::/0"}[*version]
		if !known {
			return nil, false, fmt.Errorf("ipVersion %d: want 4 or 6", *version)
		}
		out = out.And(In(netip.MustParsePrefix(family)))
	}
	return out.Without(not), len(e.Nets)+len(e.NotNets) > 0 || version != nil, nil
}

func blocks(texts []string) (out Ranges, err error) {
	for _, text := range texts {
		b, err := addressBlock(text)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out.tidy(), nil
}

// sets is the addresses of the network sets that a selector selects, where the peer
// says from which namespaces.
func (c calico) sets(selector matcher, where peer) (out Ranges) {
	for _, kind := range []map[collect.Key]*collect.CalicoNetworkSet{c.facts.CalicoNetworkSets, c.facts.CalicoGlobalNetworkSets} {
		for k, s := range kind {
			if !selector.Matches(labels.Set(s.Labels)) || where.namespace != "" && where.namespace != k.Namespace ||
				where.namespaces != nil && (k.Namespace == "") != (where.namespaces.String() == "global()") {
				continue
			}
			if nets, err := blocks(s.Spec.Nets); err == nil {
				out = out.Or(nets)
			}
		}
	}
	return out
}

// service is what a Service leads to, as far as its selector tells.
func (c calico) service(namespace, name string) peer {
	const doubt = "which endpoints a Service has is not followed here"
	s := c.facts.Services[collect.Key{Namespace: cmp.Or(namespace, c.Namespace), Name: name}]
	if s == nil || len(s.Spec.Selector) == 0 {
		return peer{block: everywhere, means: anyAddress, doubt: doubt}
	}
	return peer{namespace: s.Namespace, pods: labels.SelectorFromSet(s.Spec.Selector), doubt: doubt}
}

// ports are those of the destination, of the protocol.
func (c calico) ports(r *rule, of collect.CalicoRule) error {
	to := of.Destination
	switch {
	case of.Protocol != nil:
		r.ports = []portMatch{}
		protocol, carries := calicoProtocol(*of.Protocol)
		if !carries {
			return nil
		}
		var err error
		if r.ports, err = calicoPorts(to.Ports, protocol); err != nil {
			return err
		}
		if len(to.Ports) == 0 {
			r.ports = []portMatch{{protocol: protocol, low: 1, high: lastPort}}
		}
		r.notPorts, err = calicoPorts(to.NotPorts, protocol)
		return err
	case len(to.Ports)+len(to.NotPorts) > 0:
		return errors.New("ports: want a protocol with them")
	case of.NotProtocol != nil:
		if protocol, carries := calicoProtocol(*of.NotProtocol); carries {
			r.notPorts = []portMatch{{protocol: protocol, low: 1, high: lastPort}}
		}
	}
	return nil
}

// calicoProtocol is one with ports, by its name or number.
func calicoProtocol(p intstr.IntOrString) (name string, carries bool) {
	name = map[string]string{"6": "TCP", "17": "UDP", "132": "SCTP"}[p.String()]
	if name == "" {
		name = strings.ToUpper(p.String())
	}
	return name, name == "TCP" || name == "UDP" || name == "SCTP"
}

// calicoPorts are numbers, names, and ranges such as "80:90".
func calicoPorts(from []intstr.IntOrString, protocol string) ([]portMatch, error) {
	out := []portMatch{}
	for _, p := range from {
		low, high, ranged := strings.Cut(p.String(), ":")
		if !ranged {
			high = low
		}
		first, err := strconv.ParseInt(low, 10, 32)
		end, err2 := strconv.ParseInt(high, 10, 32)
		m := portMatch{protocol: protocol, low: int32(first), high: int32(end)}
		switch {
		case err != nil && !ranged:
			m = portMatch{protocol: protocol, name: p.String()}
		case err != nil || err2 != nil:
			return nil, fmt.Errorf("port %q: want a number, a name or a range such as 80:90", p.String())
		case first == 0 && ranged:
			m.low = 1
		}
		m, err = m.checked()
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}
