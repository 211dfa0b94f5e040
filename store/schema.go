package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed migrations/*.sql
var scripts embed.FS

// migrations are applied in the order of their names and never edited once released.
//
// To add one, put its statements into a file with the next number. Write it for SQLite,
// with the types TEXT, INTEGER and BLOB only: the dialect translates them for PostgreSQL,
// where texts are compared byte by byte, too. Each table has a primary key, whose
// first column is cluster_id if its rows belong to a cluster; one that has no cluster_id
// is named in schema_test.go, with the reason. What the test refuses (triggers, serial,
// foreign keys …) does not work on every database that speaks PostgreSQL's language.
var migrations = func() (all []string) {
	names, _ := fs.Glob(scripts, "migrations/*.sql") // the pattern is well-formed
	for _, name := range names {
		all = append(all, script(path.Base(name)))
	}
	return all
}()

// script is what a file of the folder migrations holds.
func script(name string) string {
	text, err := scripts.ReadFile("migrations/" + name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
}

// fills give what a migration added to the rows that were there before it.
var fills = map[string]func(context.Context, *sql.Tx) error{script("09-searched-paths.sql"): fillSearched,
	script("10-alert-heads.sql"): fillAlertHeads, script("13-alert-things.sql"): fillAlertThings,
	script("14-lives.sql"): fillSensors, script("22-owners-of-wants.sql"): fillOwners}

// migrate is one transaction: of two servers that start at once, one waits for the
// other and then finds everything done: what it reads is what is there by then.
func (s *Store) migrate(ctx context.Context) error {
	return s.once(ctx, nil, func(tx *sql.Tx) error {
		if err := s.alone(ctx, tx); err != nil {
			return fmt.Errorf("wait for another server to migrate: %w", err)
		}
		have, err := schemaVersion(ctx, tx)
		if err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		if have > len(migrations) {
			return fmt.Errorf("schema version %d is newer than this program's %d: use the newer program", have, len(migrations))
		}
		for v := have; v < len(migrations); v++ {
			if _, err := tx.ExecContext(ctx, s.schema(migrations[v])); err != nil {
				return fmt.Errorf("migrate to version %d: %w", v+1, err)
			}
			if fill := fills[migrations[v]]; fill != nil {
				if err := fill(ctx, tx); err != nil {
					return fmt.Errorf("migrate to version %d: %w", v+1, err)
				}
			}
			if err := run(ctx, tx, `INSERT INTO schema_version (version) VALUES (?)`, v+1); err != nil {
				return fmt.Errorf("migrate to version %d: %w", v+1, err)
			}
		}
		return nil
	})
}

func schemaVersion(ctx context.Context, tx *sql.Tx) (have int, err error) {
	if err := run(ctx, tx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)`); err != nil {
		return 0, err
	}
	return have, tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&have)
}
