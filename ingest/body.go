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

// read reads a request's body, inflated if it says gzip, up to limit bytes. It tells what was read and inflated, also
// where that was too much: it cost the same.
func (p *pool) read(of sender, r *http.Request, limit int64) (out *body, cost int64, err error) {
	came := &arriving{Reader: r.Body, left: limit + 1}
	out = &body{of: of, from: p}
	from, err := inflated(r.Header.Get("Content-Encoding"), came)
	if err == nil {
		err = out.fill(from, limit)
	}
	cost = max(int64(len(out.bytes)), limit+1-came.left)
	if err != nil {
		out.release()
		return nil, cost, err
	}
	return out, cost, nil
}

// arriving is a body before it is inflated: of it comes no more than of what it holds. Parts of gzip that hold nothing
// inflate to nothing, however many of them come.
type arriving struct {
	io.Reader
	left int64
}

func (a *arriving) Read(into []byte) (int, error) {
	if a.left <= 0 {
		return 0, errTooMuchCame
	}
	n, err := a.Reader.Read(into[:min(int64(len(into)), a.left)])
	a.left -= int64(n)
	return n, err
}

var errTooMuchCame = errors.New("more came than may be in it")

func inflated(coding string, came io.Reader) (io.Reader, error) {
	switch coding {
	case "", "identity":
		return came, nil
	case "gzip":
		z, err := gzip.NewReader(came)
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
			size := max(64<<10, 2*int64(cap(b.bytes)))
			if size >= limit { // with room for the byte that is too much: who sends it is told so, and not to come again
				size = limit + 1
			}
			if err := b.grow(size); err != nil {
				return err
			}
		}
		n, err := from.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit || errors.Is(err, errTooMuchCame):
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
