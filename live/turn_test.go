package live

import (
	"context"
	"testing"
)

func TestWhoTakesLongKeepsNobodyWaiting(t *testing.T) {
	turns := newTurns(1)
	turns.patience = 1 // at once
	slow, err := turns.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next, err := turns.take(t.Context()) // waits until the first was long enough
	if err != nil {
		t.Fatal(err)
	}
	slow() // gives nothing back a second time
	next()
	if n := len(turns.places); n != 0 {
		t.Errorf("%d places are taken when all are done", n)
	}
}

func TestWhoLeavesGetsNoTurn(t *testing.T) {
	turns := newTurns(1)
	done, err := turns.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := turns.take(ctx); err == nil {
		t.Error("two have one place")
	}
}
