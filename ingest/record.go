package ingest

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// records let senders write to the store, of each source a few at once and of each of its nodes one: a status or a
// certificate is a transaction, which is small to ask for and not to do, and for which all others wait. Who asks for many
// waits for itself.
type records struct {
	mu struct {
		sync.Mutex
		of map[sender]*line
	}
}

// line is who writes for one holder, and how many want to.
type line struct {
	places chan struct{}
	wanted int
}

// writesOfASource is how many writes of one source are in the store at once.
const writesOfASource = 4

// turn waits until a sender may write; done lets the next one.
func (r *records) turn(ctx context.Context, of sender) (done func(), err error) {
	var mine []sender
	done = func() {
		for _, h := range slices.Backward(mine) {
			r.leave(h)
		}
	}
	for _, h := range slices.Backward(of.holders()) { // among those of its node first, then of its source
		if err := r.enter(ctx, h); err != nil {
			done()
			return nil, fmt.Errorf("wait for the store: %w", err)
		}
		mine = append(mine, h)
	}
	return done, nil
}

func (r *records) enter(ctx context.Context, h sender) error {
	r.mu.Lock()
	l := r.mu.of[h]
	if l == nil {
		if r.mu.of == nil {
			r.mu.of = map[sender]*line{}
		}
		most := 1
		if h == (sender{source: h.source}) {
			most = writesOfASource
		}
		l = &line{places: make(chan struct{}, most)}
		r.mu.of[h] = l
	}
	l.wanted++
	r.mu.Unlock()
	select {
	case l.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		r.forget(h, l)
		return ctx.Err()
	}
}

func (r *records) leave(h sender) {
	r.mu.Lock()
	l := r.mu.of[h]
	r.mu.Unlock()
	<-l.places
	r.forget(h, l)
}

// forget counts one who wants no more; a line that nobody stands in is none.
func (r *records) forget(h sender, l *line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.wanted--; l.wanted == 0 {
		delete(r.mu.of, h)
	}
}
