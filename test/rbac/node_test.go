package rbac

import (
	"context"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestWhoImpersonatesANodeGetsTokensOfItsPods shows why it takes the node's user and the group of nodes.
func TestWhoImpersonatesANodeGetsTokensOfItsPods(t *testing.T) {
	c, ctx := kubetest.Shared(t), context.Background()
	const node, user = "node-impersonated", "system:node:node-impersonated"
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
	if _, err := c.Client.CoreV1().Nodes().Create(ctx, object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod, err := c.Client.CoreV1().Pods("default").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "of-a-node"},
		Spec: corev1.PodSpec{
			NodeName:           node,
			ServiceAccountName: "default",
			Tolerations:        []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			Containers:         []corev1.Container{{Name: "app", Image: "registry.test/app:1"}},
		}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	impersonate := func(resource, name string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{
			Verbs:         []string{"impersonate"},
			APIGroups:     []string{""},
			Resources:     []string{resource},
			ResourceNames: []string{name},
		}
	}
	may := grant(t, c.Client, "both", impersonate("users", user), impersonate("groups", "system:nodes"))
	one := grant(t, c.Client, "user-alone", impersonate("users", user))
	eventually(t, c.Client, may, rbac.Request{Verb: "impersonate", Resource: "groups", Name: "system:nodes"})
	token := func(w who, groups ...string) error {
		file, err := c.UserKubeconfig(w.user)
		if err != nil {
			t.Fatal(err)
		}
		config, err := clientcmd.BuildConfigFromFlags("", file)
		if err != nil {
			t.Fatal(err)
		}
		config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.CoreV1().ServiceAccounts("default").CreateToken(ctx, "default", &authenticationv1.TokenRequest{
			Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1",
				Name: pod.Name, UID: pod.UID}}}, metav1.CreateOptions{})
		return err
	}
	var last error // the node authorizer follows pods in its own time
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if last = token(may, "system:nodes"); last == nil {
			break
		}
	}
	if last != nil {
		t.Errorf("as the user, in the group: %v", last)
	}
	if err := token(may); !apierrors.IsForbidden(err) {
		t.Errorf("as the user in no group: %v, want forbidden", err)
	}
	if err := token(one, "system:nodes"); !apierrors.IsForbidden(err) {
		t.Errorf("who may impersonate the user alone, in the group: %v, want forbidden", err)
	}
}
