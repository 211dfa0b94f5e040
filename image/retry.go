package image

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// patient waits as a registry asks (429 with Retry-After) and asks again, a few
// times and never for long: whoever wants more patience calls again later.
type patient struct {
	next  http.RoundTripper
	tries int
	first time.Duration // without Retry-After
	most  time.Duration // of one wait
}

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := p.next.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusTooManyRequests || try >= p.tries || r.Body != nil && r.Body != http.NoBody {
			return response, err
		}
		wait := retryAfter(response.Header.Get("Retry-After"), time.Now(), p.first)
		if wait > p.most {
			return response, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
		response.Body.Close()
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(wait):
		}
	}
}

// retryAfter reads seconds or a date; without either it is what is usual.
func retryAfter(header string, now time.Time, usual time.Duration) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return usual
}
