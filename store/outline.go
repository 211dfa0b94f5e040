package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Outline is what an image says of itself: when it was made, the zero time if it does not say, and for which platforms it is.
func (s *Store) Outline(ctx context.Context, digest string) (made time.Time, platforms []string, known bool, err error) {
	var at int64
	var of string
	err = s.db.QueryRowContext(ctx, `SELECT made, platforms FROM image_outlines WHERE digest = ?`, digest).Scan(&at, &of)
	if errors.Is(err, sql.ErrNoRows) {
		return made, nil, false, nil
	}
	if err != nil {
		return made, nil, false, fmt.Errorf("read what image %s says of itself: %w", digest, err)
	}
	if at != 0 {
		made = fromUnix(at)
	}
	return made, strings.Fields(of), true, nil
}

// PutOutline keeps it. What a digest stands for does not change; it is forgotten after a while, and asked again.
func (s *Store) PutOutline(ctx context.Context, digest string, made time.Time, platforms []string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return run(ctx, tx, `INSERT INTO image_outlines (digest, made, platforms, asked_at) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`,
			digest, maybe(made), strings.Join(platforms, " "), unix(time.Now()))
	})
	if err != nil {
		return fmt.Errorf("store what image %s says of itself: %w", digest, err)
	}
	return nil
}
