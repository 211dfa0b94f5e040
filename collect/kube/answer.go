package kube

import (
	"errors"
	"io"
	"net/http"
)

// maxAnswer bounds one answer of an API server, inflated: a list of a hundred thousand pods is larger than most, and
// client-go holds all of it. What a watch sends is bounded by client-go, event by event.
const maxAnswer = 2 << 30

var errAnswer = errors.New("the API server answered with more than 2 GiB at once, which is not read")

// boundedAnswers ends answers that are larger than they may be.
type boundedAnswers struct{ http.RoundTripper }

func (b boundedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.RoundTripper
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols && !r.URL.Query().Has("watch") {
		resp.Body = &boundedBody{resp.Body, maxAnswer}
	}
	return resp, err
}

// WrappedRoundTripper is how client-go finds the connections to close.
func (b boundedAnswers) WrappedRoundTripper() http.RoundTripper { return b.RoundTripper }

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswer
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
