package admission

import (
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
)

// RefusesAccount says that a policy lets in pods of a namespace, but none that runs as this account. Where policies
// ask who makes the pod, nothing is said.
func (j *Judge) RefusesAccount(namespace, account string) bool {
	read, ok := j.namespaces[collect.Key{Name: namespace}]
	if !ok || j.asksWho() || !slices.ContainsFunc(j.policies, func(p *policy) bool { return p.accounts }) {
		return false
	}
	return j.best(place{name: namespace, labels: labelsOf(read), account: account}, probes().harmless) == Refused
}
