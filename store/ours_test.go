package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// changed is a store's file with something done to it by who hands it over.
func changed(t *testing.T, statements string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "b.db")
	s, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := errors.Join(s.CopyTo(t.Context(), copied), s.Close()); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestRecordsWithSomethingThatIsNotOursAreRefused(t *testing.T) {
	const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`
	for name, c := range map[string]struct{ statements, want string }{
		"our own":                    {`INSERT INTO clusters (cluster_id) SELECT 'c' WHERE 1 = 0`, ""},
		"a view in place of a table": {`DROP TABLE sessions; CREATE VIEW sessions AS ` + endless, `"view"`},
		"a version that has no end":  {`DROP TABLE schema_version; CREATE VIEW schema_version (version) AS ` + endless, `"view"`},
		"a trigger":                  {`CREATE TRIGGER t AFTER INSERT ON activity BEGIN DELETE FROM activity; END`, `"trigger"`},
		"a table more":               {`CREATE TABLE more (x)`, `"more"`},
		"an index more":              {`CREATE INDEX more ON sessions (hex(zeroblob(1000000)))`, `"more"`},
		"a table fewer":              {`DROP TABLE sessions`, "no "},
		"another default":            {`DROP TABLE sessions; CREATE TABLE sessions (token_hash TEXT DEFAULT (hex(zeroblob(9))))`, "is not of schema version"},
		"a version to come":          {`INSERT INTO schema_version VALUES (9999)`, "use the newer program"},
		"a version of before":        {`DELETE FROM schema_version WHERE version > 3`, "is not of schema version 3"},
		"a version below none":       {`DELETE FROM schema_version; INSERT INTO schema_version VALUES (-7)`, "is not of schema version"},
		"a version that is computed": {`DROP TABLE schema_version; CREATE TABLE schema_version (version INTEGER AS (1), x)`, "of which version"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // where a statement of a stranger's is run, it has no end
		err := Ours(ctx, changed(t, c.statements))
		cancel()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// An earlier version's records are ours, too: they are brought to what is now when they are opened.
func TestRecordsOfEveryVersionOfBeforeAreOurs(t *testing.T) {
	for version := 1; version <= len(migrations); version++ {
		file := filepath.Join(t.TempDir(), "b.db")
		db, err := sql.Open("sqlite", "file:"+url.PathEscape(file))
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)`)
		for v := 0; v < version && err == nil; v++ {
			if _, err = db.ExecContext(t.Context(), sqlite.schema(migrations[v])); err == nil {
				_, err = db.ExecContext(t.Context(), `INSERT INTO schema_version (version) VALUES (?)`, v+1)
			}
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if err := Ours(t.Context(), file); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

func TestWhatIsNoDatabaseIsNotOurs(t *testing.T) {
	for name, content := range map[string]string{"text": strings.Repeat("hello ", 4096), "nothing": "",
		"half of a head": "SQLite format 3\x00\x10\x00"} {
		file := filepath.Join(t.TempDir(), "b.db")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Ours(t.Context(), file); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
