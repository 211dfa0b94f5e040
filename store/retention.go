package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limit is how much of a table is kept: rows that are not older than Keep, and at most
// so many Rows, of which the oldest go first. 0 is no limit. Bytes bound a table whose rows are measured, besides.
type Limit struct {
	Keep  time.Duration
	Rows  int64
	Bytes int64
}

// Retention is a Limit for each name of Histories.
type Retention map[string]Limit

const day = 24 * time.Hour

// LayerBytes is how much is kept of layers unless somebody says otherwise.
const LayerBytes = 4 << 30

// history is a table that grows with time.
type history struct {
	name, about string // for settings; a table without a name has a fixed limit
	table, at   string // at is the column of time
	// of says which rows count, where not all do.
	of string
	// whole tables belong to no cluster. Of the others each cluster has a fair share.
	whole bool
	// byTime tables are split by week on PostgreSQL, see partition.go.
	byTime bool
	key    []string
	// also are deleted with a row, by its key.
	also []string
	kept Limit
	// size is what the bytes of a row are, of a whole table that has a limit of them.
	size string
}

// histories are what Sweep bounds; bounded says what bounds every other table.
var histories = []history{
	{name: "alerts", about: "alerts, since they were last seen",
		table: "alerts", at: "last_seen", key: []string{"cluster_id", "id"},
		also: []string{`DELETE FROM alert_events WHERE cluster_id = ? AND alert_id = ?`,
			`DELETE FROM alert_things WHERE cluster_id = ? AND alert_id = ?`,
			`DELETE FROM alert_notes WHERE cluster_id = ? AND alert_id = ?`},
		kept: Limit{Keep: 400 * day, Rows: 1_000_000}},
	{name: "alert-events", about: "which events alerts have counted; one that comes again after that counts twice",
		table: "alert_events", at: "at", key: []string{"cluster_id", "alert_id", "event_id"},
		kept: Limit{Keep: 90 * day, Rows: 5_000_000}},
	{name: "paths", about: "resolved attack paths, since they were resolved",
		table: "paths", at: "resolved_at", of: "resolved_at IS NOT NULL", key: []string{"cluster_id", "id", "opened_at"},
		kept: Limit{Keep: 400 * day, Rows: 1_000_000}},
	{name: "path-history", about: "what happened to attack paths",
		table: "path_history", at: "at", byTime: true, key: []string{"cluster_id", "id", "at", "version"},
		kept: Limit{Keep: 400 * day, Rows: 5_000_000}},
	{name: "sensors", about: "what sensors say of themselves, since they last did",
		table: "sensors", at: "seen_at", key: []string{"cluster_id", "node"},
		kept: Limit{Keep: 400 * day, Rows: 100_000}},
	{name: "sensor-runs", about: "which records of a sensor's run came, since the last of them",
		table: "sensor_runs", at: "last_at", key: []string{"cluster_id", "node", "boot"},
		kept: Limit{Keep: 90 * day, Rows: 200_000}},
	{name: "activity", about: "what people did, since they did it",
		table: "activity", at: "at", whole: true, key: []string{"seq"},
		kept: Limit{Keep: 400 * day, Rows: 1_000_000}},
	{name: "images", about: "images that no cluster runs and no registry holds any more, since they were read",
		table: "images", at: "updated_at", whole: true, key: []string{"id"},
		of:   `wanted = 0 AND state <> 'scanning' AND NOT EXISTS (SELECT 1 FROM registry_tags t WHERE t.digest = images.id)`,
		also: []string{`DELETE FROM image_builds WHERE id = ?`},
		kept: Limit{Keep: 90 * day, Rows: 100_000}},
	{name: "uploads", about: "what builds said is in images, since they did",
		table: "image_uploads", at: "uploaded_at", whole: true, key: []string{"id"},
		kept: Limit{Keep: 90 * day, Rows: 20_000, Bytes: 2 << 30}, size: "length(inventory)"},
	{name: "layers", about: "packages of image layers, which are read again when they are gone",
		table: "layers", at: "updated_at", whole: true, key: []string{"id"},
		kept: Limit{Keep: 90 * day, Rows: 200_000, Bytes: LayerBytes}, size: "length(inventory)"},
	{table: "image_documents", at: "asked_at", whole: true, key: []string{"id"},
		kept: Limit{Keep: 90 * day, Rows: 100_000, Bytes: 1 << 30}, size: "coalesce(length(documents), 0)"},
	{table: "image_outlines", at: "asked_at", whole: true, key: []string{"digest"}, kept: Limit{Keep: 90 * day, Rows: 1_000_000}},
	{table: "event_batches", at: "analysed_at", key: []string{"cluster_id", "source", "name"}, kept: Limit{Keep: time.Hour, Rows: 1_000_000}},
	{table: "exceptions", at: "ended_at", of: "ended_at IS NOT NULL", whole: true, key: []string{"id"},
		kept: Limit{Keep: 400 * day, Rows: 10_000}},
	{table: "sessions", at: "expires_at", whole: true, key: []string{"token_hash"}, kept: Limit{Keep: 0, Rows: 10_000}},
	{table: "table_sizes", at: "at", whole: true, key: []string{"name", "at"}, kept: Limit{Keep: 90 * day, Rows: 20_000}},
}

// bounded says what bounds the tables that are no history. Every table is here or there: a
// test walks the schema.
var bounded = map[string]string{
	"schema_version":  "one row for each version of the schema",
	"activity_head":   "one row",
	"clusters":        "one row for each cluster that a person named",
	"alert_things":    "goes with its alert, which names at most 64 things",
	"alert_notes":     "goes with its alert, of which the newest 1,000 are kept",
	"ingest_tokens":   "one row for each token that a person made and has not revoked",
	"certificates":    "the newest 16 of each key of a node that joined; one that ended goes after a while",
	"node_keys":       "one row for each node that joined; it goes a while after its key was let go",
	"waiting_nodes":   "32 of a cluster, each for ten minutes after it last asked",
	"event_positions": "two rows for each cluster that a person gave a token",
	"analytic_state":  "a few rows for each cluster: what each analytic learned, which bounds itself",
	"secret_salt":     "one row",
	"image_builds":    "goes with its image",
	"image_wants":     "one row for each image that a cluster runs now; those of a server go a month after it was last seen",
	"image_owners":    "one row for each server that shares the records; it goes a month after it was last seen",
	"registries":      "one row for each registry that a person connected",
	"registry_tags":   "the newest tags of each repository, as many as its registry's connection says; they go with the registry",
}

// DefaultRetention is what is kept if nobody says otherwise.
func DefaultRetention() Retention {
	r := Retention{}
	for _, h := range histories {
		if h.name != "" {
			r[h.name] = h.kept
		}
	}
	return r
}

// Histories are the names of what Retention bounds, each with what it is.
func Histories() (all [][2]string) {
	for _, h := range histories {
		if h.name != "" {
			all = append(all, [2]string{h.name, h.about})
		}
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
		for _, h := range Histories() {
			names = append(names, h[0])
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
	if err := s.forgetOwners(ctx, now); err != nil {
		return nil, fmt.Errorf("remove what servers want that are gone: %w", err)
	}
	if err := s.makeAhead(ctx, now); err != nil {
		return nil, err
	}
	s.written.Store(0)
	for _, h := range histories {
		n, err := s.sweep(ctx, h, r.of(h), now)
		if n > 0 {
			removed[cmp.Or(h.name, h.table)] = n
		}
		if err != nil {
			return removed, fmt.Errorf("remove old rows of %s: %w", h.table, err)
		}
	}
	return removed, nil
}

// of is the limit of a history.
func (r Retention) of(h history) Limit {
	if h.name == "" {
		return h.kept
	}
	return r[h.name]
}

// sweepAfter is how many rows may be written before the limits are held again, however
// soon that is: a flood must not outgrow the disk until the next hour.
const sweepAfter = 20_000

// Grown says that much was written since the last Sweep.
func (s *Store) Grown() bool { return s.written.Load() >= sweepAfter }

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
	if l.Keep == 0 && l.Rows == 0 {
		return 0, nil
	}
	before := now.Add(-l.Keep)
	if h.byTime {
		before = weekOf(before) // whole weeks go, on either database
	}
	if l.Keep > 0 && h.byTime && s.partitioned {
		if removed, err = s.dropWeeks(ctx, h.table, before); err != nil {
			return 0, err
		}
	}
	owners, err := s.owners(ctx, h)
	if err != nil {
		return removed, err
	}
	if l.Keep > 0 {
		for owner := range owners {
			old := h.rows(owner)
			old.add(h.at+` < ?`, unix(before))
			n, err := s.removeAll(ctx, h, old, math.MaxInt64)
			owners[owner] -= n
			if removed += n; err != nil {
				return removed, err
			}
		}
	}
	if l.Bytes > 0 && h.size != "" {
		n, err := s.sweepBytes(ctx, h, l.Bytes)
		if removed += n; err != nil {
			return removed, err
		}
	}
	if l.Rows == 0 {
		return removed, nil
	}
	share := fairShare(slices.Collect(maps.Values(owners)), l.Rows)
	for owner, rows := range owners {
		n, err := s.removeAll(ctx, h, h.rows(owner), rows-share)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// sweepBytes removes the oldest rows of a whole table that has more bytes than it may.
func (s *Store) sweepBytes(ctx context.Context, h history, most int64) (removed int64, err error) {
	var over int64
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT sum(`+h.size+`) OVER (ORDER BY `+h.at+` DESC, `+h.key[0]+`) AS bytes
		FROM `+h.table+`) newest WHERE newest.bytes > ?`, most).Scan(&over)
	if err != nil {
		return 0, err
	}
	return s.removeAll(ctx, h, h.rows(""), over)
}

// owners counts the rows of each cluster, or all under "" where they belong to none.
func (s *Store) owners(ctx context.Context, h history) (map[string]int64, error) {
	owner := `cluster_id`
	if h.whole {
		owner = `''`
	}
	rows, err := counts(ctx, s.db, `SELECT `+owner+` AS owner, count(*) FROM `+h.table+` WHERE `+cmp.Or(h.of, `1 = 1`)+` GROUP BY owner`)
	out := map[string]int64{}
	for owner, n := range rows {
		out[owner] = int64(n)
	}
	return out, err
}

// rows are those of one owner that count.
func (h history) rows(owner string) (c condition) {
	if !h.whole {
		c.add(`cluster_id = ?`, owner)
	}
	c.add(cmp.Or(h.of, `1 = 1`))
	return c
}

// fairShare is how many rows each may keep so that all together keep most at the most: who
// has less than the share loses nothing, so a flood of one never costs another a row.
func fairShare(rows []int64, most int64) int64 {
	slices.Sort(rows)
	for i, n := range rows {
		if left := int64(len(rows) - i); n > most/left {
			return most / left
		}
		most -= n
	}
	return math.MaxInt64
}

// removeAll removes the oldest rows, batch by batch, until none is left or there were most.
func (s *Store) removeAll(ctx context.Context, h history, which condition, most int64) (removed int64, err error) {
	for removed < most {
		limit := min(batch, most-removed)
		n, err := s.remove(ctx, h, which, limit)
		if removed += n; err != nil || n < limit {
			return removed, err
		}
	}
	return removed, nil
}

func (s *Store) remove(ctx context.Context, h history, which condition, limit int64) (n int64, err error) {
	statements := append([]string{`DELETE FROM ` + h.table + ` WHERE ` + strings.Join(h.key, " = ? AND ") + ` = ?`}, h.also...)
	err = s.write(ctx, func(tx *sql.Tx) error {
		keys, err := rowsOf(ctx, tx, h.scanKey, `SELECT `+strings.Join(h.key, ", ")+` FROM `+h.table+` WHERE `+which.all()+
			` ORDER BY `+h.at+` LIMIT ?`, append(slices.Clone(which.args), limit)...)
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
