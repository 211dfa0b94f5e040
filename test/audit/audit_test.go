// Package audit runs a real API server under the audit policy that deploy/audit
// ships, lets people do things, and checks that the log suffices for the
// detections: one alert where there should be one. With -update it records the
// events that the rules' own tests are run on.
package audit

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

var update = flag.Bool("update", false, "record the events of packs/detect/audit/testdata")

const testdata = "../../packs/detect/audit/testdata"

// stage is a cluster with people in it and the log it writes.
type stage struct {
	*kubetest.Cluster
	t           *testing.T
	policy, log string
	read        int // bytes of the log that earlier scenes took
	marks       int
	users       map[string]string // kubeconfigs
}

func build(t *testing.T) *stage {
	dir := t.TempDir()
	s := &stage{t: t, policy: filepath.Join(dir, "policy.yaml"), log: filepath.Join(dir, "audit.log"), users: map[string]string{}}
	text, err := os.ReadFile("../../deploy/audit/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.setPolicy(string(text))
	s.Cluster = kubetest.Start(
		t,
		kubetest.Options{APIServer: []string{"--audit-policy-file=" + s.policy, "--audit-log-path=" + s.log, "--audit-log-maxsize=10000"}},
	)
	s.PretendNodes(t, kubetest.Nodes{Number: 1})
	s.Apply(t, people)
	for user, group := range map[string]string{"alice": "developers", "bob": "guests", "system:node:node-1": "system:nodes"} {
		if s.users[user], err = s.UserKubeconfig(user, group); err != nil {
			t.Fatal(err)
		}
	}
	if s.users["deployer"], err = s.AccountKubeconfig("shop", "deployer"); err != nil {
		t.Fatal(err)
	}
	if s.users["bad token"], err = s.TokenKubeconfig("bad", "garbage"); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) setPolicy(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.policy, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// people are who acts: alice develops, and may also give rights and reach nodes; bob may look.
const people = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: edit, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects:
- {kind: Group, apiGroup: rbac.authorization.k8s.io, name: developers}
- {kind: ServiceAccount, name: deployer, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: view, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: guests}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: give-rights}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings, clusterrolebindings], verbs: [create, get, patch]}
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: operate}
rules:
- {apiGroups: [""], resources: [persistentvolumes], verbs: [create, get, patch]}
- {apiGroups: [""], resources: [nodes/proxy], verbs: [create, get]}
- {apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [patch, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operate}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operate}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: alice}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: give-rights}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: give-rights}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: alice}]
`

// as runs kubectl as somebody; whether it succeeds is for the log to say.
func (s *stage) as(user, input string, args ...string) {
	out, err := s.Kubectl(input, append([]string{"--kubeconfig=" + s.users[user]}, args...)...)
	s.t.Logf("%s: kubectl %s: %.200s %v", user, strings.Join(args, " "), strings.TrimSpace(out), err)
}

// curl asks without credentials.
func (s *stage) curl(path string) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Get(s.Admin.Host + path)
	if err != nil {
		s.t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// lines are what was logged since the last scene. A request of the test's own
// ends them: the API server logs a request before it is done with it.
func (s *stage) lines() (out [][]byte) {
	s.t.Helper()
	s.marks++
	mark := "mark-" + strconv.Itoa(s.marks)
	s.Client.CoreV1().ConfigMaps("default").Get(context.Background(), mark, metav1.GetOptions{})
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(s.log)
		if err != nil {
			s.t.Fatal(err)
		}
		if fresh := text[s.read:]; bytes.Contains(fresh, []byte(mark)) && bytes.HasSuffix(fresh, []byte("\n")) {
			s.read = len(text)
			return bytes.SplitAfter(bytes.TrimSuffix(fresh, []byte("\n")), []byte("\n"))
		}
	}
	s.t.Fatal("the log does not go on")
	return nil
}

// chosen are the lines that a filter keeps, as a file.
func chosen(lines [][]byte, keep func(event.Event) bool) (out []byte) {
	d := audit.Decoder{Cluster: "test"}
	for _, line := range lines {
		b, err := d.Decode(line)
		if err == nil && len(b.Events) == 1 && keep(b.Events[0]) {
			out = append(out, bytes.TrimSuffix(line, []byte("\n"))...)
			out = append(out, '\n')
		}
	}
	return out
}

func by(users ...string) func(event.Event) bool {
	return func(e event.Event) bool {
		for _, u := range users {
			if strings.Join(e.Fields["actor.name"], "") == u {
				return true
			}
		}
		return false
	}
}

func about(resource string, next func(event.Event) bool) func(event.Event) bool {
	return func(e event.Event) bool {
		return strings.Join(e.Fields["objectRef.resource"], "") == resource && next(e)
	}
}

func writes(next func(event.Event) bool) func(event.Event) bool {
	return func(e event.Event) bool {
		v := strings.Join(e.Fields["verb"], "")
		return (v == "create" || v == "update" || v == "patch") && next(e)
	}
}

// record writes a file of testdata.
func record(t *testing.T, name string, lines []byte) {
	t.Helper()
	if len(lines) == 0 {
		t.Errorf("%s: nothing was logged", name)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(testdata, name+".jsonl"), lines, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var load = sync.OnceValues(func() (*detect.Rules, error) { return builtin.Load() })

func rules(t *testing.T) *detect.Rules {
	t.Helper()
	r, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// alerts runs a scene's whole log, the chatter of the cluster included, but what the administrator
// does: he is the test's own hand, and plays the scheduler and the nodes.
func alerts(t *testing.T, lines [][]byte) (out []detect.Alert) {
	t.Helper()
	d := &audit.Decoder{Cluster: "test"}
	engine := detect.New(rules(t), nil, detect.Options{})
	latest := map[string]detect.Alert{}
	for _, line := range lines {
		b, err := d.Decode(line)
		if err != nil || len(b.Rejected) > 0 {
			t.Fatalf("a real event is refused: %v %v: %.300s", err, b.Rejected, line)
		}
		events := slices.DeleteFunc(b.Events, by("admin"))
		for _, a := range engine.Feed(events) {
			latest[a.ID] = a
		}
	}
	for _, a := range latest {
		out = append(out, a)
	}
	return out
}

// kubelet answers an exec or attach as a kubelet does, and hangs up; what asks for
// no stream is answered with a line. It listens on an address of the machine's, for
// the API server proxies to no loopback.
func kubelet(t *testing.T) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			io.WriteString(w, "uid=0(root)\n")
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(
			conn,
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n",
		)
	}))
	l, err := net.Listen("tcp4", net.JoinHostPort(own(t), "0"))
	if err != nil {
		t.Fatal(err)
	}
	s.Listener.Close()
	s.Listener = l
	s.StartTLS()
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(l.Addr().String())
}

// own is an address of this machine that others could reach.
func own(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but its loopback, to which an API server proxies nothing")
	return ""
}

// runOn puts a running pod on a node whose kubelet listens here.
func (s *stage) runOn(kubelet netip.AddrPort) {
	s.t.Helper()
	ctx := context.Background()
	ok := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "here"}, Status: corev1.NodeStatus{
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: kubelet.Addr().String()}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(kubelet.Port())}}}}
	_, err := s.Client.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{})
	ok(err)
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "till", Namespace: "shop"}, Spec: corev1.PodSpec{NodeName: "here",
		Containers: []corev1.Container{{Name: "app", Image: "registry.example/till:1"}}}}
	p, err = s.Client.CoreV1().Pods("shop").Create(ctx, p, metav1.CreateOptions{})
	ok(err)
	p.Status.Phase = corev1.PodRunning
	p.Status.ContainerStatuses = []corev1.ContainerStatus{
		{Name: "app", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
	}
	_, err = s.Client.CoreV1().Pods("shop").UpdateStatus(ctx, p, metav1.UpdateOptions{})
	ok(err)
}
