// Package sender posts audit events to the endpoint the way an API server does.
package sender

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/ingest"
)

// Sender posts audit events the way an API server does.
type Sender struct {
	url, token string
	client     *http.Client
}

// New makes a sender that shows a token or, if there is one, a certificate.
func New(url, token string, ca []byte, shows ...tls.Certificate) (*Sender, error) {
	trust := x509.NewCertPool()
	if !trust.AppendCertsFromPEM(ca) {
		return nil, errors.New("no certificate authority (PEM)")
	}
	return &Sender{url, token, &http.Client{Timeout: 2 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this server
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, Certificates: shows, MinVersion: tls.VersionTLS12}}}}, nil
}

// Send posts an EventList; fromLog says that it comes from a log file.
func (a *Sender) Send(ctx context.Context, body []byte, fromLog bool) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	r.Header.Set("Content-Type", "application/json")
	if fromLog {
		r.Header.Set(ingest.LogHeader, "replay")
	}
	resp, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	why, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errBusy, strings.TrimSpace(string(why)))
	}
	return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(why)))
}

// errBusy says that the same request may be taken a little later.
var errBusy = errors.New("the server is busy")

// SendWithRetry sends for as long as the server only asks to wait.
func (a *Sender) SendWithRetry(ctx context.Context, body []byte) error {
	return backoff.Retry(ctx, func(err error) bool { return errors.Is(err, errBusy) }, func() error { return a.Send(ctx, body, true) })
}

// Close ends idle connections.
func (a *Sender) Close() { a.client.CloseIdleConnections() }
