package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Exception is a vulnerability that somebody accepted. The store does not read what its Body says.
type Exception struct {
	ID        string
	Body      string
	Author    string
	CreatedAt time.Time
	// EndedAt is zero while nobody ended it. That its last day is over is its Body's to say.
	EndedAt time.Time
	EndedBy string
}

// mostExceptions bounds those that nobody ended.
const mostExceptions = 10_000

// ErrManyExceptions says that there is no place for one more.
var ErrManyExceptions = fmt.Errorf("there are %d exceptions that nobody ended: end some", mostExceptions)

// AddException keeps one and gives it an id.
func (s *Store) AddException(ctx context.Context, body, author string) (Exception, error) {
	id := make([]byte, 6)
	_, _ = rand.Read(id) // crypto/rand never fails: it ends the process instead
	e := Exception{ID: hex.EncodeToString(id), Body: body, Author: author, CreatedAt: time.Now().UTC().Truncate(time.Millisecond)}
	err := s.write(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM exceptions WHERE ended_at IS NULL`).Scan(&have); err != nil {
			return err
		}
		if have >= mostExceptions {
			return ErrManyExceptions
		}
		return run(ctx, tx, `INSERT INTO exceptions (id, body, author, created_at) VALUES (?, ?, ?, ?)`, e.ID, e.Body, e.Author,
			unix(e.CreatedAt))
	})
	if err != nil {
		return Exception{}, fmt.Errorf("store an exception: %w", err)
	}
	return e, nil
}

// EndException ends one now. ErrNotFound means that there is none of that id that nobody ended.
func (s *Store) EndException(ctx context.Context, id, by string) error {
	var found string
	err := s.db.QueryRowContext(ctx, `UPDATE exceptions SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL RETURNING id`,
		unix(time.Now()), by, id).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("end the exception %s: %w", id, err)
	}
	return nil
}

// Exceptions are all that are kept, in the order in which they were made.
func (s *Store) Exceptions(ctx context.Context) ([]Exception, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (e Exception, err error) {
		var created int64
		var ended sql.NullInt64
		err = r.Scan(&e.ID, &e.Body, &e.Author, &created, &ended, &e.EndedBy)
		if e.CreatedAt = fromUnix(created); ended.Valid {
			e.EndedAt = fromUnix(ended.Int64)
		}
		return e, err
	}, `SELECT id, body, author, created_at, ended_at, ended_by FROM exceptions ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list exceptions: %w", err)
	}
	return out, nil
}

// ExceptionsStand is a word for what Exceptions answers now: while it is the same, so is the answer.
func (s *Store) ExceptionsStand(ctx context.Context) (string, error) {
	var all, over, made, ended int64
	err := s.db.QueryRowContext(ctx, `SELECT count(*), count(ended_at), coalesce(max(created_at), 0), coalesce(max(ended_at), 0)
		FROM exceptions`).Scan(&all, &over, &made, &ended)
	if err != nil {
		return "", fmt.Errorf("look for exceptions: %w", err)
	}
	return fmt.Sprint(all, over, made, ended), nil
}
