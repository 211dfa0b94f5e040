package store

import (
	"cmp"
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sync/semaphore"
)

// Limits of the connections to PostgreSQL. A DSN may set pool_max_conns and every
// timeout, as in ?statement_timeout=5min.
const (
	poolSize   = 10
	oldest     = 14 // the oldest major version that is tried
	connecting = 10 * time.Second
)

var postgresSettings = map[string]string{
	"application_name":                    "breakwater",
	"statement_timeout":                   "2min",
	"lock_timeout":                        "1min",
	"idle_in_transaction_session_timeout": "2min",
}

var postgres = dialect{
	name:        "postgres",
	skipLocked:  ` FOR UPDATE SKIP LOCKED`,
	partitioned: true,
	sizes: `SELECT c.relname, coalesce(
			(SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(c.oid)), pg_total_relation_size(c.oid))::bigint
		FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace`,
	transaction: &sql.TxOptions{Isolation: sql.LevelRepeatableRead},
	// Text is compared byte by byte, as in SQLite, in every language of the database.
	words: strings.NewReplacer(" TEXT", ` TEXT COLLATE "C"`, " BLOB", " BYTEA", " INTEGER", " BIGINT"),
	alone: func(ctx context.Context, tx *sql.Tx) error {
		if err := run(ctx, tx, `SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0`); err != nil { // both may take long
			return err
		}
		return run(ctx, tx, `SELECT pg_advisory_xact_lock(?)`, 0x627265616b) // any number, the same for all
	},
	again: func(err error) bool {
		var refused *pgconn.PgError
		return errors.As(err, &refused) && (refused.Code == "40001" || refused.Code == "40P01") // serialization_failure, deadlock_detected
	},
}

func isPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// redact is a DSN as people may see it.
func redact(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres://…" // what cannot be read may hold a password anywhere
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		shown.User = url.User(u.User.Username())
	}
	return shown.String()
}

// openPostgres connects and makes sure that the server is one to rely on.
func openPostgres(ctx context.Context, dsn string) (*Store, error) {
	config, pool, err := readDSN(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector{stdlib.GetConnector(*config)})
	db.SetMaxOpenConns(pool)
	db.SetMaxIdleConns(pool)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	if err := checkServer(ctx, db); err != nil {
		return nil, errors.Join(inWords(err, config), db.Close())
	}
	return &Store{db: db, dialect: postgres, turn: semaphore.NewWeighted(int64(pool)), written: new(atomic.Int64)}, nil
}

func readDSN(dsn string) (config *pgx.ConnConfig, pool int, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, 0, errors.New("not a URL: want postgres://USER:PASSWORD@HOST:PORT/DATABASE, special letters of the password as %XX")
	}
	q := u.Query()
	pool = poolSize
	if text := q.Get("pool_max_conns"); text != "" {
		if pool, err = strconv.Atoi(text); err != nil || pool < 1 || pool > 1000 {
			return nil, 0, fmt.Errorf("pool_max_conns=%s: want a number from 1 to 1000", text)
		}
		q.Del("pool_max_conns")
		u.RawQuery = q.Encode()
	}
	config, err = parseDSN(u)
	if err != nil {
		return nil, 0, err
	}
	if config.RequireAuth == "" && !verified(config) {
		config.RequireAuth = "!password" // who answers may be anybody, and would be told the password
	}
	for name, value := range postgresSettings {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	switch on := config.RuntimeParams["synchronous_commit"]; on {
	case "":
		config.RuntimeParams["synchronous_commit"] = "on"
	case "on", "remote_apply":
	default:
		return nil, 0, fmt.Errorf("synchronous_commit=%s would lose what was answered: want on or remote_apply", on)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connecting
	}
	return config, pool, nil
}

// parseDSN reads a DSN. Of a server on another machine, of which nobody says how it is spoken to, it wants TLS and a
// certificate for its name: the driver would do without either where the one who answers says so.
func parseDSN(u *url.URL) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(u.String())
	if err == nil && !saysTLS(u) && elsewhere(config) {
		q := u.Query()
		q.Set("sslmode", "verify-full")
		with := *u
		with.RawQuery = q.Encode()
		config, err = pgx.ParseConfig(with.String())
	}
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		err = cmp.Or(errors.Unwrap(parse), errors.New("a setting is out of range")) // without the DSN
	}
	return config, err
}

// saysTLS says whether somebody said how the server is spoken to, in the DSN, the environment or a file of services.
func saysTLS(u *url.URL) bool {
	q := u.Query()
	return cmp.Or(q.Get("sslmode"), os.Getenv("PGSSLMODE"), q.Get("service"), os.Getenv("PGSERVICE")) != ""
}

// ways are all that a connection is tried by.
func ways(c *pgx.ConnConfig) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
}

// elsewhere says whether a server may be on another machine.
func elsewhere(c *pgx.ConnConfig) bool {
	return slices.ContainsFunc(ways(c), func(w *pgconn.FallbackConfig) bool {
		network, _ := pgconn.NetworkAddress(w.Host, w.Port)
		ip := net.ParseIP(w.Host)
		return network != "unix" && w.Host != "localhost" && (ip == nil || !ip.IsLoopback())
	})
}

// verified says that by every way the server has to show a certificate that is checked.
func verified(c *pgx.ConnConfig) bool {
	return !slices.ContainsFunc(ways(c), func(w *pgconn.FallbackConfig) bool {
		return w.TLSConfig == nil || w.TLSConfig.InsecureSkipVerify && w.TLSConfig.VerifyPeerCertificate == nil
	})
}

// checkServer asks the server what it is.
func checkServer(ctx context.Context, db *sql.DB) error {
	var version int
	var encoding string
	answer := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding')`)
	if err := answer.Scan(&version, &encoding); err != nil {
		return err
	}
	return fit(version, encoding)
}

// fit says whether a server can keep a store.
func fit(version int, encoding string) error {
	if version/10000 < oldest {
		return fmt.Errorf("PostgreSQL %d is too old: want %d or newer", version/10000, oldest)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database's encoding is %s: want UTF8 (createdb -E UTF8 -T template0)", encoding)
	}
	return nil
}

// inWords says what to do about a connection that did not come about. The words of the
// driver hold no password.
func inWords(err error, c *pgx.ConnConfig) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01": // invalid_password
			return fmt.Errorf("the server refuses the password of user %s", c.User)
		case "28000": // invalid_authorization_specification
			return fmt.Errorf("the server refuses user %s: %s", c.User, refused.Message)
		case "3D000": // invalid_catalog_name
			return fmt.Errorf("there is no database %q: make it with createdb %s", c.Database, c.Database)
		}
		return err
	}
	var dial *net.OpError
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var other x509.HostnameError
	switch {
	case errors.As(err, &authority), errors.As(err, &other):
		return fmt.Errorf("%w: say with sslrootcert=FILE who vouches for the server, and name it as its certificate does", err)
	case strings.Contains(err.Error(), "authentication method requirement"):
		return fmt.Errorf("the server at %s wants the password itself, and nothing shows that it is the one: want sslmode=verify-full, "+
			"or a server that asks with scram-sha-256", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	case strings.Contains(err.Error(), "server refused TLS connection"): // of the driver, which has no type for it
		return fmt.Errorf("the server at %s speaks no TLS: let it, or say sslmode=disable where nobody else is on the way",
			net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	case errors.As(err, &name):
		return fmt.Errorf("no server by the name of %s: %w", c.Host, name)
	case errors.As(err, &dial):
		return fmt.Errorf("no server answers at %s: %w", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), dial)
	}
	return err
}

// connector gives out connections that take statements as the store writes them.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return rebinding{conn.(*stdlib.Conn)}, nil
}

// rebinding is a connection whose arguments are called ?, as in SQLite, and not $1.
type rebinding struct{ *stdlib.Conn }

func (r rebinding) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return r.Conn.PrepareContext(ctx, rebind(query))
}

func (r rebinding) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return r.Conn.ExecContext(ctx, rebind(query), args)
}

func (r rebinding) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return r.Conn.QueryContext(ctx, rebind(query), args)
}

// BeginTx lets another connection try where this one was lost, as when the server came
// back: nothing was done yet.
func (r rebinding) BeginTx(ctx context.Context, how driver.TxOptions) (driver.Tx, error) {
	tx, err := r.Conn.BeginTx(ctx, how)
	if err != nil && ctx.Err() == nil && r.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	return tx, err
}

// CheckNamedValue replaces what PostgreSQL cannot hold in a text: events and images
// are what strangers made, and one bad letter must not stop the rest.
func (r rebinding) CheckNamedValue(v *driver.NamedValue) error {
	if text := reflect.ValueOf(v.Value); text.Kind() == reflect.String {
		v.Value = strings.ReplaceAll(strings.ToValidUTF8(text.String(), "\uFFFD"), "\x00", "\uFFFD")
	}
	return nil
}

// rebind numbers the arguments of a statement. A question mark within quotes stays one.
func rebind(query string) string {
	var b strings.Builder
	n, quoted := 0, false
	for _, c := range []byte(query) {
		switch {
		case c == '\'':
			quoted = !quoted
		case c == '?' && !quoted:
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
