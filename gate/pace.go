package gate

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"time"
)

// Pace is how slow a body may come and an answer be taken; zero is the default.
type Pace struct {
	// Grace is how long anything may take (10 s), and Rate how many bytes a second must
	// come beyond that (16 KiB).
	Grace time.Duration
	Rate  int64
}

func (p Pace) orDefault() Pace {
	return Pace{cmp.Or(p.Grace, 10*time.Second), cmp.Or(p.Rate, 16<<10)}
}

// allows is the time that so many bytes may take.
func (p Pace) allows(bytes int64) time.Duration {
	return p.Grace + time.Duration(min(float64(bytes)/float64(p.Rate), 1<<30)*float64(time.Second))
}

// Handler lets a body's reader and an answer's writer wait as long as the pace allows. How
// long the work between them takes is the handler's own affair.
//
// The handler gets a copy of the request. The server has to find the body that it made in its own: by that it knows that a body
// broke off, or was never asked for, and that what comes behind it is no request.
func (p Pace) Handler(next http.Handler) http.Handler {
	p = p.orDefault()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		times := http.NewResponseController(w)
		_ = times.SetWriteDeadline(time.Time{}) // where there are none, there is nothing to bound
		defer func() { _ = times.SetWriteDeadline(time.Now().Add(p.allows(0))) }()
		if r.Body != nil && r.Body != http.NoBody {
			b := &pacedBody{ReadCloser: r.Body, pace: p, times: times}
			b.wait(time.Now().Add(p.Grace))
			r = r.WithContext(r.Context())
			r.Body = b
		}
		next.ServeHTTP(&pacedWriter{ResponseWriter: w, pace: p, times: times}, r)
	})
}

// pacedBody may be waited for until a time that moves on with every byte, but is never further
// away than the grace: what came fast is no credit for standing still.
type pacedBody struct {
	io.ReadCloser
	pace  Pace
	times *http.ResponseController
	until time.Time
}

func (b *pacedBody) wait(until time.Time) {
	b.until = until
	_ = b.times.SetReadDeadline(until)
}

func (b *pacedBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	switch {
	case err == nil:
		earned, most := b.until.Add(b.pace.allows(int64(n))-b.pace.Grace), time.Now().Add(b.pace.Grace)
		if earned.After(most) {
			earned = most
		}
		b.wait(earned)
	case errors.Is(err, io.EOF):
		_ = b.times.SetReadDeadline(time.Time{}) // past it, the server would think that the asker left
	}
	return n, err
}

type pacedWriter struct {
	http.ResponseWriter
	pace  Pace
	times *http.ResponseController
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write gives what is written its time from now on: an answer may pause for work.
func (w *pacedWriter) Write(b []byte) (int, error) {
	_ = w.times.SetWriteDeadline(time.Now().Add(w.pace.allows(int64(len(b)))))
	return w.ResponseWriter.Write(b)
}

// FlushError is for http.ResponseController.
func (w *pacedWriter) FlushError() error {
	_ = w.times.SetWriteDeadline(time.Now().Add(w.pace.allows(0)))
	return w.times.Flush()
}
