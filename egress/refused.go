package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// Refused says that the policy lets a request go no further. It names the host and what a person can say to allow it, and
// nothing that a foreign server sent.
type Refused struct {
	Host string // as a person writes it
	Why  string
	// Allow is the flag that allows it, empty if none does.
	Allow string
}

func (r *Refused) Error() string {
	if r.Allow == "" {
		return fmt.Sprintf("%s %s", r.Host, r.Why)
	}
	return fmt.Sprintf("%s %s: if that is as it should be, give %s", r.Host, r.Why, r.Allow)
}

// Unreached says in our own words why there is no answer. Those of the error beneath may be of the foreign server.
type Unreached struct {
	Host, Why string
	err       error
}

func (u *Unreached) Error() string { return fmt.Sprintf("%s: %s", u.Host, u.Why) }

func (u *Unreached) Unwrap() error { return u.err }

// Timeout implements net.Error.
func (u *Unreached) Timeout() bool { var e net.Error; return errors.As(u.err, &e) && e.Timeout() }

// Temporary says whether asking again may help.
func (u *Unreached) Temporary() bool {
	var e interface{ Temporary() bool }
	return errors.As(u.err, &e) && e.Temporary()
}

// inOurWords is an error of the network without any text that the other side sent.
func inOurWords(host string, err error) error {
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return &Unreached{host, why(host, err), err}
}

// Cause is what of an error is ours to tell, nil where none of this package is in it: clients put addresses around it that
// foreign servers chose. What it is given is not compared with anything: some clients' errors are lists, and comparing
// those panics.
func Cause(err error) error {
	var refused *Refused
	var unreached *Unreached
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &unreached):
		return unreached
	}
	return nil
}

func why(host string, err error) string {
	var (
		dns       *net.DNSError
		timeout   net.Error
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		proxy     *proxyRefuses
	)
	switch {
	case errors.As(err, &proxy):
		return proxy.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns):
		return "its address cannot be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH):
		return "no route to it"
	case errors.As(err, &authority):
		return "its certificate is signed by an authority that this machine does not know"
	case errors.As(err, &name):
		return "its certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet"
	case errors.As(err, &invalid):
		return "its certificate is not valid"
	case errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks no TLS; if that is as it should be, name it http://" + host
	case errors.As(err, &alert):
		return "it ends the TLS handshake"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed):
		return "the connection ended too early"
	}
	return "what it sends is not understood"
}
