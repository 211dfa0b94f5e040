package exposure

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// crowdOf are pods that all have labels of their own, and Services that each lead to all of them.
func crowdOf(namespace string, pods, services int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", namespace)
	for i := range pods {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Pod\nmetadata: {name: p%[2]d, namespace: %[1]s, labels: {app: a, n: n%[2]d}}\n"+
			"spec: {nodeName: w, containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIPs: [{ip: 10.0.0.7}]}\n---\n", namespace, i)
	}
	for i := range services {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Service\nmetadata: {name: s%[2]d, namespace: %[1]s}\n"+
			"spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: %[3]d}]}\n"+
			"status: {loadBalancer: {ingress: [{ip: 8.8.8.8}]}}\n---\n", namespace, i, 80+i)
	}
	return b.String()
}

func TestServicesAndPodsDoNotMultiplyAndNothingIsHiddenByThem(t *testing.T) {
	f := manifests.Facts(t, crowdOf("crowd", 220, 300)+crowdOf("honest", 2, 30))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := Judge(f, netpol.New(f))
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got > 150<<20 {
		t.Errorf("what was judged takes %d MiB", got>>20)
	}
	if most := waysOfPod*222 + waysMore + 330; len(r.Routes) > most {
		t.Errorf("%d routes, want at most %d", len(r.Routes), most)
	}
	honest := 0
	for _, route := range r.Routes {
		if route.Target().Namespace == "honest" {
			honest++
		}
	}
	if honest != 60 {
		t.Errorf("another namespace has %d of its 60 routes", honest)
	}
	for _, ns := range []string{"crowd", "honest"} {
		for kind, all := range map[string]int{"Pod": len(f.Pods), "Service": len(f.Services)} {
			found := 0
			for _, e := range r.Entities {
				if e.Kind == kind && e.Namespace == ns {
					if found++; e.Width != Any {
						t.Errorf("%s is exposed to %s", e.Ref, e.Width)
					}
				}
			}
			if want := map[string]map[string]int{"crowd": {"Pod": 220, "Service": 300}, "honest": {"Pod": 2, "Service": 30}}[ns][kind]; found != want {
				t.Errorf("%d of %d %ss of %s are exposed (%d in all)", found, want, kind, ns, all)
			}
		}
	}
	if e, _ := r.Find(collect.Key{Namespace: "crowd", Name: "p219"}.Of("Pod")); len(e.Ports) > 0 {
		t.Errorf("ports that are not told are taken for closed: %d are told", len(e.Ports))
	}
	if e, _ := r.Find(collect.Key{Namespace: "honest", Name: "p1"}.Of("Pod")); len(e.Ports) != 30 {
		t.Errorf("another namespace's pod is exposed on %d ports", len(e.Ports))
	}
	// The first pod has a way through each Service, so that it is known of each.
	if told := told(&Result{Gaps: r.Gaps}); !strings.Contains(told, "gap ways into crowded pods: 219 pods") {
		t.Errorf("what is not told is no gap: %s", told)
	}
}

func TestAnIngressOfThousandsOfHostsNamesSomeInASentence(t *testing.T) {
	var rules strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&rules, "{host: h%d.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s0, port: {number: 80}}}}]}},", i)
	}
	f := manifests.Facts(t, crowdOf("x", 3, 1)+"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: x}\n"+
		"spec: {rules: ["+rules.String()+"]}\n")
	r := Judge(f, netpol.New(f))
	if text := told(r); len(text) > 20_000 || !strings.Contains(text, "h15.example, 2984 more") {
		t.Errorf("%d letters: %.3000s", len(text), text)
	}
}

func TestOneNamespaceHasHalfOfWhatTheOthersLeave(t *testing.T) {
	s := share{size: 100}
	count := func(namespace string) (n int) {
		for s.take(namespace, 1) {
			n++
		}
		return n
	}
	if a, b, again := count("a"), count("b"), count("a"); a != 50 || b != 25 || again != 0 {
		t.Errorf("%d, %d, %d", a, b, again)
	}
}

func TestServingTellsOfAPodAsManyPortsAsItMayHave(t *testing.T) {
	f := manifests.Facts(t, crowdOf("x", 2, portsOf+50))
	ports, more := Serving(f)
	if p := ports[collect.Key{Namespace: "x", Name: "p0"}]; len(p) != portsOf || len(more) != 2 {
		t.Errorf("%d ports, %v", len(p), more)
	}
}
