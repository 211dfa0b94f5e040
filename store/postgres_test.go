package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

func TestArgumentsAreNumberedOutsideOfQuotes(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT a FROM t WHERE b = ? AND c IN (?, ?)`: `SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)`,
		`SELECT 'why?', 'it''s ?' WHERE b = ?`:        `SELECT 'why?', 'it''s ?' WHERE b = $1`,
		`SELECT 1`:                                    `SELECT 1`,
	} {
		if got := rebind(query); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestTwoServersThatStartAtOnceMigrateOnce(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		var g errgroup.Group
		for range 6 {
			g.Go(func() error {
				s, err := Open(t.Context(), where)
				if err == nil {
					err = s.Close()
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		var rows, highest int
		err := open(t, where).db.QueryRow(`SELECT count(*), max(version) FROM schema_version`).Scan(&rows, &highest)
		if err != nil || rows != len(migrations) || highest != rows {
			t.Errorf("%d rows up to version %d, %v", rows, highest, err)
		}
	})
}

// The server of these tests sorts as people do in English.
func TestTextIsSortedByItsBytes(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for _, id := range []string{"b", "é", "A", "_", "a", "B"} {
			if err := s.PutImage(t.Context(), assess.Record{ID: id, State: assess.Done}, nil); err != nil {
				t.Fatal(err)
			}
		}
		ids, err := rowsOf(t.Context(), s.db, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) },
			`SELECT id FROM images ORDER BY id`)
		if got := strings.Join(ids, ""); err != nil || got != "AB_abé" {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// A name, a word of an error, an id: all of it may be what an attacker chose.
func TestLettersThatPostgreSQLRefusesStopNothing(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		bad := "a\x00b\xffc"
		for range 2 {
			if err := s.PutAnalysed(t.Context(), Analysed{Cluster: "c",
				Alerts: []AlertSeen{{Cluster: "c", ID: bad, Rule: "r", Severity: "high", Events: []string{bad}, Body: []byte(`{}`)}}}); err != nil {
				t.Fatal(err)
			}
		}
		if a, err := s.Alert(t.Context(), "c", bad); err != nil || a.Count != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		if err := s.PutImage(t.Context(), assess.Record{ID: "i", State: assess.Done, Error: bad, Inventory: []byte(bad)}, nil); err != nil {
			t.Fatal(err)
		}
		if i, _, err := s.Image(t.Context(), "i"); err != nil || string(i.Inventory) != bad {
			t.Errorf("bytes are not text: %+v, %v", i, err)
		}
	})
}

func TestEachImageIsHandedToOneOfManyTakers(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		const images = 200
		var queue []assess.Record
		for i := range images {
			queue = append(queue, assess.Record{ID: fmt.Sprint(i), Wanted: assess.Urgency(1 + i%2)})
		}
		if err := s.WantImages(t.Context(), "o", queue); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		taken := map[string]int{}
		var g errgroup.Group
		for range 8 {
			g.Go(func() error {
				for {
					now := time.Now()
					q, ok, err := s.LeaseImage(t.Context(), "o", now, now.Add(time.Hour), assess.Hosts{})
					if !ok || err != nil {
						return err
					}
					mu.Lock()
					taken[q.ID]++
					mu.Unlock()
				}
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("image %s was handed out %d times", id, n)
			}
		}
		if len(taken) != images {
			t.Errorf("%d of %d images were handed out", len(taken), images)
		}
	})
}

func TestATakerDoesNotWaitForAnother(t *testing.T) {
	s := open(t, pgtest.DSN(t))
	if err := s.WantImages(t.Context(), "o", []assess.Record{{ID: "a", Wanted: 2}, {ID: "b", Wanted: 1}}); err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := run(t.Context(), tx, `UPDATE images SET state = 'scanning' WHERE id = 'a'`); err != nil {
		t.Fatal(err)
	}
	if got := take(t, s); got != "b" { // would wait for the lock on a, for a minute
		t.Errorf("took %q", got)
	}
}

// Transactions that read what the other writes are run again until each saw the other.
func TestNoWriteIsLostBetweenTwoServers(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		var g errgroup.Group
		for server := range 4 {
			s := open(t, where)
			g.Go(func() error {
				for n := range 25 {
					seq := uint64(server*25 + n + 1)
					if err := s.PutAnalysed(t.Context(), Analysed{Cluster: "c",
						Batch: &EventBatch{Source: fmt.Sprint("sensor ", seq), EventPosition: EventPosition{"s", 1}, Received: time.Now()},
						Runs:  []RunCame{{"node", "boot", []uint64{seq}}}}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if runs, err := open(t, where).SensorRuns(t.Context(), "c"); err != nil || len(runs) != 1 || runs[0].Received != 100 {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

func TestADSNThatDoesNotWorkSaysWhyAndNotThePassword(t *testing.T) {
	good, err := url.Parse(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*url.URL)) string {
		u := *good
		f(&u)
		return u.String()
	}
	as := func(user string) string {
		return change(func(u *url.URL) { u.User = url.UserPassword(user, "secret1") })
	}
	latin := strings.TrimPrefix(good.Path, "/") + "_latin1"
	pgtest.Exec(t, good.String(), "CREATE DATABASE "+latin+" ENCODING 'LATIN1' TEMPLATE template0")
	for _, c := range []struct{ name, dsn, want string }{
		{"wrong password", as(pgtest.User), "refuses the password of user breakwater"},
		{"no such user", as("nobody"), "refuses the password of user nobody"},
		{"no such database", change(func(u *url.URL) { u.Path = "/missing" }), `no database "missing": make it with createdb missing`},
		{"no such host", "postgres://breakwater:secret1@no-such-host.invalid/db", "no server by the name of no-such-host.invalid"},
		{"nobody listens", "postgres://breakwater:secret1@127.0.0.1:1/db", "no server answers at 127.0.0.1:1"},
		{"no URL", "postgres://breakwater:sec%ret1@h/db", "not a URL"},
		{"a port that is none", "postgres://breakwater:secret1@h:port/db", "not a URL"},
		{"a wrong pool", "postgres://breakwater:secret1@h/db?pool_max_conns=many", "pool_max_conns=many: want a number"},
		{"not durable", "postgres://breakwater:secret1@h/db?synchronous_commit=off", "would lose what was answered"},
		{"a wrong sslmode", "postgres://breakwater:secret1@h/db?sslmode=sometimes", "sslmode"},
		{"a password among the parameters", "postgres://h/db?user=breakwater&password=secret1&sslmode=sometimes", "sslmode"},
		{"no UTF-8", change(func(u *url.URL) { u.Path = "/" + latin }), "encoding is LATIN1: want UTF8"},
	} {
		s, err := Open(t.Context(), c.dsn)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", c.name)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", c.name, text)
		}
		for _, password := range []string{"secret1", "sec%ret1", pgtest.Password} {
			if strings.Contains(text, password) {
				t.Errorf("%s: the password is told: %s", c.name, text)
			}
		}
	}
}

func TestAServerThatIsTooOldIsRefused(t *testing.T) {
	if err := fit(130011, "UTF8"); err == nil || !strings.Contains(err.Error(), "PostgreSQL 13 is too old: want 14") {
		t.Error(err)
	}
	if err := fit(140000, "UTF8"); err != nil {
		t.Error(err)
	}
}

func TestAStoreOutlivesItsConnections(t *testing.T) {
	dsn := pgtest.DSN(t)
	s := open(t, dsn)
	for i := range 5 {
		pgtest.Exec(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = 'breakwater' AND datname = current_database()`)
		if err := s.PutImage(t.Context(), assess.Record{ID: fmt.Sprint(i), State: assess.Done}, nil); err != nil {
			t.Fatalf("after the connections were lost %d times: %v", i+1, err)
		}
	}
	if _, there, err := s.Image(t.Context(), "4"); !there || err != nil {
		t.Error(err)
	}
}

func TestWhoWaitsForALockCanBeCalledBack(t *testing.T) {
	s := open(t, pgtest.DSN(t))
	if err := s.PutImage(t.Context(), assess.Record{ID: "a", State: assess.Done}, nil); err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := run(t.Context(), tx, `UPDATE images SET state = 'held' WHERE id = 'a'`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.PutImage(ctx, assess.Record{ID: "a", State: assess.Done}, nil) }()
	for waiting := 0; waiting == 0; {
		question := `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
		if err := s.db.QueryRow(question).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) { // and not after a lock_timeout of a minute
		t.Error(err)
	}
}

func TestConnectionsAreLimitedInNumberAndTime(t *testing.T) {
	for _, c := range []struct {
		more, statement string
		pool            int
	}{{"", "2min", poolSize}, {"&pool_max_conns=3&statement_timeout=7s", "7s", 3}} {
		s := open(t, pgtest.DSN(t)+c.more)
		var statement, lock, idle string
		settings := s.db.QueryRow(`SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
			current_setting('idle_in_transaction_session_timeout')`)
		if err := settings.Scan(&statement, &lock, &idle); err != nil {
			t.Fatal(err)
		}
		if statement != c.statement || lock != "1min" || idle != "2min" || s.db.Stats().MaxOpenConnections != c.pool {
			t.Errorf("%s %s %s, %d connections", statement, lock, idle, s.db.Stats().MaxOpenConnections)
		}
	}
}
