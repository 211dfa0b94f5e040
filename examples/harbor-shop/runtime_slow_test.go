package harborshop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/event/runtime"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/sensor"
	"github.com/breakwater-sec/breakwater/sensor/process"
	"github.com/breakwater-sec/breakwater/test/container"
)

// pastKubernetes is the container that somebody starts on the node by hand.
const pastKubernetes = "night-shift"

// TestTheSensorsRecordsAreThoseOfTwoPrivilegedContainers reads what a real sensor said of a shell in the
// sample's privileged pod and of a container past Kubernetes; with -update they are run and recorded again.
func TestTheSensorsRecordsAreThoseOfTwoPrivilegedContainers(t *testing.T) {
	e := open(t)
	prod, pod := e.Clusters[0], privilegedPod(t, e)
	if *update {
		prod.Runtime = recordRuntime(t, pod)
	}
	d := &runtime.Decoder{Cluster: prod.Name}
	events, err := d.All(bytes.NewReader(prod.Runtime))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, a := range detected(t, events) {
		told = append(told, a.Rule+": "+strings.Join(a.Evidence, " "))
	}
	slices.Sort(told)
	if len(told) != 2 || !strings.HasPrefix(told[0], "node-privileged-container: ") || !strings.Contains(told[0], pastKubernetes) ||
		!strings.HasPrefix(told[1], "privileged-execution: ") || !strings.Contains(told[1], pod.ContainerIDs[0][:12]) {
		t.Errorf("%s", strings.Join(told, "\n"))
	}
	for line := range bytes.Lines(prod.Runtime) {
		var r runtime.Record
		if err := json.Unmarshal(line, &r); err != nil || r.Node != pod.Node || r.Container == nil {
			t.Errorf("%s: %v; want records of containers on %s", line, err, pod.Node)
		}
	}
}

// privilegedPod is the sample's sail-preview, as its cluster shows it.
func privilegedPod(t *testing.T, e *harborshop.Estate) collect.Pod {
	t.Helper()
	facts, err := kube.ReadFS(e.Clusters[0].Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for key, p := range facts.Pods {
		if strings.HasPrefix(key.Name, "sail-preview-") {
			return *p
		}
	}
	t.Fatal("the sample has no sail-preview")
	return collect.Pod{}
}

// recordRuntime runs both containers beside a sensor and keeps what it says of them.
func recordRuntime(t *testing.T, pod collect.Pod) (kept []byte) {
	probe, err := process.Open()
	container.Need(t, err)
	var said output
	s, err := sensor.New(sensor.Config{Node: pod.Node, Boot: "recorded", Stdout: &said, Log: slog.New(slog.DiscardHandler)}, probe)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- errors.Join(s.Run(ctx), s.Close(), probe.Close()) }()

	preview := container.Command(t, container.Spec{ID: "sail-preview", Privileged: true, Args: []string{"/bin/busybox", "sleep", "600"},
		Cgroup: "/kubepods/burstable/pod" + pod.UID + "/" + pod.ContainerIDs[0]})
	if err := preview.Start(); err != nil {
		t.Fatal(err)
	}
	state := preview.Args[2]
	entered := exec.Command("runc", "--root", state, "exec", "sail-preview", "/bin/sh", "-c", "cd /; exec /bin/id")
	for end := time.Now().Add(time.Minute); entered.Run() != nil && time.Now().Before(end); {
		entered = exec.Command(entered.Path, entered.Args[1:]...) // it does not run yet
	}
	container.Run(t, container.Spec{ID: pastKubernetes, Cgroup: "/default/" + pastKubernetes, Privileged: true,
		Args: []string{"/bin/sh", "-c", "/bin/id; /bin/mkdir /tmp/host"}})
	if err := exec.Command("runc", "--root", state, "kill", "sail-preview", "KILL").Run(); err != nil {
		t.Error(err)
	}
	_ = preview.Wait() // killed
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(said.bytes.Bytes()) {
		var r runtime.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		// The sample's container has run for long: what it began with was not seen.
		if r.Kind != runtime.Exec || r.Container == nil || r.Container.Kubernetes && r.Process.InnerPID == 1 ||
			!slices.Contains([]string{pod.ContainerIDs[0], pastKubernetes}, r.Container.ID) {
			continue
		}
		// What stands above the runtime is this machine's, not the story's.
		if i := slices.IndexFunc(r.Ancestors, func(p runtime.Process) bool { return p.Name == "runc" }); i >= 0 {
			r.Ancestors = r.Ancestors[:i+1]
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(append(kept, line...), '\n')
	}
	if err := os.WriteFile("runtime/harbor-prod.jsonl", kept, 0o644); err != nil {
		t.Fatal(err)
	}
	return kept
}

// output is a buffer that a sensor writes to while it runs.
type output struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes.Write(b)
}
