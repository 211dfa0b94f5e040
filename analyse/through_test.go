package analyse

import (
	"reflect"
	"testing"
)

func TestARouteTellsWhatItPasses(t *testing.T) {
	const given = `
Internet internet name=Internet
Service ingress/Service/lb name=lb addresses=203.0.113.7,10.0.0.9
DaemonSet ingress/DaemonSet/front name=front
Ingress shop/Ingress/web name=web hosts=www.example,api.example
Service shop/Service/cart name=cart
Node edge name=edge publicAddresses=198.51.100.4
Internet internet -ROUTES_TO{ports=8080/TCP via="load balancer 203.0.113.7 → Service ingress/lb" ` +
		`evidence="Service c/ingress/Service/lb,DaemonSet c/ingress/DaemonSet/front,Pod c/gone"}-> Ingress shop/Ingress/web
Ingress shop/Ingress/web -ROUTES_TO{via="Ingress shop/web for api.example, other"}-> Service shop/Service/cart
Internet internet -ROUTES_TO{ports=22/TCP}-> Node edge
`
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	s := searchOn(t, v, &Rules{})
	for _, test := range []struct {
		name, from, fromID, to string
		want                   Through
	}{
		{"the ingress's hosts, the address that is said to be open, and who serves it", "Internet", "internet", "Ingress",
			Through{Hosts: []string{"www.example", "api.example"}, Addresses: []string{"203.0.113.7"}, Ports: []string{"8080/TCP"},
				Controllers: []string{"front"}}},
		{"behind an ingress only the hosts that lead on", "Ingress", "c/shop/Ingress/web", "Service", Through{Hosts: []string{"api.example"}}},
		{"a node's public address", "Internet", "internet", "Node", Through{Addresses: []string{"198.51.100.4"}, Ports: []string{"22/TCP"}}},
	} {
		n, ok := v.Node(test.from, test.fromID)
		if !ok {
			t.Fatalf("no %s", test.from)
		}
		seen := false
		for e := range n.Out("ROUTES_TO") {
			seen = seen || e.To.Kind() == test.to
			if got := s.through(e); e.To.Kind() == test.to && !reflect.DeepEqual(*got, test.want) {
				t.Errorf("%s: %+v, want %+v", test.name, *got, test.want)
			}
		}
		if !seen {
			t.Errorf("%s: no such edge", test.name)
		}
	}
}
