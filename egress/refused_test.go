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
	"os"
	"strings"
	"syscall"
	"testing"
)

const planted = "planted-by-a-foreign-server"

func TestWhyThereIsNoAnswerIsToldInOurWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: planted, Name: planted, IsNotFound: true}, "no such host"},
		{&net.DNSError{Err: planted, Name: planted, IsTimeout: true}, "its address cannot be looked up"},
		{syscall.ECONNREFUSED, "connection refused"},
		{syscall.ECONNRESET, "connection reset"},
		{syscall.EPIPE, "connection reset"},
		{syscall.EHOSTUNREACH, "no route to it"},
		{syscall.ENETUNREACH, "no route to it"},
		{x509.UnknownAuthorityError{}, "its certificate is signed by an authority that this machine does not know"},
		{x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{planted}}, Host: "r.example"},
			"its certificate is for another name"},
		{x509.CertificateInvalidError{Reason: x509.Expired, Detail: planted}, "its certificate has expired, or is not valid yet"},
		{x509.CertificateInvalidError{Reason: x509.TooManyIntermediates, Detail: planted}, "its certificate is not valid"},
		{tls.RecordHeaderError{Msg: planted}, "it speaks no TLS; if that is as it should be, name it http://r.example:5000"},
		{http.ErrSchemeMismatch, "it speaks no TLS; if that is as it should be, name it http://r.example:5000"},
		{tls.AlertError(40), "it ends the TLS handshake"},
		{os.ErrDeadlineExceeded, "no answer in time"},
		{&net.OpError{Op: "read", Err: errors.New(planted)}, "what it sends is not understood"},
		{io.ErrUnexpectedEOF, "the connection ended too early"},
		{io.EOF, "the connection ended too early"},
		{net.ErrClosed, "the connection ended too early"},
		{errors.New(planted), "what it sends is not understood"},
	} {
		got := inOurWords("r.example:5000", fmt.Errorf("%s: %w", planted, c.err))
		if got.Error() != "r.example:5000: "+c.want {
			t.Errorf("%T %v: %v, want %q", c.err, c.err, got, c.want)
		}
		if !errors.Is(got, c.err) && !strings.Contains(fmt.Sprintf("%T", c.err), "x509") {
			t.Errorf("%T: what is beneath is lost", c.err)
		}
	}
}

func TestWhatIsOursStaysAsItIs(t *testing.T) {
	for _, want := range []error{context.Canceled, context.DeadlineExceeded, &Refused{Host: "r.example", Why: "is closed"}} {
		if got := inOurWords("r.example", fmt.Errorf("%s: %w", planted, want)); got != want {
			t.Errorf("%v became %v", want, got)
		}
	}
}

func TestWhetherAskingAgainHelps(t *testing.T) {
	for _, c := range []struct {
		err                error
		timeout, temporary bool
	}{
		{errors.New("x"), false, false},
		{&net.DNSError{}, false, false},
		{&net.DNSError{IsTemporary: true}, false, true},
		{&net.DNSError{IsTimeout: true}, true, true},
	} {
		u := &Unreached{Host: "r.example", err: c.err}
		if u.Timeout() != c.timeout || u.Temporary() != c.temporary {
			t.Errorf("%#v: timeout %v, temporary %v", c.err, u.Timeout(), u.Temporary())
		}
	}
}

func TestCauseIsWhatIsOursOfAnError(t *testing.T) {
	refused, unreached := &Refused{Host: "r.example"}, &Unreached{Host: "r.example"}
	for _, c := range []struct{ err, want error }{
		{refused, refused}, {unreached, unreached}, {errors.New(planted), nil}, {nil, nil},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("%s: %w", planted, err)
		}
		if got := Cause(err); got != c.want {
			t.Errorf("of %v: %v, want %v", err, got, c.want)
		}
	}
}

func TestARefusalSaysWhatAllowsIt(t *testing.T) {
	for _, c := range []struct {
		refused Refused
		want    string
	}{
		{Refused{Host: "r.example", Why: "is closed"}, "r.example is closed"},
		{Refused{"r.example", "is closed", "--open"}, "r.example is closed: if that is as it should be, give --open"},
	} {
		if got := c.refused.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
