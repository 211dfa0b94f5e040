package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/report"
)

func TestACutEndsThePathsThatThereAre(t *testing.T) {
	mirror, data := estate(t)
	args := []string{"cut", "--from", before, "--images", mirror, "--data", data, "-o", "json"}
	cut := func(more ...string) (d report.Cut) {
		out, errOut, code := command(t, append(args, more...)...)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, errOut)
		}
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	d, ended := cut(), 0
	for _, f := range d.Fixes {
		ended += len(f.Ends)
	}
	if d.Paths == 0 || ended != d.Paths || len(d.Left) > 0 || d.AtLeast == 0 || d.AtLeast > len(d.Fixes) {
		t.Errorf("%+v", d)
	}
	if worst := cut("--risk", "critical"); worst.Paths > d.Paths {
		t.Errorf("%d paths of critical risk, %d in all", worst.Paths, d.Paths)
	}
}

// TestTwoBindingsOfOneRoleAreTwoFixes: a person who takes one of them away is told that the other is left.
func TestTwoBindingsOfOneRoleAreTwoFixes(t *testing.T) {
	const account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci, namespace: shop}\n"
	bound := func(name string) string {
		return "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: " + name + "}\n" +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n" +
			"subjects: [{kind: ServiceAccount, name: ci, namespace: shop}]\n"
	}
	for _, c := range []struct {
		manifests string
		want      []string // what each fix takes away
		effects   string
	}{
		{account + bound("one"), []string{"ClusterRoleBinding one"}, "breaks"},
		{account + bound("one") + bound("two"), []string{"ClusterRoleBinding one", "ClusterRoleBinding two"}, "breaks lowers"},
	} {
		file := filepath.Join(t.TempDir(), "all.yaml")
		if err := os.WriteFile(file, []byte(c.manifests), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errOut, code := command(t, "cut", "--from", file, "--assume", "sa:shop/ci", "-o", "json")
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, errOut)
		}
		var d report.Cut
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			t.Fatal(err)
		}
		if d.Paths == 0 || len(d.Left) > 0 || len(d.Fixes) != len(c.want) {
			t.Fatalf("%d fixes for %d paths, %d are left, want %d fixes and none left:\n%s", len(d.Fixes), d.Paths, len(d.Left), len(c.want), out)
		}
		ids, texts, effects := map[string]bool{}, "", []string(nil)
		for _, f := range d.Fixes {
			ids[f.Fix.ID], effects = true, append(effects, f.Fix.Effect)
			texts += f.Fix.Text + "\n"
		}
		if got := strings.Join(effects, " "); got != c.effects { // the first that is chosen only lowers, the last breaks
			t.Errorf("of %d bindings, those taken away %s the path, want %s", len(c.want), got, c.effects)
		}
		for _, want := range c.want {
			if len(ids) != len(c.want) || !strings.Contains(texts, want+" grants it") {
				t.Errorf("want a fix of its own that takes away %s: %v\n%s", want, ids, texts)
			}
		}
	}
}
