package analyse

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// workers are the search and others like it, one for each processor: they look at the same
// survey, and each has a walk of its own.
func (s *search) workers() []*search {
	out := []*search{s}
	for len(out) < runtime.GOMAXPROCS(0) {
		h := newSearch(s.survey, s.unseen)
		h.near, h.memory, h.gains = s.near, s.memory, s.gains
		out = append(out, h)
	}
	return out
}

// share does n pieces of work by some workers, each of which takes the next as soon as it
// has done one. A worker that breaks off does so in who asked, who may know what to do.
func share(ctx context.Context, workers, n int, do func(worker, i int)) error {
	var next atomic.Int64
	var working sync.WaitGroup
	var broke atomic.Pointer[any]
	for worker := range workers {
		working.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					broke.Store(&p)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				do(worker, i)
			}
		})
	}
	working.Wait()
	if p := broke.Load(); p != nil {
		panic(*p)
	}
	return ctx.Err()
}
