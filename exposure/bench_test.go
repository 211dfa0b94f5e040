package exposure

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// large is 30,000 pods of 3,000 workloads in 300 namespaces, with a policy for
// every third workload, a service for each and an ingress for half of them.
func large(t testing.TB) *collect.Facts {
	f := manifests.Facts(t, estate, controllerOpen, calico)
	name := "nginx"
	for w := range 3000 {
		ns, app := fmt.Sprintf("ns-%d", w%300), fmt.Sprintf("app-%d", w)
		set := map[string]string{"app": app}
		labels := &collect.Labels{Map: set}
		shape := &collect.PodShape{Containers: []collect.ContainerShape{{Name: "c", Image: app,
			Ports: []collect.ContainerPort{{Name: "http", Port: 8080}}}}}
		for p := range 10 {
			k := collect.Key{Namespace: ns, Name: fmt.Sprintf("%s-%d", app, p)}
			f.Pods[k] = &collect.Pod{Key: k, Node: fmt.Sprintf("n%d", 1+p%2), Labels: labels, Shape: shape}
		}
		meta := metav1.ObjectMeta{Namespace: ns, Name: app, UID: "u"}
		k := collect.Key{Namespace: ns, Name: app}
		f.Services[k] = &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: set,
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}}}
		if w%3 == 0 {
			f.NetworkPolicies[k] = &networkingv1.NetworkPolicy{ObjectMeta: meta,
				Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{MatchLabels: set},
					Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{
						{PodSelector: &metav1.LabelSelector{}},
						{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"name": "ingress-nginx"}}}}}}}}
		}
		if w%2 == 0 {
			backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: app,
				Port: networkingv1.ServiceBackendPort{Number: 80}}}
			f.Ingresses[k] = &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{IngressClassName: &name,
				DefaultBackend: &backend}}
		}
	}
	return f
}

// BenchmarkJudge is the whole judgement of a large cluster.
func BenchmarkJudge(b *testing.B) {
	f := large(b)
	b.ReportAllocs()
	for b.Loop() {
		if r := judged(f); len(r.Routes) < 15000 {
			b.Fatalf("%d routes", len(r.Routes))
		}
	}
}
