package remedy

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
)

func TestADoorIsClosedWholeAndNoOtherWithIt(t *testing.T) {
	service := func(name, spec string) string {
		return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", namespace: shop}\nspec: {" + spec +
			" selector: {app: " + name + "}, ports: [{port: 80}]}\n"
	}
	ingress := func(lines ...string) string {
		return "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\nspec:\n  " +
			strings.Join(lines, "\n  ") + "\n"
	}
	to := func(name string) string { return "{service: {name: " + name + ", port: {number: 80}}}" }
	rule := func(host string, names ...string) string {
		var paths []string
		for _, n := range names {
			paths = append(paths, "{path: /"+n+", pathType: Prefix, backend: "+to(n)+"}")
		}
		return "- {host: " + host + ", http: {paths: [" + strings.Join(paths, ", ") + "]}}"
	}
	const svc, ing, pod = "Service c/shop/Service/web", "Ingress c/shop/Ingress/web", "Pod c/shop/Pod/web"
	const gone = "none: the pods are no longer there"
	onNode := strings.Replace(estate(""), "    spec:\n", "    spec:\n      hostNetwork: true\n", 1)
	both := service("web", "") + service("client", "")
	for _, c := range []struct{ name, manifests, door, title, want string }{
		{"a port on every node", estate(service("web", "type: NodePort,")), svc, "", "patch Service shop/web\nspec:\n  type: ClusterIP"},
		{"a load balancer for some addresses", estate(service("web", "type: LoadBalancer, loadBalancerSourceRanges: [198.51.100.0/24],")),
			svc, "",
			"patch Service shop/web\nspec:\n  loadBalancerSourceRanges: null\n  type: ClusterIP"},
		{"addresses outside", estate(service("web", "externalIPs: [203.0.113.9],")), svc, "",
			"patch Service shop/web\nspec:\n  externalIPs: null"},
		{"a service that is gone", estate(""), svc, "", "none: the service is no longer there"},
		{"an ingress that is gone", estate(""), ing, "", "none: the ingress is no longer there"},
		{"all that an ingress is for", estate(both + ingress("defaultBackend: "+to("web"))), ing, "", "delete Ingress shop/web"},
		{"what no rule is about, beside one for others", estate(both + ingress("defaultBackend: "+to("web"), "rules:", rule("b",
			"client"))), ing, "",
			"patch Ingress shop/web\nspec:\n  defaultBackend: null\n  rules:\n  - host: b\n"},
		{"one rule, beside what no rule is about", estate(both + ingress("defaultBackend: "+to("client"), "rules:", rule("a", "web"))), ing, "",
			"patch Ingress shop/web\nspec:\n  rules: []"},
		{"one path of two", estate(both + ingress("rules:", rule("a", "web", "client"))), ing, "",
			"patch Ingress shop/web\nspec:\n  rules:\n  - host: a\n    http:\n      paths:\n      - backend:\n" +
				"          service:\n            name: client\n"},
		{"a rule without paths stays", estate(both + ingress("rules:", "- {host: z}", rule("a", "web"))), ing, "",
			"patch Ingress shop/web\nspec:\n  rules:\n  - host: z"},
		{"rules for others alone", estate(both + ingress("rules:", rule("b", "client"))), ing, "",
			"none: no rule of ingress shop/web leads straight to the pods"},
		{"a service without a selector leads nowhere", estate(strings.ReplaceAll(both, "selector: {app: web}", "clusterIP: None") +
			ingress("rules:", rule("a", "web"))), ing, "", "none: no rule of ingress shop/web leads straight to the pods"},
		{"pods on their node's network", onNode, pod, analyse.OffHostNetwork,
			"patch Deployment shop/web\nspec:\n  template:\n    spec:\n      hostNetwork: false"},
		{"their ports of the node go, too", strings.Replace(onNode, "image: reg.test/app:1\n        \n",
			"image: reg.test/app:1\n        ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81}]\n", 1), pod, analyse.OffHostNetwork,
			"patch Deployment shop/web\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        ports:\n" +
				"        - containerPort: 80\n          hostPort: null\n          protocol: TCP\n"},
		{"pods that are gone", estate(""), "Pod c/shop/Pod/old", analyse.OffHostNetwork, gone},
		{"pods that are gone, by a policy", estate(""), "Pod c/shop/Pod/old", "", gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := analyse.Path{Cluster: "c", Foothold: analyse.Thing{Namespace: "shop", Workload: "Deployment/web"},
				Fixes: []analyse.Fix{{Kind: "exposure", Title: c.title, Concerns: []string{c.door}}}}
			if got := told(maker(t, c.manifests), p); !strings.HasPrefix(got, c.want) || strings.Contains(got, "name: web\n            port") {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAPowerIsTakenFromThoseOnThePathWhoHoldIt(t *testing.T) {
	rules := `{apiGroups: [""], resources: [pods/exec, pods], verbs: [get, create]}`
	manifests := strings.NewReplacer("RULES", rules, "OTHER", "").Replace(twoBound)
	account := analyse.Thing{ID: "c/shop/ServiceAccount/app", Kind: "ServiceAccount"}
	other := analyse.Thing{ID: "c/shop/ServiceAccount/other", Kind: "ServiceAccount"}
	const permission = "c/shop/Permission/exec-pods"
	holds := func(who analyse.Thing, edge, what string) analyse.Path {
		p := by("change-pod-image", "Permission "+permission)
		p.Nodes = []analyse.Thing{other, account}
		p.Steps = []analyse.Step{{From: who.ID, Edge: edge, To: what}}
		return p
	}
	const nobody = "none: nobody on the path is granted the permission: it ends with the power that leads to it"
	for _, c := range []struct {
		name string
		path analyse.Path
		want string
	}{
		{"who holds it", holds(account, "HOLDS", permission), "patch Role shop/work"},
		{"who holds another", holds(account, "HOLDS", "c/shop/Permission/read-secrets"), nobody},
		{"what leads to it otherwise", holds(account, "CAN_ESCALATE_TO", permission), nobody},
		{"who is not drawn", holds(analyse.Thing{ID: "x"}, "HOLDS", permission), nobody},
		{"who is granted it by nothing that is seen", holds(other, "HOLDS", permission),
			"none: what grants it to ServiceAccount shop/other cannot be told apart from what else it is granted"},
	} {
		m := maker(t, manifests)
		if got := told(m, c.path); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestWhatEachMountTokenAndImageBecomes(t *testing.T) {
	const app = "Container c/shop/Pod/web/app"
	two := func(app, log, volumes string) string {
		return workload("Deployment", "volumes: ["+volumes+"]", app+"\n      - name: log\n        image: log\n        "+log)
	}
	mount := func(volume, more string) string {
		return "volumeMounts: [{name: " + volume + ", mountPath: /" + volume + more + "}]"
	}
	const host, empty = "{name: host, hostPath: {path: /}}", "{name: scratch, emptyDir: {}}"
	const access = "{name: kube-api-access-x, projected: {sources: [{serviceAccountToken: {path: token}}]}}"
	digest := func(id string) func(*Maker) {
		return func(m *Maker) {
			for _, p := range m.facts.Pods {
				p.Images = &collect.Images{IDs: []string{id}}
			}
		}
	}
	const out = "volumeMounts:\n        - $patch: delete\n          mountPath: /host"
	for _, c := range []struct {
		name, technique, manifests string
		change                     func(*Maker)
		want, lacks                string
	}{
		{"a folder that another container keeps", "host-root-folder", two(mount("host", ""), mount("host", ""), host), nil, out, "name: host"},
		{"a folder that no other has", "host-root-folder", two(mount("host", ""), mount("scratch", ""), host+", "+empty), nil,
			"volumes:\n      - $patch: delete\n        name: host", "scratch"},
		{"a folder beside one of the pod's own", "host-root-folder", two("volumeMounts: [{name: host, mountPath: /host}, "+
			"{name: scratch, mountPath: /scratch}]", "", host+", "+empty), nil, out, "/scratch"},
		{"a part of a folder that hangs on the pod", "host-root-folder", two(mount("host", ", subPathExpr: $(POD)"), "", host), nil,
			out, "none: "},
		{"a part of a folder", "host-root-folder", two(mount("host", ", subPath: tmp"), "", host), nil, "none: ", "patch"},
		{"a token that admission put in", "service-account-token", two(mount("kube-api-access-x", ""), mount("kube-api-access-x", ""),
			access), nil,
			"automountServiceAccountToken: false", "gives the token"},
		{"and is mounted nowhere any more", "service-account-token", two(mount("kube-api-access-x", ""), mount("scratch", ""),
			access+", "+empty), nil,
			"mountPath: /kube-api-access-x", "mountPath: /scratch"},
		{"a token for somebody else", "service-account-token",
			two("", "", "{name: vault, projected: {sources: [{serviceAccountToken: {path: t, audience: vault}}]}}"), nil,
			"automountServiceAccountToken: false", "vault"},
		{"an image by what runs", "registry-push", two("", "", empty), digest("reg.test/app@sha256:1"), "image: reg.test/app@sha256:1", ":1@"},
		{"of a registry with a port", "registry-push", strings.Replace(two("", "", empty), "reg.test/app:1", "reg.test:5000/app", 1),
			digest("reg.test:5000/app@sha256:1"), "image: reg.test:5000/app@sha256:1", "@sha256:1@"},
		{"that is named by a digest already", "registry-push", strings.Replace(two("", "", empty), "reg.test/app:1",
			"reg.test/app:1@sha256:0", 1),
			digest("reg.test/app@sha256:1"), "image: reg.test/app@sha256:1", "sha256:0"},
		{"of which no digest is known", "registry-push", two("", "", empty), digest("sha256"),
			"none: which image container app runs is not known", "patch"},
		{"more containers than images", "registry-push", two("", "", empty), func(m *Maker) {
			for _, p := range m.facts.Pods {
				p.Images = &collect.Images{}
			}
		}, "none: which image container app runs is not known", "patch"},
		{"a container that is gone", "privileged-container", strings.Replace(two("", "", empty), "name: app", "name: other", 1), nil,
			"none: container app is no part of Deployment shop/web: it goes with its pod", "patch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := maker(t, c.manifests)
			if c.change != nil {
				c.change(m)
			}
			if got := told(m, by(c.technique, app)); !strings.Contains(got, c.want) || strings.Contains(got, c.lacks) {
				t.Errorf("got\n%s\nwant %q, not %q", got, c.want, c.lacks)
			}
		})
	}
}
