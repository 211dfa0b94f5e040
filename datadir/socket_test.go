package datadir

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// greets answers every connection over a folder's socket with the name of who connects.
func greets(t *testing.T, d Dir) net.Listener {
	t.Helper()
	l, err := d.Listen()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, c.(PeerConn).Peer.Account()) // the test reads it
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func private(t *testing.T, name string) Dir {
	t.Helper()
	d := Dir(filepath.Join(t.TempDir(), name))
	if _, err := d.Claim(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestServerAndCommandMeetOnTheSocketHoweverLongItsPathIs(t *testing.T) {
	for _, name := range []string{"data", strings.Repeat("long", 50)} {
		d := private(t, name)
		l := greets(t, d)
		info, err := os.Lstat(d.Socket())
		if err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		c, err := d.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(c)
		if err != nil || string(said) != account(os.Geteuid()) || c.(PeerConn).Peer.PID != os.Getpid() {
			t.Errorf("%s, %v, %+v", said, err, c.(PeerConn).Peer)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(d.Socket()); !os.IsNotExist(err) {
			t.Errorf("the socket is left: %v", err)
		}
	}
}

func TestASocketThatAServerLeftIsNoServerAndTheNextStartTakesItsPlace(t *testing.T) {
	d := private(t, "data")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.Socket(), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Dial(t.Context()); !errors.Is(err, ErrNoServer) {
		t.Errorf("a server that was killed: %v", err)
	}
	greets(t, d)
	if _, err := d.Dial(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	d := private(t, "data")
	if err := os.WriteFile(d.Socket(), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Listen(); err == nil || !strings.Contains(err.Error(), "it is no socket") {
		t.Error(err)
	}
	if _, err := d.Dial(t.Context()); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Error(err)
	}
	if b, err := os.ReadFile(d.Socket()); string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestACommandAsksNobodyWhereOthersCouldListen(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d Dir) error
		want   string
		root   bool
	}{
		"a folder that others may write":  {func(d Dir) error { return os.Chmod(string(d), 0o770) }, "is open to others (mode 0770)", false},
		"a folder of another account":     {func(d Dir) error { return os.Chown(string(d), 12345, -1) }, "belongs to user 12345", true},
		"a socket of another account":     {func(d Dir) error { return os.Lchown(d.Socket(), 12345, -1) }, "belongs to user 12345", true},
		"a link in place of the socket":   {swapForLink, "is no socket", false},
		"no folder at all":                {func(d Dir) error { return os.RemoveAll(string(d)) }, "no such file", false},
		"a folder in which nobody serves": {func(d Dir) error { return os.Remove(d.Socket()) }, ErrNoServer.Error(), false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root {
				asRoot(t)
			}
			d := private(t, "data")
			greets(t, d)
			if err := c.change(d); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Dial(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func swapForLink(d Dir) error {
	return errors.Join(os.Rename(d.Socket(), d.Socket()+"2"), os.Symlink(d.Socket()+"2", d.Socket()))
}

// otherAccount is what a test's own binary does as another account: it says what came of it.
const otherAccount = "BREAKWATER_TEST_OTHER_ACCOUNT"

func TestMain(m *testing.M) {
	at := os.Getenv(otherAccount)
	if at == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", at)
	if err != nil {
		panic(err)
	}
	b, err := io.ReadAll(c)
	if len(b) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		panic(string(b))
	}
	os.Exit(0)
}

// TestTheServerEndsConnectionsOfOtherAccounts: even if the modes of folder and socket let them in.
func TestTheServerEndsConnectionsOfOtherAccounts(t *testing.T) {
	asRoot(t)
	d, err := os.MkdirTemp("/tmp", "socket")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(d) })
	greets(t, Dir(d))
	program := filepath.Join(d, "test")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, mode := range map[string]os.FileMode{d: 0o755, Dir(d).Socket(): 0o666} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.Background(), program)
	cmd.Env = append(os.Environ(), otherAccount+"="+Dir(d).Socket())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
