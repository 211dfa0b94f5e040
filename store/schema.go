package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations are applied in order and never edited once released.
//
// To add one, write its statements as a constant beside the methods that use the
// tables, and its name at the end of this list. Write it for SQLite, with the types
// TEXT, INTEGER and BLOB only: they are and compared byte by byte on
// PostgreSQL too, where the dialect translates them. Each table has a primary key, whose
// first column is cluster_id if its rows belong to a cluster; one that has no cluster_id
// is named in schema_test.go, with the reason. What the test refuses (triggers, serial,
// foreign keys …) does not work on every database that speaks PostgreSQL's language.
var migrations = []string{
	firstTables,
	eventTables,
	sensorRunTables,
	registryTables,
	pathHistoryTables,
	retentionTables,
	analysedTables,
	oneImageTable,
	searchedTables,
	alertHeadTables,
	sessionScope,
	decisions,
	alertThingTables,
}

// fills give what a migration added to the rows that were there before it.
var fills = map[string]func(context.Context, *sql.Tx) error{searchedTables: fillSearched, alertHeadTables: fillAlertHeads,
	alertThingTables: fillAlertThings}

const firstTables = `
	CREATE TABLE images (
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
	);`

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

const sensorRunTables = `
	CREATE TABLE sensor_runs (
		cluster_id  TEXT NOT NULL,
		node        TEXT NOT NULL,
		boot        TEXT NOT NULL,
		last_at     INTEGER NOT NULL,
		received    TEXT NOT NULL,
		PRIMARY KEY (cluster_id, node, boot)
	);
	CREATE INDEX sensor_runs_last ON sensor_runs (cluster_id, last_at);`

// migrate is one transaction: of two servers that start at once, one waits for the
// other and then finds everything done: what it reads is what is there by then.
func (s *Store) migrate(ctx context.Context) error {
	return s.once(ctx, nil, func(tx *sql.Tx) error {
		if err := s.alone(ctx, tx); err != nil {
			return fmt.Errorf("wait for another server to migrate: %w", err)
		}
		have, err := schemaVersion(ctx, tx)
		if err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		if have > len(migrations) {
			return fmt.Errorf("schema version %d is newer than this program's %d: use the newer program", have, len(migrations))
		}
		for v := have; v < len(migrations); v++ {
			if _, err := tx.ExecContext(ctx, s.schema(migrations[v])); err != nil {
				return fmt.Errorf("migrate to version %d: %w", v+1, err)
			}
			if fill := fills[migrations[v]]; fill != nil {
				if err := fill(ctx, tx); err != nil {
					return fmt.Errorf("migrate to version %d: %w", v+1, err)
				}
			}
			if err := run(ctx, tx, `INSERT INTO schema_version (version) VALUES (?)`, v+1); err != nil {
				return fmt.Errorf("migrate to version %d: %w", v+1, err)
			}
		}
		return nil
	})
}

func schemaVersion(ctx context.Context, tx *sql.Tx) (have int, err error) {
	if err := run(ctx, tx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)`); err != nil {
		return 0, err
	}
	return have, tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&have)
}
