package analyse

import (
	"slices"
	"strings"
	"testing"
)

// arrivals tells the ways to a pod as "kind id, kind id", shortest first.
func arrivals(t *testing.T, given, pod string) (out []string) {
	t.Helper()
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	s := newSearch(v, builtIn(t), nil)
	n, ok := v.Node("Pod", "c/"+pod)
	if !ok {
		t.Fatalf("no pod %s", pod)
	}
	for way, all := range s.routesTo(n) {
		for _, a := range all {
			text := way + ":"
			for _, h := range a.hops {
				text += " " + h.edges[0].To.Kind()
			}
			out = append(out, text)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a, b) })
	return out
}

func TestHopsAreJoinedOnlyWhereTrafficOfOneGoesOnByTheNext(t *testing.T) {
	const (
		in         = "Internet internet -ROUTES_TO-> Ingress i\nIngress i -ROUTES_TO{source=\"ingress controller\"}-> Service s\n"
		direct     = "Internet internet -ROUTES_TO{source=internet}-> Service s\n"
		fromProxy  = "Service s -ROUTES_TO{source=\"ingress controller\"}-> Pod p workload=Deployment/p\n"
		fromAnyone = "Service s -ROUTES_TO{source=internet}-> Pod p workload=Deployment/p\n"
	)
	tests := []struct {
		name, given string
		want        []string
	}{
		{"through the ingress only, though the service is open as well", in + direct + fromProxy,
			[]string{"network: Ingress Service Pod"}},
		{"directly only, though an ingress leads to the service", in + direct + fromAnyone, []string{"network: Service Pod"}},
		{"both ways", in + direct + fromProxy + fromAnyone, []string{"network: Ingress Service Pod", "network: Service Pod"}},
		{"the host's network", "Internet internet -ROUTES_TO-> Node n\nNode n -ROUTES_TO-> Pod p hostNetwork=true workload=Deployment/p\n",
			[]string{"host network: Node Pod"}},
		{"a host port", "Internet internet -ROUTES_TO-> Node n\nNode n -ROUTES_TO-> Pod p hostNetwork=false workload=Deployment/p\n",
			[]string{"network: Node Pod"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := arrivals(t, test.given, "p"); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
