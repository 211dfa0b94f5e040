package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/gate"
)

// own makes the data folder this account's and this process's alone.
func (v *Server) own(folder datadir.Dir) (unlock func(), err error) {
	unix.Umask(0o077) // for all that libraries make in it
	mended, err := folder.Claim()
	if err != nil {
		return nil, err
	}
	for _, what := range mended {
		v.log.Warn("the data folder is closed to other accounts now", "was", what)
	}
	return v.Data.Lock()
}

// door is where people come in: browsers by a port, commands by the socket of the data folder.
type door struct {
	ports  []net.Listener
	gate   *gate.Gate // before the ports: what strangers hold is bounded
	socket net.Listener
	// name is the portal's own, new at each start; empty under TLS, whose certificate says who answers.
	name string
	url  string
	// certificate is shown under TLS; nil if none is spoken.
	certificate *certificate
}

// open opens port and socket. Beyond loopback it wants TLS: sessions are worth stealing.
func (v *Server) open() (*door, error) {
	host, port, err := net.SplitHostPort(v.config.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %q: want HOST:PORT, such as 127.0.0.1:7878: %w", v.config.Listen, err)
	}
	d := &door{gate: gate.New(v.limits.gate("connections"))}
	switch ip := net.ParseIP(host); {
	case v.config.TLSCert != "":
		err = d.openTLS(v.config, v.log)
	case host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return nil, fmt.Errorf("--listen %s: to listen beyond loopback, give --tls-cert and --tls-key", v.config.Listen)
	default:
		err = d.openLoopback(v.config, host, port)
	}
	for i, l := range d.ports {
		d.ports[i] = d.gate.Listen(l)
		if d.certificate != nil {
			d.ports[i] = tls.NewListener(d.ports[i], d.certificate.TLS())
		}
	}
	v.door = d
	if err == nil {
		d.socket, err = v.Data.Listen()
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *door) openTLS(c Config, log *slog.Logger) (err error) {
	if d.certificate, err = openCertificate(c.TLSCert, c.TLSKey, log); err != nil {
		return fmt.Errorf("--tls-cert: %w", err)
	}
	l, err := listen(c.Listen)
	if err != nil {
		return err
	}
	d.ports = []net.Listener{l}
	d.url = "https://" + d.at(c.Hosts, "")
	return nil
}

// openLoopback takes the port on both of the machine's own addresses: a browser that looks for a name
// of localhost tries ::1 too, and there could listen who wants our sessions.
func (d *door) openLoopback(c Config, host, port string) (err error) {
	d.name = "breakwater-" + strings.ToLower(rand.Text()[:16]) + ".localhost"
	if ip := net.ParseIP(host); host != "localhost" && len(c.Hosts) == 0 && !ip.Equal(net.IPv6loopback) && ip.String() != "127.0.0.1" {
		return fmt.Errorf("--listen %s: browsers find the portal's own name at 127.0.0.1 and ::1 only: listen there, or give a name "+
			"of this address with --host", c.Listen)
	}
	hosts := []string{"127.0.0.1", "::1"}
	if host != "localhost" {
		hosts = []string{host, map[bool]string{true: "::1", false: "127.0.0.1"}[strings.Contains(host, ".")]}
	}
	for range 20 { // of a free port, the other address may be taken
		if d.ports, err = both(hosts, port); err == nil || port != "0" {
			break
		}
	}
	if err != nil {
		return err
	}
	d.url = "http://" + d.at(c.Hosts, d.name)
	return nil
}

// both listens on the same port of two addresses, or on that of the first if the machine has no second.
func both(hosts []string, port string) ([]net.Listener, error) {
	first, err := listen(net.JoinHostPort(hosts[0], port))
	if err != nil {
		return nil, err
	}
	second, err := listen(net.JoinHostPort(hosts[1], strconv.Itoa(first.Addr().(*net.TCPAddr).Port)))
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		return []net.Listener{first}, nil
	}
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	return []net.Listener{first, second}, nil
}

func listen(at string) (net.Listener, error) {
	l, err := net.Listen("tcp", at)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("--listen %s: the port is in use: stop what uses it, or give another (port 0 takes a free one)", at)
	}
	return l, err
}

// at is the portal's address under the first name it has.
func (d *door) at(names []string, name string) string {
	addr := d.ports[0].Addr().String()
	_, port, _ := net.SplitHostPort(addr) // it is an address
	switch {
	case len(names) > 0:
		return net.JoinHostPort(names[0], port)
	case name != "":
		return net.JoinHostPort(name, port)
	}
	return addr
}

// let lets in who comes by the ports, until web is closed.
func (d *door) let(g *errgroup.Group, web *http.Server) {
	for _, l := range d.ports {
		g.Go(func() error { return until(web.Serve(l)) })
	}
}

// serve lets in who comes by the socket, who is the operator, and ends both when ctx does.
func (d *door) serve(ctx context.Context, g *errgroup.Group, web *http.Server, handler http.Handler,
	operator func(datadir.Peer) api.Operator) {
	local := &http.Server{Handler: handler, ReadHeaderTimeout: web.ReadHeaderTimeout, IdleTimeout: web.IdleTimeout,
		MaxHeaderBytes: web.MaxHeaderBytes, ErrorLog: web.ErrorLog, BaseContext: web.BaseContext,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if own, ok := c.(datadir.PeerConn); ok {
				return api.WithOperator(ctx, operator(own.Peer))
			}
			return ctx
		}}
	g.Go(func() error { return until(local.Serve(d.socket)) })
	g.Go(func() error {
		<-ctx.Done()
		return errors.Join(end(ctx, web), end(ctx, local))
	})
}

func until(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func end(ctx context.Context, web *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := web.Shutdown(ctx); err != nil {
		return web.Close() // event streams do not end by themselves
	}
	return nil
}

// close ends what serve did not: a port that was closed before is fine.
func (d *door) close() {
	for _, l := range append(d.ports, d.socket) {
		if l != nil {
			_ = l.Close() // web.Shutdown has closed it if all went well
		}
	}
}

// operator is who is at the other end of the socket.
func (v *Server) operator(p datadir.Peer) api.Operator {
	return api.Operator{Person: p.Account(), Address: "socket, process " + strconv.Itoa(p.PID), Sees: v.config.Operator}
}
