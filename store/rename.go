package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Rename gives open lives of a cluster's paths new ids, where what an id is made of
// has changed. The history of a path goes with it. Of several that are one path now the
// one that opened first lives on, and the others end at the given moment.
func (s *Store) Rename(ctx context.Context, cluster string, ids map[string]string, at time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		open, err := openPaths(ctx, tx, cluster)
		if err != nil {
			return err
		}
		for _, old := range slices.SortedFunc(maps.Keys(ids), func(a, b string) int { return firstOpened(open, a, b) }) {
			life, there := open[old]
			now := ids[old]
			if !there || old == now {
				continue
			}
			if _, taken := open[now]; taken {
				err = errors.Join(run(ctx, tx, `UPDATE paths SET resolved_at = ?, stale = '' WHERE cluster_id = ? AND id = ? AND opened_at = ?`,
					unix(at), cluster, old, life.opened),
					Analysis{Cluster: cluster, At: at}.event(ctx, tx, old, "told with "+now))
			} else {
				open[now] = life
				err = errors.Join(run(ctx, tx, `UPDATE paths SET id = ? WHERE cluster_id = ? AND id = ?`, now, cluster, old),
					run(ctx, tx, `UPDATE path_history SET id = ? WHERE cluster_id = ? AND id = ?`, now, cluster, old))
			}
			if err != nil {
				return err
			}
			delete(open, old)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rename paths of %s: %w", cluster, err)
	}
	return nil
}

// firstOpened orders ids by when their lives opened.
func firstOpened(open map[string]openPath, a, b string) int {
	return cmp.Or(cmp.Compare(open[a].opened, open[b].opened), cmp.Compare(a, b))
}
