package rbac

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// as is a client that acts as somebody.
func as(t *testing.T, admin *rest.Config, w who) kubernetes.Interface {
	t.Helper()
	config := rest.CopyConfig(admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: w.user, Groups: w.groups}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// done is a request that can be sent, as the judge is asked about it.
type done struct {
	rbac.Request
	body string
}

func randomDone(rnd *rand.Rand) done {
	kinds := []struct{ group, version, resource, kind string }{
		{"", "v1", "pods", "Pod"}, {"", "v1", "secrets", "Secret"}, {"apps", "v1", "deployments", "Deployment"},
		{"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole"},
	}
	k := kinds[rnd.IntN(len(kinds))]
	d := done{Request: rbac.Request{Verb: pick(rnd, []string{"get", "list", "create", "patch", "delete"}), Group: k.group,
		Resource: k.resource, Namespace: pick(rnd, namespaces), Name: pick(rnd, []string{"a", "b", "c"})}}
	if k.resource == "clusterroles" {
		d.Namespace = ""
	}
	d.body = fmt.Sprintf(`{"apiVersion": %q, "kind": %q, "metadata": {"name": "new"}}`,
		strings.TrimPrefix(k.group+"/"+k.version, "/"), k.kind)
	if d.Verb == "list" || d.Verb == "create" {
		d.Name = ""
	}
	return d
}

// send makes the request, without effect, and says whether authorization let it pass: what
// is not there or not valid was let in.
func send(t *testing.T, client kubernetes.Interface, d done) bool {
	t.Helper()
	r := client.CoreV1().RESTClient()
	path := []string{"/api/v1"}
	if d.Group != "" {
		path = []string{"/apis", d.Group, "v1"}
	}
	if d.Namespace != "" {
		path = append(path, "namespaces", d.Namespace)
	}
	path = append(path, d.Resource)
	if d.Name != "" {
		path = append(path, d.Name)
	}
	verb := map[string]string{"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}[d.Verb]
	call := r.Verb(verb).AbsPath(path...)
	switch d.Verb {
	case "patch":
		call = call.SetHeader("Content-Type", string(types.MergePatchType)).Body([]byte("{}")).Param("dryRun", "All")
	case "create":
		call = call.SetHeader("Content-Type", "application/json").Body([]byte(d.body)).Param("dryRun", "All")
	case "delete":
		call = call.Param("dryRun", "All")
	}
	err := call.Do(context.Background()).Error()
	return !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "cannot "+d.Verb)
}

// replayed sends requests under impersonation, and holds each against the judge's answer.
func replayed(t *testing.T, admin *rest.Config, j *rbac.Judge, rnd *rand.Rand) {
	t.Helper()
	clients := map[string]kubernetes.Interface{}
	yes := 0
	const requests = 200
	for range requests {
		w, d := callers[rnd.IntN(len(callers))], randomDone(rnd)
		if clients[w.user] == nil {
			clients[w.user] = as(t, admin, w)
		}
		got, want := j.Can(w.subject, d.Request), send(t, clients[w.user], d)
		if got.Allowed != want {
			t.Errorf("server let it pass: %v; %s", want, got.Explain())
		}
		if want {
			yes++
		}
	}
	t.Logf("%d requests, %d of them let in, all as the judge says", requests, yes)
	if yes < requests/20 || yes > requests*19/20 {
		t.Errorf("%d of %d requests were let in: they prove little", yes, requests)
	}
}

// grant gives a user rules in the whole cluster.
func grant(t *testing.T, client kubernetes.Interface, user string, rules ...rbacv1.PolicyRule) who {
	t.Helper()
	ctx, meta := context.Background(), metav1.ObjectMeta{Name: "only-" + user}
	_, err := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	if err == nil {
		_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta,
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}}, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	w := who{rbac.User(user), user, []string{"system:authenticated"}}
	r := rbac.Request{Verb: rules[0].Verbs[0], Group: rules[0].APIGroups[0], Resource: rules[0].Resources[0]}
	if len(rules[0].ResourceNames) > 0 {
		r.Name = rules[0].ResourceNames[0]
	}
	eventually(t, client, w, r)
	return w
}

// eventually waits until the API server's authorizer, which watches roles and
// bindings, knows what was written; how long is no test.
func eventually(t *testing.T, client kubernetes.Interface, w who, r rbac.Request) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ask(t, client, w, r); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s may not %s %s", w.user, r.Verb, r.Resource)
		}
	}
}

// TestASecretsValuesComeBackFromAPatchAndADelete shows why those verbs are among the power to read Secrets.
func TestASecretsValuesComeBackFromAPatchAndADelete(t *testing.T) {
	c := kubetest.Shared(t)
	ctx, in := context.Background(), "default"
	_, err := c.Client.CoreV1().Secrets(in).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Data: map[string][]byte{"password": []byte("s3cret")}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for verb, call := range map[string]func(kubernetes.Interface) *rest.Request{
		"patch": func(k kubernetes.Interface) *rest.Request {
			return k.CoreV1().RESTClient().Patch(types.MergePatchType).Body([]byte("{}"))
		},
		"delete": func(k kubernetes.Interface) *rest.Request { // what waits for its dependents is answered as it is
			return k.CoreV1().RESTClient().Delete().Name("db").Param("propagationPolicy", "Foreground")
		},
		"deletecollection": func(k kubernetes.Interface) *rest.Request { return k.CoreV1().RESTClient().Delete() },
	} {
		w := grant(t, c.Client, "only-"+verb, rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{""}, Resources: []string{"secrets"}})
		r := call(as(t, c.Admin, w)).Namespace(in).Resource("secrets").Param("dryRun", "All")
		if verb == "patch" {
			r = r.Name("db")
		}
		raw, err := r.Do(ctx).Raw()
		if err != nil || !strings.Contains(string(raw), "czNjcmV0") { // s3cret
			t.Errorf("%s: %s (%v)", verb, raw, err)
		}
	}
}

// TestEverythingOfOneNameIsEverything takes the way of the power write-cluster-role-and-binding.
func TestEverythingOfOneNameIsEverything(t *testing.T) {
	c := kubetest.Shared(t)
	w := grant(t, c.Client, "one-name", rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"},
		ResourceNames: []string{"mine"}})
	client := as(t, c.Admin, w)
	put := func(resource string, o any) {
		t.Helper()
		body, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.RbacV1().RESTClient().Put().Resource(resource).Name("mine").Body(body).Do(context.Background()).Error(); err != nil {
			t.Fatalf("put %s: %v", resource, err)
		}
	}
	version, meta := "rbac.authorization.k8s.io/v1", metav1.ObjectMeta{Name: "mine"}
	put("clusterroles", &rbacv1.ClusterRole{TypeMeta: metav1.TypeMeta{APIVersion: version, Kind: "ClusterRole"}, ObjectMeta: meta,
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}})
	put("clusterrolebindings", &rbacv1.ClusterRoleBinding{TypeMeta: metav1.TypeMeta{APIVersion: version, Kind: "ClusterRoleBinding"},
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "mine"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: w.user}}})
	eventually(t, c.Client, w, rbac.Request{Verb: "delete", Resource: "nodes"})
}
