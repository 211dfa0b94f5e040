package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Parked says how many batches are put aside.
func (s *Server) Parked(ctx context.Context) (uint64, error) {
	st, err := s.stream.js.Stream(ctx, parkedName)
	if err != nil {
		return 0, fmt.Errorf("count parked batches: %w", err)
	}
	info, err := st.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("count parked batches: %w", err)
	}
	return info.State.Msgs, nil
}

// Unpark puts all parked batches back into the stream, such as after an update
// that can analyse them.
func (s *Server) Unpark(ctx context.Context) (n int, err error) {
	st, err := s.stream.js.Stream(ctx, parkedName)
	if err != nil {
		return 0, fmt.Errorf("unpark: %w", err)
	}
	for last := st.CachedInfo().State.LastSeq; ; n++ {
		m, err := st.GetMsg(ctx, 0, jetstream.WithGetMsgSubject("parked.>"))
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > last {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("unpark: %w", err)
		}
		back := &nats.Msg{Subject: strings.TrimPrefix(m.Subject, "parked."), Data: m.Data, Header: nats.Header{eventsHeader: m.Header[eventsHeader]}}
		if _, err := s.stream.js.PublishMsg(ctx, back); err != nil {
			return n, fmt.Errorf("unpark: %w", full(err))
		}
		if err := st.DeleteMsg(ctx, m.Sequence); err != nil {
			return n, fmt.Errorf("unpark: %w", err)
		}
	}
}
