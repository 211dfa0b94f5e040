package harborshop_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestARealClusterMakesTheSamePaths applies what people apply to a real API
// server: its controllers, not our stand-in for them, make the pods.
func TestARealClusterMakesTheSamePaths(t *testing.T) {
	if os.Getenv("BREAKWATER_SLOW") == "" {
		t.Skip("BREAKWATER_SLOW=1 runs it")
	}
	e := open(t)
	c := kubetest.Start(t, kubetest.Options{})
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	c.PretendNodes(t, kubetest.Nodes{Number: 3, ImageID: e.ImageID, External: func(int) string { return "203.0.113.11" }})
	prod := e.Clusters[0]
	pods := map[string]int{}
	simulated, err := kube.ReadFS(prod.Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range simulated.Pods {
		pods[p.Namespace]++
	}
	for _, file := range files(t, prod.Applied) {
		apply(t, c, file)
	}
	for namespace, n := range pods {
		c.WaitRunning(t, namespace, n)
	}
	facts, err := kube.Open(t.Context(), "context:test")
	if err != nil {
		t.Fatal(err)
	}
	facts.Cluster.Name = prod.Name
	if got := told(worldOf(t, e, facts).Clusters[prod.Name].Paths); !slices.Equal(got, pathsOf[prod.Name]) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(pathsOf[prod.Name], "\n"))
	}
}

// files are the texts of all files, in the order in which kubectl takes them.
func files(t *testing.T, from fs.FS) (out []string) {
	t.Helper()
	names, err := fs.Glob(from, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}

// apply applies a file, every field of which the server must know, and then what
// a cloud's load balancers would write into the status.
func apply(t *testing.T, c *kubetest.Cluster, text string) {
	t.Helper()
	if out, err := c.Kubectl(text, "apply", "--validate=strict", "-f", "-"); err != nil {
		t.Fatal(out, err)
	}
	for _, document := range strings.Split(text, "\n---\n") {
		var s corev1.Service // an Ingress has the same fields here
		if err := yaml.Unmarshal([]byte(document), &s); err != nil || len(s.Status.LoadBalancer.Ingress) == 0 {
			continue
		}
		patch, err := json.Marshal(map[string]any{"status": map[string]any{"loadBalancer": s.Status.LoadBalancer}})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := c.Kubectl("", "patch", "-n", s.Namespace, s.Kind, s.Name, "--subresource=status", "--type=merge", "-p",
			string(patch)); err != nil {
			t.Fatal(out, err)
		}
	}
}
