package analyse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
)

// Through is what traffic passes on its way into a thing, short enough to be drawn.
type Through struct {
	Hosts     []string `json:"hosts,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	// Ports are on the far side, such as 8080/TCP.
	Ports []string `json:"ports,omitempty"`
	// Controllers are the workloads that take the traffic and pass it on.
	Controllers []string `json:"controllers,omitempty"`
}

// maxNamed is how many of a list are named: thousands of ports or hosts may stand at a step of each of thousands of paths.
const maxNamed = 16

// some are the first of a list, and how many more there are.
func some(all []string) []string {
	if len(all) <= maxNamed+1 {
		return all
	}
	return append(slices.Clone(all[:maxNamed]), fmt.Sprintf("%d more", len(all)-maxNamed))
}

// through reads a route's edge, and of the objects that make it what its words name.
func (s *search) through(e graph.Edge) *Through {
	t := s.passed(e)
	t.Hosts, t.Addresses, t.Ports, t.Controllers = some(t.Hosts), some(t.Addresses), some(t.Ports), some(t.Controllers)
	return t
}

func (s *search) passed(e graph.Edge) *Through {
	t := &Through{Ports: e.Value("ports").List()}
	words := strings.FieldsFunc(e.Value("via").Str(), func(r rune) bool { return r == ' ' || r == ',' })
	named := func(n graph.Node, property string) (out []string) {
		for _, x := range n.Value(property).List() {
			if slices.Contains(words, x) {
				out = append(out, x)
			}
		}
		return out
	}
	switch {
	case e.To.Kind() == "Ingress":
		t.Hosts = e.To.Value("hosts").List()
	case e.From.Kind() == "Ingress":
		t.Hosts = named(e.From, "hosts")
	case e.To.Kind() == "Node":
		t.Addresses = e.To.Value("publicAddresses").List()
	}
	if e.From.Kind() != "Internet" {
		return t
	}
	for _, text := range e.Value("evidence").List() {
		n, ok := s.lookup(ref.ParseKindID(text))
		switch {
		case !ok:
		case n.Kind() == "Service":
			t.Addresses = merged(t.Addresses, named(n, "addresses"))
		case kindOf(n.Kind()).Family == "Workload":
			t.Controllers = merged(t.Controllers, []string{n.Text("name")})
		}
	}
	return t
}
