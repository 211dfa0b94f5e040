package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/store"
)

const (
	// storeTimeout bounds how long a sender waits for the disk.
	storeTimeout = time.Minute
	// knownWithin bounds how long it takes to know who sends: a database may say nothing, and those who wait for it
	// would become more and more.
	knownWithin = 10 * time.Second
)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/audit/{cluster}", s.accept(Audit, s.audit))
	mux.Handle("POST /v1/sensor/events", s.accept(Runtime, s.runtime))
	mux.Handle("POST /v1/sensor/status", s.accept(Runtime, s.status))
	mux.Handle("POST /v1/sensor/join", s.asks(s.join))
	mux.Handle("POST /v1/sensor/renew", s.asks(s.renew))
	mux.Handle("POST /v1/sensor/leave", s.asks(s.leave))
	return s.config.Pace.Handler(mux)
}

// accept makes a handler of a func that takes the body of a request whose
// sender is known.
func (s *Server) accept(kind Kind, take func(context.Context, sender, *http.Request, []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		of, err := s.knownSender(r, kind)
		if err == nil {
			err = s.hasRoom()
		}
		if err == nil {
			err = s.may(r.Context(), of)
		}
		if err != nil {
			s.reject(w, r, of.source, err, nil)
			return
		}
		b, cost, err := s.memory.read(of, r, s.config.MaxBody)
		s.rates.sent(of, 0, cost)
		if err != nil {
			s.reject(w, r, of.source, err, nil)
			return
		}
		defer b.release()
		ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
		defer cancel()
		if err := take(ctx, of, r, b.bytes); err != nil {
			s.noRoom(err)
			s.reject(w, r, of.source, err, b.bytes)
		} else if id := r.Header.Get(firehoseID); id != "" && len(id) <= 128 {
			answerFirehose(w, id)
		}
	})
}

func (s *Server) knownSender(r *http.Request, kind Kind) (sender, error) {
	ctx, cancel := context.WithTimeout(r.Context(), knownWithin)
	defer cancel()
	return s.sender(r.WithContext(ctx), kind)
}

// may says whether a sender may send now: it holds no more connections than are its share,
// and has not sent more than its rate lets it.
func (s *Server) may(ctx context.Context, of sender) error {
	if !gate.Known(ctx, of.String()) {
		return refuse(http.StatusTooManyRequests, "connections", errors.New("too many connections"))
	}
	if wait := s.rates.wait(of); wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, reason: "rate", err: errors.New("more than this source may send"), after: wait}
	}
	return nil
}

// reject answers and counts. A log that a sender can fill is no log: of each reason it has
// the first, the second, the fourth and so on.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, of source, err error, body []byte) {
	if errors.As(err, new(*stranger)) {
		w.Header().Set("Connection", "close") // whose time is over keeps no connection
	}
	why := answer(w, err)
	n := s.counts.reject(of, Sample{At: time.Now(), Remote: r.RemoteAddr, Reason: why.reason, Error: why.Error(), Size: len(body),
		Shape: shape(body)})
	if n&(n-1) != 0 {
		return
	}
	s.config.Log.Warn("refused events", "cluster", of.cluster, "kind", of.kind, "remote", r.RemoteAddr, "status", why.status, "error",
		why.Error(), "times", n)
}

// cleans takes out of events of a kind what must not be written.
func (s *Server) cleans(kind Kind) func([]byte) []byte {
	return func(event []byte) []byte { return s.config.Clean(kind, event) }
}

// LogHeader marks a request whose events come from a log file.
const LogHeader = "X-Breakwater-Log"

func (s *Server) audit(ctx context.Context, of sender, r *http.Request, body []byte) error {
	l, err := auditList(body, s.cleans(Audit))
	if err != nil && s.config.Unpack != nil {
		l, err = s.unpacked(of, r, body, err)
	}
	if errors.As(err, new(*refusal)) {
		return err
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed", err)
	}
	if err := s.keep(ctx, of, l, ""); err != nil {
		return err
	}
	if r.Header.Get(LogHeader) != "" {
		s.counts.change(of.source, func(c *Count) { c.Reconciled += uint64(l.events()) })
	}
	return nil
}

// unpacked is what a cloud or a forwarder sent; listed says why it is no list of the API server's webhook. What of it is no
// event is refused by itself.
func (s *Server) unpacked(of sender, r *http.Request, body []byte, listed error) (*lines, error) {
	room := min(s.config.MaxBody, mostPacked*int64(len(body)))
	if !s.memory.take(of, room) {
		return nil, refuse(http.StatusTooManyRequests, "busy", errors.New("too many bytes in flight"))
	}
	defer s.memory.give(of, room)
	events, is, err := s.config.Unpack(body, int(room))
	switch {
	case err != nil:
		return nil, err
	case !is:
		return nil, listed
	}
	l := &lines{clean: s.cleans(Audit)}
	for _, e := range events {
		if err := l.addAudit([]byte(e)); err != nil {
			s.counts.reject(of.source, Sample{At: time.Now(), Remote: r.RemoteAddr, Reason: "malformed", Error: err.Error(), Size: len(e),
				Shape: shape([]byte(e))})
		}
	}
	return l, nil
}

// mostPacked is how many times as long as a body what is in it may be.
const mostPacked = 32

// Firehose wants its request's id back, and sends the token in a header of its own.
const (
	firehoseID  = "X-Amz-Firehose-Request-Id"
	firehoseKey = "X-Amz-Firehose-Access-Key"
)

// answerFirehose tells Firehose that its records are kept.
func answerFirehose(w http.ResponseWriter, id string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"requestId": id, "timestamp": time.Now().UnixMilli()}) // who left sends them again
}

// batchHeader names a batch: NODE/BOOT/SEQUENCE of its first event. A sensor
// that was not answered sends the batch again under the same name.
const batchHeader = "X-Breakwater-Sensor"

func (s *Server) runtime(ctx context.Context, of sender, r *http.Request, body []byte) error {
	name := r.Header.Get(batchHeader)
	if strings.Count(name, "/") != 2 || len(name) > 512 {
		return refuse(http.StatusBadRequest, "malformed", fmt.Errorf("%s must be NODE/BOOT/SEQUENCE", batchHeader))
	}
	node, _, _ := strings.Cut(name, "/")
	if err := s.speaksFor(ctx, of, node, r); err != nil {
		return err
	}
	l, err := jsonLines(body, s.cleans(Runtime))
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed", err)
	}
	return s.keep(ctx, of, l, name)
}

// keep makes events durable and counts them.
func (s *Server) keep(ctx context.Context, of sender, l *lines, name string) error {
	s.rates.sent(of, l.events()+l.dropped, 0)
	s.counts.change(of.source, func(c *Count) {
		c.Received += uint64(l.events() + l.dropped)
		c.Cut += uint64(l.cut)
		c.Dropped += uint64(l.dropped)
		c.LastReceived = time.Now()
	})
	for i, chunk := range l.chunks {
		again, err := s.stream.put(ctx, of, chunk, l.counts[i], chunkID(name, i, chunk))
		if err != nil {
			return err
		}
		s.counts.change(of.source, func(c *Count) {
			if again {
				c.Duplicate += uint64(l.counts[i])
			} else {
				c.Accepted += uint64(l.counts[i])
			}
		})
	}
	return nil
}

// status keeps what a sensor says of itself: the fields that are known, and of nodes that the
// cluster does not have, few.
func (s *Server) status(ctx context.Context, of sender, r *http.Request, body []byte) error {
	if len(body) > store.MaxSensorStatus {
		return refuse(http.StatusRequestEntityTooLarge, "too big", fmt.Errorf("more than %d bytes", store.MaxSensorStatus))
	}
	st, err := store.ReadSensorStatus(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed", err)
	}
	if st.Node == "" || len(st.Node) > 253 {
		return refuse(http.StatusBadRequest, "malformed", errors.New("no node"))
	}
	if err := s.speaksFor(ctx, of, st.Node, r); err != nil {
		return err
	}
	known, _ := s.config.HasNode(of.cluster, st.Node)
	done, err := s.records.turn(ctx, of)
	if err != nil {
		return err
	}
	defer done()
	return s.config.Sensors.PutSensor(ctx, store.Sensor{Cluster: of.cluster, Node: st.Node, SeenAt: time.Now(), Status: body,
		Known: known})
}
