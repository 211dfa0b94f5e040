package ingest

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// versionHeader says which version of this program could not analyse a dead letter.
const versionHeader = "Breakwater-Version"

// tryAgain puts the dead letters of other versions back into the stream, since this one may
// be able to analyse them, and counts those that stay.
func (s *Server) tryAgain(ctx context.Context) error {
	dead, err := s.stream.js.Stream(ctx, deadName)
	if err != nil {
		return err
	}
	last := dead.CachedInfo().State.LastSeq
	for next := uint64(0); ; {
		m, err := dead.GetMsg(ctx, next, jetstream.WithGetMsgSubject(deadPrefix+">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > last {
			return nil
		}
		if err != nil {
			return err
		}
		next = m.Sequence + 1
		var full error
		if m.Header.Get(versionHeader) != s.config.Version {
			m.Data = s.cleanAgain(m.Subject, m.Data) // a version before may have written it as it came
			if full = s.stream.moveOne(ctx, dead, m, deadPrefix, ""); full == nil {
				continue
			}
		}
		of, err := sourceOf(strings.TrimPrefix(m.Subject, deadPrefix))
		if err == nil {
			n, _ := strconv.Atoi(m.Header.Get(eventsHeader))
			s.counts.change(of, func(c *Count) { c.DeadLettered += uint64(n) })
			s.stream.dead.hold(of, s.stream.dead.holds(of)+onDisk(m.Data))
		}
		if full != nil {
			return full
		}
	}
}

// cleanAgain takes out of a dead letter what must not be written.
func (s *Server) cleanAgain(subject string, letter []byte) []byte {
	of, err := sourceOf(strings.TrimPrefix(subject, deadPrefix))
	if err != nil {
		return letter
	}
	out := make([]byte, 0, len(letter))
	for line := range bytes.Lines(letter) {
		out = append(append(out, s.config.Clean(of.kind, bytes.TrimSuffix(line, []byte("\n")))...), '\n')
	}
	return out
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
		if err := s.moveOne(ctx, from, m, prefix, instead); err != nil {
			return n, err
		}
	}
}

func (s *stream) moveOne(ctx context.Context, from jetstream.Stream, m *jetstream.RawStreamMsg, prefix, instead string) error {
	to := &nats.Msg{Subject: instead + strings.TrimPrefix(m.Subject, prefix), Data: m.Data,
		Header: nats.Header{eventsHeader: m.Header[eventsHeader], nodeHeader: m.Header[nodeHeader]}}
	if _, err := s.js.PublishMsg(ctx, to); err != nil {
		return full(err)
	}
	return from.DeleteMsg(ctx, m.Sequence)
}

// keepDead keeps a dead letter among those of its source. Where there is no room for it the
// source's own earlier ones go, never another's; they stay counted.
func (s *stream) keepDead(ctx context.Context, of source, m jetstream.Msg, events int, version string) (kept bool, err error) {
	letter := &nats.Msg{Subject: deadPrefix + m.Subject(), Data: m.Data(), Header: nats.Header{}}
	letter.Header.Set(eventsHeader, strconv.Itoa(events))
	letter.Header.Set(nodeHeader, m.Headers().Get(nodeHeader))
	letter.Header.Set(versionHeader, version)
	if !s.dead.take(sender{source: of}, onDisk(letter.Data)) {
		all, err := s.js.Stream(ctx, deadName)
		if err == nil {
			err = all.Purge(ctx, jetstream.WithPurgeSubject(letter.Subject))
		}
		if err != nil {
			return false, err
		}
		s.dead.hold(of, 0)
		if !s.dead.take(sender{source: of}, onDisk(letter.Data)) {
			return false, nil
		}
	}
	_, err = s.js.PublishMsg(ctx, letter)
	if err != nil {
		s.dead.give(sender{source: of}, onDisk(letter.Data))
	}
	if errors.Is(full(err), errFull) {
		return false, nil
	}
	return err == nil, err
}
