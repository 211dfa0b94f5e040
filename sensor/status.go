package sensor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

// status says where all records are: to the server, and at the end to the log.
func (s *Sensor) status(ends bool) error {
	n, err := s.counts()
	if err != nil {
		return err
	}
	processor, memory := cost()
	st := runtime.Status{
		Version:   runtime.RecordVersion,
		Node:      s.config.Node,
		Boot:      s.config.Boot,
		Build:     s.config.Build,
		Kernel:    s.config.Kernel,
		Started:   s.started.UTC(),
		Interval:  max(1, int(s.config.Interval/time.Second)),
		Probes:    s.config.Probes,
		Seen:      n.seen,
		Sent:      n.sent,
		Waiting:   n.waiting,
		Lost:      n.lost,
		Processor: processor.Seconds(),
		Memory:    memory,
		Ends:      ends,
	}
	if ends {
		s.config.Log.Info("ends", "seen", n.seen, "sent", n.sent, "waiting", n.waiting, "lost", n.lost)
	}
	if s.buffer == nil {
		return nil
	}
	if ends {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		s.post(ctx, st)
		return nil
	}
	select {
	case <-s.reports: // never sent, and old
	default:
	}
	s.reports <- st
	return nil
}

// report sends statuses, the newest only, until ctx ends. One that is on its way then is given a moment: were it given up,
// the server might still take it, after the last one.
func (s *Sensor) report(ctx context.Context) {
	posting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(farewell, giveUp) })()
	for {
		select {
		case st := <-s.reports:
			s.post(posting, st)
		case <-ctx.Done():
			return
		}
	}
}

// post tries once: the next status says it all again.
func (s *Sensor) post(ctx context.Context, st runtime.Status) {
	if err := s.config.Link.Status(ctx, st); err != nil && ctx.Err() == nil {
		s.config.Log.Warn("cannot send the status", "error", err)
	}
}

// Status sends what a sensor says of itself.
func (l *Link) Status(ctx context.Context, st runtime.Status) error {
	body, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("write the status as JSON: %w", err)
	}
	return l.post(ctx, "v1/sensor/status", body, http.Header{"Content-Type": {"application/json"}})
}
