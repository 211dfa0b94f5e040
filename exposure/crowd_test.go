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
			want := map[string]map[string]int{"crowd": {"Pod": 220, "Service": 300}, "honest": {"Pod": 2, "Service": 30}}
			if want := want[ns][kind]; found != want {
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
		fmt.Fprintf(&rules, "{host: h%d.example, http: {paths: [{path: /, pathType: Prefix, "+
			"backend: {service: {name: s0, port: {number: 80}}}}]}},", i)
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

// gatewaysOf are Gateways that the same pods serve, each with a route of its own to a Service of those pods.
func gatewaysOf(n int) string {
	var b strings.Builder
	b.WriteString(crowdOf("x", n, 1))
	for i := range n {
		fmt.Fprintf(&b, "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g%[1]d, namespace: x}\n"+
			"spec: {gatewayClassName: c, listeners: [{name: l, port: 80, protocol: HTTP}]}\nstatus: {addresses: [{value: 8.8.8.8}]}\n---\n"+
			"apiVersion: v1\nkind: Service\nmetadata: {name: b%[1]d, namespace: x}\nspec: {selector: {app: a}, ports: [{port: 80}]}\n---\n"+
			"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r%[1]d, namespace: x}\n"+
			"spec: {parentRefs: [{name: g%[1]d}], rules: [{backendRefs: [{name: b%[1]d, port: 80}]}]}\n---\n", i)
	}
	return b.String()
}

// allocations are how often something was allocated: what was done, counted and not timed.
func allocations(do func()) float64 { return testing.AllocsPerRun(1, do) }

// TestPodsThatServeGatewaysAreNotEachAskedAbout: each of n Gateways leads to n pods, by any of n others.
func TestPodsThatServeGatewaysAreNotEachAskedAbout(t *testing.T) {
	judged := func(n int) float64 {
		f := manifests.Facts(t, gatewaysOf(n))
		return allocations(func() {
			r := Judge(f, netpol.New(f))
			for i := range n {
				if _, exposed := r.Find(collect.Key{Namespace: "x", Name: fmt.Sprint("b", i)}.Of("Service")); !exposed {
					t.Fatalf("Service b%d is not exposed", i)
				}
			}
		})
	}
	if few, many := judged(40), judged(80); many > 5.5*few {
		t.Errorf("%.0f allocations for 40 Gateways, %.0f for 80", few, many)
	}
}

// TestWhereEachSenderIsRefusedTheyAreAskedUpToABound: then nobody is the last that is asked about.
func TestWhereEachSenderIsRefusedTheyAreAskedUpToABound(t *testing.T) {
	f := manifests.Facts(t, crowdOf("x", 3, 1)+"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"+
		"metadata: {name: none, namespace: x}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n")
	j := &judge{facts: f, net: netpol.New(f), crowd: newCrowd(3), pods: indexPods(f)}
	j.crowd.answers.size = 0
	var pods []*collect.Pod
	for _, p := range f.Pods {
		pods = append(pods, p)
	}
	senders := make([]sender, 0, 100)
	for range 100 {
		senders = append(senders, sender{Endpoint: netpol.Pod(pods[1]), source: FromController})
	}
	v := j.verdict(way{clients: everyone()}, pods[0], netpol.Port{Protocol: "TCP", Number: 80}, senders)
	if v.closed != nil || !strings.Contains(v.uncertain, "so many ways") {
		t.Errorf("what was not asked is taken for closed: %+v", v)
	}
}

// TestHostsAndServersOfIstioDoNotMultiply: what is not compared counts as served, and is said.
func TestHostsAndServersOfIstioDoNotMultiply(t *testing.T) {
	var b, servers, hosts strings.Builder
	for i := range 40 {
		names := strings.Repeat("x/none.example,", 30)
		fmt.Fprintf(&servers, "{port: {number: %d, protocol: HTTP, name: a}, hosts: [%s y.example]},", 80+i, names)
		fmt.Fprintf(&hosts, "h%d.example,", i)
	}
	b.WriteString(crowdOf("x", 2, 60))
	fmt.Fprintf(&b, "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: x}\nspec: {selector: {app: a}, "+
		"servers: [%s]}\n---\n", servers.String())
	for i := range 60 {
		fmt.Fprintf(&b, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v%[1]d, namespace: x}\n"+
			"spec: {hosts: [%[2]s], gateways: [g], http: [{route: [{destination: {host: s%[1]d}}]}]}\n---\n", i, hosts.String())
	}
	f := manifests.Facts(t, b.String())
	r := Judge(f, netpol.New(f))
	if text := told(&Result{Gaps: r.Gaps}); !strings.Contains(text, "ways to many") {
		t.Errorf("what was not compared is no gap: %s", text)
	}
	if told := told(r); !strings.Contains(told, "so many hosts and servers are named that they were not compared") {
		t.Error("what was not compared is taken for not served")
	}
}
