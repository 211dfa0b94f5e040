package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const dayLog = "testdata/audit/day.jsonl"

func TestDetectReadsWhatLogsComeAs(t *testing.T) {
	text, err := os.ReadFile(dayLog)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(text)
	z.Close()
	half := zipped.Bytes()[:zipped.Len()-zipped.Len()/4]
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	list := append(append([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`),
		bytes.Join(append(lines[:1:1], lines[2:]...), []byte(","))...), "]}"...)
	tests := []struct {
		name   string
		args   []string
		alerts int
		code   int
		says   string
	}{
		{"a log", []string{"--audit", dayLog}, 2, 0, ":2: ends in the middle"},
		{"gzip", []string{"--audit", file("a.gz", zipped.Bytes())}, 2, 0, "1 of 18 events could not be read"},
		{"behind a mark of UTF-8", []string{"--audit", file("marked", append([]byte("\ufeff"), list...))}, 2, 0, ""},
		{"the body of a webhook", []string{"--audit", file("list.json", list)}, 2, 0, ""},
		{"a gzip that breaks off", []string{"--audit", file("half.gz", half)}, 1, 2, "breaks off"},
		{"the same file twice", []string{"--audit", dayLog, dayLog}, 2, 0, ""},
		{"nothing in it", []string{"--audit", file("empty", nil)}, 0, 0, "no event is in it"},
		{"what a sensor wrote", []string{"--runtime", "../packs/detect/runtime/testdata/python-shell.jsonl"}, 1, 0,
			"5 events are of containers whose pods are not known here"},
		{"an audit log as runtime events", []string{"--runtime", dayLog}, 0, 2, "holds no runtime events"},
		{"a proxy that is no network", []string{"--audit", dayLog, "--trusted-proxy", "x"}, 0, 2, "--trusted-proxy"},
		{"a folder that is not there", []string{"--audit", dayLog, "--rules", "no-such"}, 0, 2, "no-such"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, errOut, code := command(t, append([]string{"detect"}, test.args...)...)
			if n := strings.Count(out, "\n"); n != test.alerts || code != test.code || !strings.Contains(errOut, test.says) {
				t.Errorf("%d alerts, want %d; exit code %d, want %d; says %q, want %q", n, test.alerts, code, test.code, errOut, test.says)
			}
			for line := range strings.Lines(out) {
				var a alertLine
				if err := json.Unmarshal([]byte(line), &a); err != nil || a.Count != 1 || a.Evidence == "" {
					t.Errorf("error %v, %s", err, line)
				}
			}
		})
	}
}

func TestDetectTakesRulesOfAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "detect", "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "detect", "mine", "a.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := `
title: Somebody makes a deployment
id: mine
level: low
logsource: {product: kubernetes, service: audit}
detection:
  made: {verb: create, objectRef.resource: deployments}
  condition: made
evidence: ["{actor.name} did."]
why: w
fix: f
tests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]
`
	write(text)
	out, errOut, code := command(t, "detect", "--audit", dayLog, "--rules", dir)
	if code != 0 || !strings.Contains(out, `"rule":"mine"`) || !strings.Contains(out, `"rule":"sensitive-host-folder"`) {
		t.Errorf("exit code %d: %s %.500s", code, errOut, out)
	}
	write(strings.Replace(text, "verb: create", "vreb: create", 1))
	if _, errOut, code := command(t, "detect", "--audit", dayLog, "--rules", dir); code != 2 ||
		!strings.Contains(errOut, `detect/mine/a.yaml:7: unknown field "vreb"`) {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if _, errOut, code := command(t, "rules", "test", dir); code != 2 {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}
