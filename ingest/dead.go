package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// DeadLetters says how many batches are kept aside because they could not be
// analysed.
func (s *Server) DeadLetters(ctx context.Context) (uint64, error) {
	st, err := s.stream.js.Stream(ctx, deadName)
	if err != nil {
		return 0, fmt.Errorf("count dead letters: %w", err)
	}
	info, err := st.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("count dead letters: %w", err)
	}
	return info.State.Msgs, nil
}

// Redeliver puts all dead letters back into the stream, such as after an update
// that can analyse them.
func (s *Server) Redeliver(ctx context.Context) (n int, err error) {
	st, err := s.stream.js.Stream(ctx, deadName)
	if err != nil {
		return 0, fmt.Errorf("redeliver dead letters: %w", err)
	}
	if n, err = s.stream.move(ctx, st, deadPrefix, ""); err != nil {
		return n, fmt.Errorf("redeliver dead letters: %w", err)
	}
	return n, nil
}

// move puts all batches of a stream into another, by the subject's prefix.
func (s *stream) move(ctx context.Context, from jetstream.Stream, prefix, instead string) (n int, err error) {
	for last := from.CachedInfo().State.LastSeq; ; n++ {
		m, err := from.GetMsg(ctx, 0, jetstream.WithGetMsgSubject(prefix+">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > last {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		to := &nats.Msg{Subject: instead + strings.TrimPrefix(m.Subject, prefix), Data: m.Data,
			Header: nats.Header{eventsHeader: m.Header[eventsHeader]}}
		if _, err := s.js.PublishMsg(ctx, to); err != nil {
			return n, full(err)
		}
		if err := from.DeleteMsg(ctx, m.Sequence); err != nil {
			return n, err
		}
	}
}
