package live

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	oci "github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/registries"
)

// shelf is a registry inside the process that counts how often images are opened.
type shelf struct {
	host   string
	refuse atomic.Int64 // a status for everything, if not 0
	mu     sync.Mutex
	opened map[string]int
	first  []string // references in the order they were opened
	before func(ctx context.Context, ref string) error
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{opened: map[string]int{}}
	inner := served.New(served.Logger(log.New(io.Discard, "", 0)))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := s.refuse.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	s.host = strings.TrimPrefix(web.URL, "http://")
	return s
}

// debianImage is an image of one package, built for a platform.
func debianImage(t *testing.T, version, arch string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{{"etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"},
		{"var/lib/dpkg/status", "Package: openssl\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: " + arch + "\n\n"}} {
		file, content := f[0], f[1]
		if err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: arch,
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{diffID(t, layer)}}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func diffID(t *testing.T, l v1.Layer) v1.Hash {
	t.Helper()
	h, err := l.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (s *shelf) ref(t *testing.T, tag string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(s.host + "/" + tag)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// push puts an image on the shelf and returns its digest.
func (s *shelf) push(t *testing.T, tag, version string) string {
	t.Helper()
	img := debianImage(t, version, "amd64")
	if err := remote.Write(s.ref(t, tag), img); err != nil {
		t.Fatal(err)
	}
	return hash(t, img.Digest)
}

func hash(t *testing.T, of func() (v1.Hash, error)) string {
	t.Helper()
	h, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// start runs a Live that reads the shelf, and perhaps clusters.
func (s *shelf) start(t *testing.T, db string, workers int, connect []registries.Connection, sources ...Source) *running {
	t.Helper()
	reader := oci.Reader{PerSecond: 10_000, Backoff: time.Millisecond}
	scan := func(ctx context.Context, named image.Reference) (*image.Inventory, error) {
		ref := named.String()
		s.mu.Lock()
		s.opened[ref]++
		s.first = append(s.first, ref)
		before := s.before
		s.mu.Unlock()
		if before != nil {
			if err := before(ctx, ref); err != nil {
				return nil, err
			}
		}
		return image.Scan(ctx, named, image.Options{Backoff: time.Millisecond})
	}
	return startWith(t, db, assess.Config{Scan: scan, Workers: workers},
		registries.Config{Read: reader.Read, Check: reader.Check, Account: reader.Account, Every: time.Hour, Connect: connect}, sources...)
}

func (s *shelf) connection() []registries.Connection {
	return []registries.Connection{{Registry: collect.Registry{Host: s.host}, From: registries.FromFlag}}
}

func (s *shelf) times() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for ref, n := range s.opened {
		_, digest, _ := strings.Cut(ref, "@")
		out[digest] += n
	}
	return out
}

// read says that every one of these images was looked into. Without advisories
// they are "unsupported", which is what an inventory without them is.
func read(r *running, ids ...string) bool {
	known := r.images.Images()
	return !slices.ContainsFunc(ids, func(id string) bool { return known[id].State != "unsupported" })
}

// seenPod runs an image that its node reports as told.
func seenPod(name, written, reported string) collect.Change {
	c := podChange(collect.Put, name, written)
	c.Object.(*collect.Pod).Images = &collect.Images{IDs: []string{reported}}
	return c
}

func imageNode(w *World, id string) (running, known bool) {
	n, there := w.View.Node("Image", id)
	return there && n.Value("running").Bool(), there
}

func TestARegistryFeedsTheQueueThatClustersFeed(t *testing.T) {
	s := newShelf(t)
	web, old := s.push(t, "shop/web:2", "2"), s.push(t, "shop/web:1", "1")
	db := filepath.Join(t.TempDir(), "b.db")
	f := newFeed()
	r := s.start(t, db, 2, s.connection(), f.source("prod"))
	f.say(seenPod("web", s.host+"/shop/web:2", s.host+"/shop/web@"+web), synced())
	shown := func(w *World) bool {
		runs, there := imageNode(w, web)
		other, too := imageNode(w, old)
		n, _ := w.View.Node("Image", old)
		repositories := 0
		for e := range n.Out("STORED_IN") {
			if e.To.ID() == s.host+"/shop/web" {
				repositories++
			}
		}
		return len(w.RegistryGaps) == 0 && there && runs && too && !other && listed(w, web) && listed(w, old) && repositories == 1 &&
			n.Text("scan") == "unsupported" && n.Text("name") == s.host+"/shop/web:1" && read(r, web, old)
	}
	r.until(t, "both images are read, and one of them runs", shown)
	if times := s.times(); times[web] != 1 || times[old] != 1 {
		t.Errorf("opened %v, want each once", times)
	}
	list := r.registries.Registries()
	if len(list) != 1 || list[0].State != registries.Current || len(list[0].Permissions) != 6 {
		t.Errorf("%+v", list)
	}
	r.end(t)
	f = newFeed()
	r = s.start(t, db, 2, s.connection(), f.source("prod"))
	f.say(seenPod("web", s.host+"/shop/web:2", s.host+"/shop/web@"+web), synced())
	r.until(t, "the same after a restart", shown)
	if times := s.times(); times[web] != 1 || times[old] != 1 {
		t.Errorf("opened %v after a restart, want none again", times)
	}
}

func TestEveryDigestOfAnImageIsThatImage(t *testing.T) {
	s := newShelf(t)
	amd, arm := debianImage(t, "1", "amd64"), debianImage(t, "1", "arm64")
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	if err := remote.WriteIndex(s.ref(t, "web:1"), index); err != nil {
		t.Fatal(err)
	}
	id := hash(t, index.Digest)
	f := newFeed()
	r := s.start(t, filepath.Join(t.TempDir(), "b.db"), 1, s.connection(), f.source("prod"))
	// The pods come first: their images are met under names of their own.
	f.say(seenPod("index", s.host+"/web:1", s.host+"/web@"+id),
		seenPod("manifest", s.host+"/web:1", "docker-pullable://"+s.host+"/web@"+hash(t, amd.Digest)),
		seenPod("other-platform", s.host+"/web:1", s.host+"/web@"+hash(t, arm.Digest)),
		seenPod("config", s.host+"/web:1", "docker://"+hash(t, amd.ConfigName)), synced())
	pods := func(w *World) (out []string) {
		n, _ := w.View.Node("Image", id)
		for use := range n.In("USES_IMAGE") {
			for run := range use.From.In("RUNS") {
				out = append(out, run.From.Text("name"))
			}
		}
		slices.Sort(out)
		return out
	}
	r.until(t, "all four pods run the one image", func(w *World) bool {
		return strings.Join(pods(w), " ") == "config index manifest other-platform"
	})
	r.until(t, "no second image is left", func(w *World) bool {
		left := 0
		for range w.View.Nodes("Image") {
			left++
		}
		return left == 1 && len(r.images.Images()) == 1
	})
}

func TestWhatRunsIsReadFirst(t *testing.T) {
	s := newShelf(t)
	hold := make(chan struct{})
	s.before = func(ctx context.Context, _ string) error {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	for i := range 20 {
		s.push(t, fmt.Sprintf("shop/old:%d", i), fmt.Sprint(i))
	}
	urgent := s.push(t, "shop/zz:1", "urgent")
	f := newFeed()
	r := s.start(t, filepath.Join(t.TempDir(), "b.db"), 1, s.connection(), f.source("prod"))
	r.until(t, "one is being read", func(*World) bool { return len(s.times()) == 1 && len(r.images.Images()) == 21 })
	f.say(seenPod("web", s.host+"/shop/zz:1", s.host+"/shop/zz@"+urgent), synced())
	r.until(t, "the store knows that it runs", func(*World) bool {
		q, there, err := r.store.Image(t.Context(), urgent)
		return there && err == nil && (q.Wanted == assess.Running || q.State == assess.Scanning)
	})
	close(hold)
	r.until(t, "it is read", func(*World) bool { return s.times()[urgent] == 1 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := slices.IndexFunc(s.first, func(ref string) bool { return strings.HasSuffix(ref, urgent) }); at > 1 {
		t.Errorf("it was number %d to be read", at+1)
	}
}

func TestABusyRegistryIsNoFailureOfTheImage(t *testing.T) {
	s := newShelf(t)
	web := s.push(t, "web:1", "1")
	var busy atomic.Bool
	busy.Store(true)
	s.before = func(context.Context, string) error {
		if busy.Load() {
			return fmt.Errorf("open: %w", &image.Busy{Host: s.host, For: time.Millisecond})
		}
		return nil
	}
	r := s.start(t, filepath.Join(t.TempDir(), "b.db"), 1, s.connection())
	r.until(t, "it waits, with the time of its next try", func(*World) bool {
		q, there, err := r.store.Image(t.Context(), web)
		return there && err == nil && q.State == assess.Queued && q.Attempts == 0 && !q.NextTry.IsZero() && strings.Contains(q.Error, "slow down")
	})
	busy.Store(false)
	r.until(t, "it is read in the end", func(*World) bool { return read(r, web) })
}

func TestAFailedImageSaysWhyAndIsTriedAgainOnWish(t *testing.T) {
	s := newShelf(t)
	web := s.push(t, "web:1", "1")
	var broken atomic.Bool
	broken.Store(true)
	s.before = func(context.Context, string) error {
		if broken.Load() {
			return errors.New("the layer is cut short")
		}
		return nil
	}
	db := filepath.Join(t.TempDir(), "b.db")
	r := s.start(t, db, 1, s.connection())
	failed := func(*World) bool {
		q, there, err := r.store.Image(t.Context(), web)
		return there && err == nil && q.State == assess.Failed && q.Attempts == 1 && q.NextTry.After(time.Now()) &&
			strings.Contains(r.images.Images()[web].Why, "cut short")
	}
	r.until(t, "it failed", failed)
	r.end(t)
	r = s.start(t, db, 1, s.connection())
	r.until(t, "a restart does not forget that", failed)
	if n := s.times()[web]; n != 1 {
		t.Errorf("it was opened %d times although its next try is later", n)
	}
	broken.Store(false)
	if again, err := r.images.Retry(t.Context(), web); !again || err != nil {
		t.Fatal(again, err)
	}
	r.until(t, "it is read", func(*World) bool { return read(r, web) })
}

func TestWhatLeavesTheRegistryLeavesThePicture(t *testing.T) {
	s := newShelf(t)
	web, old := s.push(t, "web:2", "2"), s.push(t, "web:1", "1")
	r := s.start(t, filepath.Join(t.TempDir(), "b.db"), 1, s.connection())
	r.until(t, "both are read", func(*World) bool { return read(r, web, old) })
	if err := remote.Delete(s.ref(t, "web:1")); err != nil {
		t.Fatal(err)
	}
	if err := r.registries.Reread(s.host); err != nil {
		t.Fatal(err)
	}
	r.until(t, "one is left", func(w *World) bool {
		_, there := imageNode(w, old)
		_, known := r.images.Images()[old]
		_, other := imageNode(w, web)
		return !there && !known && other
	})
	s.push(t, "web:1", "1")
	if err := r.registries.Reread(s.host); err != nil {
		t.Fatal(err)
	}
	r.until(t, "it is back", func(w *World) bool { _, there := imageNode(w, old); return there && read(r, old) })
	if n := s.times()[old]; n != 1 {
		t.Errorf("it was opened %d times, although it was known", n)
	}
}

// listed says whether a connected registry lists the image, by its node.
func listed(w *World, id string) bool {
	n, _ := w.View.Node("Image", id)
	return n.Value("listed").Bool()
}

func TestWhatRunsOutlivesItsTag(t *testing.T) {
	s := newShelf(t)
	web := s.push(t, "web:1", "1")
	f := newFeed()
	r := s.start(t, filepath.Join(t.TempDir(), "b.db"), 1, s.connection(), f.source("prod"))
	f.say(seenPod("web", s.host+"/web:1", s.host+"/web@"+web), synced())
	r.until(t, "it runs and is listed", func(w *World) bool {
		runs, there := imageNode(w, web)
		return runs && there && listed(w, web)
	})
	if err := remote.Delete(s.ref(t, "web:1")); err != nil {
		t.Fatal(err)
	}
	if err := r.registries.Reread(s.host); err != nil {
		t.Fatal(err)
	}
	r.until(t, "it runs and is not listed", func(w *World) bool {
		runs, there := imageNode(w, web)
		return runs && there && !listed(w, web)
	})
}

func TestARegistryThatRefusesIsAGapAndWhatItHeldStays(t *testing.T) {
	s := newShelf(t)
	web := s.push(t, "web:1", "1")
	r := s.start(t, filepath.Join(t.TempDir(), "b.db"), 1, s.connection())
	r.until(t, "it is read and shown", func(w *World) bool { _, there := imageNode(w, web); return there && read(r, web) })
	for status, want := range map[int64]registries.State{403: registries.Refused, 502: registries.Unreachable} {
		s.refuse.Store(status)
		if err := r.registries.Reread(s.host); err != nil {
			t.Fatal(err)
		}
		r.until(t, "it is a gap", func(w *World) bool {
			gaps := w.Gaps()
			return r.registries.Registries()[0].State == want && len(gaps) == 1 && gaps[0].Source == "registry" &&
				strings.Contains(gaps[0].Consequence, "shown as of") && gaps[0].Why != ""
		})
		if _, there := imageNode(r.World(), web); !there {
			t.Errorf("%d: its image is gone", status)
		}
	}
	s.refuse.Store(0)
	if err := r.registries.Reread(s.host); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the gap is closed", func(w *World) bool {
		return r.registries.Registries()[0].State == registries.Current && len(w.Gaps()) == 0
	})
}

func TestThePortalConnectsAndDisconnects(t *testing.T) {
	s, other := newShelf(t), newShelf(t)
	web, away := s.push(t, "web:1", "1"), other.push(t, "away:1", "2")
	db := filepath.Join(t.TempDir(), "b.db")
	r := s.start(t, db, 1, s.connection())
	r.until(t, "the one named by a flag is read", func(*World) bool { return read(r, web) })
	if err := r.registries.Connect(t.Context(), collect.Registry{Host: s.host}); !errors.Is(err, registries.ErrRefused) {
		t.Errorf("the portal changed what a flag says: %v", err)
	}
	if err := r.registries.Disconnect(t.Context(), s.host); !errors.Is(err, registries.ErrRefused) {
		t.Errorf("the portal took away what a flag says: %v", err)
	}
	if err := r.registries.Connect(t.Context(), collect.Registry{Host: other.host}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the other is read too", func(*World) bool { return read(r, web, away) })
	r.end(t)
	r = s.start(t, db, 1, nil) // the flag is gone, the portal's wish is not
	r.until(t, "the portal's registry stays, the flag's is gone", func(w *World) bool {
		_, first := r.images.Images()[web]
		return len(r.registries.Registries()) == 1 && read(r, away) && !first
	})
	if err := r.registries.Disconnect(t.Context(), other.host); err != nil {
		t.Fatal(err)
	}
	r.until(t, "nothing is left", func(w *World) bool {
		_, there := imageNode(w, away)
		return !there && len(r.registries.Registries()) == 0 && len(r.images.Images()) == 0
	})
	if err := r.registries.Disconnect(t.Context(), other.host); !errors.Is(err, registries.ErrNotConnected) {
		t.Errorf("%v", err)
	}
}
