package exposure

import (
	"fmt"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

func TestEachClosedPortNamesThePolicyThatClosesIt(t *testing.T) {
	// The pod lets in only 9090 and the controller may send only to 8080: each port has its own obstacle.
	both := ing("ingressClassName: nginx,", "", "") + `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: ingress-nginx}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{ports: [{port: 8080}]}]}
`
	two := svc(`{selector: {app: web}, ports: [{name: a, port: 80, targetPort: 8080}, {name: b, port: 80, protocol: UDP, `+
		`targetPort: 9090}]}`, "}")
	r := judged(manifests.Facts(t, estate+calico+controllerOpen+two+both+
		np(`{podSelector: {}, ingress: [{ports: [{port: 9090, protocol: UDP}]}]}`)))
	var got []string
	for _, c := range r.Closed {
		got = append(got, fmt.Sprint(c.To.ID(), " ", portList(c.Ports), " by ", c.Policy.Name))
	}
	slices.Sort(got)
	want := []string{"shop/Pod/web 8080/TCP by p", "shop/Pod/web 9090/UDP by out"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAHopNamesAPolicyOnlyWhereOneHadASay(t *testing.T) {
	for _, test := range []struct{ name, policy, want string }{
		{"no policy selects the pod", "", ""},
		{"a policy allows it", np(`{podSelector: {}, ingress: [{}]}`), "ingress rule 0 of NetworkPolicy shop/p allows it"},
	} {
		r := judged(manifests.Facts(t, estate+calico+balancer("", "")+test.policy))
		if got := r.Routes[0].Hops[1].Policy; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
