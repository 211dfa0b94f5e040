package exposure

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// controller is an ingress controller we know: by what IngressClasses call it,
// by the class names of old annotations, and by the pods that take the traffic.
type controller struct {
	name    string
	ids     []string // IngressClass.spec.controller; a trailing * is a prefix
	classes []string
	pods    []installation
	// managed ones are load balancers that a cloud runs: no pods take the traffic.
	managed bool
	// scheme is the annotation that must say internet-facing, where the default
	// is internal.
	scheme string
	// private ones never lead in from the internet, unless this annotation of the
	// Ingress is true. Others do not where inside is.
	private        bool
	unless, inside string
	// lists begins the annotations with the clients that it lets in or keeps out.
	lists string
	// byNames says that it follows Services of type ExternalName unless told not to.
	byNames bool
}

// installation is how the pods of a controller are known, and how their
// arguments say what they serve.
type installation struct {
	images []string // the repository, or its end
	// needs is an argument without which it serves no Ingress, unless it has none
	// of config's: then it is configured elsewhere, by a file for one.
	needs, config string
	// class is the argument that names the class it serves, by default one of the
	// controller's; id the one that says what IngressClasses call it.
	class, id string
	// byName is the argument with which class counts where an IngressClass says
	// who serves it too; always does so without.
	byName string
	always bool
	// suffix is the argument whose value ends the id.
	suffix string
	// classless is the argument with which it serves an Ingress that names no
	// class. Without class it does so anyway where open.
	classless string
	open      bool
	// namespaces is the argument that names those whose ingresses alone it serves, labels
	// the one with a selector of them.
	namespaces, labels string
	// names is the argument with which it follows Services of type ExternalName, noNames
	// the one with which it does not.
	names, noNames string
	// lets is the version from which it reads lists of whom to let in, and none of whom to
	// keep out; without, it reads what its controller does.
	lets string
	// told are the images of the pods that have the arguments, if others.
	told []string
}

// nginxFlags are those of ingress-nginx, and of what replaces it, below a prefix.
func nginxFlags(in installation, prefix, dash string) installation {
	name := func(words ...string) string { return prefix + strings.Join(words, dash) }
	in.class, in.id, in.byName = name("ingress", "class"), name("controller", "class"), name("ingress", "class", "by", "name")
	in.classless = name("watch", "ingress", "without", "class")
	in.namespaces, in.labels = name("watch", "namespace"), name("watch", "namespace", "selector")
	in.noNames = name("disable", "svc", "external", "name")
	return in
}

func images(names ...string) []installation { return []installation{{images: names}} }

var traefikImages = []string{"traefik", "rancher/mirrored-library-traefik", "traefik/traefik"}

var controllers = []controller{
	{name: "ingress-nginx", ids: []string{"k8s.io/ingress-nginx"}, classes: []string{"nginx"}, byNames: true,
		lists: "nginx.ingress.kubernetes.io/",
		pods: []installation{
			nginxFlags(installation{images: []string{"ingress-nginx/controller", "ingress-nginx/controller-chroot", "nginx-ingress-controller",
				"ingress-nginx-controller", "rancher/nginx-ingress-controller"}}, "", "-"),
			// Traefik's source, pkg/provider/kubernetes/ingress-nginx/annotations.go, from v3.5.0 to v3.7.9
			nginxFlags(installation{images: traefikImages, needs: "providers.kubernetesingressnginx", lets: "3.7"},
				"providers.kubernetesingressnginx.", ""),
		}},
	{name: "NGINX Ingress Controller", ids: []string{"nginx.org/ingress-controller"}, classes: []string{"nginx", "nginx-plus"},
		pods: []installation{{images: []string{"nginx/nginx-ingress", "nginx-plus-ingress", "nginx-ic/nginx-plus-ingress"},
			class: "ingress-class", always: true, namespaces: "watch-namespace", labels: "watch-namespace-label"}}},
	{name: "Traefik", ids: []string{"traefik.io/ingress-controller"}, classes: []string{"traefik"},
		lists: "traefik.ingress.kubernetes.io/",
		pods: []installation{{images: traefikImages, needs: "providers.kubernetesingress", config: "providers",
			class: "providers.kubernetesingress.ingressclass", always: true, open: true,
			namespaces: "providers.kubernetesingress.namespaces", names: "providers.kubernetesingress.allowexternalnameservices"}}},
	{name: "HAProxy Ingress", ids: []string{"haproxy-ingress.github.io/controller*"}, classes: []string{"haproxy"},
		lists: "haproxy-ingress.github.io/",
		pods: []installation{{images: []string{"jcmoraisjr/haproxy-ingress", "haproxy-ingress"},
			class: "ingress-class", suffix: "controller-class", classless: "watch-ingress-without-class", namespaces: "watch-namespace"}}},
	{name: "HAProxy Kubernetes Ingress Controller", ids: []string{"haproxy.org/ingress-controller*"}, classes: []string{"haproxy"},
		lists:   "haproxy.org/",
		byNames: true, pods: []installation{{images: []string{"haproxytech/kubernetes-ingress"}, class: "ingress.class", suffix: "ingress.class",
			classless: "empty-ingress-class", open: true, namespaces: "namespace-whitelist", noNames: "disable-service-external-name"}}},
	{name: "Contour", ids: []string{"projectcontour.io/*"}, classes: []string{"contour"},
		pods: []installation{{images: []string{"envoyproxy/envoy", "bitnami/envoy"}, class: "ingress-class-name", always: true, open: true,
			namespaces: "watch-namespaces", told: []string{"projectcontour/contour", "bitnami/contour"}}}},
	{name: "Kong", ids: []string{"ingress-controllers.konghq.com/kong"}, classes: []string{"kong"}, lists: "konghq.com/",
		pods: []installation{{images: []string{"kong", "kong/kong-gateway", "kong-gateway"}, namespaces: "watch-namespace",
			told: []string{"kubernetes-ingress-controller"}}}},
	{name: "Istio", ids: []string{"istio.io/ingress-controller"}, classes: []string{"istio"},
		pods: []installation{{images: []string{"istio/proxyv2", "proxyv2"}, needs: "router"}}},
	{name: "Ambassador", ids: []string{"getambassador.io/ingress-controller"}, classes: []string{"ambassador"},
		pods: images("ambassador", "emissary", "datawire/aes", "emissaryingress/emissary")},
	{name: "APISIX", ids: []string{"apisix.apache.org/apisix-ingress*", "apisix.apache.org/ingress-controller"},
		classes: []string{"apisix"}, lists: "k8s.apisix.apache.org/", pods: images("apache/apisix", "apisix")},
	{name: "Skipper", ids: []string{"zalando.org/skipper"}, classes: []string{"skipper"}, pods: images("skipper", "skipper-ingress")},
	{name: "Pomerium", ids: []string{"pomerium.io/ingress-controller"}, classes: []string{"pomerium"},
		pods: images("pomerium/ingress-controller")},
	{name: "Cilium", ids: []string{"cilium.io/ingress-controller"}, classes: []string{"cilium"},
		pods: images("cilium/cilium-envoy", "cilium/cilium")},
	{name: "OpenShift Router", ids: []string{"openshift.io/ingress-to-route"}, classes: []string{"openshift-default"},
		lists: "haproxy.router.openshift.io/",
		pods:  []installation{{images: []string{"haproxy-router", "origin-haproxy-router"}, open: true}}},
	{name: "AWS Load Balancer Controller", ids: []string{"ingress.k8s.aws/alb", "eks.amazonaws.com/alb"}, classes: []string{"alb"},
		lists:   "alb.ingress.kubernetes.io/",
		managed: true, scheme: collect.ALBScheme},
	{name: "GKE Ingress", ids: []string{"networking.gke.io/ingress-gce", "k8s.io/ingress-gce"}, classes: []string{"gce"},
		lists: "cloud.google.com/", managed: true},
	{name: "GKE internal Ingress", classes: []string{"gce-internal"}, lists: "cloud.google.com/", managed: true, private: true},
	{name: "Azure Application Gateway", ids: []string{"azure/application-gateway"},
		classes: []string{"azure/application-gateway", "azure-application-gateway"}, lists: "appgw.ingress.kubernetes.io/",
		managed: true, inside: collect.AGICPrivate},
	{name: "Azure Application Gateway for Containers", ids: []string{"alb.networking.azure.io/*"},
		classes: []string{"azure-alb-external"}, managed: true},
	{name: "Cloudflare Tunnel", ids: []string{"strrl.dev/cloudflare-tunnel-ingress-controller"}, classes: []string{"cloudflare-tunnel"},
		managed: true},
	{name: "ngrok", ids: []string{"k8s.ngrok.com/ingress-controller"}, classes: []string{"ngrok"}, managed: true},
	{name: "Tailscale", ids: []string{"tailscale.com/ts-ingress"}, classes: []string{"tailscale"}, managed: true, private: true,
		unless: collect.TailscaleFunnel},
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
