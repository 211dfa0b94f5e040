package exposure

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// controller is an ingress controller we know: by what IngressClasses call it,
// by the class names of old annotations, and by the images of the pods that
// take the traffic.
type controller struct {
	name    string
	ids     []string // IngressClass.spec.controller; a trailing * is a prefix
	classes []string
	images  []string // the repository, or its end
	// managed ones are load balancers that a cloud runs: no pods take the traffic.
	managed bool
	// scheme is the annotation that must say internet-facing, where the default
	// is internal.
	scheme string
	// private ones never lead in from the internet.
	private bool
	// classless ones also serve an Ingress that names no class.
	classless bool
}

var controllers = []controller{
	{name: "ingress-nginx", ids: []string{"k8s.io/ingress-nginx"}, classes: []string{"nginx"},
		images: []string{"ingress-nginx/controller", "ingress-nginx/controller-chroot", "nginx-ingress-controller",
			"ingress-nginx-controller", "rancher/nginx-ingress-controller"}},
	{name: "NGINX Ingress Controller", ids: []string{"nginx.org/ingress-controller"}, classes: []string{"nginx-plus"},
		images: []string{"nginx/nginx-ingress", "nginx-plus-ingress", "nginx-ic/nginx-plus-ingress"}},
	{name: "Traefik", ids: []string{"traefik.io/ingress-controller"}, classes: []string{"traefik"}, classless: true,
		images: []string{"traefik", "rancher/mirrored-library-traefik", "traefik/traefik"}},
	{name: "HAProxy Ingress", ids: []string{"haproxy-ingress.github.io/controller*"}, classes: []string{"haproxy"},
		images: []string{"jcmoraisjr/haproxy-ingress", "haproxy-ingress"}},
	{name: "HAProxy Kubernetes Ingress Controller", ids: []string{"haproxy.org/ingress-controller*"}, classes: []string{"haproxy"},
		images: []string{"haproxytech/kubernetes-ingress"}},
	{name: "Contour", ids: []string{"projectcontour.io/*"}, classes: []string{"contour"},
		images: []string{"envoyproxy/envoy", "bitnami/envoy"}},
	{name: "Kong", ids: []string{"ingress-controllers.konghq.com/kong"}, classes: []string{"kong"},
		images: []string{"kong", "kong/kong-gateway", "kong-gateway"}},
	{name: "Istio", ids: []string{"istio.io/ingress-controller"}, classes: []string{"istio"},
		images: []string{"istio/proxyv2", "proxyv2"}},
	{name: "Ambassador", ids: []string{"getambassador.io/ingress-controller"}, classes: []string{"ambassador"},
		images: []string{"ambassador", "emissary", "datawire/aes", "emissaryingress/emissary"}},
	{name: "APISIX", ids: []string{"apisix.apache.org/apisix-ingress*", "apisix.apache.org/ingress-controller"},
		classes: []string{"apisix"}, images: []string{"apache/apisix", "apisix"}},
	{name: "Skipper", ids: []string{"zalando.org/skipper"}, classes: []string{"skipper"}, images: []string{"skipper", "skipper-ingress"}},
	{name: "Pomerium", ids: []string{"pomerium.io/ingress-controller"}, classes: []string{"pomerium"},
		images: []string{"pomerium/ingress-controller"}},
	{name: "Cilium", ids: []string{"cilium.io/ingress-controller"}, classes: []string{"cilium"},
		images: []string{"cilium/cilium-envoy", "cilium/cilium"}},
	{name: "OpenShift Router", ids: []string{"openshift.io/ingress-to-route"}, classes: []string{"openshift-default"},
		images: []string{"haproxy-router", "origin-haproxy-router"}, classless: true},
	{name: "AWS Load Balancer Controller", ids: []string{"ingress.k8s.aws/alb", "eks.amazonaws.com/alb"}, classes: []string{"alb"},
		managed: true, scheme: collect.ALBScheme},
	{name: "GKE Ingress", ids: []string{"networking.gke.io/ingress-gce", "k8s.io/ingress-gce"}, classes: []string{"gce"}, managed: true},
	{name: "GKE internal Ingress", classes: []string{"gce-internal"}, managed: true, private: true},
	{name: "Azure Application Gateway", ids: []string{"azure/application-gateway"},
		classes: []string{"azure/application-gateway", "azure-application-gateway"}, managed: true},
	{name: "Azure Application Gateway for Containers", ids: []string{"alb.networking.azure.io/*"},
		classes: []string{"azure-alb-external"}, managed: true},
	{name: "Cloudflare Tunnel", ids: []string{"strrl.dev/cloudflare-tunnel-ingress-controller"}, classes: []string{"cloudflare-tunnel"},
		managed: true},
	{name: "ngrok", ids: []string{"k8s.ngrok.com/ingress-controller"}, classes: []string{"ngrok"}, managed: true},
	{name: "Tailscale", ids: []string{"tailscale.com/ts-ingress"}, classes: []string{"tailscale"}, managed: true, private: true},
}

func controllerByID(id string) *controller {
	i := slices.IndexFunc(controllers, func(c controller) bool {
		return slices.ContainsFunc(c.ids, func(known string) bool {
			prefix, wild := strings.CutSuffix(known, "*")
			return known == id || wild && strings.HasPrefix(id, prefix)
		})
	})
	if i < 0 {
		return nil
	}
	return &controllers[i]
}

func controllerByClass(class string) *controller {
	i := slices.IndexFunc(controllers, func(c controller) bool { return slices.Contains(c.classes, class) })
	if i < 0 {
		return nil
	}
	return &controllers[i]
}

// controllerPods are the pods that serve a class: those of the controller's
// image, without installations that say they serve another class.
func (j *judge) controllerPods(c class) (out []*collect.Pod) {
	c.object = ref.Ref{}
	if found, known := j.serving[c]; known {
		return found
	}
	defer func() { j.serving[c] = out }()
	for _, ns := range j.pods.namespaces() {
		for _, g := range j.pods.groups[ns] {
			if serves(g.pods[0].Shape, c) {
				out = append(out, g.pods...)
			}
		}
	}
	return out
}

func serves(s *collect.PodShape, c class) bool {
	if c.name == "" && c.known == nil {
		return false
	}
	return slices.ContainsFunc(s.Containers, func(k collect.ContainerShape) bool {
		if c.id != "" && argument(k, "controller-class") == c.id {
			return true // an installation that calls itself so, with any image
		}
		return c.known != nil && slices.ContainsFunc(c.known.images, k.ImageIs) && !otherClass(k, c)
	})
}

// otherClass says whether an installation's own arguments name another class.
func otherClass(k collect.ContainerShape, c class) bool {
	if id := argument(k, "controller-class"); id != "" && c.id != "" {
		return id != c.id
	}
	if c.legacy || argument(k, "ingress-class-by-name") == "true" {
		name := argument(k, "ingress-class")
		return name != "" && name != c.name
	}
	return false
}

// argument is the value of --name=value or "--name value".
func argument(c collect.ContainerShape, name string) string {
	all := slices.Concat(c.Command, c.Args)
	for i, a := range all {
		a = strings.TrimLeft(a, "-")
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
		if a == name {
			if i+1 < len(all) && !strings.HasPrefix(all[i+1], "-") {
				return all[i+1]
			}
			return "true"
		}
	}
	return ""
}
