// Package sensor runs on a node, beside a probe that sees what happens there,
// and brings what it saw to the server.
//
// Each record gets a number and goes to a file of a bounded buffer. Files are
// sent one after the other and removed when the server answered that it keeps
// them. A file does not change once it was sent, and it has one name, by which
// the server knows one that comes again. So:
//
//   - What was written to the buffer survives the end of the sensor, by kill -9
//     too, and reaches the server in order; the server takes it once. What was in
//     the kernel's ring or on its way to the file (a tenth of a second) does not:
//     the next run tells that the earlier one ended without warning.
//   - Power loss costs what the kernel had not yet written to the disk: the buffer
//     is not synced.
//   - A full buffer keeps what it has and loses what comes: who makes noise after
//     a deed must not push out the evidence of it.
//
// What is lost is counted by reason, told in Lost records among the others and in
// the status: seen = sent + waiting + lost, always.
//
// The package knows no kernel and no containers, and nothing of what records say.
package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

// Probe sees what happens on the node.
type Probe interface {
	// Read waits a moment at most and hands on the records there are.
	Read(each func(*runtime.Record)) error
	// Counts are the records made so far, those of them that wait to be read, and
	// those that will never be, by reason.
	Counts() (made, waiting uint64, lost map[string]uint64, err error)
	// Stop ends the seeing: what was seen can still be read.
	Stop() error
}

// Config is what a sensor needs.
type Config struct {
	Node, Boot    string // see runtime.Record
	Build, Kernel string // for the status
	Probes        []runtime.Probe
	// Stdout gets each record as a line; nil for none.
	Stdout io.Writer
	// Link leads to the server; nil for none. Then there is no buffer either.
	Link *Link
	// Buffer is a folder of this sensor alone, which may hold BufferSize bytes.
	Buffer     string
	BufferSize int64
	// Leave gives the node's certificate back at the end: for a sensor whose folder goes
	// with it, so that its successor may join.
	Leave bool
	// Interval is the time between two statuses (0: half a minute).
	Interval time.Duration
	Log      *slog.Logger
}

// Sensor takes records from a probe. What is not behind a lock belongs to the
// goroutine of Run.
type Sensor struct {
	config  Config
	probe   Probe
	buffer  *buffer // nil without a server
	chunk   *chunk
	number  uint64 // of the last record
	printed uint64
	lost    map[string]uint64 // by ourselves
	told    map[string]uint64 // of all losses, those in a Lost record
	toldAt  time.Time
	reports chan runtime.Status
	started time.Time
}

// New opens the buffer. Close the sensor in the end, whether it ran or not.
func New(c Config, p Probe) (*Sensor, error) {
	if c.Interval == 0 {
		c.Interval = 30 * time.Second
	}
	s := &Sensor{config: c, probe: p, chunk: newChunk(), lost: map[string]uint64{}, told: map[string]uint64{},
		reports: make(chan runtime.Status, 1), started: time.Now()}
	if c.Link == nil {
		return s, nil
	}
	b, err := openBuffer(c.Buffer, c.BufferSize)
	if err != nil {
		return nil, err
	}
	s.buffer, s.lost[Damaged] = b, b.damaged
	return s, nil
}

// Close frees the buffer for another run.
func (s *Sensor) Close() error {
	if s.buffer == nil {
		return nil
	}
	return s.buffer.close()
}

// farewell is how long the end may wait for the server.
const farewell = 5 * time.Second

// Run takes and sends records until ctx ends or the probe fails.
func (s *Sensor) Run(ctx context.Context) error {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var g errgroup.Group
	if s.buffer != nil {
		g.Go(func() error { s.send(sending); return nil })
		g.Go(func() error { s.report(sending); return nil })
	}
	err := s.begin()
	if err == nil {
		err = s.take(ctx)
	}
	err = errors.Join(err, s.drain())
	stop()
	return errors.Join(err, g.Wait(), s.leave())
}

// begin says that this run is here, and how the one before ended.
func (s *Sensor) begin() error {
	if s.buffer != nil && s.buffer.killed {
		if err := s.keep(&runtime.Record{Kind: runtime.Lost, Time: time.Now().UTC(), Why: Killed}); err != nil {
			return err
		}
	}
	return s.status(false)
}

// take reads until ctx ends.
func (s *Sensor) take(ctx context.Context) error {
	seconds, statuses := time.NewTicker(time.Second), time.NewTicker(s.config.Interval)
	defer seconds.Stop()
	defer statuses.Stop()
	for ctx.Err() == nil {
		err := s.read()
		select {
		case <-seconds.C:
			err = errors.Join(err, s.tell())
		case <-statuses.C:
			err = errors.Join(err, s.status(false))
		default:
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read takes what the probe has and writes it.
func (s *Sensor) read() error {
	var failed error
	err := s.probe.Read(func(r *runtime.Record) { failed = errors.Join(failed, s.keep(r)) })
	if err != nil {
		return fmt.Errorf("read from the probe: %w", err)
	}
	return errors.Join(failed, s.flush())
}

// drain writes what is left and waits a moment for the server.
func (s *Sensor) drain() error {
	s.toldAt = time.Time{} // now or never
	err := errors.Join(s.probe.Stop(), s.readAll(), s.tell())
	if s.buffer != nil {
		s.buffer.seal()
		s.buffer.drain(farewell)
	}
	return err
}

// readAll reads what waits: nothing new comes any more.
func (s *Sensor) readAll() error {
	for before := uint64(math.MaxUint64); ; {
		err := s.read()
		_, waiting, _, countErr := s.probe.Counts()
		if err = errors.Join(err, countErr); err != nil || waiting == 0 || waiting >= before {
			return err
		}
		before = waiting
	}
}

// leave says goodbye, when nobody speaks for us any more.
func (s *Sensor) leave() error {
	err := s.status(true)
	if s.config.Leave && s.config.Link != nil {
		s.goodbye()
	}
	if s.buffer != nil {
		err = errors.Join(err, s.buffer.end())
	}
	return err
}

// goodbye gives the certificate back. Without it the successor has to wait.
func (s *Sensor) goodbye() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := s.config.Link.Leave(ctx); err != nil {
		s.config.Log.Warn("cannot give the certificate back: the sensor that follows on this node has to wait until it ends", "error", err)
	}
}
