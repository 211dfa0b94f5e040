// Package cloud is the judge of one question: as which identities of a cloud can
// what runs in a cluster act? It reads the annotations by which service accounts
// are joined to identities, the tokens that containers mount, and where nodes run.
//
// What an annotation says, the cloud may refuse: whether its own policies agree is
// known only from what the cloud itself says.
package cloud

import (
	"cmp"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// Provider is whose cloud it is.
type Provider string

const (
	AWS    Provider = "aws"
	Azure  Provider = "azure"
	Google Provider = "gcp"
	// Elsewhere is a place that is known and none of these.
	Elsewhere Provider = "elsewhere"
)

// Identity is who one is in a cloud, named as the cloud does: a role's ARN, a
// client id, a service account's address.
type Identity struct {
	Provider Provider
	Name     string
}

// ID tells identities apart.
func (i Identity) ID() string { return string(i.Provider) + ":" + i.Name }

// How a service account comes to an identity of a cloud.
type How string

const (
	IRSA          How = "EKS IAM role for service accounts"
	PodIdentity   How = "EKS Pod Identity"
	AzureWorkload How = "Azure Workload Identity"
	GKEWorkload   How = "GKE Workload Identity"
)

const (
	useLabel         = "azure.workload.identity/use"
	defaultAWS       = "sts.amazonaws.com"
	defaultAzure     = "api://AzureADTokenExchange"
	podIdentity      = "pods.eks.amazonaws.com"
	metadataServerOn = "iam.gke.io/gke-metadata-server-enabled"
)

// Trust says that a cloud takes tokens of a service account for an identity.
type Trust struct {
	Account  collect.Key
	Identity Identity
	How      How
	// Audience is that of the tokens; empty where the metadata service asks for them.
	Audience string
}

// Judge answers for one state of one cluster. It is for one goroutine.
type Judge struct {
	facts    *collect.Facts
	policies *netpol.Judge
	here     map[Provider]bool
	said     collect.Cloud // by the cluster's cloud; empty where nobody gave it
	cluster  *collect.CloudCluster
	name     string // of the cluster in its cloud
	trusts   map[collect.Key][]Trust
	reach    map[sender]*bool
	gaps     []collect.Gap
}

// New reads what the facts say of clouds.
func New(f *collect.Facts, policies *netpol.Judge) *Judge {
	j := &Judge{facts: f, policies: policies, here: Providers(f), trusts: map[collect.Key][]Trust{}, reach: map[sender]*bool{}}
	if f.Cloud != nil {
		j.said = *f.Cloud
		j.find()
	}
	for k, a := range f.ServiceAccounts {
		for _, t := range annotated(a.Annotations) {
			t.Account = k
			if (t.How != GKEWorkload || j.mayBe(Google)) && j.agrees(t) {
				j.trusts[k] = append(j.trusts[k], t)
			}
		}
	}
	j.associations()
	j.subjects()
	return j
}

// annotated is what a service account's annotations join it to.
func annotated(a map[string]string) (out []Trust) {
	if role := a[collect.AWSRole]; role != "" {
		out = append(out, Trust{Identity: Identity{AWS, role}, How: IRSA, Audience: cmp.Or(a[collect.AWSAudience], defaultAWS)})
	}
	if client := a[collect.AzureClient]; client != "" {
		out = append(out, Trust{Identity: Identity{Azure, client}, How: AzureWorkload, Audience: defaultAzure})
	}
	if account := a[collect.GoogleAccount]; account != "" {
		out = append(out, Trust{Identity: Identity{Google, account}, How: GKEWorkload})
	}
	return out
}

// Trusts is every service account that is joined to an identity, in order.
func (j *Judge) Trusts() (out []Trust) {
	keys := slices.SortedFunc(maps.Keys(j.trusts), func(a, b collect.Key) int { return cmp.Compare(a.String(), b.String()) })
	for _, k := range keys {
		out = append(out, j.trusts[k]...)
	}
	return out
}

// Carries is what a container holds tokens for: those that it mounts and, in a pod
// that nobody has seen yet, those that the cloud's webhook would give it.
func (j *Judge) Carries(p *collect.Pod, container int) (out []Trust) {
	for _, t := range j.trusts[collect.Key{Namespace: p.Namespace, Name: cmp.Or(p.Shape.ServiceAccount, "default")}] {
		if t.Audience != "" && (mounts(p.Shape, container, t.Audience) || p.Made && j.wouldGet(p, container, t)) {
			out = append(out, t)
		}
	}
	return out
}

func mounts(s *collect.PodShape, container int, audience string) bool {
	return slices.ContainsFunc(s.Containers[container].Mounts, func(m collect.Mount) bool {
		return slices.ContainsFunc(s.Volumes, func(v collect.Volume) bool {
			return v.Name == m.Volume && slices.Contains(v.Audiences, audience)
		})
	})
}

// wouldGet says whether the webhook of the account's cloud gives a container a token.
func (j *Judge) wouldGet(p *collect.Pod, container int, t Trust) bool {
	if p.Shape.Containers[container].NoCloudToken || !j.mayBe(t.Identity.Provider) {
		return false
	}
	return t.How != AzureWorkload || p.Labels != nil && p.Labels.Map[useLabel] == "true"
}
