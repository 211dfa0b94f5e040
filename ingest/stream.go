package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Kind is what sort of events a batch holds.
type Kind string

// The kinds, as the first word of their subjects.
const (
	Audit   Kind = "audit"
	Runtime Kind = "runtime"
	// Noticed is what the server itself notices of senders: event/identity.
	Noticed Kind = "identity"
)

// Names in JetStream, for who looks into it with NATS's own tools.
const (
	streamName     = "breakwater-events"
	deadName       = "breakwater-dead-letters"
	consumerPrefix = "analysis-"
	eventsHeader   = "Breakwater-Events"
	nodeHeader     = "Breakwater-Node"
	deadPrefix     = "dead."
	deadBytes      = 256 << 20
	deadLife       = 90 * 24 * time.Hour
)

// sameAgain is how long a batch that is sent again is recognised.
const sameAgain = 10 * time.Minute

// stream is where events wait between receipt and analysis.
type stream struct {
	embedded *embedded // nil if NATS is somebody else's
	conn     *nats.Conn
	js       jetstream.JetStream
	events   jetstream.Stream
	id       string  // of the event stream; one that is made anew has another
	names    *folder // nil if NATS is somebody else's
	senders  senders
	disk     *pool         // what waits, of each source
	dead     *pool         // its dead letters
	making   chan struct{} // places to make consumers in
	writes   writes
}

// senders are the sources that have sent something to this process; new tells
// that there is another.
type senders struct {
	new chan struct{}
	mu  struct {
		sync.Mutex
		sources map[source]bool
	}
}

func (h *senders) sent(of source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.sources[of] {
		return
	}
	h.mu.sources[of] = true
	select {
	case h.new <- struct{}{}:
	default: // it is awake, and will see this one too
	}
}

func (h *senders) all() []source {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.mu.sources))
}

// openStream opens the embedded stream in dir or, if an address is given, the one of
// a NATS cluster.
func openStream(ctx context.Context, dir string, other NATS, maxBytes int64, log *slog.Logger) (*stream, error) {
	s := &stream{disk: newPool(maxBytes), dead: newPool(deadBytes), making: make(chan struct{}, makingAtOnce)}
	s.senders.new, s.senders.mu.sources = make(chan struct{}, 1), map[source]bool{}
	err := s.connect(dir, other, maxBytes, log)
	ctx, cancel := context.WithTimeout(ctx, opening)
	defer cancel()
	if err == nil {
		err = s.declare(ctx, maxBytes, other)
	}
	if err == nil {
		return s, nil
	}
	s.close()
	if other.URL != "" {
		return nil, fmt.Errorf("open the event stream at %s: %w", other.Name(), declared(err))
	}
	return nil, fmt.Errorf("open the event stream: %w", err)
}

func (s *stream) connect(dir string, other NATS, maxBytes int64, log *slog.Logger) (err error) {
	name := nats.Name("breakwater")
	if other.URL != "" {
		s.conn, err = other.connect(log, name)
	} else if s.embedded, err = startEmbedded(dir, maxBytes, log); err == nil {
		s.names = &folder{path: filepath.Join(s.embedded.dir, "$G", "streams", streamName, "msgs")}
		s.conn, err = s.embedded.connect(name)
	}
	if err != nil {
		return err
	}
	if s.conn.MaxPayload() < maxMessage {
		return fmt.Errorf("NATS takes messages of %d bytes, want %d: set its max_payload", s.conn.MaxPayload(), maxMessage)
	}
	s.js, err = jetstream.New(s.conn, jetstream.WithDefaultTimeout(opening))
	return err
}

// declare makes the streams, or brings them to what they should be.
func (s *stream) declare(ctx context.Context, maxBytes int64, other NATS) (err error) {
	s.events, err = s.declareOne(ctx, other, jetstream.StreamConfig{Name: streamName, Description: "events between receipt and analysis",
		Subjects: []string{string(Audit) + ".*", string(Runtime) + ".*", string(Noticed) + ".*"}, Storage: jetstream.FileStorage,
		Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxBytes: maxBytes, Duplicates: sameAgain, AllowDirect: true})
	if err != nil {
		return err
	}
	s.id = strconv.FormatInt(s.events.CachedInfo().Created.UnixNano(), 36)
	_, err = s.declareOne(ctx, other, jetstream.StreamConfig{Name: deadName, Description: "batches that could not be analysed",
		Subjects: []string{deadPrefix + ">"}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew, MaxBytes: deadBytes,
		MaxAge: deadLife, AllowDirect: true})
	if err != nil {
		return err
	}
	return s.replace(ctx)
}

func (s *stream) declareOne(ctx context.Context, other NATS, want jetstream.StreamConfig) (jetstream.Stream, error) {
	have, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return s.js.CreateOrUpdateStream(ctx, other.replicated(want, nil))
	}
	if err != nil {
		return nil, err
	}
	return s.js.CreateOrUpdateStream(ctx, other.replicated(want, have.CachedInfo()))
}

// replace does away with what earlier versions made: one consumer for all
// clusters, and another name for dead letters.
func (s *stream) replace(ctx context.Context) error {
	if err := s.events.DeleteConsumer(ctx, "analysis"); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return err
	}
	old, err := s.js.Stream(ctx, "breakwater-parked")
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err == nil {
		_, err = s.move(ctx, old, "parked.", deadPrefix)
	}
	return errors.Join(err, s.js.DeleteStream(ctx, "breakwater-parked"))
}

// notUnique is JetStream's word for a subject that another consumer has: of this stream, one alone may.
const notUnique jetstream.ErrorCode = 10100

// part does away with a consumer that earlier versions made for a whole cluster.
func (s *stream) part(ctx context.Context, cluster string) error {
	sum := sha256.Sum256([]byte(cluster))
	err := s.events.DeleteConsumer(ctx, consumerPrefix+hex.EncodeToString(sum[:8]))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

func (s *stream) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.embedded != nil {
		s.embedded.stop()
	}
}

// subject names clusters in letters that NATS allows.
func subject(of source) string {
	return string(of.kind) + "." + base64.RawURLEncoding.EncodeToString([]byte(of.cluster))
}

func sourceOf(subject string) (source, error) {
	kind, name, _ := strings.Cut(subject, ".")
	cluster, err := base64.RawURLEncoding.DecodeString(name)
	return source{string(cluster), Kind(kind)}, err
}

// put makes a chunk of lines durable: what it returned from without an error
// survives kill -9 and power loss. again says that it was there already.
// A chunk is the same again if its id is.
func (s *stream) put(ctx context.Context, of sender, chunk []byte, events int, id string) (again bool, err error) {
	m := &nats.Msg{Subject: subject(of.source), Data: chunk, Header: nats.Header{}}
	m.Header.Set(jetstream.MsgIDHeader, subject(of.source)+"/"+id)
	if of.node != "" {
		m.Header.Set(nodeHeader, of.node)
	}
	m.Header.Set(eventsHeader, strconv.Itoa(events))
	if !s.disk.take(sender{source: of.source}, onDisk(chunk)) {
		return false, errFull
	}
	written, err := s.writes.turn(ctx, of.source)
	if err != nil {
		s.disk.give(sender{source: of.source}, onDisk(chunk))
		return false, fmt.Errorf("keep events: %w", err)
	}
	defer written()
	within := external
	if s.embedded != nil {
		within = inside
	}
	asked, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ack, err := s.js.PublishMsg(asked, m)
	if err != nil || ack.Duplicate {
		s.disk.give(sender{source: of.source}, onDisk(chunk))
	}
	if err != nil {
		return false, full(err)
	}
	if s.names != nil {
		if err := s.names.sync(); err != nil {
			return false, fmt.Errorf("keep events: %w", err)
		}
	}
	s.senders.sent(of.source)
	return ack.Duplicate, nil
}

// writes let one chunk of a source at a time to the stream, which writes and syncs one after the
// other: who sends many at once waits for itself, and others for one of it.
type writes struct {
	mu struct {
		sync.Mutex
		of map[source]chan struct{}
	}
}

// turn waits until no other chunk of the source is written; done lets the next one.
func (w *writes) turn(ctx context.Context, of source) (done func(), err error) {
	w.mu.Lock()
	busy := w.mu.of[of]
	if busy == nil {
		if w.mu.of == nil {
			w.mu.of = map[source]chan struct{}{}
		}
		busy = make(chan struct{}, 1)
		w.mu.of[of] = busy
	}
	w.mu.Unlock()
	select {
	case busy <- struct{}{}:
		return func() { <-busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// chunkID recognises a chunk that is sent again: by the name of its batch and
// its place there, or by what it holds if batches have no names.
func chunkID(name string, place int, chunk []byte) string {
	sum := sha256.Sum256(chunk)
	if name != "" {
		sum = sha256.Sum256(fmt.Appendf(nil, "%s %d", name, place))
	}
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// onDisk is the room that a chunk takes, with what JetStream writes beside it.
func onDisk(chunk []byte) int64 { return int64(len(chunk)) + 512 }

// countWaiting brings what is counted of the disk to what waits. What waits since an earlier process is
// not known in bytes for each source: it counts by the mean size of a batch.
func (s *stream) countWaiting(ctx context.Context) error {
	info, err := s.events.Info(ctx, jetstream.WithSubjectFilter(">"))
	if err != nil {
		return fmt.Errorf("ask the event stream: %w", err)
	}
	for subject, n := range info.State.Subjects {
		if of, err := sourceOf(subject); err == nil {
			s.disk.hold(of, int64(float64(info.State.Bytes)*float64(n)/float64(info.State.Msgs)))
		}
	}
	return nil
}

// errFull refuses a source that has filled its share, or all of the stream.
var errFull = refuse(http.StatusTooManyRequests, "full", errors.New("events come faster than they are analysed"))

// full tells a stream that has no room from one that does not work.
func full(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && (api.Description == "maximum bytes exceeded" || api.ErrorCode == 10047) {
		return errFull
	}
	return fmt.Errorf("keep events: %w", err)
}

// waiting counts the batches of each source that are not analysed yet.
func (s *stream) waiting(ctx context.Context) (map[source]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, telling)
	defer cancel()
	info, err := s.events.Info(ctx, jetstream.WithSubjectFilter(">"))
	if err != nil {
		return nil, fmt.Errorf("ask the event stream: %w", err)
	}
	out := map[source]uint64{}
	for subject, n := range info.State.Subjects {
		if of, err := sourceOf(subject); err == nil {
			out[of] = n
		}
	}
	return out, nil
}
