package netpol

import (
	"cmp"
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

// Reach is who may talk to whom, as the policies say and whether or not
// anything enforces them. Workloads that no policy tells apart share a class,
// so it is as large as the policies are many, not as the workloads are squared.
type Reach struct {
	Senders, Receivers []Class
	Links              []Link
}

// Class is workloads that policies treat alike, in one direction, by name.
type Class struct {
	Members []string
	pod     *collect.Pod // one of them; nil for outside
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
// all its pods of the same labels and shape are judged by one of them, also when
// they have ended: the next ones will be like them.
func (j *Judge) Connections(owner func(*collect.Pod) string) *Reach {
	units := j.units(owner)
	marks := j.newMarks()
	r := &Reach{Senders: classes(units, marks.sender), Receivers: classes(units, marks.receiver)}
	outside := Class{Members: []string{Outside}}
	r.Senders, r.Receivers = append(r.Senders, outside), append(r.Receivers, outside)
	for i, from := range r.Senders {
		for k, to := range r.Receivers {
			r.Links = append(r.Links, j.links(i, k, from, to)...)
		}
	}
	return r
}

// unit is the pods of a workload that have the same labels and shape.
type unit struct {
	name string
	pod  *collect.Pod
}

type unitKey struct {
	name   string
	labels *collect.Labels
	shape  *collect.PodShape
}

func (j *Judge) units(owner func(*collect.Pod) string) []unit {
	first := map[unitKey]*collect.Pod{}
	for _, p := range j.facts.Pods {
		k := unitKey{owner(p), p.Labels, p.Shape}
		if old := first[k]; old == nil || p.Name < old.Name {
			first[k] = p
		}
	}
	var out []unit
	for k, p := range first {
		out = append(out, unit{k.name, p})
	}
	slices.SortFunc(out, func(a, b unit) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.pod.Name, b.pod.Name)) })
	return out
}

func classes(units []unit, mark func(*collect.Pod) string) (out []Class) {
	index := map[string]int{}
	for _, u := range units {
		m := mark(u.pod)
		i, known := index[m]
		if !known {
			i = len(out)
			index[m] = i
			out = append(out, Class{pod: u.pod})
		}
		if !slices.Contains(out[i].Members, u.name) {
			out[i].Members = append(out[i].Members, u.name)
		}
	}
	return out
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
	// the labels of both namespaces.
	named, related bool
}

type namedPeer struct {
	name string
	peer
}

func (j *Judge) newMarks() *marks {
	m := &marks{judge: j, peers: map[Direction]map[string][]namedPeer{Ingress: {}, Egress: {}}, seen: map[string]bool{}}
	every := slices.Concat(j.admin, j.baseline)
	for _, ps := range j.byNamespace {
		every = append(every, ps...)
	}
	for _, p := range every {
		for _, d := range []Direction{Ingress, Egress} {
			for _, r := range p.rules(d) {
				m.rule(d, r)
			}
		}
	}
	return m
}

func (m *marks) rule(d Direction, r rule) {
	for _, p := range r.peers {
		m.related = m.related || len(p.same)+len(p.other) > 0
		name := fmt.Sprint(p.namespace, "|", p.namespaces, "|", p.pods, "|", p.nodes, "|", p.block)
		if !m.seen[string(d)+name] {
			m.seen[string(d)+name] = true
			m.peers[d][p.namespace] = append(m.peers[d][p.namespace], namedPeer{name, p})
		}
	}
	m.named = m.named || slices.ContainsFunc(r.ports, func(p portMatch) bool { return p.name != "" })
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
	s := m.judge.selection(p)
	for _, c := range slices.Concat(s.admin, s.network, s.baseline) {
		if c.restricts(own) {
			fmt.Fprintf(&b, "%s %s;", c.kind, c.Key)
		}
	}
	for _, ns := range []string{"", p.Namespace} {
		for _, c := range m.peers[others][ns] {
			if _, in := Pod(p).within(c.block); in || m.judge.means(c.peer, Pod(p), nil) {
				b.WriteString(c.name + ";")
			}
		}
	}
	return b.String()
}

// links decides one pair of classes. Different parts of outside may be allowed
// different ports.
func (j *Judge) links(i, k int, from, to Class) []Link {
	switch {
	case from.pod == nil && to.pod == nil:
		return nil
	case from.pod == nil:
		return outsideLinks(i, k, j.verdict(to.pod, elsewhere, to.pod, Ingress))
	case to.pod == nil:
		return outsideLinks(i, k, j.verdict(from.pod, elsewhere, nil, Egress))
	}
	out := allowed(j.verdict(from.pod, Pod(to.pod), to.pod, Egress))
	ports := out.And(allowed(j.verdict(to.pod, Pod(from.pod), to.pod, Ingress)))
	if ports.Empty() {
		return nil
	}
	return []Link{{From: i, To: k, Ports: ports}}
}

// elsewhere is every IPv4 address: policies' blocks are told in those.
var elsewhere = Addresses(Outside, In(netip.MustParsePrefix("0.0.0.0/0")))

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
