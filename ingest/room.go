package ingest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/breakwater-sec/breakwater/backoff"
)

// hasRoom refuses what comes while the disk is almost full, before it is read: who sends keeps
// it and comes again. What was answered before is analysed meanwhile.
func (s *Server) hasRoom() error {
	if s.config.HasRoom == nil {
		return nil
	}
	if err := s.config.HasRoom(); err != nil {
		return refuse(http.StatusServiceUnavailable, "disk full", err)
	}
	return nil
}

// noRoom passes on an error that may say that the disk is full, in spite of the mark. The
// stream's server says it in words alone.
func (s *Server) noRoom(err error) {
	var r *refusal
	if errors.As(err, &r) {
		return
	}
	if strings.Contains(err.Error(), "no space left") {
		err = errors.Join(err, syscall.ENOSPC)
	}
	if s.config.NoRoom != nil {
		s.config.NoRoom(err)
	}
}

// reviveEvery is the least time between two openings of a stream that failed.
const reviveEvery = 2 * time.Second

// reviveStream opens the embedded stream again after a write failed and there is room: its
// server writes nothing more after that, so as not to write half of something.
func (s *Server) reviveStream(ctx context.Context) {
	for s.stream.embedded != nil && backoff.Pause(ctx, reviveEvery) {
		e := s.stream.embedded
		if !e.broken() || s.hasRoom() != nil {
			continue
		}
		if err := e.again(); err != nil {
			s.config.Log.Error("cannot open the event stream again; trying on", "error", err)
			continue
		}
		s.config.Log.Info("the event stream was opened again")
	}
}

// broken says whether the streams write nothing more. One that is slow to answer is not broken: to open it again would
// make all wait that is under way.
func (e *embedded) broken() bool {
	if !e.server.JetStreamEnabled() {
		return true
	}
	health := e.server.Healthz(&server.HealthzOptions{Details: true})
	return slices.ContainsFunc(health.Errors, func(e server.HealthzError) bool { return e.Type == server.HealthzErrorStream })
}

// again closes and opens the streams, from what is on the disk.
func (e *embedded) again() error {
	if err := e.server.ShutdownJetStream(); err != nil {
		return err
	}
	return e.server.EnableJetStream(&server.JetStreamConfig{StoreDir: e.store, MaxMemory: streamMemory, MaxStore: e.most, SyncAlways: true})
}
