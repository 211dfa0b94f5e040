package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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

// TestTheTemplatesOfBuildServersCountWhatIsUnknown runs the lines that scan, as the shell of a job would, on an image that nobody
// can judge.
func TestTheTemplatesOfBuildServersCountWhatIsUnknown(t *testing.T) {
	data := t.TempDir()
	program := filepath.Join(t.TempDir(), "breakwater")
	tests := []struct {
		file string
		env  []string
	}{
		{"scan-action.yml", []string{"IMAGE", "FAIL_ON=High", "UNKNOWN"}},
		{"gitlab-scan.yml", []string{"BREAKWATER_IMAGE", "BREAKWATER_FAIL_ON=High", "BREAKWATER_FAIL_ON_UNKNOWN"}},
	}
	for _, test := range tests {
		text, err := os.ReadFile(filepath.Join("..", "deploy", "ci", test.file))
		if err != nil {
			t.Fatal(err)
		}
		on := regexp.MustCompile(`(?m)(fail-on-unknown:\n.*\n +default|FAIL_ON_UNKNOWN): "true"$`)
		if !on.Match(text) {
			t.Errorf("%s does not count what is unknown unless it is told otherwise", test.file)
		}
		for unknown, want := range map[string]int{"true": exitFindings, "false": 0} {
			// a job's script, with a program in place of ours that says how it was called
			cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script(t, string(text)))
			cmd.Dir = t.TempDir()
			writeProgram(t, program)
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "RUNNER_TEMP="+cmd.Dir, "EXCEPTIONS=", "ADVISORIES=",
				"BREAKWATER_EXCEPTIONS=", "BREAKWATER_ADVISORIES=", "VERSION=latest", "BREAKWATER_VERSION=latest",
				test.env[0]+"=rootfs:"+t.TempDir(), test.env[1], test.env[2]+"="+unknown)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", test.file, err, out)
			}
			calls := strings.Split(strings.TrimSpace(string(out)), "\n")
			said, err := os.ReadDir(cmd.Dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range said {
				text, err := os.ReadFile(filepath.Join(cmd.Dir, f.Name()))
				if err != nil {
					t.Fatal(err)
				}
				calls = append(calls, strings.TrimSpace(string(text)))
			}
			if len(calls) < 2 {
				t.Errorf("%s calls %q", test.file, calls)
			}
			for _, call := range calls {
				if _, errOut, code := command(t, append(strings.Fields(call), "--data", data)...); code != want {
					t.Errorf("%s, fail-on-unknown %s: %s: exit code %d, want %d: %s", test.file, unknown, call, code, want, errOut)
				}
			}
		}
	}
}

// script is the shell of a template that calls the program.
func script(t *testing.T, text string) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		for _, word := range []string{"breakwater=", "scan=(", "set -- ", "[ -z", "status=", "exit ", `"$breakwater"`, "breakwater scan image"} {
			if strings.HasPrefix(line, word) {
				out = append(out, strings.ReplaceAll(line, `"$(go env GOPATH)/bin/breakwater"`, "breakwater"))
			}
		}
	}
	if len(out) < 4 {
		t.Fatalf("no script in\n%s", text)
	}
	return strings.Join(out, "\n")
}

// writeProgram writes one that says its arguments.
func writeProgram(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("#!/bin/sh\necho \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}
