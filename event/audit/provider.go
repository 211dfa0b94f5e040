package audit

import (
	"regexp"
	"slices"
	"strings"
)

// Providers of clusters, whose own components act under names that count on no other's.
const (
	EKS       = "eks"
	GKE       = "gke"
	AKS       = "aks"
	K3s       = "k3s"
	RKE2      = "rke2"
	OpenShift = "openshift"
)

// Providers are all that are known.
var Providers = []string{EKS, GKE, AKS, K3s, RKE2, OpenShift}

// The providers' own components act under these names: EKS lets nobody else have one that begins with
// eks:, GKE with system:gke-. Those of AKS are no such names, and count by the group that its certificates put them in.
var (
	ofEKS       = regexp.MustCompile(`^eks:[a-z0-9-]+$`)
	ofGKE       = regexp.MustCompile(`^(system:(gke|gcp)-[a-z0-9-]+|system:managed-certificate-controller)$`)
	ofAKS       = strings.Fields("acsService aks-support aksService")
	ofK3s       = strings.Fields("system:k3s-controller system:k3s-supervisor")
	ofRKE2      = strings.Fields("system:rke2-controller system:rke2-supervisor")
	ofOpenShift = strings.Fields("system:openshift-aggregator system:openshift-master")
)

// provider is whose component a user is by its name, if the cluster is one of that provider.
func (u *user) provider() string {
	switch name := u.name; {
	case ofEKS.MatchString(name):
		return EKS
	case ofGKE.MatchString(name):
		return GKE
	case slices.Contains(ofAKS, name) && slices.Contains(u.groups, "system:masters"):
		return AKS
	case slices.Contains(ofK3s, name):
		return K3s
	case slices.Contains(ofRKE2, name):
		return RKE2
	case slices.Contains(ofOpenShift, name):
		return OpenShift
	}
	return ""
}

// shows is the provider of the cluster, where the user can be nobody's but that one's. The API server itself acts as
// system:apiserver, in a group that no request for a certificate gets, and tells its version. The members that the
// authenticator of EKS adds to a user have no domain, as those of no token and no certificate do.
func (r *record) shows() string {
	switch {
	case r.user.name == "system:apiserver" && slices.Contains(r.user.groups, "system:masters"):
		switch client, _, _ := strings.Cut(r.agent, " "); {
		case strings.Contains(client, "+k3s"):
			return K3s
		case strings.Contains(client, "+rke2r"):
			return RKE2
		}
	case r.user.arn && (strings.HasPrefix(r.user.uid, "aws-iam-authenticator:") || strings.HasPrefix(r.user.uid, "heptio-authenticator-aws:")):
		return EKS
	}
	return ""
}
