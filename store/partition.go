package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Tables of history are split by week on PostgreSQL: to forget a week is to drop a table,
// which costs the same however much is in it. SQLite has no such thing; there, old rows
// are deleted in small batches by an index on time. See ADR 181.

// weeksAhead is how many weeks have their partition before they come.
const weeksAhead = 4

const week = 7 * day

// weekOf is the Monday, midnight UTC, of a moment's week.
func weekOf(t time.Time) time.Time {
	monday := time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)
	n := t.Sub(monday) / week
	if t.Before(monday.Add(n * week)) {
		n--
	}
	return monday.Add(n * week)
}

// weekName is how a partition's name goes on after the table's.
const weekName = "_w20060102"

// partitionsOf lists a table's partitions of a week, with its first day.
func partitionsOf(ctx context.Context, tx *sql.Tx, table string) (map[string]time.Time, error) {
	names, err := rowsOf(ctx, tx, func(r *sql.Rows) (n string, err error) { return n, r.Scan(&n) },
		`SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(?)`, table)
	if err != nil {
		return nil, err
	}
	weeks := map[string]time.Time{}
	for _, n := range names {
		if first, err := time.Parse(weekName, strings.TrimPrefix(n, table)); err == nil {
			weeks[n] = first
		}
	}
	return weeks, nil
}

// makeWeeks makes the partitions of this week and those to come. It also makes the
// partition of what no week holds, such as what a wrong clock dated: to write it
// never fails.
func (s *Store) makeWeeks(ctx context.Context, table string, now time.Time) error {
	return s.once(ctx, nil, func(tx *sql.Tx) error {
		if err := s.alone(ctx, tx); err != nil {
			return err
		}
		have, err := partitionsOf(ctx, tx, table)
		if err != nil {
			return err
		}
		if err := run(ctx, tx, `CREATE TABLE IF NOT EXISTS `+table+`_rest PARTITION OF `+table+` DEFAULT`); err != nil {
			return err
		}
		for n := range weeksAhead + 1 {
			first := weekOf(now).Add(time.Duration(n) * week)
			name := table + first.Format(weekName)
			if _, known := have[name]; known {
				continue
			}
			if err := makeWeek(ctx, tx, table, name, first); err != nil {
				return fmt.Errorf("make partition %s: %w", name, err)
			}
		}
		return nil
	})
}

// makeWeek takes over what the partition of the rest holds of the week.
func makeWeek(ctx context.Context, tx *sql.Tx, table, name string, first time.Time) error {
	from, to := unix(first), unix(first.Add(week))
	if err := run(ctx, tx, `CREATE TABLE `+name+` (LIKE `+table+` INCLUDING ALL)`); err != nil {
		return err
	}
	if err := run(ctx, tx, `WITH moved AS (DELETE FROM `+table+`_rest WHERE at >= ? AND at < ? RETURNING *)
		INSERT INTO `+name+` SELECT * FROM moved`, from, to); err != nil {
		return err
	}
	return run(ctx, tx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, table, name, from, to))
}

// dropWeeks drops the partitions that end before a moment.
func (s *Store) dropWeeks(ctx context.Context, table string, before time.Time) (rows int64, err error) {
	err = s.once(ctx, nil, func(tx *sql.Tx) error {
		if err := s.alone(ctx, tx); err != nil {
			return err
		}
		// Readers of a dropped table are waited for, and wait meanwhile: not for long.
		if err := run(ctx, tx, `SET LOCAL lock_timeout = '5s'`); err != nil {
			return err
		}
		have, err := partitionsOf(ctx, tx, table)
		if err != nil {
			return err
		}
		for name, first := range have {
			if first.Add(week).After(before) {
				continue
			}
			var n int64
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM `+name).Scan(&n); err != nil {
				return err
			}
			if err := run(ctx, tx, `DROP TABLE `+name); err != nil {
				return err
			}
			rows += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return rows, nil
}
