package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

// ErrOften says that a token was used more often than it may be.
var ErrOften = errors.New("too many images were told of with this token within an hour")

// mostUploads is how many images one token may tell of within an hour.
const mostUploads = 600

const uploadColumns = `id, reference, told_by, token_id, platform, size, uploaded_at`

// PutUpload keeps what a build said is in an image, in place of what one said before.
func (s *Store) PutUpload(ctx context.Context, u assess.Upload) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM image_uploads WHERE token_id = ? AND uploaded_at > ?`, u.Token,
			unix(u.At.Add(-time.Hour))).Scan(&n); err != nil {
			return err
		}
		if n >= mostUploads {
			return ErrOften
		}
		return run(ctx, tx, `INSERT INTO image_uploads (`+uploadColumns+`, inventory) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET reference = excluded.reference, told_by = excluded.told_by, token_id = excluded.token_id,
			platform = excluded.platform, size = excluded.size, uploaded_at = excluded.uploaded_at, inventory = excluded.inventory`,
			u.ID, u.Reference, u.By, u.Token, u.Platform, u.Size, unix(u.At), u.Inventory)
	})
	if err != nil {
		return fmt.Errorf("store what a build said of image %s: %w", u.ID, err)
	}
	return nil
}

func scanUpload(row interface{ Scan(...any) error }, more ...any) (u assess.Upload, err error) {
	var at int64
	err = row.Scan(append([]any{&u.ID, &u.Reference, &u.By, &u.Token, &u.Platform, &u.Size, &at}, more...)...)
	u.At = fromUnix(at)
	return u, err
}

// Upload implements assess.Records, with the inventory.
func (s *Store) Upload(ctx context.Context, id string) (u assess.Upload, ok bool, err error) {
	var inventory []byte
	u, err = scanUpload(s.db.QueryRowContext(ctx, `SELECT `+uploadColumns+`, inventory FROM image_uploads WHERE id = ?`, id), &inventory)
	if errors.Is(err, sql.ErrNoRows) {
		return assess.Upload{}, false, nil
	}
	if err != nil {
		return assess.Upload{}, false, fmt.Errorf("read what a build said of image %s: %w", id, err)
	}
	u.Inventory = inventory
	return u, true, nil
}

// Uploads is all that builds told, by image, without the inventories.
func (s *Store) Uploads(ctx context.Context) (map[string]assess.Upload, error) {
	all, err := rowsOf(ctx, s.db, func(r *sql.Rows) (assess.Upload, error) { return scanUpload(r) },
		`SELECT `+uploadColumns+` FROM image_uploads`)
	if err != nil {
		return nil, fmt.Errorf("list what builds told: %w", err)
	}
	out := make(map[string]assess.Upload, len(all))
	for _, u := range all {
		out[u.ID] = u
	}
	return out, nil
}
