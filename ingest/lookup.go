package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/breakwater-sec/breakwater/store"
)

// lookups bound what it costs to ask whose a token is. One that was found good once is
// asked about every time: it may have been revoked. Of the others a few are asked about at
// once and the rest wait in their order, so that who tries tokens takes no more of the store
// than that, and who comes with a new one is found among them.
type lookups struct {
	turn chan struct{}
	mu   struct {
		sync.Mutex
		good *simplelru.LRU[[32]byte, struct{}]
	}
}

const (
	// unknownAtOnce is how many tokens that were never found good are asked about at once.
	unknownAtOnce = 2
	// maxGood bounds the tokens that are remembered.
	maxGood = 20_000
)

func newLookups() *lookups {
	l := &lookups{turn: make(chan struct{}, unknownAtOnce)}
	l.mu.good, _ = simplelru.NewLRU[[32]byte, struct{}](maxGood, nil) // it wants a size above 0
	return l
}

// ask finds out what a token was made for.
func (l *lookups) ask(ctx context.Context, token string, find func(context.Context, string) (store.IngestToken, error)) (
	store.IngestToken, error) {
	sum := sumOf(token)
	if !l.isGood(sum) {
		select {
		case l.turn <- struct{}{}:
			defer func() { <-l.turn }()
		case <-ctx.Done():
			return store.IngestToken{}, ctx.Err()
		}
	}
	of, err := find(ctx, token)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.mu.good.Add(sum, struct{}{})
	case errors.Is(err, store.ErrNotFound):
		l.mu.good.Remove(sum)
	}
	return of, err
}

// sumOf is what is remembered of a token.
func sumOf(token string) [32]byte { return sha256.Sum256([]byte(token)) }

func (l *lookups) isGood(sum [32]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.mu.good.Get(sum)
	return ok
}
