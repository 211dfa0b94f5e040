package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

// Unheard lists images that were read from those registries, and beside which nobody looked since a time: the most urgent first.
func (s *Store) Unheard(ctx context.Context, host string, since time.Time, limit int) ([]assess.Record, error) {
	return rowsOf(ctx, s.db, func(r *sql.Rows) (a assess.Record, err error) { return a, r.Scan(&a.ID, &a.Reference, &a.Host) },
		`SELECT i.id, i.reference, i.host FROM images i WHERE i.host = ? AND i.inventory IS NOT NULL
			AND (i.wanted > 0 OR EXISTS (SELECT 1 FROM registry_tags t WHERE t.digest = i.id))
			AND NOT EXISTS (SELECT 1 FROM image_documents d WHERE d.id = i.id AND d.host = i.host AND d.asked_at > ?)
			ORDER BY i.wanted DESC, i.id LIMIT ?`, host, unix(since), limit)
}

// PutDocuments keeps what was found beside an image, which may be nothing, and says whether it is something else than before.
func (s *Store) PutDocuments(ctx context.Context, id, host string, at time.Time, documents []byte) (changed bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var before []byte
		err := tx.QueryRowContext(ctx, `SELECT documents FROM image_documents WHERE id = ?`, id).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		changed = !bytes.Equal(before, documents)
		return run(ctx, tx, `INSERT INTO image_documents (id, host, asked_at, documents) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET host = excluded.host, asked_at = excluded.asked_at, documents = excluded.documents`,
			id, host, unix(at), documents)
	})
	if err != nil {
		return false, fmt.Errorf("store what is beside image %s: %w", id, err)
	}
	return changed, nil
}

// Documents is what was found beside an image, and in which registry; empty if nothing was.
func (s *Store) Documents(ctx context.Context, id string) (host string, documents []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT host, documents FROM image_documents WHERE id = ?`, id).Scan(&host, &documents)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("read what is beside image %s: %w", id, err)
	}
	return host, documents, nil
}

// ForgetDocuments forgets what was found in registries that are not among those, and says beside which images.
func (s *Store) ForgetDocuments(ctx context.Context, but map[string]bool) (ids []string, err error) {
	type row struct{ id, host string }
	all, err := rowsOf(ctx, s.db, func(r *sql.Rows) (o row, err error) { return o, r.Scan(&o.id, &o.host) },
		`SELECT id, host FROM image_documents`)
	if err != nil {
		return nil, fmt.Errorf("list what is beside images: %w", err)
	}
	for _, o := range all {
		if but[o.host] {
			continue
		}
		if err := s.write(ctx, func(tx *sql.Tx) error { return run(ctx, tx, `DELETE FROM image_documents WHERE id = ?`, o.id) }); err != nil {
			return ids, fmt.Errorf("forget what is beside image %s: %w", o.id, err)
		}
		ids = append(ids, o.id)
	}
	return ids, nil
}
