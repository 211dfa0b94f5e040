package exposure

import (
	"strings"
	"testing"
)

// TestRoutesOfConnectionsArePassedOnByListenersOfTheirProtocol: TLS, TCP and UDP, in
// the versions that clusters serve.
func TestRoutesOfConnectionsArePassedOnByListenersOfTheirProtocol(t *testing.T) {
	proxy := "infra/Service/gw-svc > infra/Pod/proxy 80/TCP any"
	web := "shop/Service/web > shop/Pod/web 8080/TCP any"
	// all has a listener of a protocol and a route of a kind and version.
	all := func(protocol, kind, version string, changes ...string) string {
		route := strings.NewReplacer("kind: HTTPRoute", "kind: "+kind, "networking.k8s.io/v1", "networking.k8s.io/"+version).Replace(route)
		if kind != "TLSRoute" {
			route = strings.Replace(route, "hostnames: [www.example.com], ", "", 1)
		}
		gateway := strings.Replace(envoy, "protocol: HTTP", "protocol: "+protocol, 1)
		return strings.NewReplacer(changes...).Replace(estate + backendService + gateway + route)
	}
	run(t, []test{
		{"TLS", all("TLS", "TLSRoute", "v1"), []string{proxy, web}, nil},
		{"TLS, as of old", all("TLS", "TLSRoute", "v1alpha2"), []string{proxy, web}, nil},
		{"TLS, as of late", all("TLS", "TLSRoute", "v1alpha3"), []string{proxy, web}, nil},
		{"TLS of a host that the listener does not serve", all("TLS", "TLSRoute", "v1", "www.example.com", "www.example.org"),
			[]string{proxy}, nil},
		{"TCP", all("TCP", "TCPRoute", "v1alpha2"), []string{proxy, web}, nil},
		{"TCP behind TLS that ends at the gateway", all("TLS", "TCPRoute", "v1alpha2"), []string{proxy, web}, nil},
		{"UDP", all("UDP", "UDPRoute", "v1alpha2"), []string{proxy, web}, nil},
		{"TCP at a listener of HTTP", all("HTTP", "TCPRoute", "v1alpha2"), []string{proxy}, nil},
		{"UDP at a listener of TCP", all("TCP", "UDPRoute", "v1alpha2"), []string{proxy}, nil},
		{"HTTP at a listener of TLS", all("TLS", "HTTPRoute", "v1"), []string{proxy}, nil},
		{"a backend without traffic", all("TCP", "TCPRoute", "v1alpha2", "{name: web, port: 80}]}]}", "{name: web, port: 80, weight: 0}]}]}"),
			[]string{proxy}, nil},
	})
}
