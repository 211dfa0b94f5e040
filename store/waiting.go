package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// WaitingNode is a node that wants to join and that its cluster has not told of.
type WaitingNode struct {
	// Token is the id of the token that it shows, From where it asks from.
	Cluster, Node, Token, From string
	Since, Last                time.Time
}

// A cluster has so many of them and no more, and each waits for as long as it asks.
const (
	MostWaiting = 32
	waitsFor    = 10 * time.Minute
	// askedAgain is how much later a node must ask for that to be written down: who asks all the time writes little.
	askedAgain = 30 * time.Second
)

// NodeWaits notes that a node waits, and tells since when. There may be no room for it: then it tells since when the one waits
// that waits longest.
func (s *Store) NodeWaits(ctx context.Context, n WaitingNode) (since time.Time, room bool, err error) {
	now := time.Now()
	still := unix(now.Add(-waitsFor))
	var began, last int64
	err = s.db.QueryRowContext(ctx, `SELECT since, last_at FROM waiting_nodes WHERE cluster_id = ? AND node = ? AND last_at > ?`,
		n.Cluster, n.Node, still).Scan(&began, &last)
	if err == nil && last > unix(now.Add(-askedAgain)) {
		return fromUnix(began), true, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, fmt.Errorf("ask whether node %s of %s waits: %w", n.Node, n.Cluster, err)
	}
	if err != nil { // most who invent names are answered without a write
		var oldest, waiting int64
		if err := s.db.QueryRowContext(ctx, `SELECT count(*), coalesce(min(since), 0) FROM waiting_nodes WHERE cluster_id = ? AND last_at > ?`,
			n.Cluster, still).Scan(&waiting, &oldest); err != nil {
			return time.Time{}, false, fmt.Errorf("count the nodes of %s that wait: %w", n.Cluster, err)
		}
		if waiting >= MostWaiting {
			return fromUnix(oldest), false, nil
		}
		began = unix(now)
	}
	room = true
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := run(ctx, tx, `DELETE FROM waiting_nodes WHERE cluster_id = ? AND last_at <= ?`, n.Cluster, still); err != nil {
			return err
		}
		var others int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM waiting_nodes WHERE cluster_id = ? AND node <> ?`, n.Cluster,
			n.Node).Scan(&others); err != nil {
			return err
		}
		if room = others < MostWaiting; !room {
			return nil
		}
		return run(ctx, tx, `INSERT INTO waiting_nodes (cluster_id, node, token_id, asked_from, since, last_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (cluster_id, node) DO UPDATE SET last_at = excluded.last_at, asked_from = excluded.asked_from`,
			n.Cluster, n.Node, n.Token, n.From, began, unix(now))
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("note that node %s of %s waits: %w", n.Node, n.Cluster, err)
	}
	return fromUnix(began), room, nil
}

// NodeIsLet says that a node does not wait any more.
func (s *Store) NodeIsLet(ctx context.Context, cluster, node string) error {
	var waits int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM waiting_nodes WHERE cluster_id = ? AND node = ?`, cluster,
		node).Scan(&waits); err != nil {
		return fmt.Errorf("ask whether node %s of %s waits: %w", node, cluster, err)
	}
	if waits == 0 {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, `DELETE FROM waiting_nodes WHERE cluster_id = ? AND node = ?`, cluster, node); err != nil {
		return fmt.Errorf("note that node %s of %s does not wait: %w", node, cluster, err)
	}
	return nil
}

// WaitingNodes are all nodes that wait, by cluster and name.
func (s *Store) WaitingNodes(ctx context.Context) ([]WaitingNode, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (n WaitingNode, err error) {
		var since, last int64
		err = r.Scan(&n.Cluster, &n.Node, &n.Token, &n.From, &since, &last)
		n.Since, n.Last = fromUnix(since), fromUnix(last)
		return n, err
	}, `SELECT cluster_id, node, token_id, asked_from, since, last_at FROM waiting_nodes WHERE last_at > ? ORDER BY cluster_id, node`,
		unix(time.Now().Add(-waitsFor)))
	if err != nil {
		return nil, fmt.Errorf("list the nodes that wait: %w", err)
	}
	return out, nil
}
