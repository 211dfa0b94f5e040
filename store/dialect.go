package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is where SQLite and PostgreSQL differ. Statements are written once, with ?
// for their arguments.
type dialect struct {
	name string
	// skipLocked ends a SELECT of rows to change, which passes over rows that another
	// transaction holds. SQLite has one writer, so nothing is ever held.
	skipLocked string
	// transaction is how write begins.
	transaction *sql.TxOptions
	// partitioned tables of history are split by week.
	partitioned bool
	// sizes asks for each table and its bytes.
	sizes string
	// words translates the statements of migrations.
	words *strings.Replacer
	// alone makes a transaction the only one that migrates.
	alone func(context.Context, *sql.Tx) error
	// again says that a transaction met another one and may be run again.
	again func(error) bool
}

// schema is a migration in the words of the dialect.
func (d dialect) schema(statements string) string { return d.words.Replace(statements) }

var sqlite = dialect{
	name: "sqlite",
	sizes: `SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema m ON m.name = d.name
		WHERE d.aggregate = TRUE GROUP BY m.tbl_name`,
	words: strings.NewReplacer(" PARTITION BY RANGE (at)", ""),
	alone: func(context.Context, *sql.Tx) error { return nil },
	again: func(error) bool { return false },
}

// openSQLite opens or creates a file.
func openSQLite(ctx context.Context, file string) (*Store, error) {
	// Made for its owner alone: SQLite gives what it makes beside it the same mode. One that is there is not
	// opened, as closing it would end the locks that this process holds on it.
	if f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(ON)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	// One writer is all SQLite has; more connections only wait for each other.
	db.SetMaxOpenConns(4)
	// The first connection makes the file one of write-ahead. Where several do so at once,
	// SQLite refuses some without waiting.
	if err := tried(ctx, busy, func() error { return db.PingContext(ctx) }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// Who waits for another's transaction is woken when it ends: SQLite itself would sleep
	// and look again, for longer each time, as it does for another process.
	return &Store{db: db, dialect: sqlite, turn: semaphore.NewWeighted(1), written: new(atomic.Int64)}, nil
}

func busy(err error) bool {
	var refused *driver.Error
	return errors.As(err, &refused) && refused.Code() == sqlite3.SQLITE_BUSY
}
