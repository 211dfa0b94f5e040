package admission

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// Removal is what somebody may delete or empty of the guards: policies, bindings of policies, or both.
type Removal struct {
	Policies, Bindings bool
	// Names are those of the objects; all of them where there are none.
	Names []string
}

func (r Removal) removes(name string) bool {
	return len(r.Names) == 0 || slices.Contains(r.Names, name)
}

// Unguarded says that policies are all that keeps pods that take over their node out of a namespace, and
// that the removal lets them in.
func (j *Judge) Unguarded(namespace string, r Removal) bool {
	if len(j.policies) == 0 || j.Takeover(namespace).Pod == Admitted {
		return false
	}
	left := *j
	left.policies = nil
	for _, p := range j.policies {
		if r.Policies && r.removes(p.name) {
			continue
		}
		rest := *p
		if r.Bindings {
			rest.bindings = slices.DeleteFunc(slices.Clone(p.bindings), func(b binding) bool { return r.removes(b.name) })
		}
		left.policies = append(left.policies, &rest)
	}
	return left.Takeover(namespace).Pod == Admitted
}

// binding is one by which a policy denies, with what it is bound for.
type binding struct {
	name string
	of   *admissionv1.MatchResources
}
