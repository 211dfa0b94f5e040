package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAPersonsDeploymentBecomesOneAlert is the story of the audit log: alice makes
// a Deployment that mounts the node's disk, on a real API server whose webhook
// sends to us, and a browser shows one alert that names her.
func TestAPersonsDeploymentBecomesOneAlert(t *testing.T) {
	c, args := watchedShop(t)
	bin := binary(t)
	s := serve(t, bin, append(args, "--ingest-listen", "127.0.0.1:0")...)
	a := s.asker(t)
	until(t, "the path into catalogue", func() bool { _, there := only(t, a, "catalogue"); return there })
	data := args[indexOf(args, "--data")+1]
	out := t.TempDir()
	said, err := exec.Command(bin, "connect", "audit", "--cluster", "prod", "--data", data, "--out", out).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "--audit-webhook-config-file") {
		t.Fatalf("connect: %v: %s", err, said)
	}
	if info, err := os.Stat(filepath.Join(out, "webhook.kubeconfig")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file with the token: %v %v", info, err)
	}
	if err := c.RestartAPIServer("--audit-policy-file="+filepath.Join(out, "policy.yaml"),
		"--audit-webhook-config-file="+filepath.Join(out, "webhook.kubeconfig"), "--audit-webhook-batch-max-wait=1s"); err != nil {
		t.Fatal(err)
	}
	admin := func(input string, args ...string) {
		t.Helper()
		if said, err := c.Kubectl(input, args...); err != nil {
			t.Fatal(said, err)
		}
	}
	alice, err := c.UserKubeconfig("alice")
	if err != nil {
		t.Fatal(err)
	}
	admin("", "create", "rolebinding", "alice", "--clusterrole=edit", "--user=alice", "-n", "shop")
	admin(`apiVersion: apps/v1
kind: Deployment
metadata: {name: disk-reader, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: disk-reader}}
  template:
    metadata: {labels: {app: disk-reader}}
    spec:
      containers: [{name: reader, image: "registry.harbor-shop.example/shop/web:1.4.2", volumeMounts: [{name: disk, mountPath: /host}]}]
      volumes: [{name: disk, hostPath: {path: /etc}}]
`, "apply", "--kubeconfig="+alice, "-f", "-")
	var list struct {
		Items []struct {
			ID, Rule, Title, Actor, About, Severity string
			Count                                   int
		}
	}
	mine := func() (n int) {
		a.get(t, "/alerts?rule=sensitive-host-folder", &list)
		return len(list.Items)
	}
	until(t, "the alert", func() bool { return mine() > 0 })
	var page struct {
		Entities []struct {
			Kind, Name, Role, Detail string
			Ref                      *struct{ ID string }
		}
		Evidence []string
	}
	names := func(kind, name string) bool {
		for _, e := range page.Entities {
			if e.Kind == kind && strings.Contains(e.Name+" "+e.Detail, name) {
				return true
			}
		}
		return false
	}
	until(t, "both pods in the one alert, known to the graph", func() bool {
		a.get(t, "/alert?cluster=prod&id="+list.Items[0].ID, &page)
		pods := 0
		for _, e := range page.Entities {
			if e.Kind == "Pod" && strings.HasPrefix(e.Name, "disk-reader-") && e.Ref != nil {
				pods++
			}
		}
		return pods == 2
	})
	if n := mine(); n != 1 || !strings.Contains(list.Items[0].Actor, "alice") || !strings.Contains(list.Items[0].About, "disk-reader") {
		t.Errorf("%d alerts: %+v; want one of alice about disk-reader", n, list.Items)
	}
	if !names("User", "alice") || !names("Deployment", "disk-reader") {
		t.Errorf("entities %+v", page.Entities)
	}
	s.anotherLink(t, bin, data)
	browse(t, s, []string{"alert"}, "BREAKWATER_STATE="+filepath.Join(t.TempDir(), "state.json"))
}

func indexOf(list []string, s string) int {
	for i, have := range list {
		if have == s {
			return i
		}
	}
	return -1
}
