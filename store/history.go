package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// PathFilter says which resolved paths to list; empty fields other than Within
// ask for nothing.
type PathFilter struct {
	// Within is where to look: for paths that touch any of it.
	Within                                          []Tenancy
	Cluster, Type, Namespace, Entity, Vulnerability string
	Risks                                           []string
	// Words are parts of title or names, all of which must be there.
	Words []string
	// Since is when it was resolved at the earliest.
	Since time.Time
}

// where is of resolved paths whose newest life that is.
func (f PathFilter) where() condition {
	var c condition
	c.add(`p.resolved_at >= ? AND NOT EXISTS (SELECT 1 FROM paths q
		WHERE q.cluster_id = p.cluster_id AND q.id = p.id AND q.opened_at > p.opened_at)`, unix(f.Since))
	c.within(f.Within, "p.cluster_id", touching("p.namespaces"))
	c.equal("p.cluster_id", f.Cluster)
	c.equal("p.type", f.Type)
	c.equal("p.namespace", f.Namespace)
	if f.Entity != "" {
		c.like("p.things", "\n"+f.Entity+"\n")
	}
	if f.Vulnerability != "" {
		c.like("p.vulnerabilities", "\n"+f.Vulnerability+"\n")
	}
	oneOf(&c, "p.risk", f.Risks)
	for _, w := range f.Words {
		c.like("p.words", strings.ToLower(w))
	}
	return c
}

const ofPaths = ` FROM paths p JOIN clusters c ON c.cluster_id = p.cluster_id WHERE `

// CountResolved counts resolved paths.
func (s *Store) CountResolved(ctx context.Context, f PathFilter) (n int, err error) {
	c := f.where()
	if err := s.db.QueryRowContext(ctx, `SELECT count(*)`+ofPaths+c.all(), c.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count resolved paths: %w", err)
	}
	return n, nil
}

// ResolvedPaths lists resolved paths, worst first. Next is the cursor of the page
// that follows, "" after the last one.
func (s *Store) ResolvedPaths(ctx context.Context, f PathFilter, cursor string, limit int) (page []PathLife, next string, err error) {
	c := f.where()
	if cursor != "" {
		k, err := readCursor[pathKey](cursor)
		if err != nil {
			return nil, "", err
		}
		c.add(`(p.risk_score < ? OR p.risk_score = ? AND (p.title > ? OR p.title = ? AND (p.cluster_id > ? OR p.cluster_id = ? AND p.id > ?)))`,
			k.Score, k.Score, k.Title, k.Title, k.Cluster, k.Cluster, k.ID)
	}
	var keys []pathKey
	page, err = rowsOf(ctx, s.db, func(r *sql.Rows) (PathLife, error) {
		var k pathKey
		l, err := scanLife(prefixed{r, []any{&k.Score, &k.Title}})
		k.Cluster, k.ID = l.Cluster, l.ID
		keys = append(keys, k)
		return l, err
	}, `SELECT p.risk_score, p.title, `+lifeColumns+ofPaths+c.all()+
		` ORDER BY p.risk_score DESC, p.title, p.cluster_id, p.id LIMIT ?`, append(c.args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list resolved paths: %w", err)
	}
	if len(page) > limit {
		page, next = page[:limit], writeCursor(keys[limit-1])
	}
	return page, next, nil
}

// pathKey is where a path stands in the list.
type pathKey struct {
	Score              int
	Title, Cluster, ID string
}

// ResolvedPath is the newest life of a path, if that is resolved.
func (s *Store) ResolvedPath(ctx context.Context, cluster, id string) (PathLife, error) {
	page, err := rowsOf(ctx, s.db, scanLifeRow,
		`SELECT `+lifeColumns+ofPaths+`p.cluster_id = ? AND p.id = ? ORDER BY p.opened_at DESC LIMIT 1`, cluster, id)
	if err != nil {
		return PathLife{}, fmt.Errorf("read path %s: %w", id, err)
	}
	if len(page) == 0 || page[0].Status != Resolved {
		return PathLife{}, fmt.Errorf("path %s of %s: %w", id, cluster, ErrNotFound)
	}
	return page[0], nil
}

// PathEvent is a moment in the history of a path.
type PathEvent struct {
	At   time.Time
	What string
}

// PathHistory lists what happened to a path, oldest first, all lives.
func (s *Store) PathHistory(ctx context.Context, cluster, id string) ([]PathEvent, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (e PathEvent, err error) {
		var at int64
		err = r.Scan(&at, &e.What)
		e.At = fromUnix(at)
		return e, err
	}, `SELECT at, what FROM path_history WHERE cluster_id = ? AND id = ? ORDER BY at, version LIMIT 1000`, cluster, id)
	if err != nil {
		return nil, fmt.Errorf("read path history: %w", err)
	}
	return out, nil
}
