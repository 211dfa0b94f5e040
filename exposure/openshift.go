package exposure

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// openShiftRoutes judges Routes through the routers that took them. As with
// gateways, a Route is no hop of its own.
func (j *judge) openShiftRoutes() {
	for k, o := range j.facts.Each("Route") {
		o := o.(*collect.Route)
		for _, router := range j.routersOf(o) {
			if f, ok := j.routerFrontend(router); ok {
				f.pods = nil // they are routers by their label, whatever their images are called
				clients, doubt := j.lets(f, o.Annotations, class{name: "openshift-default", known: controllerByClass("openshift-default")})
				f.clients, f.uncertain = clients, allOf(f.uncertain, doubt)
				j.openShiftRoute(f, k.Of("Route"), o)
			}
		}
	}
}

// routersOf are the routers that admitted a Route; of one from a manifest none is
// known. One that no router has admitted leads nowhere.
func (j *judge) routersOf(o *collect.Route) (out []string) {
	for _, i := range o.Status.Ingress {
		for _, c := range i.Conditions {
			if c.Type == "Admitted" && c.Status == "True" && !slices.Contains(out, i.RouterName) {
				out = append(out, i.RouterName)
			}
		}
	}
	if len(out) == 0 && len(o.Status.Ingress) == 0 && o.UID == "" {
		return []string{""}
	}
	return out
}

// routerLabel names the router of a pod: images of OpenShift's own builds have no names.
const routerLabel = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"

// routerFrontend is the pods of a router, or of any where its name tells none.
func (j *judge) routerFrontend(router string) (frontend, bool) {
	var pods []*collect.Pod
	for _, ns := range j.pods.namespaces() {
		for _, g := range j.pods.groups[ns] {
			if name := g.labels[routerLabel]; name != "" && (router == "" || name == router) {
				pods = append(pods, g.pods...)
			}
		}
	}
	if len(pods) == 0 {
		pods = j.podsWith(func(c collect.ContainerShape) bool {
			return c.ImageIs("haproxy-router") || c.ImageIs("origin-haproxy-router")
		})
	}
	what := "router " + cmp.Or(router, "of OpenShift")
	if len(pods) > 0 {
		return j.proxies(pods, "which serve routes as "+what)
	}
	// A router runs wherever there are Routes, and one that admitted this may stand outside the cluster.
	doubt := "the pods of " + what + ", which admitted the route, were not found, so whether the internet reaches it is not known"
	if router == "" {
		doubt = "the manifests do not contain the " + what + ", so whether the internet reaches it is not known"
	}
	return j.hiddenFrontend(what, doubt), true
}

func (j *judge) openShiftRoute(f frontend, e ref.Ref, o *collect.Route) {
	if len(f.clients) == 0 {
		return
	}
	f.byName = aliases{doubt: "whether a router follows Services of type ExternalName depends on its version"}
	host := o.Spec.Host
	if host == "" {
		host = cmp.Or(o.Spec.Subdomain, "a host that the router chooses")
	}
	if o.Spec.WildcardPolicy == "Subdomain" {
		host += " and all beside it"
	}
	via := fmt.Sprintf("%s → %s for %s%s on port %s", f.via, e, host, o.Spec.Path, routerPorts(o))
	for _, b := range append([]collect.RouteBackend{o.Spec.To}, o.Spec.AlternateBackends...) {
		if b.Kind != "" && b.Kind != "Service" || b.Weight != nil && *b.Weight == 0 {
			continue
		}
		if s := j.serviceAt(e.Namespace, b.Name); s != nil {
			j.reached(f, via, s, routePorts(s, o), e)
		}
	}
}

// routerPorts are those on which the router takes the Route's connections.
func routerPorts(o *collect.Route) string {
	switch {
	case o.Spec.TLS == nil:
		return "80/TCP"
	case o.Spec.TLS.InsecureEdgeTerminationPolicy == "Allow":
		return "80/TCP, 443/TCP"
	}
	return "443/TCP"
}

// routePorts are the ports of a Service that a Route means: by its name or the pods'
// own, or all of them.
func routePorts(s *corev1.Service, o *collect.Route) (out []corev1.ServicePort) {
	if o.Spec.Port == nil {
		return s.Spec.Ports
	}
	want := o.Spec.Port.TargetPort.String()
	for _, p := range s.Spec.Ports {
		if want == p.Name || want == p.TargetPort.String() || p.TargetPort.String() == "0" && want == fmt.Sprint(p.Port) {
			out = append(out, p)
		}
	}
	return out
}

// reached draws the way from the internet through a frontend to a Service's pods.
func (j *judge) reached(f frontend, via string, s *corev1.Service, ports []corev1.ServicePort, by ...ref.Ref) {
	if len(ports) == 0 || !j.leads(f, s, ports, nil) {
		j.lostEndpoints(s, len(ports) > 0)
		return
	}
	if !j.crowd.visits.take(s.Namespace, 1) && j.crowd.passed[serviceRef(s)] { // what leads there and where it leads multiply
		j.crowd.lost++
		return
	}
	h := j.hop(Hop{From: internet, To: serviceRef(s), Ports: portsOfService(ports), Width: widthOf(f.clients), Ranges: listed(f.clients),
		Source: FromController, Via: via, Evidence: append(append(slices.Clone(f.evidence), by...), serviceRef(s)), Uncertain: f.uncertain})
	j.toPods(f, way{[]*Hop{h}, f.clients}, s, ports)
}
