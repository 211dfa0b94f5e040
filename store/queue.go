package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// registryTables are for what is read from registries: which are connected, what
// they hold, and the queue of images to read.
const registryTables = `
	CREATE TABLE image_queue (
		id          TEXT PRIMARY KEY,
		host        TEXT NOT NULL,
		reference   TEXT NOT NULL,
		state       TEXT NOT NULL,
		error       TEXT NOT NULL DEFAULT '',
		attempts    INTEGER NOT NULL DEFAULT 0,
		next_try    INTEGER NOT NULL DEFAULT 0,
		wanted      INTEGER NOT NULL DEFAULT 0,
		platform    TEXT NOT NULL DEFAULT '',
		size        INTEGER NOT NULL DEFAULT 0,
		updated_at  INTEGER NOT NULL
	);
	CREATE INDEX image_queue_next ON image_queue (state, wanted DESC, next_try);
	CREATE TABLE image_builds (
		digest      TEXT NOT NULL,
		id          TEXT NOT NULL,
		platform    TEXT NOT NULL,
		PRIMARY KEY (digest, id)
	);
	CREATE INDEX image_builds_id ON image_builds (id);
	CREATE TABLE registries (
		host        TEXT PRIMARY KEY,
		origin      TEXT NOT NULL,
		body        TEXT NOT NULL,
		status      TEXT NOT NULL DEFAULT ''
	);
	CREATE TABLE registry_tags (
		host        TEXT NOT NULL,
		repository  TEXT NOT NULL,
		tag         TEXT NOT NULL,
		digest      TEXT NOT NULL,
		PRIMARY KEY (host, repository, tag)
	);
	CREATE INDEX registry_tags_digest ON registry_tags (digest);`

// States of a queued image.
const (
	Queued      = "queued"
	Scanning    = "scanning"
	Done        = "done"
	Failed      = "failed"
	Unsupported = "unsupported"
)

// QueuedImage is where the reading of one image stands.
type QueuedImage struct {
	ID, Reference string
	// Host is the registry that Reference asks.
	Host         string
	State, Error string
	// Attempts counts failures since it last went well.
	Attempts int
	NextTry  time.Time
	// Wanted is how urgent it is: 0 if only a registry has it, 1 if a cluster
	// names it, 2 if it runs.
	Wanted    int
	Platform  string
	Size      int64
	UpdatedAt time.Time
}

const queueColumns = `id, host, reference, state, error, attempts, next_try, wanted, platform, size, updated_at`

func scanQueued(row interface{ Scan(...any) error }) (q QueuedImage, err error) {
	var next, updated int64
	err = row.Scan(&q.ID, &q.Host, &q.Reference, &q.State, &q.Error, &q.Attempts, &next, &q.Wanted, &q.Platform, &q.Size, &updated)
	q.UpdatedAt = fromUnix(updated)
	if next > 0 {
		q.NextTry = fromUnix(next)
	}
	return q, err
}

// Enqueue adds images that are not known, to be read unless State says
// otherwise, and sets how urgent the others are.
func (s *Store) Enqueue(ctx context.Context, images []QueuedImage) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return enqueue(ctx, tx, images) })
	if err != nil {
		return fmt.Errorf("queue images: %w", err)
	}
	return nil
}

func enqueue(ctx context.Context, tx *sql.Tx, images []QueuedImage) error {
	put, err := tx.PrepareContext(ctx, `INSERT INTO image_queue (id, host, reference, state, wanted, updated_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET wanted = excluded.wanted WHERE image_queue.wanted <> excluded.wanted`)
	if err != nil {
		return err
	}
	defer put.Close()
	now := unix(time.Now())
	for _, i := range images {
		if _, err := put.ExecContext(ctx, i.ID, i.Host, i.Reference, cmp.Or(i.State, Queued), i.Wanted, now); err != nil {
			return err
		}
	}
	return nil
}

// ResumeQueue is for the start: what an earlier run was reading when it ended is
// queued again, and clusters have yet to say which images they use.
func (s *Store) ResumeQueue(ctx context.Context) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return errors.Join(run(ctx, tx, `UPDATE image_queue SET state = ? WHERE state = ?`, Queued, Scanning),
			run(ctx, tx, `UPDATE image_queue SET wanted = 0 WHERE wanted <> 0`))
	})
	if err != nil {
		return fmt.Errorf("resume the queue of images: %w", err)
	}
	return nil
}

// due is what may be read: somebody wants it, and its time has come.
const due = `(state IN ('queued', 'failed') OR state = 'unsupported' AND next_try > 0) AND (wanted > 0 OR EXISTS (SELECT 1 FROM registry_tags t WHERE t.digest = image_queue.id))`

// TakeImage marks the most urgent image as being read and hands it out; not one
// of the quiet hosts, which asked for a pause. ErrNotFound says that there is none now.
func (s *Store) TakeImage(ctx context.Context, now time.Time, quiet []string) (QueuedImage, error) {
	args := []any{Scanning, unix(now), unix(now)}
	not := ""
	if len(quiet) > 0 {
		not = ` AND host NOT IN (?` + strings.Repeat(", ?", len(quiet)-1) + `)`
		for _, h := range quiet {
			args = append(args, h)
		}
	}
	q, err := scanQueued(s.db.QueryRowContext(ctx, `UPDATE image_queue SET state = ?, updated_at = ? WHERE id = (
		SELECT id FROM image_queue WHERE next_try <= ? AND `+due+not+` ORDER BY wanted DESC, next_try, id LIMIT 1`+s.skipLocked+`) RETURNING `+queueColumns, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return q, ErrNotFound
	}
	if err != nil {
		return q, fmt.Errorf("take an image from the queue: %w", err)
	}
	return q, nil
}

// NextImage is when the next image may be read; ErrNotFound if none waits.
func (s *Store) NextImage(ctx context.Context) (time.Time, error) {
	var next sql.NullInt64
	if err := s.db.QueryRowContext(ctx, `SELECT min(next_try) FROM image_queue WHERE `+due).Scan(&next); err != nil {
		return time.Time{}, fmt.Errorf("look into the queue of images: %w", err)
	}
	if !next.Valid {
		return time.Time{}, ErrNotFound
	}
	return fromUnix(next.Int64), nil
}

// Build is a digest that means the same image as another: a platform's manifest,
// or a configuration.
type Build struct{ Digest, ID, Platform string }

// FinishImage writes what came of reading an image, what is inside, and under
// which digests else it is known, at once.
func (s *Store) FinishImage(ctx context.Context, q QueuedImage, inventory []byte, builds []Build) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := putQueued(ctx, tx, q); err != nil {
			return err
		}
		if inventory == nil {
			return nil
		}
		if err := putImage(ctx, tx, ImageState{ID: q.ID, Reference: q.Reference, State: q.State, Error: q.Error, Inventory: inventory, UpdatedAt: q.UpdatedAt}); err != nil {
			return err
		}
		if err := run(ctx, tx, `DELETE FROM image_builds WHERE id = ?`, q.ID); err != nil {
			return err
		}
		for _, b := range builds {
			if err := run(ctx, tx, `INSERT INTO image_builds (digest, id, platform) VALUES (?, ?, ?) ON CONFLICT (digest, id) DO UPDATE SET platform = excluded.platform`, b.Digest, b.ID, b.Platform); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store image %s: %w", q.ID, err)
	}
	return nil
}

// putQueued keeps how urgent the image is, which may have changed meanwhile.
func putQueued(ctx context.Context, tx *sql.Tx, q QueuedImage) error {
	next := int64(0)
	if !q.NextTry.IsZero() {
		next = unix(q.NextTry)
	}
	return run(ctx, tx, `INSERT INTO image_queue (id, host, reference, state, error, attempts, next_try, wanted, platform, size, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, error = excluded.error, attempts = excluded.attempts, next_try = excluded.next_try,
		platform = excluded.platform, size = excluded.size, updated_at = excluded.updated_at`,
		q.ID, q.Host, q.Reference, q.State, q.Error, q.Attempts, next, q.Wanted, q.Platform, q.Size, unix(q.UpdatedAt))
}

// SetImageStates writes what new advisories make of images that were read.
func (s *Store) SetImageStates(ctx context.Context, images []QueuedImage) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, i := range images {
			if err := run(ctx, tx, `UPDATE image_queue SET state = ?, error = ? WHERE id = ? AND state <> ?`, i.State, i.Error, i.ID, Scanning); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store what new advisories say of images: %w", err)
	}
	return nil
}

// RetryImage lets an image be read again at once, however often it failed.
func (s *Store) RetryImage(ctx context.Context, id string) error {
	return s.change(ctx, `UPDATE image_queue SET state = ?, next_try = 0 WHERE id = ? AND state <> ?`, Queued, id, Scanning)
}

// QueuedImage reads where one image stands.
func (s *Store) QueuedImage(ctx context.Context, id string) (QueuedImage, error) {
	q, err := scanQueued(s.db.QueryRowContext(ctx, `SELECT `+queueColumns+` FROM image_queue WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return q, ErrNotFound
	}
	return q, err
}

// QueuedImages lists where every image stands.
func (s *Store) QueuedImages(ctx context.Context) ([]QueuedImage, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (QueuedImage, error) { return scanQueued(r) }, `SELECT `+queueColumns+` FROM image_queue ORDER BY id`)
}

// Builds is every digest that means the same image as another.
func (s *Store) Builds(ctx context.Context) ([]Build, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (b Build, err error) { return b, r.Scan(&b.Digest, &b.ID, &b.Platform) },
		`SELECT digest, id, platform FROM image_builds ORDER BY digest, id`)
}

// querier is a database, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// rowsOf reads every row of a question.
func rowsOf[T any](ctx context.Context, db querier, scan func(*sql.Rows) (T, error), question string, args ...any) (out []T, err error) {
	rows, err := db.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
