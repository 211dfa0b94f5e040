package audit

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// beside does something for each of n, on every processor that has nothing else to do.
// It waits for all of them to be done, not for helpers that come too late to find one.
// If doing one panics in a helper, the one is left as it was.
func beside(n int, do func(i int)) {
	var next atomic.Int64
	var undone sync.WaitGroup
	undone.Add(n)
	take := func() (int, bool) {
		i := int(next.Add(1)) - 1
		return i, i < n
	}
	help := func(i int) {
		defer undone.Done()
		defer func() { _ = recover() }()
		do(i)
	}
	for range min(runtime.GOMAXPROCS(0), n) - 1 {
		go func() {
			for i, ok := take(); ok; i, ok = take() {
				help(i)
			}
		}()
	}
	for i, ok := take(); ok; i, ok = take() {
		help(i)
	}
	undone.Wait()
}
