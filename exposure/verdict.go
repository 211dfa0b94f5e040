package exposure

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// verdict is what the policies say of some ports of a target: who gets in, or
// that nobody does.
type verdict struct {
	ports     []netpol.Port
	clients   netpol.Ranges
	source    Source
	uncertain string
	policy    string
	closed    *netpol.Answer
}

func (v verdict) same(x verdict) bool {
	return v.source == x.source && v.uncertain == x.uncertain && v.policy == x.policy &&
		slices.Equal(v.clients, x.clients) // their spans are sorted and do not touch, so there is one way to write a set
}

func (v verdict) via(from ref.Ref) string {
	if len(v.ports) == 0 {
		return from.String()
	}
	return fmt.Sprintf("%s to port %s", from, portList(v.ports))
}

// verdicts asks the policies about every port of a target and gathers equal answers.
func (j *judge) verdicts(w way, t target, senders []sender) []verdict {
	if !j.crowd.asks(t) {
		return []verdict{w.unasked(senders)}
	}
	var out []verdict
	for _, port := range t.ports {
		v := j.verdict(w, t.pods[0], port, senders)
		merged := false
		for i := range out {
			if out[i].same(v) {
				out[i].ports = append(out[i].ports, port)
				merged = true
			}
		}
		if !merged {
			out = append(out, v)
		}
	}
	return out
}

// unasked is the verdict where there is too much to ask.
func (w way) unasked(senders []sender, ports ...netpol.Port) verdict {
	return verdict{ports: ports, clients: w.clients, source: senders[0].source,
		uncertain: "so many ways lead there that the policies were not asked about each"}
}

// verdict prefers the sender through whom most clients get in, and a certain
// answer before an uncertain one. The first whom nobody can be better than is the last that is asked about.
func (j *judge) verdict(w way, p *collect.Pod, port netpol.Port, senders []sender) verdict {
	best := verdict{}
	var denied *netpol.Answer
	for i, s := range senders {
		if i >= waysOfPod && !j.crowd.answers.take(p.Namespace, 1) {
			if best.source == "" {
				return w.unasked(senders, port)
			}
			break
		}
		a := j.net.Ask(s.Endpoint, netpol.Pod(p), port)
		if !a.Allowed {
			denied = &a
			continue
		}
		v := verdict{ports: []netpol.Port{port}, clients: w.clients, source: s.source, uncertain: a.Uncertain}
		if a.Witness.Kind != "" {
			v.policy = a.Witness.Text
		}
		if !s.whole {
			v.clients = a.Senders.And(w.clients)
		}
		if best.source == "" || v.better(best) {
			best = v
		}
		if best.uncertain == "" && best.clients.Covers(w.clients) {
			break
		}
	}
	if best.source != "" {
		return best
	}
	v := verdict{ports: []netpol.Port{port}, clients: w.clients, source: senders[0].source}
	if denied.Denied() {
		v.closed, v.policy = denied, denied.Witness.Text
		return v
	}
	if denied.Enforced.State == netpol.No {
		v.policy = denied.Witness.Text + ", but " + denied.Enforced.Why
		return v
	}
	v.uncertain = fmt.Sprintf("%s; whether anything enforces that is not known. %s", denied.Witness.Text, denied.Enforced.Why)
	return v
}

func (v verdict) better(x verdict) bool {
	if (v.uncertain == "") != (x.uncertain == "") {
		return v.uncertain == ""
	}
	return v.clients.Covers(x.clients) && !x.clients.Covers(v.clients)
}

// widthOf says whether a set of clients is everyone with an address of a family.
func widthOf(clients netpol.Ranges) Width {
	if clients.Covers(publicV4) || clients.Covers(publicV6) {
		return Any
	}
	return Ranges
}

var (
	everyV4  = netpol.In(netip.MustParsePrefix("0.0.0.0/0"))
	everyV6  = netpol.In(netip.MustParsePrefix("::/0"))
	publicV4 = netpol.Public().And(everyV4)
	publicV6 = netpol.Public().And(everyV6)
)

// listed is the ranges of clients, if they are listed.
func listed(clients netpol.Ranges) []netip.Prefix {
	if widthOf(clients) == Any {
		return nil
	}
	return clients.Prefixes()
}
