package live

import (
	"sync"
	"sync/atomic"

	"github.com/breakwater-sec/breakwater/graph"
)

// shared is the part of the graph that all clusters have in common: images,
// what is in them, and the internet.
type shared struct {
	mu    sync.Mutex // guards graph
	graph *graph.Shared
	seg   atomic.Pointer[graph.Segment]
}

// change lets put add to the shared graph and freezes the result if it says
// that something is different.
func (s *shared) change(put func(*graph.Shared) bool) *graph.Segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if put(s.graph) || s.seg.Load() == nil {
		s.seg.Store(s.graph.Freeze())
	}
	return s.seg.Load()
}

func (s *shared) frozen() *graph.Segment { return s.seg.Load() }
