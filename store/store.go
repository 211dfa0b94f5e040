// Package store keeps what must outlive the process: image inventories and the
// queue of images to read, connected registries, the
// lives of attack paths, sign-in sessions. The facts of a cluster never come
// here: the cluster is their truth, and their saved copy is a dump file.
//
// It is a file of SQLite or a database of PostgreSQL: the same schema and the same
// statements, which a dialect translates where the two differ.
//
// Durability: every write is one transaction, and what a method returned from
// survives both kill -9 and power loss, as far as the disk honours fsync. SQLite
// runs with synchronous=FULL in write-ahead mode, PostgreSQL with synchronous_commit.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// ErrNotFound says that nothing is stored under that name.
var ErrNotFound = errors.New("not found")

// Store is an open database. Its methods are for any goroutine.
type Store struct {
	db *sql.DB
	dialect
	// turn is whose transaction it is: as many at once as the database takes.
	turn *semaphore.Weighted
	// server is the name of whose sessions these are, see For.
	server string
	// written counts rows of histories since the last Sweep.
	written *atomic.Int64
}

// Open opens the store at where and brings its schema up to date: a database of
// PostgreSQL if it begins with postgres:// or postgresql://, else a file of SQLite,
// which is made if it is missing. A schema from a newer Breakwater is refused.
func Open(ctx context.Context, where string) (*Store, error) {
	open, name := openSQLite, Name(where)
	if isPostgres(where) {
		open = openPostgres
	}
	s, err := open(ctx, where)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", name, err)
	}
	err = s.migrate(ctx)
	if err == nil {
		err = s.makeAhead(ctx, time.Now())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", name, err), s.Close())
	}
	return s, nil
}

// Name is where a store is as people may see it: without a password.
func Name(where string) string {
	if isPostgres(where) {
		return redact(where)
	}
	return where
}

// Close waits for running statements and closes the database.
func (s *Store) Close() error { return s.db.Close() }

// write runs do in a transaction, and again if another transaction changed what it
// read (PostgreSQL only; SQLite lets one write at a time): do must begin anew each
// time. A decision over rows that do reads and does not change is not protected.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	return tried(ctx, s.again, func() error { return s.once(ctx, s.transaction, do) })
}

// tries is how often something is done again that met another's doing.
const tries = 30

func tried(ctx context.Context, again func(error) bool, do func() error) (err error) {
	for n := range tries {
		if err = do(); !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(rand.Int64N(int64(n+1) * int64(5*time.Millisecond)))):
		}
	}
	return err
}

func (s *Store) once(ctx context.Context, how *sql.TxOptions, do func(*sql.Tx) error) error {
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer s.turn.Release(1)
	tx, err := s.db.BeginTx(ctx, how)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func unix(t time.Time) int64 { return t.UnixMilli() }

func fromUnix(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
