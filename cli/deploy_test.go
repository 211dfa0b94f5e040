package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/report"
)

// TestWhoTakesOurOwnDeploymentGetsNeitherNodeNorCluster: from every container, pod and
// account of deploy/, taken however that may be, no chain of techniques leads on. Influence
// is not control: the sensor reads the kernel, which is its work.
func TestWhoTakesOurOwnDeploymentGetsNeitherNodeNorCluster(t *testing.T) {
	out, errOut, code := command(t, "graph", "--from", "prod="+filepath.Join("..", "deploy"), "--data", t.TempDir(), "-o", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var g struct {
		Nodes []report.Node
		Edges []report.Edge
	}
	if err := json.Unmarshal([]byte(out), &g); err != nil {
		t.Fatal(err)
	}
	kind := map[string]string{}
	ours := map[string]int{}
	for _, n := range g.Nodes {
		kind[n.ID] = n.Kind
		ours[n.Kind]++
	}
	steps := map[string][]report.Edge{}
	for _, e := range g.Edges {
		if (e.Rule != "" || e.Kind == "HOLDS") && e.Kind != "CAN_TAMPER" {
			steps[e.From] = append(steps[e.From], e)
		}
	}
	entries := []string{"Pod", "Container", "ServiceAccount", "Image", "Repository"}
	for id, k := range kind {
		if !slices.Contains(entries, k) {
			continue
		}
		seen, queue := map[string]bool{id: true}, []string{id}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			for _, e := range steps[at] {
				if to := kind[e.To]; to == "Node" || to == "Cluster" {
					t.Errorf("who has %s %s comes to %s %s: -%s-> by %s from %s", k, id, to, e.To, e.Kind, e.Rule, at)
				}
				if !seen[e.To] {
					seen[e.To] = true
					queue = append(queue, e.To)
				}
			}
		}
	}
	if ours["Pod"] == 0 || ours["Container"] == 0 || ours["ServiceAccount"] < 2 || ours["Node"] == 0 {
		t.Errorf("deploy/ was not read: %v", ours)
	}
}
