package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Sensor is what a node's sensor last said of itself. Status is opaque JSON of
// the sensor's making.
type Sensor struct {
	Cluster, Node string
	SeenAt        time.Time
	Status        []byte
}

// PutSensor replaces what is known of a node's sensor, unless that is newer.
func (s *Store) PutSensor(ctx context.Context, n Sensor) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO sensors (cluster_id, node, seen_at, status) VALUES (?, ?, ?, ?)
		ON CONFLICT (cluster_id, node) DO UPDATE SET seen_at = excluded.seen_at, status = excluded.status
		WHERE excluded.seen_at >= sensors.seen_at`, n.Cluster, n.Node, unix(n.SeenAt), string(n.Status))
	if err != nil {
		return fmt.Errorf("store sensor of %s: %w", n.Node, err)
	}
	return nil
}

// Sensors lists the sensors of a cluster, or of all if it is "".
func (s *Store) Sensors(ctx context.Context, cluster string) ([]Sensor, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (n Sensor, err error) {
		var at int64
		err = r.Scan(&n.Cluster, &n.Node, &at, &n.Status)
		n.SeenAt = fromUnix(at)
		return n, err
	}, `SELECT cluster_id, node, seen_at, status FROM sensors WHERE ? = '' OR cluster_id = ? ORDER BY cluster_id, node`, cluster, cluster)
	if err != nil {
		return nil, fmt.Errorf("list sensors: %w", err)
	}
	return out, nil
}

// ForgetSensor removes a node that is gone for good.
func (s *Store) ForgetSensor(ctx context.Context, cluster, node string) error {
	return s.change(ctx, `DELETE FROM sensors WHERE cluster_id = ? AND node = ?`, cluster, node)
}

// change runs a statement that must meet a row.
func (s *Store) change(ctx context.Context, query string, args ...any) error {
	res, err := s.db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNotFound
}
