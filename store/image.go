package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ImageState is where the assessment of an image stands. Inventory is opaque
// bytes of the image package's making.
type ImageState struct {
	ID, Reference string
	State         string // queued, scanning, failed, unsupported, done
	Error         string
	Inventory     []byte
	UpdatedAt     time.Time
}

// PutImage saves an image's state; an inventory once saved is kept when a
// later state carries none.
func (s *Store) PutImage(ctx context.Context, i ImageState) error {
	if err := s.write(ctx, func(tx *sql.Tx) error { return putImage(ctx, tx, i) }); err != nil {
		return fmt.Errorf("store image %s: %w", i.ID, err)
	}
	return nil
}

func putImage(ctx context.Context, tx *sql.Tx, i ImageState) error {
	return run(ctx, tx, `INSERT INTO images (id, state, error, reference, inventory, updated_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, error = excluded.error, reference = excluded.reference,
		inventory = coalesce(excluded.inventory, images.inventory), updated_at = excluded.updated_at`,
		i.ID, i.State, i.Error, i.Reference, i.Inventory, unix(i.UpdatedAt))
}

// Image reads one image's state.
func (s *Store) Image(ctx context.Context, id string) (ImageState, error) {
	var i ImageState
	var at int64
	err := s.db.QueryRowContext(ctx, `SELECT id, state, error, reference, inventory, updated_at FROM images WHERE id = ?`, id).
		Scan(&i.ID, &i.State, &i.Error, &i.Reference, &i.Inventory, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return i, ErrNotFound
	}
	i.UpdatedAt = fromUnix(at)
	return i, err
}

// Images yields every image's state, one at a time: inventories are big.
func (s *Store) Images(ctx context.Context, yield func(ImageState) error) error {
	rows, err := s.db.QueryContext(ctx, `SELECT id, state, error, reference, inventory, updated_at FROM images ORDER BY id`)
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i ImageState
		var at int64
		if err := rows.Scan(&i.ID, &i.State, &i.Error, &i.Reference, &i.Inventory, &at); err != nil {
			return fmt.Errorf("list images: %w", err)
		}
		i.UpdatedAt = fromUnix(at)
		if err := yield(i); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Layer reads a layer's inventory by the key the image package gives it.
func (s *Store) Layer(ctx context.Context, id string) ([]byte, error) {
	var b []byte
	err := s.db.QueryRowContext(ctx, `SELECT inventory FROM layers WHERE id = ?`, id).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return b, err
}

// PutLayer saves a layer's inventory.
func (s *Store) PutLayer(ctx context.Context, id string, inventory []byte) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO layers (id, inventory, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET inventory = excluded.inventory, updated_at = excluded.updated_at`, id, inventory, unix(time.Now()))
	if err != nil {
		return fmt.Errorf("store layer %s: %w", id, err)
	}
	return nil
}
