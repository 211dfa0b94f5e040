package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

func TestTheLaneThatHasUsedTheProcessorsLeastIsNext(t *testing.T) {
	turns := newTurns(1)
	heavy, light, fresh := &share{used: time.Hour}, &share{used: time.Minute}, &share{}
	done, err := turns.take(t.Context(), &share{used: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	order := make(chan string, 3)
	var waiting sync.WaitGroup
	for i, l := range []struct {
		name string
		*share
	}{{"heavy", heavy}, {"light", light}, {"fresh", fresh}} {
		waiting.Go(func() {
			done, err := turns.take(t.Context(), l.share)
			if err != nil {
				t.Error(err)
				return
			}
			order <- l.name
			done()
		})
		for turns.waits() != i+1 {
			time.Sleep(time.Millisecond)
		}
	}
	done()
	waiting.Wait()
	if got := fmt.Sprint(<-order, <-order, <-order); got != fmt.Sprint("fresh", "light", "heavy") {
		t.Error(got)
	}
	if fresh.used < time.Second {
		t.Error("who was away saved up what it did not use")
	}
}

func (t *turns) waits() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.mu.waiting)
}

func TestWhoNoLongerWaitsTakesNobodysTurn(t *testing.T) {
	turns := newTurns(1)
	done, err := turns.take(t.Context(), &share{})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := turns.take(gone, &share{})
		left <- err
	}()
	for turns.waits() != 1 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) || turns.waits() != 0 {
		t.Error(err)
	}
	done()
	if next, err := turns.take(t.Context(), &share{}); err != nil {
		t.Error(err)
	} else {
		next()
	}
}

// sizes are records that note how many alerts each transaction had.
type sizes struct {
	*store.Store
	mu  sync.Mutex
	all []int
}

func (s *sizes) PutAnalysed(ctx context.Context, a store.Analysed) error {
	s.mu.Lock()
	s.all = append(s.all, len(a.Alerts))
	s.mu.Unlock()
	return s.Store.PutAnalysed(ctx, a)
}

func TestABatchOfVeryManyAlertsIsKeptInPartsAndComingAgainChangesNothing(t *testing.T) {
	s := &sizes{Store: openStore(t, t.TempDir())}
	r := start(t, Config{Records: s})
	var people []string
	for i := range 100 {
		people = append(people, fmt.Sprint("person-", i))
	}
	for _, sequence := range []uint64{1, 2} { // the sender was not answered, and said it again
		r.give(t, batch("prod", sequence, execs(t, people...)))
	}
	for who, n := range actors(t, s.Store, "prod") {
		if n != 1 {
			t.Errorf("%s is counted %d times", who, n)
		}
	}
	if got := fmt.Sprint(s.all); got != "[32 32 32 4 0]" {
		t.Errorf("transactions of %s alerts", got)
	}
}

// held are records whose commits of one cluster's runtime events wait.
type held struct {
	*store.Store
	leave chan struct{}
}

func (h *held) PutAnalysed(ctx context.Context, a store.Analysed) error {
	if a.Batch != nil && a.Batch.Source == string(ingest.Runtime) {
		<-h.leave
	}
	return h.Store.PutAnalysed(ctx, a)
}

func TestASensorThatHoldsUpItsLaneDoesNotHoldUpTheAuditLogOfItsCluster(t *testing.T) {
	h := &held{openStore(t, t.TempDir()), make(chan struct{})}
	r := start(t, Config{Records: h})
	sensor := make(chan error)
	go func() {
		b := batch("prod", 1, []byte("{}\n"))
		b.Kind = ingest.Runtime
		sensor <- r.handler(r.ctx, b)
	}()
	r.give(t, batch("prod", 2, execs(t, "alice")))
	if actors(t, h.Store, "prod")["alice"] != 1 {
		t.Error("no alert")
	}
	close(h.leave)
	if err := <-sensor; err != nil {
		t.Error(err)
	}
}

func TestEveryAlertIsGoneOnWithByALaneThatCanAddToIt(t *testing.T) {
	p := &Pipeline{kinds: map[string]ingest.Kind{"of the log": ingest.Audit, "of a program": ingest.Runtime, "of a sender": "identity"}}
	for rule, want := range map[string]string{"of the log": "audit ", "of a program": "runtime ", "of a sender": "runtime identity ",
		"of no rule any more": "audit "} {
		got := ""
		for _, kind := range []ingest.Kind{ingest.Audit, ingest.Runtime, "identity"} {
			if newLane(p, sender{"prod", kind}).goesOnWith(rule) {
				got += string(kind) + " "
			}
		}
		if got != want {
			t.Errorf("%s: %s; want %s", rule, got, want)
		}
	}
}
