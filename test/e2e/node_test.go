package e2e

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestARealKubeletsPodsAndWhatPassesItBecomeAlerts runs all of it: the sensor as
// the DaemonSet that connect sensor wrote, in a pod of a real kubelet; a
// privileged pod; and a container that somebody starts on the node with ctr.
func TestARealKubeletsPodsAndWhatPassesItBecomeAlerts(t *testing.T) {
	sees(t)
	busybox := programImage(t, "/bin/busybox", "/bin/busybox", "/bin/busybox", "sleep", "1000000")
	c := kubetest.Start(t, kubetest.Options{})
	node := c.StartNode(t, map[string]v1.Image{"local.test/pause:1": busybox, "local.test/busybox:1": busybox,
		"local.test/breakwater-sensor:1": programImage(t, sensorBinary(t), "/breakwater-sensor", "/breakwater-sensor")})
	bin, data := plainBinary(t), t.TempDir()
	role, err := os.ReadFile("../../deploy/rbac/readonly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	kubeconfig, err := c.AccountKubeconfig("breakwater", "breakwater")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", kubeconfig)
	_, port, _ := strings.Cut(freeAddress(t), ":")
	s := serve(
		t,
		bin,
		"--from",
		"prod=context:test",
		"--listen",
		"127.0.0.1:0",
		"--data",
		data,
		"--no-images",
		"--ingest-listen",
		"0.0.0.0:"+port,
		"--host",
		kubetest.Gateway,
	)
	a, out := s.asker(t), t.TempDir()
	if said, err := exec.Command(bin, "connect", "sensor", "--cluster", "prod", "--data", data, "--server",
		"https://"+kubetest.Gateway+":"+port, "--image", "local.test/breakwater-sensor:1", "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("connect sensor: %v: %s", err, said)
	}
	if said, err := c.Kubectl("", "apply", "-f", filepath.Join(out, "breakwater-sensor.yaml")); err != nil {
		t.Fatal(said, err)
	}
	until(t, "the sensor sees the node", func() bool { return a.sensorState(t, kubetest.NodeName) == "seeing" })
	if caps := capabilitiesOf(t, node, "/breakwater-sensor"); caps != 1<<38|1<<39 {
		t.Errorf("the sensor's process holds capabilities %x, want CAP_PERFMON and CAP_BPF", caps)
	}

	c.Apply(t, nodePods)
	tool := waitForPod(t, c, "default", "storage-tool")
	waitForPod(t, c, "default", "usual")
	if _, err := node.Ctr("-n", "default", "run", "-d", "--privileged", "local.test/busybox:1", "night-shift", "/bin/busybox", "sleep",
		"60"); err != nil {
		t.Fatal(err)
	}
	ran := a.onlyAlert(t, "privileged-execution")
	ran.names(t, "Pod", "storage-tool", "Container", "tool", "Image", "local.test/busybox:1", "Node", kubetest.NodeName, "Process", "sleep")
	ran.tells(t, "containerd-shim", "default/storage-tool", tool.container[:12])
	past := a.onlyAlert(t, "node-privileged-container")
	past.names(t, "Container", "night-shift", "Node", kubetest.NodeName, "Process", "sleep")
	past.tells(t, "outside every pod", "containerd-shim", "default/night-shift")
	var all struct {
		Items []struct{ Title, About string }
	}
	if a.get(t, "/alerts", &all); len(all.Items) != 2 {
		t.Errorf("%+v, want no more than the two", all.Items)
	}
}

const nodePods = `apiVersion: v1
kind: Pod
metadata: {name: usual, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: app, image: "local.test/busybox:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: storage-tool, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: tool, image: "local.test/busybox:1", securityContext: {privileged: true}}]
`

// programImage is an image of one static program of this machine.
func programImage(t *testing.T, from, to string, entrypoint ...string) v1.Image {
	t.Helper()
	return imageOf(t, map[string]string{to: from}, entrypoint...)
}

// imageOf is an image of files of this machine, by where they are in it.
func imageOf(t *testing.T, files map[string]string, entrypoint ...string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, to := range slices.Sorted(maps.Keys(files)) {
		content, err := os.ReadFile(files[to])
		if err != nil {
			skipOrFail(t, err.Error())
		}
		err = w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(to, "/"), Mode: 0o755, Size: int64(len(content))})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	image, err = mutate.ConfigFile(
		image,
		&v1.ConfigFile{Architecture: runtime.GOARCH, OS: "linux", Config: v1.Config{Entrypoint: entrypoint}, RootFS: rootFS(t, image)},
	)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func rootFS(t *testing.T, image v1.Image) v1.RootFS {
	t.Helper()
	c, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return c.RootFS
}

// sensorBinary builds the sensor as its Dockerfile wants it.
func sensorBinary(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "breakwater-sensor")
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, "../../cmd/breakwater-sensor")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return out
}

// sensorState is what the API says of a node's sensor.
func (a *asker) sensorState(t *testing.T, node string) string {
	t.Helper()
	var list struct {
		Items []struct{ Node, State string }
	}
	a.get(t, "/sensors", &list)
	for _, n := range list.Items {
		if n.Node == node {
			return n.State
		}
	}
	return ""
}

// capabilitiesOf are the effective ones of the node's one container that runs a program.
func capabilitiesOf(t *testing.T, node *kubetest.Node, program string) (set uint64) {
	t.Helper()
	tasks, err := node.Ctr("-n", "k8s.io", "task", "ls")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(tasks) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		command, _ := os.ReadFile("/proc/" + f[1] + "/cmdline")
		if !strings.HasPrefix(string(command), program) {
			continue
		}
		status, err := os.ReadFile("/proc/" + f[1] + "/status")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(status), "CapEff:\t")
		hex, _, _ := strings.Cut(after, "\n")
		if set, err = strconv.ParseUint(hex, 16, 64); err != nil {
			t.Fatal(err)
		}
		return set
	}
	t.Fatalf("no container runs %s:\n%s", program, tasks)
	return 0
}
