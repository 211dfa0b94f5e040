package store

import (
	"context"
	"database/sql"
	"testing"
)

// What every connection of the pool must say, so that a method that returned means
// that its write survives a loss of power.
func TestEveryConnectionWritesDurably(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		question, want := `PRAGMA synchronous`, "2" // FULL
		if s.name == "postgres" {
			question, want = `SHOW synchronous_commit`, "on"
		}
		held := make([]*sql.Conn, s.db.Stats().MaxOpenConnections)
		for i := range held { // held together, so that each is another one
			conn, err := s.db.Conn(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			held[i] = conn
			var got string
			if err := conn.QueryRowContext(t.Context(), question).Scan(&got); err != nil || got != want {
				t.Errorf("connection %d: %s = %s, %v; want %s", i, question, got, err, want)
			}
		}
	})
}
