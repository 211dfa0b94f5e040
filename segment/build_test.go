package segment

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/schema"
)

// view builds the graph of facts, alone in a view.
func view(t *testing.T, f *collect.Facts) *graph.View {
	t.Helper()
	return viewOf(Cluster(f, Judge(f, administrators)))
}

// administrators is the one power that these tests ask about.
var administrators = []rbac.Power{{Name: everything, Any: []rbac.Ask{{Verbs: []string{"*"}, Group: "*", Resource: "*"}}}}

func viewOf(r *Result) *graph.View {
	shared := graph.NewShared(schema.Vocabulary())
	r.PutShared(shared)
	frozen := shared.Freeze()
	seg, _ := r.Build(frozen)
	return graph.NewView(schema.Vocabulary(), frozen, seg)
}

func cart(f *collect.Facts, pod string) *collect.Pod {
	p := &collect.Pod{Key: collect.Key{Namespace: "shop", Name: pod}, Phase: "Running", Node: "node-1",
		Owner:  collect.OwnerRef{Kind: "ReplicaSet", Name: "cart-5d9"},
		Labels: &collect.Labels{Map: map[string]string{"app": "cart", "pod-template-hash": "5d9"}},
		Shape: &collect.PodShape{ServiceAccount: "cart", Containers: []collect.ContainerShape{
			{Name: "app", Image: "nginx:1.27", Ports: []collect.ContainerPort{{Port: 8080}}},
			{Name: "proxy", Image: "registry.test/mesh/proxy@sha256:" + strings.Repeat("a", 64), Ports: []collect.ContainerPort{{Port: 15000}}}}},
		Images: &collect.Images{IDs: []string{"docker.io/library/nginx@sha256:" + strings.Repeat("b", 64), ""}}}
	f.Pods[p.Key] = p
	return p
}

func shop() *collect.Facts {
	f := collect.NewFacts()
	f.Cluster.Name = "prod"
	cart(f, "cart-5d9-x")
	return f
}

func TestAPodIsOwnedByItsDeploymentEvenIfReplicaSetsAreNotReadable(t *testing.T) {
	v := view(t, shop())
	p, ok := v.Node("Pod", "prod/shop/Pod/cart-5d9-x")
	if !ok || p.Text("workload") != "Deployment/cart" {
		t.Errorf("workload = %q, want Deployment/cart", p.Text("workload"))
	}
}

func TestAnImageNobodyLookedAtIsNotScannedAndHasNoInsights(t *testing.T) {
	i, ok := view(t, shop()).Node("Image", "sha256:"+strings.Repeat("b", 64))
	if !ok || i.Value("scanned").IsNull() || i.Value("scanned").Bool() {
		t.Fatalf("image found %v, scanned = %v; want false", ok, i.Value("scanned"))
	}
	for _, unknown := range []string{"severe", "rce", "exploited", "vulnerabilities"} {
		if !i.Value(unknown).IsNull() {
			t.Errorf("%s = %v, want unknown", unknown, i.Value(unknown))
		}
	}
}

func TestOnlyTheContainerThatDeclaresAnExposedPortIsExposed(t *testing.T) {
	f := shop()
	f.Services[collect.Key{Namespace: "shop", Name: "cart"}] = &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"app": "cart"},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}},
		Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "203.0.113.9"}}}}}
	v := view(t, f)
	for name, want := range map[string]bool{"app": true, "proxy": false} {
		c, _ := v.Node("Container", "prod/shop/Pod/cart-5d9-x/"+name)
		if got := c.Value("exposed"); got.IsNull() || got.Bool() != want {
			t.Errorf("%s exposed = %v, want %v", name, got, want)
		}
	}
	app := "sha256:" + strings.Repeat("b", 64)
	if got := Cluster(f, Judge(f, administrators)).Exposed; len(got) != 1 || got[0] != app {
		t.Errorf("images that the internet reaches: %v, want %s alone", got, app)
	}
}

func TestNotExposedIsUnknownWhileServicesCannotBeRead(t *testing.T) {
	f := shop()
	v := view(t, f)
	if p, _ := v.Node("Pod", "prod/shop/Pod/cart-5d9-x"); p.Value("exposed").IsNull() || p.Value("exposed").Bool() {
		t.Fatalf("exposed = %v, want false", p.Value("exposed"))
	}
	g := collect.Gap{Source: "api", What: "services", Why: "403", Kinds: []string{"Service", "ROUTES_TO"}}
	f.Gaps[g.Key()] = g
	if p, _ := view(t, f).Node("Pod", "prod/shop/Pod/cart-5d9-x"); !p.Value("exposed").IsNull() {
		t.Errorf("exposed = %v, want unknown", p.Value("exposed"))
	}
}

func TestARingOfOwnersEnds(t *testing.T) {
	f := shop()
	for a, b := range map[string]string{"x": "y", "y": "x"} {
		k := collect.WorkloadKey{Kind: "ReplicaSet", Key: collect.Key{Namespace: "shop", Name: a}}
		f.Workloads[k] = &collect.Workload{WorkloadKey: k, Owner: collect.OwnerRef{Kind: "ReplicaSet", Name: b}}
	}
	p := cart(f, "ring")
	p.Owner.Name = "x"
	view(t, f)
}

// bind gives the account of the shop's pod a role.
func bind(f *collect.Facts, rules ...rbacv1.PolicyRule) {
	f.ClusterRoles[collect.Key{Name: "r"}] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Rules: rules}
	f.ClusterRoleBindings[collect.Key{Name: "b"}] = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b"},
		RoleRef:  rbacv1.RoleRef{Kind: "ClusterRole", Name: "r"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "shop", Name: "cart"}}}
	k := collect.Key{Namespace: "shop", Name: "cart"}
	f.ServiceAccounts[k] = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: k.Name}}
}

func TestNoAdministratorIsUnknownWhileRolesCannotBeRead(t *testing.T) {
	f := shop()
	bind(f, rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}})
	want := func(name, want string) {
		t.Helper()
		v := view(t, f)
		pod, _ := v.Node("Pod", "prod/shop/Pod/cart-5d9-x")
		account, _ := v.Node("ServiceAccount", "prod/shop/ServiceAccount/cart")
		if p, a := pod.Value("clusterAdmin").String(), account.Value("clusterAdmin").String(); p != want || a != want {
			t.Errorf("%s: the pod is administrator: %q, its account: %q; want %q", name, p, a, want)
		}
	}
	want("everything was read", "false")
	f.RoleBindings[collect.Key{Namespace: "shop", Name: "b"}] = &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "b"},
		RoleRef:    rbacv1.RoleRef{Kind: "ClusterRole", Name: "lost"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "cart"}}}
	want("a role that nobody saw, in a namespace", "false")
	role := f.ClusterRoles[collect.Key{Name: "r"}]
	delete(f.ClusterRoles, collect.Key{Name: "r"})
	want("a role that nobody saw, in the cluster", "")
	f.ClusterRoles[collect.Key{Name: "r"}] = role
	want("that was seen after all", "false")
	g := collect.Gap{Source: "api", What: "clusterroles", Why: "403", Kinds: []string{"ClusterRole", "GRANTS", "HOLDS", "Permission"}}
	f.Gaps[g.Key()] = g
	want("roles were not", "")
	bind(f, rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}})
	want("but one that says enough", "true")
}

func TestAPermissionOverNamedObjectsIsNotTheWholeOne(t *testing.T) {
	for _, test := range []struct{ name, id, scope, admin string }{
		{"", "prod/Permission/everything@cluster", "cluster", "true"},
		{"db", "prod/Permission/everything@db", "names", "false"},
		{"cluster", "prod/Permission/everything@name=cluster", "names", "false"}, // an object of this very name
	} {
		f := shop()
		rule := rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}
		if test.name != "" {
			rule.ResourceNames = []string{test.name}
		}
		bind(f, rule)
		v := view(t, f)
		account, _ := v.Node("ServiceAccount", "prod/shop/ServiceAccount/cart")
		if got := account.Value("clusterAdmin").String(); got != test.admin {
			t.Errorf("named %q: administrator %q, want %q", test.name, got, test.admin)
		}
		var held []string
		for e := range account.Out("HOLDS") {
			held = append(held, e.To.ID()+" "+e.To.Text("scope"))
		}
		if want := test.id + " " + test.scope; !slices.Equal(held, []string{want}) {
			t.Errorf("named %q: the account holds %v, want %s", test.name, held, want)
		}
	}
}

func TestAPolicyThatCannotBeReadIsToldOnce(t *testing.T) {
	f := shop()
	k := collect.Key{Namespace: "shop", Name: "odd"}
	f.NetworkPolicies[k] = &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: k.Name},
		Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}}}
	f.Unread["clusternetworkpolicies.crd.antrea.io"] = 1
	told := map[string]int{}
	for _, g := range Cluster(f, Judge(f, nil)).Gaps {
		told[g.What]++
	}
	for _, what := range []string{"NetworkPolicy shop/odd", "policies of kind clusternetworkpolicies.crd.antrea.io"} {
		if told[what] != 1 {
			t.Errorf("%s is told %d times, want once: %v", what, told[what], told)
		}
	}
}

func TestAnImageThatIsNoReferenceIsAGapAndNoImage(t *testing.T) {
	f := shop()
	for _, p := range f.Pods {
		p.Shape.Containers[0].Image = "rootfs:/etc@sha256:" + strings.Repeat("b", 64)
		p.Images.IDs[0] = "docker.io/library/nginx@sha256:" + strings.Repeat("b", 64)
		p.Images.IDs[1] = "registry.test/mesh/proxy@sha256:/etc"
	}
	for _, u := range Images(f) {
		if u.Repository != "mesh/proxy" || u.Digest != "sha256:"+strings.Repeat("a", 64) {
			t.Errorf("used: %+v", u)
		}
	}
	r := Cluster(f, Judge(f, nil))
	var why []string
	for _, g := range r.Gaps {
		if g.Source == "image" {
			why = append(why, g.What+": "+g.Why)
		}
	}
	said := strings.Join(why, "\n")
	if len(why) != 2 || !strings.Contains(said, "is no reference of an image") || !strings.Contains(said, "names no digest") {
		t.Errorf("gaps: %s", said)
	}
}
