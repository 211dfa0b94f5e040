package audit

import (
	"regexp"
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

// controlPlanes are the users that Kubernetes' own programs act as, and those of
// k3s, RKE2 and OpenShift. Another name that begins with system: is nobody's but
// that of who took it.
var controlPlanes = strings.Fields(`system:aggregator system:apiserver system:cloud-controller-manager
	system:k3s-controller system:k3s-supervisor system:konnectivity-server system:kube-apiserver system:kube-proxy
	system:kube-scheduler system:openshift-aggregator system:openshift-master system:rke2-controller
	system:rke2-supervisor system:volume-scheduler`)

// The clouds' own control planes act under these names: EKS lets nobody else have
// one that begins with eks:, GKE with system:gke-. Those of AKS are no such names,
// and count by the group that its certificates put them in.
var (
	managed    = regexp.MustCompile(`^(eks:[a-z0-9-]+|system:(gke|gcp)-[a-z0-9-]+|system:managed-certificate-controller)$`)
	managedAKS = strings.Fields("acsService aks-support aksService")
)

func (u *user) isManaged() bool {
	return managed.MatchString(u.name) || slices.Contains(managedAKS, u.name) && slices.Contains(u.groups, "system:masters")
}

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
	case name == controllerManager:
		return controller
	case strings.HasPrefix(name, "system:node:") || strings.HasPrefix(name, "system:bootstrap:"):
		return node
	case u.isManaged():
		return cloudManaged
	case slices.Contains(controlPlanes, name):
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
