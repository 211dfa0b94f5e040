package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Socket is where the server and the commands of its account meet. A port is no such place: any
// account of the machine may take one, as when the server crashed.
func (d Dir) Socket() string { return filepath.Join(string(d), "socket") }

// Peer is the process at the other end of a socket, as the kernel says.
type Peer struct{ UID, PID int }

// Account is the name of the account that the process runs as.
func (p Peer) Account() string { return account(p.UID) }

// PeerConn is a connection over the socket.
type PeerConn struct {
	net.Conn
	Peer Peer
}

// longest is how long the path of a socket may be on every system.
const longest = 100

// Listen opens the folder's socket. The caller holds the folder's lock. Connections of other
// accounts are ended.
func (d Dir) Listen() (net.Listener, error) {
	if err := d.removeSocket(); err != nil {
		return nil, err
	}
	at, done, err := d.reach()
	if err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err == nil {
		l.SetUnlinkOnClose(false) // it is known by another path then
		err = os.Chmod(at, files)
	}
	if err := errors.Join(err, done()); err != nil {
		return nil, fmt.Errorf("open the socket %s: %w", d.Socket(), err)
	}
	return ownListener{l, d}, nil
}

// removeSocket removes what a server left that ended without a word.
func (d Dir) removeSocket() error {
	info, err := os.Lstat(d.Socket())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		err = errors.New("it is no socket: remove it")
	}
	if err == nil {
		err = os.Remove(d.Socket())
	}
	if err != nil {
		return fmt.Errorf("the socket %s: %w", d.Socket(), err)
	}
	return nil
}

// reach is a path of the socket that is short enough for the kernel. A long one goes through the open folder.
func (d Dir) reach() (path string, done func() error, err error) {
	if len(d.Socket()) <= longest {
		return d.Socket(), func() error { return nil }, nil
	}
	f, err := os.Open(string(d))
	if err != nil {
		return "", nil, fmt.Errorf("open the data folder: %w", err)
	}
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(f.Fd())), filepath.Base(d.Socket())), f.Close, nil
}

type ownListener struct {
	*net.UnixListener
	dir Dir
}

// Accept returns the next connection of our own account.
func (l ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		own, err := ownPeer(c)
		if err == nil {
			return own, nil
		}
		_ = c.Close() // nothing was said on it
	}
}

// Close ends the socket and removes it.
func (l ownListener) Close() error { return errors.Join(l.UnixListener.Close(), l.dir.removeSocket()) }

// ownPeer asks the kernel who is at the other end, and takes our own account alone.
func ownPeer(c *net.UnixConn) (PeerConn, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return PeerConn{}, err
	}
	var p Peer
	var asked error
	if err := raw.Control(func(fd uintptr) { p, asked = peer(int(fd)) }); err != nil {
		return PeerConn{}, err
	}
	if asked == nil && p.UID != os.Geteuid() {
		asked = fmt.Errorf("%s is at its other end, and this runs as %s", p.Account(), account(os.Geteuid()))
	}
	return PeerConn{c, p}, asked
}

// Dial connects to the server of this folder, once it is sure that this is who answers: folder and
// socket are our account's alone, and so is the process that holds the socket.
func (d Dir) Dial(ctx context.Context) (net.Conn, error) {
	if err := d.owned(); err != nil {
		return nil, err
	}
	at, done, err := d.reach()
	if err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "unix", at)
	err = errors.Join(err, done())
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w on %s: the last one ended without a word; start one with breakwater serve", ErrNoServer, d)
	}
	if err != nil {
		return nil, fmt.Errorf("the socket %s: %w", d.Socket(), err)
	}
	own, err := ownPeer(c.(*net.UnixConn))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the socket %s: %w", d.Socket(), err), c.Close())
	}
	return own, nil
}

// owned says whether folder and socket are our account's alone.
func (d Dir) owned() error {
	folder, err := os.Stat(string(d))
	if err == nil {
		err = mine(string(d), folder)
	}
	if err == nil && folder.Mode().Perm()&others != 0 {
		err = fmt.Errorf("the data folder %s is open to others (mode %04o): chmod 700 it", d, folder.Mode().Perm())
	}
	if err != nil {
		return err
	}
	socket, err := os.Lstat(d.Socket())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // Dial says what that means
	}
	if err == nil && socket.Mode().Type() != fs.ModeSocket {
		err = fmt.Errorf("%s is no socket", d.Socket())
	}
	if err == nil {
		err = mine(d.Socket(), socket)
	}
	return err
}
