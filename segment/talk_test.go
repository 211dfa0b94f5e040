package segment

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// town is a pod that sends, a cache that declares its port, a server that only a Service
// says to listen, and a plugin that enforces policies.
const town = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, image: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cache, namespace: shop, labels: {app: cache}}
spec:
  initContainers: [{name: setup, image: setup, ports: [{containerPort: 1}]}]
  containers: [{name: redis, image: "redis:7", ports: [{containerPort: 6379}, {containerPort: 9121}]}, {name: log, image: log}]
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: app, image: api}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: shop, labels: {app: cache}}
spec: {containers: [{name: redis, image: "redis:7", ports: [{containerPort: 6379}]}]}
status: {phase: Succeeded}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "calico/node:v3"}]}}}
`

const onlyMetrics = `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: metrics, namespace: shop}
spec: {podSelector: {matchLabels: {app: cache}}, policyTypes: [Ingress], ingress: [{ports: [{port: 9121}]}]}
`

func TestWhoCanTalkToWhatListens(t *testing.T) {
	for _, c := range []struct {
		name, more string
		want       []string
	}{
		{"no policy", "", []string{"api/app on 8080/TCP", "cache/redis on 6379/TCP 9121/TCP", "cache/redis on 6379/TCP, asks nobody"}},
		{"a policy that opens another port of the cache", onlyMetrics, []string{"api/app on 8080/TCP", "cache/redis on 9121/TCP"}},
		{"a policy that nothing is known to enforce", onlyMetrics,
			[]string{"api/app on 8080/TCP", "cache/redis on 6379/TCP 9121/TCP, uncertain", "cache/redis on 6379/TCP, asks nobody, uncertain",
				"cache/redis on 9121/TCP"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := town + c.more
			if strings.Contains(c.name, "nothing is known") {
				text = strings.ReplaceAll(text, "calico/node:v3", "example.org/some-plugin")
			}
			if got := reached(t, text, "shop/Pod/web/app"); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// reached is what a container can talk to over the classes of the graph, but for itself.
func reached(t *testing.T, text, from string) (out []string) {
	t.Helper()
	f := manifests.Facts(t, text)
	v := view(t, f)
	c, ok := v.Node("Container", f.Cluster.Name+"/"+from)
	if !ok {
		t.Fatalf("no container %s", from)
	}
	for sends := range c.Out("TALKS_AS") {
		for talks := range sends.To.Out("CAN_TALK_TO") {
			for listens := range talks.To.In("LISTENS_AS") {
				text := listens.From.Text("pod") + "/" + listens.From.Text("name") + " on " + strings.Join(talks.Value("ports").List(), " ")
				if listens.Value("open").Bool() {
					text += ", asks nobody"
				}
				if talks.Value("uncertain").Str() != "" {
					text += ", uncertain"
				}
				out = append(out, text)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
