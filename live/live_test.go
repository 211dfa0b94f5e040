package live

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// feed is a source that a test speaks for.
type feed struct {
	changes chan collect.Change
	saved   *collect.Facts
	mu      sync.Mutex
	kept    *collect.Facts
}

func newFeed() *feed { return &feed{changes: make(chan collect.Change, 100)} }

func (f *feed) source(name string) Source {
	return Source{Name: name,
		Watch: func(ctx context.Context, emit func(collect.Change)) error {
			for {
				select {
				case c := <-f.changes:
					emit(c)
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		},
		Saved: func() (*collect.Facts, error) { return f.saved, nil },
		Save: func(k *collect.Facts) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.kept = k
			return nil
		}}
}

func (f *feed) say(cs ...collect.Change) {
	for _, c := range cs {
		f.changes <- c
	}
}

func podChange(op collect.Op, name, img string) collect.Change {
	key := collect.Key{Namespace: "shop", Name: name}
	return collect.Change{Op: op, Kind: "Pod", Key: key, Object: &collect.Pod{Key: key, Phase: "Running", Labels: &collect.Labels{},
		Shape: &collect.PodShape{ServiceAccount: "default", Containers: []collect.ContainerShape{{Name: "app", Image: img}}}}}
}

func synced() collect.Change { return collect.Change{Op: collect.Synced, Time: time.Now()} }

// running is a Live with what feeds it, as a server puts them together.
type running struct {
	*Live
	images     *assess.Assessor
	registries *registries.Watcher
	store      *store.Store
	stop       context.CancelFunc
	done       chan error
}

func start(t *testing.T, db string, images assess.Config, sources ...Source) *running {
	t.Helper()
	return startWith(t, db, images, registries.Config{}, sources...)
}

func startWith(t *testing.T, db string, images assess.Config, connected registries.Config, sources ...Source) *running {
	t.Helper()
	s, err := store.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if images.Advisories == nil {
		images.Advisories = noAdvisories
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{store: s, stop: stop, done: make(chan error, 1)}
	images.Records, images.Owner = s, "test"
	r.images = assess.New(images)
	connected.Records, connected.Images = s, r.images
	connected.Changed = func() { r.SetRegistryGaps(r.registries.Gaps) }
	r.registries = registries.New(connected)
	if r.Live, err = New(Config{Records: s, Rules: rules, Images: r.images, Log: slog.New(slog.DiscardHandler)}, sources); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.images.Resume(ctx), r.registries.Resume(ctx)); err != nil {
		t.Fatal(err)
	}
	go func() {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return r.Live.Run(ctx) })
		g.Go(func() error { return r.images.Run(ctx, r.Assessed) })
		g.Go(func() error { return r.registries.Run(ctx) })
		r.done <- g.Wait()
	}()
	t.Cleanup(func() { r.end(t) })
	return r
}

func (r *running) end(t *testing.T) {
	t.Helper()
	if r.store == nil {
		return
	}
	r.stop()
	if err := errors.Join(<-r.done, r.store.Close()); err != nil {
		t.Error(err)
	}
	r.store = nil
}

// until waits for the world to be as wanted; how long is no test.
func (r *running) until(t *testing.T, what string, is func(*World) bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is(r.World()) {
			return
		}
	}
	for _, c := range r.World().Ordered() {
		t.Logf("%s: %s, gaps %+v", c.Name, c.State, c.Gaps)
	}
	t.Fatalf("never: %s", what)
}

// owns waits for a cluster to be as wanted, and looks as its owner.
func (r *running) owns(t *testing.T, name, what string, is func(*cluster) bool) {
	t.Helper()
	r.until(t, what, func(*World) (so bool) {
		for _, c := range r.clusters {
			if c.source.Name == name {
				if _, err := r.Facts(t.Context(), name, func(*collect.Facts) { so = is(c) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		return so
	})
}

func hasPod(cluster, name string) func(*World) bool {
	return func(w *World) bool { _, ok := w.View.Node("Pod", cluster+"/shop/Pod/"+name); return ok }
}

func TestAPodMovesThePicture(t *testing.T) {
	f := newFeed()
	r := start(t, filepath.Join(t.TempDir(), "b.db"), assess.Config{}, f.source("prod"))
	events := r.Subscribe(t.Context())
	f.say(podChange(collect.Put, "one", "a:1"))
	r.owns(t, "prod", "the pod is applied and the cluster is not due, however late it is", func(c *cluster) bool {
		return len(c.facts.Pods) == 1 && len(c.dirty) > 0 && !c.due(time.Now().Add(time.Hour))
	})
	f.say(synced())
	r.until(t, "pod one", hasPod("prod", "one"))
	for e := (Event{}); e.Version == 0 || !slices.Contains(e.Kinds, "Pod"); {
		e = <-events
	}
	f.say(podChange(collect.Put, "two", "a:1"), podChange(collect.Gone, "one", ""))
	r.until(t, "pod two and not one", func(w *World) bool { return hasPod("prod", "two")(w) && !hasPod("prod", "one")(w) })
}

func TestClustersDoNotWaitForEachOther(t *testing.T) {
	a, b := newFeed(), newFeed()
	r := start(t, filepath.Join(t.TempDir(), "b.db"), assess.Config{}, a.source("a"), b.source("b"))
	b.say(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "api", What: "connection", Why: "refused"}})
	a.say(podChange(collect.Put, "one", "x"), synced())
	r.until(t, "a is current, b says why it is not", func(w *World) bool {
		return w.Clusters["a"].State == Current && w.Clusters["b"].State == Loading && len(w.Clusters["b"].Gaps) == 1
	})
}

func TestAClusterThatWasNotReadYetIsAGap(t *testing.T) {
	a, b := newFeed(), newFeed()
	r := start(t, filepath.Join(t.TempDir(), "b.db"), assess.Config{}, a.source("a"), b.source("b"))
	a.say(podChange(collect.Put, "one", "x"), synced())
	unread := func(w *World, cluster string) bool {
		return slices.ContainsFunc(w.Gaps(), func(g collect.Gap) bool { return g.Cluster == cluster && g.Why == "it has not been read yet" })
	}
	r.until(t, "a was read, b not yet", func(w *World) bool {
		return w.Clusters["a"].State == Current && !unread(w, "a") && w.Clusters["b"].State == Loading && unread(w, "b")
	})
	b.say(synced())
	r.until(t, "both were read", func(w *World) bool { return w.Clusters["b"].State == Current && !unread(w, "b") })
}

func TestARestartServesTheSavedFactsUntilTheyAreReadAgain(t *testing.T) {
	db := filepath.Join(t.TempDir(), "b.db")
	f := newFeed()
	r := start(t, db, assess.Config{}, f.source("prod"))
	f.say(podChange(collect.Put, "old", "x"),
		collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "api", What: "services", Why: "403"}}, synced())
	r.until(t, "old", hasPod("prod", "old"))
	r.end(t)
	if f.kept == nil {
		t.Fatal("nothing was saved")
	}
	again := newFeed()
	again.saved = f.kept
	r = start(t, db, assess.Config{}, again.source("prod"))
	r.until(t, "old, as of the earlier run", func(w *World) bool {
		c := w.Clusters["prod"]
		return hasPod("prod", "old")(w) && c.State == Saved && c.AsOf.Equal(f.kept.AsOf)
	})
	again.say(podChange(collect.Put, "new", "x"),
		collect.Change{Op: collect.Resynced, Kind: "Pod", Keys: map[collect.Key]struct{}{{Namespace: "shop", Name: "new"}: {}}}, synced())
	r.until(t, "new and not old, without the gap of then", func(w *World) bool {
		c := w.Clusters["prod"]
		for _, g := range c.Gaps {
			if g.What == "services" {
				return false
			}
		}
		return hasPod("prod", "new")(w) && !hasPod("prod", "old")(w) && c.State == Current
	})
}

func TestALostConnectionLeavesThePictureAsItWas(t *testing.T) {
	f := newFeed()
	r := start(t, filepath.Join(t.TempDir(), "b.db"), assess.Config{}, f.source("prod"))
	f.say(podChange(collect.Put, "one", "x"), synced())
	r.until(t, "one", hasPod("prod", "one"))
	gap := &collect.Gap{Source: "api", What: "connection", Why: "refused"}
	f.say(collect.Change{Op: collect.GapOpen, Gap: gap})
	r.until(t, "lost, and still there", func(w *World) bool { return w.Clusters["prod"].State == Lost && hasPod("prod", "one")(w) })
	f.say(collect.Change{Op: collect.GapClosed, Gap: gap})
	r.until(t, "current again", func(w *World) bool { return w.Clusters["prod"].State == Current })
}

func scanOf(w *World, id string) string {
	n, ok := w.View.Node("Image", id)
	if !ok {
		return ""
	}
	return n.Text("scan")
}

func TestAnImageIsReadOnceAndItsFailureIsNotClean(t *testing.T) {
	db, none := filepath.Join(t.TempDir(), "b.db"), t.TempDir()
	var mu sync.Mutex
	reads := map[string]int{}
	images := assess.Config{
		Advisories: func() *vuln.DB { d, _ := vuln.Open(none); return d },
		Scan: func(_ context.Context, named image.Reference) (*image.Inventory, error) {
			ref := named.String()
			mu.Lock()
			defer mu.Unlock()
			reads[ref]++
			if ref == "docker.io/library/bad:1" {
				return nil, errors.New("registry says 401")
			}
			return &image.Inventory{Version: image.InventoryVersion, Understood: true, Reference: ref}, nil
		}}
	f := newFeed()
	r := start(t, db, images, f.source("prod"))
	f.say(podChange(collect.Put, "good", "good:1"), podChange(collect.Put, "bad", "bad:1"), synced())
	r.until(t, "both known", func(w *World) bool {
		return scanOf(w, "docker.io/library/good:1") == "done" && scanOf(w, "docker.io/library/bad:1") == "failed"
	})
	n, _ := r.World().View.Node("Image", "docker.io/library/bad:1")
	if !n.Value("severe").IsNull() || n.Value("scanned").Bool() {
		t.Error("a failed image is not unknown")
	}
	r.end(t)
	again := newFeed()
	r = start(t, db, images, again.source("prod"))
	again.say(podChange(collect.Put, "good", "good:1"), synced())
	r.until(t, "good from the store", func(w *World) bool { return scanOf(w, "docker.io/library/good:1") == "done" })
	if reads["docker.io/library/good:1"] != 1 {
		t.Errorf("read %d times", reads["docker.io/library/good:1"])
	}
}

func TestEventsOfASlowSubscriberAreMergedNotLost(t *testing.T) {
	var h hub
	ch := h.subscribe(t.Context())
	h.send(Event{Version: 1, Cluster: "a", Kinds: []string{"Pod"}})
	h.send(Event{Version: 2, Cluster: "b", Kinds: []string{"Service"}})
	e := <-ch
	if b, _ := json.Marshal(e); string(b) != `{"Version":2,"Cluster":"","Kinds":["Pod","Service"]}` {
		t.Errorf("%s", b)
	}
}

func noAdvisories() *vuln.DB { return nil }
