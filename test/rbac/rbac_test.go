// Package rbac compares the rbac judge with a real API server: for roles and
// bindings drawn at random, both must give the same answer to every question.
package rbac

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

var (
	namespaces = []string{"shop", "bank"}
	verbs      = []string{"get", "list", "create", "patch", "*", "bind", "escalate", "impersonate"}
	groups     = []string{"", "apps", "rbac.authorization.k8s.io", "*"}
	resources  = []string{
		"pods",
		"secrets",
		"pods/exec",
		"deployments",
		"deployments/scale",
		"*/scale",
		"pods/*",
		"*",
		"clusterroles",
		"serviceaccounts/token",
		"nodes/proxy",
	}
	objects = []string{"", "", "", "a", "b"}
	paths   = []string{"/healthz", "/healthz/*", "/metrics", "*"}
)

func pick(rnd *rand.Rand, from []string) string { return from[rnd.IntN(len(from))] }

func some(rnd *rand.Rand, from []string) (out []string) {
	for range 1 + rnd.IntN(2) {
		out = append(out, pick(rnd, from))
	}
	return out
}

func randomRules(rnd *rand.Rand, cluster bool) (out []rbacv1.PolicyRule) {
	for range 1 + rnd.IntN(2) {
		if cluster && rnd.IntN(6) == 0 {
			out = append(out, rbacv1.PolicyRule{Verbs: some(rnd, verbs), NonResourceURLs: some(rnd, paths)})
			continue
		}
		r := rbacv1.PolicyRule{Verbs: some(rnd, verbs), APIGroups: some(rnd, groups), Resources: some(rnd, resources)}
		if o := pick(rnd, objects); o != "" {
			r.ResourceNames = []string{o}
		}
		out = append(out, r)
	}
	return out
}

func randomSubject(rnd *rand.Rand) rbacv1.Subject {
	switch rnd.IntN(4) {
	case 0:
		return rbacv1.Subject{
			Kind:     "User",
			APIGroup: rbacv1.GroupName,
			Name:     pick(rnd, []string{"alice", "system:serviceaccount:shop:web", "system:anonymous"}),
		}
	case 1:
		return rbacv1.Subject{
			Kind:     "Group",
			APIGroup: rbacv1.GroupName,
			Name: pick(
				rnd,
				[]string{"devs", "system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:serviceaccounts:bank"},
			),
		}
	}
	return rbacv1.Subject{Kind: "ServiceAccount", Namespace: pick(rnd, namespaces), Name: pick(rnd, []string{"web", "job"})}
}

// plant creates random roles and bindings.
func plant(t *testing.T, client kubernetes.Interface, rnd *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, ns := range namespaces {
		_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{})
		ok(err)
	}
	for i := range 30 {
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("random-%d", i), Labels: map[string]string{
			pick(rnd, []string{"gather", "rbac.authorization.k8s.io/aggregate-to-view", "other"}): "true"}}
		_, err := client.RbacV1().
			ClusterRoles().
			Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: randomRules(rnd, true)}, metav1.CreateOptions{})
		ok(err)
		for _, ns := range namespaces {
			_, err := client.RbacV1().Roles(ns).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: randomRules(rnd, false)}, metav1.CreateOptions{})
			ok(err)
			ref := rbacv1.RoleRef{
				APIGroup: rbacv1.GroupName,
				Kind:     pick(rnd, []string{"Role", "ClusterRole"}),
				Name:     fmt.Sprintf("random-%d", rnd.IntN(33)),
			}
			_, err = client.RbacV1().
				RoleBindings(ns).
				Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref,
					Subjects: []rbacv1.Subject{randomSubject(rnd), randomSubject(rnd)}}, metav1.CreateOptions{})
			ok(err)
		}
		if i%4 == 0 {
			ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name}
			_, err := client.RbacV1().
				ClusterRoleBindings().
				Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: []rbacv1.Subject{randomSubject(rnd)}},
					metav1.CreateOptions{})
			ok(err)
		}
	}
}

// facts reads what the judge reads, the server's own roles included.
func facts(t *testing.T, client kubernetes.Interface) *collect.Facts {
	t.Helper()
	ctx, f := context.Background(), collect.NewFacts()
	roles, err1 := client.RbacV1().Roles("").List(ctx, metav1.ListOptions{})
	clusterRoles, err2 := client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
	bindings, err3 := client.RbacV1().RoleBindings("").List(ctx, metav1.ListOptions{})
	clusterBindings, err4 := client.RbacV1().ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range roles.Items {
		o := &roles.Items[i]
		f.Roles[collect.Key{Namespace: o.Namespace, Name: o.Name}] = o
	}
	for i := range clusterRoles.Items {
		f.ClusterRoles[collect.Key{Name: clusterRoles.Items[i].Name}] = &clusterRoles.Items[i]
	}
	for i := range bindings.Items {
		o := &bindings.Items[i]
		f.RoleBindings[collect.Key{Namespace: o.Namespace, Name: o.Name}] = o
	}
	for i := range clusterBindings.Items {
		f.ClusterRoleBindings[collect.Key{Name: clusterBindings.Items[i].Name}] = &clusterBindings.Items[i]
	}
	for _, w := range callers {
		if w.subject.Kind == "ServiceAccount" {
			f.ServiceAccounts[collect.Key{Namespace: w.subject.Namespace, Name: w.subject.Name}] = &corev1.ServiceAccount{}
		}
	}
	return f
}

// who is a subject as the judge and as the server knows it.
type who struct {
	subject rbac.Subject
	user    string
	groups  []string
}

var callers = []who{
	{rbac.User("alice"), "alice", []string{"system:authenticated"}},
	{rbac.Group("devs"), "nobody-else", []string{"devs", "system:authenticated"}},
	{rbac.User("system:anonymous"), "system:anonymous", []string{"system:unauthenticated"}},
	{rbac.Group("system:masters"), "root", []string{"system:masters", "system:authenticated"}},
	account("shop", "web"), account("shop", "job"), account("bank", "web"), account("bank", "other"),
}

func account(ns, name string) who {
	return who{rbac.ServiceAccount(ns, name), "system:serviceaccount:" + ns + ":" + name,
		[]string{"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"}}
}

func randomRequest(rnd *rand.Rand) rbac.Request {
	if rnd.IntN(10) == 0 {
		return rbac.Request{
			Verb: pick(rnd, []string{"get", "create"}),
			Path: pick(rnd, []string{"/healthz", "/healthz/etcd", "/metrics", "/other"}),
		}
	}
	r := rbac.Request{
		Verb:      pick(rnd, []string{"get", "list", "create", "patch", "bind", "delete", "*"}),
		Group:     pick(rnd, []string{"", "", "apps", "rbac.authorization.k8s.io", "*"}),
		Namespace: pick(rnd, []string{"", "shop", "bank"}),
		Name:      pick(rnd, objects),
	}
	r.Resource, r.Subresource, _ = strings.Cut(
		pick(rnd, []string{"pods", "pods/exec", "secrets", "deployments", "deployments/scale", "nodes/proxy", "clusterroles", "*"}),
		"/",
	)
	return r
}

// ask is the server's answer.
func ask(t *testing.T, client kubernetes.Interface, w who, r rbac.Request) bool {
	t.Helper()
	spec := authorizationv1.SubjectAccessReviewSpec{User: w.user, Groups: w.groups}
	if r.Path != "" {
		spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Verb: r.Verb, Path: r.Path}
	} else {
		spec.ResourceAttributes = &authorizationv1.ResourceAttributes{Verb: r.Verb, Group: r.Group, Resource: r.Resource,
			Subresource: r.Subresource, Namespace: r.Namespace, Name: r.Name}
	}
	answer, err := client.AuthorizationV1().
		SubjectAccessReviews().
		Create(context.Background(), &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}

func TestTheJudgeAgreesWithTheAPIServer(t *testing.T) {
	cluster := kubetest.Shared(t)
	client := cluster.Client
	rnd := rand.New(rand.NewPCG(7, 8))
	plant(t, client, rnd)
	gathers(t, client)
	f := facts(t, client)
	j := rbac.New(f)
	yes := 0
	const questions = 5000
	for range questions {
		w, r := callers[rnd.IntN(len(callers))], randomRequest(rnd)
		got, want := j.Can(w.subject, r), ask(t, client, w, r)
		if got.Allowed != want {
			t.Errorf("server says %v: %s", want, got.Explain())
		}
		if want {
			yes++
		}
	}
	t.Logf("%d questions, %d of them allowed, all answered alike", questions, yes)
	if yes < questions/20 {
		t.Errorf("only %d of %d questions are allowed: they prove little", yes, questions)
	}
	holdsAgree(t, client, j)
	replayed(t, cluster.Admin, j, rnd)
}

// gathers creates a role that gathers the rules of others, binds it, and waits until the
// controller has filled it and those default roles that gather what was planted.
func gathers(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx, meta := context.Background(), metav1.ObjectMeta{Name: "gatherer"}
	selector := metav1.LabelSelector{MatchLabels: map[string]string{"gather": "true"}}
	_, err := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta,
		AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{selector}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]string{"gatherer": "gatherer", "viewer": "view"} {
		_, err = client.RbacV1().RoleBindings("bank").Create(ctx, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "bank", Name: "other"}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	for label, role := range map[string]string{"gather": "gatherer", "rbac.authorization.k8s.io/aggregate-to-view": "view"} {
		for !filled(t, client, label, role) {
			time.Sleep(200 * time.Millisecond)
		}
	}
}

// filled says whether a role has each rule of the roles with a label.
func filled(t *testing.T, client kubernetes.Interface, label, role string) bool {
	t.Helper()
	ctx := context.Background()
	has, err := client.RbacV1().ClusterRoles().Get(ctx, role, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	from, err := client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{LabelSelector: label + "=true"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range from.Items {
		for _, rule := range r.Rules {
			if !slices.ContainsFunc(has.Rules, func(o rbacv1.PolicyRule) bool { return o.String() == rule.String() }) {
				return false
			}
		}
	}
	return len(from.Items) > 0
}

func shipped(t *testing.T) []rbac.Power {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "packs", "attack", "powers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	powers, err := rbac.ParsePowers("powers.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return powers
}

// holdsAgree asks the server for every power that the judge says is held in the
// cluster or a namespace by a caller.
func holdsAgree(t *testing.T, client kubernetes.Interface, j *rbac.Judge) {
	powers := shipped(t)
	held := map[string]bool{}
	for _, h := range j.Holds(powers) {
		if h.Scope.Kind != rbac.Names {
			held[fmt.Sprint(h.Subject, h.Power, h.Scope.Namespace)] = true
		}
	}
	for _, w := range callers {
		for _, p := range powers {
			if byName(p) {
				continue
			}
			for _, ns := range []string{"", "shop", "bank"} {
				want := may(t, client, w, p, ns)
				got := held[fmt.Sprint(w.subject, p.Name, ns)] || held[fmt.Sprint(w.subject, p.Name, "")]
				if got != want {
					t.Errorf("%s, %s in %q: held %v, server says %v", w.subject, p.Name, ns, got, want)
				}
			}
		}
	}
}

// may asks the server for every ask of a power. In a namespace, those about
// resources without one are asked of the whole cluster.
func may(t *testing.T, client kubernetes.Interface, w who, p rbac.Power, ns string) bool {
	t.Helper()
	one := func(a rbac.Ask) bool {
		if a.Before != "" {
			return false // the server is newer
		}
		for _, verb := range a.Verbs {
			for _, sub := range a.Subresources() {
				r := rbac.Request{Verb: verb, Group: a.Group, Resource: a.Resource, Subresource: sub, Path: a.Path, Namespace: ns, Name: a.Name}
				if a.ClusterScoped || a.Path != "" {
					r.Namespace = ""
				}
				if ask(t, client, w, r) || verb == "create" && sub == "" && applies(t, client, w, r) {
					return true
				}
			}
		}
		return false
	}
	return (len(p.Any) == 0 || slices.ContainsFunc(p.Any, one)) && !slices.ContainsFunc(p.All, func(a rbac.Ask) bool { return !one(a) })
}

// applies says that what a request would create is created by a server-side apply, which tells the name.
func applies(t *testing.T, client kubernetes.Interface, w who, r rbac.Request) bool {
	t.Helper()
	return slices.ContainsFunc(objects, func(name string) bool {
		create, patch := r, r
		create.Name, patch.Name, patch.Verb = name, name, "patch"
		return name != "" && ask(t, client, w, create) && ask(t, client, w, patch)
	})
}

// byName says that a power counts rules that are limited to names as more than that, so that
// one question to the server does not decide it.
func byName(p rbac.Power) bool {
	return slices.ContainsFunc(slices.Concat(p.Any, p.All), func(a rbac.Ask) bool { return a.Names != "" || a.ByPut })
}

// TestTheDefaultRolesHoldWhatTheServersDo compares the roles that stand in for
// manifests with those the server makes, power by power.
func TestTheDefaultRolesHoldWhatTheServersDo(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "packs", "attack", "powers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	powers, err := rbac.ParsePowers("powers.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	real := facts(t, kubetest.Shared(t).Client)
	made := collect.NewFacts()
	clear(real.RoleBindings) // those of other tests
	clear(real.ClusterRoleBindings)
	for _, role := range []string{"cluster-admin", "admin", "edit", "view"} {
		k := collect.Key{Namespace: "shop", Name: "default-" + role}
		b := &rbacv1.RoleBinding{
			RoleRef:  rbacv1.RoleRef{Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{Kind: "User", Name: k.Name}},
		}
		real.RoleBindings[k], made.RoleBindings[k] = b, b
	}
	held := func(f *collect.Facts) map[string]bool {
		out := map[string]bool{}
		for _, h := range rbac.New(f).Holds(powers) {
			if strings.HasPrefix(h.Subject.Name, "default-") && h.Scope.Namespace == "shop" && h.Scope.Kind == rbac.Namespace {
				out[h.Subject.Name+" "+h.Power] = true
			}
		}
		return out
	}
	want, got := held(real), held(made)
	for hold := range want {
		if !got[hold] {
			t.Errorf("missing %s", hold)
		}
	}
	for hold := range got {
		if !want[hold] {
			t.Errorf("made up %s", hold)
		}
	}
	if len(want) < 20 {
		t.Errorf("only %d holds", len(want))
	}
}
