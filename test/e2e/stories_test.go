package e2e

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/test/kubetest"
	"github.com/breakwater-sec/breakwater/vuln"
)

// TestTheSampleInABrowser is what a stranger sees after make run.
func TestTheSampleInABrowser(t *testing.T) {
	bin := binary(t)
	s := serve(t, bin, "--sample", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	state := "BREAKWATER_STATE=" + filepath.Join(t.TempDir(), "state.json")
	browse(t, s, []string{"hunt", "path", "pages", "cookie", "whatif", "diff"}, state)
}

// TestTheStoriesOnARealCluster lives them again where nothing is simulated but
// the nodes: a real API server with its controllers, watched live.
func TestTheStoriesOnARealCluster(t *testing.T) {
	bin := binary(t)
	estate, err := harborshop.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer estate.Close()
	c := kubetest.Start(t, kubetest.Options{})
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	c.PretendNodes(t, kubetest.Nodes{Number: 3, ImageID: estate.ImageID, External: func(int) string { return "203.0.113.11" }})
	apply(t, c, estate.Clusters[0].Applied)
	data := t.TempDir()
	if _, err := vuln.Import(t.Context(), filepath.Join(data, "advisories"), []vuln.Source{{Name: "sample", FS: advisories.FS}},
		nil); err != nil {
		t.Fatal(err)
	}
	s := serve(t, bin, "--from", "harbor-prod=context:test", "--listen", "127.0.0.1:0", "--data", data,
		"--registry-mirror", harborshop.Host+"="+estate.Registry)
	bins, err := kubetest.Binaries()
	if err != nil {
		t.Fatal(err)
	}
	latency := filepath.Join(t.TempDir(), "latency")
	waitAssessed(t, bin, data)
	browse(
		t,
		s,
		[]string{"hunt", "path", "live", "registry"},
		"BREAKWATER_STATE="+filepath.Join(t.TempDir(), "state.json"),
		"REGISTRY="+estate.Registry,
		"KUBECTL="+filepath.Join(bins, "kubectl"),
		"KUBECONFIG_ADMIN="+c.Kubeconfig,
		"BREAKWATER_LATENCY="+latency,
	)
	if b, err := os.ReadFile(latency); err == nil {
		t.Logf("change → page, ms:\n%s", b)
	}
}

// waitAssessed waits until the server has found attack paths.
func waitAssessed(t *testing.T, bin, data string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		out, err := exec.Command(bin, "query", "--data", data, "MATCH (i:Image) WHERE i.scanned AND i.running RETURN i").Output()
		if err == nil && strings.Count(string(out), "\n") > 10 {
			return
		}
	}
	t.Fatal("the images were never assessed")
}

// apply applies manifests as a person would, and then what a cloud would write
// into the status of what asks for a load balancer.
func apply(t *testing.T, c *kubetest.Cluster, manifests fs.FS) {
	t.Helper()
	names, err := fs.Glob(manifests, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := fs.ReadFile(manifests, name)
		if err != nil {
			t.Fatal(err)
		}
		c.Apply(t, string(text))
		for _, document := range strings.Split(string(text), "\n---\n") {
			var s corev1.Service // an Ingress has the same fields here
			if err := yaml.Unmarshal([]byte(document), &s); err != nil || len(s.Status.LoadBalancer.Ingress) == 0 {
				continue
			}
			patch := fmt.Sprintf(`{"status":{"loadBalancer":{"ingress":[{"ip":%q}]}}}`, s.Status.LoadBalancer.Ingress[0].IP)
			if out, err := c.Kubectl("", "patch", strings.ToLower(s.Kind), s.Name, "-n", s.Namespace, "--subresource=status", "--type=merge",
				"-p", patch); err != nil {
				t.Fatal(out, err)
			}
		}
	}
}

// TestABinaryWithoutThePortalSaysSo: go install works without Node.
func TestABinaryWithoutThePortalSaysSo(t *testing.T) {
	bin, broken := t.TempDir(), t.TempDir()
	for _, tool := range []string{"node", "npm", "npx"} {
		if err := os.WriteFile(filepath.Join(broken, tool), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(bin, "breakwater")
	cmd := exec.Command("go", "install", "./cmd/breakwater")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "GOBIN="+bin, "PATH="+broken+":"+os.Getenv("PATH"))
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	s := serve(t, out, "--from", "../../cli/testdata/shop", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--no-images")
	resp, err := http.Get(s.home)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(page), "built without the portal") {
		t.Errorf("%s: %s %v", resp.Status, page, err)
	}
}
