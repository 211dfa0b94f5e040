package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Size is how big a table is, what bounds it and how it grows.
type Size struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	// Bytes on disk, indexes included.
	Bytes int64 `json:"bytes"`
	// Name is what settings call it, empty if it cannot be set. Keep and MostRows are its
	// limits, 0 for none; Bound says what bounds it otherwise.
	Name     string        `json:"name,omitempty"`
	Keep     time.Duration `json:"keepNanoseconds,omitempty"`
	MostRows int64         `json:"mostRows,omitempty"`
	Bound    string        `json:"bound,omitempty"`
	// Oldest is the time of the oldest row, zero if the table has no times or no rows.
	Oldest time.Time `json:"oldest,omitzero"`
	// Grown is how many bytes a day it grew since Since; both are zero while that is not known.
	Grown int64     `json:"grownBytesPerDay"`
	Since time.Time `json:"grownSince,omitzero"`
}

// Sizes measures every table, the biggest first, as it was bounded by r. It reads much: ask
// rarely.
func (s *Store) Sizes(ctx context.Context, r Retention) ([]Size, error) {
	all, err := rowsOf(ctx, s.db, func(r *sql.Rows) (z Size, err error) { return z, r.Scan(&z.Table, &z.Bytes) }, s.sizes)
	if err != nil {
		return nil, fmt.Errorf("measure tables: %w", err)
	}
	for i := range all {
		if err := s.measure(ctx, &all[i], r); err != nil {
			return nil, fmt.Errorf("measure table %s: %w", all[i].Table, err)
		}
	}
	slices.SortFunc(all, func(a, b Size) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Table, b.Table)) })
	return all, nil
}

// measure adds to a table's bytes what else is told.
func (s *Store) measure(ctx context.Context, z *Size, r Retention) error {
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+z.Table).Scan(&z.Rows); err != nil {
		return err
	}
	z.Bound = bounded[z.Table]
	if i := slices.IndexFunc(histories, func(h history) bool { return h.table == z.Table }); i >= 0 {
		h := histories[i]
		l := r.of(h)
		z.Name, z.Keep, z.MostRows = h.name, l.Keep, l.Rows
		var at sql.NullInt64
		if err := s.db.QueryRowContext(ctx, `SELECT min(`+h.at+`) FROM `+h.table).Scan(&at); err != nil {
			return err
		}
		if at.Valid {
			z.Oldest = fromUnix(at.Int64)
		}
	}
	return s.growth(ctx, z)
}

// growth compares with the oldest measurement of the last week.
func (s *Store) growth(ctx context.Context, z *Size) error {
	var at, bytes int64
	now := time.Now()
	err := s.db.QueryRowContext(ctx, `SELECT at, bytes FROM table_sizes WHERE name = ? AND at >= ? ORDER BY at LIMIT 1`,
		z.Table, unix(now.Add(-week))).Scan(&at, &bytes)
	if err == sql.ErrNoRows {
		return nil
	}
	if past := now.Sub(fromUnix(at)); err == nil && past >= time.Hour { // less says nothing of a day
		z.Since, z.Grown = fromUnix(at), int64(float64(z.Bytes-bytes)*float64(day)/float64(past))
	}
	return err
}

// KeepSizes notes how big tables are, by which growth is told later.
func (s *Store) KeepSizes(ctx context.Context, sizes []Size, at time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, z := range sizes {
			if err := run(ctx, tx, `INSERT INTO table_sizes (name, at, row_count, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				z.Table, unix(at), z.Rows, z.Bytes); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note how big tables are: %w", err)
	}
	return nil
}
