package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/backoff"
)

// Batch is some events of one cluster, to be analysed.
type Batch struct {
	Cluster string
	Kind    Kind
	// Stream and Sequence say which batch it is. A cluster's batches of one kind come in the
	// order of their sequences; one that comes again has the sequence it had. A
	// stream that was made anew has another name, and begins again at one.
	Stream   string
	Sequence uint64
	// Name is the same where the sender repeated a batch; empty if it is not known.
	Name string
	// Node is whose certificate the sender showed; empty for an API server, and for a
	// sensor that showed none.
	Node string
	// Lines are the events as JSON Lines, each compact and at most 10 MB. Of an
	// audit event, kind and apiVersion are left out.
	Lines    []byte
	Events   int
	Received time.Time
	// Next reads the batch that comes after this one if it waits already, so that a
	// handler can begin with what needs nothing of this one. It is handed over all the
	// same when its turn comes. Nil where nobody can look ahead.
	Next func(context.Context) (next Batch, ok bool)
}

const (
	tries = 5
	// deaths are how often a process may end before it has said what became of a
	// batch: more than tries, since it may have been asked to end.
	deaths = 10
	// lookEvery is how often the stream is asked for clusters that have sent
	// something to another process.
	lookEvery = 5 * time.Second
	// makingAtOnce is how many consumers are made at once: each is some files, and JetStream makes few at a time.
	makingAtOnce = 4
	// askedFor is how long one asks for a batch, heartbeat how often JetStream says meanwhile that there is none. After two that did
	// not come one asks again.
	askedFor, heartbeat = time.Minute, 10 * time.Second
	// forgetConsumer is when JetStream forgets a cluster that nobody reads any
	// more. Its batches stay.
	forgetConsumer = 24 * time.Hour
)

// Consume hands batches to the handler until ctx ends: those of one source, a cluster's
// events of one kind, in their order, one after the other, and sources beside each other. A batch is
// forgotten when the handler returned nil, so after a crash the handler may see
// one again. One that fails several times, or several times ends the process,
// becomes a dead letter: counted and kept aside.
func (s *Server) Consume(ctx context.Context, handler func(context.Context, Batch) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { s.lookAround(ctx); return nil })
	reading := map[source]bool{}
	for ctx.Err() == nil {
		for _, of := range s.stream.senders.all() {
			if !reading[of] {
				reading[of] = true
				g.Go(func() error { s.consumeSource(ctx, of, handler); return nil })
			}
		}
		select {
		case <-ctx.Done():
		case <-s.stream.senders.new:
		}
	}
	return g.Wait()
}

// lookAround asks the stream for what was sent to other processes, and before this one began, until ctx ends. Who sends to this one
// is read without that: a stream that is slow to tell holds up nobody.
func (s *Server) lookAround(ctx context.Context) {
	for again := true; again; again = backoff.Pause(ctx, lookEvery) {
		waiting, err := s.stream.waiting(ctx)
		if err == nil {
			s.stream.disk.only(waiting)
		} else if ctx.Err() == nil {
			s.config.Log.Warn("cannot read the event stream", "error", err)
		}
		for of := range waiting {
			s.stream.senders.sent(of)
		}
	}
}

// consumeSource hands on one source's batches until ctx ends.
func (s *Server) consumeSource(ctx context.Context, of source, handler func(context.Context, Batch) error) {
	var from jetstream.Consumer
	always := func(err error) bool {
		s.config.Log.Warn("cannot read the event stream", "cluster", of.cluster, "kind", of.kind, "error", err)
		return true
	}
	var before met
	for ctx.Err() == nil {
		_ = backoff.Retry(ctx, always, func() (err error) { from, err = s.consumer(ctx, of); return err })
		for ctx.Err() == nil {
			m, err := nextOf(ctx, from)
			if errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrNoHeartbeat) || errors.Is(err, context.DeadlineExceeded) ||
				ctx.Err() != nil {
				continue // nothing came, or nobody told us so in time: a consumer that is no more says that when it is asked again
			}
			if err != nil {
				s.config.Log.Warn("cannot read the event stream", "cluster", of.cluster, "kind", of.kind, "error", err)
				backoff.Pause(ctx, time.Second)
				break // the consumer may have to be made again
			}
			if err := s.handle(ctx, m, &before, handler); err != nil && ctx.Err() == nil {
				s.config.Log.Error("cannot say what became of a batch of events", "cluster", of.cluster, "error", err)
			}
		}
	}
}

// nextOf waits for a source's next batch.
func nextOf(ctx context.Context, from jetstream.Consumer) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, askedFor)
	defer cancel()
	return from.Next(jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(heartbeat))
}

// met is the batch that this process was given last, and how often others tried it: who died with it, and we when it failed. That it
// was given again for we were slow to say that it is in work is nobody's try.
type met struct {
	batch uint64
	tried int
}

// again says how often a batch was tried.
func (b *met) again(meta *jetstream.MsgMetadata) int {
	if b.batch != meta.Sequence.Stream {
		*b = met{meta.Sequence.Stream, int(meta.NumDelivered) - 1}
	}
	return b.tried
}

// consumer is where one source's batches are read from. No batch is given out
// while another is in work, not even one that failed and waits to be tried again:
// the order holds. What a cluster's sensors send does not hold up its audit log.
func (s *Server) consumer(ctx context.Context, of source) (jetstream.Consumer, error) {
	done, err := s.stream.mayMake(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	c, err := s.stream.readBy(ctx, of, s.config.AckWait)
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) && api.ErrorCode == notUnique {
		if err = s.stream.part(ctx, of.cluster); err == nil {
			c, err = s.stream.readBy(ctx, of, s.config.AckWait)
		}
	}
	if err != nil {
		return nil, err
	}
	return c, s.stream.forgetDone(ctx, of, c.CachedInfo().AckFloor.Stream)
}

// mayMake waits for a place to make a consumer in: where many want one, as after a start, each that is asked for is made before
// anybody gives up waiting for it.
func (s *stream) mayMake(ctx context.Context) (done func(), err error) {
	select {
	case s.making <- struct{}{}:
		return func() { <-s.making }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readBy makes a source's consumer, or finds it.
func (s *stream) readBy(ctx context.Context, of source, ackWait time.Duration) (jetstream.Consumer, error) {
	sum := sha256.Sum256([]byte(of.cluster))
	return s.events.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumerPrefix + string(of.kind) + "-" + hex.EncodeToString(sum[:8]), Description: of.cluster,
		FilterSubject: subject(of),
		AckPolicy:     jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 1,
		InactiveThreshold: forgetConsumer})
}

// forgetDone deletes what was analysed and is in the stream all the same: JetStream writes first that a
// message was acknowledged and then that it is gone. A process killed in between leaves one that nobody is
// given again and that waits for ever.
func (s *stream) forgetDone(ctx context.Context, of source, done uint64) error {
	for done > 0 {
		m, err := s.events.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(subject(of)))
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > done {
			return nil
		}
		if err == nil {
			err = s.events.DeleteMsg(ctx, m.Sequence)
		}
		if err != nil {
			return err
		}
		s.disk.give(sender{source: of}, onDisk(m.Data))
	}
	return nil
}

// handle analyses one message and says what becomes of it.
func (s *Server) handle(ctx context.Context, m jetstream.Msg, before *met, handler func(context.Context, Batch) error) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	of, err := sourceOf(m.Subject())
	if err != nil {
		return m.TermWithReason("no subject of ours")
	}
	n, _ := strconv.Atoi(m.Headers().Get(eventsHeader))
	if before.again(meta) >= deaths { // the process did not live to say why
		return s.bury(ctx, m, of, n, errors.New("analysis did not end"))
	}
	working := keepWorking(m, s.config.AckWait)
	err = handler(ctx, Batch{of.cluster, of.kind, s.stream.id, meta.Sequence.Stream, m.Headers().Get(jetstream.MsgIDHeader),
		m.Headers().Get(nodeHeader), m.Data(), n, meta.Timestamp, s.stream.next(of, meta)})
	working()
	switch {
	case err == nil:
		s.counts.change(of, func(c *Count) {
			c.Analysed += uint64(n)
			c.LastAnalysed, c.Waited = time.Now(), time.Since(meta.Timestamp)
		})
		return s.done(m, of)
	case ctx.Err() != nil:
		return m.Nak()
	}
	if before.tried++; before.tried >= tries {
		return s.bury(ctx, m, of, n, err)
	}
	s.config.Log.Warn("a batch of events could not be analysed, and will be tried again", "cluster", of.cluster, "try",
		before.tried, "error", err)
	return m.NakWithDelay(time.Duration(before.tried) * s.config.retry)
}

// done forgets a message, which is in nobody's way any more.
func (s *Server) done(m jetstream.Msg, of source) error {
	s.stream.disk.give(sender{source: of}, onDisk(m.Data()))
	return m.Ack()
}

// next reads what comes after a message. It looks into the stream and takes nothing from
// it: whose turn it is, and what was tried how often, the consumer alone says. After a
// message that came before nobody looks: if it is one that ends processes, the one behind
// it must not be blamed, nor it for the one behind.
func (s *stream) next(of source, meta *jetstream.MsgMetadata) func(context.Context) (Batch, bool) {
	if meta.NumPending == 0 || meta.NumDelivered > 1 {
		return nil
	}
	return func(ctx context.Context) (Batch, bool) {
		m, err := s.events.GetMsg(ctx, meta.Sequence.Stream+1, jetstream.WithGetMsgSubject(subject(of)))
		if err != nil {
			return Batch{}, false
		}
		n, _ := strconv.Atoi(m.Header.Get(eventsHeader))
		return Batch{of.cluster, of.kind, s.id, m.Sequence, m.Header.Get(jetstream.MsgIDHeader), m.Header.Get(nodeHeader), m.Data, n,
			m.Time, nil}, true
	}
}

// keepWorking tells the stream that a message is in work until the returned
// func is called.
func keepWorking(m jetstream.Msg, ackWait time.Duration) (stop func()) {
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

// bury makes a batch a dead letter: it blocks nothing there and can be looked at.
func (s *Server) bury(ctx context.Context, m jetstream.Msg, of source, events int, why error) error {
	kept, err := s.stream.keepDead(ctx, of, m, events, s.config.Version)
	if err != nil {
		return errors.Join(fmt.Errorf("keep a dead letter: %w", err), m.NakWithDelay(s.config.AckWait))
	}
	s.config.Log.Error("a batch of events is a dead letter: it cannot be analysed", "cluster", of.cluster, "kept", kept, "events", events,
		"error", why)
	s.counts.change(of, func(c *Count) { c.DeadLettered += uint64(events) })
	return s.done(m, of)
}
