package exposure

import (
	"fmt"
	"net/netip"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// opening is what the policies say of some ports of a target: who gets in, or
// that nobody does.
type opening struct {
	ports     []netpol.Port
	clients   netpol.Ranges
	source    Source
	uncertain string
	policy    string
	closed    *netpol.Answer
}

func (o opening) same(x opening) bool {
	return o.clients.String() == x.clients.String() && o.source == x.source && o.uncertain == x.uncertain &&
		o.policy == x.policy && (o.closed == nil) == (x.closed == nil)
}

func (o opening) via(from Entity) string {
	return fmt.Sprintf("%s to port %s", from, portList(o.ports))
}

// openings asks the policies about every port of a target and gathers equal answers.
func (j *judge) openings(w way, t target, senders []sender) []opening {
	var out []opening
	for _, port := range t.ports {
		o := j.opening(w, t.pods[0], port, senders)
		merged := false
		for i := range out {
			if out[i].same(o) {
				out[i].ports = append(out[i].ports, port)
				merged = true
			}
		}
		if !merged {
			out = append(out, o)
		}
	}
	return out
}

// opening prefers the sender through whom most clients get in, and a certain
// answer before an uncertain one.
func (j *judge) opening(w way, p *collect.Pod, port netpol.Port, senders []sender) opening {
	best := opening{}
	var denied *netpol.Answer
	for _, s := range senders {
		a := j.net.Ask(s.Endpoint, netpol.Pod(p), port)
		if !a.Allowed {
			denied = &a
			continue
		}
		o := opening{ports: []netpol.Port{port}, clients: w.clients, source: s.source, uncertain: a.Uncertain}
		if a.Witness.Kind != "" {
			o.policy = a.Witness.Text
		}
		if !s.whole {
			o.clients = a.Senders.And(w.clients)
		}
		if best.source == "" || o.better(best) {
			best = o
		}
	}
	if best.source != "" {
		return best
	}
	o := opening{ports: []netpol.Port{port}, clients: w.clients, source: senders[0].source}
	if denied.Denied() {
		o.closed = denied
		return o
	}
	if denied.Enforced.State == netpol.No {
		o.policy = denied.Witness.Text + ", but " + denied.Enforced.Why
		return o
	}
	o.uncertain = fmt.Sprintf("%s; whether anything enforces that is not known. %s", denied.Witness.Text, denied.Enforced.Why)
	return o
}

func (o opening) better(x opening) bool {
	if (o.uncertain == "") != (x.uncertain == "") {
		return o.uncertain == ""
	}
	return o.clients.Covers(x.clients) && !x.clients.Covers(o.clients)
}

// widthOf says whether a set of clients is everyone with an address of a family.
func widthOf(clients netpol.Ranges) Width {
	if clients.Covers(publicV4) || clients.Covers(publicV6) {
		return Any
	}
	return Ranges
}

var (
	publicV4 = netpol.Public().And(netpol.In(netip.MustParsePrefix("0.0.0.0/0")))
	publicV6 = netpol.Public().And(netpol.In(netip.MustParsePrefix("::/0")))
)

// listed is the ranges of clients, if they are listed.
func listed(clients netpol.Ranges) []netip.Prefix {
	if widthOf(clients) == Any {
		return nil
	}
	return clients.Prefixes()
}
