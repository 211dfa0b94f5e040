package netpol

import (
	"encoding/json"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// FuzzPoliciesOfPlugins holds that whatever a policy of Cilium or Calico says, it is
// judged or told as a gap, and that the classes agree with asking.
func FuzzPoliciesOfPlugins(f *testing.F) {
	for _, spec := range []string{
		`{"endpointSelector":{},"ingress":[{"fromEndpoints":[{"matchLabels":{"k8s:app":"web"}}],` +
			`"toPorts":[{"ports":[{"port":"80","endPort":90}]}]}]}`,
		`{"endpointSelector":{},"egressDeny":[{"toCIDRSet":[{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}]}],` +
			`"egress":[{"toEntities":["cluster"]}]}`,
		`{"selector":"app == ` +
			`'web'","types":["Ingress"],"ingress":[{"action":"Deny","protocol":"TCP","source":{"nets":["10.1.0.0/16"],"notNets":["10.1.0.1"]},` +
			`"destination":{"ports":["80:90","http",443],"notPorts":[85]}},{"action":"Pass","ipVersion":4}]}`,
		`{"order":1.5,"egress":[{"action":"Allow","destination":{"services":{"name":"db"},"notSelector":"has(a)"},"notProtocol":17}]}`,
	} {
		f.Add([]byte(spec))
	}
	f.Fuzz(func(t *testing.T, spec []byte) {
		facts := manifests.Facts(t, world, lookup, lists)
		c := &collect.CiliumNetworkPolicy{Spec: &collect.CiliumPolicy{}}
		if json.Unmarshal(spec, c.Spec) == nil {
			facts.CiliumNetworkPolicies[collect.Key{Namespace: "shop", Name: "c"}] = c
		}
		g := &collect.CalicoNetworkPolicy{}
		if json.Unmarshal(spec, &g.Spec) == nil {
			facts.CalicoGlobalNetworkPolicies[collect.Key{Name: "g"}] = g
		}
		agree(t, facts, string(spec))
	})
}
