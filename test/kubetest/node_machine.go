package kubetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// load puts an image where kubelet and ctr find it.
func (n *Node) load(ref string, image v1.Image) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	file := filepath.Join(n.dir, "image.tar")
	if err := tarball.WriteToFile(file, tag, image); err != nil {
		return fmt.Errorf("write image %s: %w", ref, err)
	}
	defer os.Remove(file)
	for _, namespace := range []string{"k8s.io", "default"} {
		if _, err := n.Ctr("-n", namespace, "image", "import", file); err != nil {
			return err
		}
	}
	return nil
}

// changed are the sysctls that a kubelet and a bridge set for the whole machine.
var changed = []string{"vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"}

func (n *Node) remember() {
	for _, name := range changed {
		if b, err := os.ReadFile("/proc/sys/" + name); err == nil {
			n.sysctls[name] = strings.TrimSpace(string(b))
		}
	}
}

// groups makes the control group that all pods live below. With version 1 a new
// group of cpuset must be told its processors before anything can enter it.
func (n *Node) groups() error {
	for _, dir := range groupDirs() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			above, err := os.ReadFile(filepath.Join(filepath.Dir(dir), file))
			if err != nil || len(strings.TrimSpace(string(above))) == 0 {
				continue // not this hierarchy, or version 2
			}
			if err := os.WriteFile(filepath.Join(dir, file), above, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func groupDirs() (out []string) {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return []string{filepath.Join("/sys/fs/cgroup", nodeGroup)}
	}
	for _, controller := range []string{"cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio", "systemd"} {
		root := filepath.Join("/sys/fs/cgroup", controller)
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err == nil {
			out = append(out, filepath.Join(root, nodeGroup))
		}
	}
	return out
}

// stop takes the node away and leaves the machine as it was: pods first, so that
// the kubelet takes their networks along.
func (n *Node) stop() {
	if len(n.running) > 1 {
		n.drain()
	}
	for _, p := range slices.Backward(n.running[min(1, len(n.running)):]) {
		p.end() // the kubelet
	}
	if len(n.running) > 0 {
		n.killTasks()
		n.running[0].end()
	}
	n.killShims()
	n.unmount()
	for _, dir := range append(groupDirs(), filepath.Join("/sys/fs/cgroup/unified", nodeGroup)) { // the last is runc's own
		removeBelow(dir)
	}
	_ = exec.Command("busybox", "ip", "link", "del", bridge).Run() // there is none if no pod ran
	for name, value := range n.sysctls {
		_ = os.WriteFile("/proc/sys/"+name, []byte(value), 0o644)
	}
	if n.dir != "" {
		_ = os.RemoveAll(n.dir)
	}
}

// drain deletes the node's pods and waits until none runs.
func (n *Node) drain() {
	now := int64(1)
	pods, err := n.c.Client.CoreV1().Pods("").List(n.c.ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + NodeName})
	if err != nil {
		return
	}
	_, _ = n.c.Kubectl("", "delete", "daemonsets", "--all", "--all-namespaces", "--wait=false")
	for _, p := range pods.Items {
		_ = n.c.Client.CoreV1().Pods(p.Namespace).Delete(n.c.ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if left, err := n.Ctr("-n", "k8s.io", "task", "ls", "-q"); err != nil || strings.TrimSpace(left) == "" {
			return
		}
	}
}

func (n *Node) killTasks() {
	for _, namespace := range []string{"k8s.io", "default"} {
		tasks, _ := n.Ctr("-n", namespace, "task", "ls", "-q")
		for _, id := range strings.Fields(tasks) {
			_, _ = n.Ctr("-n", namespace, "task", "kill", "-s", "9", id)
			_, _ = n.Ctr("-n", namespace, "task", "rm", "-f", id)
		}
	}
}

// killShims ends what outlived containerd: their command lines name our socket.
func (n *Node) killShims() {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, _ := os.ReadFile(file)
		if n.dir == "" || !strings.Contains(string(line), "containerd-shim") || !strings.Contains(string(line), n.dir) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err == nil {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
	}
}

func (n *Node) unmount() {
	mounts, _ := os.ReadFile("/proc/mounts")
	var ours []string
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); n.dir != "" && len(f) > 1 && strings.HasPrefix(f[1], n.dir+"/") {
			ours = append(ours, f[1])
		}
	}
	slices.Sort(ours)
	for _, at := range slices.Backward(ours) {
		_ = exec.Command("umount", "-l", at).Run()
	}
}

// removeBelow removes a control group and all below it, innermost first.
func removeBelow(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			removeBelow(filepath.Join(dir, e.Name()))
		}
	}
	_ = os.Remove(dir)
}
