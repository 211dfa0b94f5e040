package kube_test

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

const provable = `
apiVersion: v1
kind: Namespace
metadata: {name: prove-open}
---
apiVersion: v1
kind: Namespace
metadata: {name: prove-guarded, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: prove-open}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: prove-guarded}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: prove-open}
rules: [{apiGroups: [""], resources: [secrets], resourceNames: [one], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: prove-open}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: app, namespace: prove-open}]
`

func prover(t *testing.T, c *kubetest.Cluster, as string) *kube.Prover {
	t.Helper()
	rest, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	rest.Impersonate.UserName = as
	p, err := kube.NewProver(kube.Config{Name: "test", REST: rest})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheAPIServerSaysWhoMayAndWhatIsAdmitted(t *testing.T) {
	c := kubetest.Shared(t)
	c.Apply(t, provable)
	p := prover(t, c, "")
	app := kube.Access{User: "system:serviceaccount:prove-open:app",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:prove-open", "system:authenticated"},
		Verb:   "get", Resource: "secrets", Namespace: "prove-open", Name: "one"}
	other := app
	other.Name = "two"
	for _, ask := range []struct {
		access kube.Access
		want   bool
	}{{app, true}, {other, false},
		{kube.Access{User: "nobody", Groups: []string{"system:authenticated"}, Verb: "get", Path: "/version"}, true},
	} {
		if got, err := p.Allowed(t.Context(), ask.access); err != nil || got != ask.want {
			t.Errorf("%+v: got %t, want %t; error %v", ask.access, got, ask.want, err)
		}
	}
	yes := true
	pod := func(namespace string) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "probe"},
			Spec: corev1.PodSpec{Containers: []corev1.Container{
				{Name: "probe", Image: "probe", SecurityContext: &corev1.SecurityContext{Privileged: &yes}}}},
		}
	}
	if ok, why, err := p.Admitted(t.Context(), pod("prove-open")); !ok || err != nil {
		t.Errorf("a namespace that guards nothing: %t, %q, %v", ok, why, err)
	}
	if ok, why, err := p.Admitted(t.Context(), pod("prove-guarded")); ok || err != nil || !strings.Contains(why, "PodSecurity") {
		t.Errorf("a namespace at level baseline: %t, %q, %v", ok, why, err)
	}
	pods, err := c.Client.CoreV1().Pods("prove-open").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) > 0 {
		t.Errorf("a dry run left %d pods; error %v", len(pods.Items), err)
	}
}

func TestCredentialsThatMayNotAskAreToldSo(t *testing.T) {
	c := kubetest.Shared(t)
	p := prover(t, c, "stranger")
	if _, err := p.Allowed(t.Context(), kube.Access{User: "x", Verb: "get", Resource: "pods"}); !errors.Is(err, kube.ErrMayNotAsk) {
		t.Errorf("access review: %v", err)
	}
	if _, _, err := p.Admitted(t.Context(), corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "probe"}}); !errors.Is(
		err,
		kube.ErrMayNotAsk,
	) {
		t.Errorf("dry run: %v", err)
	}
}
