package live

import (
	"context"
	"sync"
	"time"
)

// turns are the places in which clusters are computed. Who takes long gives its place to the next and goes on beside it:
// what somebody wrote into one cluster must not keep the others waiting. It does not come again for three times as long
// (see pace), and of each cluster there is one, so they do not add up.
type turns struct {
	places   chan struct{}
	patience time.Duration // after which a place is given to the next
}

func newTurns(n int) turns { return turns{make(chan struct{}, n), 10 * time.Second} }

// take waits for a place; done gives it back.
func (t turns) take(ctx context.Context) (done func(), err error) {
	select {
	case t.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	give := sync.OnceFunc(func() { <-t.places })
	late := time.AfterFunc(t.patience, give)
	return func() { late.Stop(); give() }, nil
}
