// Package backoff tries again what failed only for now, with pauses that grow.
package backoff

import (
	"context"
	"time"
)

// The first pause, and the longest.
const (
	first = 50 * time.Millisecond
	most  = 5 * time.Second
)

// Retry calls do until it succeeds, fails for good, or ctx ends, and returns the
// last error. passing says whether an error may pass by itself.
func Retry(ctx context.Context, passing func(error) bool, do func() error) error {
	for wait := first; ; wait = min(2*wait, most) {
		err := do()
		if err == nil || !passing(err) || !Pause(ctx, wait) {
			return err
		}
	}
}

// Pause waits, and says whether the time passed before ctx ended.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
