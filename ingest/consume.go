package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Batch is some events of one cluster, to be analysed.
type Batch struct {
	Cluster string
	Kind    Kind
	// Lines are the events as JSON Lines, each compact and at most 10 MB. Of an
	// audit event, kind and apiVersion are left out.
	Lines    []byte
	Events   int
	Received time.Time
}

// ErrLater is what a handler wraps when the batch is fine and the moment is
// not, such as when its database is away: the batch is tried again for as long
// as it takes, and later ones wait.
var ErrLater = errors.New("cannot analyse at the moment")

const (
	// ackWait is when a batch is given out again if nobody says it is in work:
	// how long a restart waits for the batch that the last process died with.
	ackWait = 10 * time.Second
	tries   = 5
	// deaths are how often a process may end before it has said what became of a
	// batch: more than tries, since it may have been asked to end.
	deaths = 10
)

// Consume hands batches to the handler, one after the other, until ctx ends. A
// batch is forgotten when the handler returned nil, so after a crash the handler
// may see one again. One that fails or panics several times, or several times
// ends the process, is parked: counted and kept aside. For more than one batch
// at a time, call Consume more than once.
func (s *Server) Consume(ctx context.Context, handler func(Batch) error) error {
	for ctx.Err() == nil {
		m, err := s.stream.consumer.Next(jetstream.FetchContext(ctx))
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, nats.ErrTimeout):
		case err != nil:
			s.config.Log.Warn("cannot read the event stream", "error", err)
			pause(ctx, time.Second)
		default:
			if err := s.handle(ctx, m, handler); err != nil && ctx.Err() == nil {
				s.config.Log.Error("cannot settle a batch of events", "error", err)
			}
		}
	}
	return nil
}

// handle analyses one message and settles what becomes of it.
func (s *Server) handle(ctx context.Context, m jetstream.Msg, handler func(Batch) error) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	of, err := sourceOf(m.Subject())
	if err != nil {
		return m.TermWithReason("no subject of ours")
	}
	n, _ := strconv.Atoi(m.Headers().Get(eventsHeader))
	if meta.NumDelivered > deaths { // the process did not live to say why
		return s.park(ctx, m, of, n, errors.New("analysis did not end"))
	}
	working := keepWorking(m)
	err = patiently(ctx, func() error { return safely(handler, Batch{of.cluster, of.kind, m.Data(), n, meta.Timestamp}) })
	working()
	switch {
	case err == nil:
		s.counts.change(of, func(c *Count) {
			c.Analysed += uint64(n)
			c.LastAnalysed, c.Waited = time.Now(), time.Since(meta.Timestamp)
		})
		return m.Ack()
	case ctx.Err() != nil:
		return m.Nak()
	case meta.NumDelivered >= tries:
		return s.park(ctx, m, of, n, err)
	}
	s.config.Log.Warn("a batch of events could not be analysed, and will be tried again", "cluster", of.cluster, "try", meta.NumDelivered, "error", err)
	return m.NakWithDelay(time.Duration(meta.NumDelivered) * s.config.retry)
}

// patiently calls again while the answer is ErrLater.
func patiently(ctx context.Context, do func() error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := do()
		if !errors.Is(err, ErrLater) || !pause(ctx, wait) {
			return err
		}
	}
}

// safely makes a panic of one batch an error of that batch.
func safely(handler func(Batch) error, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return handler(b)
}

// keepWorking tells the stream that a message is in work until the returned
// func is called.
func keepWorking(m jetstream.Msg) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(ackWait / 3)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				_ = m.InProgress() // if it does not arrive, the batch comes again
			}
		}
	}()
	return func() { close(done); <-ended }
}

// park puts a batch aside where it blocks nothing and can be looked at.
func (s *Server) park(ctx context.Context, m jetstream.Msg, of source, events int, why error) error {
	aside := &nats.Msg{Subject: "parked." + m.Subject(), Data: m.Data(), Header: nats.Header{}}
	aside.Header.Set(eventsHeader, strconv.Itoa(events))
	if _, err := s.stream.js.PublishMsg(ctx, aside); err != nil {
		return errors.Join(fmt.Errorf("park a batch: %w", err), m.NakWithDelay(ackWait))
	}
	s.config.Log.Error("a batch of events is put aside: it cannot be analysed", "cluster", of.cluster, "events", events, "error", why)
	s.counts.change(of, func(c *Count) { c.Parked += uint64(events) })
	return m.Ack()
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
