package sensor

import (
	"bytes"
	"context"
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
	server   *url.URL
	roots    *x509.CertPool
	identity Identity
	zipped   bytes.Buffer
	zip      *gzip.Writer
	// turn is held by who changes what follows: key and certificate, and the client that
	// shows them.
	turn   chan struct{}
	own    *credential
	client *http.Client
	joined bool
}

const (
	batchHeader = "X-Breakwater-Sensor"
	// patience is longer than the server's own with its disk.
	patience = 90 * time.Second
	// mostAnswer is what is read of an answer.
	mostAnswer = 4 << 10
)

// NewLink makes a way to an https server. Roots are who may vouch for it (nil:
// whom the system trusts); identity is who we are. No proxy of the environment is
// used and no redirect followed: what we show is for this server.
func NewLink(server *url.URL, roots *x509.CertPool, identity Identity) (*Link, error) {
	if server.Scheme != "https" || server.Host == "" {
		return nil, fmt.Errorf("server %s: want https://HOST:PORT: token and records are not for everybody on the way", server.Redacted())
	}
	l := &Link{server: server, roots: roots, identity: identity, turn: make(chan struct{}, 1)}
	l.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level there is
	return l, nil
}

// answerError is a server's answer other than 2xx.
type answerError struct {
	status int
	text   string
	// after is how long the server wants to be left alone; 0 if it does not say.
	after time.Duration
	// joining says that it is about a certificate, not about records.
	joining bool
}

func (e *answerError) Error() string { return fmt.Sprintf("server answered %d: %s", e.status, e.text) }

// stranger says that the server does not know us, or as another.
func (e *answerError) stranger() bool {
	return e.status == http.StatusUnauthorized || e.status == http.StatusForbidden || e.status == http.StatusConflict
}

// final says that the same request will never be taken.
func (e *answerError) final() bool {
	return !e.joining &&
		(e.status == http.StatusBadRequest || e.status == http.StatusRequestEntityTooLarge || e.status == http.StatusUnprocessableEntity)
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

// post sends a body as this node. If the server does not take our certificate any more, it
// joins anew and tries once again.
func (l *Link) post(ctx context.Context, path string, body []byte, header http.Header) error {
	for again := false; ; again = true {
		client, err := l.certified(ctx)
		if err != nil {
			return err
		}
		_, err = l.send(ctx, client, path, body, header)
		var answer *answerError
		if !errors.As(err, &answer) || answer.status != http.StatusUnauthorized {
			return err
		}
		l.stranger(ctx, client)
		if again {
			return err
		}
	}
}

// send posts a body and reads the answer.
func (l *Link) send(ctx context.Context, client *http.Client, path string, body []byte, header http.Header) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.server.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	r.Header = header
	answer, err := client.Do(r)
	if err != nil {
		return nil, err // net/http says what it did, without the token
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if answer.StatusCode/100 == 2 {
		return text, err
	}
	after, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // a date is none of our server's
	return nil, errors.Join(
		&answerError{status: answer.StatusCode, text: strconv.Quote(strings.TrimSpace(string(text))),
			after: time.Duration(max(after, 0)) * time.Second},
		err,
	)
}
