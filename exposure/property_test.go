package exposure

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// town is everything at once: balancers, ingress, gateway, public nodes.
func town() string {
	host := "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: agent, namespace: shop, labels: {app: agent}}\nspec: {nodeName: n2, " +
		"hostNetwork: true, containers: [{name: c, image: a, ports: [{containerPort: 9100}]}]}\n"
	direct := strings.Replace(strings.Replace(balancer("", ""), "name: web", "name: direct", 1), "uid: u", "uid: d", 1)
	more := ""
	for i := range 5 {
		more += fmt.Sprintf("\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web-%d, namespace: shop, labels: {app: web, n: "+
			"'%d'}}\nspec: {nodeName: n%d, containers: [{name: c, image: web, ports: [{name: http, containerPort: 8080}]}]}\n", i, i%2,
			1+i%2)
	}
	return estate + public + backendService + controllerOpen + envoy + route + ing("ingressClassName: nginx,", "", "") + host + direct +
		more
}

func tell(r *Result) string {
	var b strings.Builder
	for _, route := range r.Routes {
		b.WriteString(route.Explain())
	}
	for _, h := range r.Hops() {
		fmt.Fprintln(&b, *h)
	}
	fmt.Fprintln(&b, r.Entities, r.Closed, r.Gaps)
	return b.String()
}

func TestTheResultIsTheSameInEveryRun(t *testing.T) {
	text := town() + np(`{podSelector: {matchLabels: {n: "1"}}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}`)
	want := tell(judged(manifests.Facts(t, text)))
	for range 20 {
		if got := tell(judged(manifests.Facts(t, text))); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// pairs are the entry and the pod of each route.
func pairs(r *Result) map[string]bool {
	out := map[string]bool{}
	for _, route := range r.Routes {
		out[route.Hops[0].To.ID()+" "+route.Target().ID()] = true
	}
	return out
}

func TestAPolicyNeverOpensAndOneThatNothingEnforcesNeverCloses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	open := pairs(judged(manifests.Facts(t, town())))
	if len(open) < 10 {
		t.Fatalf("only %d ways in", len(open))
	}
	for range 60 {
		policy := np("{podSelector: " + pick("{}", "{matchLabels: {app: web}}", `{matchLabels: {n: "1"}}`) +
			", policyTypes: [Ingress], ingress: [{from: " +
			pick("[]", "[{podSelector: {}}]", "[{namespaceSelector: {}}]", "[{ipBlock: {cidr: 0.0.0.0/0}}]",
				"[{ipBlock: {cidr: 192.168.0.0/24}}]", "[{ipBlock: {cidr: 10.0.0.0/8}}]") +
			", ports: " + pick("[]", "[{port: 8080}]", "[{port: http}]", "[{port: 9}]") + "}]}")
		for pair := range pairs(judged(manifests.Facts(t, town()+calico+policy))) {
			if !open[pair] {
				t.Fatalf("%s\nopens %s", policy, pair)
			}
		}
		if free := pairs(judged(manifests.Facts(t, town()+flannel+policy))); len(free) != len(open) {
			t.Fatalf("%s\nis enforced by nothing and leaves %d of %d ways in", policy, len(free), len(open))
		}
		if unsure := pairs(judged(manifests.Facts(t, town()+policy))); len(unsure) != len(open) {
			t.Fatalf("%s\nmay be enforced by nothing and leaves %d of %d ways in", policy, len(unsure), len(open))
		}
	}
}
