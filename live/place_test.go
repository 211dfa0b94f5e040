package live

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/event/runtime"
)

// TestAContainerLeadsToItsPod follows a pod through its life: its uid leads to it
// before its container's id does, and both do for a while after it is gone.
func TestAContainerLeadsToItsPod(t *testing.T) {
	facts, w := collect.NewFacts(), newWhereabouts()
	key := collect.Key{Namespace: "shop", Name: "web"}
	say := func(op collect.Op, ids ...string) {
		ch := collect.Change{Op: op, Kind: "Pod", Key: key, Object: &collect.Pod{Key: key, UID: "u1", ContainerIDs: ids, Shape: &collect.PodShape{Containers: []collect.ContainerShape{{Name: "log"}, {Name: "app", Privileged: true}}}}}
		facts.Apply(ch)
		w.change(ch, facts)
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
	facts.Apply(resync)
	w.change(resync, facts)
	if len(w.mu.now.pods) != 0 {
		t.Error("a list without the pod does not end it")
	}
}

func TestWhereAContainerRunsIsToldWithTheGraphsIds(t *testing.T) {
	f := newFeed()
	l := start(t, filepath.Join(t.TempDir(), "b.db"), ImageConfig{}, f.source("prod"))
	ch := podChange(collect.Put, "web", "r.example/web:1")
	ch.Object.(*collect.Pod).ContainerIDs = []string{"c1"}
	f.say(ch, synced())
	want := runtime.Place{Namespace: "shop", Pod: "web", Workload: "Pod/web", PodID: "prod/shop/Pod/web", Container: "app", ContainerID: "prod/shop/Pod/web/app", Image: "r.example/web:1", ImageID: "r.example/web:1"}
	l.until(t, "the place", func(*World) bool {
		got, ok := l.Place("prod", &runtime.Container{ID: "c1"})
		return ok && got == want
	})
	if _, ok := l.Place("other", &runtime.Container{ID: "c1"}); ok {
		t.Error("another cluster has it")
	}
	if why := l.Knows("prod"); why != "" {
		t.Error(why)
	}
	if why := l.Knows("other"); why == "" {
		t.Error("a cluster that nobody reads is known")
	}
}
