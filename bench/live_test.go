package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/test/kubetest"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == image.CagedCommand {
		if err := image.ReadCaged(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	code := kubetest.Main(m)
	pgtest.Stop()
	os.Exit(code)
}

// TestMeasureLive watches a real API server with 500 pods on nodes that are only
// pretended: the time to the first graph, the process's memory, and the time from
// a change to the answer a page gets after its event.
func TestMeasureLive(t *testing.T) {
	measured(t)
	c := kubetest.Start(t, kubetest.Options{})
	c.PretendNodes(t, kubetest.Nodes{Number: 20})
	for n := range 50 {
		c.Apply(t, fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web-%[1]d","namespace":"default"},
			"spec":{"replicas":10,"selector":{"matchLabels":{"app":"web-%[1]d"}},
			"template":{"metadata":{"labels":{"app":"web-%[1]d"}},
			"spec":{"containers":[{"name":"app","image":"registry.test/web:%[1]d"}]}}}}`, n))
	}
	c.WaitRunning(t, "default", 500)
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	s := startServer(t)
	for s.rows(t, "MATCH (p:Pod) RETURN p") < 500 {
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("500 pods: first graph after %s (from the start of the process), %s", time.Since(s.began).Round(10*time.Millisecond), s.memory(t))
	var took []time.Duration
	for n := range 60 {
		name := fmt.Sprintf("single-%d", n)
		begin := time.Now()
		if _, err := c.Client.CoreV1().Pods("default").Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.test/web:1"}}}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		for s.rows(t, "MATCH (p:Pod) WHERE p.name = '"+name+"' RETURN p") == 0 {
			<-s.events // a page asks again when it is told to
		}
		took = append(took, time.Since(begin))
		time.Sleep(time.Duration(100+n*17%400) * time.Millisecond)
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(time.Millisecond) }
	t.Logf("change → answer on the page's side, 60 single pods: p50 %s, p95 %s, max %s", at(0.5), at(0.95), at(1))
	t.Log(s.memory(t))
}

type liveServer struct {
	cmd    *exec.Cmd
	url    string
	client *http.Client
	events chan struct{}
	began  time.Time
}

func startServer(t *testing.T) *liveServer {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "breakwater")
	build := exec.Command("go", "build", "-o", bin, "./cmd/breakwater")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &liveServer{
		cmd:    exec.Command(bin, "serve", "--from", "context:test", "--no-images", "--listen", "127.0.0.1:0", "--data", t.TempDir()),
		client: &http.Client{Jar: jar},
		events: make(chan struct{}, 1),
		began:  time.Now(),
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); _ = s.cmd.Wait() }) // killed: its exit says nothing
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base, token, ok := strings.Cut(strings.TrimSpace(lines.Text()), "/sign-in#"); ok {
			s.url = "http://127.0.0.1" + base[strings.LastIndex(base, ":"):] // not every resolver knows names of localhost
			resp := s.post(t, "/session", map[string]string{"token": token})
			resp.Body.Close()
			break
		}
	}
	go s.follow()
	return s
}

// follow turns every event into a wish to ask again.
func (s *liveServer) follow() {
	resp, err := s.client.Get(s.url + "/api/v1/events")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") {
			select {
			case s.events <- struct{}{}:
			default:
			}
		}
	}
}

func (s *liveServer) post(t *testing.T, path string, body any) *http.Response {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Post(s.url+"/api/v1"+path, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (s *liveServer) rows(t *testing.T, text string) int {
	t.Helper()
	resp := s.post(t, "/query", map[string]any{"text": text, "limit": 1})
	defer resp.Body.Close()
	var a struct{ Roots int }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a.Roots
}

// memory is what the kernel says of the process.
func (s *liveServer) memory(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return "memory unknown: " + err.Error()
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(out, ", ")
}
