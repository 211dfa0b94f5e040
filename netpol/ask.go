package netpol

import (
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
)

// piece is a set of ports with one verdict for it.
type piece struct {
	ports   Ports
	allowed bool
	// at is the part of an outside endpoint it is about; nil for others.
	at        Ranges
	uncertain string
	why       Witness
}

// Ask decides one connection. The sender's egress and the receiver's ingress
// must both allow it.
func (j *Judge) Ask(from, to Endpoint, port Port) Answer {
	a := Answer{From: from, To: to, Port: port, Allowed: true, Senders: from.addresses, Enforced: j.enforcement,
		Witness: Witness{Rule: -1, Text: "no policy restricts it"}}
	sure, hangs := local(from, to)
	if sure {
		a.Witness.Text = "a node always reaches the pods that run on it"
		return a
	}
	if from.pod != nil {
		a.apply(j.verdict(from.pod, to, to.pod, Egress), to)
	}
	if to.pod != nil && a.Allowed {
		a.apply(j.verdict(to.pod, from, to.pod, Ingress), from)
	}
	if hangs != "" && !a.Allowed {
		a.Allowed, a.Uncertain = true, hangs+", though "+a.Witness.Text
	}
	return a
}

// apply narrows the answer by the verdict of one side on the other end.
func (a *Answer) apply(pieces []piece, other Endpoint) {
	var yes, no []piece
	for _, p := range pieces {
		switch {
		case !p.ports.Contains(a.Port):
		case p.allowed:
			yes = append(yes, p)
		default:
			no = append(no, p)
		}
	}
	if len(yes) == 0 && len(no) > 0 {
		a.Allowed, a.Uncertain, a.Witness = false, "", no[0].why
		return
	}
	if len(yes) == 0 { // not a port of a protocol that policies know
		if slices.ContainsFunc(pieces, func(p piece) bool { return p.why.Kind != "" }) {
			a.Uncertain = fmt.Sprintf("what policies mean for %s is left to the network plugin", a.Port)
		}
		return
	}
	best := telling(yes, other.outside())
	if best.why.Kind != "" {
		a.Witness = best.why
	}
	if best.uncertain != "" {
		a.Uncertain = best.uncertain
	}
	if len(no) == 0 {
		return
	}
	var open Ranges
	for _, p := range yes {
		open = open.Or(p.at)
	}
	if other.some {
		a.Uncertain = fmt.Sprintf("the address of %s is not known, and policies allow %s", other.text, open)
	} else if a.From.outside() {
		a.Senders = open
	}
}

// telling is the piece that tells how certain a yes is: for one end, one certain
// rule is enough; of many addresses each part has its own.
func telling(yes []piece, many bool) piece {
	for _, p := range yes {
		if many == (p.uncertain != "") {
			return p
		}
	}
	return yes[0]
}

// outside says whether an endpoint is addresses only.
func (e Endpoint) outside() bool { return e.pod == nil && e.node == nil && !e.unknown }

// local is a node and a pod that runs on it, which the API says no policy keeps
// apart. It is sure of what the node sends; hangs says on what it hangs otherwise.
func local(from, to Endpoint) (sure bool, hangs string) {
	node, pod, hangs := from, to, "a node always reaches its own pods"
	if from.onPodNetwork() {
		node, pod, hangs = to, from, "network plugins differ in whether a pod always reaches its own node"
	}
	if !pod.onPodNetwork() || !node.onNode() {
		return false, ""
	}
	name, known := "", placed(pod.pod)
	if node.pod != nil {
		name, known = node.pod.Node, known && placed(node.pod)
	} else {
		name = node.node.Name
	}
	switch {
	case !known:
		return false, "whether both run on one node is not known, and " + hangs
	case name != pod.pod.Node:
		return false, ""
	}
	return !from.onPodNetwork(), hangs
}

// onPodNetwork is a pod with a network of its own, onNode what has its node's.
func (e Endpoint) onPodNetwork() bool { return e.pod != nil && !hostNetwork(e.pod) }
func (e Endpoint) onNode() bool       { return e.node != nil || e.pod != nil && hostNetwork(e.pod) }

// placed says whether it is known where a pod runs.
func placed(p *collect.Pod) bool { return p.Node != "" && !p.Made }

// verdict is what the policies that select self say about the other end. dest
// is the receiving pod, where there is one, for named ports. Outside is judged
// in the parts that these policies tell apart.
func (j *Judge) verdict(self *collect.Pod, other Endpoint, dest *collect.Pod, d Direction) []piece {
	s := j.selection(self)
	costs := 1 + len(j.doubts) + j.costs(self, s, d)
	if !other.outside() {
		if !j.work.may(self.Namespace, costs) {
			return undecided(self, d)
		}
		return j.doubt(self, j.decide(s, self, other, dest, d))
	}
	if !j.work.may(self.Namespace, costs) {
		return undecided(self, d)
	}
	parts, ok := s.parts(other.addresses, d)
	if all := 2 * costs * len(parts); !ok || !j.work.may(self.Namespace, all) {
		j.work.spend(self.Namespace, all)
		return undecided(self, d)
	}
	var out []piece
	for _, part := range parts {
		for _, p := range j.decide(s, self, Endpoint{addresses: part, some: other.some}, dest, d) {
			p.at = part
			out = append(out, p)
		}
	}
	return j.doubt(self, out)
}

// doubt turns each no into an uncertain yes where a policy that could not be
// read may allow it.
func (j *Judge) doubt(self *collect.Pod, pieces []piece) []piece {
	name := j.doubted(self)
	if name == "" {
		return pieces
	}
	for i, p := range pieces {
		if !p.allowed {
			pieces[i].allowed, pieces[i].uncertain = true, name+" could not be read and may allow it, though "+p.why.Text
		}
	}
	return pieces
}

// parts cuts addresses so that the blocks of every rule hold all or nothing of
// each part, unless they are very many.
func (s selection) parts(whole Ranges, d Direction) (parts []Ranges, ok bool) {
	parts = []Ranges{whole}
	for _, p := range slices.Concat(s...) {
		for _, r := range p.rules(d) {
			if parts = cut(cut(parts, r.blocks), r.perhaps); len(parts) > partsMost {
				return parts, false
			}
		}
	}
	return parts, true
}

func cut(parts []Ranges, block Ranges) (out []Ranges) {
	if len(block) == 0 {
		return parts
	}
	for _, p := range parts {
		for _, half := range []Ranges{p.And(block), p.Without(block)} {
			if len(half) > 0 {
				out = append(out, half)
			}
		}
	}
	return out
}

// decide asks the tiers one after the other.
func (j *Judge) decide(s selection, self *collect.Pod, other Endpoint, dest *collect.Pod, d Direction) []piece {
	v := &verdict{left: AllPorts(), direction: d, dest: dest}
	for i, policies := range s {
		var restricting []*policy
		for _, p := range policies {
			if p.restricts(d) {
				restricting = append(restricting, p)
			}
			j.rules(v, p, other, self)
		}
		if j.tiers[i].refuses && len(restricting) > 0 {
			v.refuse(restricting)
		}
		v.left, v.passed = v.left.Or(v.passed), Ports{}
	}
	v.add(piece{ports: v.left, allowed: true})
	return v.pieces
}

type verdict struct {
	pieces []piece
	// left is the ports nobody has decided yet, passed those that a rule hands to
	// the next tier.
	left, passed Ports
	direction    Direction
	dest         *collect.Pod
	suspended    []suspense
}

// suspense is ports that a rule may have denied or passed on before later ones are asked.
type suspense struct {
	ports Ports
	pass  bool
	text  string
}

// rules applies a policy, whose first matching rule decides; one that may or may not
// match leaves it to the next as well.
func (j *Judge) rules(v *verdict, p *policy, other Endpoint, self *collect.Pod) {
	for _, r := range p.rules(v.direction) {
		match, why := j.matches(r, other, self)
		if match == no {
			continue
		}
		ports := r.portsAt(v.dest).And(v.left)
		if match == maybe && r.action != allow {
			v.suspended = append(v.suspended, suspense{ports, r.action == pass, fmt.Sprintf("%s rule %d of %s may decide it otherwise: %s",
				v.direction, r.index, p.text(), why)})
			continue
		}
		if match == yes {
			v.left = v.left.Without(ports)
		}
		if r.action == pass {
			v.passed = v.passed.Or(ports)
			continue
		}
		v.add(piece{ports: ports, allowed: r.action == allow, uncertain: why, why: p.witness(v.direction, r.index, r.action == allow)})
	}
}

// add decides ports, as far as no rule before may have decided otherwise.
func (v *verdict) add(p piece) {
	for _, s := range v.suspended {
		both := p.ports.And(s.ports)
		if both.Empty() || p.uncertain != "" || !p.allowed && !s.pass {
			continue
		}
		text := s.text
		if !p.allowed {
			text += ", though " + p.why.Text
		}
		v.pieces = append(v.pieces, piece{ports: both, allowed: true, uncertain: text, why: p.why})
		p.ports = p.ports.Without(both)
	}
	v.pieces = append(v.pieces, p)
}

// truth is whether a rule matches.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

// matches says whether a rule means the other end, or why that is not known.
func (j *Judge) matches(r rule, other Endpoint, self *collect.Pod) (truth, string) {
	match, why := j.peers(r, other, self)
	if match != no && r.self != nil {
		is, doubt := j.means(*r.self, Pod(self), self)
		if is < match {
			match, why = is, doubt
		}
	}
	if match == yes && r.doubt != "" {
		return maybe, r.doubt
	}
	return match, why
}

func (j *Judge) peers(r rule, other Endpoint, self *collect.Pod) (best truth, why string) {
	switch {
	case r.anyone:
		return yes, ""
	case other.unknown && r.action == allow && len(r.peers) > 0:
		return maybe, "who connects is not known, and policies allow some"
	case other.unknown:
		return no, ""
	case other.outside():
		return r.meansOutside(other)
	}
	for _, c := range r.peers {
		is, doubt := j.means(c, other, self)
		if is == yes {
			return yes, ""
		}
		if is > best {
			best, why = is, doubt
		}
	}
	return best, why
}

// meansOutside says whether a rule means addresses outside.
func (r rule) meansOutside(other Endpoint) (truth, string) {
	switch {
	case len(r.blocks) > 0 && r.blocks.Covers(other.addresses):
		return yes, ""
	case len(r.perhaps) > 0 && r.perhaps.Covers(other.addresses):
		i := slices.IndexFunc(r.peers, func(c peer) bool { return c.doubt != "" && !c.chosen() })
		return maybe, r.peers[i].doubt
	case other.some && slices.ContainsFunc(r.peers, func(c peer) bool { return c.everyNode || c.nodes != nil }):
		return maybe, "its address is not known, and it may be a node's"
	}
	return no, ""
}

// means says whether a peer means what is in the cluster.
func (j *Judge) means(c peer, other Endpoint, self *collect.Pod) (is truth, why string) {
	if c.chosen() && !j.chooses(c, other, self) || c.not != nil && other.onPodNetwork() && c.not.Matches(j.identityOf(other.pod)) {
		return no, ""
	}
	if is = yes; c.block != nil {
		is, why = other.within(c)
	} else if !c.chosen() {
		return no, ""
	}
	if is == yes && c.doubt != "" {
		return maybe, c.doubt
	}
	return is, why
}

// chooses says whether a peer's selectors mean the other end.
func (j *Judge) chooses(c peer, other Endpoint, self *collect.Pod) bool {
	if c.everyNode && other.onNode() {
		return true
	}
	if c.nodes != nil {
		n := j.nodeOf(other)
		return n != nil && c.nodes.Matches(labels.Set(n.Labels))
	}
	return other.pod != nil && j.selects(c, other.pod, self)
}

// nodeOf is the node that an endpoint is, as far as policies see.
func (j *Judge) nodeOf(e Endpoint) *collect.Node {
	if e.pod != nil && hostNetwork(e.pod) {
		return j.facts.Nodes[collect.Key{Name: e.pod.Node}]
	}
	return e.node
}

// addressless is a pod that no address is known of yet, as of every one that a
// manifest's workload would make.
func (e Endpoint) addressless() bool { return e.pod != nil && len(addressesOf(e.pod)) == 0 }

// within says whether what is in the cluster lies in a peer's block.
func (e Endpoint) within(c peer) (truth, string) {
	switch {
	case c.means == neverInside, c.means == outsideOnly && e.onPodNetwork():
		return no, ""
	case c.means == anyAddress && c.block.Covers(everywhere):
		return yes, ""
	case e.addressless() && c.block.mayHoldPods():
		return maybe, "its address is not known, and address blocks may mean it"
	case !slices.ContainsFunc(e.known(), c.block.Contains):
		return no, ""
	case c.means == outsideOnly:
		return maybe, "whether address blocks mean nodes is set in the network plugin"
	case c.means == pluginsDiffer && e.onPodNetwork():
		return maybe, "network plugins differ in whether address blocks mean pods"
	}
	return yes, ""
}

// known are the addresses of what is in the cluster.
func (e Endpoint) known() []netip.Addr {
	if e.pod != nil {
		return addressesOf(e.pod)
	}
	return parsed(e.node.InternalIPs, e.node.ExternalIPs)
}

// addressesOf is those of a pod, on the host's network those of its node.
func addressesOf(p *collect.Pod) []netip.Addr {
	if hostNetwork(p) {
		return parsed(p.IPs, []string{p.HostIP})
	}
	return parsed(p.IPs)
}

func parsed(lists ...[]string) (out []netip.Addr) {
	for _, s := range slices.Concat(lists...) {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// refuse denies all that no rule so far allowed.
func (v *verdict) refuse(by []*policy) {
	left := v.left
	for _, p := range v.pieces {
		left = left.Without(p.ports)
	}
	v.left = Ports{}
	v.add(piece{ports: left, why: Witness{by[0].kind, by[0].Key, v.direction, -1, refusal(by, v.direction)}})
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
