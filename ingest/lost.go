package ingest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
)

// maxMetrics bounds what is read of an API server's metrics.
const maxMetrics = 32 << 20

// AuditErrors reads an API server's metrics (Prometheus text) and says how many
// events its audit webhook gave up: apiserver_audit_error_total{plugin="webhook"}.
// Found is false if the metric is not there, which is so until the first loss.
func AuditErrors(metrics io.Reader) (lost uint64, found bool, err error) {
	lines := bufio.NewScanner(io.LimitReader(metrics, maxMetrics))
	lines.Buffer(make([]byte, 0, 64<<10), 1<<20)
	for lines.Scan() {
		labels, ok := bytes.CutPrefix(lines.Bytes(), []byte("apiserver_audit_error_total{"))
		if !ok {
			continue
		}
		labels, value, ok := bytes.Cut(labels, []byte("}"))
		if !ok || !bytes.Contains(labels, []byte(`plugin="webhook"`)) {
			continue
		}
		fields := bytes.Fields(value)
		if len(fields) == 0 {
			return 0, false, fmt.Errorf("read apiserver_audit_error_total: no value")
		}
		n, err := strconv.ParseFloat(string(fields[0]), 64)
		if err != nil || !(n >= 0 && n < 1<<63) {
			return 0, false, fmt.Errorf("read apiserver_audit_error_total: %q is no count", fields[0])
		}
		lost, found = lost+uint64(n), true
	}
	if err := lines.Err(); err != nil {
		return 0, false, fmt.Errorf("read metrics: %w", err)
	}
	return lost, found, nil
}

// Loss is what a sender says it gave up, as of At. Events is nil if that is not
// known, and Why says why.
type Loss struct {
	Events *uint64
	Why    string
	At     time.Time
}

// watchLost asks the senders now and then what they gave up.
func (s *Server) watchLost(ctx context.Context) {
	for s.config.Lost != nil && backoff.Pause(ctx, s.config.askLost) {
		for _, c := range s.counts.all() {
			if c.Kind == Audit && c.Cluster != "" {
				s.askLost(ctx, c.Cluster)
			}
		}
	}
}

func (s *Server) askLost(ctx context.Context, cluster string) {
	n, err := s.config.Lost(ctx, cluster)
	loss := Loss{Events: &n, At: time.Now()}
	if err != nil {
		loss = Loss{Why: err.Error(), At: time.Now()}
	}
	s.counts.change(source{cluster, Audit}, func(c *Count) {
		if err != nil && c.Lost.Why == "" {
			s.config.Log.Warn("cannot ask an API server for lost audit events", "cluster", cluster, "error", err)
		}
		c.Lost = loss
	})
}
