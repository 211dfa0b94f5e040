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

// Gate bounds the connections that are open at once, of all its listeners together. Where
// there are too many strangers the one that is there longest makes room: who shows a token
// does so within moments, and who only holds a connection loses it.
type Gate struct {
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

// New makes a gate that nobody has passed yet.
func New(limits Limits) *Gate {
	g := &Gate{limits: limits.orDefault(), now: time.Now}
	g.mu.known, g.mu.fresh = map[string]int{}, map[netip.Addr]*fresh{}
	return g
}

// conn is a connection that counts.
type conn struct {
	net.Conn
	of      *Gate
	address netip.Addr
	// who it is of, "" of a stranger, and whether it counts still; the gate's lock guards both.
	who  string
	gone bool
}

// Closed is how many connections were closed to make room, or for want of it.
func (g *Gate) Closed() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.closed
}

// Open is how many connections there are, and how many of them are strangers'.
func (g *Gate) Open() (all, strangers int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.all, len(g.mu.strangers)
}

// Listen lets what comes by a listener pass the gate.
func (g *Gate) Listen(inner net.Listener) net.Listener { return listener{inner, g} }

type listener struct {
	net.Listener
	gate *Gate
}

// Accept waits for the next connection there is room for.
func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		one := &conn{Conn: c, of: l.gate, address: addressOf(c.RemoteAddr().String())}
		out, fits := l.gate.admit(one)
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
func (g *Gate) opens(from netip.Addr) bool {
	now, most := g.now(), float64(g.limits.PerSecond*freshSeconds)
	f := g.mu.fresh[from]
	if f == nil {
		if len(g.mu.fresh) >= maxFresh {
			maps.DeleteFunc(g.mu.fresh, func(_ netip.Addr, f *fresh) bool { return now.Sub(f.at) > freshSeconds*time.Second })
		}
		f = &fresh{most, now}
		g.mu.fresh[from] = f
	}
	f.left = min(most, f.left+now.Sub(f.at).Seconds()*float64(g.limits.PerSecond))
	f.at = now
	if f.left < 1 {
		return false
	}
	f.left--
	return true
}

// admit counts a new connection, and names the one that has to make room for it.
func (g *Gate) admit(c *conn) (out *conn, fits bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.opens(c.address) {
		g.mu.closed++
		return nil, false
	}
	at := func(s *conn) bool { return s.address == c.address }
	same := 0
	for _, s := range g.mu.strangers {
		if at(s) {
			same++
		}
	}
	switch {
	case same >= g.limits.PerAddress:
		out = g.mu.strangers[slices.IndexFunc(g.mu.strangers, at)]
	case len(g.mu.strangers) >= g.limits.Strangers, g.mu.all >= g.limits.Connections && len(g.mu.strangers) > 0:
		out = g.mu.strangers[0]
	case g.mu.all >= g.limits.Connections:
		g.mu.closed++
		return nil, false
	}
	if out != nil {
		g.mu.closed++
		g.drop(out)
	}
	g.mu.all++
	g.mu.strangers = append(g.mu.strangers, c)
	return out, true
}

// drop no longer counts a connection; the lock is held.
func (g *Gate) drop(c *conn) {
	if c.gone {
		return
	}
	c.gone = true
	g.mu.all--
	if c.who == "" {
		g.mu.strangers = slices.DeleteFunc(g.mu.strangers, func(s *conn) bool { return s == c })
		return
	}
	g.leave(c.who)
}

// leave takes one from what somebody holds; the lock is held.
func (g *Gate) leave(who string) {
	if g.mu.known[who]--; g.mu.known[who] == 0 {
		delete(g.mu.known, who)
	}
}

func (g *Gate) known(c *conn, who string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.gone || c.who == who {
		return true // it ends by itself, or is counted
	}
	if free := g.limits.Connections - (g.mu.all - len(g.mu.strangers)); g.mu.known[who] >= max(free/2, 1) {
		g.mu.closed++
		return false
	}
	if c.who == "" {
		g.mu.strangers = slices.DeleteFunc(g.mu.strangers, func(s *conn) bool { return s == c })
	} else {
		g.leave(c.who)
	}
	c.who = who
	g.mu.known[who]++
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
