package backoff

import (
	"context"
	"errors"
	"testing"
)

func TestWhatPassesIsTriedAgainAndWhatStaysIsNot(t *testing.T) {
	busy, broken := errors.New("busy"), errors.New("broken")
	passing := func(err error) bool { return errors.Is(err, busy) }
	ended, end := context.WithCancel(context.Background())
	end()
	tests := []struct {
		name    string
		ctx     context.Context
		answers []error
		want    error
		calls   int
	}{
		{"at once", context.Background(), []error{nil}, nil, 1},
		{"after a while", context.Background(), []error{busy, busy, nil}, nil, 3},
		{"broken after a while", context.Background(), []error{busy, broken}, broken, 2},
		{"nobody waits any more", ended, []error{busy}, busy, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			err := Retry(test.ctx, passing, func() error { calls++; return test.answers[calls-1] })
			if !errors.Is(err, test.want) || calls != test.calls {
				t.Errorf("%v after %d calls, want %v after %d", err, calls, test.want, test.calls)
			}
		})
	}
}
