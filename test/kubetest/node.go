package kubetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Gateway is where pods of a real node reach this machine.
const Gateway = "10.244.250.1"

// NodeName is what a real node is called: the API server finds its kubelet by this name.
const NodeName = "localhost"

// nodeGroup is the control group below which all pods of a real node live.
const nodeGroup = "breakwater-node"

// Node is this machine as a real node: containerd, runc, a network bridge and a
// kubelet. One may run at a time.
type Node struct {
	c       *Cluster
	dir     string // short, for sockets
	sysctls map[string]string
	running []*process // in the order of their start
}

// StartNode makes this machine a node of the cluster, with the images it can run
// by their names, until the test ends. It needs root, Debian's containerd and
// containernetworking-plugins; without them the test skips, unless
// KUBELET=required. It schedules: pods that no node has get this one.
func (c *Cluster) StartNode(t testing.TB, images map[string]v1.Image) *Node {
	t.Helper()
	n := &Node{c: c, sysctls: map[string]string{}}
	t.Cleanup(n.stop)
	if err := n.start(images); err != nil {
		err = fmt.Errorf("this machine cannot be a node: %w", err)
		if os.Getenv("KUBELET") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return n
}

func (n *Node) start(images map[string]v1.Image) (err error) {
	if os.Getuid() != 0 {
		return errors.New("a kubelet needs root")
	}
	for _, file := range []string{"/usr/bin/containerd", "/usr/sbin/runc", "/usr/lib/cni/bridge"} {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%w: run test/setup.sh", err)
		}
	}
	if n.dir, err = os.MkdirTemp("", "bwnode"); err != nil {
		return err
	}
	if err := n.containerd(); err != nil {
		return err
	}
	for name, image := range images {
		if err := n.load(name, image); err != nil {
			return err
		}
	}
	if err := n.kubelet(); err != nil {
		return err
	}
	n.c.nodes.Go(n.bind)
	return nil
}

// containerd starts the container runtime and waits until it answers.
func (n *Node) containerd() error {
	if err := n.write("containerd.toml", fmt.Sprintf(containerdConfig, n.dir)); err != nil {
		return err
	}
	if err := n.write("cni/net.d/10-bridge.conflist", fmt.Sprintf(cniConfig, n.dir)); err != nil {
		return err
	}
	p, err := n.c.run("/usr/bin/containerd", "-c", filepath.Join(n.dir, "containerd.toml"))
	if err != nil {
		return err
	}
	n.running = append(n.running, p)
	return n.c.wait("containerd", p, func(ctx context.Context) error { _, err := n.Ctr("version"); return err })
}

// Ctr runs containerd's own tool, as somebody on the node could.
func (n *Node) Ctr(args ...string) (string, error) {
	out, err := exec.Command("ctr", append([]string{"-a", n.socket()}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (n *Node) socket() string { return filepath.Join(n.dir, "cd.sock") }

// kubelet starts it and waits until the API server knows the node as ready.
func (n *Node) kubelet() error {
	kc, err := n.c.UserKubeconfig("system:node:"+NodeName, "system:nodes")
	if err != nil {
		return err
	}
	if err := n.groups(); err != nil {
		return err
	}
	n.remember()
	if err := n.write("kubelet.yaml", fmt.Sprintf(kubeletConfig, n.c.pki.ca, nodeGroup, n.socket(), n.dir)); err != nil {
		return err
	}
	p, err := n.c.run(
		"kubelet",
		"--config="+filepath.Join(n.dir, "kubelet.yaml"),
		"--kubeconfig="+kc,
		"--root-dir="+filepath.Join(n.dir, "kubelet"),
		"--cert-dir="+filepath.Join(n.dir, "pki"),
		"--hostname-override="+NodeName,
	)
	if err != nil {
		return err
	}
	n.running = append(n.running, p)
	return n.c.wait("the kubelet", p, func(ctx context.Context) error {
		node, err := n.c.Client.CoreV1().Nodes().Get(ctx, NodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("it is not ready")
	})
}

// bind gives pods that no node has to this one.
func (n *Node) bind() {
	for ; n.c.ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		pods, err := n.c.Client.CoreV1().Pods("").List(n.c.ctx, metav1.ListOptions{FieldSelector: "spec.nodeName="})
		if err != nil {
			continue
		}
		for _, p := range pods.Items {
			_ = n.c.Client.CoreV1().
				Pods(p.Namespace).
				Bind(n.c.ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
					Target: corev1.ObjectReference{Kind: "Node", Name: NodeName}}, metav1.CreateOptions{})
			// again at the next turn
		}
	}
}

func (n *Node) write(name, text string) error {
	file := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o600)
}
