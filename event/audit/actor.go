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

const accountPrefix = "system:serviceaccount:"

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

// managed are user names that the clouds' own control planes act under, by how
// they begin. Everyone who can issue client certificates can take such a name.
var managed = []string{"eks:", "system:gke-", "system:gcp-", "system:managed-certificate-controller", "aksService", "aks-support",
	"acsService"}

// class says who acts. It goes by the name that was authenticated, not the one
// that is impersonated: a person who impersonates a controller is a person.
func (u *user) class() string {
	name := u.name
	account, isAccount := strings.CutPrefix(name, accountPrefix)
	loop, inSystem := strings.CutPrefix(account, "kube-system:")
	switch {
	case name == "":
		return unknown
	case name == "system:anonymous" || slices.Contains(u.groups, "system:unauthenticated"):
		return anonymous
	case isAccount && inSystem && slices.Contains(controllers, loop):
		return controller
	case isAccount:
		return serviceAccount
	case name == "system:kube-controller-manager":
		return controller
	case strings.HasPrefix(name, "system:node:") || strings.HasPrefix(name, "system:bootstrap:"):
		return node
	case slices.ContainsFunc(managed, func(m string) bool { return strings.HasPrefix(name, m) }):
		return cloudManaged
	case name == "system:admin": // the administrator of k3s and OpenShift
		return person
	case strings.HasPrefix(name, "system:"):
		return controlPlane
	}
	return person
}

// account splits a service account's user name.
func (u *user) account() (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(u.name, accountPrefix)
	if !ok {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	return namespace, name, ok
}
