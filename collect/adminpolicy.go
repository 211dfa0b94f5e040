package collect

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The admin network policies (policy.networking.k8s.io/v1alpha1) are spelled
// here, because their published Go types stop at a version that clusters have
// left: these fields are those of v0.1.1 and of the versions after it together.

// AdminNetworkPolicy is decided before NetworkPolicies, by priority.
type AdminNetworkPolicy = Custom[AdminPolicySpec]

// BaselineAdminNetworkPolicy is decided after NetworkPolicies.
type BaselineAdminNetworkPolicy = Custom[BaselinePolicySpec]

// BaselinePolicySpec has the same fields.
type BaselinePolicySpec AdminPolicySpec

// ClusterNetworkPolicy (v1alpha2) is either, by its tier.
type ClusterNetworkPolicy = Custom[ClusterPolicySpec]

// ClusterPolicySpec is the spec of a ClusterNetworkPolicy.
type ClusterPolicySpec struct {
	Tier     string        `json:"tier"` // Admin, Baseline
	Priority int32         `json:"priority"`
	Subject  AdminSubject  `json:"subject"`
	Ingress  []ClusterRule `json:"ingress,omitempty"`
	Egress   []ClusterRule `json:"egress,omitempty"`
}

// ClusterRule says what becomes of connections, as an AdminRule does.
type ClusterRule struct {
	Name      string            `json:"name,omitempty"`
	Action    string            `json:"action"` // Accept, Deny, Pass
	From      []AdminPeer       `json:"from,omitempty"`
	To        []AdminPeer       `json:"to,omitempty"`
	Protocols []ClusterProtocol `json:"protocols,omitempty"`
}

// ClusterProtocol is one of its fields.
type ClusterProtocol struct {
	TCP                  *ClusterPorts `json:"tcp,omitempty"`
	UDP                  *ClusterPorts `json:"udp,omitempty"`
	SCTP                 *ClusterPorts `json:"sctp,omitempty"`
	DestinationNamedPort string        `json:"destinationNamedPort,omitempty"`
}

// ClusterPorts is those of a protocol; without DestinationPort all of them.
type ClusterPorts struct {
	DestinationPort *struct {
		Number int32 `json:"number,omitempty"`
		Range  *struct {
			Start int32 `json:"start"`
			End   int32 `json:"end"`
		} `json:"range,omitempty"`
	} `json:"destinationPort,omitempty"`
}

// AdminPolicySpec is the spec of either kind; only the first has a priority.
type AdminPolicySpec struct {
	Priority int32        `json:"priority,omitempty"`
	Subject  AdminSubject `json:"subject"`
	Ingress  []AdminRule  `json:"ingress,omitempty"`
	Egress   []AdminRule  `json:"egress,omitempty"`
}

// AdminSubject is the pods a policy is about: of whole namespaces, or some.
type AdminSubject struct {
	Namespaces *metav1.LabelSelector `json:"namespaces,omitempty"`
	Pods       *AdminPods            `json:"pods,omitempty"`
}

// AdminRule says what becomes of connections: From is used in ingress rules, To
// in egress rules. Without Ports it is about all.
type AdminRule struct {
	Name   string      `json:"name,omitempty"`
	Action string      `json:"action"` // Allow, Deny, Pass
	From   []AdminPeer `json:"from,omitempty"`
	To     []AdminPeer `json:"to,omitempty"`
	Ports  []AdminPort `json:"ports,omitempty"`
}

// AdminPeer is one of its fields.
type AdminPeer struct {
	Namespaces  *AdminNamespaces      `json:"namespaces,omitempty"`
	Pods        *AdminPods            `json:"pods,omitempty"`
	Nodes       *metav1.LabelSelector `json:"nodes,omitempty"`
	Networks    []string              `json:"networks,omitempty"`
	DomainNames []string              `json:"domainNames,omitempty"`
}

// AdminNamespaces selects namespaces by a selector in place, or (v0.1.1) by a
// named one or by labels shared with the subject's namespace.
type AdminNamespaces struct {
	metav1.LabelSelector `json:",inline"`
	NamespaceSelector    *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	SameLabels           []string              `json:"sameLabels,omitempty"`
	NotSameLabels        []string              `json:"notSameLabels,omitempty"`
}

// AdminPods selects pods in namespaces; v0.1.1 wrote peers' as Namespaces.
type AdminPods struct {
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	Namespaces        *AdminNamespaces      `json:"namespaces,omitempty"`
	PodSelector       metav1.LabelSelector  `json:"podSelector"`
}

// AdminPort is one of its fields.
type AdminPort struct {
	PortNumber *struct {
		Protocol string `json:"protocol,omitempty"`
		Port     int32  `json:"port"`
	} `json:"portNumber,omitempty"`
	NamedPort *string         `json:"namedPort,omitempty"`
	PortRange *AdminPortRange `json:"portRange,omitempty"`
}

// AdminPortRange is the ports from Start to End.
type AdminPortRange struct {
	Protocol string `json:"protocol,omitempty"`
	Start    int32  `json:"start"`
	End      int32  `json:"end"`
}
