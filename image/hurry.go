package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// slowest is how many bytes a second a registry must send while somebody waits for them.
const slowest = 8 << 10

// Slow says that a registry sends next to nothing.
type Slow struct{ Host string }

func (s *Slow) Error() string {
	return fmt.Sprintf("registry %s sends less than %d KiB a second", s.Host, slowest>>10)
}

// Hurry is a transport that gives up on who sends next to nothing, so that a byte now and
// then holds nobody. Only the time that is spent waiting counts.
func Hurry(next http.RoundTripper, patience time.Duration) http.RoundTripper {
	return hurry{next, patience}
}

type hurry struct {
	next     http.RoundTripper
	patience time.Duration
}

func (h hurry) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, give := context.WithCancelCause(r.Context())
	resp, err := h.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		give(nil)
		return nil, err
	}
	resp.Request = r
	resp.Body = &hurried{ReadCloser: resp.Body, ctx: ctx, give: give, slow: &Slow{r.URL.Host}, patience: h.patience}
	return resp, nil
}

// hurried is a body that must come.
type hurried struct {
	io.ReadCloser
	ctx      context.Context
	give     context.CancelCauseFunc
	slow     *Slow
	patience time.Duration
	waited   time.Duration // since somebody began to count
	got      int64         // since then
}

func (h *hurried) Read(p []byte) (int, error) {
	timer := time.AfterFunc(h.patience, func() { h.give(h.slow) })
	began := time.Now()
	n, err := h.ReadCloser.Read(p)
	timer.Stop()
	h.waited, h.got = h.waited+time.Since(began), h.got+int64(n)
	switch {
	case err == io.EOF:
		return n, err
	case context.Cause(h.ctx) == h.slow:
		return n, h.slow
	case h.waited >= h.patience:
		if float64(h.got) < slowest*h.waited.Seconds() {
			h.give(h.slow)
			return n, h.slow
		}
		h.waited, h.got = 0, 0
	}
	return n, err
}

func (h *hurried) Close() error {
	err := h.ReadCloser.Close()
	h.give(nil)
	return err
}
