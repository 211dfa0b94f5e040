// Package store keeps what must outlive the process: image inventories, the
// lives of attack paths, sign-in sessions. The facts of a cluster never come
// here: the cluster is their truth, and their saved copy is a dump file.
//
// Durability: every write is one transaction with synchronous=FULL in
// write-ahead mode, so what a method returned from survives both kill -9 and
// power loss, as far as the disk honours fsync.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver registers itself; database/sql knows no other way
)

// ErrNotFound says that nothing is stored under that name.
var ErrNotFound = errors.New("not found")

// Store is an open database. Its methods are for any goroutine.
type Store struct{ db *sql.DB }

// Open opens or creates the SQLite database in file and brings its schema up
// to date. A schema from a newer Breakwater is refused.
func Open(ctx context.Context, file string) (*Store, error) {
	dsn := "file:" + url.PathEscape(file) + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(ON)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", file, err)
	}
	// One writer is all SQLite has; more connections only wait for each other.
	db.SetMaxOpenConns(4)
	s := &Store{db}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", file, err), db.Close())
	}
	return s, nil
}

// Close waits for running statements and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// migrations are applied in order and never edited once released.
var migrations = []string{
	`CREATE TABLE images (
		id          TEXT PRIMARY KEY,
		state       TEXT NOT NULL,
		error       TEXT NOT NULL DEFAULT '',
		reference   TEXT NOT NULL,
		inventory   BLOB,
		updated_at  INTEGER NOT NULL
	);
	CREATE TABLE layers (
		id          TEXT PRIMARY KEY,
		inventory   BLOB NOT NULL,
		updated_at  INTEGER NOT NULL
	);
	CREATE TABLE clusters (
		cluster_id  TEXT PRIMARY KEY,
		version     INTEGER NOT NULL,
		synced_at   INTEGER NOT NULL
	);
	CREATE TABLE paths (
		cluster_id  TEXT NOT NULL,
		id          TEXT NOT NULL,
		opened_at   INTEGER NOT NULL,
		resolved_at INTEGER,
		stale       TEXT NOT NULL DEFAULT '',
		hash        TEXT NOT NULL,
		body        TEXT NOT NULL,
		PRIMARY KEY (cluster_id, id, opened_at)
	);
	CREATE INDEX paths_open ON paths (cluster_id, resolved_at);
	CREATE INDEX paths_id ON paths (id);
	CREATE TABLE path_events (
		cluster_id  TEXT NOT NULL,
		id          TEXT NOT NULL,
		at          INTEGER NOT NULL,
		what        TEXT NOT NULL
	);
	CREATE INDEX path_events_id ON path_events (cluster_id, id, at);
	CREATE TABLE sessions (
		token_hash  TEXT PRIMARY KEY,
		kind        TEXT NOT NULL,
		created_at  INTEGER NOT NULL,
		expires_at  INTEGER NOT NULL
	);`,
	eventTables,
	`CREATE TABLE sensor_runs (
		cluster_id  TEXT NOT NULL,
		node        TEXT NOT NULL,
		boot        TEXT NOT NULL,
		last_at     INTEGER NOT NULL,
		received    TEXT NOT NULL,
		PRIMARY KEY (cluster_id, node, boot)
	);
	CREATE INDEX sensor_runs_last ON sensor_runs (cluster_id, last_at);`,
}

// eventTables are for what the second pipeline keeps: who may send, who
// watches, what was found.
const eventTables = `
	CREATE TABLE ingest_tokens (
		token_hash  TEXT PRIMARY KEY,
		cluster_id  TEXT NOT NULL,
		kind        TEXT NOT NULL,
		created_at  INTEGER NOT NULL
	);
	CREATE TABLE sensors (
		cluster_id  TEXT NOT NULL,
		node        TEXT NOT NULL,
		seen_at     INTEGER NOT NULL,
		status      TEXT NOT NULL,
		PRIMARY KEY (cluster_id, node)
	);
	CREATE TABLE alerts (
		cluster_id  TEXT NOT NULL,
		id          TEXT NOT NULL,
		rule        TEXT NOT NULL,
		severity    TEXT NOT NULL,
		status      TEXT NOT NULL,
		reason      TEXT NOT NULL DEFAULT '',
		first_seen  INTEGER NOT NULL,
		last_seen   INTEGER NOT NULL,
		count       INTEGER NOT NULL,
		body        TEXT NOT NULL,
		PRIMARY KEY (cluster_id, id)
	);
	CREATE INDEX alerts_last_seen ON alerts (last_seen, cluster_id, id);
	CREATE TABLE alert_events (
		cluster_id  TEXT NOT NULL,
		alert_id    TEXT NOT NULL,
		event_id    TEXT NOT NULL,
		PRIMARY KEY (cluster_id, alert_id, event_id)
	);`

func (s *Store) migrate(ctx context.Context) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)`); err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		var have int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&have); err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		if have > len(migrations) {
			return fmt.Errorf("schema version %d is newer than this program's %d: use the newer program", have, len(migrations))
		}
		for v := have; v < len(migrations); v++ {
			if _, err := tx.ExecContext(ctx, migrations[v]); err != nil {
				return fmt.Errorf("migrate to version %d: %w", v+1, err)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES (?)`, v+1); err != nil {
				return fmt.Errorf("migrate to version %d: %w", v+1, err)
			}
		}
		return nil
	})
}

func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
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
