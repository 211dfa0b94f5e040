// Package admission is the judge of one question: does the API server let in a pod that
// takes over the node it runs on? It tries pods of the kinds that do (probes) on Pod
// Security admission and on validating admission policies, as the API server
// evaluates them, and on OpenShift's constraints. What webhooks answer is not seen: where one is asked, it is not known.
//
// An attacker needs one way in: a namespace admits such pods if one probe passes all
// guards. What is not known does not protect, and is not called open either.
package admission

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// Verdict is an answer. They are ordered: an attacker takes the greatest.
type Verdict int

const (
	// Refused: each pod that could take over its node is refused.
	Refused Verdict = iota
	// Unknown: some pod may pass, by guards that could not be seen or decided.
	Unknown
	// Admitted: nothing refuses some pod that takes over its node.
	Admitted
)

// Takeover is what a namespace admits of pods that take over their node, by how they come to be.
type Takeover struct {
	Pod       Verdict // a new pod
	Workload  Verdict // the pods of a new or changed workload
	Debugging Verdict // a container that is added to a running pod
	// Relabelled is the answer for a new pod after the namespace's labels were changed at will.
	Relabelled Verdict
}

// Judge answers for one state of one cluster, for as long as its Facts are not changed.
type Judge struct {
	namespaces map[collect.Key]*corev1.Namespace
	security   podSecurity
	policies   []*policy
	openShift  *constraints
	webhooks   []webhook
	marks      []map[string]string
}

// New prepares the answers for a cluster.
func New(f *collect.Facts) *Judge {
	policies := policiesOf(f)
	return &Judge{namespaces: f.Namespaces, security: newPodSecurity(f), policies: policies, openShift: newConstraints(f),
		webhooks: webhooksOf(f), marks: marksOf(policies)}
}

// Takeover answers for one namespace. Of one that was not read, labels and with them
// the guards are not known.
func (j *Judge) Takeover(namespace string) Takeover {
	read, ok := j.namespaces[collect.Key{Name: namespace}]
	if !ok {
		return Takeover{Unknown, Unknown, Unknown, Unknown}
	}
	ns := place{name: namespace, labels: labelsOf(read)}
	out := Takeover{Pod: j.best(ns, probes().pods), Workload: j.best(ns, probes().workloads), Debugging: j.best(ns, probes().debugging)}
	for _, labels := range j.relabelled(ns) {
		out.Relabelled = max(out.Relabelled, j.best(place{name: namespace, labels: labels}, probes().pods))
	}
	return out
}

// New answers for a pod in a namespace that is not there yet, whose name and labels its maker chooses.
func (j *Judge) New() Verdict {
	ns := place{name: "new"}
	for {
		if _, taken := j.namespaces[collect.Key{Name: ns.name}]; !taken {
			break
		}
		ns.name += "-one"
	}
	ns.labels = map[string]string{corev1.LabelMetadataName: ns.name}
	best := Refused
	for _, labels := range j.relabelled(ns) {
		best = max(best, j.best(place{name: ns.name, labels: labels}, probes().pods))
	}
	return best
}

// Personal says that some guard asks who makes a request.
func (j *Judge) Personal() bool { return j.openShift != nil || j.asksWho() }

// asksWho says that some policy does.
func (j *Judge) asksWho() bool {
	return slices.ContainsFunc(j.policies, func(p *policy) bool { return p.personal })
}

// Excepted says that a pod of this user passes although those of others do not: policies may
// ask who makes it.
func (j *Judge) Excepted(namespace, user string, groups []string) bool {
	read, ok := j.namespaces[collect.Key{Name: namespace}]
	if !ok || !j.Personal() {
		return false
	}
	ns := place{name: namespace, labels: labelsOf(read)}
	if j.best(ns, probes().pods) == Admitted {
		return false
	}
	ns.user, ns.groups = user, groups
	return j.best(ns, probes().pods) == Admitted
}

// place is a namespace with the labels that guards go by, who asks there if that is somebody, and what
// is asked for: labels, annotations and the account of what is made there.
type place struct {
	name   string
	labels map[string]string
	user   string
	groups []string
	marks  map[string]string
	// account is what the pod is to run as, if it is not default.
	account string
}

// labelsOf are a namespace's labels with the one that the API server sets.
func labelsOf(ns *corev1.Namespace) map[string]string {
	out := map[string]string{}
	maps.Copy(out, ns.Labels)
	out[corev1.LabelMetadataName] = ns.Name
	return out
}

// relabelled are the sets of labels that are worth trying for an attacker: none, and
// none but one that a policy excepts.
func (j *Judge) relabelled(ns place) []map[string]string {
	bare := map[string]string{corev1.LabelMetadataName: ns.name}
	out := []map[string]string{ns.labels, bare}
	for _, p := range j.policies {
		for key, value := range p.exceptions() {
			out = append(out, map[string]string{corev1.LabelMetadataName: ns.name, key: value})
		}
	}
	return out
}

// best is the answer to the request that gets furthest, with any marks that help.
func (j *Judge) best(ns place, of []attempt) Verdict {
	best := Refused
	for _, marks := range append([]map[string]string{nil}, j.marks...) {
		ns.marks = marks
		for i := range of {
			if best = max(best, j.admits(ns, &of[i])); best == Admitted {
				return best
			}
		}
	}
	return best
}

// admits is the answer to one attempt: all of its requests must pass all guards.
func (j *Judge) admits(ns place, a *attempt) Verdict {
	worst := Admitted
	for i := range a.requests {
		r := &a.requests[i]
		worst = min(worst, j.security.admits(ns, r), j.openShift.admits(ns, r))
		for _, p := range j.policies {
			if worst == Refused {
				return Refused
			}
			worst = min(worst, p.admits(ns, r))
		}
		for _, w := range j.webhooks {
			if worst == Admitted && w.asked(ns, r) {
				worst = Unknown
			}
		}
	}
	return worst
}
