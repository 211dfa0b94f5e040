package sensor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Link is the way to the server.
type Link struct {
	server *url.URL
	token  func() (string, error)
	client http.Client
	zipped bytes.Buffer
	zip    *gzip.Writer
}

const (
	batchHeader = "X-Breakwater-Sensor"
	// patience is longer than the server's own with its disk.
	patience = 90 * time.Second
	// mostAnswer is what is read of an answer.
	mostAnswer = 4 << 10
)

// NewLink makes a way to an https server. Roots are who may vouch for it (nil:
// whom the system trusts). The token is asked for before each request: it may be
// renewed meanwhile. No proxy of the environment is used and no redirect
// followed: the token is for this server.
func NewLink(server *url.URL, roots *x509.CertPool, token func() (string, error)) (*Link, error) {
	if server.Scheme != "https" || server.Host == "" {
		return nil, fmt.Errorf("server %s: want https://HOST:PORT: token and records are not for everybody on the way", server.Redacted())
	}
	l := &Link{server: server, token: token}
	l.client = http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2: true,
			MaxIdleConns:      2,
			IdleConnTimeout:   time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	l.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level there is
	return l, nil
}

// answerError is a server's answer other than 2xx.
type answerError struct {
	status int
	text   string
	// after is how long the server wants to be left alone; 0 if it does not say.
	after time.Duration
}

func (e *answerError) Error() string { return fmt.Sprintf("server answered %d: %s", e.status, e.text) }

// stranger says that the server does not know the token.
func (e *answerError) stranger() bool {
	return e.status == http.StatusUnauthorized || e.status == http.StatusForbidden
}

// final says that the same request will never be taken.
func (e *answerError) final() bool {
	return e.status == http.StatusBadRequest || e.status == http.StatusRequestEntityTooLarge || e.status == http.StatusUnprocessableEntity
}

// records sends lines under their name.
func (l *Link) records(ctx context.Context, lines []byte) error {
	l.zipped.Reset()
	l.zip.Reset(&l.zipped)
	if _, err := l.zip.Write(lines); err != nil {
		return fmt.Errorf("compress records: %w", err)
	}
	if err := l.zip.Close(); err != nil {
		return fmt.Errorf("compress records: %w", err)
	}
	return l.post(
		ctx,
		"v1/sensor/events",
		l.zipped.Bytes(),
		http.Header{batchHeader: {name(lines)}, "Content-Encoding": {"gzip"}, "Content-Type": {"application/x-ndjson"}},
	)
}

// post sends a body and reads the answer.
func (l *Link) post(ctx context.Context, path string, body []byte, header http.Header) error {
	token, err := l.token()
	if err != nil {
		return fmt.Errorf("read the join token: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.server.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	r.Header = header
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	answer, err := l.client.Do(r)
	if err != nil {
		return err // net/http says what it did, without the token
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if answer.StatusCode/100 == 2 {
		return nil
	}
	after, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // a date is none of our server's
	return errors.Join(
		&answerError{answer.StatusCode, strconv.Quote(strings.TrimSpace(string(text))), time.Duration(max(after, 0)) * time.Second},
		err,
	)
}
