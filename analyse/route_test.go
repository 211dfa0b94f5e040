package analyse

import (
	"fmt"
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
	s := searchOn(t, v, builtIn(t))
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

func TestWaysAreBounded(t *testing.T) {
	wide := "Service s -ROUTES_TO-> Pod p\n"
	for i := range maxRoutes + 10 {
		wide += fmt.Sprintf("Internet internet -ROUTES_TO-> Ingress i%d\nIngress i%d -ROUTES_TO-> Service s\n", i, i)
	}
	for _, test := range []struct {
		name, given string
		want        int
	}{
		{"as deep as traffic goes",
			"Internet internet -ROUTES_TO-> Ingress i\nIngress i -ROUTES_TO-> Service s\nService s -ROUTES_TO-> Pod p\n", 1},
		{"nothing from the internet", "Service s -ROUTES_TO-> Pod p\n", 0},
		{"as many ways as are drawn", wide, maxRoutes},
	} {
		if got := arrivals(t, test.given, "p"); len(got) != test.want {
			t.Errorf("%s: %d ways, want %d", test.name, len(got), test.want)
		}
	}
}

// ways tells how a foothold is arrived at, after all of its pods were added.
func ways(t *testing.T, given string, pods ...string) (out []string) {
	t.Helper()
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	s, f := searchOn(t, v, builtIn(t)), &foothold{}
	for _, pod := range pods {
		n, _ := v.Node("Pod", "c/"+pod)
		for way, all := range s.routesTo(n) {
			f.arrive(all, way)
		}
	}
	for _, a := range f.arrivals {
		text := fmt.Sprintf("%s, %d uncertain:", a.way, a.doubt())
		for _, h := range a.hops {
			text += fmt.Sprintf(" %s(%d)", strings.TrimPrefix(h.group.id, "c/"), len(h.edges))
		}
		out = append(out, text)
	}
	return out
}

func TestWaysOfReplicasAreOneAndTheMostCertainIsFirst(t *testing.T) {
	const (
		pods  = "Pod a namespace=s workload=Deployment/d\nPod b namespace=s workload=Deployment/d\n"
		open  = "Internet internet -ROUTES_TO-> Service s\nService s -ROUTES_TO-> Pod a\nService s -ROUTES_TO-> Pod b\n"
		maybe = "Internet internet -ROUTES_TO{uncertain=firewall}-> Service t\nService t -ROUTES_TO{uncertain=policy}-> Pod a\n"
		twin  = "Internet internet -ROUTES_TO-> Service r\nService r -ROUTES_TO-> Pod a\n"
	)
	tests := []struct {
		name, given string
		want        []string
	}{
		{"two replicas", pods + open, []string{"network, 0 uncertain: s(1) s/Deployment/d(2)"}},
		{"the certain one first", pods + maybe + open, []string{"network, 0 uncertain: s(1) s/Deployment/d(2)",
			"network, 2 uncertain: t(1) s/Deployment/d(1)"}},
		{"a replica that makes it certain", pods + open + strings.ReplaceAll(maybe, "Service t", "Service s"),
			[]string{"network, 0 uncertain: s(2) s/Deployment/d(3)"}},
		{"then by name", pods + open + twin, []string{"network, 0 uncertain: r(1) s/Deployment/d(1)",
			"network, 0 uncertain: s(1) s/Deployment/d(2)"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ways(t, test.given, "a", "b"); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
