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

// runsKept bounds the runs of a cluster, bootsKept those of a node: who sends chooses the
// names.
const (
	runsKept  = 20_000
	bootsKept = 4
)

// RunCame are the records that came of one run.
type RunCame struct {
	Node, Boot string
	Sequences  []uint64
}

// putRuns notes which records of sensors' runs came. Saying the same again changes
// nothing.
func putRuns(ctx context.Context, tx *sql.Tx, cluster string, at time.Time, came []RunCame) error {
	fresh := false
	for _, r := range came {
		first, err := r.put(ctx, tx, cluster, at)
		if err != nil {
			return err
		}
		if first {
			if err := forgetBoots(ctx, tx, cluster, r.Node); err != nil {
				return err
			}
		}
		fresh = fresh || first
	}
	if fresh {
		return forgetRuns(ctx, tx, cluster)
	}
	return nil
}

// put adds to what is known of the run; first says that nothing was.
func (r RunCame) put(ctx context.Context, tx *sql.Tx, cluster string, at time.Time) (first bool, err error) {
	var have spans
	var text []byte
	err = tx.QueryRowContext(ctx, `SELECT received FROM sensor_runs WHERE cluster_id = ? AND node = ? AND boot = ?`,
		cluster, r.Node, r.Boot).Scan(&text)
	if first = errors.Is(err, sql.ErrNoRows); !first {
		if err == nil {
			err = json.Unmarshal(text, &have)
		}
		if err != nil {
			return false, err
		}
	}
	have.add(r.Sequences)
	if text, err = json.Marshal(have); err != nil {
		return first, err
	}
	return first, run(ctx, tx, `INSERT INTO sensor_runs (cluster_id, node, boot, last_at, received) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (cluster_id, node, boot) DO UPDATE SET received = excluded.received,
		last_at = CASE WHEN excluded.last_at > sensor_runs.last_at THEN excluded.last_at ELSE sensor_runs.last_at END`,
		cluster, r.Node, r.Boot, unix(at), string(text))
}

// forgetBoots keeps the runs of a node that spoke last.
func forgetBoots(ctx context.Context, tx *sql.Tx, cluster, node string) error {
	return run(ctx, tx, `DELETE FROM sensor_runs WHERE cluster_id = ? AND node = ? AND boot IN
		(SELECT boot FROM sensor_runs WHERE cluster_id = ? AND node = ? ORDER BY last_at DESC LIMIT 1000000000 OFFSET ?)`,
		cluster, node, cluster, node, bootsKept)
}

// forgetRuns keeps the runs that spoke last.
func forgetRuns(ctx context.Context, tx *sql.Tx, cluster string) error {
	return run(ctx, tx, `DELETE FROM sensor_runs WHERE cluster_id = ? AND (node, boot) IN
		(SELECT node, boot FROM sensor_runs WHERE cluster_id = ? ORDER BY last_at DESC LIMIT 1000000000 OFFSET ?)`, cluster, cluster, runsKept)
}

// SensorRuns lists the runs of a cluster's sensors, or of all if it is "".
func (s *Store) SensorRuns(ctx context.Context, cluster string) ([]SensorRun, error) {
	out, err := rowsOf(ctx, s.db, scanRun, `SELECT cluster_id, node, boot, last_at, received FROM sensor_runs
		WHERE ? = '' OR cluster_id = ? ORDER BY cluster_id, node, last_at`, cluster, cluster)
	if err != nil {
		return nil, fmt.Errorf("list runs of sensors: %w", err)
	}
	return out, nil
}

func scanRun(row *sql.Rows) (r SensorRun, err error) {
	var at int64
	var text []byte
	if err := row.Scan(&r.Cluster, &r.Node, &r.Boot, &at, &text); err != nil {
		return r, err
	}
	var came spans
	if err := json.Unmarshal(text, &came); err != nil {
		return r, fmt.Errorf("read the run of %s: %w", r.Node, err)
	}
	r.LastAt, r.Received = fromUnix(at), came.received()
	r.Missing = came.highest() - r.Received
	return r, nil
}
