package analyse

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// TestWhatAsksNobodyIsToldWithoutVulnerabilities: a program that is made to run code, and a
// kubelet that runs commands for anybody, in images of which nothing is known.
func TestWhatAsksNobodyIsToldWithoutVulnerabilities(t *testing.T) {
	const pod = `
---
apiVersion: v1
kind: Pod
metadata: {name: tiller, namespace: shop, labels: {app: tiller}}
spec:
  nodeName: n1
  containers: [{name: tiller, image: ghcr.io/helm/tiller:v2.17.0, ports: [{containerPort: 44134}]}]
`
	const service = `
---
apiVersion: v1
kind: Service
metadata: {name: tiller, namespace: shop}
spec: {type: LoadBalancer, selector: {app: tiller}, ports: [{port: 44134}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.4}]}}
`
	const kubelet = `
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: ExternalIP, address: 203.0.113.9}]}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}}
authorization: {mode: AlwaysAllow}
`
	for _, c := range []struct {
		manifests, title, story string
		fixes                   []string
	}{
		{pod + service,
			"Internet exposed Kubernetes pod is running a container with a program that runs code for anybody: tiller of Pod tiller in shop",
			"From there an attacker runs code in container tiller: program that runs code for anybody is exposed to the internet.",
			[]string{"Let nobody reach it but those who need it", "Narrow the exposure through service tiller",
				"Restrict who may connect with a NetworkPolicy"}},
		{pod + kubelet, "Kubernetes pod on a node whose kubelet answers anybody on the internet runs code for them: tiller of Pod tiller in shop",
			"From there an attacker runs code in container tiller: kubelet that is exposed to the internet runs commands for anybody.",
			[]string{"Set `authentication.anonymous.enabled: false` and `authorization.mode: Webhook` in the kubelet's configuration",
				"Narrow the exposure through node n1"}},
	} {
		_, paths := analysed(t, manifests.Facts(t, c.manifests), builtIn(t), nil)
		if len(paths) != 1 {
			t.Fatalf("%d paths, want one: %s", len(paths), c.title)
		}
		p := paths[0]
		var fixes []string
		for _, f := range p.Fixes {
			fixes = append(fixes, f.Title)
		}
		if story := strings.Join(p.Story, " "); p.Title != c.title || p.Story[len(p.Story)-1] != c.story || strings.Contains(story, "vulnerab") {
			t.Errorf("%s\n%s", p.Title, story)
		}
		if !slices.Equal(fixes, c.fixes) {
			t.Errorf("%s: fixes %q, want %q", p.Title, fixes, c.fixes)
		}
		if !slices.ContainsFunc(p.RiskFactors, func(f Factor) bool { return f.Name == "asks nobody" }) {
			t.Errorf("%s: risk of %+v", p.Title, p.RiskFactors)
		}
	}
}
