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

// For is the store as one server has it: links and sessions that are made through it are of use through it
// alone. A server without TLS has a new name at each start. Whoever holds its port in between may have been
// shown what people had of the last one.
func (s *Store) For(server string) *Store {
	own := *s
	own.server = server
	return &own
}

// NewSignIn makes a token that can be exchanged once for a session. Scope says what
// the session may see, in words of the caller; person is for whom it is made.
func (s *Store) NewSignIn(ctx context.Context, valid time.Duration, scope, person string) (string, error) {
	return s.insertToken(ctx, signIn, valid, scope, person)
}

func (s *Store) insertToken(ctx context.Context, kind string, valid time.Duration, scope, person string) (string, error) {
	token, now := newToken(), time.Now()
	_, err := s.db.ExecContext(ctx, `INSERT INTO sessions (token_hash, kind, created_at, expires_at, scope, person, server)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, hashToken(token), kind, unix(now), unix(now.Add(valid)), scope, person, s.server)
	if err != nil {
		return "", fmt.Errorf("make %s token: %w", kind, err)
	}
	return token, nil
}

// SignIn exchanges a sign-in token for a session token. ErrNotFound means that
// the token is wrong, used or too old; which one is nobody's business.
func (s *Store) SignIn(ctx context.Context, token string, lasts time.Duration) (string, error) {
	var scope, person string
	// It is looked for before it is taken: who guesses makes nobody wait who writes.
	const valid = ` FROM sessions WHERE token_hash = ? AND kind = ? AND expires_at > ? AND server = ?`
	key := []any{hashToken(token), signIn, unix(time.Now()), s.server}
	err := s.db.QueryRowContext(ctx, `SELECT scope`+valid, key...).Scan(&scope)
	if err == nil {
		err = s.db.QueryRowContext(ctx, `DELETE`+valid+` RETURNING scope, person`, key...).Scan(&scope, &person)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return s.insertToken(ctx, session, lasts, scope, person)
}

// Session is somebody who is signed in.
type Session struct {
	Until time.Time
	// Scope is what they may see, in words of who made the sign-in.
	Scope string
	// Person is for whom the sign-in was made, as its maker said; empty if before that was asked.
	Person string
}

// Session is whose a session token is, while it is valid.
func (s *Store) Session(ctx context.Context, token string) (Session, error) {
	var until int64
	var out Session
	err := s.db.QueryRowContext(ctx, `SELECT expires_at, scope, person FROM sessions WHERE token_hash = ? AND kind = ? AND expires_at > ?
		AND server = ?`, hashToken(token), session, unix(time.Now()), s.server).Scan(&until, &out.Scope, &out.Person)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNotFound
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	out.Until = fromUnix(until)
	return out, nil
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
