package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// forgetsOwner is how long what a server wants stays after it was last seen.
const forgetsOwner = 30 * day

// SeenOwner notes that a server lives, under the name by which it wants images. It says so at least once a day.
func (s *Store) SeenOwner(ctx context.Context, owner string, now time.Time) error {
	if err := s.write(ctx, func(tx *sql.Tx) error { return seenOwner(ctx, tx, owner, now) }); err != nil {
		return fmt.Errorf("note that %s lives: %w", owner, err)
	}
	return nil
}

func seenOwner(ctx context.Context, tx *sql.Tx, owner string, now time.Time) error {
	return run(ctx, tx, `INSERT INTO image_owners (owner, seen_at) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET
		seen_at = excluded.seen_at`, owner, unix(now))
}

// forgetOwners removes what servers want that were not seen for long: their images may go.
func (s *Store) forgetOwners(ctx context.Context, now time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		long := unix(now.Add(-forgetsOwner))
		gone, err := changes(ctx, tx, `DELETE FROM image_wants WHERE owner NOT IN (SELECT owner FROM image_owners WHERE seen_at >= ?)`, long)
		if err == nil && gone {
			err = run(ctx, tx, `UPDATE images SET wanted = `+mostWanted+` WHERE wanted <> 0`)
		}
		if err != nil {
			return err
		}
		return run(ctx, tx, `DELETE FROM image_owners WHERE seen_at < ?`, long)
	})
}

// fillOwners gives those that want something already a life that begins now.
func fillOwners(ctx context.Context, tx *sql.Tx) error {
	return run(ctx, tx, `INSERT INTO image_owners (owner, seen_at) SELECT DISTINCT owner, CAST(? AS BIGINT) FROM image_wants`,
		unix(time.Now()))
}
