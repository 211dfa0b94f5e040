package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Salt is what secrets that were left in images are hashed with. It is made when it is first wanted, and stays.
func (s *Store) Salt(ctx context.Context) (salt []byte, err error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // crypto/rand never fails: it ends the process instead
	_, err = s.db.ExecContext(ctx, `INSERT INTO secret_salt (id, salt) VALUES ('images', ?) ON CONFLICT (id) DO NOTHING`, fresh)
	err = errors.Join(err, s.db.QueryRowContext(ctx, `SELECT salt FROM secret_salt WHERE id = 'images'`).Scan(&salt))
	if err != nil {
		return nil, fmt.Errorf("read what secrets in images are hashed with: %w", err)
	}
	return salt, nil
}
