// Package natstest is a real NATS server for tests: a process of its own, built from the
// module that this one embeds, that can end and come back with what it stored.
package natstest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// The user that may use JetStream.
const (
	User     = "breakwater"
	Password = "not-to-be-seen"
)

// program builds the server once.
var program = sync.OnceValues(func() (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", nil
	}
	dir, err := os.MkdirTemp("", "breakwater-nats-")
	if err != nil {
		return "", err
	}
	built.dir = dir
	file := filepath.Join(dir, "nats-server")
	if out, err := exec.Command(goTool, "build", "-o", file, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build nats-server: %w: %s", err, out)
	}
	return file, nil
})

var built struct{ dir string }

// Main runs a package's tests and removes what was built. TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// Server is a NATS server with JetStream.
type Server struct {
	// Addr is where it listens, the same after a restart.
	Addr string
	file string // its configuration
	stop func()
}

// New makes a server with a configuration of its own beside what every server here has,
// and starts it. Without a Go toolchain the test is skipped.
func New(t testing.TB, config string) *Server {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), file: filepath.Join(dir, "nats.conf")}
	_ = l.Close()
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, sync_interval: always }\nmax_payload: 16MB\n%s\n",
		s.Addr, filepath.Join(dir, "js"), config)
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// WithUser is a configuration that wants User and Password.
const WithUser = `accounts { A { jetstream: enabled, users: [ {user: ` + User + `, password: ` + Password + `} ] } }`

// URL is the server's address with User and Password.
func (s *Server) URL() string { return "nats://" + User + ":" + Password + "@" + s.Addr }

// Start lets it run, again if it was stopped.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if file == "" {
		t.Skip("a NATS server is built with the go command, which is not there")
	}
	cmd := exec.Command(file, "-c", s.file)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is killed leaves no server
	started, done := make(chan error), make(chan struct{})
	go func() { // the kernel ends the server when the thread that started it ends
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // killed: how it ended is known
			close(done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); <-done })
	s.ready(t, done, &log)
}

// Stop kills it, as a machine that goes away does.
func (s *Server) Stop() {
	if s.stop != nil {
		s.stop()
	}
}

func (s *Server) ready(t testing.TB, done chan struct{}, log *bytes.Buffer) {
	t.Helper()
	for range 600 {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-done:
			t.Fatalf("the NATS server ended: %s", log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("the NATS server did not become ready within half a minute")
}

// Connect is a connection for looking into it, until the test ends.
func (s *Server) Connect(t testing.TB) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}
