package image

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Transport reaches registries and gives up on one that does not answer. It never
// goes to link-local addresses: what a registry's name, redirect or token server
// leads to is text of others, and there clouds keep the credentials of machines.
func Transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, Control: notLinkLocal}).DialContext
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = 10*time.Second, 30*time.Second
	return t
}

// errLinkLocal ends a connection before it is made.
var errLinkLocal = errors.New("no registry is at a link-local address")

func notLinkLocal(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := to.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip == netip.MustParseAddr("fd00:ec2::254") {
		return errLinkLocal
	}
	return nil
}
