package admission

import (
	"fmt"
	"sync"

	"k8s.io/pod-security-admission/api"
	standards "k8s.io/pod-security-admission/policy"

	"github.com/breakwater-sec/breakwater/collect"
)

// podSecurity is Pod Security admission: the levels of namespaces. Its own configuration,
// a file of the API server's, is not seen; by default it excepts nobody and enforces
// nothing but what labels say.
type podSecurity struct{ evaluator standards.Evaluator }

// firstSecurity is the minor version of Kubernetes 1 in which Pod Security admission is on.
const firstSecurity = 23

var evaluator = sync.OnceValues(func() (standards.Evaluator, error) { return standards.NewEvaluator(standards.DefaultChecks(), nil) })

func newPodSecurity(f *collect.Facts) podSecurity {
	minor := 0
	if n, _ := fmt.Sscanf(f.Cluster.Version, "v1.%d", &minor); n == 1 && minor < firstSecurity {
		return podSecurity{}
	}
	e, err := evaluator()
	if err != nil {
		panic(err) // the checks are part of the program
	}
	return podSecurity{e}
}

// privileged is what a namespace without labels enforces.
var privileged = api.Policy{Enforce: api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}}

func (s podSecurity) admits(ns place, r *request) Verdict {
	if s.evaluator == nil || r.pod == nil {
		return Admitted
	}
	enforced, _ := api.PolicyToEvaluate(ns.labels, privileged) // a level that is none is read as restricted
	result := standards.AggregateCheckResults(s.evaluator.EvaluatePod(enforced.Enforce, &r.pod.ObjectMeta, &r.pod.Spec))
	if result.Allowed {
		return Admitted
	}
	return Refused
}
