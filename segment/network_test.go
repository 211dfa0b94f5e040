package segment

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

func TestWhatServicesIngressesAndPoliciesSayOfThemselves(t *testing.T) {
	head := func(kind, version, spec string) string {
		return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: it, namespace: shop}\nspec: " + spec + "\n"
	}
	service := func(spec string) string { return head("Service", "v1", spec) }
	ingress := func(spec string) string { return head("Ingress", "networking.k8s.io/v1", spec) }
	policy := func(spec string) string { return head("NetworkPolicy", "networking.k8s.io/v1", spec) }
	const to = "{service: {name: web, port: {number: 80}}}"
	for _, c := range []struct{ name, manifest, kind, properties, want string }{
		{"a service of the cluster", service("{ports: [{port: 80}, {port: 53, protocol: UDP}]}"), "Service", "type ports addresses",
			"ClusterIP 80/TCP,53/UDP "},
		{"a load balancer", service("{type: LoadBalancer, externalIPs: [203.0.113.9], ports: [{port: 80}]}") +
			"status: {loadBalancer: {ingress: [{ip: 203.0.113.7}, {hostname: lb.test}]}}\n", "Service", "type ports addresses",
			"LoadBalancer 80/TCP 203.0.113.7,lb.test,203.0.113.9"},
		{"an ingress for hosts", ingress("{ingressClassName: nginx, tls: [{secretName: s}], rules: [{host: a}, {host: b}, {host: a}, {}]}"),
			"Ingress", "hosts tls class", "a,b,* true nginx"},
		{"an ingress for every host", ingress("{defaultBackend: " + to + "}"), "Ingress", "hosts tls", "* false"},
		{"for one, and what no rule is about", ingress("{defaultBackend: " + to + ", rules: [{host: a}]}"), "Ingress", "hosts tls", "a false"},
		{"an ingress for nothing", ingress("{}"), "Ingress", "hosts tls", " false"},
		{"a policy that says no direction", policy("{podSelector: {}}"), "NetworkPolicy", "ingress egress", "true false"},
		{"and has rules for egress", policy("{podSelector: {}, egress: [{}]}"), "NetworkPolicy", "ingress egress", "true true"},
		{"a policy for egress", policy("{podSelector: {}, policyTypes: [Egress]}"), "NetworkPolicy", "ingress egress", "false true"},
		{"a policy for ingress, whose other rules mean nothing",
			policy("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}"), "NetworkPolicy",
			"ingress egress", "true false"},
		{"a policy for both", policy("{podSelector: {}, policyTypes: [Ingress, Egress]}"), "NetworkPolicy", "ingress egress", "true true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := manifests.Facts(t, c.manifest)
			n, there := view(t, f).Node(c.kind, f.Cluster.Name+"/shop/"+c.kind+"/it")
			if !there {
				t.Fatalf("no %s", c.kind)
			}
			var said []string
			for p := range strings.FieldsSeq(c.properties) {
				v := n.Value(p)
				if slices.Contains([]string{"ports", "addresses", "hosts"}, p) {
					said = append(said, strings.Join(v.List(), ","))
				} else {
					said = append(said, fmt.Sprint(v))
				}
			}
			if got := strings.Join(said, " "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAPolicySelectsPodsOnceWhateverItsDirections(t *testing.T) {
	const text = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, image: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: app, image: db}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: both, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}
`
	f := manifests.Facts(t, text)
	var got []string
	for p := range view(t, f).Nodes("NetworkPolicy") {
		for e := range p.Out("SELECTS") {
			got = append(got, p.Text("name")+" selects "+e.To.Text("name"))
		}
	}
	slices.Sort(got)
	if want := []string{"both selects web", "out selects db", "out selects web"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAServiceThatIsAnothersNameRoutesToIt(t *testing.T) {
	f := manifests.Facts(t, `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: web}
spec: {ingressClassName: nginx, rules: [{host: a.test, http: {paths: [{path: /, pathType: Prefix,
  backend: {service: {name: alias, port: {number: 80}}}}]}}]}
status: {loadBalancer: {ingress: [{ip: 34.12.1.9}]}}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: web}
spec: {type: ExternalName, externalName: api.shop.svc.cluster.local, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, image: i}]}
`)
	v := view(t, f)
	at, there := v.Node("Pod", f.Cluster.Name+"/shop/Pod/api")
	if !there {
		t.Fatal("no pod")
	}
	way := []string{at.Text("name")}
	for at.Kind() != "Internet" && len(way) < 9 {
		before := at
		for e := range at.In("ROUTES_TO") {
			at = e.From
			way = append(way, strings.Join(e.Value("ports").List(), ","), e.From.Kind()+" "+e.From.Text("name"))
		}
		if at == before {
			break
		}
	}
	const want = "api; 8080/TCP; Service api; 80/TCP; Service alias; 80/TCP; Ingress front; 80/TCP; Internet Internet"
	if got := strings.Join(way, "; "); got != want {
		t.Errorf("the way back is %s, want %s", got, want)
	}
}
