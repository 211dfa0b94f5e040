package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestANameOfAStoreHasNoPassword(t *testing.T) {
	for where, want := range map[string]string{
		"/var/lib/breakwater.db":               "/var/lib/breakwater.db",
		"a:b@c.db":                             "a:b@c.db",
		"postgres://u:secret@h:5432/db?x=y":    "postgres://u@h:5432/db",
		"postgresql://u:secret@h/db":           "postgresql://u@h/db",
		"postgres://h/db?password=secret":      "postgres://h/db",
		"postgres://u:sec%ret@h/db":            "postgres://…",
		"postgres:///db?host=/var/run/postgre": "postgres:///db",
	} {
		if got := Name(where); got != want {
			t.Errorf("%s: %s, want %s", where, got, want)
		}
	}
}

// Each with the default where a DSN says nothing else.
func TestWhatADSNSets(t *testing.T) {
	t.Setenv("PGCONNECT_TIMEOUT", "")
	for _, c := range []struct {
		dsn, statement, commit string
		pool                   int
		connect                time.Duration
	}{
		{"postgres://u:p@h/db", "2min", "on", 10, 10 * time.Second},
		{"postgres://u:p@h/db?pool_max_conns=1&statement_timeout=7s", "7s", "on", 1, 10 * time.Second},
		{"postgres://u:p@h/db?pool_max_conns=1000&connect_timeout=3", "2min", "on", 1000, 3 * time.Second},
		{"postgres://u:p@h/db?synchronous_commit=remote_apply", "2min", "remote_apply", 10, 10 * time.Second},
	} {
		config, pool, err := readDSN(c.dsn)
		if err != nil {
			t.Errorf("%s: %v", c.dsn, err)
			continue
		}
		set := config.RuntimeParams
		if pool != c.pool || set["statement_timeout"] != c.statement || set["synchronous_commit"] != c.commit ||
			config.ConnectTimeout != c.connect || set["application_name"] != "breakwater" || set["lock_timeout"] != "1min" {
			t.Errorf("%s: %d connections, %v, %v", c.dsn, pool, set, config.ConnectTimeout)
		}
	}
}

// None of these needs a server.
func TestADSNThatCannotWorkSaysWhyAndNotThePassword(t *testing.T) {
	for _, c := range []struct{ dsn, want string }{
		{"postgres://no-such-host.invalid/db", "no server by the name of no-such-host.invalid"},
		{"postgres://127.0.0.1:1/db", "no server answers at 127.0.0.1:1"},
		{"postgres://h:port/db", "not a URL"},
		{"postgresql://h:port/db", "not a URL"},
		{"postgres://h/db?pool_max_conns=many", "pool_max_conns=many: want a number from 1 to 1000"},
		{"postgres://h/db?pool_max_conns=0", "pool_max_conns=0: want a number"},
		{"postgres://h/db?pool_max_conns=1001", "pool_max_conns=1001: want a number"},
		{"postgres://h/db?synchronous_commit=off", "synchronous_commit=off would lose what was answered: want on or remote_apply"},
		{"postgres://h/db?sslmode=sometimes", "sslmode"},
		{"postgres://h/db?user=u&password=secret1&sslmode=sometimes", "sslmode"},
		{"postgres://h/db?port=0&password=secret1", "a setting is out of range"},
	} {
		dsn := strings.Replace(c.dsn, "://", "://u:secret1@", 1)
		s, err := Open(t.Context(), dsn)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", c.dsn)
			continue
		}
		if text := err.Error(); !strings.Contains(text, c.want) || strings.Contains(text, "secret1") ||
			!strings.HasPrefix(text, "open store postgres") {
			t.Errorf("%s: %s", c.dsn, text)
		}
	}
}

func TestWhyAServerRefusesIsSaidInWords(t *testing.T) {
	config := &pgx.ConnConfig{Config: pgconn.Config{Host: "h", Port: 5432, User: "u", Database: "db"}}
	refused := func(code string) error {
		return fmt.Errorf("connect: %w", &pgconn.PgError{Code: code, Message: "no entry"})
	}
	for want, err := range map[string]error{
		"the server refuses the password of user u":           refused("28P01"),
		"the server refuses user u: no entry":                 refused("28000"),
		`there is no database "db": make it with createdb db`: refused("3D000"),
		"connect: : no entry (SQLSTATE 53300)":                refused("53300"),
		"no server by the name of h: lookup h: not there":     &net.DNSError{Name: "h", Err: "not there"},
		"no server answers at h:5432: dial tcp: refused":      &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")},
		"something else": errors.New("something else"),
	} {
		if got := inWords(err, config); got.Error() != want {
			t.Errorf("%v: %v, want %s", err, got, want)
		}
	}
	if err := fit(170000, "LATIN1"); err == nil || !strings.Contains(err.Error(), "encoding is LATIN1: want UTF8") {
		t.Error(err)
	}
}

func TestATransactionIsRunAgainWhenItMetAnother(t *testing.T) {
	for code, want := range map[string]bool{"40001": true, "40P01": true, "23505": false} {
		if got := postgres.again(fmt.Errorf("commit: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if postgres.again(errors.New("40001")) || postgres.again(nil) || busy(errors.New("database is locked")) || busy(nil) {
		t.Error("an error that no database gave is tried again")
	}
	met, other := errors.New("met another"), errors.New("other")
	again := func(err error) bool { return err == met }
	for _, c := range []struct {
		name  string
		fails int
		with  error
		tries int
		want  error
	}{
		{"at once", 0, met, 1, nil},
		{"the third time", 2, met, 3, nil},
		{"never", 100, met, 30, met},
		{"what is another's fault", 1, other, 1, other},
	} {
		n := 0
		err := tried(t.Context(), again, func() error {
			if n++; n <= c.fails {
				return c.with
			}
			return nil
		})
		if n != c.tries || !errors.Is(err, c.want) {
			t.Errorf("%s: %d tries, %v", c.name, n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tried(ctx, again, func() error { return met }); !errors.Is(err, context.Canceled) || !errors.Is(err, met) {
		t.Errorf("who was called back: %v", err)
	}
}

func TestWhatATransactionDoesIsKeptWholeOrNotAtAll(t *testing.T) {
	s := open(t, t.TempDir()+"/db")
	fault := errors.New("fault")
	for name, end := range map[string]func(*sql.Tx){"open": func(*sql.Tx) {}, "ended": func(tx *sql.Tx) { _ = tx.Rollback() }} {
		err := s.write(t.Context(), func(tx *sql.Tx) error {
			if err := run(t.Context(), tx, `INSERT INTO layers (id, inventory, updated_at) VALUES ('l', 'p', 1)`); err != nil {
				return err
			}
			end(tx)
			return fault
		})
		if said(err) != "fault" || count(t, s, "layers") != 0 {
			t.Errorf("%s: %v, %d layers", name, err, count(t, s, "layers"))
		}
	}
}

func TestOnlyTextLosesTheLettersThatPostgreSQLRefuses(t *testing.T) {
	type word string
	for _, c := range []struct{ in, want any }{
		{"a\x00b\xffc", "a\uFFFDb\uFFFDc"}, {word("a\x00"), "a\uFFFD"}, {int64(7), int64(7)}, {nil, nil},
	} {
		v := driver.NamedValue{Value: c.in}
		if err := (rebinding{}).CheckNamedValue(&v); err != nil || v.Value != c.want {
			t.Errorf("%v: %v, %v", c.in, v.Value, err)
		}
	}
}
