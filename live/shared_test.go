package live

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

func TestAClusterDoesNotWaitForALargeChangeOfOthers(t *testing.T) {
	s := &shared{graph: graph.NewShared(schema.Vocabulary())}
	var through atomic.Bool
	started, ended := make(chan struct{}), make(chan bool)
	const n = 20_000
	go func() {
		before := false
		s.each(n, func(g *graph.Shared, i int) {
			g.Put("Image", fmt.Sprint(i))
			if i == 0 {
				close(started)
			}
			if before = through.Load(); !before {
				time.Sleep(time.Millisecond)
			}
		})
		ended <- before
	}()
	<-started
	seg := s.change(func(g *graph.Shared) { g.Put("Internet", "internet") })
	through.Store(true)
	if !<-ended {
		t.Error("the cluster waited until the large change was done")
	}
	if v := graph.NewView(schema.Vocabulary(), seg); !there(v, "Internet", "internet") || there(v, "Image", fmt.Sprint(n-1)) {
		t.Error("the version is not that of its moment")
	}
	if v := graph.NewView(schema.Vocabulary(), s.frozen()); !there(v, "Image", fmt.Sprint(n-1)) {
		t.Error("the large change is not complete")
	}
}

func there(v *graph.View, kind, id string) bool {
	_, found := v.Node(kind, id)
	return found
}
