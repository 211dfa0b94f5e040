package hostile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// watching is a server that watches a cluster whose pods are an attacker's to write.
type watching struct {
	cmd    *exec.Cmd
	data   datadir.Dir
	pods   string // the folder of the cluster's manifests
	args   []string
	log    bytes.Buffer
	exited chan struct{}
}

// watchPods starts a server on a cluster with a pod for each image.
func watchPods(t *testing.T, mirrors map[string]string, images ...string) *watching {
	t.Helper()
	w := &watching{data: datadir.Dir(t.TempDir()), pods: t.TempDir()}
	w.runs(t, "pod", images...)
	w.args = []string{"serve", "--from", "c=" + w.pods, "--listen", "127.0.0.1:0", "--data", string(w.data)}
	for host, at := range mirrors {
		w.args = append(w.args, "--registry-mirror", host+"="+at)
	}
	w.start(t)
	t.Cleanup(w.kill)
	return w
}

// runs adds a pod for each image, all of one name with a number.
func (w *watching) runs(t *testing.T, name string, images ...string) {
	t.Helper()
	var b strings.Builder
	for n, image := range images {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s-%d, namespace: shop}\n"+
			"spec:\n  containers: [{name: app, image: %q}]\n---\n", name, n, image)
	}
	if err := os.WriteFile(filepath.Join(w.pods, name+".yaml"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *watching) start(t *testing.T) {
	t.Helper()
	w.cmd, w.exited = exec.Command(program(t), w.args...), make(chan struct{})
	w.cmd.Stdout, w.cmd.Stderr = io.Discard, &w.log
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = w.cmd.Wait(); close(w.exited) }() // how it ended is not asked
}

func (w *watching) kill() {
	_ = w.cmd.Process.Kill() // it may have ended
	<-w.exited
}

// await waits until the store says of an image what is wanted.
func (w *watching) await(t *testing.T, id string, is func(assess.Record) bool) assess.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var last assess.Record
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		select {
		case <-w.exited:
			t.Fatalf("the server ended: %s", w.log.String())
		default:
		}
		if _, err := os.Stat(w.data.Database()); err != nil {
			continue
		}
		s, err := store.Open(ctx, w.data.Database())
		if err != nil {
			continue // it is being made
		}
		r, ok, err := s.Image(ctx, id)
		_ = s.Close()
		if err != nil || !ok {
			continue
		}
		if last = r; is(r) {
			return r
		}
	}
	w.kill()
	t.Fatalf("of image %s the store says %+v; the server: %s", id, last, w.log.String())
	return last
}

func wasRead(r assess.Record) bool { return len(r.Inventory) > 0 }

func TestTheImageOfAPodIsNeverAFileOfTheServer(t *testing.T) {
	s := newShelf(t)
	honest, sum := s.image("1", debian()), "@sha256:"+strings.Repeat("a", 64)
	w := watchPods(t, map[string]string{"registry.example": s.host()}, "rootfs:/"+sum, "docker-archive:/dev/ptmx",
		"docker-archive:/dev/ptmx:x"+sum, "oci-archive:/dev/zero"+sum, "oci:/etc"+sum, "/dev/ptmx", "registry.example/shop/web@"+honest)
	w.await(t, honest, wasRead)
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.exited:
	case <-time.After(time.Minute):
		t.Fatal("it does not end when it is asked to")
	}
	st, err := store.Open(t.Context(), w.data.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, id := range []string{sum[1:], "rootfs:/" + sum, "docker-archive:/dev/ptmx", "/dev/ptmx"} {
		if r, there, err := st.Image(t.Context(), id); there || err != nil {
			t.Errorf("%s is an image: %+v (%v)", id, r, err)
		}
	}
	sizes, err := st.Sizes(t.Context(), store.DefaultRetention())
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range sizes {
		if z.Table == "images" && z.Rows != 1 { // under whatever id
			t.Errorf("%d images are known of pods that name one", z.Rows)
		}
	}
}

func TestAnImageIsNotHiddenBehindADeadRegistryThatIsSaidToHaveIt(t *testing.T) {
	s, dead := newShelf(t), newShelf(t)
	honest := s.image("1", debian())
	dead.Close()
	w := watchPods(t, map[string]string{"registry.example": s.host(), "aaa.example": dead.host(), "zzz.example": dead.host()},
		"aaa.example/shop/web@"+honest, "zzz.example/shop/web@"+honest, "registry.example/shop/web@"+honest)
	if r := w.await(t, honest, wasRead); r.Reference != "registry.example/shop/web@"+honest {
		t.Errorf("it was read from %s", r.Reference)
	}
}

func TestOneRegistryThatStallsDoesNotHoldAllWorkersAndTheEndIsNotHeldUp(t *testing.T) {
	s, slow := newShelf(t), newShelf(t)
	honest := s.image("1", debian())
	var images []string
	for n := range 6 {
		layer := packed("etc/os-release", 10, strings.NewReader(fmt.Sprintf("ID=slow-%02d", n)))
		images = append(images, "aaa.example/shop/web@"+slow.image("1", layer))
		slow.instead[digestOf(layer)] = stall
	}
	w := watchPods(t, map[string]string{"registry.example": s.host(), "aaa.example": slow.host()}, images...)
	id := func(image string) string { return image[len("aaa.example/shop/web@"):] }
	stalled := w.await(t, id(images[0]), func(r assess.Record) bool { return r.State != "" })
	st, err := store.Open(t.Context(), w.data.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	held := func() (n int) { // workers, by the registry that stalls
		for _, image := range images {
			if r, _, err := st.Image(t.Context(), id(image)); err != nil {
				t.Fatal(err)
			} else if r.State == assess.Scanning {
				n++
			}
		}
		return n
	}
	until(t, "the registry that stalls holds a worker", func() bool { return held() > 0 })
	w.runs(t, "honest", "registry.example/shop/web@"+honest)
	most := 0
	until(t, "the honest image is read", func() bool {
		most = max(most, held())
		r, _, err := st.Image(t.Context(), honest)
		if err != nil {
			t.Fatal(err)
		}
		return wasRead(r)
	})
	if most >= 3 {
		t.Errorf("%d images of the registry that stalls were read at once, and there are three workers", most)
	}
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	<-w.exited
	if took := time.Since(asked); took > 20*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if r, _, err := st.Image(t.Context(), stalled.ID); err != nil || r.Ended != 0 {
		t.Errorf("an end that was asked for counts against the image: %+v (%v)", r, err)
	}
}

// stall answers and sends nothing more.
func stall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000000")
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	<-r.Context().Done()
}

func TestAnImageThatEndsTheServerIsLeftAloneAfterThreeTries(t *testing.T) {
	s, reading := newShelf(t), make(chan struct{}, 10)
	layer := packed("etc/os-release", 9, strings.NewReader("ID=deadly"))
	deadly := s.image("1", layer)
	s.instead[digestOf(layer)] = func(w http.ResponseWriter, r *http.Request) {
		reading <- struct{}{}
		stall(w, r)
	}
	w := watchPods(t, map[string]string{"registry.example": s.host()}, "registry.example/shop/web@"+deadly)
	for n := 1; n <= 3; n++ {
		<-reading // as if the server ran out of memory now
		if r := w.await(t, deadly, func(r assess.Record) bool { return r.State == assess.Scanning }); r.Attempts < n || r.Ended != n {
			t.Errorf("reading %d: %d attempts, %d of which ended the reader", n, r.Attempts, r.Ended)
		}
		w.kill()
		w.start(t)
	}
	r := w.await(t, deadly, func(r assess.Record) bool { return r.State == assess.Failed })
	if !strings.Contains(r.Error, "ended the reader 3 times") || time.Until(r.NextTry) < 24*time.Hour {
		t.Errorf("%+v", r)
	}
}
