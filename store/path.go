package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Status is where an attack path is in its life.
type Status string

const (
	// Active paths were found in the cluster's latest facts.
	Active Status = "active"
	// Stale paths could not be judged again: something they depend on is not
	// visible at the moment. They count as open.
	Stale Status = "stale"
	// Resolved paths are gone although everything they depend on was seen.
	Resolved Status = "resolved"
)

// FoundPath is a path as an analysis found it. Body is its JSON.
type FoundPath struct {
	ID   string
	Body []byte
}

// PathLife is one life of a path, from opening to resolution.
type PathLife struct {
	Cluster, ID string
	Status      Status
	StaleReason string
	FirstSeen   time.Time
	// LastSeen of an open path is its cluster's last sync: nothing is written
	// while nothing changes.
	LastSeen time.Time
	Body     []byte
}

// Analysis is one cluster's result, ready to be applied.
type Analysis struct {
	Cluster string
	// Version grows with each analysis of a cluster; an older one is ignored.
	Version uint64
	At      time.Time
	Paths   []FoundPath
	// Hold says why a path that is absent now must not be called resolved, or
	// "" if it is really gone. It sees the stored body.
	Hold func(id string, body []byte) string
}

// Opened counts what Apply changed.
type Applied struct{ Opened, Resolved, Staled, Revived int }

// Apply moves the lives of one cluster's paths: new ones open, missing ones
// resolve or become stale. Applying the same analysis twice changes nothing.
func (s *Store) Apply(ctx context.Context, a Analysis) (Applied, error) {
	var done Applied
	err := s.write(ctx, func(tx *sql.Tx) error {
		done = Applied{}
		var have uint64
		err := tx.QueryRowContext(ctx, `SELECT version FROM clusters WHERE cluster_id = ?`, a.Cluster).Scan(&have)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if have > a.Version {
			return nil
		}
		if err := setSynced(ctx, tx, a.Cluster, a.Version, a.At); err != nil {
			return err
		}
		open, err := openPaths(ctx, tx, a.Cluster)
		if err != nil {
			return err
		}
		done, err = a.apply(ctx, tx, open)
		return err
	})
	if err != nil {
		return Applied{}, fmt.Errorf("store paths of %s: %w", a.Cluster, err)
	}
	return done, nil
}

func setSynced(ctx context.Context, tx *sql.Tx, cluster string, version uint64, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO clusters (cluster_id, version, synced_at) VALUES (?, ?, ?)
		ON CONFLICT (cluster_id) DO UPDATE SET version = excluded.version, synced_at = excluded.synced_at`, cluster, version, unix(at))
	return err
}

// ClusterVersion is the version last applied, so that a restart goes on from it.
func (s *Store) ClusterVersion(ctx context.Context, cluster string) (uint64, error) {
	var v uint64
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM clusters WHERE cluster_id = ?`, cluster).Scan(&v)
	return v, err
}

// Synced records that a cluster was seen whole at a moment and nothing changed.
func (s *Store) Synced(ctx context.Context, cluster string, at time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE clusters SET synced_at = ? WHERE cluster_id = ?`, unix(at), cluster)
	return err
}

type openPath struct {
	opened int64
	hash   string
	stale  string
	body   []byte
}

func openPaths(ctx context.Context, tx *sql.Tx, cluster string) (map[string]openPath, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, opened_at, hash, stale, body FROM paths WHERE cluster_id = ? AND resolved_at IS NULL`, cluster)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	open := map[string]openPath{}
	for rows.Next() {
		var id string
		var p openPath
		if err := rows.Scan(&id, &p.opened, &p.hash, &p.stale, &p.body); err != nil {
			return nil, err
		}
		open[id] = p
	}
	return open, rows.Err()
}

func (a Analysis) apply(ctx context.Context, tx *sql.Tx, open map[string]openPath) (Applied, error) {
	var done Applied
	for _, p := range a.Paths {
		old, known := open[p.ID]
		delete(open, p.ID)
		hash := bodyHash(p.Body)
		var err error
		switch {
		case !known:
			done.Opened++
			err = errors.Join(
				run(ctx, tx, `INSERT INTO paths (cluster_id, id, opened_at, hash, body) VALUES (?, ?, ?, ?, ?)`, a.Cluster, p.ID, unix(a.At), hash, string(p.Body)),
				a.event(ctx, tx, p.ID, "opened"))
		case old.hash != hash || old.stale != "":
			if old.stale != "" {
				done.Revived++
				err = a.event(ctx, tx, p.ID, "seen again")
			}
			err = errors.Join(err, run(ctx, tx, `UPDATE paths SET hash = ?, body = ?, stale = '' WHERE cluster_id = ? AND id = ? AND opened_at = ?`,
				hash, string(p.Body), a.Cluster, p.ID, old.opened))
		}
		if err != nil {
			return done, err
		}
	}
	for id, old := range open {
		why := ""
		if a.Hold != nil {
			why = a.Hold(id, old.body)
		}
		if why == old.stale && why != "" {
			continue
		}
		var err error
		if why != "" {
			done.Staled++
			err = errors.Join(
				run(ctx, tx, `UPDATE paths SET stale = ? WHERE cluster_id = ? AND id = ? AND opened_at = ?`, why, a.Cluster, id, old.opened),
				a.event(ctx, tx, id, "stale: "+why))
		} else {
			done.Resolved++
			err = errors.Join(
				run(ctx, tx, `UPDATE paths SET resolved_at = ?, stale = '' WHERE cluster_id = ? AND id = ? AND opened_at = ?`, unix(a.At), a.Cluster, id, old.opened),
				a.event(ctx, tx, id, "resolved"))
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (a Analysis) event(ctx context.Context, tx *sql.Tx, id, what string) error {
	return run(ctx, tx, `INSERT INTO path_history (cluster_id, id, at, version, what) VALUES (?, ?, ?, ?, ?)`, a.Cluster, id, unix(a.At), a.Version, what)
}

func run(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// PathLives lists the newest life of every path, open ones and those resolved
// after since.
func (s *Store) PathLives(ctx context.Context, since time.Time) ([]PathLife, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT p.cluster_id, p.id, p.opened_at, p.resolved_at, p.stale, p.body, c.synced_at
		FROM paths p JOIN clusters c ON c.cluster_id = p.cluster_id
		WHERE (p.resolved_at IS NULL OR p.resolved_at >= ?)
		  AND p.opened_at = (SELECT max(q.opened_at) FROM paths q WHERE q.cluster_id = p.cluster_id AND q.id = p.id)
		ORDER BY p.cluster_id, p.id`, unix(since))
	if err != nil {
		return nil, fmt.Errorf("list paths: %w", err)
	}
	defer rows.Close()
	var out []PathLife
	for rows.Next() {
		l, err := scanLife(rows)
		if err != nil {
			return nil, fmt.Errorf("list paths: %w", err)
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

func scanLife(rows *sql.Rows) (PathLife, error) {
	var l PathLife
	var opened, synced int64
	var resolved sql.NullInt64
	if err := rows.Scan(&l.Cluster, &l.ID, &opened, &resolved, &l.StaleReason, &l.Body, &synced); err != nil {
		return l, err
	}
	l.FirstSeen, l.LastSeen, l.Status = fromUnix(opened), fromUnix(synced), Active
	switch {
	case resolved.Valid:
		l.Status, l.LastSeen = Resolved, fromUnix(resolved.Int64)
	case l.StaleReason != "":
		l.Status = Stale
	}
	return l, nil
}

// pathHistoryTables has a key that a second writing of the same analysis meets again.
const pathHistoryTables = `
	CREATE TABLE path_history (
		cluster_id  TEXT NOT NULL,
		id          TEXT NOT NULL,
		at          INTEGER NOT NULL,
		version     INTEGER NOT NULL,
		what        TEXT NOT NULL,
		PRIMARY KEY (cluster_id, id, at, version)
	) PARTITION BY RANGE (at);
	INSERT INTO path_history (cluster_id, id, at, version, what)
		SELECT cluster_id, id, at, row_number() OVER (PARTITION BY cluster_id, id ORDER BY at), what FROM path_events;
	DROP TABLE path_events;`

// PathEvent is a moment in the history of a path.
type PathEvent struct {
	At   time.Time
	What string
}

// PathHistory lists what happened to a path, oldest first, all lives.
func (s *Store) PathHistory(ctx context.Context, cluster, id string) ([]PathEvent, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT at, what FROM path_history WHERE cluster_id = ? AND id = ? ORDER BY at, version LIMIT 1000`, cluster, id)
	if err != nil {
		return nil, fmt.Errorf("read path history: %w", err)
	}
	defer rows.Close()
	var out []PathEvent
	for rows.Next() {
		var at int64
		var e PathEvent
		if err := rows.Scan(&at, &e.What); err != nil {
			return nil, fmt.Errorf("read path history: %w", err)
		}
		e.At = fromUnix(at)
		out = append(out, e)
	}
	return out, rows.Err()
}
