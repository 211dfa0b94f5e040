package analyse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// retoldGraph is a small cluster of which paths tell most of what they can: an entry, a vulnerable image, a mount, an account that two
// bindings give its power, a second workload beside it.
const retoldGraph = `
	Internet internet -ROUTES_TO{ports=[80/TCP]}-> Service shop/Service/cart name=cart namespace=shop
	Service shop/Service/cart -ROUTES_TO{ports=[8080/TCP]}-> Pod cart-1 name=cart-1 namespace=shop workload=Deployment/cart exposed=true
	Pod cart-1 -RUNS-> Container cart-1/app name=app runsAsRoot=true tokenMounted=true namespace=shop workload=Deployment/cart exposed=true
	Container cart-1/app -USES_IMAGE-> Image sha256:a name=cart:1 severe=true rce=true unclear=false running=true scanned=true
	Image sha256:a -HAS_PACKAGE-> Package openssl name=openssl version=1
	Package openssl -AFFECTED_BY{severity=Critical fixed=2}-> Vulnerability CVE-1 rce=true severity=Critical
	Container cart-1/app -MOUNTS{hostFolder=/ opens=root path=/host}-> Volume cart-1/data
	Pod cart-1 runtimeSandboxed=false userNamespace=false -RUNS_ON-> Node node-1 name=node-1
	Pod cart-1 -RUNS_AS-> ServiceAccount shop/cart name=cart namespace=shop
	ServiceAccount shop/cart -HOLDS{binding="ClusterRoleBinding all" role="ClusterRole all"}-> Permission everything@cluster
	Permission everything@cluster power=everything scope=cluster
	Permission everything@cluster -COVERS-> Cluster c
	ServiceAccount shop/cart -HOLDS{binding="ClusterRoleBinding read" role="ClusterRole read"}-> Permission read@cluster
	Permission read@cluster power=read-secrets scope=cluster
	Permission read@cluster -COVERS-> Cluster c
	Cluster c -CONTAINS-> Namespace shop name=shop
	Namespace shop -CONTAINS-> Secret shop/key name=key namespace=shop
	Permission read@cluster -COVERS-> Namespace shop
	Pod cart-2 name=cart-2 namespace=shop workload=Deployment/other -RUNS-> Container cart-2/app
	Container cart-2/app name=app namespace=shop workload=Deployment/other
	Pod cart-2 -RUNS_ON-> Node node-1`

// TestWhatIsDifferentOnAnEdgeIsToldAnew changes one thing of the graph and back, mostly of an edge: with a memory of what was told
// before, the same is told as without.
func TestWhatIsDifferentOnAnEdgeIsToldAnew(t *testing.T) {
	rules := builtIn(t)
	with := func(old, now string) string {
		if !strings.Contains(retoldGraph, old) {
			t.Fatalf("there is no %q", old)
		}
		return strings.ReplaceAll(retoldGraph, old, now)
	}
	and := func(line string) string { return retoldGraph + "\n\t" + line }
	variants := map[string]string{
		"another port":                  with("80/TCP]}-> Service", "443/TCP]}-> Service"),
		"another port behind it":        with("8080/TCP", "9090/TCP"),
		"who may come is not sure":      with("ports=[8080/TCP]", "ports=[8080/TCP] uncertain=[NetworkPolicy]"),
		"mounted at another path":       with("path=/host", "path=/mnt"),
		"another binding gives it too":  with(`{binding="ClusterRoleBinding all"`, `{elsewhere=true binding="ClusterRoleBinding all"`),
		"another binding gives it":      with("ClusterRoleBinding all", "ClusterRoleBinding every"),
		"by another role":               with("ClusterRole all", "ClusterRole every"),
		"the same binding gives both":   with("ClusterRoleBinding read", "ClusterRoleBinding all"),
		"a second entry":                and("Internet internet -ROUTES_TO{ports=[81/TCP]}-> Service shop/Service/too -ROUTES_TO-> Pod cart-1"),
		"an entry elsewhere":            and("Service shop/Service/cart -ROUTES_TO{ports=[8080/TCP]}-> Pod cart-2 exposed=true"),
		"a second mount":                and("Container cart-1/app -MOUNTS{hostFolder=/etc opens=root path=/etc2}-> Volume cart-1/more"),
		"a second container":            and("Pod cart-1 -RUNS-> Container cart-1/log name=log tokenMounted=true namespace=shop"),
		"the other has the account too": and("Pod cart-2 -RUNS_AS-> ServiceAccount shop/cart"),
		"another power":                 and(`ServiceAccount shop/cart -HOLDS-> Permission exec@cluster power=exec-pods scope=cluster`),
		"one who holds it as well":      and(`ServiceAccount shop/other -HOLDS{binding=other}-> Permission everything@cluster`),
		"fixed in another version":      with("fixed=2", "fixed=3"),
		"a second vulnerability":        and("Package openssl -AFFECTED_BY{severity=High fixed=2}-> Vulnerability CVE-2 rce=true"),
		"the other has the image":       and("Container cart-2/app -USES_IMAGE-> Image sha256:a"),
		"a policy":                      and("NetworkPolicy shop/deny name=deny namespace=shop -SELECTS-> Pod cart-1"),
		"an owner":                      and("Deployment shop/Deployment/cart name=cart namespace=shop -OWNS-> Pod cart-1"),
	}
	lines := strings.Split(strings.TrimSpace(retoldGraph), "\n")
	for i, line := range lines {
		variants["without "+strings.TrimSpace(line)] = strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n")
	}
	told := func(m *Memory, text string) []Path {
		t.Helper()
		v, err := parseGiven(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		_, paths, _, err := m.Cluster(t.Context(), v, v.Clusters()[0], rules)
		if err != nil {
			t.Fatal(err)
		}
		for i := range paths {
			paths[i].rests = nil
		}
		return paths
	}
	base := told(&Memory{}, retoldGraph)
	if len(base) < 3 {
		t.Fatalf("%d paths are told of the graph", len(base))
	}
	reused, other := 0, 0
	for name, text := range variants {
		m, anew := &Memory{}, told(&Memory{}, text)
		for step, want := range [][]Path{base, anew, base, anew} {
			if again := told(m, []string{retoldGraph, text}[step%2]); !reflect.DeepEqual(again, want) {
				t.Errorf("%s, step %d: %s", name, step, fmt.Sprintf("%.2000s", firstDifference(again, want)))
			}
			reused += m.Reused
		}
		if !reflect.DeepEqual(anew, base) {
			other++
		}
	}
	t.Logf("%d of %d are told otherwise, %d paths are told again", other, len(variants), reused)
	if other < len(variants)/3 || reused < 2*len(variants) {
		t.Errorf("%d of %d are told otherwise, %d paths are told again: the test says little", other, len(variants), reused)
	}
}
