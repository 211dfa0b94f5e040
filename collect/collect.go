// Package collect holds what Breakwater has seen of one cluster: Facts, the
// Changes that move them, and the Gaps that say what could not be seen. It knows
// no cluster and no file: packages below it (collect/kube, collect/registry) fill it.
//
// Kinds that are few and rich in meaning (RBAC, policies, Service, Ingress,
// Gateway) are the upstream API structs. Kinds that are many and fat (Pod,
// Node, workloads, EndpointSlice) are ours: a pod is a shape plus a place.
package collect

import (
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/ref"
)

// Key names an object within its kind and cluster. Cluster-scoped objects have
// an empty Namespace.
type Key struct{ Namespace, Name string }

// Of names the object of a kind that has the key.
func (k Key) Of(kind string) ref.Ref {
	return ref.Ref{Namespace: k.Namespace, Kind: kind, Name: k.Name}
}

// KeyOf is a ref without cluster and kind.
func KeyOf(r ref.Ref) Key { return Key{r.Namespace, r.Name} }

func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// maxWhy bounds what is kept and shown of an error.
const maxWhy = 1000

// Why is an error as a reason that is kept and shown: one line, and not longer
// than people read. Its text may be a stranger's page.
func Why(err error) string {
	text := redact.Text(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) <= maxWhy {
		return text
	}
	return strings.ToValidUTF8(text[:maxWhy], "") + " …"
}

// Facts is everything read of one cluster, stripped to what security needs.
// One goroutine owns it; everything computed from it is computed by that owner
// or from a finished copy.
type Facts struct {
	Cluster ClusterInfo
	// AsOf is when the source last said that this is the current state.
	AsOf time.Time

	Namespaces      map[Key]*corev1.Namespace
	Nodes           map[Key]*Node
	Pods            map[Key]*Pod
	Workloads       map[WorkloadKey]*Workload
	Services        map[Key]*corev1.Service
	EndpointSlices  map[Key]*EndpointSlice
	ServiceAccounts map[Key]*corev1.ServiceAccount
	// ConfigMaps holds names and labels only: their data is never asked for.
	ConfigMaps map[Key]*ConfigMap
	// Secrets is empty unless Secret metadata was opted in to; names and types
	// only, never data. Secret nodes otherwise come from references.
	Secrets map[Key]*Secret

	PersistentVolumes      map[Key]*PersistentVolume
	PersistentVolumeClaims map[Key]*PersistentVolumeClaim
	RuntimeClasses         map[Key]*nodev1.RuntimeClass

	Roles               map[Key]*rbacv1.Role
	ClusterRoles        map[Key]*rbacv1.ClusterRole
	RoleBindings        map[Key]*rbacv1.RoleBinding
	ClusterRoleBindings map[Key]*rbacv1.ClusterRoleBinding

	Ingresses       map[Key]*networkingv1.Ingress
	IngressClasses  map[Key]*networkingv1.IngressClass
	NetworkPolicies map[Key]*networkingv1.NetworkPolicy

	Gateways        map[Key]*gatewayv1.Gateway
	GatewayClasses  map[Key]*gatewayv1.GatewayClass
	HTTPRoutes      map[Key]*gatewayv1.HTTPRoute
	GRPCRoutes      map[Key]*gatewayv1.GRPCRoute
	TLSRoutes       map[Key]*gatewayv1.TLSRoute
	TCPRoutes       map[Key]*gatewayv1.TCPRoute
	UDPRoutes       map[Key]*gatewayv1.UDPRoute
	ReferenceGrants map[Key]*gatewayv1beta1.ReferenceGrant

	AdminNetworkPolicies         map[Key]*AdminNetworkPolicy
	BaselineAdminNetworkPolicies map[Key]*BaselineAdminNetworkPolicy
	ClusterNetworkPolicies       map[Key]*ClusterNetworkPolicy

	CiliumNetworkPolicies       map[Key]*CiliumNetworkPolicy
	CiliumClusterwidePolicies   map[Key]*CiliumNetworkPolicy
	CalicoNetworkPolicies       map[Key]*CalicoNetworkPolicy
	CalicoGlobalNetworkPolicies map[Key]*CalicoNetworkPolicy
	CalicoTiers                 map[Key]*CalicoTier
	CalicoNetworkSets           map[Key]*CalicoNetworkSet
	CalicoGlobalNetworkSets     map[Key]*CalicoNetworkSet

	Routes                map[Key]*Route
	IstioGateways         map[Key]*IstioGateway
	VirtualServices       map[Key]*VirtualService
	AuthorizationPolicies map[Key]*AuthorizationPolicy

	PodDisruptionBudgets       map[Key]*policyv1.PodDisruptionBudget
	SecurityContextConstraints map[Key]*SecurityContextConstraints
	ValidatingWebhooks         map[Key]*admissionv1.ValidatingWebhookConfiguration
	MutatingWebhooks           map[Key]*admissionv1.MutatingWebhookConfiguration
	ValidatingPolicies         map[Key]*admissionv1.ValidatingAdmissionPolicy
	ValidatingPolicyBindings   map[Key]*admissionv1.ValidatingAdmissionPolicyBinding

	// Cloud is what the cluster's cloud says, nil where nobody gave it.
	Cloud *Cloud

	// Kubelets is what files say of how kubelets answer: of which nodes, they do not say.
	Kubelets []Kubelet

	// Parts are the objects of manifests that can only change others: see kube.Over.
	Parts []Part

	// Unread counts objects of kinds we saw and do not interpret, such as
	// custom resources: resource ("certificates.cert-manager.io") → number,
	// -1 where only the type is known. Files are counted whole, API servers
	// without the kinds that are built in.
	Unread map[string]int

	// Gaps is what could not be read, by the gap's own identity.
	Gaps map[GapKey]Gap

	// Tally counts what files held and what became of it.
	Tally Tally

	// ResourceVersions is how far each kind was read: kind → resourceVersion.
	ResourceVersions map[string]string
}

// ClusterInfo names a cluster.
type ClusterInfo struct {
	// Name is unique in an estate and the first part of every stable id.
	Name string `json:"name"`
	// UID is the uid of the kube-system namespace, if it could be read.
	UID     string `json:"uid,omitempty"`
	Server  string `json:"server,omitempty"`
	Version string `json:"version,omitempty"` // gitVersion, "v1.37.2"
	// Source says where the facts come from: "context:NAME", "dump:FILE", "files:DIR".
	Source string `json:"source,omitempty"`
}

// Gap is something Breakwater could not see, and what that means for answers.
type Gap struct {
	Cluster string `json:"cluster,omitempty"`
	// Source is where we tried to read: "api", "file", "registry", "image", "advisories", "judge".
	Source string `json:"source"`
	// What could not be read: a resource ("services"), a file, an image.
	What string `json:"what"`
	// Why, in the source's own words ("403 Forbidden: …").
	Why string `json:"why"`
	// Consequence is what an answer may now miss or overstate, one sentence.
	Consequence string `json:"consequence"`
	// Kinds are the graph kinds and edge kinds whose absence now proves nothing.
	Kinds []string  `json:"kinds,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Count is how often the same was met; nothing where that is once.
	Count int `json:"count,omitempty"`
}

// GapKey identifies a gap: the same thing unseen twice is one gap.
type GapKey struct{ Source, What string }

// Key is the gap's identity within its cluster.
func (g Gap) Key() GapKey { return GapKey{g.Source, g.What} }

// Op says what a Change does.
type Op uint8

const (
	// Put adds or replaces Object under Kind and Key.
	Put Op = iota
	// Gone removes Kind and Key.
	Gone
	// Resynced says that everything of Kind not Put since the matching list
	// began is gone; Keys holds what the list contained.
	Resynced
	// GapOpen records Gap; GapClosed removes the gap with Gap's key.
	GapOpen
	GapClosed
	// Info replaces the cluster's ClusterInfo (Object is ClusterInfo).
	Info
	// Synced says that every kind has been listed once: the Facts are whole,
	// but for their Gaps.
	Synced
	// Alive says that the source still holds at Time: nothing was missed.
	Alive
	// Counted sets Unread of the resource named Kind to Object, an int.
	Counted
)

// Change is one step of a cluster's Facts.
type Change struct {
	Op   Op
	Kind string // "Pod", "Service", …: the Kubernetes kind
	Key  Key
	// Object is what Facts stores for Kind: *Pod, *corev1.Service, *Workload, …
	Object any
	Keys   map[Key]struct{}
	Gap    *Gap
	Time   time.Time
	// Version is the resourceVersion a Resynced list was read at.
	Version string
}
