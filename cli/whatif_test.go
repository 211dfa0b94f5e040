package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/report"
)

func TestWhatIfFixesAndDeletions(t *testing.T) {
	mirror, data := estate(t)
	run := func(args ...string) (string, string, int) {
		return command(t, append(args, "--from", before, "--images", mirror, "--data", data)...)
	}
	var cut report.Cut
	out, _, _ := run("cut", "-o", "json")
	if err := json.Unmarshal([]byte(out), &cut); err != nil || len(cut.Fixes) == 0 {
		t.Fatal(err, out)
	}
	var args []string
	for _, f := range cut.Fixes {
		args = append(args, "--fix", f.Fix.ID)
	}
	ask := func(args ...string) (d report.WhatIf) {
		t.Helper()
		out, errOut, code := run(append([]string{"what-if", "-o", "json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &d); code != 0 || err != nil {
			t.Fatalf("%d: %s, %v", code, errOut, err)
		}
		return d
	}
	if d := ask(args...); len(d.Closed) != cut.Paths || len(d.Opened)+d.Kept > 0 || len(d.Fixes) != len(cut.Fixes) {
		t.Errorf("closes %d of %d, opens %d, %d stay", len(d.Closed), cut.Paths, len(d.Opened), d.Kept)
	}
	if d := ask("--delete", "ClusterRoleBinding/web-does-everything"); len(d.Closed) == 0 || d.PermissionsGone == 0 ||
		!strings.Contains(d.PermissionsLost[0].Identity, "web") {
		t.Errorf("%+v", d.PermissionsLost)
	}
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct{ args, want string }{
		{"", "want --apply, --delete or --fix"}, {"--fix fix-0", "no attack path has a fix"}, {"--delete Pod/x", "there is no Pod"},
		{"--apply " + broken, "broken.yaml:5"},
	} {
		if _, errOut, code := run(append([]string{"what-if"}, strings.Fields(wrong.args)...)...); code == 0 ||
			!strings.Contains(errOut, wrong.want) {
			t.Errorf("%s: %d: %s, want %q", wrong.args, code, errOut, wrong.want)
		}
	}
}
