package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

const (
	// storeTimeout bounds how long a sender waits for the disk.
	storeTimeout = time.Minute
	// answerTimeout bounds how long we wait for a sender to take its answer.
	answerTimeout = time.Minute
)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/audit/{cluster}", s.accept(Audit, s.audit))
	mux.Handle("POST /v1/sensor/events", s.accept(Runtime, s.runtime))
	mux.Handle("POST /v1/sensor/status", s.accept(Runtime, s.status))
	return mux
}

// accept makes a handler of a func that takes the body of a request whose
// sender is known.
func (s *Server) accept(kind Kind, take func(context.Context, source, *http.Request, []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The time to answer runs from when there is an answer, however long the work took. Past its
		// time a TLS record is lost, and what is sent after it cannot be read on the other side.
		times := http.NewResponseController(w)
		_ = times.SetWriteDeadline(time.Time{})
		defer func() { _ = times.SetWriteDeadline(time.Now().Add(answerTimeout)) }()
		of, err := s.sender(r, kind)
		if err != nil {
			s.reject(w, r, of, err, nil)
			return
		}
		_ = times.SetReadDeadline(time.Now().Add(s.config.bodyTimeout))
		b, err := s.memory.read(r, s.config.MaxBody)
		if err != nil {
			s.reject(w, r, of, err, nil)
			return
		}
		defer b.release()
		ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
		defer cancel()
		if err := take(ctx, of, r, b.bytes); err != nil {
			s.reject(w, r, of, err, b.bytes)
		}
	})
}

// sender says whose request it is, by its token and never by what it says of
// itself.
func (s *Server) sender(r *http.Request, kind Kind) (source, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return source{kind: kind}, refuse(http.StatusUnauthorized, "no token", errors.New("no bearer token"))
	}
	cluster, of, err := s.config.Tokens.IngestToken(r.Context(), token)
	if errors.Is(err, store.ErrNotFound) {
		return source{kind: kind}, refuse(http.StatusUnauthorized, "wrong token", errors.New("the token is not known"))
	}
	if err != nil {
		return source{kind: kind}, fmt.Errorf("look up token: %w", err)
	}
	if Kind(of) != kind || kind == Audit && r.PathValue("cluster") != cluster {
		return source{cluster, Kind(of)}, refuse(http.StatusForbidden, "token of another",
			errors.New("the token is for another cluster or purpose"))
	}
	return source{cluster, kind}, nil
}

func (s *Server) reject(w http.ResponseWriter, r *http.Request, of source, err error, body []byte) {
	why := answer(w, err)
	s.counts.reject(of, Sample{At: time.Now(), Remote: r.RemoteAddr, Reason: why.reason, Error: why.Error(), Size: len(body),
		Shape: shape(body)})
	s.config.Log.Warn("refused events", "cluster", of.cluster, "kind", of.kind, "remote", r.RemoteAddr, "status", why.status, "error",
		why.Error())
}

// LogHeader marks a request whose events come from a log file.
const LogHeader = "X-Breakwater-Log"

func (s *Server) audit(ctx context.Context, of source, r *http.Request, body []byte) error {
	l, err := auditList(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed", err)
	}
	if err := s.keep(ctx, of, l, ""); err != nil {
		return err
	}
	if r.Header.Get(LogHeader) != "" {
		s.counts.change(of, func(c *Count) { c.Reconciled += uint64(l.events()) })
	}
	return nil
}

// batchHeader names a batch: NODE/BOOT/SEQUENCE of its first event. A sensor
// that was not answered sends the batch again under the same name.
const batchHeader = "X-Breakwater-Sensor"

func (s *Server) runtime(ctx context.Context, of source, r *http.Request, body []byte) error {
	name := r.Header.Get(batchHeader)
	if strings.Count(name, "/") != 2 || len(name) > 512 {
		return refuse(http.StatusBadRequest, "malformed", fmt.Errorf("%s must be NODE/BOOT/SEQUENCE", batchHeader))
	}
	l, err := jsonLines(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed", err)
	}
	return s.keep(ctx, of, l, name)
}

// keep makes events durable and counts them.
func (s *Server) keep(ctx context.Context, of source, l *lines, name string) error {
	s.counts.change(of, func(c *Count) {
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
		s.counts.change(of, func(c *Count) {
			if again {
				c.Duplicate += uint64(l.counts[i])
			} else {
				c.Accepted += uint64(l.counts[i])
			}
		})
	}
	return nil
}

// maxStatus bounds what a sensor says of itself.
const maxStatus = 256 << 10

func (s *Server) status(ctx context.Context, of source, _ *http.Request, body []byte) error {
	var st struct {
		Node string `json:"node"`
	}
	if len(body) > maxStatus {
		return refuse(http.StatusRequestEntityTooLarge, "too big", fmt.Errorf("more than %d bytes", maxStatus))
	}
	if err := eachMember(body, func(member) error { return nil }); err != nil {
		return refuse(http.StatusBadRequest, "malformed", err)
	}
	if err := json.Unmarshal(body, &st); err != nil || st.Node == "" || len(st.Node) > 253 {
		return refuse(http.StatusBadRequest, "malformed", errors.New("no node"))
	}
	return s.config.Sensors.PutSensor(ctx, store.Sensor{Cluster: of.cluster, Node: st.Node, SeenAt: time.Now(), Status: body})
}
