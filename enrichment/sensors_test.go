package enrichment

import (
	"context"
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/live"
)

func TestSensorsAreThePodsOfTheirDaemonSetThatRunNow(t *testing.T) {
	state := live.Loading
	c := New(func() *live.World {
		return &live.World{Clusters: map[string]*live.Cluster{"prod": {Name: "prod", State: state}}}
	})
	var say func(collect.Change)
	s := c.Follow(live.Source{Name: "prod", Watch: func(_ context.Context, emit func(collect.Change)) error { say = emit; return nil }})
	if err := s.Watch(t.Context(), func(collect.Change) {}); err != nil {
		t.Fatal(err)
	}
	key := func(name string) collect.Key { return collect.Key{Namespace: "breakwater-sensor", Name: name} }
	put := func(name, uid, node, owner, label, phase string) {
		say(collect.Change{Op: collect.Put, Kind: "Pod", Key: key(name), Object: &collect.Pod{Key: key(name), UID: uid, Node: node, Phase: phase,
			Owner: collect.OwnerRef{Kind: owner}, Labels: &collect.Labels{Map: map[string]string{"app.kubernetes.io/name": label}}}})
	}
	is := func(when, want string) {
		t.Helper()
		if got, why := c.Sensors("prod"); fmt.Sprintf("%v %s", got, why) != want {
			t.Errorf("%s: %v %q, want %s", when, got, why, want)
		}
	}
	put("a", "u1", "n1", "DaemonSet", "breakwater-sensor", "Running")
	is("before the cluster is read", "map[] the cluster prod has not been read yet")
	state = live.Current
	is("one", "map[u1:n1] ")
	put("b", "u2", "", "DaemonSet", "breakwater-sensor", "Pending")
	put("c", "u3", "n3", "", "breakwater-sensor", "Running")
	put("d", "u4", "n4", "DaemonSet", "other", "Running")
	put("e", "u5", "n5", "DaemonSet", "breakwater-sensor", "Failed")
	is("beside others that are none", "map[u1:n1] ")
	put("b", "u2", "n2", "DaemonSet", "breakwater-sensor", "Pending")
	is("one that got its node", "map[u1:n1 u2:n2] ")
	put("a", "u6", "n1", "DaemonSet", "breakwater-sensor", "Running")
	is("another pod of the same name", "map[u2:n2 u6:n1] ")
	put("a", "u6", "n1", "DaemonSet", "breakwater-sensor", "Failed")
	is("one that failed", "map[u2:n2] ")
	say(collect.Change{Op: collect.Gone, Kind: "Pod", Key: key("b")})
	is("none", "map[] ")
	put("a", "u7", "n1", "DaemonSet", "breakwater-sensor", "Running")
	say(collect.Change{Op: collect.Resynced, Kind: "Pod", Keys: map[collect.Key]struct{}{}})
	is("listed again without it", "map[] ")
}
