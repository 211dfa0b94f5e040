package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Tokens are random and stored only as a hash: who reads the database cannot
// sign in with what is there.
const (
	signIn  = "sign-in" // works once
	session = "session"
)

func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// NewSignIn makes a token that can be exchanged once for a session.
func (s *Store) NewSignIn(ctx context.Context, valid time.Duration) (string, error) {
	return s.insertToken(ctx, signIn, valid)
}

func (s *Store) insertToken(ctx context.Context, kind string, valid time.Duration) (string, error) {
	token, now := newToken(), time.Now()
	_, err := s.db.ExecContext(ctx, `INSERT INTO sessions (token_hash, kind, created_at, expires_at) VALUES (?, ?, ?, ?)`,
		hashToken(token), kind, unix(now), unix(now.Add(valid)))
	if err != nil {
		return "", fmt.Errorf("make %s token: %w", kind, err)
	}
	return token, nil
}

// SignIn exchanges a sign-in token for a session token. ErrNotFound means that
// the token is wrong, used or too old; which one is nobody's business.
func (s *Store) SignIn(ctx context.Context, token string, valid time.Duration) (string, error) {
	res, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE token_hash = ? AND kind = ? AND expires_at > ?`,
		hashToken(token), signIn, unix(time.Now()))
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return "", errors.Join(ErrNotFound, err)
	}
	return s.insertToken(ctx, session, valid)
}

// Session says until when a session token is valid.
func (s *Store) Session(ctx context.Context, token string) (time.Time, error) {
	var until int64
	err := s.db.QueryRowContext(ctx, `SELECT expires_at FROM sessions WHERE token_hash = ? AND kind = ? AND expires_at > ?`,
		hashToken(token), session, unix(time.Now())).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, ErrNotFound
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read session: %w", err)
	}
	return fromUnix(until), nil
}

// SignOut ends a session.
func (s *Store) SignOut(ctx context.Context, token string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE token_hash = ? AND kind = ?`, hashToken(token), session)
	return err
}

// expire removes sessions and sign-in tokens that are no longer valid.
func (s *Store) expire(ctx context.Context, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, unix(now))
	return err
}
