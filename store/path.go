package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
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

// FoundPath is a path as an analysis found it. Body is its JSON; what of it can
// be searched is kept in columns of its own, see searched.
type FoundPath struct {
	ID   string
	Body []byte
	// Before is the id that the path had while less was known of it, if any: a life under
	// it goes on under ID.
	Before string

	hash  string
	later func() ([]byte, error) // makes the body where it is not held
}

// body is what is written of a path: its JSON, and what of it is searched.
type body struct {
	text   string
	values []any
}

// FoundLater is a found path whose body is made to know it and again if it is written: those
// of a large cluster are a gigabyte together, and most are stored already.
func FoundLater(id, before string, body func() ([]byte, error)) (FoundPath, error) {
	b, err := body()
	if err != nil {
		return FoundPath{}, fmt.Errorf("write path %s: %w", id, err)
	}
	return FoundPath{ID: id, Before: before, hash: bodyHash(b), later: body}, nil
}

// Again is the path where it was found again, word for word: its body is not made to know it.
func (p FoundPath) Again(body func() ([]byte, error)) FoundPath {
	p.later = body
	return p
}

func (p FoundPath) known() string { return cmp.Or(p.hash, bodyHash(p.Body)) }

func (p FoundPath) body(cluster string) (b body, err error) {
	held := p.Body
	if p.later != nil {
		if held, err = p.later(); err != nil {
			return b, fmt.Errorf("write path %s: %w", p.ID, err)
		}
	}
	b.text = string(held)
	b.values, err = searchedOf(cluster, p.ID, held)
	return b, err
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
	// Body is what the analysis said last; nil in what Apply returns.
	Body []byte
}

// Analysis is one cluster's result, ready to be applied.
type Analysis struct {
	Cluster string
	// Version grows with each analysis of a cluster; an older one is ignored.
	Version uint64
	At      time.Time
	Paths   []FoundPath
	// Hold says why a path that is absent now must not be called resolved, or
	// "" if it is really gone.
	Hold func(id string) string
}

// Applied counts what Apply changed.
type Applied struct{ Opened, Resolved, Staled, Revived, Changed int }

// Apply moves the lives of one cluster's paths: new ones open, missing ones
// resolve or become stale. It returns the lives that are open then. Applying the
// same analysis twice changes nothing, and a path that did not change is not written.
func (s *Store) Apply(ctx context.Context, a Analysis) (done Applied, open []PathLife, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		done, open = Applied{}, nil
		lives, err := openPaths(ctx, tx, a.Cluster)
		if err != nil {
			return err
		}
		var have uint64
		if err := tx.QueryRowContext(ctx, clusterVersion, a.Cluster).Scan(&have); err != nil {
			return err
		}
		if have <= a.Version {
			if err := setSynced(ctx, tx, a.Cluster, a.Version, a.At); err != nil {
				return err
			}
			if done, err = a.apply(ctx, tx, lives); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(lives)) {
			open = append(open, lives[id].life(a.Cluster, id, a.At))
		}
		return nil
	})
	if err != nil {
		return Applied{}, nil, fmt.Errorf("store paths of %s: %w", a.Cluster, err)
	}
	s.written.Add(int64(done.Opened + done.Resolved + done.Staled + done.Revived))
	return done, open, nil
}

func setSynced(ctx context.Context, tx *sql.Tx, cluster string, version uint64, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO clusters (cluster_id, version, synced_at) VALUES (?, ?, ?)
		ON CONFLICT (cluster_id) DO UPDATE SET version = excluded.version, synced_at = excluded.synced_at`, cluster, version, unix(at))
	return err
}

// clusterVersion is 0 for a cluster that nothing was applied to.
const clusterVersion = `SELECT coalesce(max(version), 0) FROM clusters WHERE cluster_id = ?`

// ClusterVersion is the version last applied, so that a restart goes on from it.
func (s *Store) ClusterVersion(ctx context.Context, cluster string) (uint64, error) {
	var v uint64
	err := s.db.QueryRowContext(ctx, clusterVersion, cluster).Scan(&v)
	return v, err
}

// Synced records that a cluster was seen whole at a moment and nothing changed.
func (s *Store) Synced(ctx context.Context, cluster string, at time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE clusters SET synced_at = ? WHERE cluster_id = ?`, unix(at), cluster)
	return err
}

// openPath is a row of an open life.
type openPath struct {
	opened int64
	hash   string
	stale  string
}

func (p openPath) life(cluster, id string, synced time.Time) PathLife {
	l := PathLife{Cluster: cluster, ID: id, Status: Active, StaleReason: p.stale, FirstSeen: fromUnix(p.opened), LastSeen: synced}
	if p.stale != "" {
		l.Status = Stale
	}
	return l
}

func openPaths(ctx context.Context, tx *sql.Tx, cluster string) (map[string]openPath, error) {
	open := map[string]openPath{}
	_, err := rowsOf(ctx, tx, func(r *sql.Rows) (p openPath, err error) {
		var id string
		err = r.Scan(&id, &p.opened, &p.hash, &p.stale)
		open[id] = p
		return p, err
	}, `SELECT id, opened_at, hash, stale FROM paths WHERE cluster_id = ? AND resolved_at IS NULL`, cluster)
	return open, err
}

// apply moves the open lives and leaves in open those that are open then.
func (a Analysis) apply(ctx context.Context, tx *sql.Tx, open map[string]openPath) (done Applied, err error) {
	found := map[string]bool{}
	for _, p := range a.Paths {
		found[p.ID] = true
	}
	var told []news
	for _, p := range a.Paths {
		_, taken := open[p.ID]
		if life, there := open[p.Before]; there && !found[p.Before] && !taken {
			if err := a.goesOn(ctx, tx, p, life); err != nil {
				return done, err
			}
			open[p.ID] = life
			delete(open, p.Before)
		}
		old, known := open[p.ID]
		now := openPath{opened: old.opened, hash: p.known()}
		switch {
		case !known:
			now.opened = unix(a.At)
			done.Opened++
			told = append(told, news{p, now, "opened"})
		case old.stale != "":
			done.Revived++
			told = append(told, news{p, now, "seen again"})
		case old.hash != now.hash:
			done.Changed++
			told = append(told, news{p, now, ""})
		}
		open[p.ID] = now
	}
	if err := a.tell(ctx, tx, told); err != nil {
		return done, err
	}
	for id, old := range open {
		if found[id] {
			continue
		}
		if err := a.absent(ctx, tx, id, old, open, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

// news is a path that is written, and what happened to it in its history.
type news struct {
	path FoundPath
	life openPath
	what string
}

// atOnce is how many bodies are made at once: those of a large cluster are a gigabyte together.
const atOnce = 256

// tell writes paths, whose bodies are made beside each other.
func (a Analysis) tell(ctx context.Context, tx *sql.Tx, all []news) error {
	for part := range slices.Chunk(all, atOnce) {
		bodies := make([]body, len(part))
		var making errgroup.Group
		making.SetLimit(runtime.GOMAXPROCS(0))
		for i, n := range part {
			making.Go(func() (err error) {
				bodies[i], err = n.path.body(a.Cluster)
				return err
			})
		}
		if err := making.Wait(); err != nil {
			return err
		}
		for i, n := range part {
			write := bodies[i].update
			if n.what == "opened" {
				write = bodies[i].insert
			}
			if err := write(ctx, tx, a.Cluster, n.path.ID, n.life); err != nil {
				return err
			}
			if n.what != "" {
				if err := a.event(ctx, tx, n.path.ID, n.what); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// goesOn gives the open life that a path had under its id of before the id that it has now.
func (a Analysis) goesOn(ctx context.Context, tx *sql.Tx, p FoundPath, life openPath) error {
	return errors.Join(
		run(ctx, tx, `UPDATE paths SET id = ? WHERE cluster_id = ? AND id = ? AND opened_at = ?`, p.ID, a.Cluster, p.Before, life.opened),
		run(ctx, tx, `UPDATE path_history SET id = ? WHERE cluster_id = ? AND id = ? AND at >= ?`, p.ID, a.Cluster, p.Before, life.opened),
		a.event(ctx, tx, p.ID, "known better"))
}

// absent resolves a path that was not found, or says why it is only stale.
func (a Analysis) absent(ctx context.Context, tx *sql.Tx, id string, old openPath, open map[string]openPath, done *Applied) error {
	why := ""
	if a.Hold != nil {
		why = a.Hold(id)
	}
	switch {
	case why == "":
		done.Resolved++
		delete(open, id)
		return errors.Join(
			run(ctx, tx, `UPDATE paths SET resolved_at = ?, stale = '' WHERE cluster_id = ? AND id = ? AND opened_at = ?`,
				unix(a.At), a.Cluster, id, old.opened),
			a.event(ctx, tx, id, "resolved"))
	case why == old.stale:
		return nil
	}
	done.Staled++
	open[id] = openPath{opened: old.opened, hash: old.hash, stale: why}
	return errors.Join(
		run(ctx, tx, `UPDATE paths SET stale = ? WHERE cluster_id = ? AND id = ? AND opened_at = ?`, why, a.Cluster, id, old.opened),
		a.event(ctx, tx, id, "stale: "+why))
}

func (a Analysis) event(ctx context.Context, tx *sql.Tx, id, what string) error {
	return run(ctx, tx, `INSERT INTO path_history (cluster_id, id, at, version, what) VALUES (?, ?, ?, ?, ?)`,
		a.Cluster, id, unix(a.At), a.Version, what)
}

func run(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

const lifeColumns = `p.cluster_id, p.id, p.opened_at, p.resolved_at, p.stale, p.body, c.synced_at`

// OpenPaths lists the open lives of a cluster's paths, with what was last found.
func (s *Store) OpenPaths(ctx context.Context, cluster string) ([]PathLife, error) {
	out, err := rowsOf(ctx, s.db, scanLifeRow, `SELECT `+lifeColumns+` FROM paths p JOIN clusters c ON c.cluster_id = p.cluster_id
		WHERE p.cluster_id = ? AND p.resolved_at IS NULL ORDER BY p.id`, cluster)
	if err != nil {
		return nil, fmt.Errorf("list open paths of %s: %w", cluster, err)
	}
	return out, nil
}

func scanLifeRow(rows *sql.Rows) (PathLife, error) { return scanLife(rows) }

func scanLife(row interface{ Scan(...any) error }) (PathLife, error) {
	var l PathLife
	var opened, synced int64
	var resolved sql.NullInt64
	if err := row.Scan(&l.Cluster, &l.ID, &opened, &resolved, &l.StaleReason, &l.Body, &synced); err != nil {
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
