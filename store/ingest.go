package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// IngestToken is a token with which one cluster may send events of one kind
// (audit, runtime). What it is, is not stored.
type IngestToken struct {
	// ID names the token without being of use as one.
	ID, Cluster, Kind string
	CreatedAt         time.Time
}

// NewIngestToken makes a token. It is told here once and never again.
func (s *Store) NewIngestToken(ctx context.Context, cluster, kind string) (token string, err error) {
	token = newToken()
	_, err = s.db.ExecContext(ctx, `INSERT INTO ingest_tokens (token_hash, cluster_id, kind, created_at) VALUES (?, ?, ?, ?)`,
		hashToken(token), cluster, kind, unix(time.Now()))
	if err != nil {
		return "", fmt.Errorf("make %s token of %s: %w", kind, cluster, err)
	}
	return token, nil
}

// IngestToken says to whom a token was given, or ErrNotFound.
func (s *Store) IngestToken(ctx context.Context, token string) (cluster, kind string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT cluster_id, kind FROM ingest_tokens WHERE token_hash = ?`, hashToken(token)).
		Scan(&cluster, &kind)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", ErrNotFound
	}
	if err != nil {
		return "", "", fmt.Errorf("read token: %w", err)
	}
	return cluster, kind, nil
}

// tokenID is the part of a hash that names a token.
const tokenID = 12

// IngestTokens lists all tokens.
func (s *Store) IngestTokens(ctx context.Context) ([]IngestToken, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (t IngestToken, err error) {
		var at int64
		err = r.Scan(&t.ID, &t.Cluster, &t.Kind, &at)
		t.CreatedAt = fromUnix(at)
		return t, err
	}, `SELECT substr(token_hash, 1, ?), cluster_id, kind, created_at FROM ingest_tokens ORDER BY cluster_id, kind, created_at`, tokenID)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return out, nil
}

// RevokeIngestToken ends a token by its id: it is refused from now on.
func (s *Store) RevokeIngestToken(ctx context.Context, id string) error {
	return s.change(ctx, `DELETE FROM ingest_tokens WHERE substr(token_hash, 1, ?) = ?`, tokenID, id)
}
