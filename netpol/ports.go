package netpol

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Port is one port of one protocol: TCP, UDP or SCTP.
type Port struct {
	Protocol string `json:"protocol"`
	Number   int32  `json:"port"`
}

func (p Port) String() string { return fmt.Sprintf("%d/%s", p.Number, cmp.Or(p.Protocol, "TCP")) }

// Ports is a set of ports, by protocol.
type Ports struct{ tcp, udp, sctp spans }

// spans are sorted and do not touch.
type spans []span

type span struct{ low, high int32 }

const lastPort = 65535

// AllPorts is every port of every protocol.
func AllPorts() Ports {
	all := spans{{1, lastPort}}
	return Ports{all, all, all}
}

// PortsOf is the set of these ports.
func PortsOf(ports ...Port) (out Ports) {
	for _, p := range ports {
		out = out.Or(portRange(p.Protocol, p.Number, p.Number))
	}
	return out
}

// portRange is the ports from low to high of a protocol; an empty protocol is TCP.
func portRange(protocol string, low, high int32) (out Ports) {
	if low < 1 || high > lastPort || low > high {
		return out
	}
	s := spans{{low, high}}
	switch protocol {
	case "TCP", "":
		out.tcp = s
	case "UDP":
		out.udp = s
	case "SCTP":
		out.sctp = s
	}
	return out
}

// Or is the ports in either set.
func (p Ports) Or(o Ports) Ports {
	return Ports{p.tcp.or(o.tcp), p.udp.or(o.udp), p.sctp.or(o.sctp)}
}

// And is the ports in both sets.
func (p Ports) And(o Ports) Ports {
	return Ports{p.tcp.and(o.tcp), p.udp.and(o.udp), p.sctp.and(o.sctp)}
}

// Without is the ports of p that are not in o.
func (p Ports) Without(o Ports) Ports {
	return Ports{p.tcp.and(o.tcp.not()), p.udp.and(o.udp.not()), p.sctp.and(o.sctp.not())}
}

// Empty says that no port is in the set, All that every one is.
func (p Ports) Empty() bool { return len(p.tcp)+len(p.udp)+len(p.sctp) == 0 }

// All says that every port of every protocol is in the set.
func (p Ports) All() bool { return AllPorts().Without(p).Empty() }

// Contains says whether a port is in the set.
func (p Ports) Contains(port Port) bool { return !p.And(PortsOf(port)).Empty() }

// List is the set as text, such as "80-443/TCP"; a set of all ports is "all".
func (p Ports) List() []string {
	if p.All() {
		return []string{"all"}
	}
	var out []string
	for _, of := range []struct {
		name string
		spans
	}{{"TCP", p.tcp}, {"UDP", p.udp}, {"SCTP", p.sctp}} {
		for _, s := range of.spans {
			if s.low == s.high {
				out = append(out, fmt.Sprintf("%d/%s", s.low, of.name))
			} else {
				out = append(out, fmt.Sprintf("%d-%d/%s", s.low, s.high, of.name))
			}
		}
	}
	return out
}

func (p Ports) String() string { return strings.Join(p.List(), ", ") }

func (s spans) or(o spans) spans {
	all := slices.Concat(s, o)
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high)) })
	var out spans
	for _, x := range all {
		if n := len(out); n > 0 && x.low <= out[n-1].high+1 {
			out[n-1].high = max(out[n-1].high, x.high)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (s spans) and(o spans) spans {
	var out spans
	for _, a := range s {
		for _, b := range o {
			if low, high := max(a.low, b.low), min(a.high, b.high); low <= high {
				out = append(out, span{low, high})
			}
		}
	}
	return out
}

// not is the gaps around spans, with empty ones at either end that "and" drops.
func (s spans) not() spans {
	var out spans
	next := int32(1)
	for _, x := range s {
		out = append(out, span{next, x.low - 1})
		next = x.high + 1
	}
	return append(out, span{next, lastPort})
}
