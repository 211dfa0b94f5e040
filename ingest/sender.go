package ingest

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/store"
)

// stranger is why a sender is not known, or not any more. Its connection ends.
type stranger struct{ err error }

func (s *stranger) Error() string { return s.err.Error() }
func (s *stranger) Unwrap() error { return s.err }

func unknown(reason string, err error) error {
	return refuse(http.StatusUnauthorized, reason, &stranger{err})
}

// sender says whose request it is, by its certificate or token and never by what it says of
// itself. It asks at each request: who is revoked is refused at once, on running connections too.
func (s *Server) sender(r *http.Request, kind Kind) (sender, error) {
	if c := shown(r); c != nil {
		return s.certified(r, c, kind)
	}
	who := sender{source: source{kind: kind}, address: gate.Address(r)}
	token := bearer(r)
	if kind == Audit {
		token = auditToken(r)
	}
	of, err := s.known(r, token)
	if err != nil {
		return who, err
	}
	who.source = source{of.Cluster, Kind(of.Kind)}
	switch {
	case Kind(of.Kind) != kind || kind == Audit && r.PathValue("cluster") != of.Cluster:
		return who, refuse(http.StatusForbidden, "token of another", errors.New("the token is for another cluster or purpose"))
	case kind == Runtime && !s.config.SensorTokens:
		return who, unknown("no certificate", errors.New("a join token sends nothing: with it a sensor of this release joins and gets a "+
			"certificate"))
	}
	return who, nil
}

// known is what a request's token was made for.
func (s *Server) known(r *http.Request, token string) (store.IngestToken, error) {
	if token == "" {
		return store.IngestToken{}, unknown("no token", errors.New("no bearer token and no certificate"))
	}
	of, err := s.lookups.ask(r.Context(), token, s.config.Tokens.IngestToken)
	switch {
	case errors.Is(err, store.ErrExpired), errors.Is(err, store.ErrRevoked):
		return store.IngestToken{}, unknown("ended token", fmt.Errorf("the token does not count any more: %s", ended(err)))
	case errors.Is(err, store.ErrNotFound):
		return store.IngestToken{}, unknown("wrong token", errors.New("the token is not known"))
	case err != nil:
		return store.IngestToken{}, fmt.Errorf("look up token: %w", err)
	}
	s.used.note(of.ID, func(at time.Time) error {
		return s.config.Tokens.UsedIngestToken(r.Context(), of.ID, address(r), at)
	})
	return of, nil
}

// bearer is the token that a request shows.
func bearer(r *http.Request) string {
	token, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !is {
		return ""
	}
	return token
}

// auditToken is the token of who sends an audit log: in the address, which proxies may log, of those who can send no header of
// ours and may show a bearer of their own, such as Pub/Sub; as a bearer; or in the header of Firehose.
func auditToken(r *http.Request) string {
	return cmp.Or(r.URL.Query().Get("token"), bearer(r), r.Header.Get(firehoseKey))
}

// ended is the reason alone.
func ended(err error) string {
	_, why, _ := strings.Cut(err.Error(), ": ")
	return why
}

// shown is the certificate that a sender proved to hold the key of; nil if it showed none.
func shown(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// certified says whose a certificate is.
func (s *Server) certified(r *http.Request, c *x509.Certificate, kind Kind) (sender, error) {
	who := sender{source: source{kind: kind}, address: gate.Address(r)}
	of, err := s.certificate(r, c)
	if err != nil {
		return who, err
	}
	who.source, who.node = source{of.Cluster, Kind(of.Kind)}, of.Node
	if who.kind != kind || kind == Audit && r.PathValue("cluster") != of.Cluster {
		return who, refuse(http.StatusForbidden, "certificate of another", errors.New("the certificate is for another cluster or purpose"))
	}
	if kind == Runtime && !of.Verified { // it joined while the cluster's nodes were not known
		if has, why := s.config.HasNode(of.Cluster, of.Node); !has && why == "" {
			return who, unknown("unknown node", fmt.Errorf("the cluster %s has no node %s", of.Cluster, of.Node))
		}
	}
	return who, nil
}

// certificate is what is kept of a certificate that counts.
func (s *Server) certificate(r *http.Request, c *x509.Certificate) (store.Certificate, error) {
	refused := func(why string) error { return unknown("wrong certificate", errors.New(why)) }
	if s.config.Clients == nil {
		return store.Certificate{}, refused("this server gave no certificate to anybody")
	}
	now := time.Now()
	if err := s.config.Clients.vouchedFor(c, now); err != nil {
		if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			return store.Certificate{}, unknown("ended certificate", errors.New("the certificate does not count any more: it has expired"))
		}
		return store.Certificate{}, refused("the certificate is not from this server")
	}
	who, err := identityOf(c)
	if err != nil {
		return store.Certificate{}, refused(err.Error())
	}
	kept, err := s.config.Tokens.Certificate(r.Context(), who.Cluster, Serial(c))
	switch {
	case errors.Is(err, store.ErrExpired), errors.Is(err, store.ErrRevoked):
		return store.Certificate{}, unknown("ended certificate", fmt.Errorf("the certificate does not count any more: %s", ended(err)))
	case errors.Is(err, store.ErrNotFound):
		return store.Certificate{}, refused("the certificate is not known")
	case err != nil:
		return store.Certificate{}, fmt.Errorf("look up certificate: %w", err)
	case kept.Node != who.Node || Kind(kept.Kind) != who.kind():
		return store.Certificate{}, refused("the certificate is not what was given out under its number")
	}
	s.used.note(who.Cluster+"/"+kept.Serial, func(at time.Time) error {
		return s.config.Tokens.UsedCertificate(r.Context(), who.Cluster, kept.Serial, address(r), at)
	})
	return kept, nil
}

// speaksFor refuses a sensor that names another node than its certificate, and notes it.
func (s *Server) speaksFor(ctx context.Context, of sender, node string, r *http.Request) error {
	switch of.node {
	case "": // nobody proved which node it is: names are bounded
		return s.nodes.admit(of, node)
	case node:
		return nil
	}
	s.notice(ctx, of.cluster, identity.Record{What: identity.Foreign, Node: of.node, Claimed: cut(node), From: address(r)})
	return refuse(http.StatusForbidden, "another node", errors.New("the certificate is another node's than the request names"))
}

// address is where a request comes from, without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// cut bounds a name that strangers chose.
func cut(name string) string { return strings.ToValidUTF8(name[:min(len(name), 253)], "·") }

// uses notes when something was last used, each thing at most once a minute.
type uses struct {
	failed func(error)
	mu     struct {
		sync.Mutex
		at map[string]time.Time
	}
}

const (
	usesEvery = time.Minute
	mostUses  = 100_000
)

func (u *uses) note(id string, write func(time.Time) error) {
	now := time.Now()
	u.mu.Lock()
	recent := now.Sub(u.mu.at[id]) < usesEvery
	if !recent {
		if u.mu.at == nil || len(u.mu.at) >= mostUses {
			u.mu.at = map[string]time.Time{}
		}
		u.mu.at[id] = now
	}
	u.mu.Unlock()
	if recent {
		return
	}
	if err := write(now); err != nil {
		u.failed(err)
	}
}
