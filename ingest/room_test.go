package ingest

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestAStreamThatEndedForWantOfRoomIsOpenedAgain ends the stream as its server does when the
// disk is full: events wait for room, and what was answered is analysed.
func TestAStreamThatEndedForWantOfRoomIsOpenedAgain(t *testing.T) {
	if outside {
		t.Skip("the stream is another's, who opens it again")
	}
	var full atomic.Bool
	p := newPlace(t, t.TempDir())
	p.config.HasRoom = func() error {
		if full.Load() {
			return errors.New("the disk is almost full")
		}
		return nil
	}
	r, token := p.start(t), p.token(t, "prod", Audit)
	var got collected
	r.consume(t, got.handle)
	event := func(id int) request {
		return request{path: "/v1/audit/prod", token: token, body: list(auditEvent(id))}
	}
	if status := r.post(t, event(1)); status != 200 {
		t.Fatal(status)
	}
	full.Store(true)
	if err := r.stream.embedded.server.ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	if status := r.post(t, event(2)); status != 503 {
		t.Errorf("without room an event is answered with %d", status)
	}
	full.Store(false)
	eventually(t, "events are taken again", func() bool { return r.post(t, event(3)) == 200 })
	if c := r.count(t, "prod", Audit); c.Rejected["disk full"] != 1 {
		t.Errorf("%+v", c)
	}
	if lines := got.wait(t, 2); len(lines) != 2 || lines[0] != auditEvent(1) || lines[1] != auditEvent(3) {
		t.Errorf("%v", lines)
	}
}

func TestThatTheDiskIsFullIsHeardFromTheStreamsWords(t *testing.T) {
	var heard error
	s := &Server{config: Config{NoRoom: func(err error) { heard = err }}}
	for _, c := range []struct {
		err  error
		full bool
	}{
		{errors.New("nats: write msgs/1.blk: no space left on device"), true},
		{syscall.ENOSPC, true},
		{errors.New("nats: timeout"), false},
	} {
		if s.noRoom(c.err); errors.Is(heard, syscall.ENOSPC) != c.full {
			t.Errorf("%v is heard as %v", c.err, heard)
		}
	}
	heard = nil
	if s.noRoom(refuse(429, "busy", errors.New("no space left"))); heard != nil {
		t.Errorf("a refusal is heard as %v", heard)
	}
}
