package image

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
)

// Busy says that a registry wants to be left alone for longer than anybody
// waits: the caller comes back later. It is no failure of the image.
type Busy struct {
	Host string
	For  time.Duration
}

func (b *Busy) Error() string {
	return fmt.Sprintf("registry %s asks to slow down (429): it is tried again in %s", b.Host, b.For)
}

// retrier waits as a registry asks (429, or 503 with Retry-After) and asks again,
// a few times and never for long; then it says Busy.
type retrier struct {
	next  http.RoundTripper
	tries int
	first time.Duration // without Retry-After
	most  time.Duration // of one wait
}

// Retry is a transport that waits as registries ask, beginning with pauses of
// first where they do not say how long.
func Retry(next http.RoundTripper, first time.Duration) http.RoundTripper {
	return retrier{next: next, tries: 4, first: first, most: 30 * time.Second}
}

func (p retrier) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := p.next.RoundTrip(r)
		if err != nil || !asksToWait(response) || r.Body != nil && r.Body != http.NoBody {
			return response, err
		}
		wait, said := backoff.Asked(response.Header.Get("Retry-After"), time.Now())
		if !said {
			wait = p.first
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
		_ = response.Body.Close()
		if wait > p.most || try >= p.tries {
			return nil, &Busy{r.URL.Host, wait}
		}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(wait):
		}
	}
}

func asksToWait(r *http.Response) bool {
	return r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != ""
}
