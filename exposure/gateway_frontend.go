package exposure

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// gatewayController is an implementation of the Gateway API that does not make
// a Service of its own for each Gateway.
type gatewayController struct {
	id      string // a prefix of GatewayClass.spec.controllerName
	images  []string
	managed bool
	private bool
}

var gatewayControllers = []gatewayController{
	{id: "traefik.io/", images: []string{"traefik"}},
	{id: "gateway.nginx.org/", images: []string{"nginx-gateway-fabric/nginx", "nginxinc/nginx-gateway-fabric/nginx"}},
	{id: "konghq.com/", images: []string{"kong", "kong-gateway"}},
	{id: "projectcontour.io/", images: []string{"envoyproxy/envoy"}},
	{id: "networking.gke.io/", managed: true},
	{id: "gateway.k8s.aws/", managed: true},
	{id: "alb.networking.azure.io/", managed: true},
	{id: "application-networking.k8s.aws/", managed: true, private: true},
	{id: "io.cilium/", managed: true},
}

func gatewayControllerOf(id string) *gatewayController {
	i := slices.IndexFunc(gatewayControllers, func(c gatewayController) bool { return strings.HasPrefix(id, c.id) })
	if i < 0 {
		return nil
	}
	return &gatewayControllers[i]
}

// gatewayFrontend finds what serves a Gateway and whether the internet reaches it.
func (j *judge) gatewayFrontend(g *gatewayv1.Gateway) (frontend, bool) {
	var known *gatewayController
	if class := j.facts.GatewayClasses[collect.Key{Name: string(g.Spec.GatewayClassName)}]; class != nil {
		known = gatewayControllerOf(string(class.Spec.ControllerName))
	}
	if known != nil && known.private || internalGateway(g) {
		return frontend{}, false
	}
	points := gatewayAddresses(g)
	if pods := j.gatewayPods(g, known, points); len(pods) > 0 {
		return j.proxies(pods, "which serve the gateway")
	}
	switch open := publicAmong(points); {
	case len(open) > 0 && known != nil && known.managed:
		return j.balancerFrontend("the gateway's address "+texts(open), ""), true
	case len(open) > 0:
		return j.hiddenFrontend("the gateway's address "+texts(open), "the pods that serve the gateway were not found"), true
	case len(points) == 0 && j.ofManifest(g.UID):
		return j.hiddenFrontend("the gateway's address", "a manifest does not say which address the gateway will get"), true
	}
	return frontend{}, false
}

// internalGateway reads the class names by which clouds tell private gateways.
func internalGateway(g *gatewayv1.Gateway) bool {
	class := string(g.Spec.GatewayClassName)
	return strings.HasPrefix(class, "gke-") && (strings.Contains(class, "rilb") || strings.Contains(class, "-internal-"))
}

func gatewayAddresses(g *gatewayv1.Gateway) (out []string) {
	for _, a := range g.Status.Addresses {
		if a.Value != "" {
			out = append(out, a.Value)
		}
	}
	return out
}

// gatewayPods are those behind the Services made for a Gateway, else behind the
// load balancer whose address it publishes, else the controller's own.
func (j *judge) gatewayPods(g *gatewayv1.Gateway, known *gatewayController, points []string) (out []*collect.Pod) {
	for _, o := range j.facts.Each("Service") {
		if s := o.(*corev1.Service); madeFor(s, g) {
			out = append(out, j.selected(s)...)
		}
	}
	if len(out) == 0 {
		out = j.podsAt(points)
	}
	if len(out) > 0 || known == nil || len(known.images) == 0 {
		return out
	}
	return j.podsWith(func(k collect.ContainerShape) bool { return slices.ContainsFunc(known.images, k.ImageIs) })
}

// madeFor says whether a Service's labels name the Gateway it was made for.
func madeFor(s *corev1.Service, g *gatewayv1.Gateway) bool {
	return s.Namespace == g.Namespace && s.Labels["gateway.networking.k8s.io/gateway-name"] == g.Name ||
		s.Labels["gateway.envoyproxy.io/owning-gateway-name"] == g.Name &&
			s.Labels["gateway.envoyproxy.io/owning-gateway-namespace"] == g.Namespace
}
