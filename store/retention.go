package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limit is how much of a table is kept: rows that are not older than Keep, and at most
// so many Rows, of which the oldest go first. 0 is no limit.
type Limit struct {
	Keep time.Duration
	Rows int64
}

// Retention is a Limit for each name of Histories.
type Retention map[string]Limit

const day = 24 * time.Hour

// history is a table that grows with time.
type history struct {
	name, about string // for settings
	table, at   string // at is the column of time
	// byTime tables are split by week on PostgreSQL, see partition.go.
	byTime bool
	key    []string
	// also are deleted with a row, by its key.
	also []string
	kept Limit
}

// histories are what Sweep bounds. Everything else is bounded by what there is:
// clusters, images, tags, sensors.
var histories = []history{
	{name: "alerts", about: "alerts, since they were last seen",
		table: "alerts", at: "last_seen", key: []string{"cluster_id", "id"},
		also: []string{`DELETE FROM alert_events WHERE cluster_id = ? AND alert_id = ?`,
			`DELETE FROM alert_things WHERE cluster_id = ? AND alert_id = ?`},
		kept: Limit{400 * day, 1_000_000}},
	{name: "paths", about: "resolved attack paths, since they were resolved",
		table: "paths", at: "resolved_at", key: []string{"cluster_id", "id", "opened_at"},
		kept: Limit{400 * day, 1_000_000}},
	{name: "path-history", about: "what happened to attack paths",
		table: "path_history", at: "at", byTime: true, key: []string{"cluster_id", "id", "at", "version"},
		kept: Limit{400 * day, 5_000_000}},
	{name: "layers", about: "packages of image layers, which are read again when they are gone",
		table: "layers", at: "updated_at", key: []string{"id"},
		kept: Limit{90 * day, 200_000}},
	{name: "activity", about: "what people did, since they did it",
		table: "activity", at: "at", key: []string{"seq"},
		kept: Limit{400 * day, 1_000_000}},
}

// DefaultRetention is what is kept if nobody says otherwise.
func DefaultRetention() Retention {
	r := Retention{}
	for _, h := range histories {
		r[h.name] = h.kept
	}
	return r
}

// Histories are the names of what Retention bounds, each with what it is.
func Histories() (all [][2]string) {
	for _, h := range histories {
		all = append(all, [2]string{h.name, h.about})
	}
	return all
}

// ErrRetention says that a setting of retention is none.
var ErrRetention = errors.New("not a retention")

// Keep sets for how long something is kept, such as 90d or 36h; forever ends the limit.
func (r Retention) Keep(name, text string) error {
	keep, ok := parseKeep(text)
	if !ok {
		return fmt.Errorf("%w: %s=%s: want days such as 90d, hours such as 36h, or forever", ErrRetention, name, text)
	}
	return r.set(name, func(l *Limit) { l.Keep = keep })
}

// KeepRows sets how many rows are kept; unlimited ends the limit.
func (r Retention) KeepRows(name, text string) error {
	rows, err := strconv.ParseInt(text, 10, 64)
	if text == "unlimited" {
		rows, err = 0, nil
	} else if err != nil || rows < 1 {
		return fmt.Errorf("%w: %s=%s: want a number of rows, or unlimited", ErrRetention, name, text)
	}
	return r.set(name, func(l *Limit) { l.Rows = rows })
}

func (r Retention) set(name string, change func(*Limit)) error {
	l, known := r[name]
	if !known {
		var names []string
		for _, h := range histories {
			names = append(names, h.name)
		}
		return fmt.Errorf("%w: nothing is called %q: there are %s", ErrRetention, name, strings.Join(names, ", "))
	}
	change(&l)
	r[name] = l
	return nil
}

// longest is far enough for anybody and not yet too long for a time.Duration.
const (
	longest     = (tooManyDays - 1) * day
	tooManyDays = 36_501
)

func parseKeep(text string) (keep time.Duration, ok bool) {
	if text == "forever" {
		return 0, true
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, _ := strconv.Atoi(days) // what is none is 0, which is too short
		keep = time.Duration(min(max(n, 0), tooManyDays)) * day
	} else {
		keep, _ = time.ParseDuration(text) // too
	}
	return keep, keep >= time.Hour && keep <= longest
}

// batch is how many rows one transaction of Sweep removes: others write in between.
const batch = 250

// Sweep removes what is older or more than r says, and sessions that have expired. It
// tells how many rows it removed of each history. Now and then is often enough.
func (s *Store) Sweep(ctx context.Context, r Retention, now time.Time) (removed map[string]int64, err error) {
	removed = map[string]int64{}
	if err := s.expire(ctx, now); err != nil {
		return nil, fmt.Errorf("remove expired sessions: %w", err)
	}
	if err := s.forgetEnded(ctx, now); err != nil {
		return nil, fmt.Errorf("remove expired tokens: %w", err)
	}
	if err := s.makeAhead(ctx, now); err != nil {
		return nil, err
	}
	for _, h := range histories {
		n, err := s.sweep(ctx, h, r[h.name], now)
		if n > 0 {
			removed[h.name] = n
		}
		if err != nil {
			return removed, fmt.Errorf("remove old %s: %w", h.name, err)
		}
	}
	return removed, nil
}

// makeAhead makes the partitions that are written to soon.
func (s *Store) makeAhead(ctx context.Context, now time.Time) error {
	for _, h := range histories {
		if h.byTime && s.partitioned {
			if err := s.makeWeeks(ctx, h.table, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) sweep(ctx context.Context, h history, l Limit, now time.Time) (removed int64, err error) {
	if l.Keep > 0 {
		before := now.Add(-l.Keep)
		if h.byTime {
			before = weekOf(before) // whole weeks go, on either database
		}
		if h.byTime && s.partitioned {
			if removed, err = s.dropWeeks(ctx, h.table, before); err != nil {
				return 0, err
			}
		}
		n, err := s.removeAll(ctx, h, h.at+` < ?`, unix(before), math.MaxInt64)
		if removed += n; err != nil {
			return removed, err
		}
	}
	if l.Rows == 0 {
		return removed, nil
	}
	var rows int64
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+h.table+` WHERE `+h.at+` IS NOT NULL`).Scan(&rows); err != nil {
		return removed, err
	}
	n, err := s.removeAll(ctx, h, h.at+` >= ?`, 0, max(0, rows-l.Rows))
	return removed + n, err
}

// removeAll removes the oldest rows, batch by batch, until none is left or there were most.
func (s *Store) removeAll(ctx context.Context, h history, where string, arg, most int64) (removed int64, err error) {
	for removed < most {
		limit := min(batch, most-removed)
		n, err := s.remove(ctx, h, where, arg, limit)
		if removed += n; err != nil || n < limit {
			return removed, err
		}
	}
	return removed, nil
}

func (s *Store) remove(ctx context.Context, h history, where string, arg, limit int64) (n int64, err error) {
	statements := append([]string{`DELETE FROM ` + h.table + ` WHERE ` + strings.Join(h.key, " = ? AND ") + ` = ?`}, h.also...)
	err = s.write(ctx, func(tx *sql.Tx) error {
		keys, err := rowsOf(ctx, tx, h.scanKey,
			`SELECT `+strings.Join(h.key, ", ")+` FROM `+h.table+` WHERE `+where+` ORDER BY `+h.at+` LIMIT ?`, arg, limit)
		if err != nil {
			return err
		}
		for _, key := range keys {
			for _, statement := range statements {
				if err := run(ctx, tx, statement, key...); err != nil {
					return err
				}
			}
		}
		n = int64(len(keys))
		return nil
	})
	return n, err
}

func (h history) scanKey(r *sql.Rows) (key []any, err error) {
	key = make([]any, len(h.key))
	to := make([]any, len(h.key))
	for i := range key {
		to[i] = &key[i]
	}
	return key, r.Scan(to...)
}

// Size is how big a table is.
type Size struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	// Bytes on disk, indexes included.
	Bytes int64 `json:"bytes"`
}

// Sizes measures every table, the biggest first. It reads much: ask rarely.
func (s *Store) Sizes(ctx context.Context) ([]Size, error) {
	all, err := rowsOf(ctx, s.db, func(r *sql.Rows) (z Size, err error) { return z, r.Scan(&z.Table, &z.Bytes) }, s.sizes)
	if err != nil {
		return nil, fmt.Errorf("measure tables: %w", err)
	}
	for i := range all {
		if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+all[i].Table).Scan(&all[i].Rows); err != nil {
			return nil, fmt.Errorf("count rows of %s: %w", all[i].Table, err)
		}
	}
	slices.SortFunc(all, func(a, b Size) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Table, b.Table)) })
	return all, nil
}
