package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/breakwater-sec/breakwater/sensor/process"
	"github.com/breakwater-sec/breakwater/test/container"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestWhatANodesProcessesDoBecomesAlerts is the story of the sensor: the manifests
// of connect sensor are applied to a real API server, the sensor joins with what
// they hold, and runs beside real containers under the names that the cluster
// knows. The kubelet between is pretended.
func TestWhatANodesProcessesDoBecomesAlerts(t *testing.T) {
	sees(t)
	c, args := watchedShop(t)
	bin := binary(t)
	s := serve(t, bin, append(args, "--ingest-listen", "127.0.0.1:0")...)
	a, data := s.asker(t), args[indexOf(args, "--data")+1]
	// A sensor speaks for pods of its own node alone: all of this happens on the one that runs the web server.
	web := waitForPod(t, c, "shop", "web")
	c.Apply(t, fmt.Sprintf(podsBeside, web.node))
	pod := waitForPod(t, c, "shop", "storage-tool")
	sensor, stop := startSensor(t, c, bin, data, pod.node)

	// The pod's own container, and somebody's shell in it.
	container.Run(
		t,
		container.Spec{
			ID:         "tool",
			Cgroup:     "/kubepods/burstable/pod" + pod.uid + "/" + pod.container,
			Privileged: true,
			Args:       []string{"/bin/sh", "-c", "/bin/id"},
		},
	)
	// One that docker would start; the API server does not know it.
	foreign := strings.Repeat("ab54", 16)
	container.Run(t, container.Spec{ID: "foreign", Cgroup: "/docker/" + foreign, Privileged: true, Args: []string{"/bin/sh", "-c", "/bin/id"}})
	// A web server that is made to run a command.
	container.Run(t, container.Spec{ID: "web", Cgroup: "/kubepods/burstable/pod" + web.uid + "/" + web.container,
		Args: []string{"/bin/sh", "-c", `cp /bin/busybox /tmp/nginx; exec -a sh /tmp/nginx -c "/bin/sh -c id; true"`}})
	// And one that only does its work.
	quiet := waitForPod(t, c, "shop", "catalogue-beside")
	container.Run(
		t,
		container.Spec{
			ID:     "quiet",
			Cgroup: "/kubepods/burstable/pod" + quiet.uid + "/" + quiet.container,
			UID:    1000,
			Args:   []string{"/bin/sh", "-c", "/bin/id; /bin/true"},
		},
	)

	alert := func(rule string) alertPage { return a.onlyAlert(t, rule) }
	entered := alert("privileged-execution")
	entered.names(
		t,
		"Pod",
		"storage-tool",
		"Container",
		"tool",
		"Image",
		"registry.harbor-shop.example/shop/web:1.4.2",
		"Node",
		pod.node,
		"Process",
		"sh",
	)
	entered.tells(t, "/bin/sh", "Ancestry: sh ← ", "runc", "storage-tool")
	alert("node-privileged-container").names(t, "Container", foreign[:12], "Node", pod.node, "Process", "sh")
	alert("node-privileged-container").tells(t, "outside every pod", "docker/"+foreign)
	shell := alert("shell-from-server")
	shell.names(t, "Pod", web.name, "Node", pod.node, "Process", "nginx")
	shell.tells(t, "nginx started sh as root", "sh -c id")
	s.anotherLink(t, bin, data)
	browse(
		t,
		s,
		[]string{"sensor"},
		"BREAKWATER_STATE="+filepath.Join(t.TempDir(), "state.json"),
		"SENSOR_NODE="+pod.node,
		fmt.Sprintf("SENSOR_PID=%d", sensor),
	)
	stop()
	until(t, "every record is accounted for", func() bool { return a.accounted(t, pod.node) })
	var all struct {
		Items []struct{ Rule, About string }
	}
	a.get(t, "/alerts", &all)
	for _, one := range all.Items {
		if strings.Contains(one.About, "catalogue") {
			t.Errorf("an alert about a container that does its work: %+v", one)
		}
	}
}

// sees skips where the kernel lets nobody look.
func sees(t *testing.T) {
	t.Helper()
	p, err := process.Open()
	container.Need(t, err)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

const podsBeside = `apiVersion: v1
kind: Pod
metadata: {name: catalogue-beside, namespace: shop}
spec:
  nodeName: %[1]s
  containers: [{name: app, image: "registry.harbor-shop.example/shop/web:1.4.2"}]
---
apiVersion: v1
kind: Pod
metadata: {name: storage-tool, namespace: shop}
spec:
  nodeName: %[1]s
  containers: [{name: tool, image: "registry.harbor-shop.example/shop/web:1.4.2", securityContext: {privileged: true}}]
`

// placed is a running pod's first container.
type placed struct{ name, uid, node, container string }

// waitForPod waits until a pod whose name starts so runs.
func waitForPod(t *testing.T, c *kubetest.Cluster, namespace, name string) (p placed) {
	t.Helper()
	until(t, "pod "+name+" runs", func() bool {
		said, err := c.Kubectl(
			"",
			"get",
			"pods",
			"-n",
			namespace,
			"-o",
			`jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.spec.nodeName} {.status.containerStatuses[0].containerID}{"\n"}{end}`,
		)
		if err != nil {
			t.Fatal(said, err)
		}
		for line := range strings.Lines(said) {
			f := strings.Fields(line)
			if len(f) == 4 && (f[0] == name || strings.HasPrefix(f[0], name+"-")) {
				p = placed{f[0], f[1], f[2], strings.TrimPrefix(f[3], "containerd://")}
				return true
			}
		}
		return false
	})
	return p
}

// startSensor joins a node the way a kubelet would: with the Secret and the
// ConfigMap that the API server holds after the manifests were applied.
func startSensor(t *testing.T, c *kubetest.Cluster, bin, data, node string) (pid int, stop func()) {
	t.Helper()
	dir := t.TempDir()
	if said, err := exec.Command(bin, "connect", "sensor", "--cluster", "prod", "--data", data, "--image",
		"registry.example/breakwater-sensor:1", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("connect sensor: %v: %s", err, said)
	}
	manifests := filepath.Join(dir, "breakwater-sensor.yaml")
	if info, err := os.Stat(manifests); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file with the token: %v %v", info, err)
	}
	if said, err := c.Kubectl("", "apply", "-f", manifests); err != nil || strings.Contains(said, "arning") {
		t.Fatal(said, err)
	}
	var secret, config struct{ Data map[string]string }
	for kind, into := range map[string]any{"secret": &secret, "configmap": &config} {
		said, err := c.Kubectl("", "get", kind, "breakwater-sensor", "-n", "breakwater-sensor", "-o", "json")
		if err == nil {
			err = json.Unmarshal([]byte(said), into)
		}
		if err != nil {
			t.Fatal(said, err)
		}
	}
	for name, text := range secret.Data {
		content, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(
		sensorBinary(t),
		"--server",
		config.Data["server"],
		"--ca",
		filepath.Join(dir, "ca.crt"),
		"--token-file",
		filepath.Join(dir, "token"),
		"--buffer",
		filepath.Join(dir, "buffer"),
		"--node",
		node,
		"--status-interval",
		"1s",
	)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log := &lockedBuffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // if the test did not come to its end
	until(t, "the sensor watches", func() bool { return strings.Contains(log.String(), "msg=watches") })
	return cmd.Process.Pid, func() {
		t.Helper()
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		if err := cmd.Wait(); err != nil {
			t.Errorf("the sensor ended with %v: %s", err, log)
		}
	}
}

// alertPage is what the API says of one alert.
type alertPage struct {
	Entities []struct {
		Kind, Name, Detail string
		Ref                *struct{ ID string }
	}
	Evidence []string
}

// onlyAlert waits for the one alert of a rule, and until the pod it is about is
// known to the graph, if any is.
func (a *asker) onlyAlert(t *testing.T, rule string) (page alertPage) {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	until(t, "an alert of "+rule, func() bool {
		a.get(t, "/alerts?rule="+rule, &list)
		return len(list.Items) > 0
	})
	if len(list.Items) != 1 {
		t.Fatalf("%d alerts of %s, want one", len(list.Items), rule)
	}
	a.get(t, "/alert?cluster=prod&id="+url.QueryEscape(list.Items[0].ID), &page)
	return page
}

// names wants an entity for each kind and name.
func (p alertPage) names(t *testing.T, kindsAndNames ...string) {
	t.Helper()
	for i := 0; i < len(kindsAndNames); i += 2 {
		kind, name, there := kindsAndNames[i], kindsAndNames[i+1], false
		for _, e := range p.Entities {
			there = there || e.Kind == kind && e.Name == name && (kind != "Pod" && kind != "Node" || e.Ref != nil)
		}
		if !there {
			t.Errorf("it does not name the %s %s: %+v", kind, name, p.Entities)
		}
	}
}

// tells wants words in the evidence.
func (p alertPage) tells(t *testing.T, words ...string) {
	t.Helper()
	all := strings.Join(p.Evidence, "\n")
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("it does not say %q:\n%s", w, all)
		}
	}
}

// accounted says that the server has of a node's sensor what that says it sent,
// and that the sensor knows what became of all it saw.
func (a *asker) accounted(t *testing.T, node string) bool {
	t.Helper()
	var list struct {
		Items []struct {
			Node, State                            string
			Seen, Sent, Waiting, Received, Missing uint64
			Lost                                   map[string]uint64
		}
	}
	a.get(t, "/sensors", &list)
	for _, n := range list.Items {
		if n.Node != node {
			continue
		}
		lost := uint64(0)
		for _, l := range n.Lost {
			lost += l
		}
		t.Logf("%+v", n)
		return n.Sent > 0 && n.Seen == n.Sent+n.Waiting+lost && n.Waiting == 0 && n.Sent == n.Received+n.Missing
	}
	return false
}

// lockedBuffer is what a process says while it runs.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
