package pgtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy stands between a store and the server, as a network does: it may stand still, and it may lose what a
// transaction's end is answered with.
type Proxy struct {
	// DSN is the database, through the proxy.
	DSN string
	to  string
	mu  struct {
		sync.Mutex
		still chan struct{} // closed when it goes on; nil while it does
		loses bool
		conns []net.Conn
	}
}

// socketName is where PostgreSQL listens in a folder.
const socketName = ".s.PGSQL.5432"

// Through is a proxy to a database of DSN.
func Through(t testing.TB, dsn string) *Proxy {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q, dir := u.Query(), t.TempDir()
	p := &Proxy{to: filepath.Join(q.Get("host"), socketName)}
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	p.DSN = u.String()
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); p.GoOn(); p.Cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(c)
		}
	}()
	return p
}

// StandStill keeps everything that is said, in both directions, until GoOn.
func (p *Proxy) StandStill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.still == nil {
		p.mu.still = make(chan struct{})
	}
}

// GoOn lets everything pass again.
func (p *Proxy) GoOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.still != nil {
		close(p.mu.still)
		p.mu.still = nil
	}
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.mu.conns {
		_ = c.Close() // it may have ended
	}
	p.mu.conns = nil
}

// LoseNextCommit lets the next end of a transaction reach the server, and ends the connection in place of its answer.
func (p *Proxy) LoseNextCommit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.loses = true
}

func (p *Proxy) passes() {
	p.mu.Lock()
	still := p.mu.still
	p.mu.Unlock()
	if still != nil {
		<-still
	}
}

// loses says whether what a client says ends the transaction whose answer is to be lost.
func (p *Proxy) loses(said []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mu.loses || !bytes.Contains(bytes.ToLower(said), []byte("commit\x00")) {
		return false
	}
	p.mu.loses = false
	return true
}

func (p *Proxy) carry(client net.Conn) {
	server, err := net.Dial("unix", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.mu.conns = append(p.mu.conns, client, server)
	p.mu.Unlock()
	end := func() { _ = errors.Join(client.Close(), server.Close()) } // either may have ended
	lost := make(chan struct{})
	go func() {
		defer end()
		p.pump(client, server, func(said []byte) {
			if p.loses(said) {
				close(lost)
			}
		})
	}()
	defer end()
	p.pump(server, client, func([]byte) {
		select {
		case <-lost:
			end()
		default:
		}
	})
}

// pump carries what one side says to the other.
func (p *Proxy) pump(from io.Reader, to io.Writer, hears func([]byte)) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		p.passes()
		hears(b[:n])
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}
