package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// SensorRun is what came of one run of a node's sensor. Its records are counted
// without a hole, so what is missing was lost on the way.
type SensorRun struct {
	Cluster, Node, Boot string
	LastAt              time.Time
	// Received are the records that came, Missing those below the highest that
	// did not.
	Received, Missing uint64
}

// runsKept bounds the runs of a cluster: who sends chooses the names.
const runsKept = 20_000

// Received notes which records of a run came. Saying the same again changes nothing.
func (s *Store) Received(ctx context.Context, cluster, node, boot string, at time.Time, sequences []uint64) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		var have spans
		var text []byte
		err := tx.QueryRowContext(ctx, `SELECT received FROM sensor_runs WHERE cluster_id = ? AND node = ? AND boot = ?`, cluster, node, boot).Scan(&text)
		if err == nil {
			err = json.Unmarshal(text, &have)
		} else if errors.Is(err, sql.ErrNoRows) {
			err = forgetRuns(ctx, tx, cluster)
		}
		if err != nil {
			return err
		}
		have.add(sequences)
		if text, err = json.Marshal(have); err != nil {
			return err
		}
		return run(ctx, tx, `INSERT INTO sensor_runs (cluster_id, node, boot, last_at, received) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (cluster_id, node, boot) DO UPDATE SET last_at = max(last_at, excluded.last_at), received = excluded.received`, cluster, node, boot, unix(at), string(text))
	})
	if err != nil {
		return fmt.Errorf("count records of %s: %w", node, err)
	}
	return nil
}

// forgetRuns makes room for one more.
func forgetRuns(ctx context.Context, tx *sql.Tx, cluster string) error {
	return run(ctx, tx, `DELETE FROM sensor_runs WHERE cluster_id = ?1 AND rowid IN
		(SELECT rowid FROM sensor_runs WHERE cluster_id = ?1 ORDER BY last_at DESC LIMIT -1 OFFSET ?2)`, cluster, runsKept-1)
}

// SensorRuns lists the runs of a cluster's sensors, or of all if it is "".
func (s *Store) SensorRuns(ctx context.Context, cluster string) ([]SensorRun, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT cluster_id, node, boot, last_at, received FROM sensor_runs WHERE ?1 = '' OR cluster_id = ?1 ORDER BY cluster_id, node, last_at`, cluster)
	if err != nil {
		return nil, fmt.Errorf("list runs of sensors: %w", err)
	}
	defer rows.Close()
	var out []SensorRun
	for rows.Next() {
		var r SensorRun
		var at int64
		var text []byte
		var came spans
		if err := rows.Scan(&r.Cluster, &r.Node, &r.Boot, &at, &text); err != nil {
			return nil, fmt.Errorf("list runs of sensors: %w", err)
		}
		if err := json.Unmarshal(text, &came); err != nil {
			return nil, fmt.Errorf("read the run of %s: %w", r.Node, err)
		}
		r.LastAt, r.Received = fromUnix(at), came.received()
		r.Missing = came.highest() - r.Received
		out = append(out, r)
	}
	return out, rows.Err()
}
