package collect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The policies of Cilium (cilium.io/v2) and Calico (projectcalico.org/v3, and
// crd.projectcalico.org/v1 with the same fields). Lists that mean something else when
// they are empty than when they are absent say so with omitzero.

// CiliumNetworkPolicy is one of a namespace, or of the cluster as a
// CiliumClusterwideNetworkPolicy.
type CiliumNetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              *CiliumPolicy  `json:"spec,omitempty"`
	Specs             []CiliumPolicy `json:"specs,omitempty"`
}

// DeepCopyObject is a copy whose metadata can be changed; its specs are shared.
func (p *CiliumNetworkPolicy) DeepCopyObject() runtime.Object {
	c := *p
	p.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	return &c
}

// CiliumPolicy is about the pods of EndpointSelector, or about nodes.
type CiliumPolicy struct {
	EndpointSelector  *metav1.LabelSelector `json:"endpointSelector,omitempty"`
	NodeSelector      *metav1.LabelSelector `json:"nodeSelector,omitempty"`
	Ingress           []CiliumRule          `json:"ingress,omitempty"`
	IngressDeny       []CiliumRule          `json:"ingressDeny,omitempty"`
	Egress            []CiliumRule          `json:"egress,omitempty"`
	EgressDeny        []CiliumRule          `json:"egressDeny,omitempty"`
	EnableDefaultDeny struct {
		Ingress *bool `json:"ingress,omitempty"`
		Egress  *bool `json:"egress,omitempty"`
	} `json:"enableDefaultDeny,omitzero"`
	Labels      any    `json:"labels,omitempty"`
	Description string `json:"description,omitempty"`
	Log         any    `json:"log,omitempty"`
}

// CiliumRule is a rule of either direction: those of ingress use what begins with From.
type CiliumRule struct {
	FromEndpoints []metav1.LabelSelector `json:"fromEndpoints,omitzero"`
	FromRequires  []metav1.LabelSelector `json:"fromRequires,omitzero"`
	FromNodes     []metav1.LabelSelector `json:"fromNodes,omitzero"`
	FromEntities  []string               `json:"fromEntities,omitzero"`
	FromCIDR      []string               `json:"fromCIDR,omitzero"`
	FromCIDRSet   []CiliumBlock          `json:"fromCIDRSet,omitzero"`
	FromGroups    []any                  `json:"fromGroups,omitzero"`

	ToEndpoints []metav1.LabelSelector `json:"toEndpoints,omitzero"`
	ToRequires  []metav1.LabelSelector `json:"toRequires,omitzero"`
	ToNodes     []metav1.LabelSelector `json:"toNodes,omitzero"`
	ToEntities  []string               `json:"toEntities,omitzero"`
	ToCIDR      []string               `json:"toCIDR,omitzero"`
	ToCIDRSet   []CiliumBlock          `json:"toCIDRSet,omitzero"`
	ToGroups    []any                  `json:"toGroups,omitzero"`
	ToServices  []CiliumService        `json:"toServices,omitzero"`
	ToFQDNs     []any                  `json:"toFQDNs,omitzero"`

	ToPorts        []CiliumPorts `json:"toPorts,omitempty"`
	ICMPs          []any         `json:"icmps,omitempty"`
	Authentication *struct {
		Mode string `json:"mode"`
	} `json:"authentication,omitempty"`
}

// CiliumBlock is addresses, written here or in a group of them.
type CiliumBlock struct {
	CIDR              string                `json:"cidr,omitempty"`
	CIDRGroupRef      string                `json:"cidrGroupRef,omitempty"`
	CIDRGroupSelector *metav1.LabelSelector `json:"cidrGroupSelector,omitempty"`
	Except            []string              `json:"except,omitempty"`
}

// CiliumService names a Service or selects some.
type CiliumService struct {
	K8sService *struct {
		ServiceName string `json:"serviceName,omitempty"`
		Namespace   string `json:"namespace,omitempty"`
	} `json:"k8sService,omitempty"`
	K8sServiceSelector *struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Namespace string               `json:"namespace,omitempty"`
	} `json:"k8sServiceSelector,omitempty"`
}

// CiliumPorts is ports, and what must be in the packets besides.
type CiliumPorts struct {
	Ports []struct {
		Port     string `json:"port,omitempty"`
		EndPort  int32  `json:"endPort,omitempty"`
		Protocol string `json:"protocol,omitempty"`
	} `json:"ports,omitempty"`
	Rules          any      `json:"rules,omitempty"`
	ServerNames    []string `json:"serverNames,omitempty"`
	TerminatingTLS any      `json:"terminatingTLS,omitempty"`
	OriginatingTLS any      `json:"originatingTLS,omitempty"`
	Listener       any      `json:"listener,omitempty"`
}

// CalicoNetworkPolicy is one of a namespace, or of the cluster as a GlobalNetworkPolicy.
type CalicoNetworkPolicy = Custom[CalicoPolicySpec]

// CalicoPolicySpec is its spec. Selectors are in Calico's own language.
type CalicoPolicySpec struct {
	Tier                   string       `json:"tier,omitempty"`
	Order                  *float64     `json:"order,omitempty"`
	Selector               string       `json:"selector,omitempty"`
	NamespaceSelector      string       `json:"namespaceSelector,omitempty"`
	ServiceAccountSelector string       `json:"serviceAccountSelector,omitempty"`
	Types                  []string     `json:"types,omitempty"`
	Ingress                []CalicoRule `json:"ingress,omitempty"`
	Egress                 []CalicoRule `json:"egress,omitempty"`
	DoNotTrack             bool         `json:"doNotTrack,omitempty"`
	PreDNAT                bool         `json:"preDNAT,omitempty"`
	ApplyOnForward         bool         `json:"applyOnForward,omitempty"`
	PerformanceHints       []string     `json:"performanceHints,omitempty"`
}

// CalicoRule says what becomes of connections from Source to Destination.
type CalicoRule struct {
	Action      string              `json:"action"` // Allow, Deny, Log, Pass
	IPVersion   *int                `json:"ipVersion,omitempty"`
	Protocol    *intstr.IntOrString `json:"protocol,omitempty"`
	NotProtocol *intstr.IntOrString `json:"notProtocol,omitempty"`
	ICMP        any                 `json:"icmp,omitempty"`
	NotICMP     any                 `json:"notICMP,omitempty"`
	Source      CalicoEntity        `json:"source,omitzero"`
	Destination CalicoEntity        `json:"destination,omitzero"`
	HTTP        any                 `json:"http,omitempty"`
	Metadata    any                 `json:"metadata,omitempty"`
}

// CalicoEntity is one end: all that it asks for must be so.
type CalicoEntity struct {
	Nets              []string `json:"nets,omitempty"`
	NotNets           []string `json:"notNets,omitempty"`
	Selector          string   `json:"selector,omitempty"`
	NotSelector       string   `json:"notSelector,omitempty"`
	NamespaceSelector string   `json:"namespaceSelector,omitempty"`
	Services          *struct {
		Name      string `json:"name,omitempty"`
		Namespace string `json:"namespace,omitempty"`
	} `json:"services,omitempty"`
	Ports           []intstr.IntOrString `json:"ports,omitempty"`
	NotPorts        []intstr.IntOrString `json:"notPorts,omitempty"`
	Domains         []string             `json:"domains,omitempty"`
	ServiceAccounts *struct {
		Names    []string `json:"names,omitempty"`
		Selector string   `json:"selector,omitempty"`
	} `json:"serviceAccounts,omitempty"`
}

// CalicoTier is where policies stand among others.
type CalicoTier = Custom[CalicoTierSpec]

// CalicoTierSpec is its place, and what becomes of what its policies do not decide.
type CalicoTierSpec struct {
	Order         *float64 `json:"order,omitempty"`
	DefaultAction string   `json:"defaultAction,omitempty"` // Deny, Pass
}

// CalicoNetworkSet is addresses that selectors mean by the set's labels, of a
// namespace, or of the cluster as a GlobalNetworkSet.
type CalicoNetworkSet = Custom[CalicoNetworkSetSpec]

// CalicoNetworkSetSpec is its addresses.
type CalicoNetworkSetSpec struct {
	Nets           []string `json:"nets,omitempty"`
	AllowedDomains []string `json:"allowedEgressDomains,omitempty"`
}
