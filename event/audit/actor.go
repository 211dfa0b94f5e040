package audit

import (
	"slices"
	"strings"
)

// Classes of who acts. What rules keep quiet about, they keep quiet about by class.
const (
	person         = "person"
	serviceAccount = "service-account"
	node           = "node"
	controller     = "controller"
	controlPlane   = "control-plane"
	anonymous      = "anonymous"
	cloudManaged   = "cloud-managed"
	unknown        = "unknown"
)

const (
	accountPrefix = "system:serviceaccount:"
	// controllerManager acts for its loops where they have no accounts of their own.
	controllerManager = "system:kube-controller-manager"
)

// controllers are the accounts that the controller manager gives its loops, all
// in kube-system. An account of that namespace that is not here is a service
// account like any other.
var controllers = strings.Fields(`attachdetach-controller certificate-controller
	clusterrole-aggregation-controller cronjob-controller daemon-set-controller
	deployment-controller device-taint-eviction-controller disruption-controller
	endpoint-controller endpointslice-controller endpointslicemirroring-controller
	ephemeral-volume-controller expand-controller generic-garbage-collector
	horizontal-pod-autoscaler job-controller namespace-controller node-controller
	persistent-volume-binder pod-garbage-collector podcertificaterequestcleaner
	pv-protection-controller pvc-protection-controller replicaset-controller
	replication-controller resource-claim-controller resourcequota-controller
	root-ca-cert-publisher route-controller selinux-warning-controller
	service-account-controller service-cidrs-controller service-controller
	statefulset-controller storage-version-migrator-controller
	taint-eviction-controller ttl-after-finished-controller ttl-controller
	validatingadmissionpolicy-status-controller volumeattributesclass-protection-controller`)

// controlPlanes are the users that Kubernetes' own programs act as. Another name that
// begins with system: is nobody's but that of who took it.
var controlPlanes = strings.Fields(`system:aggregator system:apiserver system:cloud-controller-manager
	system:konnectivity-server system:kube-apiserver system:kube-proxy system:kube-scheduler system:volume-scheduler`)

// class says who acts on a cluster of a provider, "" where that is not known. It goes by the
// name that was authenticated, not the one that is impersonated: a person who impersonates a
// controller is a person.
func (u *user) class(provider string) string {
	name := u.name
	namespace, loop, isAccount := u.account()
	switch {
	case name == "":
		return unknown
	case name == "system:anonymous" || slices.Contains(u.groups, "system:unauthenticated"):
		return anonymous
	case isAccount && namespace == "kube-system" && slices.Contains(controllers, loop):
		return controller
	case isAccount:
		return serviceAccount
	case name == controllerManager:
		return controller
	case u.node() != "" || strings.HasPrefix(name, "system:bootstrap:") && u.in("system:bootstrappers"):
		return node
	case slices.Contains(controlPlanes, name):
		return controlPlane
	case provider != "" && u.provider() == provider:
		return cloudManaged
	}
	return person
}

// in says that who authenticated the user put it into a group. Who gets a certificate or a token in a name of
// Kubernetes' is not in its groups by that; a log without groups says nothing of it.
func (u *user) in(group string) bool { return len(u.groups) == 0 || slices.Contains(u.groups, group) }

// node is the name of the node that acts, "" if none does.
func (u *user) node() string {
	name, ok := strings.CutPrefix(u.name, "system:node:")
	if !ok || !u.in("system:nodes") {
		return ""
	}
	return name
}

// account splits a service account's user name.
func (u *user) account() (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(u.name, accountPrefix)
	if !ok {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	if !ok || !u.in("system:serviceaccounts") || !isLabel(namespace) {
		return "", "", false
	}
	return namespace, name, true
}

// isLabel says that a text may be the name of a namespace.
func isLabel(s string) bool {
	for i := range len(s) {
		if c := s[i]; !lower(c) && !digit(c) && c != '-' {
			return false
		}
	}
	return s != ""
}
