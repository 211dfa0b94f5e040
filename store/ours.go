package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// ErrForeign says that a file of SQLite is not as this program, or one before it, makes it.
var ErrForeign = errors.New("not the records of a Breakwater")

const (
	// versions is the one table that is read before all of them are known to be ours.
	versions = `CREATE TABLE schema_version (version INTEGER PRIMARY KEY)`
	// mostNames and longestStatement bound what is read of a foreign schema.
	mostNames, longestStatement = 1000, 64 << 10
)

// Ours says what is wrong with a file of SQLite that somebody handed over, before anything of it is used: a schema may hold
// views, triggers and expressions, which their author would have run by who opens the file. It has to have the tables
// and indexes of its version, as our migrations make them, and nothing else.
func Ours(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?mode=ro&immutable=1&_pragma=trusted_schema(OFF)&_pragma=cell_size_check(ON)")
	if err != nil {
		return err
	}
	err = ours(ctx, db)
	return errors.Join(err, db.Close())
}

func ours(ctx context.Context, db *sql.DB) error {
	have, err := schemaOf(ctx, db)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if have["schema_version"] != versions {
		return fmt.Errorf("%w: it does not say of which version it is", ErrForeign)
	}
	var version int
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&version); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if version > len(migrations) {
		return fmt.Errorf("schema version %d is newer than this program's %d: use the newer program", version, len(migrations))
	}
	want, err := schemaAt(ctx, version)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if have[name] != want[name] {
			return fmt.Errorf("%w: %q in it is not of schema version %d", ErrForeign, name, version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := have[name]; !there {
			return fmt.Errorf("%w: it has no %s", ErrForeign, name)
		}
	}
	return nil
}

// schemaAt is what our migrations make up to a version.
func schemaAt(ctx context.Context, version int) (map[string]string, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	if _, err := db.ExecContext(ctx, versions); err != nil {
		return nil, err
	}
	for _, one := range migrations[:max(version, 0)] {
		if _, err := db.ExecContext(ctx, sqlite.schema(one)); err != nil {
			return nil, fmt.Errorf("make the schema of version %d: %w", version, err)
		}
	}
	return schemaOf(ctx, db)
}

// schemaOf are the statements that made what is in a database, by its name. Reading them runs nothing of it.
func schemaOf(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := rowsOf(ctx, db, func(r *sql.Rows) (s [3]string, err error) { return s, r.Scan(&s[0], &s[1], &s[2]) },
		`SELECT type, name, substr(coalesce(sql, ''), 1, ?) FROM sqlite_schema LIMIT ?`, longestStatement, mostNames+1)
	if err != nil {
		return nil, err
	}
	if len(rows) > mostNames {
		return nil, fmt.Errorf("more than %d tables and indexes", mostNames)
	}
	out := map[string]string{}
	for _, r := range rows {
		if kind, name := r[0], r[1]; kind == "table" || kind == "index" {
			out[name] = strings.TrimSpace(r[2])
			continue
		}
		return nil, fmt.Errorf("it has a %.20q, %.100q", r[0], r[1])
	}
	return out, nil
}
