package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/segment"
)

// Exposures is the exposure document: what the internet reaches, and who may
// talk to whom, by workload.
type Exposures struct {
	Exposures   []Exposure    `json:"exposures"`
	Connections []Connection  `json:"connections"`
	Gaps        []collect.Gap `json:"gaps"`
}

// Exposure is a workload that the internet reaches.
type Exposure struct {
	Entity string   `json:"entity"`
	Ports  []string `json:"ports"`
	Via    []string `json:"via"`
	// Width is any or ranges: who can use the widest way in.
	Width exposure.Width `json:"width"`
	// Uncertain is what is not known and might prevent every way in.
	Uncertain string `json:"uncertain,omitempty"`
}

// Connection is two workloads of which one may connect to the other, as the
// network policies say unless nothing enforces them. Everything outside of the cluster is "outside".
type Connection struct {
	From      string   `json:"from"`
	To        string   `json:"to"`
	Ports     []string `json:"ports"`
	Addresses string   `json:"addresses,omitempty"`
}

// maxConnections bounds the list: without policies it is workloads squared.
const maxConnections = 1_000_000

// Exposed judges the exposure of one cluster.
func Exposed(f *collect.Facts) Exposures {
	policies := netpol.New(f)
	judged := exposure.Judge(f, policies)
	owner := segment.Owners(f)
	out := Exposures{Exposures: exposedWorkloads(f, judged, owner), Connections: []Connection{}, Gaps: []collect.Gap{}}
	for _, g := range f.Gaps {
		out.Gaps = append(out.Gaps, g)
	}
	out.Gaps = slices.Concat(out.Gaps, policies.Gaps(), judged.Gaps)
	reach := policies.Connections(func(p *collect.Pod) string { return owner(p).In(f.Cluster.Name).ID() })
	if reach.Unjudged > 0 {
		out.Gaps = append(out.Gaps, collect.Gap{Source: "report", What: "connections",
			Why:         fmt.Sprintf("policies tell too many pods apart: %d pairs of their classes were not held against them", reach.Unjudged),
			Consequence: "Connections between their workloads are not listed."})
	}
	for c := range reach.All() {
		if len(out.Connections) == maxConnections {
			out.Gaps = append(out.Gaps, collect.Gap{Source: "report", What: "connections",
				Why: fmt.Sprintf("there are more than %d pairs", maxConnections), Consequence: "The list of connections is cut off."})
			break
		}
		out.Connections = append(out.Connections, Connection{From: c.From, To: c.To, Ports: portNames(c.Ports), Addresses: c.Addresses.String()})
	}
	slices.SortFunc(out.Connections, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), slices.Compare(a.Ports, b.Ports))
	})
	for i := range out.Gaps {
		out.Gaps[i].Cluster = f.Cluster.Name
	}
	out.Gaps = collect.Together(out.Gaps)
	slices.SortFunc(out.Gaps, func(a, b collect.Gap) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
	return out
}

func portNames(p netpol.Ports) []string {
	if p.All() {
		return []string{"all"}
	}
	return p.List()
}

// exposedWorkloads folds the pods of a workload into one entry.
func exposedWorkloads(f *collect.Facts, judged *exposure.Result, owner func(*collect.Pod) ref.Ref) []Exposure {
	byOwner := map[string]*Exposure{}
	certain := map[string]bool{}
	for _, e := range judged.Entities {
		p := f.Pods[collect.KeyOf(e.Ref)]
		if e.Kind != "Pod" || p == nil {
			continue
		}
		id := owner(p).In(f.Cluster.Name).ID()
		x := byOwner[id]
		if x == nil {
			x = &Exposure{Entity: id, Ports: []string{}, Via: []string{}, Width: e.Width}
			byOwner[id] = x
		}
		for _, port := range e.Ports {
			x.Ports = append(x.Ports, port.String())
		}
		x.Via = append(x.Via, e.Via...)
		if e.Width == exposure.Any {
			x.Width = exposure.Any
		}
		x.Uncertain, certain[id] = e.Uncertain, certain[id] || e.Uncertain == ""
	}
	out := make([]Exposure, 0, len(byOwner))
	for _, id := range slices.Sorted(maps.Keys(byOwner)) {
		x := byOwner[id]
		slices.Sort(x.Ports)
		slices.Sort(x.Via)
		x.Ports, x.Via = slices.Compact(x.Ports), slices.Compact(x.Via)
		if certain[id] {
			x.Uncertain = ""
		}
		out = append(out, *x)
	}
	return out
}

// Add joins the documents of two clusters.
func (e Exposures) Add(more Exposures) Exposures {
	e.Exposures = append(e.Exposures, more.Exposures...)
	e.Connections = append(e.Connections, more.Connections...)
	e.Gaps = append(e.Gaps, more.Gaps...)
	return e
}
