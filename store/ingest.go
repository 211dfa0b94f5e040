package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// IngestToken is a token with which one cluster may send events of one kind (audit), or
// its nodes may join (runtime); or with which a registry may tell of pushes, or a build of an image. What it is, is not stored.
type IngestToken struct {
	// ID names the token without being of use as one.
	ID, Cluster, Kind string
	// Subject is whose it is if it is no cluster's: a registry's host, or the name of a build.
	Subject   string
	CreatedAt time.Time
	// ExpiresAt is zero for tokens of before they had an end.
	ExpiresAt time.Time
	// Uses counts the nodes that joined, of MaxUses; 0 is no limit.
	Uses, MaxUses int
	MadeBy        string
	UsedAt        time.Time // zero: never
	UsedFrom      string
	RevokedAt     time.Time // zero: it is not
	RevokedBy     string
}

// PushToken is the kind of token with which a registry tells of pushes, and nothing else.
const PushToken = "push"

// UploadToken is the kind of token with which a build tells what is in an image, and nothing else.
const UploadToken = "upload"

// Why a token or certificate that is known does not count. Each is ErrNotFound too.
var (
	ErrExpired = fmt.Errorf("%w: it has expired", ErrNotFound)
	ErrRevoked = fmt.Errorf("%w: it was revoked", ErrNotFound)
	ErrSpent   = fmt.Errorf("%w: it was used as often as it may be", ErrNotFound)
)

// usable says why a thing with an end does not count any more; nil if it does.
func usable(expires, revoked, now time.Time) error {
	switch {
	case !revoked.IsZero():
		return ErrRevoked
	case !expires.IsZero() && !now.Before(expires):
		return ErrExpired
	}
	return nil
}

// Usable says why the token does not count any more; nil if it does.
func (t IngestToken) Usable(now time.Time) error {
	err := usable(t.ExpiresAt, t.RevokedAt, now)
	if err == nil && t.MaxUses > 0 && t.Uses >= t.MaxUses {
		return ErrSpent
	}
	return err
}

// NewIngestToken makes a token of this cluster, kind, end and limit. It is told here
// once and never again.
func (s *Store) NewIngestToken(ctx context.Context, t IngestToken) (token string, err error) {
	token = newToken()
	_, err = s.db.ExecContext(ctx, insertIngestToken, hashToken(token), t.Cluster, t.Kind, t.Subject, unix(time.Now()),
		instant(t.ExpiresAt), t.MaxUses, t.MadeBy)
	if err != nil {
		return "", fmt.Errorf("make %s token of %s: %w", t.Kind, cmp.Or(t.Cluster, t.Subject), err)
	}
	return token, nil
}

// instant is 0 for no time; moment the way back.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return unix(t)
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromUnix(ms)
}

// tokenID is the part of a hash that names a token.
const tokenID = 12

const insertIngestToken = `INSERT INTO ingest_tokens (token_hash, cluster_id, kind, subject, created_at, expires_at, max_uses, made_by)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

const tokenColumns = `substr(token_hash, 1, 12), cluster_id, kind, subject, created_at, expires_at,
	uses, max_uses, made_by, used_at, used_from,
	revoked_at, revoked_by FROM ingest_tokens`

func scanToken(scan func(...any) error) (t IngestToken, err error) {
	var created, expires, used, revoked int64
	err = scan(&t.ID, &t.Cluster, &t.Kind, &t.Subject, &created, &expires, &t.Uses, &t.MaxUses, &t.MadeBy, &used, &t.UsedFrom, &revoked,
		&t.RevokedBy)
	if err != nil {
		return IngestToken{}, err
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt, t.RevokedAt = fromUnix(created), moment(expires), moment(used), moment(revoked)
	return t, nil
}

// IngestToken is what a token was made for. ErrNotFound says that it was never made,
// ErrExpired and ErrRevoked that it has ended. How often it was used is not asked here.
func (s *Store) IngestToken(ctx context.Context, token string) (IngestToken, error) {
	t, err := scanToken(s.db.QueryRowContext(ctx, `SELECT `+tokenColumns+` WHERE token_hash = ?`, hashToken(token)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return IngestToken{}, ErrNotFound
	}
	if err != nil {
		return IngestToken{}, fmt.Errorf("read token: %w", err)
	}
	return t, usable(t.ExpiresAt, t.RevokedAt, time.Now())
}

// IngestTokens lists all tokens, those that ended too until Sweep forgets them.
func (s *Store) IngestTokens(ctx context.Context) ([]IngestToken, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (IngestToken, error) { return scanToken(r.Scan) },
		`SELECT `+tokenColumns+` ORDER BY cluster_id, kind, subject, created_at, token_hash`)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return out, nil
}

// UsedIngestToken notes when and from where a token was used.
func (s *Store) UsedIngestToken(ctx context.Context, id, from string, at time.Time) error {
	return s.change(ctx, `UPDATE ingest_tokens SET used_at = ?, used_from = ? WHERE substr(token_hash, 1, ?) = ?`, unix(at), from, tokenID, id)
}

// RevokeIngestToken ends a token by its id: it is refused from now on.
func (s *Store) RevokeIngestToken(ctx context.Context, id, by string) error {
	return s.change(ctx, `UPDATE ingest_tokens SET revoked_at = ?, revoked_by = ?
		WHERE substr(token_hash, 1, ?) = ? AND revoked_at = 0`, unix(time.Now()), by, tokenID, id)
}

// RotateIngestToken makes a token like the one of that id, of the same length of life,
// and ends the old one after a time in which both count.
func (s *Store) RotateIngestToken(ctx context.Context, id, by string, both time.Duration) (token string, made IngestToken, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		old, err := scanToken(tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` WHERE substr(token_hash, 1, ?) = ? AND revoked_at = 0`,
			tokenID, id).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		now := time.Now()
		token = newToken()
		made = IngestToken{ID: hashToken(token)[:tokenID], Cluster: old.Cluster, Kind: old.Kind, Subject: old.Subject, CreatedAt: now,
			MaxUses: old.MaxUses, MadeBy: by}
		if !old.ExpiresAt.IsZero() {
			made.ExpiresAt = now.Add(old.ExpiresAt.Sub(old.CreatedAt))
		}
		if err := run(ctx, tx, insertIngestToken, hashToken(token), made.Cluster, made.Kind, made.Subject, unix(now),
			instant(made.ExpiresAt), made.MaxUses, by); err != nil {
			return err
		}
		end := unix(now.Add(both))
		return run(ctx, tx, `UPDATE ingest_tokens SET expires_at = CASE WHEN expires_at = 0 OR expires_at > ? THEN ? ELSE expires_at END
			WHERE substr(token_hash, 1, ?) = ?`, end, end, tokenID, id)
	})
	if err != nil {
		return "", IngestToken{}, fmt.Errorf("rotate token %s: %w", id, err)
	}
	return token, made, nil
}
