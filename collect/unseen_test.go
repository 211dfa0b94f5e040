package collect

import "testing"

func TestAResourceIsUnseenByItsGap(t *testing.T) {
	f := NewFacts()
	for _, g := range []Gap{
		{Source: "api", What: "roles.rbac.authorization.k8s.io"}, {Source: "api", What: "services"},
		{Source: "file", What: "networkpolicies.networking.k8s.io"}, {Source: "api", What: "gateways.gateway.networking.k8s.io"},
		{Source: "api", What: "pods.metrics.example.org"}, {Source: "judge", What: "nodes"},
	} {
		f.Apply(Change{Op: GapOpen, Gap: &g})
	}
	for resource, want := range map[string]bool{"roles": true, "services": true, "networkpolicies": true, "gateways": true,
		"role": false, "pods": false, "nodes": false} {
		if _, unseen := f.Unseen(resource); unseen != want {
			t.Errorf("%s unseen = %v, want %v", resource, unseen, want)
		}
	}
}
