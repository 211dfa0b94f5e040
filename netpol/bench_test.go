package netpol

import (
	"fmt"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// large is 30,000 pods of 3,000 workloads in 300 namespaces with 1,000
// policies, each of which lets in one other workload of its namespace.
func large() *collect.Facts {
	f := collect.NewFacts()
	for w := range 3000 {
		ns, app := fmt.Sprintf("ns-%d", w%300), fmt.Sprintf("app-%d", w)
		labels := &collect.Labels{Map: map[string]string{"app": app, "place": fmt.Sprint(w / 300)}}
		shape := &collect.PodShape{}
		for p := range 10 {
			k := collect.Key{Namespace: ns, Name: fmt.Sprintf("%s-%d", app, p)}
			f.Pods[k] = &collect.Pod{Key: k, Labels: labels, Shape: shape}
		}
		if w%3 == 0 {
			f.NetworkPolicies[collect.Key{Namespace: ns, Name: app}] = &networkingv1.NetworkPolicy{
				ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: app},
				Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": app}},
					Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{
						{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"place": "3"}}}}}}}}
		}
	}
	return f
}

// BenchmarkConnections is who may talk to whom in a large cluster.
func BenchmarkConnections(b *testing.B) {
	f := large()
	for b.Loop() {
		r := New(f).Connections(func(p *collect.Pod) string { return p.Namespace + "/" + p.Labels.Map["app"] })
		b.ReportMetric(float64(len(r.Links)), "links")
	}
}

// BenchmarkTalk is who can connect to what listens in it: three sets of ports, with
// something that enforces policies and without.
func BenchmarkTalk(b *testing.B) {
	f := large()
	var listeners []Listener
	for _, p := range sortedPods(f) {
		listeners = append(listeners, Listener{p, []Port{{"TCP", 8080 + int32(len(p.Name)%3)}}})
	}
	for _, state := range []State{Yes, Unknown} {
		b.Run(string(state), func(b *testing.B) {
			for b.Loop() {
				j := New(f)
				j.enforcement = Enforcement{State: state}
				t := j.Talk(listeners)
				b.ReportMetric(float64(len(t.Links)), "links")
				b.ReportMetric(float64(t.Unjudged), "unjudged")
			}
		})
	}
}

// BenchmarkAskWithManyBlocks is one question about a policy of 5,000 blocks.
func BenchmarkAskWithManyBlocks(b *testing.B) {
	f := large()
	k := collect.Key{Namespace: "ns-1", Name: "app-1"}
	var peers []networkingv1.NetworkPolicyPeer
	for i := range 5000 {
		peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: fmt.Sprintf("100.%d.%d.0/25", i/250,
			i%250)}})
	}
	f.NetworkPolicies[k] = &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: k.Name},
		Spec: networkingv1.NetworkPolicySpec{Ingress: []networkingv1.NetworkPolicyIngressRule{{From: peers}}}}
	j, to := New(f), Pod(f.Pods[collect.Key{Namespace: "ns-1", Name: "app-1-0"}])
	for b.Loop() {
		if a := j.Ask(Internet(), to, Port{"TCP", 80}); !a.Allowed {
			b.Fatal(a.Explain())
		}
	}
}
