package pipeline

import (
	"context"
	"sync"
	"time"
)

// turns let a bounded number of batches be worked on at once. Where more want to be, the lane
// that has used the processors least is next, so that one whose batches are heavy waits for
// those whose batches are light, and not they for it (start-time fair queueing).
type turns struct {
	mu struct {
		sync.Mutex
		free    int
		waiting []*waiter
		clock   time.Duration // what the lane had used that was served last
	}
}

// share is what a lane has used; the lock of turns guards it.
type share struct{ used time.Duration }

type waiter struct {
	*share
	turn chan struct{}
}

func newTurns(atOnce int) *turns {
	t := &turns{}
	t.mu.free = atOnce
	return t
}

// take waits for a turn; done ends it.
func (t *turns) take(ctx context.Context, s *share) (done func(), err error) {
	w := &waiter{s, make(chan struct{})}
	t.mu.Lock()
	s.used = max(s.used, t.mu.clock) // who was away has saved up nothing
	t.mu.waiting = append(t.mu.waiting, w)
	t.next()
	t.mu.Unlock()
	select {
	case <-w.turn:
	case <-ctx.Done():
		if !t.leave(w) {
			t.give(s, 0) // its turn came at the same moment
		}
		return nil, ctx.Err()
	}
	began := time.Now()
	return func() { t.give(s, time.Since(began)) }, nil
}

// leave no longer waits; it is false where the turn has come.
func (t *turns) leave(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, one := range t.mu.waiting {
		if one == w {
			t.mu.waiting = append(t.mu.waiting[:i], t.mu.waiting[i+1:]...)
			return true
		}
	}
	return false
}

func (t *turns) give(s *share, used time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.used += used
	t.mu.free++
	t.next()
}

// next lets those go on who are next; the lock is held.
func (t *turns) next() {
	for t.mu.free > 0 && len(t.mu.waiting) > 0 {
		least := 0
		for i, w := range t.mu.waiting { // of two the one that came first
			if w.used < t.mu.waiting[least].used {
				least = i
			}
		}
		w := t.mu.waiting[least]
		t.mu.waiting = append(t.mu.waiting[:least], t.mu.waiting[least+1:]...)
		t.mu.clock = max(t.mu.clock, w.used)
		t.mu.free--
		close(w.turn)
	}
}
