package netpol

import (
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
)

// identity is what network plugins select a pod by: its own labels, and those that
// they give it for its namespace and service account.
type identity struct {
	pod       *collect.Pod
	namespace labels.Set
}

func (j *Judge) identityOf(p *collect.Pod) identity {
	return identity{p, j.namespaceLabels(p.Namespace)}
}

const (
	ciliumNamespace       = "io.kubernetes.pod.namespace"
	ciliumNamespaceLabels = "io.cilium.k8s.namespace.labels."
	ciliumAccount         = "io.cilium.k8s.policy.serviceaccount"
	calicoNamespace       = "projectcalico.org/namespace"
	calicoAccount         = "projectcalico.org/serviceaccount"
	calicoOrchestrator    = "projectcalico.org/orchestrator"
	calicoNamespaceLabels = "pcns."
)

// Lookup is one label.
func (i identity) Lookup(key string) (string, bool) {
	switch key {
	case ciliumNamespace, calicoNamespace:
		return i.pod.Namespace, true
	case ciliumAccount, calicoAccount:
		if i.pod.Shape == nil {
			return "", false
		}
		return i.pod.Shape.ServiceAccount, i.pod.Shape.ServiceAccount != ""
	case calicoOrchestrator:
		return "k8s", true
	}
	if of, ok := strings.CutPrefix(key, ciliumNamespaceLabels); ok {
		return i.namespace.Lookup(of)
	}
	return podLabels(i.pod).Lookup(key)
}

// Has says whether a label is there.
func (i identity) Has(key string) bool { _, has := i.Lookup(key); return has }

// Get is the label's value, empty without one.
func (i identity) Get(key string) string { value, _ := i.Lookup(key); return value }
