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
