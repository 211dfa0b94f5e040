package analyse

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// arrival is one way for traffic from the internet to a pod group: the hops, by
// group, from the internet on.
type arrival struct {
	way  string // byNetwork, byHostNetwork or byKubelet
	hops []hop  // hops[i] is reached by edges from hops[i-1]; the first from the internet
}

func (a arrival) key() string {
	var b strings.Builder
	for _, h := range a.hops {
		b.WriteString(h.group.kind + " " + h.group.id + "\n")
	}
	return b.String()
}

// Bounds of what is drawn of the ways to one pod.
const (
	maxHops   = 6
	maxRoutes = 64
)

// Sources of hops: what an ingress controller sends, what a kubelet does in its pods.
const (
	fromController = "ingress controller"
	fromKubelet    = "kubelet"
)

// routesTo is every way to a pod, by arrival. Hops are joined only where one
// could be followed by the other: what an ingress controller sends is not what
// came to the service from outside.
func (s *search) routesTo(pod graph.Node) map[string][]arrival {
	var routes [][]graph.Edge
	closed := false
	var back func(n graph.Node, tail []graph.Edge)
	back = func(n graph.Node, tail []graph.Edge) {
		for e := range n.In("ROUTES_TO") {
			if s.without.has(e) {
				closed = true
				continue
			}
			if len(routes) >= maxRoutes || len(tail) >= maxHops {
				continue
			}
			if len(tail) > 0 && !follows(e, tail[0]) {
				continue
			}
			route := append([]graph.Edge{e}, tail...)
			if e.From.Kind() == "Internet" {
				routes = append(routes, route)
			} else {
				back(e.From, route)
			}
		}
	}
	back(pod, nil)
	out := map[string][]arrival{}
	for _, r := range routes {
		way := byNetwork
		switch last := r[len(r)-1]; {
		case last.Value("source").Str() == fromKubelet:
			way = byKubelet
		case last.From.Kind() == "Node" && pod.Value("hostNetwork").Bool():
			way = byHostNetwork
		}
		out[way] = append(out[way], s.arrivalOf(r))
	}
	if len(routes) == 0 && !closed {
		out[byNetwork] = nil // exposed in a way that has no drawing
	}
	return out
}

// follows says whether traffic of one hop can go on by the next.
func follows(hop, next graph.Edge) bool {
	if next.Value("source").Str() == fromKubelet {
		return slices.Equal(hop.Value("ports").List(), next.Value("ports").List())
	}
	if next.From.Kind() != "Service" {
		return true
	}
	relayed := hop.Value("source").Str() == fromController
	return relayed == (next.Value("source").Str() == fromController)
}

func (s *search) arrivalOf(route []graph.Edge) (a arrival) {
	for _, e := range route {
		st := hop{group: s.groupOf(e.To)}
		st.add(e)
		a.hops = append(a.hops, st)
	}
	return a
}

// arrive adds ways to a foothold; replicas' ways over the same groups are one.
func (f *foothold) arrive(ways []arrival, way string) {
	for _, w := range ways {
		w.way = way
		i := slices.IndexFunc(f.arrivals, func(a arrival) bool { return a.key() == w.key() })
		if i < 0 {
			w.hops = slices.Clone(w.hops)
			f.arrivals = append(f.arrivals, w)
			continue
		}
		for h := range w.hops {
			for _, e := range w.hops[h].edges {
				if !slices.Contains(f.arrivals[i].hops[h].edges, e) {
					f.arrivals[i].hops[h].add(e)
				}
			}
		}
	}
	slices.SortStableFunc(f.arrivals, func(a, b arrival) int {
		return cmp.Or(cmp.Compare(a.doubt(), b.doubt()), cmp.Compare(len(a.hops), len(b.hops)), strings.Compare(a.key(), b.key()))
	})
}

// doubt is how many hops of the way are uncertain.
func (a arrival) doubt() (n int) {
	for _, h := range a.hops {
		if !slices.ContainsFunc(h.edges, func(e graph.Edge) bool { return e.Value("uncertain").Str() == "" }) {
			n++
		}
	}
	return n
}
