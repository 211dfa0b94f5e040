package store

import (
	"path/filepath"
	"testing"

	"github.com/breakwater-sec/breakwater/test/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// stores runs a test against an empty store of each dialect.
func stores(t *testing.T, do func(t *testing.T, s *Store)) {
	places(t, func(t *testing.T, where string) { do(t, open(t, where)) })
}

// places runs a test for a place of each dialect, where there is nothing yet.
func places(t *testing.T, do func(t *testing.T, where string)) {
	t.Run("SQLite", func(t *testing.T) { do(t, filepath.Join(t.TempDir(), "a b%c?.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { do(t, pgtest.DSN(t)) })
}

// open opens a store until the test ends.
func open(t *testing.T, where string) *Store {
	t.Helper()
	s, err := Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
