package exposure

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// TestWhichControllerServesAnIngress: each says so by its own arguments.
func TestWhichControllerServesAnIngress(t *testing.T) {
	const ctl = "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	const web = "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any"
	served, not := []string{ctl, web}, []string{ctl}
	// runs is a controller of some image with arguments; nothing else is known of it.
	runs := func(image, args string) string {
		text := fmt.Sprintf(nginx, "", args, "}", "203.0.113.1")
		return estate + backendService + strings.Replace(text[strings.Index(text, "---\napiVersion: v1"):],
			"registry.k8s.io/ingress-nginx/controller:v1.11.0", image, 1)
	}
	class := func(name, id string) string {
		return "\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: " + name + "}\nspec: {controller: " + id + "}\n"
	}
	none, old := ing("", "", ""), func(name string) string { return ing("", ", annotations: {kubernetes.io/ingress.class: "+name+"}", "") }
	team := func(name string) string {
		return "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: " + name + "}}\n"
	}
	named := func(name string) string { return ing("ingressClassName: "+name+",", "", "") }
	const ingressNginx, f5, traefik = "registry.k8s.io/ingress-nginx/controller:v1.11", "nginx/nginx-ingress:4", "traefik:v3"
	const haproxyIngress, haproxy = "quay.io/jcmoraisjr/haproxy-ingress:v0.14", "haproxytech/kubernetes-ingress:3.1"
	const contour = "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: contour, namespace: projectcontour}\n" +
		"spec: {template: {spec: {containers: [{name: c, image: 'ghcr.io/projectcontour/contour:v1.30', args: [serve%s]}]}}}\n"
	run(t, []test{
		{"ingress-nginx leaves what names no class", runs(ingressNginx, "") + none, not, nil},
		{"unless told to", runs(ingressNginx, "--watch-ingress-without-class=true") + none, served, nil},
		{"by the argument alone", runs(ingressNginx, "--watch-ingress-without-class, --v=2") + none, served, nil},
		{"or told not to", runs(ingressNginx, "--watch-ingress-without-class=false") + none, not, nil},
		{"a controller of another namespace's ingresses", runs(ingressNginx, "--watch-namespace=other") + old("nginx"), not, nil},
		{"of this one's", runs(ingressNginx, "--watch-namespace=shop") + old("nginx"), served, nil},
		{"of one that its environment says", runs(ingressNginx, "--watch-namespace=$(POD_NAMESPACE)") + old("nginx"),
			[]string{ctl, web + " ?"}, nil},
		{"of namespaces with labels that nobody saw", runs(ingressNginx, "--watch-namespace-selector=team=a") + old("nginx"),
			[]string{ctl, web + " ?"}, nil},
		{"of namespaces with labels", runs(ingressNginx, "--watch-namespace-selector=team=a") + old("nginx") + team("a"), served, nil},
		{"of namespaces with other labels", runs(ingressNginx, "--watch-namespace-selector=team=a") + old("nginx") + team("b"), not, nil},
		{"of a list of namespaces", runs(traefik, "--providers.kubernetesingress, '--providers.kubernetesingress.namespaces=a,shop'") + none,
			served, nil},
		{"of a list of others", runs(traefik, "--providers.kubernetesingress, '--providers.kubernetesingress.namespaces=a,b'") + none, not, nil},
		{"of a list, one by one", runs(haproxy, "--namespace-whitelist=a, --namespace-whitelist=shop") + none, served, nil},
		{"of others, one by one", runs(haproxy, "--namespace-whitelist=a, --namespace-whitelist=b") + none, not, nil},
		{"ingress-nginx by the annotation of its own name", runs(ingressNginx, "--ingress-class=inside") + old("inside"), served, nil},
		{"and then not by the usual one", runs(ingressNginx, "--ingress-class=inside") + old("nginx"), not, nil},
		{"the annotation does not mean an IngressClass", runs(ingressNginx, "") + class("edge", "k8s.io/ingress-nginx") + old("edge"), not, nil},
		{"but ingressClassName does", runs(ingressNginx, "") + class("edge", "k8s.io/ingress-nginx") + named("edge"), served, nil},
		{"F5's serves one IngressClass", runs(f5, "-ingress-class=edge") + class("edge", "nginx.org/ingress-controller") + named("edge"),
			served, nil},
		{"and no other", runs(f5, "-ingress-class=edge") + class("nginx", "nginx.org/ingress-controller") + named("nginx"), not, nil},
		{"F5's by its usual class, where no IngressClass was seen", runs(f5, "") + named("nginx"), served, nil},
		{"Traefik serves what names no class", runs(traefik, "--providers.kubernetesIngress") + none, served, nil},
		{"unless it has a class", runs(traefik, "--providers.kubernetesingress.ingressClass=edge") + none, not, nil},
		{"its class is an IngressClass's name", runs(traefik, "--providers.kubernetesingress.ingressclass=edge") +
			class("edge", "traefik.io/ingress-controller") + named("edge"), served, nil},
		{"and no other", runs(traefik, "--providers.kubernetesingress.ingressclass=edge") +
			class("traefik", "traefik.io/ingress-controller") + named("traefik"), not, nil},
		{"or an annotation's value", runs(traefik, "--providers.kubernetesingress.ingressclass=edge") + old("edge"), served, nil},
		{"Traefik without the provider of ingresses", runs(traefik, "--providers.kubernetescrd=true") + old("traefik"), not, nil},
		{"Traefik whose provider is switched off", runs(traefik, "--providers.kubernetesingress=false") + old("traefik"), not, nil},
		{"Traefik configured by a file", runs(traefik, "--configFile=/etc/traefik.yaml") + old("traefik"), served, nil},
		{"Traefik in the place of ingress-nginx", runs(traefik, "--providers.kubernetesingressnginx=true") +
			class("nginx", "k8s.io/ingress-nginx") + named("nginx"), served, nil},
		{"with the annotation of old", runs(traefik, "--providers.kubernetesIngressNGINX") + old("nginx"), served, nil},
		{"and without a class", runs(traefik, "--providers.kubernetesingressnginx, --providers.kubernetesingressnginx.watchingresswithoutclass") +
			none, served, nil},
		{"by the name that an IngressClass has for it", runs(traefik, "--providers.kubernetesingressnginx, "+
			"--providers.kubernetesingressnginx.controllerclass=example.org/edge") + class("edge", "k8s.io/ingress-nginx") + named("edge"),
			not, nil},
		{"not without a class unless told to", runs(traefik, "--providers.kubernetesingressnginx") + none, not, nil},
		{"nor for ingress-nginx unless told to", runs(traefik, "--providers.kubernetesingress") + class("nginx", "k8s.io/ingress-nginx") +
			named("nginx"), not, nil},
		{"HAProxy Ingress leaves what names no class", runs(haproxyIngress, "") + none, not, nil},
		{"unless told to", runs(haproxyIngress, "--watch-ingress-without-class") + none, served, nil},
		{"the end of its controller's name", runs(haproxyIngress, "--controller-class=edge") +
			class("edge", "haproxy-ingress.github.io/controller/edge") + named("edge"), served, nil},
		{"another end", runs(haproxyIngress, "--controller-class=edge") + class("ha", "haproxy-ingress.github.io/controller/inside") +
			named("ha"), not, nil},
		{"HAProxy's own controller serves what names no class", runs(haproxy, "") + none, served, nil},
		{"unless it has a class", runs(haproxy, "--ingress.class=haproxy") + none, not, nil},
		{"and is not told to", runs(haproxy, "--ingress.class=haproxy, --empty-ingress-class") + none, served, nil},
		{"two controllers have a class of this name", runs(haproxy, "") + old("haproxy"), served, nil},
		{"Contour serves what names no class", runs("envoyproxy/envoy:v1.34", "") + fmt.Sprintf(contour, "") + none, served, nil},
		{"unless its other pods are told a class", runs("envoyproxy/envoy:v1.34", "") +
			fmt.Sprintf(contour, ", --ingress-class-name=edge") + none, not, nil},
		{"which is an IngressClass's name", runs("envoyproxy/envoy:v1.34", "") + fmt.Sprintf(contour, ", --ingress-class-name=edge") +
			class("edge", "projectcontour.io/ingress-controller") + named("edge"), served, nil},
		{"Istio's gateways", runs("istio/proxyv2:1.27", "proxy, router") + old("istio"), served, nil},
		{"but not its sidecars", runs("istio/proxyv2:1.27", "proxy, sidecar") + old("istio"), not, nil},
		{"OpenShift's router serves what names no class", runs("openshift/origin-haproxy-router:v4.20", "") + none, served, nil},
	})
}

// TestCloudsIngresses: annotations and parameters say what no address does.
func TestCloudsIngresses(t *testing.T) {
	const web = "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any"
	all := func(parts ...string) string { return estate + backendService + strings.Join(parts, "") }
	manifest := func(s string) string { return strings.Replace(s, ", uid: i", "", 1) }
	name := func(host string) string { return "status: {loadBalancer: {ingress: [{hostname: " + host + "}]}}" }
	const parameters = "\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\n" +
		"spec: {controller: ingress.k8s.aws/alb, parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: edge}}\n"
	agic := "ingressClassName: azure-application-gateway,"
	run(t, []test{
		{"a tailnet's, led to the internet", all(ing("ingressClassName: tailscale,", `, annotations: {tailscale.com/funnel: "true"}`,
			name("shop.tail1.ts.net"))), []string{web}, nil},
		{"a tailnet's, not led there", all(ing("ingressClassName: tailscale,", `, annotations: {tailscale.com/funnel: "false"}`,
			name("shop.tail1.ts.net"))), nil, nil},
		{"a tailnet's, at an address that looks public", all(ing("ingressClassName: tailscale,", "",
			"status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}")), nil, nil},
		{"a cloud's of a file, at a private address", all(manifest(ing("", ", annotations: {kubernetes.io/ingress.class: gce}",
			"status: {loadBalancer: {ingress: [{ip: 10.0.0.7}]}}"))), nil, nil},
		{"Azure's gateway at its private address", all(manifest(ing(agic, `, annotations: {appgw.ingress.kubernetes.io/use-private-ip: "true"}`,
			""))), nil, nil},
		{"Azure's gateway", all(manifest(ing(agic, `, annotations: {appgw.ingress.kubernetes.io/use-private-ip: "false"}`, ""))),
			[]string{web + " ?"}, nil},
		{"ALB whose class has parameters, which are not read", all(parameters, manifest(ing("ingressClassName: alb,", "", ""))),
			[]string{web + " ?"}, nil},
		{"ALB where its controller makes all face the internet", all(lbc("internet-facing"), manifest(ing("ingressClassName: alb,", "", ""))),
			[]string{web + " ?"}, nil},
	})
}

// TestNamesOfOtherServices: an Ingress leads into another namespace by a Service
// of type ExternalName.
func TestNamesOfOtherServices(t *testing.T) {
	const ctl = "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	const web = "other/Ingress/web > other/Service/alias > "
	const there = "shop/Service/web > shop/Pod/web 8080/TCP any"
	all := func(controller, name, spec string) string {
		return estate + backendService + controller + "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: other}\n" +
			"spec: {type: ExternalName, externalName: " + name + spec + "}\n" + strings.NewReplacer("namespace: shop", "namespace: other",
			"service: {name: web", "service: {name: alias").Replace(ing("ingressClassName: nginx,", "", ""))
	}
	const here, port = "web.shop.svc.cluster.local", ", ports: [{port: 80}]"
	kong := strings.NewReplacer("registry.k8s.io/ingress-nginx/controller:v1.11.0", "kong:3", "k8s.io/ingress-nginx",
		"ingress-controllers.konghq.com/kong").Replace(controllerOpen)
	haproxy := strings.NewReplacer("registry.k8s.io/ingress-nginx/controller:v1.11.0", "haproxytech/kubernetes-ingress:3.1",
		"k8s.io/ingress-nginx", "haproxy.org/ingress-controller").Replace(controllerOpen)
	traefik := func(args string) string {
		return strings.NewReplacer("registry.k8s.io/ingress-nginx/controller:v1.11.0", "traefik:3", "k8s.io/ingress-nginx",
			"traefik.io/ingress-controller", "args: [", "args: [--providers.kubernetesingress"+args+", ").Replace(controllerOpen)
	}
	alb := strings.Replace(controllerOpen, "k8s.io/ingress-nginx", "ingress.k8s.aws/alb", 1)
	headless := "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n" +
		"spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n"
	gateway := func(backend string) string {
		return strings.Replace(estate+backendService+envoy+route, "{name: web, port: 80}]}]}", "{name: "+backend+", port: 80}]}]}", 1)
	}
	second := func(name string) string {
		return "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: second, namespace: shop}\n" +
			"spec: {type: ExternalName, externalName: " + name + port + "}\n"
	}
	run(t, []test{
		{"by its full name", all(controllerOpen, here, port), []string{ctl, web + there}, nil},
		{"with a dot at the end", all(controllerOpen, here+".", port), []string{ctl, web + there}, nil},
		{"up to svc", all(controllerOpen, "web.shop.svc", port), []string{ctl, web + there}, nil},
		{"by its name and namespace only", all(controllerOpen, "web.shop", port), []string{ctl, web + there + " ?"}, nil},
		{"by three words that are no name of the cluster", all(controllerOpen, "web.shop.example", port), []string{ctl}, nil},
		{"by one word", all(controllerOpen, "web", port), []string{ctl}, nil},
		{"that begins with svc", all(controllerOpen, "svc.web.shop", port), []string{ctl}, nil},
		{"in a domain of one word", all(controllerOpen, "web.shop.svc.corp", port), []string{ctl, web + there + " ?"}, nil},
		{"behind a controller that is told to follow none", strings.Replace(all(controllerOpen, here, port), "args: [",
			"args: [--disable-svc-external-name=true, ", 1), []string{ctl}, nil},
		{"behind Traefik, which follows none unless told to", all(traefik(""), here, port), []string{ctl, web + there + " ?"}, nil},
		{"behind Traefik that is told to", all(traefik("=true, --providers.kubernetesingress.allowExternalNameServices"), here, port),
			[]string{ctl, web + there}, nil},
		{"without ports, where the Ingress names one",
			strings.Replace(all(controllerOpen, here, ""), "port: {number: 80}", "port: {name: http}", 1), []string{ctl}, nil},
		{"behind HAProxy's own controller, which follows it", all(haproxy, here, port),
			[]string{ctl, web + there}, nil},
		{"behind a gateway, without ports", gateway("second") + strings.Replace(second(here), port, "", 1),
			[]string{"infra/Service/gw-svc > infra/Pod/proxy 80/TCP any", "shop/Service/second > " + there + " ?"}, nil},
		{"behind a gateway, of somebody else", gateway("second") + second("www.example.org"),
			[]string{"infra/Service/gw-svc > infra/Pod/proxy 80/TCP any"}, nil},
		{"in a domain that may be the cluster's", all(controllerOpen, "web.shop.svc.corp.example", port), []string{ctl, web + there + " ?"}, nil},
		{"by the name of one pod", all(controllerOpen, "web-0.web.shop.svc.cluster.local", port), []string{ctl, web + there + " ?"}, nil},
		{"without ports of its own", all(controllerOpen, here, ""), []string{ctl, web + there}, nil},
		{"on another port than the Service has", all(controllerOpen, here, ", ports: [{port: 80, targetPort: 81}]"), []string{ctl}, nil},
		{"on a port that it has", all(controllerOpen, here, ", ports: [{port: 80, targetPort: 9090}]"),
			[]string{ctl, web + "shop/Service/web > shop/Pod/web 9090/TCP any"}, nil},
		{"of a headless Service: the pods' own ports", all(controllerOpen, here, ", ports: [{port: 80, targetPort: 8080}]") + headless,
			[]string{ctl, web + there}, nil},
		{"through another name", all(controllerOpen, "second.shop.svc", port) + second(here),
			[]string{ctl, web + "shop/Service/second > " + there}, nil},
		{"through two that name each other", all(controllerOpen, "second.shop.svc", port) + second("alias.other.svc"), []string{ctl}, nil},
		{"of a Service that is not there", all(controllerOpen, "api.shop.svc.cluster.local", port), []string{ctl}, nil},
		{"of somebody else", all(controllerOpen, "www.example.org", port), []string{ctl}, nil},
		{"that is too short", all(controllerOpen, "shop.svc", port), []string{ctl}, nil},
		{"behind a controller that may not follow it", all(kong, here, port), []string{ctl, web + there + " ?"}, nil},
		{"behind a load balancer that cannot", all(alb, here, port) + "status: {loadBalancer: {ingress: [{hostname: a.elb.amazonaws.com}]}}\n",
			[]string{ctl}, nil},
		{"behind a gateway", gateway("second") + second(here),
			[]string{"infra/Service/gw-svc > infra/Pod/proxy 80/TCP any", "shop/Service/second > " + there + " ?"}, nil},
	})
}

// TestWhatAnIngressLeadsToBesides: objects and lists that are not read are gaps.
func TestWhatAnIngressLeadsToBesides(t *testing.T) {
	for _, test := range []struct{ name, manifests, want string }{
		{"a bucket", estate + controllerOpen + strings.Replace(ing("ingressClassName: nginx,", "", ""),
			"backend: {service: {name: web, port: {number: 80}}}", "backend: {resource: {apiGroup: example.org, kind: Bucket, name: b}}", 1),
			"backends of Ingress shop/web: it leads to objects that are not interpreted: Bucket b"},
		{"TCP ports of a ConfigMap", fmt.Sprintf(nginx, "", "--tcp-services-configmap=$(POD_NAMESPACE)/tcp", "}", "203.0.113.1"),
			"services of tcp-services-configmap: Pod ingress-nginx/ctl passes ports on"},
		{"no class, and nothing that serves such", estate + controllerOpen + ing("", "", ""),
			"the controller of Ingress shop/web: it names no class"},
		{"a class whose controller's pods are not there", estate + ing("ingressClassName: traefik,", "", ""),
			"the pods of Traefik that serve class traefik were not found"},
		{"a load balancer of a manifest whose endpoints are not there",
			estate + strings.Replace(unapplied("", ""), "selector: {app: web}, ", "", 1),
			"the endpoints of Service shop/web: it has no selector"},
		{"a Service of other manifests", estate + controllerOpen + strings.NewReplacer("service: {name: web", "service: {name: api",
			", uid: i", "").Replace(ing("ingressClassName: nginx,", "", "")), "Service shop/api: Ingress shop/web leads to it, and it was not seen"},
		{"a backend of a manifest whose endpoints are not there", estate + controllerOpen + ing("ingressClassName: nginx,", "", "") +
			strings.Replace(ing("ingressClassName: nginx,", "", ""), "name: web, namespace", "name: web-2, namespace", 1) +
			"\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n",
			"the endpoints of Service shop/web: it has no selector"},
	} {
		found := told(judged(manifests.Facts(t, test.manifests)))
		if strings.Count(found, test.want) != 1 {
			t.Errorf("%s: no gap %q in\n%s", test.name, test.want, found)
		}
	}
	second := strings.Replace(ing("", "", ""), "name: web, namespace", "name: api, namespace", 1)
	both := judged(manifests.Facts(t, estate+ing("", "", "")+second)).Gaps
	if len(both) != 2 {
		t.Errorf("gaps of two: %v", both)
	}
	slice := "\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, namespace: shop, labels: " +
		"{kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{port: 8080}]\nendpoints: [{addresses: [172.16.0.9]}]\n"
	for _, whole := range []string{"",
		estate + strings.Replace(unapplied("", ""), "selector: {app: web}, ", "", 1) + slice, estate,
		estate + strings.Replace(balancer("", ""), "selector: {app: web}, ", "", 1),
		estate + unapplied("", ""), estate + controllerOpen + backendService + ing("ingressClassName: nginx,", "", "")} {
		if g := judged(manifests.Facts(t, whole)).Gaps; len(g) != 0 {
			t.Errorf("gaps where nothing is missing: %v in\n%s", g, whole)
		}
	}
}
