package enrichment

import (
	"context"
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/vuln"
)

// TestAContainerLeadsToItsPod follows a pod through its life: its uid leads to it
// before its container's id does, and both do for a while after it is gone.
func TestAContainerLeadsToItsPod(t *testing.T) {
	w := newPods()
	key := collect.Key{Namespace: "shop", Name: "web"}
	say := func(op collect.Op, ids ...string) {
		ch := collect.Change{Op: op, Kind: "Pod", Key: key,
			Object: &collect.Pod{Key: key, UID: "u1", ContainerIDs: ids,
				Shape: &collect.PodShape{Containers: []collect.ContainerShape{{Name: "log"}, {Name: "app", Privileged: true}}}}}
		w.change(ch)
	}
	finds := func(id, uid, want string) {
		t.Helper()
		pod, at := w.find(id, uid)
		got := ""
		if pod != nil {
			got = fmt.Sprint(pod.Name, " ", at)
		}
		if got != want {
			t.Errorf("%q %q: %q, want %q", id, uid, got, want)
		}
	}
	finds("c1", "u1", "")
	say(collect.Put)
	finds("c1", "u1", "web -1")
	finds("c1", "", "")
	say(collect.Put, "", "c1")
	finds("c1", "u1", "web 1")
	finds("c1", "", "web 1")
	say(collect.Put, "c0", "c2") // the container was restarted
	finds("c1", "", "web 1")
	finds("c2", "", "web 1")
	finds("c0", "", "web 0")
	say(collect.Gone)
	finds("c2", "", "web 1")
	finds("", "", "")
	if len(w.mu.now.pods)+len(w.mu.now.ids)+len(w.mu.now.uids) != 0 {
		t.Error("what is gone is still among what is there")
	}
	w.mu.turned = w.mu.turned.Add(-2 * rememberFor)
	say(collect.Put, "", "c9")
	say(collect.Gone)
	w.mu.turned = w.mu.turned.Add(-2 * rememberFor)
	say(collect.Put, "", "c10")
	say(collect.Gone)
	finds("c2", "", "")
	finds("c9", "", "web 1")
	resync := collect.Change{Op: collect.Resynced, Kind: "Pod", Keys: map[collect.Key]struct{}{}}
	say(collect.Put, "", "c11")
	w.change(resync)
	if len(w.mu.now.pods) != 0 {
		t.Error("a list without the pod does not end it")
	}
}

func TestWhereAContainerRunsIsToldWithTheGraphsIds(t *testing.T) {
	pod := &collect.Pod{Key: collect.Key{Namespace: "shop", Name: "web"}, Phase: "Running", Labels: &collect.Labels{},
		ContainerIDs: []string{"c1"}, Shape: &collect.PodShape{ServiceAccount: "default",
			Containers: []collect.ContainerShape{{Name: "app", Image: "r.example/web:1"}}}}
	facts := collect.NewFacts()
	facts.Cluster.Name = "prod"
	facts.Pods[pod.Key] = pod
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	w, err := live.Once(t.Context(), rules, assess.New(assess.Config{Advisories: func() *vuln.DB { return nil }}), []*collect.Facts{facts})
	if err != nil {
		t.Fatal(err)
	}
	c := New(func() *live.World { return w })
	followed := c.Follow(live.Source{Name: "prod", Watch: func(_ context.Context, emit func(collect.Change)) error {
		emit(collect.Change{Op: collect.Put, Kind: "Pod", Key: pod.Key, Object: pod})
		return nil
	}})
	if _, early := c.Place("prod", &runtime.Container{ID: "c1"}); early {
		t.Error("a pod is known that nobody told of")
	}
	if err := followed.Watch(t.Context(), func(collect.Change) {}); err != nil {
		t.Fatal(err)
	}
	want := runtime.Place{Namespace: "shop", Pod: "web", Workload: "Pod/web", PodID: "prod/shop/Pod/web", Container: "app",
		ContainerID: "prod/shop/Pod/web/app", Image: "r.example/web:1", ImageID: "r.example/web:1"}
	if got, known := c.Place("prod", &runtime.Container{ID: "c1"}); !known || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, ok := c.Place("other", &runtime.Container{ID: "c1"}); ok {
		t.Error("another cluster has it")
	}
	if why := c.Knows("prod"); why != "" {
		t.Error(why)
	}
	if why := c.Knows("other"); why == "" {
		t.Error("a cluster that nobody reads is known")
	}
}
