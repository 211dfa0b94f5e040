package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Analysed is what came of a batch of one cluster's events.
type Analysed struct {
	Cluster string
	// Batch is nil for what became known without one.
	Batch  *EventBatch
	Alerts []AlertSeen
	Runs   []RunCame
	// States are the parts of analytics' states that the batch changed.
	States []AnalyticState
}

// EventBatch says which batch it was.
type EventBatch struct {
	Source string
	EventPosition
	// Name is the same where the sender repeated a batch; empty if not known.
	Name     string
	Received time.Time
}

// EventPosition is how far events of one source are analysed. A stream that was
// made anew has another name, and begins again.
type EventPosition struct {
	Stream   string
	Sequence uint64
}

// Before says whether the other position is still to come.
func (p EventPosition) Before(o EventPosition) bool {
	return p.Stream != o.Stream || p.Sequence < o.Sequence
}

// AnalyticState is a part of what an analytic learned about a cluster. State is
// text of the analytic's making; without one the part is gone.
type AnalyticState struct{ Cluster, Analytic, Part, State string }

// ErrAnalysed says that a batch was analysed already.
var ErrAnalysed = errors.New("the batch was analysed already")

// batchesKept is how long the names of batches are told apart after they were
// analysed: a sender that was not answered repeats its batch before.
const batchesKept = 15 * time.Minute

// PutAnalysed keeps all that came of a batch, or nothing: alerts, records of
// sensors, what analytics learned, and that the batch is done. What was analysed
// already changes nothing: then the answer is ErrAnalysed.
func (s *Store) PutAnalysed(ctx context.Context, a Analysed) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if a.Batch != nil {
			if err := a.Batch.put(ctx, tx, a.Cluster, time.Now()); err != nil {
				return err
			}
			if err := putRuns(ctx, tx, a.Cluster, a.Batch.Received, a.Runs); err != nil {
				return err
			}
		}
		for _, st := range a.States {
			if st.State == "" {
				if err := run(ctx, tx, `DELETE FROM analytic_state WHERE cluster_id = ? AND analytic = ? AND part = ?`, a.Cluster, st.Analytic,
					st.Part); err != nil {
					return err
				}
				continue
			}
			if err := run(ctx, tx, `INSERT INTO analytic_state (cluster_id, analytic, part, state) VALUES (?, ?, ?, ?)
				ON CONFLICT (cluster_id, analytic, part) DO UPDATE SET state = excluded.state`, a.Cluster, st.Analytic, st.Part, st.State); err != nil {
				return err
			}
		}
		return putAlerts(ctx, tx, a.Alerts)
	})
	if err != nil {
		return fmt.Errorf("store what came of events of %s: %w", a.Cluster, err)
	}
	for _, seen := range a.Alerts {
		s.written.Add(seen.rows())
	}
	return nil
}

// put notes that the batch is analysed, unless it was.
func (b *EventBatch) put(ctx context.Context, tx *sql.Tx, cluster string, now time.Time) error {
	fresh, err := changes(ctx, tx, `INSERT INTO event_positions (cluster_id, source, stream, seq, analysed_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (cluster_id, source) DO UPDATE SET stream = excluded.stream, seq = excluded.seq, analysed_at = excluded.analysed_at
		WHERE event_positions.stream <> excluded.stream OR event_positions.seq < excluded.seq`,
		cluster, b.Source, b.Stream, int64(b.Sequence), unix(now))
	if err != nil {
		return err
	}
	if fresh && b.Name != "" {
		fresh, err = changes(ctx, tx, `INSERT INTO event_batches (cluster_id, source, name, analysed_at) VALUES (?, ?, ?, ?)
			ON CONFLICT DO NOTHING`,
			cluster, b.Source, b.Name, unix(now))
	}
	switch {
	case err != nil:
		return err
	case !fresh:
		return ErrAnalysed
	}
	return run(ctx, tx, `DELETE FROM event_batches WHERE cluster_id = ? AND source = ? AND analysed_at < ?`,
		cluster, b.Source, unix(now.Add(-batchesKept)))
}

// changes runs a statement and says whether it changed a row.
func changes(ctx context.Context, tx *sql.Tx, query string, args ...any) (bool, error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// EventPositions says how far a cluster's events are analysed, by source.
func (s *Store) EventPositions(ctx context.Context, cluster string) (map[string]EventPosition, error) {
	type row struct {
		source string
		at     EventPosition
	}
	rows, err := rowsOf(ctx, s.db, func(r *sql.Rows) (p row, err error) { return p, r.Scan(&p.source, &p.at.Stream, &p.at.Sequence) },
		`SELECT source, stream, seq FROM event_positions WHERE cluster_id = ?`, cluster)
	if err != nil {
		return nil, fmt.Errorf("read how far events of %s are analysed: %w", cluster, err)
	}
	out := map[string]EventPosition{}
	for _, p := range rows {
		out[p.source] = p.at
	}
	return out, nil
}

// AnalyticStates lists what analytics learned: all of one cluster's, or one
// analytic's of all clusters, or both if neither is "".
func (s *Store) AnalyticStates(ctx context.Context, cluster, analytic string) ([]AnalyticState, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (one AnalyticState, err error) {
		return one, r.Scan(&one.Cluster, &one.Analytic, &one.Part, &one.State)
	}, `SELECT cluster_id, analytic, part, state FROM analytic_state
		WHERE (? = '' OR cluster_id = ?) AND (? = '' OR analytic = ?) ORDER BY cluster_id, analytic, part`, cluster, cluster, analytic, analytic)
	if err != nil {
		return nil, fmt.Errorf("read what analytics learned: %w", err)
	}
	return out, nil
}
