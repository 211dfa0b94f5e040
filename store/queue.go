package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

// imageColumns are all but the inventory, which is big.
const imageColumns = `id, host, reference, state, error, attempts, ended, next_try, wanted, platform, size, updated_at`

func scanImage(row interface{ Scan(...any) error }, more ...any) (r assess.Record, err error) {
	var next, updated int64
	err = row.Scan(append([]any{&r.ID, &r.Host, &r.Reference, &r.State, &r.Error, &r.Attempts, &r.Ended, &next, &r.Wanted, &r.Platform,
		&r.Size, &updated}, more...)...)
	r.UpdatedAt = fromUnix(updated)
	if next > 0 {
		r.NextTry = fromUnix(next)
	}
	return r, err
}

// maybe is the time, or 0.
func maybe(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return unix(t)
}

// orKeep is the text, or nothing: what is there stays.
func orKeep(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// ResumeImages implements assess.Records: what the owner was reading when it ended is
// queued again, and its clusters have yet to say which images they use. What others
// lease and want stays.
func (s *Store) ResumeImages(ctx context.Context, owner string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return errors.Join(run(ctx, tx, `UPDATE images SET state = ?, error = ?, owner = '', lease_until = 0 WHERE state = ? AND owner = ?`,
			assess.Queued, "this server ended while it was read", assess.Scanning, owner),
			seenOwner(ctx, tx, owner, time.Now()), run(ctx, tx, `DELETE FROM image_wants WHERE owner = ?`, owner),
			run(ctx, tx, `UPDATE images SET wanted = `+mostWanted+` WHERE wanted <> 0`))
	})
	if err != nil {
		return fmt.Errorf("resume the queue of images: %w", err)
	}
	return nil
}

// mostWanted is how urgent an image is to those who want it.
const mostWanted = `coalesce((SELECT max(w.wanted) FROM image_wants w WHERE w.id = images.id), 0)`

// WantImages implements assess.Records.
func (s *Store) WantImages(ctx context.Context, owner string, images []assess.Record) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := seenOwner(ctx, tx, owner, time.Now()); err != nil {
			return err
		}
		for _, i := range images {
			if err := want(ctx, tx, owner, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("queue images: %w", err)
	}
	return nil
}

func want(ctx context.Context, tx *sql.Tx, owner string, i assess.Record) error {
	if i.Wanted == assess.Listed {
		return errors.Join(run(ctx, tx, `DELETE FROM image_wants WHERE owner = ? AND id = ?`, owner, i.ID),
			run(ctx, tx, `UPDATE images SET wanted = `+mostWanted+` WHERE id = ?`, i.ID))
	}
	return errors.Join(enqueue(ctx, tx, i),
		run(ctx, tx, `INSERT INTO image_wants (owner, id, wanted) VALUES (?, ?, ?)
			ON CONFLICT (owner, id) DO UPDATE SET wanted = excluded.wanted`, owner, i.ID, int(i.Wanted)),
		run(ctx, tx, `UPDATE images SET wanted = `+mostWanted+` WHERE id = ?`, i.ID))
}

// pushedFirst is when an image may be read that was just pushed: before all that may be read at any time, which is 0.
const pushedFirst = -1

// enqueue adds an image if it is not known.
func enqueue(ctx context.Context, tx *sql.Tx, i assess.Record) error {
	err := run(ctx, tx, `INSERT INTO images (id, host, reference, state, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		i.ID, i.Host, i.Reference, assess.Queued, unix(time.Now()))
	if err != nil || !i.Pushed {
		return err
	}
	return run(ctx, tx, `UPDATE images SET next_try = ? WHERE id = ? AND state = ? AND next_try = 0`, pushedFirst, i.ID, assess.Queued)
}

// due is what may be read at some time: it waits, or the lease on it may end; and
// somebody wants it.
const due = `(state IN ('queued', 'failed', 'scanning') OR state = 'unsupported' AND next_try > 0)
	AND (wanted > 0 OR EXISTS (SELECT 1 FROM registry_tags t WHERE t.digest = images.id))`

// dueAt is that time.
const dueAt = `CASE WHEN state = 'scanning' THEN lease_until ELSE next_try END`

// LeaseImage implements assess.Records. An image whose lease ended is anybody's. The
// reading is counted now: should it end this process, it was counted all the same.
func (s *Store) LeaseImage(
	ctx context.Context, owner string, now, until time.Time, of assess.Hosts,
) (r assess.Record, ok bool, err error) {
	if of.Only != nil && len(of.Only) == 0 {
		return r, false, nil
	}
	args := []any{assess.Scanning, owner, unix(until), unix(now), unix(now)}
	where := ""
	among := func(is string, hosts []string) {
		if len(hosts) == 0 {
			return
		}
		where += ` AND host ` + is + ` (?` + strings.Repeat(", ?", len(hosts)-1) + `)`
		for _, h := range hosts {
			args = append(args, h)
		}
	}
	among("NOT IN", of.Not)
	among("IN", of.Only)
	if len(of.Quiet) > 0 { // what was just pushed is read all the same
		where += ` AND (wanted > 0 OR next_try = ` + strconv.Itoa(pushedFirst) + ` OR host NOT IN (?` + strings.Repeat(", ?", len(of.Quiet)-1) +
			`))`
		for _, h := range of.Quiet {
			args = append(args, h)
		}
	}
	r, err = scanImage(s.db.QueryRowContext(ctx, `UPDATE images SET state = ?, owner = ?, lease_until = ?, updated_at = ?,
		attempts = attempts + 1, ended = ended + 1 WHERE id = (
		SELECT id FROM images WHERE `+dueAt+` <= ? AND `+due+where+` ORDER BY wanted DESC, next_try, id LIMIT 1`+s.skipLocked+
		`) RETURNING `+imageColumns, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return assess.Record{}, false, nil
	}
	if err != nil {
		return assess.Record{}, false, fmt.Errorf("take an image from the queue: %w", err)
	}
	return r, true, nil
}

// RenewImages implements assess.Records.
func (s *Store) RenewImages(ctx context.Context, owner string, ids []string, until time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if err := run(ctx, tx, `UPDATE images SET lease_until = ? WHERE id = ? AND owner = ? AND state = ?`,
				unix(until), id, owner, assess.Scanning); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("renew leases of images: %w", err)
	}
	return nil
}

// NextImage implements assess.Records.
func (s *Store) NextImage(ctx context.Context) (time.Time, bool, error) {
	var next sql.NullInt64
	if err := s.db.QueryRowContext(ctx, `SELECT min(`+dueAt+`) FROM images WHERE `+due).Scan(&next); err != nil {
		return time.Time{}, false, fmt.Errorf("look into the queue of images: %w", err)
	}
	return fromUnix(next.Int64), next.Valid, nil
}

// FinishImage implements assess.Records.
func (s *Store) FinishImage(ctx context.Context, owner string, r assess.Record, builds []assess.Build) (mine bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE images
			SET state = ?, error = ?, reference = coalesce(?, reference), host = coalesce(?, host), attempts = ?, ended = ?, next_try = ?,
			platform = ?, size = ?, updated_at = ?, inventory = coalesce(?, inventory), owner = '', lease_until = 0
			WHERE id = ? AND owner = ? AND state = ?`,
			r.State, r.Error, orKeep(r.Reference), orKeep(r.Host), r.Attempts, r.Ended, maybe(r.NextTry),
			r.Platform, r.Size, unix(r.UpdatedAt), r.Inventory, r.ID, owner, assess.Scanning)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if mine = n > 0; !mine || err != nil || r.Inventory == nil {
			return err
		}
		return putBuilds(ctx, tx, r.ID, builds)
	})
	if err != nil {
		return false, fmt.Errorf("store image %s: %w", r.ID, err)
	}
	return mine, nil
}

// PutImage implements assess.Records. An image that a server is reading stays its.
func (s *Store) PutImage(ctx context.Context, r assess.Record, builds []assess.Build) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return errors.Join(run(ctx, tx, `INSERT INTO images (id, host, reference, state, error, platform, size, updated_at, inventory)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE
			SET platform = excluded.platform, size = excluded.size, updated_at = excluded.updated_at, inventory = excluded.inventory,
			state = CASE WHEN images.state = 'scanning' THEN images.state ELSE excluded.state END,
			error = CASE WHEN images.state = 'scanning' THEN images.error ELSE excluded.error END,
			attempts = CASE WHEN images.state = 'scanning' THEN images.attempts ELSE 0 END,
			ended = CASE WHEN images.state = 'scanning' THEN images.ended ELSE 0 END,
			next_try = CASE WHEN images.state = 'scanning' THEN images.next_try ELSE 0 END`,
			r.ID, r.Host, r.Reference, r.State, r.Error, r.Platform, r.Size, unix(r.UpdatedAt), r.Inventory),
			putBuilds(ctx, tx, r.ID, builds))
	})
	if err != nil {
		return fmt.Errorf("store image %s: %w", r.ID, err)
	}
	return nil
}

func putBuilds(ctx context.Context, tx *sql.Tx, id string, builds []assess.Build) error {
	if err := run(ctx, tx, `DELETE FROM image_builds WHERE id = ?`, id); err != nil {
		return err
	}
	for _, b := range builds {
		if err := run(ctx, tx, `INSERT INTO image_builds (digest, id, platform) VALUES (?, ?, ?)
			ON CONFLICT (digest, id) DO UPDATE SET platform = excluded.platform`, b.Digest, b.ID, b.Platform); err != nil {
			return err
		}
	}
	return nil
}

// SetImageStates implements assess.Records.
func (s *Store) SetImageStates(ctx context.Context, images []assess.Record) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, i := range images {
			if err := run(ctx, tx, `UPDATE images SET state = ?, error = ? WHERE id = ? AND state IN (?, ?)`,
				i.State, i.Error, i.ID, assess.Done, assess.Unsupported); err != nil {
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

// RequeueImage implements assess.Records.
func (s *Store) RequeueImage(ctx context.Context, id string) (bool, error) {
	err := s.change(ctx, `UPDATE images SET state = ?, next_try = 0, ended = 0 WHERE id = ? AND state <> ?`, assess.Queued, id,
		assess.Scanning)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RequeueFailed implements assess.Records. What ended readers before is read once.
func (s *Store) RequeueFailed(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return run(ctx, tx, `UPDATE images SET state = ?, next_try = 0, ended = CASE WHEN ended > 2 THEN 2 ELSE ended END
			WHERE id = ? AND state = ?`, assess.Queued, id, assess.Failed)
	})
}

// RequeueOutdated implements assess.Records.
func (s *Store) RequeueOutdated(ctx context.Context, seen assess.Record) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return run(ctx, tx, `UPDATE images SET state = ?, next_try = 0 WHERE id = ? AND state = ? AND updated_at = ?`,
			assess.Queued, seen.ID, seen.State, unix(seen.UpdatedAt))
	})
}

// Image implements assess.Records, with the inventory.
func (s *Store) Image(ctx context.Context, id string) (r assess.Record, ok bool, err error) {
	var inventory []byte
	r, err = scanImage(s.db.QueryRowContext(ctx, `SELECT `+imageColumns+`, inventory FROM images WHERE id = ?`, id), &inventory)
	if errors.Is(err, sql.ErrNoRows) {
		return assess.Record{}, false, nil
	}
	if err != nil {
		return assess.Record{}, false, fmt.Errorf("read image %s: %w", id, err)
	}
	r.Inventory = inventory
	return r, true, nil
}

// Builds implements assess.Records: every digest that means the same image as another.
func (s *Store) Builds(ctx context.Context) ([]assess.Build, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (b assess.Build, err error) { return b, r.Scan(&b.Digest, &b.ID, &b.Platform) },
		`SELECT digest, id, platform FROM image_builds ORDER BY digest, id`)
}
