package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// global are the tables whose rows belong to no cluster, and why. Every other table's
// primary key begins with cluster_id, so that a database of many machines keeps a
// cluster's rows together.
var global = map[string]string{
	"schema_version":  "the schema's own",
	"sessions":        "people sign in to all clusters",
	"activity":        "people act on all clusters, and one chain holds what they did",
	"activity_head":   "the end of that chain",
	"ingest_tokens":   "asked by what a sender shows, before it is known whose it is",
	"images":          "an image is the same wherever it runs, and is read once",
	"image_wants":     "an owner says which images it wants, for all its clusters together",
	"image_owners":    "a server wants images for all its clusters together",
	"image_builds":    "which digests mean an image is true everywhere",
	"image_documents": "an image is the same wherever it runs",
	"image_outlines":  "an image is the same wherever it runs",
	"image_uploads":   "an image is the same wherever it runs",
	"secret_salt":     "the same secret is known in every image",
	"layers":          "a layer is the same in every image",
	"exceptions":      "a vulnerability is accepted wherever what is named is",
	"registries":      "a registry feeds every cluster",
	"registry_tags":   "a registry feeds every cluster",
	"table_sizes":     "a table holds rows of all clusters",
}

// primaryKeys asks the catalog of a database for each table's primary key.
var primaryKeys = map[string]string{
	"sqlite": `SELECT m.name, coalesce(c.name, '') FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) c ON c.pk > 0
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.pk`,
	"postgres": `SELECT t.relname, coalesce(a.attname, '') FROM pg_class t
		LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
		LEFT JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (number, place) ON TRUE
		LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
		WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relnamespace = current_schema()::regnamespace
		ORDER BY t.relname, k.place`,
}

func readKeys(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	keys := map[string][]string{}
	type column struct{ table, name string }
	scan := func(r *sql.Rows) (c column, err error) { return c, r.Scan(&c.table, &c.name) }
	columns, err := rowsOf(t.Context(), s.db, scan, primaryKeys[s.name])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		keys[c.table] = append(keys[c.table], c.name)
	}
	return keys
}

func TestTheKeyOfWhatBelongsToAClusterBeginsWithIt(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		keys := readKeys(t, s)
		for table, key := range keys {
			switch {
			case key[0] == "":
				t.Errorf("%s has no primary key", table)
			case key[0] != "cluster_id" && global[table] == "":
				t.Errorf("%s has the primary key %v: want cluster_id first, or the table named in global, with the reason", table, key)
			case key[0] == "cluster_id" && global[table] != "":
				t.Errorf("%s is named in global and is not", table)
			}
		}
		for table := range global {
			if keys[table] == nil {
				t.Errorf("global names %s, which is no table", table)
			}
		}
	})
}

func TestBothDatabasesHaveTheSameTablesAndKeys(t *testing.T) {
	have := map[string]map[string][]string{}
	stores(t, func(t *testing.T, s *Store) { have[s.name] = readKeys(t, s) })
	if len(have) == 2 && !maps.EqualFunc(have["sqlite"], have["postgres"], slices.Equal) {
		t.Errorf("SQLite: %v\nPostgreSQL: %v", have["sqlite"], have["postgres"])
	}
}

// refused are words of SQL that some database we mean to run on does not know: SQLite,
// PostgreSQL, Citus (a table's rows lie on many machines) or YugabyteDB.
var refused = []struct{ word, why string }{
	{`TRIGGER`, "Citus has no triggers on distributed tables"},
	{`FUNCTION|PROCEDURE`, "SQLite has none"},
	{`SERIAL|BIGSERIAL|SEQUENCE|AUTOINCREMENT|IDENTITY`, "a counter for all machines is slow: use a key that the row has by nature"},
	{`ROWID|CTID|OID`, "where a row lies is no key"},
	{`REFERENCES|FOREIGN`, "Citus has no foreign keys between tables of different distribution"},
	{`USING\s+(GIN|GIST|BRIN|HASH|SPGIST)`, "SQLite and YugabyteDB have only the usual index"},
	{`JSONB|ARRAY|UUID|TIMESTAMP|TIMESTAMPTZ|BOOLEAN|NUMERIC|VARCHAR|BIGINT|BYTEA`, "want TEXT, INTEGER and BLOB only"},
	{`LISTEN|NOTIFY`, "YugabyteDB has none"},
	{`MATERIALIZED|VIEW`, "a projection is made by the program"},
	{`EXCLUDE|DEFERRABLE|INHERITS|UNLOGGED|TEMP|TEMPORARY|TABLESPACE`, "YugabyteDB or Citus lack them"},
	{`CREATE\s+TYPE|CREATE\s+EXTENSION|CREATE\s+DOMAIN`, "SQLite has none"},
	{`WITHOUT|STRICT`, "PostgreSQL has none"},
	{`PRAGMA|COLLATE`, "the dialect says these"},
}

func TestMigrationsUseWhatEveryDatabaseKnows(t *testing.T) {
	if got := refusedIn(`CREATE TABLE t (id BIGSERIAL PRIMARY KEY, at TIMESTAMP REFERENCES u)`); len(got) != 3 {
		t.Errorf("the test is blind: %v", got)
	}
	for i, m := range migrations {
		for _, why := range refusedIn(m) {
			t.Errorf("migration %d: %s", i+1, why)
		}
	}
}

func refusedIn(statements string) (found []string) {
	for _, r := range refused {
		if word := regexp.MustCompile(`(?i)\b(` + r.word + `)\b`).FindString(statements); word != "" {
			found = append(found, strings.ToUpper(word)+": "+r.why)
		}
	}
	return found
}

func TestAMigrationThatFailsIsNamedAndChangesNothing(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		now, fill := migrations, fmt.Sprintf("CREATE TABLE filled (id TEXT PRIMARY KEY); -- %s", t.Name())
		t.Cleanup(func() { migrations = now; delete(fills, fill) })
		open(t, where)
		next := fmt.Sprintf("migrate to version %d: ", len(now)+1)
		fills[fill] = func(context.Context, *sql.Tx) error { return errors.New("cannot be filled") }
		for statements, want := range map[string]string{
			"CREATE NONSENSE":           next + "",
			fill:                        next + "cannot be filled",
			"DROP TABLE schema_version": next + "",
		} {
			migrations = append(slices.Clone(now), statements)
			if s, err := Open(t.Context(), where); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, %v; want %q", statements, s, err, want)
			}
		}
		migrations = now
		if keys := readKeys(t, open(t, where)); keys["filled"] != nil || keys["schema_version"] == nil {
			t.Errorf("%v", keys)
		}
	})
}
