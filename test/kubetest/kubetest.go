// Package kubetest runs a real etcd, kube-apiserver and controller manager on
// loopback for tests, with nodes that are only pretended: pods of Deployments
// get bound and become Running, but nothing executes. It knows nothing of
// Breakwater. The binaries come from test/kube/build.sh.
package kubetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Options are what a test may ask for.
type Options struct {
	// NoControllers leaves the controller manager out: Deployments stay without pods.
	NoControllers bool
	// APIServer holds more kube-apiserver flags, such as those of auditing.
	APIServer []string
}

// Cluster is a running Kubernetes.
type Cluster struct {
	// Admin is a connection with every right; Client uses it, without rate limits.
	Admin  *rest.Config
	Client *kubernetes.Clientset
	// Kubeconfig is the admin's file; its context is named "test".
	Kubeconfig string
	Dir        string

	bin            string
	pki            *pki
	server         string
	etcdPort, port int
	options        Options
	etcd, api, kcm *process
	cancel         context.CancelFunc
	nodes          sync.WaitGroup
	ctx            context.Context
}

// Binaries is the folder of built commands, or why there is none.
func Binaries() (string, error) {
	dir := os.Getenv("BREAKWATER_KUBE_BIN")
	if dir == "" {
		_, here, _, _ := runtime.Caller(0)
		script := filepath.Join(filepath.Dir(here), "..", "kube", "build.sh")
		out, err := exec.Command(script, "-n").Output()
		if err != nil {
			return "", fmt.Errorf("find built Kubernetes binaries: %s: %w", script, err)
		}
		dir = strings.TrimSpace(string(out))
	}
	for _, c := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl"} {
		if _, err := os.Stat(filepath.Join(dir, c)); err != nil {
			return "", fmt.Errorf("no built Kubernetes in %s (%s is missing): run test/kube/build.sh", dir, c)
		}
	}
	return dir, nil
}

var shared struct {
	sync.Mutex
	cluster *Cluster
}

// Main runs a test binary's tests and then stops the shared cluster:
//
//	func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.Stop()
	}
	return code
}

// Shared is the one cluster of a test binary whose TestMain calls Main. Without
// binaries the test is skipped, or fails if KUBE=required.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	bin := need(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		c, err := start(bin, Options{})
		if err != nil {
			t.Fatal(err)
		}
		shared.cluster = c
	}
	return shared.cluster
}

// Start runs a cluster of the test's own, to break or to configure.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := start(need(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func need(t testing.TB) string {
	t.Helper()
	bin, err := Binaries()
	if err != nil {
		if os.Getenv("KUBE") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return bin
}

// Run starts a cluster outside of a test, for demonstrations and benchmarks.
func Run(o Options) (*Cluster, error) {
	bin, err := Binaries()
	if err != nil {
		return nil, err
	}
	return start(bin, o)
}

func start(bin string, o Options) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "breakwater-kube-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, Dir: dir, options: o}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if err := c.up(); err != nil {
		c.Stop()
		return nil, fmt.Errorf("start a test cluster: %w", err)
	}
	return c, nil
}

func (c *Cluster) up() error {
	var err error
	if c.pki, err = newPKI(c.Dir); err != nil {
		return err
	}
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	c.etcdPort, c.port = ports[0], ports[2]
	c.server = fmt.Sprintf("https://127.0.0.1:%d", c.port)
	if c.Kubeconfig, err = c.UserKubeconfig("admin", "system:masters"); err != nil {
		return err
	}
	if c.Admin, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return err
	}
	c.Admin.QPS = -1
	if c.Client, err = kubernetes.NewForConfig(c.Admin); err != nil {
		return err
	}
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	if c.etcd, err = c.run("etcd", "--name=t", "--data-dir="+filepath.Join(c.Dir, "etcd"),
		"--listen-client-urls="+c.etcdURL(), "--advertise-client-urls="+c.etcdURL(),
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=t="+peer,
		"--unsafe-no-fsync"); err != nil {
		return err
	}
	if err := c.StartAPIServer(); err != nil {
		return err
	}
	if c.options.NoControllers {
		return nil
	}
	return c.controllers()
}

func (c *Cluster) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", c.etcdPort) }

// RestartAPIServer starts it again with further flags.
func (c *Cluster) RestartAPIServer(flags ...string) error {
	c.StopAPIServer()
	c.options.APIServer = append(c.options.APIServer, flags...)
	return c.StartAPIServer()
}

// StartAPIServer starts the API server, again after StopAPIServer, and waits
// until it is ready.
func (c *Cluster) StartAPIServer() (err error) {
	p := c.pki
	c.api, err = c.run("kube-apiserver", append([]string{"--etcd-servers=" + c.etcdURL(),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.port), "--endpoint-reconciler-type=none",
		"--client-ca-file=" + p.ca, "--tls-cert-file=" + p.serverCert, "--tls-private-key-file=" + p.serverKey,
		"--kubelet-client-certificate=" + p.kubeletCert, "--kubelet-client-key=" + p.kubeletKey,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + p.accountKey,
		"--service-account-signing-key-file=" + p.accountKey,
		"--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC", "--allow-privileged=true", "--profiling=false",
	}, c.options.APIServer...)...)
	if err != nil {
		return err
	}
	return c.wait("the API server", c.api, func(ctx context.Context) error {
		return c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").MaxRetries(0).Do(ctx).Error()
	})
}

// StopAPIServer kills the API server and keeps its data.
func (c *Cluster) StopAPIServer() { c.api.stop() }

func (c *Cluster) controllers() error {
	kc, err := c.UserKubeconfig("system:kube-controller-manager")
	if err != nil {
		return err
	}
	c.kcm, err = c.run("kube-controller-manager", "--kubeconfig="+kc, "--authentication-kubeconfig="+kc, "--authorization-kubeconfig="+kc,
		"--secure-port=0", "--leader-elect=false", "--use-service-account-credentials=true",
		"--service-account-private-key-file="+c.pki.accountKey, "--root-ca-file="+c.pki.ca,
		"--kube-api-qps=500", "--kube-api-burst=1000", "--node-monitor-grace-period=24h")
	if err != nil {
		return err
	}
	return c.wait("the controller manager", c.kcm, func(ctx context.Context) error {
		return c.Client.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces/default/serviceaccounts/default").Do(ctx).Error()
	})
}

// Kubectl runs kubectl as admin; input goes to its standard input.
func (c *Cluster) Kubectl(input string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(c.bin, "kubectl"), append([]string{"--kubeconfig=" + c.Kubeconfig}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, errOut.String())
	}
	return string(out), nil
}

// Apply applies manifests.
func (c *Cluster) Apply(t testing.TB, manifests string) {
	t.Helper()
	if out, err := c.Kubectl(manifests, "apply", "-f", "-"); err != nil {
		t.Fatal(out, err)
	}
}

// Stop ends what was started, in reverse, and removes the folder.
func (c *Cluster) Stop() {
	c.cancel()
	c.nodes.Wait()
	for _, p := range []*process{c.kcm, c.api, c.etcd} {
		p.stop()
	}
	if os.Getenv("KUBE_KEEP") == "" {
		_ = os.RemoveAll(c.Dir)
	}
}

func (c *Cluster) wait(what string, p *process, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Minute)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-p.done:
			return fmt.Errorf("%s ended: %s", what, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s did not become ready: %w: %s", what, err, p.tail())
		}
	}
}

// freePorts holds all before it lets any go, so that they differ.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
