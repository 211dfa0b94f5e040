// Package pgtest is a real PostgreSQL server for tests: Debian's package, one
// cluster for a test binary, in a folder of its own, on a socket.
package pgtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The one user of the server. The name needs no quotes, the password shows in no test.
const (
	User     = "breakwater"
	Password = "not-to-be-seen"
)

// server is the cluster of this process.
var server struct {
	sync.Mutex
	dir  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // why there is none
}

// DSN is a fresh, empty database, which is dropped when the test ends. Without a server
// the test is skipped, or fails if the environment says POSTGRES=required; POSTGRES=off
// skips it in any case.
func DSN(t testing.TB) string {
	t.Helper()
	if os.Getenv("POSTGRES") == "off" {
		t.Skip("PostgreSQL: POSTGRES=off")
	}
	if err := start(); err != nil {
		if os.Getenv("POSTGRES") == "required" {
			t.Fatalf("PostgreSQL: %v", err)
		}
		t.Skipf("PostgreSQL: %v", err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	Exec(t, Database("postgres"), "CREATE DATABASE "+name)
	t.Cleanup(func() { Exec(t, Database("postgres"), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return Database(name)
}

// Database is the DSN of a database of the server, which runs.
func Database(name string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, Password), Path: "/" + name,
		RawQuery: url.Values{"host": {server.dir}}.Encode()}
	return u.String()
}

// Exec runs statements as the server's owner.
func Exec(t testing.TB, dsn, statements string) {
	t.Helper()
	ctx := context.Background() // not the test's: it runs in Cleanup too
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(ctx, statements)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		t.Fatal(err)
	}
}

// Main runs a package's tests and stops the server, if one was started. TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	Stop()
	os.Exit(code)
}

// Stop ends the server and removes its folder.
func Stop() {
	server.Lock()
	defer server.Unlock()
	if server.cmd != nil {
		_ = server.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended by itself
		<-server.done
	}
	if server.dir != "" {
		_ = os.RemoveAll(server.dir)
	}
}

func start() error {
	server.Lock()
	defer server.Unlock()
	if server.dir == "" && server.err == nil {
		server.err = boot()
	}
	return server.err
}

// programs is the folder of PostgreSQL's newest programs.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("it is not installed (apt-get install postgresql)")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
}

// unprivileged is who may run the server, which refuses to run as root; nil is oneself.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, err := strconv.ParseUint(u.Uid, 10, 32)
			gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err, err2)
		}
	}
	return nil, errors.New("it does not run as root, and there is no user postgres or nobody")
}

func boot() error {
	bin, err := programs()
	if err != nil {
		return err
	}
	who, err := unprivileged()
	if err != nil {
		return err
	}
	if server.dir, err = os.MkdirTemp("", "breakwater-postgres-"); err != nil {
		return err
	}
	password := filepath.Join(server.dir, "password")
	if err := os.WriteFile(password, []byte(Password), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(password, 0o644); err != nil { // a server that was tested before may have closed the umask
		return err
	}
	if who != nil {
		if err := os.Chown(server.dir, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	as := &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT} // a test that is killed leaves no server
	data := filepath.Join(server.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", User, "--pwfile", password, "-A", "scram-sha-256",
		"-E", "UTF8", "--no-sync",
		"--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US") // a language: what relies on the order of bytes must say so
	initdb.SysProcAttr, initdb.Dir = as, server.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	server.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", server.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "shared_buffers=16MB", "-c", "max_connections=200")
	server.cmd.SysProcAttr, server.cmd.Dir = as, server.dir
	return run()
}

// run starts the server from a thread that lives as long as this process: the kernel
// ends the server when the thread that started it ends.
func run() error {
	var log bytes.Buffer
	server.cmd.Stdout, server.cmd.Stderr = &log, &log
	server.done = make(chan struct{})
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := server.cmd.Start()
		started <- err
		if err == nil {
			_ = server.cmd.Wait() // how it ended is in its log
			close(server.done)
		}
		select {}
	}()
	if err := <-started; err != nil {
		server.cmd = nil
		return err
	}
	return ready(&log)
}

func ready(log *bytes.Buffer) error {
	for range 600 {
		conn, err := pgx.Connect(context.Background(), Database("postgres"))
		if err == nil {
			return conn.Close(context.Background())
		}
		select {
		case <-server.done:
			return fmt.Errorf("the server ended: %s", log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.New("the server did not become ready within a minute")
}
