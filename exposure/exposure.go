// Package exposure is the judge of one question: how does the internet reach
// this? It follows services, ingresses, gateways and node addresses to pods and
// holds every hop's own sender against the network policies.
//
// It knows what the cluster says of itself. Firewalls in front of nodes, load
// balancers made by hand, tunnels that workloads open outwards and service-mesh
// rules are not seen. What is missing from the facts never makes a thing safe:
// it leaves a route that is marked, or a gap.
package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// internet is where every route begins.
var internet = ref.Ref{Kind: "Internet", Name: "internet"}

// spoken names what a hop joins in a sentence.
func spoken(r ref.Ref) string {
	if r == internet {
		return "the internet"
	}
	return r.String()
}

// Width says who can use a hop or route.
type Width string

const (
	Any    Width = "any"
	Ranges Width = "ranges" // only listed addresses, public ones among them
)

// Source says who sends a hop's packets, as the receiver sees it.
type Source string

const (
	FromInternet     Source = "internet"
	FromNode         Source = "node"
	FromController   Source = "ingress controller"
	FromLoadBalancer Source = "load balancer"
)

// Hop is one edge of a route. Routes share hops.
type Hop struct {
	// From and To are what traffic passes: the internet, a Service, Ingress, Gateway, Node or Pod.
	From, To ref.Ref
	// Ports on the far side; empty where any port the receiver listens on.
	Ports  []netpol.Port
	Width  Width
	Ranges []netip.Prefix // where Width is Ranges
	Source Source
	// Via says what carries the traffic, in words with the objects' names.
	Via string
	// Evidence is the objects that make the hop.
	Evidence []ref.Ref
	// Uncertain says what is not known and might prevent the hop; empty if nothing.
	Uncertain string
	// Policy is what decided, where a network policy had a say.
	Policy string
}

// Route is a way in: the first hop leaves the internet, the last enters a pod.
type Route struct {
	Hops  []*Hop
	Width Width
	// Ranges is who can use the whole route, where Width is Ranges.
	Ranges []netip.Prefix
}

// Target is the pod a route ends in.
func (r Route) Target() ref.Ref { return r.Hops[len(r.Hops)-1].To }

// Ports are those of the pod.
func (r Route) Ports() []netpol.Port { return r.Hops[len(r.Hops)-1].Ports }

// Uncertain gathers what is not known along the route.
func (r Route) Uncertain() (out []string) {
	for _, h := range r.Hops {
		if h.Uncertain != "" && !slices.Contains(out, h.Uncertain) {
			out = append(out, h.Uncertain)
		}
	}
	return out
}

// Explain tells the route hop by hop, one line each, with what decided it and
// what is not known.
func (r Route) Explain() string {
	var b strings.Builder
	for _, h := range r.Hops {
		fmt.Fprintf(&b, "%s → %s", spoken(h.From), h.To)
		if ports := portList(h.Ports); ports != "" {
			fmt.Fprintf(&b, " on %s", ports)
		}
		fmt.Fprintf(&b, ": through %s", h.Via)
		if h.Width == Ranges {
			fmt.Fprintf(&b, ", for %s only", prefixList(h.Ranges))
		}
		for _, more := range []string{h.Policy, h.Uncertain} {
			if more != "" {
				fmt.Fprintf(&b, "; %s", strings.TrimSuffix(more, "."))
			}
		}
		b.WriteString(".\n")
	}
	return b.String()
}

func portList(ports []netpol.Port) string { return some(ports) }

func prefixList(prefixes []netip.Prefix) string { return some(prefixes) }

// some names the first of many: a sentence that names thousands is none, and there are many such sentences.
func some[T fmt.Stringer](all []T) string {
	var out []string
	for _, one := range all[:min(len(all), spokenOf)] {
		out = append(out, one.String())
	}
	if more := len(all) - spokenOf; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

// text is a string that is named among others.
type text string

func (t text) String() string { return string(t) }

func texts(all []string) string {
	out := make([]text, len(all))
	for i, s := range all {
		out[i] = text(s)
	}
	return some(out)
}

// Exposed is an object that some route passes or ends in.
type Exposed struct {
	ref.Ref
	Ports []netpol.Port
	Width Width
	// Via is each way in, in words.
	Via []string
	// Uncertain is set if every route to it is uncertain: what is not known of
	// the first.
	Uncertain string
}

// Closed is a hop that a network policy known to be enforced forbids: without
// it, To would be exposed.
type Closed struct {
	To     ref.Ref
	Via    string
	Ports  []netpol.Port
	Policy netpol.Witness
	// Answer says why in words.
	Answer string
}

// Result is what the judge found.
type Result struct {
	Routes []Route
	// Entities is everything exposed, sorted by id.
	Entities []Exposed
	Closed   []Closed
	// Gaps are those of this judge: the policies' judge tells its own.
	Gaps []collect.Gap
	hops []*Hop
}

// Hops is every hop of every route, once.
func (r *Result) Hops() []*Hop { return r.hops }

// Find is what is known of an object; ok is false if nothing exposes it.
func (r *Result) Find(e ref.Ref) (Exposed, bool) {
	i, ok := slices.BinarySearchFunc(r.Entities, e.ID(), func(x Exposed, id string) int { return compare(x.ID(), id) })
	if !ok {
		return Exposed{}, false
	}
	return r.Entities[i], true
}
