package live

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
)

// alone is a Live that nobody runs, with one cluster of one pod.
func alone(t *testing.T) *cluster {
	t.Helper()
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := New(Config{Records: s, Rules: rules, Log: slog.New(slog.DiscardHandler)}, []Source{{Name: "prod"}})
	if err != nil {
		t.Fatal(err)
	}
	c := l.clusters[0]
	c.facts, c.state = collect.NewFacts(), Current
	c.facts.Cluster.Name = "prod"
	c.apply(t.Context(), podChange(collect.Put, "one", "a:1"))
	return c
}

func TestWhatIsDueIsComputedAndNotBeforeItsTime(t *testing.T) {
	c := alone(t)
	started := time.Now()
	if !c.due(started) {
		t.Fatal("what changed is not due")
	}
	c.recompute(t.Context())
	first := c.live.World().Clusters["prod"].Took
	c.apply(t.Context(), podChange(collect.Put, "one", "a:2"))
	if !c.due(time.Now()) {
		t.Error("what changed while a quiet cluster was computed waits")
	}
	c.recompute(t.Context())
	if first <= 0 || c.pace.next.Sub(started) < 4*first {
		t.Errorf("computed for %v, again, and then after %v", first, c.pace.next.Sub(started))
	}
	c.apply(t.Context(), podChange(collect.Put, "two", "a:1"))
	if c.due(c.pace.next.Add(-time.Nanosecond)) || !c.due(c.pace.next) {
		t.Error("a change is computed before its time, or not at it")
	}
	c.recompute(t.Context())
	if c.apply(t.Context(), podChange(collect.Put, "two", "a:1")); c.due(c.pace.next) {
		t.Error("what is as it was is computed again")
	}
	c.changed("Pod")
	c.pace.next = time.Now().Add(time.Hour)
	if c.pause() < time.Minute {
		t.Errorf("it looks again in %v although nothing is due for an hour", c.pause())
	}
}

// failing lets the first lives be lost.
type failing struct {
	Records
	failed atomic.Bool
}

func (f *failing) Apply(ctx context.Context, a store.Analysis) (store.Applied, []store.PathLife, error) {
	if !f.failed.Swap(true) {
		return store.Applied{}, nil, errors.New("the disk is full")
	}
	return f.Records.Apply(ctx, a)
}

func TestWhatCouldNotBeStoredIsStoredWithTheNextComputation(t *testing.T) {
	c := alone(t)
	c.live.config.Records = &failing{Records: c.live.config.Records}
	c.recompute(t.Context())
	if v, err := c.live.config.Records.ClusterVersion(t.Context(), "prod"); v != 0 || err != nil {
		t.Fatalf("stored version %d, %v", v, err)
	}
	if !c.due(c.pace.next) {
		t.Fatal("it is not tried again")
	}
	c.recompute(t.Context())
	if v, err := c.live.config.Records.ClusterVersion(t.Context(), "prod"); v != c.version || err != nil {
		t.Errorf("stored version %d of %d, %v", v, c.version, err)
	}
	if c.due(c.pace.next) {
		t.Error("it is stored, and due again")
	}
}

func TestAClusterWaitsUntilSomethingIsKnownOfEachOfItsImages(t *testing.T) {
	c := alone(t)
	var wanted []assess.Use
	c.live.config.Images = wants(func(uses []assess.Use) { wanted = uses })
	c.recompute(t.Context())
	if c.live.World().Clusters["prod"].Segment != nil || !c.waiting || c.due(time.Now().Add(time.Hour)) || len(wanted) != 1 {
		t.Fatal("it is computed, or tried again and again, without knowing its image")
	}
	u := wanted[0]
	c.live.redraw(assess.Changes{Means: map[assess.Key]string{u.Key(): u.ID},
		Images: []assess.Assessed{{ID: u.ID, Use: &u, Running: true, Assessment: assess.NotScanned(u.ID, assess.Failed, "registry says 401")}}})
	c.changed("Image") // as it is poked
	c.recompute(t.Context())
	w := c.live.World()
	n, there := w.View.Node("Image", u.ID)
	if !there || n.Text("scan") != "failed" || !n.Value("running").Bool() {
		t.Errorf("the image is there: %v, %s", there, n.Text("scan"))
	}
	gaps := w.Clusters["prod"].Gaps
	gaps = slices.DeleteFunc(slices.Clone(gaps), func(g collect.Gap) bool { return g.Source == "judge" })
	if len(gaps) != 1 || gaps[0].What != "image docker.io/library/a:1" || gaps[0].Why != "registry says 401" {
		t.Errorf("an image that nobody could look into is no gap: %+v", gaps)
	}
}

type wants func([]assess.Use)

func (w wants) Want(_ string, uses []assess.Use) { w(uses) }

func (wants) Exposed(string, []string) {}

func (wants) Machine(n *collect.Node) *assess.Assessment {
	return assess.NotScanned(n.Name, assess.Unsupported, "nobody knows")
}

func TestAnImageStaysInTheGraphUntilNoClusterShowsIt(t *testing.T) {
	c := alone(t)
	u, err := assess.UseOf("a:1", "")
	if err != nil {
		t.Fatal(err)
	}
	c.live.config.Images = wants(func([]assess.Use) {})
	c.live.redraw(assess.Changes{Means: map[assess.Key]string{u.Key(): u.ID},
		Images: []assess.Assessed{{ID: u.ID, Use: &u, Assessment: assess.NotScanned(u.ID, assess.Queued, "")}}})
	c.recompute(t.Context())
	c.live.redraw(assess.Changes{Means: map[assess.Key]string{u.Key(): ""}, Gone: []string{u.ID}})
	if _, there := c.live.World().View.Node("Image", u.ID); !there {
		t.Fatal("a cluster shows the image and it is gone")
	}
	c.apply(t.Context(), podChange(collect.Gone, "one", ""))
	c.recompute(t.Context())
	c.live.leave()
	c.live.refresh(nil)
	if _, there := c.live.World().View.Node("Image", u.ID); there {
		t.Error("nothing has the image and it is there")
	}
}

func TestOnceReadsResolvesAndStoresNothing(t *testing.T) {
	f := collect.NewFacts()
	f.Cluster.Name = "files"
	pod := podChange(collect.Put, "one", "r.test/a:1")
	pod.Object.(*collect.Pod).Made = true
	f.Apply(pod)
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	digest, read := "sha256:"+strings.Repeat("a", 64), ""
	w, err := Once(t.Context(), rules, assess.New(assess.Config{Advisories: noAdvisories,
		Resolve: func(context.Context, image.Reference) (string, error) { return digest, nil },
		Scan: func(_ context.Context, ref image.Reference) (*image.Inventory, error) {
			read = ref.String()
			return nil, image.ErrUnsupported
		}}), []*collect.Facts{f})
	if err != nil {
		t.Fatal(err)
	}
	n, there := w.View.Node("Image", digest)
	if !there || n.Text("scan") != "unsupported" || n.Text("name") != "r.test/a:1" || read != "r.test/a@"+digest {
		t.Errorf("there %v, %s, %s, read %q", there, n.Text("scan"), n.Text("name"), read)
	}
}

// TestAClusterThatCannotBeComputedEndsNothingAndIsToldSo: facts are what strangers wrote, and ours may be a fault that
// some of them meet. (A policy that is none is one that every judge meets.)
func TestAClusterThatCannotBeComputedEndsNothingAndIsToldSo(t *testing.T) {
	c := alone(t)
	c.recompute(t.Context())
	key := collect.Key{Namespace: "shop", Name: "bad"}
	c.facts.NetworkPolicies[key] = nil
	c.changed("NetworkPolicy")
	c.recompute(t.Context())
	of := func() *Cluster { return c.live.World().Clusters["prod"] }
	told := func(g collect.Gap) bool { return strings.Contains(g.Why, "fault of Breakwater") }
	if !slices.ContainsFunc(of().Gaps, told) {
		t.Errorf("nobody is told: %+v", of().Gaps)
	}
	if of().Segment == nil || c.due(c.pace.next) {
		t.Error("what was there is gone, or the same is tried without end")
	}
	delete(c.facts.NetworkPolicies, key)
	c.changed("NetworkPolicy")
	c.recompute(t.Context())
	if slices.ContainsFunc(of().Gaps, told) {
		t.Errorf("it is still told: %+v", of().Gaps)
	}
}
