package ingest

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
)

// refusal is why a request was not accepted, as the sender is told and as it
// is counted.
type refusal struct {
	status int
	// reason is one of few words: counters are kept by it.
	reason string
	err    error
	after  time.Duration // when it may come again; 0: retryAfter
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func refuse(status int, reason string, err error) error {
	return &refusal{status: status, reason: reason, err: err}
}

// retryAfter is what a sender should wait when it is not its fault.
const retryAfter = 5 * time.Second

// answer is the one place that decides a status.
func answer(w http.ResponseWriter, err error) *refusal {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{status: http.StatusServiceUnavailable, reason: "unavailable", err: err}
	}
	if r.status == http.StatusTooManyRequests || r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(cmp.Or(r.after, retryAfter).Seconds()))))
	}
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	text := r.Error()
	if r.status == http.StatusServiceUnavailable {
		text = "cannot keep events at the moment" // our inside is nobody's business
	}
	http.Error(w, text, r.status)
	return r
}

// shape shows where a body went wrong without showing what it says: of text and
// numbers nothing is left, since any of it may be a secret.
func shape(b []byte) string {
	out := make([]byte, 0, sampleSize)
	for _, c := range b {
		if len(out) == sampleSize {
			break
		}
		switch c {
		case '{', '}', '[', ']', ':', ',', '"', '<', '>':
			out = append(out, c)
		default:
			if len(out) == 0 || out[len(out)-1] != '.' {
				out = append(out, '.')
			}
		}
	}
	return string(out)
}

const sampleSize = 160
