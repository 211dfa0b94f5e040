package exposure

import (
	"fmt"
	"strings"
	"testing"
)

// nginx is an ingress controller behind a load balancer; its Service's spec and
// status are to be filled in.
const nginx = `
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: v1
kind: Pod
metadata: {name: ctl, namespace: ingress-nginx, labels: {app: ctl}}
spec: {nodeName: n1, %s containers: [{name: c, image: 'registry.k8s.io/ingress-nginx/controller:v1.11.0',
  args: [%s], ports: [{name: http, containerPort: 80}]}]}
status: {podIPs: [{ip: 10.9.0.1}]}
---
apiVersion: v1
kind: Service
metadata: {name: ctl, namespace: ingress-nginx, uid: c%s
spec: {type: LoadBalancer, selector: {app: ctl}, ports: [{port: 80, targetPort: http, protocol: TCP}]}
status: {loadBalancer: {ingress: [{ip: %s}]}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ingress-nginx, labels: {name: ingress-nginx}}
`

var (
	controllerOpen    = fmt.Sprintf(nginx, "", "", "}", "203.0.113.1")
	controllerPrivate = fmt.Sprintf(nginx, "", "", "}", "10.0.0.1")
	backendService    = svc(`{selector: {app: web}, ports: [{name: http, port: 80, targetPort: http, protocol: TCP}, `+
		`{name: metrics, port: 9090, protocol: TCP}]}`, "}")
)

func ing(class, meta, more string) string {
	return fmt.Sprintf(`
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, uid: i%s}
spec: {%s rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
%s`, meta, class, more)
}

func TestIngresses(t *testing.T) {
	ctl := "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	web := "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any"
	byClass := ing("ingressClassName: nginx,", "", "")
	all := func(parts ...string) string { return estate + backendService + strings.Join(parts, "") }
	denied := func(list string) string {
		return ing("ingressClassName: nginx,", `, annotations: {nginx.ingress.kubernetes.io/denylist-source-range: "`+list+`"}`, "")
	}
	status := func(ip string) string { return "status: {loadBalancer: {ingress: [{" + ip + "}]}}" }
	run(t, []test{
		{"its controller is exposed", all(controllerOpen, byClass), []string{ctl, web}, nil},
		{"its controller is private", all(controllerPrivate, byClass), nil, nil},
		{"its controller is not there", all(byClass), nil, nil},
		{"its class does not exist and nobody knows it", all(controllerOpen, ing("ingressClassName: other,", "", "")), []string{ctl}, nil},
		{"no class and no default", all(controllerOpen, ing("", "", "")), []string{ctl}, nil},
		{"no class, and a default", all(strings.Replace(controllerOpen, "metadata: {name: nginx}",
			`metadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}`, 1), ing("", "", "")),
			[]string{ctl, web}, nil},
		{"the annotation of old", all(controllerOpen, ing("", ", annotations: {kubernetes.io/ingress.class: nginx}", "")),
			[]string{ctl, web}, nil},
		{"the annotation names another installation", all(fmt.Sprintf(nginx, "", "--ingress-class=internal", "}", "203.0.113.1"),
			ing("", ", annotations: {kubernetes.io/ingress.class: nginx}", "")),
			[]string{ctl}, nil},
		{"an installation of another controller class", all(fmt.Sprintf(nginx, "", "--controller-class=k8s.io/internal", "}",
			"203.0.113.1"), byClass), []string{ctl}, nil},
		{"a service that is not there", all(controllerOpen, strings.ReplaceAll(byClass, "{name: web, port", "{name: lost, port")),
			[]string{ctl}, nil},
		{"a port that is not there", all(controllerOpen, strings.ReplaceAll(byClass, "number: 80", "number: 81")), []string{ctl}, nil},
		{"a default backend for what no rule takes", all(controllerOpen,
			strings.NewReplacer("rules: [", "defaultBackend: {service: {name: web, port: {number: 80}}}, rules: [",
				"backend: {service: {name: web", "backend: {service: {name: lost").Replace(byClass)), []string{ctl, web}, nil},
		{"a port by name", all(controllerOpen, strings.ReplaceAll(byClass, "number: 80", "name: http")), []string{ctl, web}, nil},
		{"only the port it names", all(controllerOpen, strings.ReplaceAll(byClass, "number: 80", "number: 9090")),
			[]string{ctl, "shop/Ingress/web > shop/Service/web > shop/Pod/web 9090/TCP any"}, nil},
		{"clients it lists", all(controllerOpen, ing("ingressClassName: nginx,",
			`, annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: "198.51.100.0/24,10.0.0.0/8"}`, "")),
			[]string{ctl, "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"nobody of IPv4, where its pods see no other", all(controllerOpen, denied("0.0.0.0/0")), []string{ctl}, nil},
		{"nobody of IPv4, where its pods see IPv6 too", all(strings.Replace(controllerOpen, "{ip: 10.9.0.1}",
			"{ip: 10.9.0.1}, {ip: 'fd00::9'}", 1), denied("0.0.0.0/0")), []string{ctl, web}, nil},
		{"nobody of IPv4, where its pods' addresses are not known", all(strings.Replace(controllerOpen, "{ip: 10.9.0.1}", "", 1),
			denied("0.0.0.0/0")), []string{ctl, web}, nil},
		{"all but a few", all(controllerOpen, denied("198.51.100.0/24")), []string{ctl, web}, nil},
		{"a deny list that cannot be read", all(controllerOpen, denied("everybody")), []string{ctl, web + " ?"}, nil},
		{"some of those it lists are kept out", all(controllerOpen, denied("198.51.100.0/25, 10.0.0.1\", "+
			"nginx.ingress.kubernetes.io/whitelist-source-range: \"198.51.100.0/24")),
			[]string{ctl, "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.128/25"}, nil},
		{"kept out by a controller that is not known", all(strings.Replace(controllerOpen, "registry.k8s.io/ingress-nginx/controller:v1.11.0",
			"house/proxy", 1), strings.Replace(denied("0.0.0.0/0,::/0"), "nginx,", "house,", 1)+status("ip: 203.0.113.1")),
			[]string{ctl, web + " ?"}, nil},
		{"only private clients", all(controllerOpen, ing("ingressClassName: nginx,",
			`, annotations: {nginx.ingress.kubernetes.io/allowlist-source-range: 10.0.0.0/8}`, "")),
			[]string{ctl}, nil},
		{"clients its controller's load balancer lists", all(strings.Replace(controllerOpen, "type: LoadBalancer,",
			"type: LoadBalancer, loadBalancerSourceRanges: [198.51.100.0/24],", 1), byClass),
			[]string{"ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP ranges 198.51.100.0/24",
				"shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"}, nil},
		{"a controller on the host's network of a public node", all(strings.Replace(public, "n2", "n1", 1),
			fmt.Sprintf(nginx, "hostNetwork: true,", "", "}", "10.0.0.1"), byClass),
			[]string{"Node/n1 > ingress-nginx/Pod/ctl 80/TCP any", web}, nil},
		{"a cloud's own load balancer", all(ing("", ", annotations: {kubernetes.io/ingress.class: gce}", status("ip: 203.0.113.7"))),
			[]string{web}, nil},
		{"an internal one", all(ing("", ", annotations: {kubernetes.io/ingress.class: gce-internal}", status("ip: 10.0.0.7"))), nil, nil},
		{"ALB facing the internet", all(ing("ingressClassName: alb,",
			", annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}", status("hostname: k8s-1.elb.amazonaws.com"))),
			[]string{web}, nil},
		{"ALB by default is internal", all(ing("ingressClassName: alb,", "", status("hostname: internal-k8s-1.elb.amazonaws.com"))), nil,
			nil},
		{"an unknown controller with a public address", all(ing("ingressClassName: house,", "", status("ip: 203.0.113.7"))),
			[]string{web + " ?"}, nil},
		{"an unknown controller found by its address", all(strings.Replace(controllerOpen,
			"registry.k8s.io/ingress-nginx/controller:v1.11.0", "house/proxy", 1),
			ing("ingressClassName: house,", "", status("ip: 203.0.113.1"))),
			[]string{ctl, web}, nil},
	})
}

// TestAListCountsWhereItIsReadByWhatServes: what reads an annotation is not its name's first
// owner but what runs. A list of which nobody knows keeps no client out, and is told.
func TestAListCountsWhereItIsReadByWhatServes(t *testing.T) {
	const ctl = "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	const web = "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP "
	const some = "ranges 198.51.100.0/24"
	at := "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}"
	class := func(name, id string) string {
		return "\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: " + name + "}\nspec: {controller: " + id + "}\n"
	}
	// runs is a controller of some image with arguments, and the classes of the cluster.
	runs := func(image, args, classes string) string {
		text := fmt.Sprintf(nginx, "", args, "}", "203.0.113.1")
		return estate + backendService + strings.Replace(text[strings.Index(text, "---\napiVersion: v1"):],
			"registry.k8s.io/ingress-nginx/controller:v1.11.0", image, 1) + classes
	}
	lists := func(class, annotations string) string { return ing(class, ", annotations: {"+annotations+"}", at) }
	const key = "nginx.ingress.kubernetes.io/"
	const allow, deny = key + "whitelist-source-range: 198.51.100.0/24", key + "denylist-source-range: '0.0.0.0/0,::/0'"
	const none, named, edge = "", "ingressClassName: nginx,", "ingressClassName: edge,"
	const own, provider = "registry.k8s.io/ingress-nginx/controller:v1.12", "--providers.kubernetesIngressNginx"
	ofNginx := class("nginx", "k8s.io/ingress-nginx")
	byDefault := strings.Replace(ofNginx, "{name: nginx}", "{name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "+
		"\"true\"}}", 1)
	second := func(image, args string) string {
		text := fmt.Sprintf(nginx, "", args, "}", "203.0.113.2")
		return strings.NewReplacer("registry.k8s.io/ingress-nginx/controller:v1.11.0", image, "name: ctl", "name: second", "app: ctl",
			"app: second", "uid: c", "uid: d").Replace(text[strings.Index(text, "---\napiVersion: v1\nkind: Pod"):])
	}
	const other = "ingress-nginx/Service/second > ingress-nginx/Pod/second 80/TCP any"
	open, limited, unsure := []string{ctl, web + "any"}, []string{ctl, web + some}, []string{ctl, web + "any ?"}
	run(t, []test{
		{"ingress-nginx", runs(own, "", ofNginx) + lists(named, allow), limited, nil},
		{"ingress-nginx, kept out", runs(own, "", ofNginx) + lists(named, deny), []string{ctl}, nil},
		{"by the newer of two names", runs(own, "", ofNginx) + lists(named, key+"allowlist-source-range: 203.0.113.0/24, "+allow),
			[]string{ctl, web + "ranges 203.0.113.0/24"}, nil},
		{"the default class", runs(own, "", byDefault) + lists(none, allow), limited, nil},
		{"a foreign name for it", runs(own, "--controller-class=example.org/edge", class("edge", "example.org/edge")) + lists(edge, allow),
			limited, nil},
		{"of old, by the argument's own name", runs(own, "--ingress-class=edge", "") +
			lists(none, "kubernetes.io/ingress.class: edge, "+allow), limited, nil},
		{"without a class", runs(own, "--watch-ingress-without-class=true", "") + lists(none, allow), limited, nil},
		{"a foreign controller at the same address", runs("house/proxy:1", "", class("edge", "example.org/edge")) + lists(edge, allow),
			unsure, nil},
		{"a foreign controller, kept out", runs("house/proxy:1", "", class("edge", "example.org/edge")) + lists(edge, deny), unsure, nil},
		{"a foreign controller, a few kept out", runs("house/proxy:1", "", class("edge", "example.org/edge")) +
			lists(edge, key+"denylist-source-range: 198.51.100.0/24"), open, nil},
		{"a foreign controller and a list of everybody", runs("house/proxy:1", "", class("edge", "example.org/edge")) +
			lists(edge, key+"whitelist-source-range: '0.0.0.0/0,::/0'"), open, nil},
		{"a class of which no object was seen", runs("house/proxy:1", "", "") + lists(edge, allow), unsure, nil},
		{"no class at all", runs("house/proxy:1", "", "") + lists(none, allow), unsure, nil},
		{"another image under the name of nginx", runs("house/proxy:1", "", ofNginx) + lists(named, allow), unsure, nil},
		{"pods that were not found", estate + backendService + ofNginx + lists(named, allow), []string{web + "any ?"}, nil},
		{"F5's controller, which reads no such", runs("nginx/nginx-ingress:5", "", class("nginx", "nginx.org/ingress-controller")) +
			lists(named, allow), open, nil},
		{"F5's, with the annotation of old", runs("nginx/nginx-ingress:5", "", "") + lists(none, "kubernetes.io/ingress.class: nginx, "+allow),
			open, nil},
		{"two controllers, one of which does not read it", runs(own, "", ofNginx) + second("traefik:v3.6", provider) + lists(named, allow),
			[]string{ctl, other, web + "any"}, nil},
		{"Traefik in the place of ingress-nginx", runs("traefik:v3.7.1", provider, ofNginx) + lists(named, allow), limited, nil},
		{"by its other name", runs("docker.io/library/traefik:3.7", provider+"=true", ofNginx) +
			lists(named, strings.Replace(allow, "whitelist", "allowlist", 1)), limited, nil},
		{"a version that comes after", runs("traefik:v4.0.0-rc1", provider, ofNginx) + lists(named, allow), limited, nil},
		{"before it could", runs("traefik:v3.6.24", provider, ofNginx) + lists(named, allow), open, nil},
		{"first with it", runs("traefik:v3.5", provider, ofNginx) + lists(named, allow), open, nil},
		{"some version", runs("traefik:v3", provider, ofNginx) + lists(named, allow), unsure, nil},
		{"the newest, on the day of its build", runs("traefik", provider, ofNginx) + lists(named, allow), unsure, nil},
		{"a digest", runs("traefik@sha256:"+strings.Repeat("0", 64), provider, ofNginx) + lists(named, allow), unsure, nil},
		{"a tag beside a digest", runs("traefik:v3.7.2@sha256:"+strings.Repeat("0", 64), provider, ofNginx) + lists(named, allow), limited,
			nil},
		{"Traefik reads no list of those to keep out", runs("traefik:v3.7.1", provider, ofNginx) + lists(named, deny), open, nil},
		{"Traefik of its own class", runs("traefik:v3.7.1", "--providers.kubernetesingress, "+provider,
			class("traefik", "traefik.io/ingress-controller")) + lists("ingressClassName: traefik,", allow), open, nil},
	})
}

func TestABackendsConfigurationMayKeepClientsOut(t *testing.T) {
	const web = "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any"
	configured := strings.Replace(backendService, "name: web",
		"annotations: {cloud.google.com/backend-config: '{\"default\": \"armor\"}'}, name: web", 1)
	of := func(class string) string {
		return ing("", ", annotations: {kubernetes.io/ingress.class: "+class+"}", "status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}")
	}
	run(t, []test{
		{"GKE's", estate + configured + of("gce"), []string{web + " ?"}, nil},
		{"none", estate + backendService + of("gce"), []string{web}, nil},
		{"of a cloud that does not read it", estate + configured + of("azure-application-gateway"), []string{web}, nil},
	})
}

func TestPoliciesBehindAnIngress(t *testing.T) {
	ctl := "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	web := "shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any"
	all := estate + calico + backendService + controllerOpen + ing("ingressClassName: nginx,", "", "")
	fromNginx := np(`{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {name: ingress-nginx}}}]}]}`)
	ctlPolicy := func(spec string) string {
		return strings.Replace(np(spec), "namespace: shop", "namespace: ingress-nginx", 1)
	}
	run(t, []test{
		{"allow from ingress-nginx does not hide the way", all + fromNginx, []string{ctl, web}, nil},
		{"deny all does", all + np(`{podSelector: {}}`), []string{ctl}, []string{"shop/Pod/web by p"}},
		{"allow the internet only is not for the controller", all +
			np(`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}`), []string{ctl}, []string{"shop/Pod/web by p"}},
		{"deny all, enforced by nothing", strings.Replace(all, calico, flannel, 1) + np(`{podSelector: {}}`), []string{ctl, web}, nil},
		{"deny all, enforcement unknown", strings.Replace(all, calico, "", 1) + np(`{podSelector: {}}`), []string{ctl, web + " ?"}, nil},
		{"the controller may not send", all + ctlPolicy(`{podSelector: {}, policyTypes: [Egress]}`), []string{ctl},
			[]string{"shop/Pod/web by p"}},
		{"the controller may not be reached", all + ctlPolicy(`{podSelector: {}}`), nil, []string{"ingress-nginx/Pod/ctl by p"}},
		{"a controller that was not found may be one the policy allows", estate + calico + backendService +
			ing("ingressClassName: house,", "", "status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}") + fromNginx,
			[]string{web + " ?"}, nil},
		{"but not if the policy allows nobody", estate + calico + backendService + ing("ingressClassName: house,", "",
			"status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}") + np(`{podSelector: {}}`), nil, []string{"shop/Pod/web by p"}},
		{"a load balancer to the same pods is judged by itself",
			all + fromNginx + strings.Replace(strings.Replace(balancer("", ""), "name: web", "name: direct", 1), "uid: u", "uid: d", 1),
			[]string{ctl, web}, []string{"shop/Pod/web by p"}},
	})
}

func TestAControllerOnTheHostsNetworkIsItsNode(t *testing.T) {
	host := strings.Replace(public, "n2", "n1", 1) + fmt.Sprintf(nginx, "hostNetwork: true,", "", "}", "10.0.0.1")
	beside := strings.NewReplacer("name: web, namespace", "name: beside, namespace", "nodeName: n2",
		"nodeName: n1").Replace(estate[strings.Index(estate, "---\napiVersion: v1\nkind: Pod"):])
	ctl := "Node/n1 > ingress-nginx/Pod/ctl 80/TCP any"
	run(t, []test{{"no policy keeps it from the pods beside it", estate + beside + calico + backendService + host +
		ing("ingressClassName: nginx,", "", "") + np(`{podSelector: {}}`),
		[]string{ctl, "shop/Ingress/web > shop/Service/web > shop/Pod/beside 8080/TCP any"}, []string{"shop/Pod/web by p"}}})
}

func TestAManifestWithoutTheClusterKeepsItsIngressMarked(t *testing.T) {
	app := estate[strings.Index(estate, "---\napiVersion: v1\nkind: Pod"):] + backendService
	const class = "\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n"
	web := []string{"shop/Ingress/web > shop/Service/web > shop/Pod/web 8080/TCP any ?"}
	taken, not := ing("ingressClassName: nginx,", "", ""), strings.Replace(ing("ingressClassName: nginx,", "", ""), ", uid: i", "", 1)
	run(t, []test{
		{"nothing of the cluster", app + taken, web, nil},
		{"its class beside it", app + class + not, web, nil},
		{"its class beside it, in a cluster", app + class + taken, nil, nil},
		{"its class and a node beside it", estate + backendService + class + not, nil, nil},
	})
}
