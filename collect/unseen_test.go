package collect

import "testing"

func TestAResourceIsUnseenByItsGap(t *testing.T) {
	f := NewFacts()
	for _, what := range []string{"roles.rbac.authorization.k8s.io", "services"} {
		f.Apply(Change{Op: GapOpen, Gap: &Gap{Source: "api", What: what}})
	}
	for resource, want := range map[string]bool{"roles": true, "services": true, "role": false, "pods": false} {
		if _, unseen := f.Unseen(resource); unseen != want {
			t.Errorf("%s unseen = %v, want %v", resource, unseen, want)
		}
	}
}
