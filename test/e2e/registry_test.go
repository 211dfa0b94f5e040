package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/vuln"
)

// password of the guarded registry, and its hash as htpasswd writes it.
const (
	password = "three-blind-mice"
	htpasswd = "reader:$2a$04$6dQO4qViouh5OLhOlI2vXOD1h9rtebJr98N086CWk9njCAWfwD4Eu\n"
)

// dockerRegistry runs the distribution project's own server, as Debian ships it.
func dockerRegistry(t *testing.T, guarded bool) (address string) {
	t.Helper()
	binary, err := exec.LookPath("docker-registry")
	if err != nil {
		skipOrFail(t, "docker-registry is not installed: run test/setup.sh")
	}
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	config := "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + dir + "/blobs}}\nhttp: {addr: " + address + "}\n"
	if guarded {
		config += "auth: {htpasswd: {realm: breakwater, path: " + dir + "/htpasswd}}\n"
	}
	for file, content := range map[string]string{"config.yml": config, "htpasswd": htpasswd} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := exec.Command(binary, "serve", filepath.Join(dir, "config.yml"))
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // killed: what it says is no news
	})
	until(t, "docker-registry answers", func() bool {
		resp, err := http.Get("http://" + address + "/v2/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return true
	})
	return address
}

// pushed puts an image of one layer, like no other, into a registry.
func pushed(t *testing.T, ref, version string, options ...remote.Option) {
	t.Helper()
	pushFiles(t, ref, map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n",
		"var/lib/dpkg/status": "Package: openssl\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: amd64\n\n"}, options...)
}

// pushFiles puts an image of one layer with these files into a registry.
func pushFiles(t *testing.T, ref string, files map[string]string, options ...remote.Option) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	pushLayer(t, ref, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, options...)
}

func pushLayer(t *testing.T, ref string, open tarball.Opener, options ...remote.Option) {
	t.Helper()
	layer, err := tarball.LayerFromOpener(open)
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture = "linux", "amd64"
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	write(t, ref, img, options...)
}

func write(t *testing.T, ref string, img v1.Image, options ...remote.Option) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img, options...); err != nil {
		t.Fatal(err)
	}
}

// before is a registry with something in front of it that may answer instead.
func before(t *testing.T, registry string, answer func(http.ResponseWriter, *http.Request) bool) (address string) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry})
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	return strings.TrimPrefix(web.URL, "http://")
}

type queueState struct {
	Total, Queued, Scanning, Done, Failed, Unsupported int
}

type registryState struct {
	State, Why  string
	Images      queueState
	Tags        int
	Permissions []struct{ What, State, Why, Blind string }
	Gaps        []struct{ What, Why, Consequence string }
}

func (a *asker) registry(t *testing.T) registryState {
	t.Helper()
	var l struct{ Items []registryState }
	a.get(t, "/registries", &l)
	if len(l.Items) != 1 {
		t.Fatalf("%d registries", len(l.Items))
	}
	return l.Items[0]
}

// read is how many images were looked into; without advisories nothing more can
// be said of them, and that is what "unsupported" says.
func (q queueState) read() int { return q.Done + q.Unsupported }

// TestAKillInTheQueueLosesNothingAndReadsNothingTwice kills the server again and
// again while it reads a registry's images. What was read is not read again.
func TestAKillInTheQueueLosesNothingAndReadsNothingTwice(t *testing.T) {
	const images, workers = 60, 2
	registry := dockerRegistry(t, false)
	for i := range images {
		pushed(t, fmt.Sprintf("%s/shop/r%d:%d", registry, i%7, i), fmt.Sprint("1.", i))
	}
	var mu sync.Mutex
	layers := map[string]int{}
	host := before(t, registry, func(_ http.ResponseWriter, r *http.Request) bool {
		if _, digest, ok := strings.Cut(r.URL.Path, "/blobs/"); ok && r.Method == http.MethodGet {
			mu.Lock()
			layers[digest]++
			mu.Unlock()
			time.Sleep(40 * time.Millisecond)
		}
		return false
	})
	bin, data := plainBinary(t), t.TempDir()
	args := []string{
		"--registry",
		host,
		"--registry-qps",
		"1000",
		"--scan-workers",
		fmt.Sprint(workers),
		"--listen",
		"127.0.0.1:0",
		"--data",
		data,
	}
	kills, most := 0, 0
	for ; kills < 8; kills++ {
		s := serve(t, bin, args...)
		a := s.asker(t)
		until(t, "a few more are read", func() bool {
			now := a.registry(t).Images
			return now.read() >= min(most+3, images)
		})
		time.Sleep(rand.N(100 * time.Millisecond))
		now := a.registry(t).Images
		if now.read() < most {
			t.Errorf("after kill %d: %d images were read, before it %d", kills, now.read(), most)
		}
		most = now.read()
		s.once.Do(func() {
			_ = s.cmd.Process.Kill()
			<-s.done
			_ = s.cmd.Wait()
		})
	}
	if most >= images {
		t.Fatal("everything was read before the last kill: it shows nothing")
	}
	a := serve(t, bin, args...).asker(t)
	until(t, "everything is read", func() bool {
		r := a.registry(t)
		return r.Images.read() == images && r.Images.Total == images && r.State == "current" && r.Tags == images
	})
	mu.Lock()
	defer mu.Unlock()
	twice, total := 0, 0
	for _, n := range layers {
		total += n
		twice += n - 1
	}
	// A kill may hit each worker in mid-image: its configuration and its layer.
	if twice > kills*workers*2 {
		t.Errorf("%d blobs were read again over %d kills of %d workers", twice, kills, workers)
	}
	t.Logf("%d kills, %d images, %d blobs read, %d of them again", kills, images, total, twice)
}

// TestAFlakyRegistryIsReadInTheEnd has a registry stumble in every way.
func TestAFlakyRegistryIsReadInTheEnd(t *testing.T) {
	const images = 12
	registry := dockerRegistry(t, false)
	for i := range images {
		pushed(t, fmt.Sprintf("%s/shop/web:%d", registry, i), fmt.Sprint("2.", i))
	}
	var asked atomic.Int64
	var said sync.Map
	host := before(t, registry, func(w http.ResponseWriter, r *http.Request) bool {
		n := asked.Add(1)
		switch {
		case n%11 == 3:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case n%11 == 6:
			w.WriteHeader(http.StatusInternalServerError)
		case n%11 == 8:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case n%11 == 10:
			time.Sleep(300 * time.Millisecond)
			return false
		default:
			return false
		}
		said.Store(n%11, true)
		return true
	})
	a := serve(t, plainBinary(t), "--registry", host+"/shop/*", "--listen", "127.0.0.1:0", "--data", t.TempDir()).asker(t)
	until(t, "everything is read", func() bool {
		r := a.registry(t)
		if r.State == "unreachable" { // it is tried again by itself; a person need not wait
			a.post(t, "/registry/rescan?host="+url.QueryEscape(host), nil)
		}
		if r.Images.Failed > 0 {
			var l struct{ Items []struct{ ID string } }
			a.get(t, "/registry/images?state=failed&host="+url.QueryEscape(host), &l)
			for _, i := range l.Items {
				a.post(t, "/registry/rescan?host="+url.QueryEscape(host)+"&image="+url.QueryEscape(i.ID), nil)
			}
		}
		return r.Images.read() == images
	})
	for _, n := range []int64{3, 6, 8} {
		if _, yes := said.Load(n); !yes {
			t.Errorf("the registry never stumbled in way %d", n)
		}
	}
}

func (a *asker) post(t *testing.T, path string, body io.Reader) int {
	t.Helper()
	resp, err := a.client.Post(a.url+"/api/v1"+path, "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestAGuardedRegistryIsReadWithAnAccountThatIsKeptNowhere connects a registry
// that wants a password: without one, with one, and where the catalog is refused.
func TestAGuardedRegistryIsReadWithAnAccountThatIsKeptNowhere(t *testing.T) {
	registry := dockerRegistry(t, true)
	pushed(t, registry+"/shop/web:1", "3.1", remote.WithAuth(&authn.Basic{Username: "reader", Password: password}))
	host := before(t, registry, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/_catalog" {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	bin, data, dir := plainBinary(t), t.TempDir(), t.TempDir()
	said, err := exec.Command(bin, "registry", "check", host+"/shop/web").CombinedOutput()
	if exit := (&exec.ExitError{}); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(said), "docker login "+host) {
		t.Errorf("without an account: %v\n%s", err, said)
	}
	config := filepath.Join(dir, "breakwater.yaml")
	for file, content := range map[string]string{config: "registries:\n  - host: " + host +
		"\n    repositories: [shop/web, other/*]\n    username: reader\n    passwordFile: secret\n",
		filepath.Join(dir, "secret"): password + "\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, bin, "--config", config, "--listen", "127.0.0.1:0", "--data", data, "-v")
	a := s.asker(t)
	until(t, "its image is read", func() bool { return a.registry(t).Images.read() == 1 })
	r := a.registry(t)
	for _, p := range r.Permissions {
		if want := map[bool]string{true: "refused", false: "ok"}[p.What == "list repositories"]; p.State != want ||
			(p.Blind == "") != (want == "ok") {
			t.Errorf("%+v, want %s", p, want)
		}
	}
	if len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].Consequence, "that were named") {
		t.Errorf("gaps %+v", r.Gaps)
	}
	var status state
	a.get(t, "/status", &status)
	if len(status.Gaps) == 0 || !strings.Contains(fmt.Sprint(status.Gaps), "repositories of "+host) {
		t.Errorf("the status does not say it: %+v", status.Gaps)
	}
	if bytes.Contains(filesBelow(t, data), []byte(password)) || bytes.Contains(s.log.Bytes(), []byte(password)) {
		t.Error("the password was written down")
	}
}

// TestADebootstrappedImageIsAssessedFromARealRegistry is the story of images, whole:
// Debian's own image, pushed to a real registry when one of its packages was older,
// held against a real advisory, and what to do about it.
func TestADebootstrappedImageIsAssessedFromARealRegistry(t *testing.T) {
	if os.Getenv("BREAKWATER_SLOW") == "" {
		t.Skip("BREAKWATER_SLOW=1 runs it")
	}
	root := filepath.Join(t.TempDir(), "root")
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include=openssh-client", "bookworm",
		root).CombinedOutput(); err != nil {
		skipOrFail(t, fmt.Sprintf("debootstrap: %v\n%s", err, out[max(0, len(out)-500):]))
	}
	registry, data := dockerRegistry(t, false), t.TempDir()
	pushFolder(t, registry+"/library/ssh:new", root)
	older(t, root, "openssh-client", "1:9.2p1-2+deb12u2")
	pushFolder(t, registry+"/library/ssh:old", root)
	if _, err := vuln.Import(t.Context(), filepath.Join(data, "advisories"), []vuln.Source{{Name: "sample", FS: advisories.FS}},
		nil); err != nil {
		t.Fatal(err)
	}
	bin := plainBinary(t)
	a := serve(t, bin, "--registry", registry, "--listen", "127.0.0.1:0", "--data", data).asker(t)
	until(t, "both are read", func() bool { return a.registry(t).Images.read() == 2 })
	var l struct {
		Items []struct {
			ID, Platform string
			Size         int64
			Tags         []string
		}
	}
	a.get(t, "/registry/images?host="+url.QueryEscape(registry), &l)
	var page struct {
		Packages []struct{ Name string }
	}
	a.get(t, "/image?id="+url.QueryEscape(l.Items[0].ID), &page)
	if l.Items[0].Platform != "linux/amd64" || l.Items[0].Size < 1<<20 || len(page.Packages) < 50 {
		t.Errorf("%+v with %d packages", l.Items[0], len(page.Packages))
	}
	var advice struct {
		Items []struct {
			Title, Fixed     string
			About, Installed []string
			Images, Pods     int
		}
		Groups []struct {
			About                            string
			Images, Affected, Clean, Unknown int
		}
	}
	until(t, "what is in both is drawn", func() bool { // a moment after the queue says done
		a.get(t, "/recommendations", &advice)
		return len(advice.Items) > 0
	})
	if u := advice.Items[0]; len(advice.Items) != 1 || !slices.Equal(u.About, []string{"registry"}) || u.Fixed != "1:9.2p1-2+deb12u3" ||
		u.Installed[0] != "1:9.2p1-2+deb12u2" ||
		u.Images != 1 ||
		u.Pods != 0 {
		t.Errorf("%+v; want one update of openssh in the one old image", advice.Items)
	}
	for _, g := range advice.Groups { // the sample has few advisories for Debian 12: by them nothing is clean
		if g.About == "registry" && (g.Images != 2 || g.Affected != 1 || g.Clean != 0 || g.Unknown != 1) ||
			g.About == "running" && g.Images != 0 {
			t.Errorf("%+v", g)
		}
	}
	said, err := exec.Command(bin, "recommendations", "--data", data).Output()
	if err != nil || !strings.Contains(string(said), "Update openssh to 1:9.2p1-2+deb12u3 (Debian:12)") {
		t.Errorf("%v: %s", err, said)
	}
}

// older writes into a Debian folder that a package is of an older version.
func older(t *testing.T, root, name, version string) {
	t.Helper()
	file := filepath.Join(root, "var/lib/dpkg/status")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?s)(\nPackage: ` + name + `\n.*?\nVersion: )[^\n]+`)
	if !entry.Match(text) {
		t.Fatalf("no %s in %s", name, file)
	}
	if err := os.WriteFile(file, entry.ReplaceAll(text, []byte("${1}"+version)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// pushFolder pushes a root file system as an image of one layer.
func pushFolder(t *testing.T, ref, root string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layer.tar.gz")
	if out, err := exec.Command("tar", "-C", root, "--numeric-owner", "--exclude=./dev/*", "--exclude=./proc/*", "-czf", file,
		".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	pushLayer(t, ref, func() (io.ReadCloser, error) { return os.Open(file) })
}
