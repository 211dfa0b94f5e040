package kube_test

import (
	"io"
	"os"
	"strings"
	"testing"

	authv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"bytes"

	"github.com/klauspost/compress/gzip"

	"github.com/breakwater-sec/breakwater/test/kubetest"
)

func gunzip(t *testing.T, b []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// may asks the API server itself what the documented account may do.
func may(t *testing.T, c *kubetest.Cluster, verb, group, resource, sub string) bool {
	t.Helper()
	r, err := c.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(),
		&authv1.SubjectAccessReview{Spec: authv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:breakwater:breakwater", Groups: []string{"system:serviceaccounts",
				"system:serviceaccounts:breakwater", "system:authenticated"},
			ResourceAttributes: &authv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource, Subresource: sub},
		}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Status.Allowed
}

func TestTheDocumentedRoleCanOnlyRead(t *testing.T) {
	c := kubetest.Shared(t)
	role, err := os.ReadFile("../../deploy/rbac/readonly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	if !may(t, c, "list", "", "pods", "") || !may(t, c, "watch", "networking.k8s.io", "ingresses", "") {
		t.Fatal("it cannot even read pods: the rest of this test proves nothing")
	}
	for _, verb := range []string{"get", "list", "watch"} {
		for _, r := range []string{"secrets", "nodes/proxy", "pods/exec", "pods/log", "pods/proxy", "services/proxy",
			"serviceaccounts/token"} {
			resource, sub, _ := strings.Cut(r, "/")
			if may(t, c, verb, "", resource, sub) {
				t.Errorf("it may %s %s", verb, r)
			}
		}
	}
	// RBAC also gives everybody the self-reviews: those are the only other verbs.
	_, lists, err := c.Client.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, l := range lists {
		group, _, found := strings.Cut(l.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, r := range l.APIResources {
			resource, sub, _ := strings.Cut(r.Name, "/")
			for _, verb := range []string{"create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate",
				"*"} {
				if asked++; may(t, c, verb, group, resource, sub) && !strings.HasPrefix(resource, "selfsubject") {
					t.Errorf("it may %s %s.%s", verb, r.Name, group)
				}
			}
		}
	}
	if asked < 500 {
		t.Errorf("only %d questions asked", asked)
	}
}
