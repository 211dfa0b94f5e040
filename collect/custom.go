package collect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Custom is an object of a kind whose fields are spelled here, because its published
// Go types are missing, heavy, or of a version that clusters have left.
type Custom[S any] struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              S `json:"spec"`
}

// CustomList is what a list of T returns.
type CustomList[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []T `json:"items"`
}

// DeepCopyObject is a copy whose metadata can be changed. Its spec is shared:
// nobody changes what was read.
func (o *Custom[S]) DeepCopyObject() runtime.Object {
	c := *o
	o.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	return &c
}

// DeepCopyObject is a copy whose items are shared.
func (l *CustomList[T]) DeepCopyObject() runtime.Object { c := *l; return &c }
