package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestAConnectionIsTriedFromAPodOfARealKubelet has paths --prove-from run its command in a pod that a
// kubelet started: to one where nothing listens, and then to one that answers.
func TestAConnectionIsTriedFromAPodOfARealKubelet(t *testing.T) {
	c := kubetest.Start(t, kubetest.Options{})
	busybox := programImage(t, "/bin/busybox", "/bin/busybox", "/bin/busybox", "sleep", "1000000")
	c.StartNode(t, map[string]v1.Image{"local.test/pause:1": busybox, "local.test/shell:1": shellImage(t),
		"local.test/weaveworks/scope:1": busybox})
	bin := plainBinary(t)
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	t.Setenv("HOME", t.TempDir())

	c.Apply(t, askingPod)
	waitForPod(t, c, "default", "asker")
	for _, phase := range []struct{ runs, verdict, why string }{
		{`["sleep", "1000000"]`, "refuted", "the connection was refused"},
		{`["httpd", "-f", "-p", "4040"]`, "verified", "the connection was made"},
	} {
		if said, err := c.Kubectl("", "delete", "pod", "scope", "--ignore-not-found", "--wait=true"); err != nil {
			t.Fatal(said, err)
		}
		c.Apply(t, strings.Replace(openPod, "COMMAND", phase.runs, 1))
		waitForPod(t, c, "default", "scope")
		var verdict, why string
		until(t, "a connection to the pod is "+phase.verdict, func() bool { // it may be about to listen
			before := why
			if verdict, why = talked(t, bin); why != before {
				t.Logf("%s: %s", verdict, why)
			}
			return verdict == phase.verdict
		})
		if !strings.Contains(why, phase.why) {
			t.Errorf("%s: %s, want %s", verdict, why, phase.why)
		}
	}
}

// shellImage is an image of a shell, and of what the prover's command needs beside it.
func shellImage(t *testing.T) v1.Image {
	t.Helper()
	files := map[string]string{"/bin/sh": "/bin/bash"}
	for _, program := range []string{"/bin/bash", "/usr/bin/timeout", "/bin/sleep"} {
		files[program] = program
		said, err := exec.Command("ldd", program).Output()
		if err != nil {
			skipOrFail(t, "ldd "+program+": "+err.Error())
		}
		for _, word := range strings.Fields(string(said)) {
			if strings.HasPrefix(word, "/") {
				files[word] = word
			}
		}
	}
	return imageOf(t, files)
}

// talked is what is said of the asker's connection to the open service.
func talked(t *testing.T, bin string) (verdict, why string) {
	t.Helper()
	cmd := exec.Command(bin, "paths", "--from", "context:test", "--assume", "pod:default/asker", "--prove-from", "default/asker",
		"-o", "json")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("paths: %v: %s", err, said.String())
	}
	var d struct {
		Proof struct {
			Proofs []struct{ Edge, Verdict, Why string } `json:"proofs"`
		} `json:"proof"`
	}
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Proof.Proofs {
		if p.Edge == "CAN_TALK_TO" {
			return p.Verdict, p.Why
		}
	}
	t.Fatalf("no connection is among what was asked: %s", out)
	return "", ""
}

// askingPod has a shell that connects; openPod is a program that asks nobody who they are, and may have the node.
const askingPod = `apiVersion: v1
kind: Pod
metadata: {name: asker, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "local.test/shell:1", command: [sleep, "1000000"]}]
`

const openPod = `apiVersion: v1
kind: Pod
metadata: {name: scope, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: "local.test/weaveworks/scope:1", command: [/bin/busybox], args: COMMAND, ports: [{containerPort: 4040}],
    securityContext: {privileged: true}}
`
