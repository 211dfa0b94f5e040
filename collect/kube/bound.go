package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync/atomic"
)

// Who has taken over an API server, or stands in its place, chooses what it says and how much: that must end the reading
// of that cluster alone, and never the process that reads the others.

// Bounds on what a server may make us hold, far beyond honest ones.
var (
	maxAnswer  int64 = 256 << 20 // bytes of one answer, unpacked
	maxPage    int64 = 32 << 20  // bytes of a page of a list: one of pods has some MiB
	maxEvent   int64 = 16 << 20  // bytes of a watch from one event to the next
	maxPages         = 20_000    // of one list
	maxObjects int64 = 2_000_000 // of all kinds, that are kept
	maxCustom        = 2_000     // kinds of custom resources
)

// errBound is of what a server says that no honest one does.
var errBound = errors.New("beyond bounds")

// meter counts what was read of a body. A page has one of its own, and so has a watch, where it begins anew with each event.
type meter struct {
	read atomic.Int64
	most int64
}

func (m *meter) full() bool { return m.read.Load() > m.most }

type meterKey struct{}

// metered has the watch that is asked for within ctx counted.
func metered(ctx context.Context) (context.Context, *meter) {
	m := &meter{most: maxEvent}
	return context.WithValue(ctx, meterKey{}, m), m
}

// within has the answer that is asked for within ctx bounded.
func within(ctx context.Context, most int64) context.Context {
	return context.WithValue(ctx, meterKey{}, &meter{most: most})
}

// boundedTransport is one whose answers end at their bound.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	m, own := r.Context().Value(meterKey{}).(*meter)
	if !own {
		m = &meter{most: maxAnswer}
	}
	resp.Body = &measured{resp.Body, m}
	return resp, nil
}

// WrappedRoundTripper lets client-go find the transport whose connections it closes.
func (b boundedTransport) WrappedRoundTripper() http.RoundTripper { return b.next }

type measured struct {
	io.ReadCloser
	*meter
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if m.read.Add(int64(n)) > m.most {
		return 0, fmt.Errorf("want at most %d MiB at once: %w", max(1, m.most>>20), errBound)
	}
	return n, err
}

// safely makes a panic over what a server said an error.
func safely(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the reading broke off: %v: %w", p, &broke{string(debug.Stack())})
		}
	}()
	return do()
}

// broke is a fault of ours that a server's words led to.
type broke struct{ stack string }

func (*broke) Error() string { return "this is a fault of Breakwater" }
