package rbac

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// bodies are objects of some resources, to be given a name.
var bodies = map[string]struct{ path, body string }{
	"pods": {"/api/v1/namespaces/%s/pods", `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": %q},
		"spec": {"containers": [{"name": "c", "image": "c"}]}}`},
	"secrets": {"/api/v1/namespaces/%s/secrets", `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": %q}}`},
	"deployments": {"/apis/apps/v1/namespaces/%s/deployments", `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %q},
		"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
		"spec": {"containers": [{"name": "c", "image": "c"}]}}}}`},
	"jobs": {"/apis/batch/v1/namespaces/%s/jobs", `{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": %q},
		"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c"}]}}}}`},
	"rolebindings": {"/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings", `{"apiVersion": "rbac.authorization.k8s.io/v1",
		"kind": "RoleBinding", "metadata": {"name": %q}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
		"name": "view"}, "subjects": []}`},
}

// made says whether an object comes to be that was not there, by any of the ways to create it under its name.
func made(t *testing.T, client kubernetes.Interface, resource, namespace, name string) (ways []string) {
	t.Helper()
	b := bodies[resource]
	base, body := fmt.Sprintf(b.path, namespace), []byte(fmt.Sprintf(b.body, name))
	r := client.CoreV1().RESTClient()
	for way, call := range map[string]error{
		"POST": r.Post().AbsPath(base).Param("dryRun", "All").SetHeader("Content-Type", "application/json").Body(body).
			Do(context.Background()).Error(),
		"PUT": r.Put().AbsPath(base, name).Param("dryRun", "All").SetHeader("Content-Type", "application/json").Body(body).
			Do(context.Background()).Error(),
		"apply": r.Patch(types.ApplyPatchType).AbsPath(base, name).Param("dryRun", "All").Param("fieldManager", "test").Body(body).
			Do(context.Background()).Error(),
		"merge": r.Patch(types.MergePatchType).AbsPath(base, name).Param("dryRun", "All").Body(body).Do(context.Background()).Error(),
	} {
		if call == nil {
			ways = append(ways, way)
		} else if !apierrors.IsForbidden(call) && !apierrors.IsNotFound(call) && !apierrors.IsAlreadyExists(call) {
			t.Errorf("%s of %s %s: %v", way, resource, name, call)
		}
	}
	slices.Sort(ways)
	return ways
}

// TestWhatIsCreatedByItsName: whoever may create and change a name only creates what has that name by a server-side
// apply, roles and bindings by PUT too, and without to change it nothing.
func TestWhatIsCreatedByItsName(t *testing.T) {
	c := kubetest.Shared(t)
	ctx, ns := context.Background(), "byname"
	if _, err := c.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}},
		metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	limited := func(resource, name string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{"*"}, Resources: []string{resource}, ResourceNames: []string{name}}
	}
	power := map[string]string{"pods": "create-pods", "deployments": "create-workloads", "jobs": "create-workloads",
		"rolebindings": "bind-roles", "secrets": "mint-token-secrets"}
	bind := rbacv1.PolicyRule{Verbs: []string{"bind"}, APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"},
		ResourceNames: []string{"view"}}
	for i, test := range []struct {
		resource string
		rules    []rbacv1.PolicyRule
		want     string
	}{
		{"pods", []rbacv1.PolicyRule{limited("pods", "x", "create")}, ""},
		{"pods", []rbacv1.PolicyRule{limited("pods", "x", "patch")}, ""},
		{"pods", []rbacv1.PolicyRule{limited("pods", "x", "create", "update")}, ""},
		{"pods", []rbacv1.PolicyRule{limited("pods", "x", "create"), limited("pods", "y", "patch")}, ""},
		{"pods", []rbacv1.PolicyRule{limited("pods", "x", "create", "patch")}, "apply"},
		{"pods", []rbacv1.PolicyRule{limited("pods", "x", "create"), {Verbs: []string{"patch"}, APIGroups: []string{""},
			Resources: []string{"pods"}}}, "apply"},
		{"pods", []rbacv1.PolicyRule{limited("*", "x", "*")}, "apply"},
		{"deployments", []rbacv1.PolicyRule{limited("deployments", "x", "create", "update")}, ""},
		{"deployments", []rbacv1.PolicyRule{limited("deployments", "x", "create", "patch")}, "apply"},
		{"jobs", []rbacv1.PolicyRule{limited("jobs", "x", "create", "patch")}, "apply"},
		{"secrets", []rbacv1.PolicyRule{limited("secrets", "x", "create", "update", "get")}, ""},
		{"secrets", []rbacv1.PolicyRule{limited("secrets", "x", "create", "patch")}, "apply"},
		{"rolebindings", []rbacv1.PolicyRule{limited("rolebindings", "x", "create"), bind}, ""},
		{"rolebindings", []rbacv1.PolicyRule{limited("rolebindings", "x", "create", "update"), bind}, "PUT"},
		{"rolebindings", []rbacv1.PolicyRule{limited("rolebindings", "x", "create", "patch"), bind}, "apply"},
	} {
		user := fmt.Sprint("by-name-", i)
		w := grantIn(t, c.Client, ns, user, test.rules...)
		got := strings.Join(made(t, as(t, c.Admin, w), test.resource, ns, "x"), ",")
		if got != test.want {
			t.Errorf("%d: %s with %v are created by %q, want %q", i, test.resource, test.rules, got, test.want)
		}
		f := collect.NewFacts()
		f.Namespaces[collect.Key{Name: ns}] = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
		f.ClusterRoles[collect.Key{Name: "view"}] = &rbacv1.ClusterRole{}
		k := collect.Key{Namespace: ns, Name: user}
		f.Roles[k] = &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: user}, Rules: test.rules}
		f.RoleBindings[k] = &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{Kind: "Role", Name: user},
			Subjects: []rbacv1.Subject{{Kind: "User", Name: user}}}
		held := slices.ContainsFunc(rbac.New(f).Holds(shipped(t)), func(h rbac.Hold) bool {
			return h.Subject == w.subject && h.Power == power[test.resource] && h.Scope.Namespace == ns
		})
		if held != (test.want != "") {
			t.Errorf("%d: the judge says %v of %s with %v", i, held, power[test.resource], test.rules)
		}
	}
}

// grantIn gives a user rules in a namespace.
func grantIn(t *testing.T, client kubernetes.Interface, namespace, user string, rules ...rbacv1.PolicyRule) who {
	t.Helper()
	ctx, meta := context.Background(), metav1.ObjectMeta{Name: user}
	_, err := client.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	if err == nil {
		_, err = client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta,
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}}, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	w := who{rbac.User(user), user, []string{"system:authenticated"}}
	last := rules[len(rules)-1]
	r := rbac.Request{Verb: last.Verbs[0], Group: last.APIGroups[0], Resource: last.Resources[0], Namespace: namespace}
	if len(last.ResourceNames) > 0 {
		r.Name = last.ResourceNames[0]
	}
	if r.Group == "*" {
		r.Group = map[string]string{"deployments": "apps", "jobs": "batch", "rolebindings": rbacv1.GroupName}[r.Resource]
	}
	eventually(t, client, w, r)
	return w
}
