package netpol

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
)

// piece is a set of ports with one verdict for it.
type piece struct {
	ports   Ports
	allowed bool
	// senders who are allowed, if not everyone of those asked about.
	senders   Ranges
	uncertain string
	why       Witness
}

// Ask decides one connection. The sender's egress and the receiver's ingress
// must both allow it.
func (j *Judge) Ask(from, to Endpoint, port Port) Answer {
	a := Answer{From: from, To: to, Port: port, Allowed: true, Senders: from.addresses, Enforced: j.enforcement,
		Witness: Witness{Rule: -1, Text: "no policy restricts it"}}
	if local(from, to) {
		a.Witness.Text = "a node always reaches the pods that run on it"
		return a
	}
	if from.pod != nil {
		a.hear(j.verdict(from.pod, to, to.pod, Egress), port)
	}
	if to.pod != nil && a.Allowed {
		a.hear(j.verdict(to.pod, from, to.pod, Ingress), port)
	}
	return a
}

// hear narrows the answer by the verdict of one side.
func (a *Answer) hear(pieces []piece, port Port) {
	i := slices.IndexFunc(pieces, func(p piece) bool { return p.ports.Contains(port) && p.allowed })
	if i < 0 {
		i = slices.IndexFunc(pieces, func(p piece) bool { return p.ports.Contains(port) })
	}
	if i < 0 {
		return // not a port of a protocol that policies know
	}
	p := pieces[i]
	if p.why.Kind != "" || !p.allowed {
		a.Witness = p.why
	}
	a.Allowed = p.allowed
	if p.uncertain != "" {
		a.Uncertain = p.uncertain
	}
	if p.senders == nil || !a.Allowed {
		return
	}
	a.Senders = nil
	for _, p := range pieces {
		if p.allowed && p.ports.Contains(port) {
			a.Senders = a.Senders.Or(p.senders)
		}
	}
}

// local is a node talking to a pod that runs on it: no policy forbids that.
func local(from, to Endpoint) bool {
	if to.pod == nil || to.pod.Node == "" {
		return false
	}
	if from.pod != nil && hostNetwork(from.pod) {
		return from.pod.Node == to.pod.Node
	}
	return from.node != nil && from.node.Name == to.pod.Node
}

// verdict is what the policies that select self say about the other end. dest
// is the receiving pod, where there is one, for named ports.
func (j *Judge) verdict(self *collect.Pod, other Endpoint, dest *collect.Pod, d Direction) []piece {
	if hostNetwork(self) {
		return []piece{{ports: AllPorts(), allowed: true}}
	}
	v := &verdict{left: AllPorts(), direction: d, dest: dest}
	s := j.selection(self)
	for _, p := range s.admin {
		v.ordered(p, func(c peer) bool { return j.admits(c, other, self) })
	}
	v.left, v.passed = v.left.Or(v.passed), Ports{}
	var restricting []*policy
	for _, p := range s.network {
		if p.restricts(d) {
			restricting = append(restricting, p)
			j.network(v, p, other, self)
		}
	}
	if len(restricting) > 0 {
		v.refuse(restricting)
		return v.pieces
	}
	for _, p := range s.baseline {
		v.ordered(p, func(c peer) bool { return j.admits(c, other, self) })
	}
	return append(v.pieces, piece{ports: v.left, allowed: true})
}

type verdict struct {
	pieces []piece
	// left is the ports nobody has decided yet, passed those that an admin
	// policy hands to the NetworkPolicies.
	left, passed Ports
	direction    Direction
	dest         *collect.Pod
}

// ordered applies a policy whose first matching rule decides.
func (v *verdict) ordered(p *policy, matches func(peer) bool) {
	for i, r := range p.rules(v.direction) {
		ports := r.portsAt(v.dest).And(v.left)
		if ports.Empty() || !slices.ContainsFunc(r.peers, matches) {
			continue
		}
		v.left = v.left.Without(ports)
		if r.action == pass {
			v.passed = v.passed.Or(ports)
			continue
		}
		v.pieces = append(v.pieces, piece{ports: ports, allowed: r.action == allow, why: p.witness(v.direction, i, r.action == allow)})
	}
}

// admits says whether an admin peer means the other end. Such peers mean pods only.
func (j *Judge) admits(c peer, other Endpoint, self *collect.Pod) bool {
	return other.pod != nil && j.selects(c, other.pod, self)
}

// network adds what a NetworkPolicy's rules allow. Several may allow the same
// port to different senders.
func (j *Judge) network(v *verdict, p *policy, other Endpoint, self *collect.Pod) {
	for i, r := range p.rules(v.direction) {
		ports := r.portsAt(v.dest).And(v.left)
		if ports.Empty() {
			continue
		}
		senders, uncertain, ok := j.matches(r, other, self)
		if ok {
			v.pieces = append(v.pieces, piece{ports, true, senders, uncertain, p.witness(v.direction, i, true)})
		}
	}
}

// matches says whether a rule means the other end, and which part of it.
func (j *Judge) matches(r rule, other Endpoint, self *collect.Pod) (senders Ranges, uncertain string, ok bool) {
	if r.anyone {
		return other.addresses, "", true
	}
	var blocks Ranges
	for _, c := range r.peers {
		if other.pod != nil && j.selects(c, other.pod, self) {
			return nil, "", true
		}
		blocks = blocks.Or(c.block)
	}
	return other.within(blocks)
}

// within says which part of an endpoint lies in the blocks of a rule.
func (e Endpoint) within(blocks Ranges) (senders Ranges, uncertain string, ok bool) {
	if len(blocks) == 0 {
		return nil, "", false
	}
	switch {
	case e.pod != nil && hostNetwork(e.pod):
		return nil, "", anyIn(append(slices.Clone(e.pod.IPs), e.pod.HostIP), blocks)
	case e.pod != nil:
		return nil, "network plugins differ in whether address blocks mean pods", anyIn(e.pod.IPs, blocks)
	case e.node != nil:
		return nil, "", anyIn(slices.Concat(e.node.InternalIPs, e.node.ExternalIPs), blocks)
	}
	both := e.addresses.And(blocks)
	if e.some && !blocks.Covers(e.addresses) {
		return both, fmt.Sprintf("the address of %s is not known, and the policy allows %s", e.text, blocks), len(both) > 0
	}
	return both, "", len(both) > 0
}

func anyIn(addresses []string, blocks Ranges) bool {
	return slices.ContainsFunc(addresses, func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && blocks.Contains(a)
	})
}

// refuse denies all that no NetworkPolicy allowed.
func (v *verdict) refuse(by []*policy) {
	left := v.left
	for _, p := range v.pieces {
		if p.allowed {
			left = left.Without(p.ports)
		}
	}
	v.pieces = append(v.pieces, piece{ports: left, why: Witness{by[0].kind, by[0].Key, v.direction, -1, refusal(by, v.direction)}})
}

func refusal(by []*policy, d Direction) string {
	text := fmt.Sprintf("%s restricts %s and no rule allows it", by[0].text(), d)
	if more := len(by) - 1; more > 0 {
		text = fmt.Sprintf("%s and %d more restrict %s and no rule allows it", by[0].text(), more, d)
	}
	return text
}

func (p *policy) text() string { return p.kind + " " + p.Key.String() }

func (p *policy) witness(d Direction, rule int, allowed bool) Witness {
	verb := "denies"
	if allowed {
		verb = "allows"
	}
	return Witness{p.kind, p.Key, d, rule, fmt.Sprintf("%s rule %d of %s %s it", d, rule, p.text(), verb)}
}
