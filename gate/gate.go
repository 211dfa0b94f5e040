// Package gate bounds what strangers hold of an HTTP server before it knows who they
// are, and what slow lines hold of it after that: connections, headers, bodies and
// answers that do not come along. It knows nothing of what is asked.
package gate

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Server is an http.Server whose headers are bounded in time and size. It speaks HTTP/1
// only: one connection is one request at a time, so that what bounds connections bounds
// requests. Give it a listener of a Gate, and a handler that keeps a Pace.
func Server(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Server{Handler: h, Protocols: protocols, MaxHeaderBytes: 32 << 10,
		ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnContext: remember,
		BaseContext: func(net.Listener) context.Context { return ctx }}
}

// remember lets Known find the connection that a request came by.
func remember(ctx context.Context, c net.Conn) context.Context {
	if inner, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = inner.NetConn()
	}
	if ours, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, ours)
	}
	return ctx
}

type connKey struct{}

// Known says that a request's sender proved to be who, so that the connection is no
// stranger's any more. It is false where who holds too many already: more than half of
// those that are left. A request that came by no Gate is always known.
func Known(ctx context.Context, who string) bool {
	c, ok := ctx.Value(connKey{}).(*conn)
	return !ok || c.of.known(c, who)
}

// Address is where a request comes from. An IPv6 host has a whole /64 to choose from.
func Address(r *http.Request) netip.Addr { return addressOf(r.RemoteAddr) }
