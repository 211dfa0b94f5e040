package pipeline

import (
	"context"

	"github.com/breakwater-sec/breakwater/ingest"
)

// lookahead is the batch after the one in work. It goes through the stages that remember
// nothing while the former is judged and committed, so that a processor is not idle
// while the disk is waited for. Nothing is decided by it: its turn comes when the
// source hands it over, and if another batch comes instead, it is dropped.
type lookahead struct {
	stop func() // do not wait for the source any longer
	done chan struct{}
	work *work // nil if there is none, or if it broke off: it will again when its turn comes
}

// lookAhead begins with what comes after a batch.
func (l *lane) lookAhead(ctx context.Context, b *ingest.Batch) {
	if b.Next == nil {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	a := &lookahead{stop: stop, done: make(chan struct{})}
	l.ahead = a
	go func() {
		defer close(a.done)
		_ = safely(func() error {
			next, ok := b.Next(ctx)
			if !ok {
				return nil
			}
			w := &work{batch: &next}
			if err := l.prepare(ctx, w); err != nil {
				return err
			}
			a.work = w
			return nil
		})
	}()
}

// prepared takes a batch through the stages that remember nothing, unless that is done.
func (l *lane) prepared(ctx context.Context, w *work) error {
	if a := l.settled(); a != nil && a.batch.Kind == w.batch.Kind && a.batch.Stream == w.batch.Stream && a.batch.Sequence == w.batch.Sequence {
		a.batch = w.batch
		*w = *a
		return nil
	}
	return l.prepare(ctx, w)
}

// settled ends looking ahead, and gives what came of it.
func (l *lane) settled() *work {
	a := l.ahead
	if a == nil {
		return nil
	}
	l.ahead = nil
	a.stop()
	<-a.done
	return a.work
}
