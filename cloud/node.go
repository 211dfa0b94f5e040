package cloud

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// marks by which a node, or an API server's version, shows whose it is.
var marks = []struct {
	provider               Provider
	scheme, label, version string
}{
	{AWS, "aws", "eks.amazonaws.com/", "-eks-"},
	{Azure, "azure", "kubernetes.azure.com/", ""},
	{Google, "gce", "cloud.google.com/gke-", "-gke."},
}

// Providers is where a cluster's nodes run, as far as that is known.
func Providers(f *collect.Facts) map[Provider]bool {
	out := map[Provider]bool{}
	for _, n := range f.Nodes {
		if p := ProviderOf(n); p != "" {
			out[p] = true
		}
	}
	for _, m := range marks {
		if m.version != "" && strings.Contains(f.Cluster.Version, m.version) {
			out[m.provider] = true
		}
	}
	return out
}

// ProviderOf tells on whose machine a node runs, "" where nothing tells.
func ProviderOf(n *collect.Node) Provider {
	scheme, _, named := strings.Cut(n.ProviderID, "://")
	for _, m := range marks {
		if named && scheme == m.scheme {
			return m.provider
		}
		for label := range n.Labels {
			if strings.HasPrefix(label, m.label) {
				return m.provider
			}
		}
	}
	if named {
		return Elsewhere
	}
	return ""
}

// HasMetadata says whether it is a cloud whose metadata service gives credentials.
func (p Provider) HasMetadata() bool { return p == AWS || p == Azure || p == Google }

// mayBe says whether the cluster is, or for all that is known may be, in a cloud.
func (j *Judge) mayBe(p Provider) bool { return j.here[p] || len(j.here) == 0 }

// Node is the identity of a machine itself, which its cloud's metadata service gives
// to what runs there. Machines of one pod each have none that the pod could ask for.
func (j *Judge) Node(n *collect.Node) (Identity, bool) {
	switch p := ProviderOf(n); {
	case !p.HasMetadata(), n.Labels["eks.amazonaws.com/compute-type"] == "fargate", n.Labels["type"] == "virtual-kubelet":
		return Identity{}, false
	default:
		if m := j.machines(n, func(m collect.CloudMachines) bool { return m.Identity != "" }); m != nil {
			return Identity{p, m.Identity}, true
		}
		return Identity{p, "node " + n.Name}, true
	}
}

// MetadataServer says whether GKE's metadata server stands between a node's pods and
// the metadata service: it gives each pod its own identity, and not the node's. GKE
// labels every node that has one.
func MetadataServer(n *collect.Node) bool {
	return ProviderOf(n) == Google && n.Labels[metadataServerOn] == "true"
}

// EKS says whether it is a cluster of EKS, by what its cloud says, its API server's
// version and its nodes; nil where it may be one: machines of AWS are no proof.
func (j *Judge) EKS() *bool {
	yes, no := true, false
	var aws, seen bool
	is := strings.Contains(j.facts.Cluster.Version, "-eks-") || j.cluster != nil && j.cluster.Provider == string(AWS)
	for _, n := range j.facts.Nodes {
		is = is || strings.Contains(n.KubeletVersion, "-eks-")
		for label := range n.Labels {
			is = is || strings.HasPrefix(label, "eks.amazonaws.com/")
		}
		aws = aws || ProviderOf(n) == AWS
		seen = seen || n.KubeletVersion != "" || n.ProviderID != ""
	}
	switch {
	case is:
		return &yes
	case seen && !aws:
		return &no
	}
	return nil
}

// sender is what policies can tell about a pod that asks the metadata service.
type sender struct {
	namespace string
	labels    *collect.Labels
	host      bool
	places    int // at which the service may be asked
}

// The metadata service, as every cloud places it, and where GKE's own server listens.
var (
	metadata = []listener{at("169.254.169.254", 80)}
	ofGKE    = append(metadata, at("169.254.169.252", 988))
)

type listener struct {
	endpoint netpol.Endpoint
	port     netpol.Port
}

func at(address string, port int32) listener {
	return listener{netpol.Addresses("the metadata service", netpol.Of(netip.MustParseAddr(address))), netpol.Port{Number: port}}
}

// ReachesMetadata says whether policies let a pod ask its cloud's metadata service;
// nil where they forbid it and it is not known whether anything enforces them.
func (j *Judge) ReachesMetadata(p *collect.Pod) *bool { return j.reaches(p, metadata) }

// ReachesMetadataServer says the same of GKE's metadata server, which some network
// plugins see under the metadata service's address and some under its own.
func (j *Judge) ReachesMetadataServer(p *collect.Pod) *bool { return j.reaches(p, ofGKE) }

func (j *Judge) reaches(p *collect.Pod, service []listener) *bool {
	k := sender{p.Namespace, p.Labels, p.Shape.HostNetwork, len(service)}
	if known, ok := j.reach[k]; ok {
		return known
	}
	yes := p.Shape.HostNetwork || slices.ContainsFunc(service, func(l listener) bool { return j.asks(p, l) })
	var known *bool
	if state := j.policies.Enforcement().State; yes || state != netpol.Unknown {
		yes = yes || state == netpol.No
		known = &yes
	}
	j.reach[k] = known
	return known
}

func (j *Judge) asks(p *collect.Pod, l listener) bool {
	return j.policies.Ask(netpol.Pod(p), l.endpoint, l.port).Allowed
}
