package analyse

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// large is a cluster of this many pods: 20 replicas a workload, 10 workloads a
// namespace; every tenth workload is exposed, some are privileged or administer
// the cluster.
func large(pods int) *collect.Facts {
	f := collect.NewFacts()
	f.Cluster.Name = "large"
	for n := range pods/50 + 1 {
		name := fmt.Sprintf("node-%d", n)
		f.Nodes[collect.Key{Name: name}] = &collect.Node{Name: name, InternalIPs: []string{fmt.Sprintf("10.1.%d.%d", n/250, n%250+1)},
			Ready: true}
	}
	f.ClusterRoles[collect.Key{Name: "all"}] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "all"},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}}
	const replicas = 20
	for w := range pods / replicas {
		makeWorkload(f, w, replicas)
	}
	return f
}

func makeWorkload(f *collect.Facts, w, replicas int) {
	ns, name := fmt.Sprintf("team-%d", w/10), fmt.Sprintf("web-%d", w)
	key := collect.Key{Namespace: ns, Name: name}
	f.Namespaces[collect.Key{Name: ns}] = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	f.ServiceAccounts[key] = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
	labels := &collect.Labels{Map: map[string]string{"app": name}}
	shape := &collect.PodShape{ServiceAccount: name, Containers: []collect.ContainerShape{
		{Name: "app", Image: fmt.Sprintf("registry.test/app-%d:1", w%200), Privileged: w%70 == 0,
			Ports:  []collect.ContainerPort{{Port: 8080}},
			Mounts: []collect.Mount{{Volume: "data", Path: "/data"}}},
		{Name: "proxy", Image: "registry.test/proxy:1", Ports: []collect.ContainerPort{{Port: 15001}}}},
		Volumes: []collect.Volume{{Name: "data", Type: "emptyDir"}}}
	for kind, n := range map[string]string{"Deployment": name, "ReplicaSet": name + "-1"} {
		k := collect.WorkloadKey{Kind: kind, Key: collect.Key{Namespace: ns, Name: n}}
		f.Workloads[k] = &collect.Workload{WorkloadKey: k, Replicas: int32(replicas), Labels: labels}
		if kind == "ReplicaSet" {
			f.Workloads[k].Owner = collect.OwnerRef{Kind: "Deployment", Name: name}
		}
	}
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP,
			Selector: labels.Map, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}}}
	if w%10 == 0 {
		svc.Spec.Type = corev1.ServiceTypeLoadBalancer
		svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: fmt.Sprintf("203.0.113.%d", w%250+1)}}
	}
	f.Services[key] = svc
	if w%50 == 0 {
		f.ClusterRoleBindings[collect.Key{Name: name}] = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:  rbacv1.RoleRef{Kind: "ClusterRole", Name: "all"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: name}}}
	}
	for r := range replicas {
		p := &collect.Pod{Key: collect.Key{Namespace: ns, Name: fmt.Sprintf("%s-1-%d", name, r)},
			Node: fmt.Sprintf("node-%d", (w*replicas+r)/50),
			IPs:  []string{fmt.Sprintf("10.%d.%d.%d", 2+w/250, w%250, r+1)}, Phase: "Running", Labels: labels, Shape: shape,
			Owner: collect.OwnerRef{Kind: "ReplicaSet", Name: name + "-1"}}
		f.Pods[p.Key] = p
	}
}

// assessed is the images of large: 30 vulnerabilities each, some severe.
func assessed() (out []*assess.Assessment) {
	for i := range 200 {
		var found []vuln.Match
		for n := range 30 {
			m := vuln.Match{ID: fmt.Sprintf("CVE-2026-%d", i*7+n), Severity: vuln.Medium}
			if n < 3 && i%3 != 0 {
				m.Severity, m.RCE, m.FixedVersion = vuln.High, n == 0, "2"
			}
			found = append(found, m)
		}
		c := assess.Contents{ID: fmt.Sprintf("registry.test/app-%d:1", i),
			Components: []assess.Component{{Package: vuln.Package{Ecosystem: "Debian:12", Name: "p", Version: "1"},
				PURL: "pkg:deb/debian/p@1"}}}
		out = append(out, c.Assess(advisories(found)))
	}
	return append(out, assess.Contents{ID: "registry.test/proxy:1"}.Assess(advisories(nil)))
}

// BenchmarkRecompute30k measures what one changed object costs in a cluster of
// 30,000 pods: judges, graph, derived edges and paths, all anew.
func BenchmarkRecompute30k(b *testing.B) {
	f, rules, images := large(30_000), builtIn(b), assessed()
	shared := graph.NewShared(schema.Vocabulary())
	for _, a := range images {
		segment.PutAssessment(shared, a)
	}
	var judged, built, derived time.Duration
	var paths []Path
	for b.Loop() {
		start := time.Now()
		j := segment.Judge(f, rules.Powers)
		judged += time.Since(start)
		start = time.Now()
		made := segment.Cluster(f, j)
		made.PutShared(shared)
		frozen := shared.Freeze()
		seg, _ := made.Build(frozen)
		built += time.Since(start)
		start = time.Now()
		var err error
		if _, paths, _, err = Cluster(context.Background(), graph.NewView(schema.Vocabulary(), frozen, seg), seg, rules); err != nil {
			b.Fatal(err)
		}
		derived += time.Since(start)
	}
	for name, d := range map[string]time.Duration{"judge-ms": judged, "build-ms": built, "analyse-ms": derived} {
		b.ReportMetric(float64(d.Milliseconds())/float64(b.N), name)
	}
	b.ReportMetric(float64(len(paths)), "paths")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys>>20), "MiB-from-OS")
}
