package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// late passes bytes on between an endpoint and its stream; what the stream says arrives later by as much as it is told.
type late struct {
	net.Listener
	to string
	by atomic.Int64
}

func newLate(t *testing.T, to string) *late {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &late{Listener: l, to: to}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go out.pass(c)
		}
	}()
	return out
}

func (l *late) pass(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { _, _ = io.Copy(s, c) }()
	type piece struct {
		at   time.Time
		said []byte
	}
	pieces := make(chan piece, 10_000)
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, 64<<10)
			n, err := s.Read(b)
			if pieces <- (piece{time.Now().Add(time.Duration(l.by.Load())), b[:n]}); err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		if _, err := c.Write(p.said); err != nil {
			return
		}
	}
}

// TestASourceIsReadHoweverLateTheStreamAnswers: where a machine is slow, whoever gives up and asks again makes it slower.
func TestASourceIsReadHoweverLateTheStreamAnswers(t *testing.T) {
	t.Parallel()
	p, n := outsidePlace(t)
	between := newLate(t, n.Addr)
	p.config.NATS.URL = strings.Replace(n.URL(), n.Addr, between.Addr().String(), 1)
	p.config.AckWait = time.Minute
	r, token := p.start(t), p.token(t, "prod", Audit)
	if status := r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(1))}); status != 200 {
		t.Fatal(status)
	}
	between.by.Store(int64(11 * time.Second)) // longer than JetStream's clients wait unasked: 5 s for an answer, 10 s for a batch
	var got collected
	r.consume(t, got.handle)
	if lines := got.wait(t, 1); len(lines) != 1 || lines[0] != auditEvent(1) {
		t.Errorf("%v", lines)
	}
	between.by.Store(0)
}

// TestASourceCostsTheStreamOneRequest: sources that come while others do are not to be waited for with more and more questions.
func TestASourceCostsTheStreamOneRequest(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r := p.start(t)
	asked := map[string]int{}
	var mu sync.Mutex
	watch, err := r.stream.embedded.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	if _, err := watch.Subscribe("$JS.API.>", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		words := strings.Split(m.Subject, ".")
		asked[strings.Join(words[2:4], ".")]++
	}); err != nil {
		t.Fatal(err)
	}
	if err := watch.Flush(); err != nil {
		t.Fatal(err)
	}
	var got collected
	r.consume(t, got.handle)
	const sources = 30
	for i := range sources {
		cluster := fmt.Sprint("c", i)
		q := request{path: "/v1/audit/" + cluster, token: p.token(t, cluster, Audit), body: list(auditEvent(i))}
		if status := r.post(t, q); status != 200 {
			t.Fatal(status)
		}
	}
	got.wait(t, sources)
	if err := watch.Flush(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if asked["CONSUMER.CREATE"] != sources || asked["CONSUMER.DELETE"] > 0 || asked["STREAM.INFO"] >= sources {
		t.Errorf("for %d sources: %v", sources, asked)
	}
}

// TestAStreamThatIsSlowIsNotOpenedAgain: to open it again would make all wait that is under way.
func TestAStreamThatIsSlowIsNotOpenedAgain(t *testing.T) {
	if outside {
		t.Skip("the stream is another's, who opens it again")
	}
	p := newPlace(t, t.TempDir())
	r := p.start(t)
	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for i := range 20 {
		_, err := r.stream.put(over, sender{source: source{"prod", Audit}}, []byte("{}\n"), 1, fmt.Sprint(i))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if r.stream.embedded.broken() {
		t.Error("it would be opened again, for it did not answer in time")
	}
	if err := r.stream.embedded.server.ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	if !r.stream.embedded.broken() {
		t.Error("it has ended, and would not be opened again")
	}
}

// TestABatchThatCameAgainForWeWereSlowWasNotTried: who is slow to say that a batch is in work is given it again.
func TestABatchThatCameAgainForWeWereSlowWasNotTried(t *testing.T) {
	var before met
	given := func(batch, times uint64) int {
		return before.again(&jetstream.MsgMetadata{NumDelivered: times, Sequence: jetstream.SequencePair{Stream: batch}})
	}
	var got []int
	for times := range uint64(12) {
		got = append(got, given(7, times+1))
	}
	before.tried++ // it failed
	got = append(got, given(7, 13), given(8, 4), given(8, 5), given(9, 1))
	if want := append(make([]int, 12), 1, 3, 3, 0); !slices.Equal(got, want) {
		t.Errorf("tried %v times, want %v", got, want)
	}
}
