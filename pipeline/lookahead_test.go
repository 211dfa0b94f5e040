package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/breakwater-sec/breakwater/ingest"
)

// before says what waits behind a batch.
func before(next, b ingest.Batch) ingest.Batch {
	b.Next = func(context.Context) (ingest.Batch, bool) { return next, true }
	return b
}

// warnings counts what is warned of.
type warnings struct {
	slog.Handler
	n *atomic.Int64
}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.n.Add(1)
	}
	return nil
}

// noEvent is a line at which decoding warns.
const noEvent = "{\"kind\":\"Event\"}\n"

func TestTheNextBatchIsDecodedWhileOneIsCommittedAndIsCommittedAfterIt(t *testing.T) {
	s := openStore(t, t.TempDir())
	h := heldUp{s, "prod", make(chan bool), make(chan bool)}
	var warned atomic.Int64
	r := start(t, Config{Records: h, Log: slog.New(warnings{slog.DiscardHandler, &warned})})
	second := batch("prod", 2, append(execs(t, "bob"), noEvent...))
	first := make(chan error)
	go func() { first <- r.handler(r.ctx, before(second, batch("prod", 1, execs(t, "alice")))) }()
	<-h.begun
	eventually(t, "the second to be decoded", func() bool { return warned.Load() == 1 })
	if n := tallied(t, s, "prod"); n != 0 || r.Unreadable("prod", ingest.Audit) != 0 {
		t.Errorf("%d are counted, though nothing is committed", n)
	}
	close(h.release)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if got := actors(t, s, "prod"); len(got) != 1 || got["alice"] != 1 {
		t.Errorf("its turn has not come: %v", got)
	}
	go func() { <-h.begun }()
	r.give(t, second)
	if got := actors(t, s, "prod"); len(got) != 2 || warned.Load() != 1 || r.Unreadable("prod", ingest.Audit) != 1 {
		t.Errorf("%v, decoded %d times, %d counted as unreadable", got, warned.Load(), r.Unreadable("prod", ingest.Audit))
	}
}

func TestLookingAheadDecidesNothing(t *testing.T) {
	alice, bob := batch("prod", 1, execs(t, "alice")), batch("prod", 2, execs(t, "bob"))
	never := alice
	never.Next = func(ctx context.Context) (ingest.Batch, bool) { <-ctx.Done(); return ingest.Batch{}, false }
	none := alice
	none.Next = func(context.Context) (ingest.Batch, bool) { return ingest.Batch{}, false }
	broken := alice
	broken.Next = func(context.Context) (ingest.Batch, bool) { panic("a bug") }
	strange := bob
	strange.Kind = "strange"
	panics := batch("prod", 1, execs(t, "mallory"))
	tests := []struct {
		name  string
		given []ingest.Batch
		fails int // how many of them
		want  string
	}{
		{"what is behind comes next", []ingest.Batch{before(bob, alice), bob}, 0, "alice bob"},
		{"the first comes again", []ingest.Batch{before(bob, alice), before(bob, alice), bob}, 0, "alice bob"},
		{"the first fails, and so comes again before the second",
			[]ingest.Batch{before(bob, panics), before(bob, panics), before(bob, alice), bob}, 2, "alice bob"},
		{"another comes instead", []ingest.Batch{before(bob, alice), batch("prod", 3, execs(t, "carol"))}, 0, "alice carol"},
		{"one of another stream comes instead", []ingest.Batch{before(bob, alice),
			{Cluster: "prod", Kind: ingest.Audit, Stream: "new", Sequence: 2, Lines: execs(t, "carol")}}, 0, "alice carol"},
		{"one of another kind comes instead", []ingest.Batch{before(bob, alice),
			{Cluster: "prod", Kind: ingest.Runtime, Stream: "s", Sequence: 2}}, 0, "alice"},
		{"nothing is behind", []ingest.Batch{none, bob}, 0, "alice bob"},
		{"the source does not say in time", []ingest.Batch{never, bob}, 0, "alice bob"},
		{"asking the source panics", []ingest.Batch{broken, bob}, 0, "alice bob"},
		{"what is behind cannot be decoded", []ingest.Batch{before(strange, alice), strange, bob}, 1, "alice bob"},
		{"nothing comes any more", []ingest.Batch{before(bob, alice)}, 0, "alice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			r := start(t, Config{Records: s, Clusters: poisoned{name: "mallory"}, Log: slog.New(slog.DiscardHandler)})
			failed := 0
			for _, b := range test.given {
				if r.handler(r.ctx, b) != nil {
					failed++
				}
			}
			r.stop()
			got, want := actors(t, s, "prod"), strings.Fields(test.want)
			ok := failed == test.fails && len(got) == len(want) && tallied(t, s, "prod") == uint64(len(want))
			for _, who := range want {
				ok = ok && got[who] == 1
			}
			if !ok {
				t.Errorf("%v, %d counted, %d failed; want %s", got, tallied(t, s, "prod"), failed, fmt.Sprint(test.want, ", ", test.fails))
			}
		})
	}
}
