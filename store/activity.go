package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Activity is one thing that a person did, or tried to.
type Activity struct {
	Seq int64
	At  time.Time
	// Person did it in a Role, from an Address: of a network, or in words.
	Person, Role, Address string
	// Action is what was done, Object what it was done to, Detail how.
	Action, Object, Detail string
	// Outcome is done, or why not.
	Outcome string
}

// Operator is the one role there is today.
const Operator = "operator"

// Done is the outcome of what was done.
const Done = "done"

// longestActivity bounds each text of an activity, in bytes: most of them is of strangers.
const longestActivity = 500

// Record adds what a person did. There is no way to change or take it back.
func (s *Store) Record(ctx context.Context, a Activity) error {
	for _, text := range []*string{&a.Person, &a.Role, &a.Address, &a.Action, &a.Object, &a.Detail, &a.Outcome} {
		*text = shortened(*text)
	}
	if a.At.IsZero() {
		a.At = time.Now()
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		var before string
		err := tx.QueryRowContext(ctx, `UPDATE activity_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash`).Scan(&a.Seq, &before)
		if err != nil {
			return err
		}
		hash := a.chained(before)
		if err := run(ctx, tx, `INSERT INTO activity (seq, at, person, role, address, action, object, detail, outcome, hash)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.Seq, unix(a.At), a.Person, a.Role, a.Address, a.Action, a.Object, a.Detail, a.Outcome,
			hash); err != nil {
			return err
		}
		return run(ctx, tx, `UPDATE activity_head SET hash = ? WHERE id = 1`, hash)
	})
	if err != nil {
		return fmt.Errorf("record what %s did (%s): %w", a.Person, a.Action, err)
	}
	return nil
}

// shortened is the beginning of a text, in whole characters that every database takes.
func shortened(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= longestActivity {
		return text
	}
	const more = "…"
	end := longestActivity - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

// chained is the hash of a row behind the one before it.
func (a Activity) chained(before string) string {
	text, _ := json.Marshal([]any{before, a.Seq, unix(a.At), a.Person, a.Role, a.Address, a.Action, a.Object, a.Detail, a.Outcome})
	sum := sha256.Sum256(text) // texts and numbers can always be written
	return hex.EncodeToString(sum[:])
}

// ActivityFilter says which activities to list; empty fields ask for nothing.
type ActivityFilter struct {
	Person, Action, Address string
	Since                   time.Time
}

func (f ActivityFilter) where(before int64) (c condition) {
	c.add(`seq < ?`, before)
	c.equal("person", f.Person)
	c.equal("action", f.Action)
	c.equal("address", f.Address)
	if !f.Since.IsZero() {
		c.add(`at >= ?`, unix(f.Since))
	}
	return c
}

// CountActivities is how many a list has on all its pages.
func (s *Store) CountActivities(ctx context.Context, f ActivityFilter) (n int, err error) {
	where := f.where(math.MaxInt64)
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM activity WHERE `+where.all(), where.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count what was done: %w", err)
	}
	return n, nil
}

const activityColumns = `seq, at, person, role, address, action, object, detail, outcome`

// Activities lists what was done, the newest first, in pages; cursor is what the page before gave.
func (s *Store) Activities(ctx context.Context, f ActivityFilter, cursor string, limit int) (page []Activity, next string, err error) {
	from := int64(math.MaxInt64)
	if cursor != "" {
		if from, err = readCursor[int64](cursor); err != nil {
			return nil, "", err
		}
	}
	where := f.where(from)
	page, err = rowsOf(ctx, s.db, func(r *sql.Rows) (a Activity, err error) { return a, a.scan(r) },
		`SELECT `+activityColumns+` FROM activity WHERE `+where.all()+` ORDER BY seq DESC LIMIT ?`, append(where.args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list what was done: %w", err)
	}
	if len(page) > limit {
		page = page[:limit]
		next = writeCursor(page[limit-1].Seq)
	}
	return page, next, nil
}

func (a *Activity) scan(r *sql.Rows, more ...any) error {
	var at int64
	err := r.Scan(append([]any{&a.Seq, &at, &a.Person, &a.Role, &a.Address, &a.Action, &a.Object, &a.Detail, &a.Outcome}, more...)...)
	a.At = fromUnix(at)
	return err
}

// ActivityFacets are the people and actions that the list has.
func (s *Store) ActivityFacets(ctx context.Context) (people, actions []string, err error) {
	text := func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) }
	people, err = rowsOf(ctx, s.db, text, `SELECT DISTINCT person FROM activity ORDER BY person LIMIT 200`)
	if err == nil {
		actions, err = rowsOf(ctx, s.db, text, `SELECT DISTINCT action FROM activity ORDER BY action LIMIT 200`)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list who did something: %w", err)
	}
	return people, actions, nil
}

// ErrTampered says that the record of what people did is not as it was written.
var ErrTampered = errors.New("the record was changed")

// Chain is what is kept of the record: rows from First to Last, and the hash of the last.
type Chain struct {
	First, Last int64
	Rows        int64
	Hash        string
}

// VerifyActivities reads the whole record and holds each row to the one before it. Rows are forgotten from
// the oldest on, so the first that is kept is believed, unless it is the first ever.
func (s *Store) VerifyActivities(ctx context.Context) (Chain, error) {
	var c Chain
	if err := s.db.QueryRowContext(ctx, `SELECT seq, hash FROM activity_head WHERE id = 1`).Scan(&c.Last, &c.Hash); err != nil {
		return c, fmt.Errorf("read the end of the record: %w", err)
	}
	type row struct {
		Activity
		hash string
	}
	var before row
	for before.Seq < c.Last {
		rows, err := rowsOf(ctx, s.db, func(r *sql.Rows) (x row, err error) { return x, x.scan(r, &x.hash) },
			`SELECT `+activityColumns+`, hash FROM activity WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1000`, before.Seq, c.Last)
		if err != nil {
			return c, fmt.Errorf("read the record: %w", err)
		}
		if len(rows) == 0 {
			return c, fmt.Errorf("%w: it ends at number %d, and %d were written", ErrTampered, before.Seq, c.Last)
		}
		for _, x := range rows {
			switch {
			case c.Rows == 0 && x.Seq > 1:
				c.First = x.Seq // those before it are forgotten
			case x.Seq != before.Seq+1:
				return c, fmt.Errorf("%w: number %d is missing", ErrTampered, before.Seq+1)
			case x.hash != x.chained(before.hash):
				return c, fmt.Errorf("%w: number %d, of %s, is not what was written, or what was before it", ErrTampered, x.Seq,
					x.At.Format(time.RFC3339))
			}
			c.First = max(c.First, 1)
			before, c.Rows = x, c.Rows+1
		}
	}
	if before.hash != c.Hash {
		return c, fmt.Errorf("%w: its end, number %d, is not what was written", ErrTampered, c.Last)
	}
	return c, nil
}
