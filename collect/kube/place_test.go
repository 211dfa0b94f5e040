package kube

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestPodsWithoutANodeMeetUnlessTheirSelectorsKeepThemApart: one that takes over its node
// has there what may run beside it, and nothing that never does.
func TestPodsWithoutANodeMeetUnlessTheirSelectorsKeepThemApart(t *testing.T) {
	of := func(kind, name, selector string) string {
		return fmt.Sprintf("---\napiVersion: apps/v1\nkind: %s\nmetadata: {name: %s}\nspec: {selector: {matchLabels: {a: b}}, template: "+
			"{metadata: {labels: {a: b}}, spec: {nodeSelector: {%s}, containers: [{name: c, image: i}]}}}\n", kind, name, selector)
	}
	node := func(name, labels string) string {
		return "---\napiVersion: v1\nkind: Node\nmetadata: {name: " + name + ", labels: {" + labels + "}}\n"
	}
	asks := func(kind, name, spec string) string {
		return strings.Replace(of(kind, name, ""), "nodeSelector: {}", spec, 1)
	}
	affinity := func(terms string) string {
		return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" + terms + "]}}}"
	}
	const (
		bears   = "tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}]"
		control = "node-role.kubernetes.io/control-plane: ''"
	)
	tainted := "---\napiVersion: v1\nkind: Node\nmetadata: {name: cp, labels: {" + control + "}}\n" +
		"spec: {taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]}\n"
	for _, c := range []struct {
		name, manifests string
		want            []string
	}{
		{"nothing keeps them apart", of("Deployment", "web", "") + of("Deployment", "db", ""), []string{"db on any-node", "web on any-node"}},
		{"one asks for a disk, the other for a zone", of("Deployment", "web", "disk: ssd") + of("Deployment", "db", "zone: x"),
			[]string{"db on any-node", "web on any-node"}},
		{"they ask for contrary pools", of("Deployment", "web", "pool: x") + of("Deployment", "db", "pool: z"),
			[]string{"db on any-node-pool-z", "web on any-node-pool-x"}},
		{"a third is on every node", of("Deployment", "web", "pool: x") + of("Deployment", "db", "pool: z") + of("DaemonSet", "log", ""),
			[]string{"db on any-node-pool-z", "log on any-node-pool-x", "log-2 on any-node-pool-z", "web on any-node-pool-x"}},
		{"nodes were read: one has the label",
			node("n1", "pool: x") + node("n2", "pool: z") + of("Deployment", "db", "pool: z"), []string{"db on n2"}},
		{"nodes were read: none has it, one says nothing of it", node("n1", "pool: x") + node("n2", "") + of("Deployment", "db", "pool: z"),
			[]string{"db on n2"}},
		{"affinity leaves no choice", asks("Deployment", "web", affinity("{matchExpressions: [{key: pool, operator: In, values: [x]}]}")) +
			of("Deployment", "db", "pool: z"), []string{"db on any-node-pool-z", "web on any-node-pool-x"}},
		{"affinity leaves a choice", asks("Deployment", "web", affinity("{matchExpressions: [{key: pool, operator: In, values: [x, z]}]}")) +
			of("Deployment", "db", "pool: z"), []string{"db on any-node", "web on any-node"}},
		{"one asks for the control plane", asks("Deployment", "web", "nodeSelector: {"+control+"}, "+bears) + of("Deployment", "db", ""),
			[]string{"db on any-node", "web on any-node-control-plane"}},
		{"it asks, and bears no taint", of("Deployment", "web", control), []string{"web on any-node-control-plane"}},
		{"another bears its taint", asks("Deployment", "web", affinity("{matchExpressions: [{key: node-role.kubernetes.io/control-plane, "+
			"operator: Exists}]}")+", "+bears) + asks("DaemonSet", "log", bears),
			[]string{"log on any-node", "log-2 on any-node-control-plane", "web on any-node-control-plane"}},
		{"nodes were read: a daemon set is on each", node("n1", "") + node("n2", "") + tainted + of("DaemonSet", "log", ""),
			[]string{"log on n1", "log-2 on n2"}},
		{"nodes were read: it bears the taint", node("n1", "") + node("n2", "") + tainted + asks("DaemonSet", "log", bears),
			[]string{"log on cp", "log-2 on n1", "log-3 on n2"}},
		{"nodes were read: a deployment may be on one of each sort", node("n1", "") + node("n2", "") + tainted + asks("Deployment", "web", bears),
			[]string{"web on cp", "web-2 on n1"}},
		{"nodes were read: affinity chooses", node("n1", "pool: x") + node("n2", "pool: z") +
			asks("Deployment", "web", affinity("{matchExpressions: [{key: pool, operator: NotIn, values: [x]}]}")), []string{"web on n2"}},
		{"nodes were read: all are tainted", tainted + of("Deployment", "web", ""), []string{"web on any-node"}},
		{"a pod alone, which bears the taint", node("n1", "") + tainted + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n" +
			"spec: {" + bears + ", containers: [{name: c, image: i}]}\n", []string{"p on cp"}},
		{"nodes were read: one has the label, one says little", node("n1", "pool: x") + node("n2", "") + of("DaemonSet", "log", "pool: x"),
			[]string{"log on n1", "log-2 on n2"}},
		{"nodes were read: one has the label, one says what kubelets say", node("n1", "pool: x") +
			node("n2", "kubernetes.io/hostname: n2") + of("DaemonSet", "log", "pool: x"), []string{"log on n1"}},
		{"a pod alone, of which the control plane says nothing", node("n1", "disk: ssd") + node("cp", control) +
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeSelector: {disk: ssd}, containers: [{name: c, image: i}]}\n",
			[]string{"p on cp"}},
		{"nodes were read: each has another", node("n1", "pool: x") + of("Deployment", "db", "pool: z"), []string{"db on any-node"}},
	} {
		var got []string
		for _, p := range factsIn(t, c.manifests).Pods {
			got = append(got, p.Name+" on "+p.Node)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, strings.Join(got, ", "), strings.Join(c.want, ", "))
		}
	}
}
