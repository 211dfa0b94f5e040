package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/registries"
)

// PutRegistry connects a registry or changes what is read of it.
func (s *Store) PutRegistry(ctx context.Context, r registries.Record) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO registries (host, origin, body, status) VALUES (?, ?, ?, ?)
		ON CONFLICT (host) DO UPDATE SET origin = excluded.origin, body = excluded.body`,
		r.Host, string(r.Origin), string(r.Body), string(r.Status))
	if err != nil {
		return fmt.Errorf("store registry %s: %w", r.Host, err)
	}
	return nil
}

// SetRegistryStatus writes how far the reading of a registry went.
func (s *Store) SetRegistryStatus(ctx context.Context, host string, status []byte) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE registries SET status = ? WHERE host = ?`, string(status), host); err != nil {
		return fmt.Errorf("store the status of registry %s: %w", host, err)
	}
	return nil
}

// DeleteRegistry forgets a registry and what it held.
func (s *Store) DeleteRegistry(ctx context.Context, host string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := run(ctx, tx, `DELETE FROM registries WHERE host = ?`, host); err != nil {
			return err
		}
		if err := run(ctx, tx, `DELETE FROM registry_tags WHERE host = ?`, host); err != nil {
			return err
		}
		return leave(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("forget registry %s: %w", host, err)
	}
	return nil
}

// remembered is how long an image stays in the queue that nothing holds any more and
// that was never read: what was read stays, and is not read again when it comes back.
const remembered = 30 * 24 * time.Hour

// leave takes from the queue what no registry holds and no cluster wants for long.
// What is still to be read and is held elsewhere too is read there, at once.
func leave(ctx context.Context, tx *sql.Tx) error {
	if err := run(ctx, tx, `UPDATE images SET (host, reference, next_try) = (
			SELECT t.host, t.host || '/' || t.repository || '@' || t.digest, 0 FROM registry_tags t WHERE t.digest = images.id
			ORDER BY t.host, t.repository, t.tag LIMIT 1)
		WHERE state IN (?, ?) AND wanted = 0 AND EXISTS (SELECT 1 FROM registry_tags t WHERE t.digest = images.id)
		AND NOT EXISTS (SELECT 1 FROM registry_tags t
		WHERE t.digest = images.id AND images.reference = t.host || '/' || t.repository || '@' || t.digest)`,
		assess.Queued, assess.Failed); err != nil {
		return err
	}
	return run(ctx, tx, `DELETE FROM images WHERE wanted = 0 AND inventory IS NULL AND updated_at < ?
		AND NOT EXISTS (SELECT 1 FROM registry_tags t WHERE t.digest = images.id)`,
		unix(time.Now().Add(-remembered)))
}

// Registries lists the connected registries by host.
func (s *Store) Registries(ctx context.Context) ([]registries.Record, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (g registries.Record, err error) {
		return g, r.Scan(&g.Host, &g.Origin, &g.Body, &g.Status)
	},
		`SELECT host, origin, body, status FROM registries ORDER BY host`)
}

// PutRepository replaces what is known of a repository's tags and queues the
// images that are new, at once: what was read of it need not be read again after
// a kill.
func (s *Store) PutRepository(ctx context.Context, host, repository string, tags []registries.Tag, images []assess.Record) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := run(ctx, tx, `DELETE FROM registry_tags WHERE host = ? AND repository = ?`, host, repository); err != nil {
			return err
		}
		put, err := tx.PrepareContext(ctx, `INSERT INTO registry_tags (host, repository, tag, digest) VALUES (?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer put.Close()
		for _, t := range tags {
			if _, err := put.ExecContext(ctx, host, repository, t.Name, t.Digest); err != nil {
				return err
			}
		}
		for _, i := range images { // how urgent the others are is not a registry's to say
			if err := enqueue(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store repository %s/%s: %w", host, repository, err)
	}
	return nil
}

// KeepRepositories forgets the repositories of a registry that are not among those
// it has, and takes what is gone from the queue.
func (s *Store) KeepRepositories(ctx context.Context, host string, has map[string]bool) error {
	have, err := rowsOf(ctx, s.db, func(r *sql.Rows) (n string, err error) { return n, r.Scan(&n) },
		`SELECT DISTINCT repository FROM registry_tags WHERE host = ?`, host)
	if err != nil {
		return fmt.Errorf("list repositories of %s: %w", host, err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		for _, repository := range have {
			if has[repository] {
				continue
			}
			if err := run(ctx, tx, `DELETE FROM registry_tags WHERE host = ? AND repository = ?`, host, repository); err != nil {
				return err
			}
		}
		return leave(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("forget repositories of %s: %w", host, err)
	}
	return nil
}

// Tags lists every tag of a registry by repository and name; of all registries if
// host is empty.
func (s *Store) Tags(ctx context.Context, host string) ([]registries.Tag, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (t registries.Tag, err error) {
		return t, r.Scan(&t.Host, &t.Repository, &t.Name, &t.Digest)
	},
		`SELECT host, repository, tag, digest FROM registry_tags WHERE host = ? OR ? = '' ORDER BY host, repository, tag`, host, host)
}

// RepositoryTags lists the tags of one repository by name.
func (s *Store) RepositoryTags(ctx context.Context, host, repository string) ([]registries.Tag, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (t registries.Tag, err error) {
		return t, r.Scan(&t.Host, &t.Repository, &t.Name, &t.Digest)
	},
		`SELECT host, repository, tag, digest FROM registry_tags WHERE host = ? AND repository = ? ORDER BY tag`, host, repository)
}

// RegistryCounts is how much of a registry there is, and how far its images are.
type RegistryCounts struct {
	Repositories, Tags int
	Images             map[string]int // by state
}

// CountRegistry counts what a registry holds.
func (s *Store) CountRegistry(ctx context.Context, host string) (c RegistryCounts, err error) {
	if err := s.db.QueryRowContext(ctx, `SELECT count(DISTINCT repository), count(*) FROM registry_tags WHERE host = ?`,
		host).Scan(&c.Repositories, &c.Tags); err != nil {
		return c, fmt.Errorf("count what registry %s holds: %w", host, err)
	}
	c.Images, err = counts(ctx, s.db,
		`SELECT q.state, count(*) FROM (SELECT DISTINCT digest FROM registry_tags WHERE host = ?) t JOIN images q ON q.id = t.digest
			GROUP BY q.state`, host)
	if err != nil {
		return c, fmt.Errorf("count images of registry %s: %w", host, err)
	}
	return c, nil
}

// RegistryImage is an image that a registry holds.
type RegistryImage struct {
	assess.Record
	// Name is its first repository:tag there.
	Name string
}

// RegistryFilter says which images of a registry to list; empty fields ask for nothing.
type RegistryFilter struct {
	Host, State string
	// Q is part of repository:tag, or the beginning of a digest.
	Q string
}

func (f RegistryFilter) where() condition {
	var c condition
	c.add(`t.host = ?`, f.Host)
	c.equal("q.state", f.State)
	if f.Q != "" {
		like := escapeLike(strings.ToLower(f.Q))
		c.add(`(lower(t.repository || ':' || t.tag) LIKE ? ESCAPE '\' OR t.digest LIKE ? ESCAPE '\')`, "%"+like+"%", like+"%")
	}
	return c
}

// registryKey is where an image stands in the list.
type registryKey struct{ Name, ID string }

// RegistryImages lists images of a registry by name. Next is the cursor of the
// page that follows, "" after the last one.
func (s *Store) RegistryImages(
	ctx context.Context, f RegistryFilter, cursor string, limit int,
) (page []RegistryImage, total int, next string, err error) {
	var k registryKey
	if cursor != "" {
		if k, err = readCursor[registryKey](cursor); err != nil {
			return nil, 0, "", err
		}
	}
	c := f.where()
	found := `(SELECT min(t.repository || ':' || t.tag) AS name, ` + qualified + ` FROM registry_tags t JOIN images q ON q.id = t.digest
		WHERE ` + c.all() + ` GROUP BY q.id) AS found`
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+found, c.args...).Scan(&total); err != nil {
		return nil, 0, "", fmt.Errorf("count images of registry %s: %w", f.Host, err)
	}
	page, err = rowsOf(ctx, s.db, scanRegistryImage,
		`SELECT name, `+imageColumns+` FROM `+found+` WHERE name > ? OR name = ? AND id > ? ORDER BY name, id LIMIT ?`,
		append(c.args, k.Name, k.Name, k.ID, limit+1)...)
	if err != nil {
		return nil, 0, "", fmt.Errorf("list images of registry %s: %w", f.Host, err)
	}
	if len(page) > limit {
		page = page[:limit]
		next = writeCursor(registryKey{page[limit-1].Name, page[limit-1].ID})
	}
	return page, total, next, nil
}

func scanRegistryImage(r *sql.Rows) (i RegistryImage, err error) {
	i.Record, err = scanImage(prefixed{r, []any{&i.Name}})
	return i, err
}

// prefixed scans more columns before the others.
type prefixed struct {
	rows  *sql.Rows
	first []any
}

func (p prefixed) Scan(to ...any) error { return p.rows.Scan(append(slices.Clip(p.first), to...)...) }

// Places is every tag of a registry that stands for an image.
func (s *Store) Places(ctx context.Context, host, id string) ([]registries.Tag, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (t registries.Tag, err error) {
		return t, r.Scan(&t.Host, &t.Repository, &t.Name, &t.Digest)
	},
		`SELECT host, repository, tag, digest FROM registry_tags WHERE digest = ? AND host = ? ORDER BY repository, tag`, id, host)
}

// qualified is imageColumns where another table has some of the same names.
var qualified = "q." + strings.ReplaceAll(imageColumns, ", ", ", q.")
