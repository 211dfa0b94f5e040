package rbac

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestANamespacesLabelsAreWrittenWithItsSubresources shows why those are among the power to change namespaces.
func TestANamespacesLabelsAreWrittenWithItsSubresources(t *testing.T) {
	c := kubetest.Shared(t)
	ctx, level := context.Background(), "pod-security.kubernetes.io/enforce"
	for sub, change := range map[string]func(kubernetes.Interface, *corev1.Namespace) error{
		"status": func(k kubernetes.Interface, o *corev1.Namespace) error {
			_, err := k.CoreV1().Namespaces().Patch(ctx, o.Name, types.MergePatchType, []byte(`{"metadata": {"labels": {"`+level+`": null}}}`),
				metav1.PatchOptions{}, "status")
			return err
		},
		"finalize": func(k kubernetes.Interface, o *corev1.Namespace) error {
			delete(o.Labels, level)
			_, err := k.CoreV1().Namespaces().Finalize(ctx, o, metav1.UpdateOptions{})
			return err
		},
	} {
		o, err := c.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "labels-" + sub,
			Labels: map[string]string{level: "restricted"}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w := grant(t, c.Client, "labels-"+sub, rbacv1.PolicyRule{Verbs: []string{"patch", "update"}, APIGroups: []string{""},
			Resources: []string{"namespaces/" + sub}})
		if err := change(as(t, c.Admin, w), o); err != nil {
			t.Errorf("%s: %v", sub, err)
		}
		if o, err = c.Client.CoreV1().Namespaces().Get(ctx, o.Name, metav1.GetOptions{}); err != nil || o.Labels[level] != "" {
			t.Errorf("%s left the labels %v (%v)", sub, o.Labels, err)
		}
	}
}
