package ingest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/klauspost/compress/gzip"
)

// body is a request's body, whole; release gives its memory back.
type body struct {
	bytes []byte
	held  int64
	of    sender
	from  *pool
}

func (b *body) release() { b.from.give(b.of, b.held) }

// read reads a request's body, inflated if it says gzip, up to limit bytes.
func (p *pool) read(of sender, r *http.Request, limit int64) (*body, error) {
	from, err := inflated(r)
	if err != nil {
		return nil, err
	}
	out := &body{of: of, from: p}
	if err := out.fill(from, limit); err != nil {
		out.release()
		return nil, err
	}
	return out, nil
}

func inflated(r *http.Request) (io.Reader, error) {
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "", "identity":
		return r.Body, nil
	case "gzip":
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "gzip", fmt.Errorf("read gzip: %w", err))
		}
		return z, nil
	default:
		return nil, refuse(http.StatusUnsupportedMediaType, "encoding", errors.New("Content-Encoding must be gzip or identity"))
	}
}

// fill reads until the end. The buffer doubles; while it does, old and new are
// both held.
func (b *body) fill(from io.Reader, limit int64) error {
	for {
		if len(b.bytes) == cap(b.bytes) {
			if err := b.grow(min(max(64<<10, 2*int64(cap(b.bytes))), limit+1)); err != nil {
				return err
			}
		}
		n, err := from.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit:
			return refuse(http.StatusRequestEntityTooLarge, "too big", fmt.Errorf("more than %d bytes", limit))
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded): // we may be the slow ones: it is to come again
			return refuse(http.StatusTooManyRequests, "slow", errors.New("the body did not arrive in time"))
		case err != nil:
			return refuse(http.StatusBadRequest, "body", fmt.Errorf("read body: %w", err))
		}
	}
}

func (b *body) grow(size int64) error {
	if !b.from.take(b.of, size) {
		return refuse(http.StatusTooManyRequests, "busy", errors.New("too many bytes in flight"))
	}
	bigger := make([]byte, len(b.bytes), size)
	copy(bigger, b.bytes)
	b.from.give(b.of, b.held)
	b.bytes, b.held = bigger, size
	return nil
}
