package live

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// shared is the part of the graph that all clusters have in common: images,
// what is in them, and the internet. To write it takes the lock, to read a
// version that was frozen does not.
type shared struct {
	mu    sync.Mutex // guards graph
	graph *graph.Shared
	seg   atomic.Pointer[graph.Segment]
}

// part is how long one writer holds the lock while others may wait for it.
const part = 2 * time.Millisecond

// change writes what a cluster needs in one version.
func (s *shared) change(put func(*graph.Shared)) *graph.Segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(s.graph)
	s.seg.Store(s.graph.Freeze())
	return s.seg.Load()
}

// each writes n things one by one, as many in one version as a part is long:
// a cluster that wants to change something meanwhile waits for a part, not for
// all of them.
func (s *shared) each(n int, put func(g *graph.Shared, i int)) {
	for done := 0; done < n; {
		s.change(func(g *graph.Shared) {
			for began := time.Now(); done < n && time.Since(began) < part; done++ {
				put(g, done)
			}
		})
	}
}

func (s *shared) frozen() *graph.Segment { return s.seg.Load() }
