package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/test/kubetest"
	"github.com/breakwater-sec/breakwater/vuln"
)

// asker is a signed-in person with a program instead of a browser.
type asker struct {
	url    string
	client *http.Client
}

func (s *server) asker(t *testing.T) *asker {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &asker{s.home, &http.Client{Jar: jar, Timeout: time.Minute}}
	_, token, _ := strings.Cut(s.link, "/sign-in#")
	b, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := a.client.Post(s.home+"/api/v1/session", "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return a
}

func (a *asker) get(t *testing.T, path string, into any) {
	t.Helper()
	resp, err := a.client.Get(a.url + "/api/v1" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(path, err)
	}
}

// sees says whether the server has the node in its picture.
func (a *asker) sees(t *testing.T, kind, id string) bool {
	t.Helper()
	resp, err := a.client.Get(a.url + "/api/v1/entity?kind=" + kind + "&id=" + url.QueryEscape(id))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// podNames are the names of the cluster's pods as the API server lists them.
func podNames(t *testing.T, c *kubetest.Cluster, where ...string) []string {
	t.Helper()
	out, err := c.Kubectl("", append([]string{"get", "pods", "-o", "jsonpath={.items[*].metadata.name}"}, where...)...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out)
}

type row struct {
	Cluster, ID, Type, Namespace, Status, StaleReason, FirstSeen string
	Foothold                                                     struct{ Name string }
}

func (a *asker) paths(t *testing.T, query string) []row {
	t.Helper()
	var l struct{ Items []row }
	a.get(t, "/paths"+query, &l)
	return l.Items
}

type state struct {
	Clusters []struct {
		Name, State string
		Counts      map[string]int
		Gaps        int
	}
	Gaps []struct{ What, Why, Consequence string }
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// plainBinary is breakwater without the portal.
func plainBinary(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "breakwater")
	cmd := exec.Command("go", "build", "-o", out, "./cmd/breakwater")
	cmd.Dir = "../.."
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return out
}

func TestKillAtAnyMomentLosesNothing(t *testing.T) {
	bin, data := plainBinary(t), t.TempDir()
	const rounds = 10
	for range rounds {
		cmd := exec.Command(bin, "serve", "--sample", "--listen", "127.0.0.1:0", "--data", data, "--save-every", "50ms")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(2500 * time.Millisecond))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed: what it says is no news
	}
	s := serve(t, bin, "--sample", "--listen", "127.0.0.1:0", "--data", data)
	a := s.asker(t)
	until(t, "the sample's paths", func() bool { return len(a.paths(t, "")) >= 13 })
	st, err := store.Open(t.Context(), datadir.Dir(data).Sample().Database())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	open := map[string]bool{}
	var within []store.Tenancy
	for _, cluster := range []string{"harbor-prod", "harbor-dev"} {
		within = append(within, store.Tenancy{Cluster: cluster})
		lives, err := st.OpenPaths(t.Context(), cluster)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lives {
			key := l.Cluster + "/" + l.ID
			if open[key] {
				t.Errorf("path %s has two lives at once", key)
			}
			open[key] = true
		}
	}
	if len(open) < 13 {
		t.Errorf("%d paths are open, want the sample's", len(open))
	}
	gone, _, err := st.ResolvedPaths(t.Context(), store.PathFilter{Within: within}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range gone {
		var p analyse.Path
		if err := json.Unmarshal(l.Body, &p); err != nil || p.EntryClass != analyse.Possible { // those are known better once an image is read
			t.Errorf("a kill resolved path %s: %s, %v", l.ID, p.Title, err)
		}
	}
	t.Logf("%d kills; %d paths, each with one life", rounds, len(open))
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	bin := plainBinary(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used := t.TempDir()
	serve(t, bin, "--sample", "--listen", "127.0.0.1:0", "--data", used)
	broken := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(broken, []byte("clusters: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	torn := t.TempDir()
	if err := os.WriteFile(datadir.Dir(torn).Database(), []byte("this is no database, though its name says so"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"port in use", []string{"--sample", "--data", t.TempDir(), "--listen", taken.Addr().String()}, "the port is in use"},
		{"data folder in use", []string{"--sample", "--data", used, "--listen", "127.0.0.1:0"}, "another breakwater is using"},
		{"data folder is a file", []string{"--sample", "--data", file, "--listen", "127.0.0.1:0"}, "data folder"},
		{"a database that is none", []string{"--from", "../../cli/testdata/shop", "--data", torn, "--listen", "127.0.0.1:0"}, "not a database"},
		{"broken kubeconfig", []string{"--from", "context:x", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, "kubeconfig"},
		{"no such folder", []string{"--from", "/no/such", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, "no such file"},
		{
			"two clusters of a name",
			[]string{"--from", "a=../../cli/testdata/shop", "--from", "a=../../cli/testdata/shop", "--data", t.TempDir(), "--listen", "127.0.0.1:0"},
			"two clusters are named",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(bin, append([]string{"serve"}, test.args...)...)
			cmd.Env = append(os.Environ(), "KUBECONFIG="+broken)
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), test.says) {
				t.Errorf("exit code %d: %s; want 2 and %q", cmd.ProcessState.ExitCode(), out, test.says)
			}
		})
	}
}

func TestAFullDiskIsSaidAndSurvived(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	data := t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(data, syscall.MNT_DETACH) })
	bin := plainBinary(t)
	s := serve(t, bin, "--from", "shop=../../cli/testdata/shop", "--listen", "127.0.0.1:0", "--data", data, "--no-images")
	a := s.asker(t)
	filler := filepath.Join(data, "filler") // the server has a file of its own that it lets go
	var st state
	until(t, "a sign-in finds no room", func() bool {
		fill(t, filler)
		out, err := exec.Command(bin, "sign-in", "--data", data).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "full") {
			t.Fatalf("a full disk: %v: %s", err, out)
		}
		return err != nil
	})
	a.get(t, "/status", &st) // it goes on serving
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(bin, "sign-in", "--data", data).CombinedOutput(); err != nil {
		t.Errorf("with room again: %v: %s", err, out)
	}
}

// fill writes to a file until its disk is full.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for b := make([]byte, 1<<16); err == nil; {
		_, err = f.Write(b)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// watchedShop is the sample's first cluster on a real API server, watched by a
// service account with the documented role.
func watchedShop(t *testing.T) (c *kubetest.Cluster, args []string) {
	t.Helper()
	estate, err := harborshop.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { estate.Close() })
	c = kubetest.Start(t, kubetest.Options{})
	c.PretendNodes(t, kubetest.Nodes{Number: 3, ImageID: estate.ImageID, External: func(int) string { return "203.0.113.11" }})
	role, err := os.ReadFile("../../deploy/rbac/readonly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	apply(t, c, estate.Clusters[0].Applied)
	kubeconfig, err := c.AccountKubeconfig("breakwater", "breakwater")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", kubeconfig)
	data := t.TempDir()
	if _, err := vuln.Import(t.Context(), filepath.Join(data, "advisories"), []vuln.Source{{Name: "sample", FS: advisories.FS}},
		nil); err != nil {
		t.Fatal(err)
	}
	return c, []string{
		"--from",
		"prod=context:test",
		"--listen",
		"127.0.0.1:0",
		"--data",
		data,
		"--registry-mirror",
		harborshop.Host + "=" + estate.Registry,
	}
}

// only is the one path of that type into a container.
func only(t *testing.T, a *asker, container string) (row, bool) {
	t.Helper()
	for _, p := range a.paths(t, "?status=active&status=stale&status=resolved&type=exposed-vulnerable-pod") {
		if p.Foothold.Name == container {
			return p, true
		}
	}
	return row{}, false
}

func TestOutOfSightIsNotResolved(t *testing.T) {
	c, args := watchedShop(t)
	bin := plainBinary(t)
	s := serve(t, bin, args...)
	a := s.asker(t)
	is := func(status string) func() bool {
		return func() bool { p, there := only(t, a, "catalogue"); return there && p.Status == status }
	}
	until(t, "the path into catalogue", is("active"))
	first, _ := only(t, a, "catalogue")

	t.Run("a rollout re-opens nothing", func(t *testing.T) {
		old := podNames(t, c, "-n", first.Namespace)
		if out, err := c.Kubectl("", "rollout", "restart", "deployment/catalogue", "-n", first.Namespace); err != nil {
			t.Fatal(out, err)
		}
		if out, err := c.Kubectl("", "rollout", "status", "deployment/catalogue", "-n", first.Namespace, "--timeout=90s"); err != nil {
			t.Fatal(out, err)
		}
		until(t, "the new pods instead of the old", func() bool {
			now := podNames(t, c, "-n", first.Namespace)
			return !slices.ContainsFunc(slices.Concat(old, now), func(pod string) bool {
				return a.sees(t, "Pod", "prod/"+first.Namespace+"/Pod/"+pod) != slices.Contains(now, pod)
			})
		})
		until(t, "active", is("active"))
		if now, _ := only(t, a, "catalogue"); now.ID != first.ID || now.FirstSeen != first.FirstSeen {
			t.Errorf("%+v, was %+v", now, first)
		}
		var page struct{ History []struct{ What string } }
		a.get(t, "/path?cluster=prod&id="+first.ID, &page)
		for _, h := range page.History {
			if h.What == "resolved" {
				t.Errorf("history %+v", page.History)
			}
		}
	})
	services := func(list string) {
		t.Helper()
		patch := fmt.Sprintf(`[{"op":"replace","path":"/rules/0/resources","value":[%s]}]`, list)
		if out, err := c.Kubectl("", "patch", "clusterrole", "breakwater-readonly", "--type=json", "-p", patch); err != nil {
			t.Fatal(out, err)
		}
	}
	t.Run("a 403 makes it stale, and being allowed again makes it active", func(t *testing.T) {
		const most = `"namespaces","nodes","pods","serviceaccounts","configmaps","replicationcontrollers"`
		services(most)
		c.StopAPIServer() // watches outlive a right that was taken away; connections do not outlive the server
		if err := c.StartAPIServer(); err != nil {
			t.Fatal(err)
		}
		until(t, "stale", is("stale"))
		if p, _ := only(t, a, "catalogue"); !strings.Contains(p.StaleReason, "services") {
			t.Errorf("stale because %q", p.StaleReason)
		}
		services(most + `,"services"`)
		until(t, "active again", is("active"))
		if now, _ := only(t, a, "catalogue"); now.FirstSeen != first.FirstSeen {
			t.Errorf("first seen %s, was %s", now.FirstSeen, first.FirstSeen)
		}
	})
	t.Run("a removed ingress resolves it", func(t *testing.T) {
		if out, err := c.Kubectl("", "delete", "ingress", "--all", "-n", first.Namespace); err != nil {
			t.Fatal(out, err)
		}
		until(t, "resolved", is("resolved"))
	})
}

func TestARestartServesTheDumpAndThenReadsAgain(t *testing.T) {
	c, args := watchedShop(t)
	bin := plainBinary(t)
	s := serve(t, bin, append(args, "--no-images")...)
	a := s.asker(t)
	if out, err := c.Kubectl("", "run", "short-lived", "--image=registry.test/a:1", "-n", "shop"); err != nil {
		t.Fatal(out, err)
	}
	pods := func(a *asker) (n int, how string) {
		var st state
		a.get(t, "/status", &st)
		return st.Clusters[0].Counts["Pod"], st.Clusters[0].State
	}
	until(t, "the pods", func() bool {
		n, how := pods(a)
		return n > 30 && how == "current" && n == len(podNames(t, c, "-A"))
	})
	before, _ := pods(a)
	s.stop(t)
	if out, err := c.Kubectl("", "delete", "pod", "short-lived", "-n", "shop", "--force"); err != nil {
		t.Fatal(out, err)
	}
	c.StopAPIServer()
	s = serve(t, bin, append(args, "--no-images")...)
	a = s.asker(t)
	until(t, "the pods of before, as of then", func() bool { n, how := pods(a); return n == before && how != "current" })
	until(t, "why they are of before", func() bool {
		var st state
		a.get(t, "/status", &st)
		for _, g := range st.Gaps {
			if g.What == "connection" && strings.Contains(g.Why, "refused") && g.Consequence != "" {
				return true
			}
		}
		return false
	})
	if err := c.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	until(t, "one pod less, current", func() bool { n, how := pods(a); return n == before-1 && how == "current" })
}
