package store

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoFile says that the records are in no file: PostgreSQL has tools of its own (pg_dump).
var ErrNoFile = errors.New("the records are not in a file")

// CopyTo writes the records of one moment into a new file, while others read and write.
func (s *Store) CopyTo(ctx context.Context, file string) error {
	if s.name != sqlite.name {
		return ErrNoFile
	}
	if _, err := s.db.ExecContext(ctx, `VACUUM INTO ?`, file); err != nil {
		return fmt.Errorf("copy the records to %s: %w", file, err)
	}
	return nil
}

// Schema is the version of the records' schema, NewestSchema that of this program.
func (s *Store) Schema(ctx context.Context) (version int, err error) {
	if err := s.db.QueryRowContext(ctx, `SELECT max(version) FROM schema_version`).Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// NewestSchema is the version that Open brings a database to.
func NewestSchema() int { return len(migrations) }

// Check reads a file of SQLite through, and says what is wrong with it.
func (s *Store) Check(ctx context.Context) error {
	if s.name != sqlite.name {
		return ErrNoFile
	}
	var said string
	if err := s.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said); err != nil {
		return fmt.Errorf("check the records: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("the records are damaged: %s", said)
	}
	return nil
}
