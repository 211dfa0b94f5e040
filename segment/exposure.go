package segment

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/schema"
)

// exposure draws the routes that the judge found, hop by hop, and marks what
// they pass.
func (c *cluster) exposure() {
	internet := c.b.Ref("Internet", "internet")
	undrawn := 0
	for _, h := range c.judged.Exposure.Hops() {
		if !joins("ROUTES_TO", h.From.Kind, h.To.Kind) {
			undrawn++
			continue
		}
		from, to := internet, c.entity(h.To)
		if h.From.Kind != "Internet" {
			from = c.entity(h.From)
		}
		c.b.Edge("ROUTES_TO", from, to, list("ports", portTexts(h.Ports)), text("width", string(h.Width)), text("via", h.Via),
			text("uncertain", h.Uncertain), text("source", string(h.Source)), graph.B("internet", true),
			list("evidence", c.evidence(h.Evidence)))
	}
	if undrawn > 0 {
		c.gaps = append(c.gaps, collect.Gap{Cluster: c.name, Source: "graph", What: "routes through kinds that are not drawn",
			Why:         fmt.Sprintf("%d hops pass kinds of objects that the graph has no node for", undrawn),
			Consequence: "The pods behind them are marked as exposed; the way to them is not drawn.", Kinds: []string{"ROUTES_TO"}})
	}
	c.markExposed()
}

// evidence names the objects that make a hop as the graph does; a pod among them
// stands for its workload, which is what it can be known by tomorrow.
func (c *cluster) evidence(objects []ref.Ref) (out []string) {
	for _, r := range objects {
		if p, ok := c.facts.Pods[collect.KeyOf(r)]; ok && r.Kind == "Pod" {
			r = c.ownerOf(p)
		}
		if text := ref.KindID(r.Kind, r.In(c.name).ID()); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// joins says whether the schema lets an edge join two kinds.
func joins(edge, from, to string) bool {
	for _, e := range schema.Edges() {
		if e.Name == edge {
			return slices.Contains(e.Joins, schema.Pair{From: from, To: to})
		}
	}
	return false
}

func (c *cluster) entity(r ref.Ref) graph.Ref {
	if r.Kind == "Node" {
		return c.nodeRef(r.Name)
	}
	return c.at(r)
}

func portTexts(ports []netpol.Port) (out []string) {
	for _, p := range ports {
		out = append(out, p.String())
	}
	return out
}

func (c *cluster) exposed(e ref.Ref) (exposure.Exposed, bool) {
	return c.judged.Exposure.Find(e)
}

// notExposed is false only if everything that could expose was read.
func (c *cluster) notExposed() graph.Prop {
	if !c.seen("ROUTES_TO", "Service", "Ingress", "Pod", "Node") {
		return graph.Prop{Name: "exposed"}
	}
	return graph.B("exposed", false)
}

// markExposed writes the insight on everything that can have it, and on the
// workloads whose pods do.
func (c *cluster) markExposed() {
	byOwner := map[ref.Ref]*exposure.Exposed{}
	for k, p := range c.facts.Pods {
		if p.Shape == nil {
			continue
		}
		e, exposed := c.mark(k.Of("Pod"))
		if o := c.ownerOf(p); exposed && drawable[o.Kind] {
			merge(byOwner, o, e)
		}
	}
	for k := range c.facts.Services {
		c.mark(k.Of("Service"))
	}
	for k := range c.facts.Ingresses {
		c.mark(k.Of("Ingress"))
	}
	for k := range c.facts.Nodes {
		c.mark(k.Of("Node"))
	}
	for k := range c.facts.Workloads {
		if !drawable[k.Kind] {
			continue
		}
		is := k.Of(k.Kind)
		if e := byOwner[is]; e != nil {
			c.b.Set(c.at(is), exposedProps(*e)...)
		} else {
			c.b.Set(c.at(is), c.notExposed())
		}
	}
}

func (c *cluster) mark(is ref.Ref) (exposure.Exposed, bool) {
	x, exposed := c.exposed(is)
	if exposed {
		c.b.Set(c.at(is), exposedProps(x)...)
	} else {
		c.b.Set(c.at(is), c.notExposed())
	}
	return x, exposed
}

func exposedProps(e exposure.Exposed) []graph.Prop {
	return []graph.Prop{graph.B("exposed", true), list("exposedPorts", portTexts(e.Ports)), text("exposureWidth", string(e.Width))}
}

// merge unites the exposure of pods of one workload: the widest counts.
func merge(all map[ref.Ref]*exposure.Exposed, id ref.Ref, e exposure.Exposed) {
	have := all[id]
	if have == nil {
		e.Ports = slices.Clone(e.Ports)
		all[id] = &e
		return
	}
	if e.Width == exposure.Any {
		have.Width = exposure.Any
	}
	for _, p := range e.Ports {
		if !slices.Contains(have.Ports, p) {
			have.Ports = append(have.Ports, p)
		}
	}
}

// publicAddresses are a node's addresses that the internet routes.
func publicAddresses(n *collect.Node) (out []string) {
	for _, s := range slices.Concat(n.ExternalIPs, n.InternalIPs) {
		if a, err := netip.ParseAddr(s); err == nil && netpol.Public().Contains(a.Unmap()) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
