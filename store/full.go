package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Full says that the database has no room on its disk: what was not committed for that can be
// tried again when there is.
func Full(err error) bool {
	var lite *driver.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_FULL || lite.Code() == sqlite3.SQLITE_IOERR_SHMSIZE // to share its memory it needs a file
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100" // disk_full
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// probed is the row of table_sizes that Probe writes.
const probed = "a write that was tried"

// Probe writes something that nobody reads: nil says that the database takes writes.
func (s *Store) Probe(ctx context.Context) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return run(ctx, tx, `INSERT INTO table_sizes (name, at, row_count, bytes) VALUES (?, 0, 0, ?)
			ON CONFLICT (name, at) DO UPDATE SET bytes = excluded.bytes`, probed, unix(time.Now()))
	})
	if err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	return nil
}
