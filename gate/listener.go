package gate

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits are how many connections a listener holds; zero is the default.
type Limits struct {
	// Connections are all (4,096), Strangers those of whom nobody is known yet (512), and
	// PerAddress those of strangers at one address (128). Many may share an address (a
	// proxy, a NAT), which is why those who are known do not count there.
	Connections, Strangers, PerAddress int
	// PerSecond is how many new ones an address may open a second (64), four seconds' worth at
	// once: each costs a handshake.
	PerSecond int
}

func (l Limits) orDefault() Limits {
	l.Connections = cmp.Or(l.Connections, 4096)
	l.Strangers = min(cmp.Or(l.Strangers, 512), l.Connections)
	l.PerAddress = min(cmp.Or(l.PerAddress, 128), l.Strangers)
	l.PerSecond = cmp.Or(l.PerSecond, 64)
	return l
}

// Listener bounds the connections that are open at once. Where there are too many
// strangers the one that is there longest makes room: who shows a token does so within
// moments, and who only holds a connection loses it.
type Listener struct {
	net.Listener
	limits Limits
	now    func() time.Time
	mu     struct {
		sync.Mutex
		all       int
		strangers []*conn // the one that came first, first
		known     map[string]int
		fresh     map[netip.Addr]*fresh
		closed    uint64
	}
}

// fresh is how many connections an address may still open.
type fresh struct {
	left float64
	at   time.Time
}

const (
	// freshSeconds is for how many seconds' worth an address may open connections at once.
	freshSeconds = 4
	// maxFresh bounds the addresses that are counted; one that was quiet need not be.
	maxFresh = 20_000
)

// Listen bounds a listener.
func Listen(l net.Listener, limits Limits) *Listener {
	out := &Listener{Listener: l, limits: limits.orDefault(), now: time.Now}
	out.mu.known, out.mu.fresh = map[string]int{}, map[netip.Addr]*fresh{}
	return out
}

// conn is a connection that counts.
type conn struct {
	net.Conn
	of      *Listener
	address netip.Addr
	// who it is of, "" of a stranger, and whether it counts still; the listener's lock guards both.
	who  string
	gone bool
}

// Closed is how many connections were closed to make room, or for want of it.
func (l *Listener) Closed() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.closed
}

// Open is how many connections there are, and how many of them are strangers'.
func (l *Listener) Open() (all, strangers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.all, len(l.mu.strangers)
}

// Accept waits for the next connection there is room for.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		one := &conn{Conn: c, of: l, address: addressOf(c.RemoteAddr().String())}
		out, fits := l.admit(one)
		if out != nil {
			_ = out.Conn.Close() // its handler notices, and closes it again
		}
		if fits {
			return one, nil
		}
		_ = c.Close()
	}
}

// addressOf is the host of an address, of IPv6 its /64.
func addressOf(at string) netip.Addr {
	a, _ := netip.ParseAddrPort(at)
	ip := a.Addr().Unmap().WithZone("")
	if ip.Is6() {
		p, _ := ip.Prefix(64)
		return p.Addr()
	}
	return ip
}

// opens counts that an address opens a connection, and says whether it may; the lock is held.
func (l *Listener) opens(from netip.Addr) bool {
	now, most := l.now(), float64(l.limits.PerSecond*freshSeconds)
	f := l.mu.fresh[from]
	if f == nil {
		if len(l.mu.fresh) >= maxFresh {
			maps.DeleteFunc(l.mu.fresh, func(_ netip.Addr, f *fresh) bool { return now.Sub(f.at) > freshSeconds*time.Second })
		}
		f = &fresh{most, now}
		l.mu.fresh[from] = f
	}
	f.left = min(most, f.left+now.Sub(f.at).Seconds()*float64(l.limits.PerSecond))
	f.at = now
	if f.left < 1 {
		return false
	}
	f.left--
	return true
}

// admit counts a new connection, and names the one that has to make room for it.
func (l *Listener) admit(c *conn) (out *conn, fits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opens(c.address) {
		l.mu.closed++
		return nil, false
	}
	at := func(s *conn) bool { return s.address == c.address }
	same := 0
	for _, s := range l.mu.strangers {
		if at(s) {
			same++
		}
	}
	switch {
	case same >= l.limits.PerAddress:
		out = l.mu.strangers[slices.IndexFunc(l.mu.strangers, at)]
	case len(l.mu.strangers) >= l.limits.Strangers, l.mu.all >= l.limits.Connections && len(l.mu.strangers) > 0:
		out = l.mu.strangers[0]
	case l.mu.all >= l.limits.Connections:
		l.mu.closed++
		return nil, false
	}
	if out != nil {
		l.mu.closed++
		l.drop(out)
	}
	l.mu.all++
	l.mu.strangers = append(l.mu.strangers, c)
	return out, true
}

// drop no longer counts a connection; the lock is held.
func (l *Listener) drop(c *conn) {
	if c.gone {
		return
	}
	c.gone = true
	l.mu.all--
	if c.who == "" {
		l.mu.strangers = slices.DeleteFunc(l.mu.strangers, func(s *conn) bool { return s == c })
		return
	}
	l.leave(c.who)
}

// leave takes one from what somebody holds; the lock is held.
func (l *Listener) leave(who string) {
	if l.mu.known[who]--; l.mu.known[who] == 0 {
		delete(l.mu.known, who)
	}
}

func (l *Listener) known(c *conn, who string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.gone || c.who == who {
		return true // it ends by itself, or is counted
	}
	if free := l.limits.Connections - (l.mu.all - len(l.mu.strangers)); l.mu.known[who] >= max(free/2, 1) {
		l.mu.closed++
		return false
	}
	if c.who == "" {
		l.mu.strangers = slices.DeleteFunc(l.mu.strangers, func(s *conn) bool { return s == c })
	} else {
		l.leave(c.who)
	}
	c.who = who
	l.mu.known[who]++
	return true
}

// Close ends the connection and what it counts for.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.of.drop(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite lets TLS end its side first.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
