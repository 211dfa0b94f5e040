package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

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
