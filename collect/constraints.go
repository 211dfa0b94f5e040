package collect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// SecurityContextConstraints (security.openshift.io/v1) is what OpenShift allows the
// pods of those who may use it, as far as that decides who takes over a node.
type SecurityContextConstraints struct {
	metav1.TypeMeta          `json:",inline"`
	metav1.ObjectMeta        `json:"metadata"`
	AllowPrivilegedContainer bool     `json:"allowPrivilegedContainer,omitempty"`
	AllowPrivilegeEscalation *bool    `json:"allowPrivilegeEscalation,omitempty"`
	AllowHostDirVolumePlugin bool     `json:"allowHostDirVolumePlugin,omitempty"`
	AllowHostPID             bool     `json:"allowHostPID,omitempty"`
	AllowHostIPC             bool     `json:"allowHostIPC,omitempty"`
	AllowHostNetwork         bool     `json:"allowHostNetwork,omitempty"`
	AllowedCapabilities      []string `json:"allowedCapabilities,omitempty"`
	DefaultAddCapabilities   []string `json:"defaultAddCapabilities,omitempty"`
	RunAsUser                struct {
		Type        string `json:"type,omitempty"` // MustRunAs, MustRunAsRange, MustRunAsNonRoot, RunAsAny
		UID         *int64 `json:"uid,omitempty"`
		UIDRangeMin *int64 `json:"uidRangeMin,omitempty"`
	} `json:"runAsUser,omitzero"`
	Users  []string `json:"users,omitempty"`
	Groups []string `json:"groups,omitempty"`
}

// DeepCopyObject is a copy whose metadata can be changed; the rest is shared.
func (o *SecurityContextConstraints) DeepCopyObject() runtime.Object {
	c := *o
	o.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	return &c
}
