package exposure

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// router is OpenShift's, behind a load balancer; its image has no name.
const router = `
---
apiVersion: v1
kind: Service
metadata: {name: router-default, namespace: openshift-ingress, uid: s}
spec: {type: LoadBalancer, selector: {app: router}, ports: [{port: 443, protocol: TCP}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: router, namespace: openshift-ingress,
  labels: {app: router, ingresscontroller.operator.openshift.io/deployment-ingresscontroller: default}}
spec: {nodeName: n1, containers: [{name: router, image: "quay.io/openshift-release-dev/ocp@sha256:00", ports: [{containerPort: 443}]}]}
`

const openShiftRoute = `
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: r, namespace: shop, uid: r, annotations: {}}
spec: {host: www.example.com, to: {kind: Service, name: web, weight: 100}, port: {targetPort: http}, tls: {termination: edge}}
status: {ingress: [{host: www.example.com, routerName: default, conditions: [{type: Admitted, status: "True"}]}]}
`

const webService = `
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http, protocol: TCP}, {name: admin, port: 9000, protocol: TCP}]}
`

func TestOpenShiftRoutes(t *testing.T) {
	proxy := "openshift-ingress/Service/router-default > openshift-ingress/Pod/router 443/TCP any"
	web := "shop/Service/web > shop/Pod/web 8080/TCP any"
	all := func(changes ...string) string {
		return strings.NewReplacer(changes...).Replace(estate + webService + router + openShiftRoute)
	}
	run(t, []test{
		{"a route that an exposed router admitted", all(), []string{proxy, web}, nil},
		{"one that it refused", all(`status: "True"`, `status: "False"`), []string{proxy}, nil},
		{"one that no router has seen", all("ingress: [{host", "other: [{host"), []string{proxy}, nil},
		{"one of another router, whose pods nobody sees", all("routerName: default", "routerName: f5"), []string{proxy, web + " ?"}, nil},
		{"a router in a namespace that nobody sees", estate + webService + openShiftRoute, []string{web + " ?"}, nil},
		{"that has not admitted it", estate + webService + strings.Replace(openShiftRoute, `status: "True"`, `status: "False"`, 1), nil, nil},
		{"none, and the file of a route beside those of nodes", estate + webService + strings.Replace(strings.Replace(openShiftRoute,
			", uid: r", "", 1), "status: {ingress", "status: {other", 1), []string{web + " ?"}, nil},
		{"a router that is not reached", all("203.0.113.1", "10.0.0.1"), nil, nil},
		{"a Service that gets nothing", all("weight: 100", "weight: 0"), []string{proxy}, nil},
		{
			"another that does",
			all("name: web, weight: 100}", "name: old, weight: 0}, alternateBackends: [{kind: Service, name: web, weight: 1}]"),
			[]string{proxy, web},
			nil,
		},
		{"what is no Service", all("kind: Service, name: web, weight", "kind: Thing, name: web, weight"), []string{proxy}, nil},
		{"a port of another name", all("targetPort: http}, tls", "targetPort: lost}, tls"), []string{proxy}, nil},
		{"without a port all of the Service's", all("port: {targetPort: http}, tls", "tls"), []string{proxy,
			"shop/Service/web > shop/Pod/web 8080/TCP,9000/TCP any"}, nil},
		{"for some clients only", all("annotations: {}", "annotations: {haproxy.router.openshift.io/ip_whitelist: 198.51.100.0/24 10.0.0.1}"),
			[]string{proxy, "shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"for none of the internet", all("annotations: {}", "annotations: {haproxy.router.openshift.io/ip_whitelist: 10.0.0.1}"),
			[]string{proxy}, nil},
		{"in a manifest alone it may be", strings.Replace(strings.Replace(estate[strings.LastIndex(estate, "---"):]+webService+openShiftRoute,
			", uid: r", "", 1), "status: {ingress", "status: {other", 1), []string{web + " ?"}, nil},
	})
}

// TestWhyARouteMayBeReachedIsSaid: that a router admitted it proves that there is one.
func TestWhyARouteMayBeReachedIsSaid(t *testing.T) {
	r := judged(manifests.Facts(t, estate+webService+openShiftRoute))
	const want = "the pods of router default, which admitted the route, were not found, so whether the internet reaches it is not known"
	if len(r.Routes) != 1 || !slices.Contains(r.Routes[0].Uncertain(), want) {
		t.Errorf("%d routes, want one of which is said: %s\n%v", len(r.Routes), want, r.Routes)
	}
}
