package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
)

// privileged is a pod and a job that take over their node.
const privileged = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: app, image: "registry.test/app:1", securityContext: {privileged: true}}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: shop}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: app, image: "registry.test/app:1", securityContext: {privileged: true}}]}
`

func TestAFixIsPrintedAsAScriptAndIsNoneWhereACommandIsWanting(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(privileged), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, assume string
		code         int
		want, wrong  []string // of a script, and of an error
	}{
		{"of a pod", "workload:shop/web", 0,
			[]string{"set -e\n# Drop `privileged: true`\n# Note: A pod cannot be changed so", "kubectl get pod/web -n shop"},
			nil},
		{"of a job, which its manifest changes", "workload:shop/once", 2, nil, []string{"this fix is no command: A job cannot be changed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := func(args ...string) (string, string, int) {
				return command(t, append(args, "--from", dir, "--assume", c.assume)...)
			}
			var found struct{ Paths []analyse.Path }
			if out, errOut, _ := ask("paths", "-o", "json"); json.Unmarshal([]byte(out), &found) != nil || len(found.Paths) == 0 {
				t.Fatal(out, errOut)
			}
			p := found.Paths[0]
			i := slices.IndexFunc(p.Fixes, func(f analyse.Fix) bool { return f.Rule == "privileged-container" })
			out, errOut, code := ask("fix", p.ID, p.Fixes[i].ID)
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
			for _, want := range c.wrong {
				if out != "" || !strings.Contains(errOut, want) {
					t.Errorf("want nothing and the error %q, got\n%s\n%s", want, out, errOut)
				}
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, errOut)
			}
			if _, errOut, code := ask("fix", p.ID, "fix-none"); code == 0 || !strings.Contains(errOut, "has no fix fix-none") {
				t.Errorf("a fix that is not there: %d %s", code, errOut)
			}
			if out, _, _ := ask("fix", p.ID); !strings.Contains(out, p.Fixes[i].ID+", which ends the path: Drop `privileged: true`") {
				t.Errorf("all fixes:\n%s", out)
			}
		})
	}
}
