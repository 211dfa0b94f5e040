package collect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// The admin network policies (policy.networking.k8s.io/v1alpha1) are spelled
// here, because their published Go types stop at a version that clusters have
// left: these fields are those of v0.1.1 and of the versions after it together.

// AdminNetworkPolicy is decided before NetworkPolicies, by priority.
type AdminNetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              AdminPolicySpec `json:"spec"`
}

// BaselineAdminNetworkPolicy is decided after NetworkPolicies.
type BaselineAdminNetworkPolicy AdminNetworkPolicy

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
	NamedPort *string `json:"namedPort,omitempty"`
	PortRange *struct {
		Protocol string `json:"protocol,omitempty"`
		Start    int32  `json:"start"`
		End      int32  `json:"end"`
	} `json:"portRange,omitempty"`
}

// AdminNetworkPolicyList is what a list returns.
type AdminNetworkPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AdminNetworkPolicy `json:"items"`
}

// BaselineAdminNetworkPolicyList is what a list returns.
type BaselineAdminNetworkPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []BaselineAdminNetworkPolicy `json:"items"`
}

// DeepCopyObject is a copy whose metadata can be changed. Specs are shared:
// nobody changes what was read.
func (p *AdminNetworkPolicy) DeepCopyObject() runtime.Object {
	c := *p
	p.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	return &c
}

// DeepCopyObject is a copy whose metadata can be changed; its spec is shared.
func (p *BaselineAdminNetworkPolicy) DeepCopyObject() runtime.Object {
	c := *p
	p.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	return &c
}

// DeepCopyObject is a copy whose items are shared.
func (l *AdminNetworkPolicyList) DeepCopyObject() runtime.Object { c := *l; return &c }

// DeepCopyObject is a copy whose items are shared.
func (l *BaselineAdminNetworkPolicyList) DeepCopyObject() runtime.Object { c := *l; return &c }
