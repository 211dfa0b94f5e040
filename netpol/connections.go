package netpol

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// Outside is the name of everything that is not in the cluster.
const Outside = "outside"

// Reach is who may talk to whom, as the policies say, also where it is not known
// whether anything enforces them. Workloads that no policy tells apart share a class,
// so it is as large as the policies are many, not as the workloads are squared.
type Reach struct {
	Senders, Receivers []Class
	Links              []Link
	// Unjudged is how many pairs of classes were not held against the policies: there were too many.
	Unjudged int
}

// Class is workloads that policies treat alike, in one direction, by name.
type Class struct {
	Members []string
	units   []*unit // none for outside
}

// pod is one of a class, which policies treat like the others; nil for outside.
func (c Class) pod() *collect.Pod {
	if len(c.units) == 0 {
		return nil
	}
	return c.units[0].pod
}

// Link says that one class of senders may connect to one of receivers, by index.
type Link struct {
	From, To int
	Ports    Ports
	// Addresses is which part of outside is meant, if not all of it.
	Addresses Ranges
}

// Connection is a Link between two workloads.
type Connection struct {
	From, To  string
	Ports     Ports
	Addresses Ranges
}

// All yields every pair of different workloads that may connect: there may be
// as many as workloads squared. Pairs in several links are yielded for each.
func (r *Reach) All() iter.Seq[Connection] {
	return func(yield func(Connection) bool) {
		for _, l := range r.Links {
			for _, from := range r.Senders[l.From].Members {
				for _, to := range r.Receivers[l.To].Members {
					if from != to && !yield(Connection{from, to, l.Ports, l.Addresses}) {
						return
					}
				}
			}
		}
	}
}

// Connections computes who may talk to whom. owner names the workload of a pod;
// all its pods that policies cannot tell apart are judged by one of them, also
// when they have ended: the next ones will be like them. Policies that are known to
// be enforced by nothing close nothing.
func (j *Judge) Connections(owner func(*collect.Pod) string) *Reach {
	return j.connections(owner, maxVerdicts)
}

func (j *Judge) connections(owner func(*collect.Pod) string, most int) *Reach {
	if j.enforcement.State == No {
		j = &Judge{facts: j.facts, namespaces: j.namespaces, selecting: map[subject]selection{}}
	}
	marks := j.newMarks()
	units := j.units(owner, marks)
	senders, receivers := classes(units, marks.sender), classes(units, marks.receiver)
	outside := Class{Members: []string{Outside}}
	r := &Reach{Senders: append(senders, outside), Receivers: append(receivers, outside)}
	for i, from := range r.Senders {
		for k, to := range r.Receivers {
			if from.pod() != nil && to.pod() != nil {
				if most--; most < 0 {
					r.Unjudged++
					continue
				}
			}
			r.Links = append(r.Links, j.links(i, k, from, to)...)
		}
	}
	for _, from := range senders {
		if r.Unjudged > 0 {
			break
		}
		for _, to := range receivers {
			j.beside(r, from, to)
		}
	}
	return r
}

// unit is the pods of a workload that have the same labels, shape and place.
type unit struct {
	name string
	pod  *collect.Pod
	// nodes are those they run on; placed is false if that is not known of some.
	nodes  map[string]bool
	placed bool
}

type unitKey struct {
	name   string
	labels *collect.Labels
	shape  *collect.PodShape
	place  string
}

func (j *Judge) units(owner func(*collect.Pod) string, m *marks) []*unit {
	byKey := map[unitKey]*unit{}
	var out []*unit
	for _, p := range j.facts.Pods {
		k := unitKey{owner(p), p.Labels, p.Shape, m.place(p)}
		u := byKey[k]
		if u == nil {
			u = &unit{name: k.name, pod: p, nodes: map[string]bool{}, placed: true}
			byKey[k], out = u, append(out, u)
		}
		u.add(p)
	}
	slices.SortFunc(out, func(a, b *unit) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.pod.Name, b.pod.Name)) })
	return out
}

func (u *unit) add(p *collect.Pod) {
	if p.Name < u.pod.Name {
		u.pod = p
	}
	u.nodes[p.Node] = true
	u.placed = u.placed && placed(p)
}

// overlaps says whether pods of two units may run on one node.
func (u *unit) overlaps(v *unit) bool {
	if !u.placed || !v.placed {
		return true
	}
	for n := range u.nodes {
		if v.nodes[n] {
			return true
		}
	}
	return false
}

func classes(units []*unit, mark func(*collect.Pod) string) (out []Class) {
	index := map[string]int{}
	for _, u := range units {
		m := mark(u.pod)
		i, known := index[m]
		if !known {
			i = len(out)
			index[m] = i
			out = append(out, Class{})
		}
		out[i].add(u)
	}
	return out
}

// add puts a unit into a class. Units come by name.
func (c *Class) add(u *unit) {
	c.units = append(c.units, u)
	if n := len(c.Members); n == 0 || c.Members[n-1] != u.name {
		c.Members = append(c.Members, u.name)
	}
}

// beside links pods on the network of their nodes with those that may run on the
// same ones, where policies do not allow it anyway: no policy closes that.
func (j *Judge) beside(r *Reach, from, to Class) {
	if hostNetwork(from.pod()) == hostNetwork(to.pod()) || j.ports(from.pod(), to.pod()).All() {
		return
	}
	on, others := from, to
	if hostNetwork(to.pod()) {
		on, others = to, from
	}
	for _, u := range on.units {
		one, near := Class{Members: []string{u.name}}, u.beside(others)
		if len(near.Members) == 0 {
			continue
		}
		r.Links = append(r.Links, Link{From: len(r.Senders), To: len(r.Receivers), Ports: AllPorts()})
		if hostNetwork(to.pod()) {
			one, near = near, one
		}
		r.Senders, r.Receivers = append(r.Senders, one), append(r.Receivers, near)
	}
}

// beside is those of a class that may run on a node with u.
func (u *unit) beside(c Class) (near Class) {
	for _, v := range c.units {
		if u.overlaps(v) {
			near.add(v)
		}
	}
	return near
}

// marks finds what policies can tell about a pod: which of them select it, and
// which of the peers they name it is.
type marks struct {
	judge *Judge
	// peers by direction of the rule that names them and the only namespace
	// they mean, "" for any.
	peers map[Direction]map[string][]namedPeer
	seen  map[string]bool
	// named is true if some rule names a port, related if some peer depends on
	// the labels of both namespaces, nodes if some peer selects nodes.
	named, related, nodes bool
	// edges are the addresses at which some block begins or has just ended.
	edges []netip.Addr
}

type namedPeer struct {
	name string
	peer
}

func (j *Judge) newMarks() *marks {
	m := &marks{judge: j, peers: map[Direction]map[string][]namedPeer{Ingress: {}, Egress: {}}, seen: map[string]bool{}}
	for _, t := range j.tiers {
		t.all(func(p *policy) {
			for _, d := range []Direction{Ingress, Egress} {
				for _, r := range p.rules(d) {
					m.rule(d, r)
				}
			}
		})
	}
	slices.SortFunc(m.edges, netip.Addr.Compare)
	m.edges = slices.Compact(m.edges)
	return m
}

func (m *marks) rule(d Direction, r rule) {
	for _, p := range r.peers {
		m.peer(d, p)
	}
	if r.self != nil { // the rule's other side
		m.peer(map[Direction]Direction{Ingress: Egress, Egress: Ingress}[d], *r.self)
	}
	m.named = m.named || slices.ContainsFunc(slices.Concat(r.ports, r.notPorts), func(p portMatch) bool { return p.name != "" })
}

func (m *marks) peer(d Direction, p peer) {
	m.related = m.related || len(p.same)+len(p.other) > 0
	m.nodes = m.nodes || p.nodes != nil
	for _, s := range p.block {
		m.edges = append(m.edges, s.Low, s.High.Next())
	}
	name := p.name()
	if !m.seen[string(d)+name] {
		m.seen[string(d)+name] = true
		m.peers[d][p.namespace] = append(m.peers[d][p.namespace], namedPeer{name, p})
	}
}

// name is the same for peers that mean the same.
func (p peer) name() string {
	return brief(512, fmt.Sprint(p.namespace, "|", p.namespaces, "|", p.pods, "|", p.identity, "|", p.not, "|", p.nodes, "|", p.everyNode,
		"|", p.block, "|", p.means, "|", p.doubt))
}

// brief is a text that is the same for the same, and short: a peer may be written with tens of thousands of addresses,
// and stands in the mark of every pod that it means.
func brief(most int, text string) string {
	if len(text) <= most {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return text[:32] + "…" + hex.EncodeToString(sum[:])
}

// place tells pods of one workload apart that policies can: by their addresses,
// as the blocks see them, and on the host's network by their node.
func (m *marks) place(p *collect.Pod) string {
	var out []string
	if m.nodes && hostNetwork(p) {
		out = append(out, p.Node)
	}
	if len(m.edges) == 0 {
		return strings.Join(out, " ")
	}
	for _, a := range addressesOf(p) {
		i, at := slices.BinarySearchFunc(m.edges, a, netip.Addr.Compare)
		out = append(out, fmt.Sprint(a.Is4(), i, at))
	}
	return strings.Join(out, " ")
}

// sender marks what egress rules and others' ingress rules see of a pod,
// receiver the reverse.
func (m *marks) sender(p *collect.Pod) string { return m.mark(p, Egress, Ingress) }

func (m *marks) receiver(p *collect.Pod) string {
	text := m.mark(p, Ingress, Egress)
	if m.named && p.Shape != nil {
		for _, c := range p.Shape.Containers {
			text += fmt.Sprint(c.Ports)
		}
	}
	return text
}

func (m *marks) mark(p *collect.Pod, own, others Direction) string {
	var b strings.Builder
	if hostNetwork(p) {
		b.WriteString("host ")
	}
	if m.related {
		b.WriteString(p.Namespace + " ")
	}
	b.WriteString(m.judge.doubted(p) + ";")
	s := m.judge.selection(p)
	for _, c := range slices.Concat(s...) {
		if c.restricts(own) || len(c.rules(own)) > 0 {
			fmt.Fprintf(&b, "%s %s;", c.kind, c.Key)
		}
	}
	for _, ns := range []string{"", p.Namespace} {
		for _, c := range m.peers[others][ns] {
			switch is, _ := m.judge.means(c.peer, Pod(p), nil); is {
			case yes:
				b.WriteString(c.name + ";")
			case maybe:
				b.WriteString("perhaps " + c.name + ";")
			}
		}
	}
	return brief(4096, b.String()) // thousands of policies may select each of thousands of pods
}

// links decides one pair of classes. Different parts of outside may be allowed
// different ports.
func (j *Judge) links(i, k int, from, to Class) []Link {
	a, b := from.pod(), to.pod()
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		return outsideLinks(i, k, j.verdict(b, elsewhere, b, Ingress))
	case b == nil:
		return outsideLinks(i, k, j.verdict(a, elsewhere, nil, Egress))
	}
	ports := j.ports(a, b)
	if ports.Empty() {
		return nil
	}
	return []Link{{From: i, To: k, Ports: ports}}
}

// ports are those that the sender's egress and the receiver's ingress both allow.
func (j *Judge) ports(from, to *collect.Pod) Ports {
	return allowed(j.verdict(from, Pod(to), to, Egress)).And(allowed(j.verdict(to, Pod(from), to, Ingress)))
}

// elsewhere is every address there is.
var elsewhere = Addresses(Outside, Everywhere())

func allowed(pieces []piece) (out Ports) {
	for _, p := range pieces {
		if p.allowed {
			out = out.Or(p.ports)
		}
	}
	return out
}

// outsideLinks gathers ports by the addresses they are open to.
func outsideLinks(i, k int, pieces []piece) []Link {
	byRange := map[string]*Link{}
	for _, p := range pieces {
		if !p.allowed || p.ports.Empty() {
			continue
		}
		at := p.at
		if at.Covers(elsewhere.addresses) {
			at = nil
		}
		l := byRange[at.String()]
		if l == nil {
			l = &Link{From: i, To: k, Addresses: at}
			byRange[at.String()] = l
		}
		l.Ports = l.Ports.Or(p.ports)
	}
	var out []Link
	for _, key := range slices.Sorted(maps.Keys(byRange)) {
		out = joined(out, *byRange[key])
	}
	return out
}

// joined adds a link, or its addresses to one of the same ports.
func joined(out []Link, l Link) []Link {
	for i := range out {
		if !slices.Equal(out[i].Ports.List(), l.Ports.List()) {
			continue
		}
		if out[i].Addresses = out[i].Addresses.Or(l.Addresses); out[i].Addresses.Covers(elsewhere.addresses) {
			out[i].Addresses = nil
		}
		return out
	}
	return append(out, l)
}
