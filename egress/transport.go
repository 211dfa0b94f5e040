package egress

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Transport fetches under a policy, for one registry at a time: For. It is a Network. Where people set a proxy (HTTPS_PROXY
// and so on, or one for a registry) it looks names up and connects, so that what a name leads to is the proxy's to judge.
// Sites, accounts, plain HTTP, names and written addresses are held to here all the same.
type Transport struct {
	policy Policy
	// Lookup finds the addresses of a name; the machine's own way unless set. It is set before the first request.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	way    // where nobody said anything else
	// ways are those to registries that people said something of.
	ways map[string]way
}

// Transport builds what fetches under the policy.
func (p Policy) Transport() *Transport {
	t := &Transport{policy: p, ways: map[string]way{}}
	t.way = t.wayOf("")
	for _, said := range []map[string]string{p.Authorities, p.Proxies} {
		for registry := range said {
			if _, made := t.ways[registry]; !made {
				t.ways[registry] = t.wayOf(registry)
			}
		}
	}
	return t
}

// proxyAddress is HOST:PORT of a proxy as environments name it.
func proxyAddress(s string) string {
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// connecting is a transport that asks before it connects to an address.
func (t *Transport) connecting(may func(host, port string, a netip.Addr) error, roots *x509.CertPool) *http.Transport {
	h := http.DefaultTransport.(*http.Transport).Clone()
	h.Proxy = nil
	if roots != nil {
		h.TLSClientConfig = trusting(roots)
	}
	h.TLSHandshakeTimeout, h.ResponseHeaderTimeout = 10*time.Second, 30*time.Second
	h.MaxResponseHeaderBytes = 256 << 10
	h.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return t.dial(ctx, network, host, port, func(a netip.Addr) error { return may(host, port, a) })
	}
	return h
}

// dial asks of each address when it is about to be connected to, so that a name that leads elsewhere a moment later leads
// nowhere.
func (t *Transport) dial(ctx context.Context, network, host, port string, may func(netip.Addr) error) (c net.Conn, err error) {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return may(to.Addr())
	}}
	if t.Lookup == nil || isAddress(host) {
		return d.DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	found, err := t.Lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	for _, a := range found {
		if c, err = d.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// mayConnect judges an address that a host's name led to.
func (t *Transport) mayConnect(host, port string, a netip.Addr) error {
	k := kindOf(a)
	if k == nil {
		return nil
	}
	at := spoken(host, port, "")
	if k.Never {
		return &Refused{Host: at, Why: "is at " + k.Name + ": nothing is fetched from there"}
	}
	allowed := slices.ContainsFunc(t.policy.Networks, func(n netip.Prefix) bool { return n.Contains(plain(a)) || n.Contains(a.Unmap()) })
	if allowed || t.isNamed(host, port) && (!k.Written || isAddress(host)) {
		return nil
	}
	if k.Written {
		return &Refused{Host: at, Why: "is at " + k.Name, Allow: "--allow-private ADDRESS with that address"}
	}
	return &Refused{Host: at, Why: fmt.Sprintf("is at %s, and nobody named it", k.Name),
		Allow: fmt.Sprintf("--allow-private %s, or connect the registry with --registry %[1]s", at)}
}

// isNamed says whether a person named a host with this port.
func (t *Transport) isNamed(host, port string) bool {
	at := net.JoinHostPort(host, port)
	for _, h := range t.policy.Named {
		if h.address() == at {
			return true
		}
	}
	for _, h := range t.policy.Mirrors {
		if h.address() == at {
			return true
		}
	}
	return false
}

// Plain says whether a registry, HOST or HOST:PORT, is one that speaks HTTP without TLS: a person said so, or it was
// named on this machine.
func (t *Transport) Plain(registry string) bool { return t.policy.Plain(registry) }

// Plain says whether a host, HOST or HOST:PORT, may speak HTTP without TLS.
func (p Policy) Plain(host string) bool {
	host = canonical(strings.ToLower(host))
	same := func(h Host) bool { return h.Plain && (Host{host, true}).address() == h.address() }
	if slices.ContainsFunc(p.Named, same) {
		return true
	}
	for _, m := range p.Mirrors {
		if same(m) {
			return true
		}
	}
	return local(hostnameOf(host))
}

// CloseIdle closes the connections that wait for another request.
func (t *Transport) CloseIdle() {
	for _, w := range append(slices.Collect(maps.Values(t.ways)), t.way) {
		w.direct.CloseIdleConnections()
		w.proxied.CloseIdleConnections()
	}
}
