package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestWhoTookMostEndsWhenNothingIsLeft(t *testing.T) {
	m := NewMemory(100)
	a, b, c := m.Share(), m.Share(), m.Share()
	for _, step := range []struct {
		who   *Share
		bytes int64
		want  error
	}{{a, 60, nil}, {b, 30, nil}, {c, 20, nil}, {a, 1, ErrMemory}, {c, 40, nil}, {b, 20, nil}, {c, 1, ErrMemory}, {b, 60, ErrMemory}} {
		if err := step.who.Grow(step.bytes); !errors.Is(err, step.want) {
			t.Fatalf("%+v: %v", step, err)
		}
	}
	for _, s := range []*Share{a, b, c, c} {
		s.Give()
	}
	if err := m.Share().Grow(100); err != nil || m.Refused() != 3 {
		t.Errorf("what was given back is not there: %v, %d refused", err, m.Refused())
	}
}

func TestWorkThatSaysWhatItTakesIsNotEndedForOthersAndLeavesThemSome(t *testing.T) {
	m := NewMemory(100)
	a, b, c := m.Share(), m.Share(), m.Share()
	for _, step := range []struct {
		do    func(int64) error
		bytes int64
		want  error
	}{{a.Set, 60, nil}, {a.Set, 70, nil}, {b.Set, 10, ErrNoMemory}, {c.Grow, 25, nil}, {c.Grow, 10, ErrMemory}} {
		if err := step.do(step.bytes); !errors.Is(err, step.want) {
			t.Fatalf("%d: %v, want %v", step.bytes, err, step.want)
		}
	}
	if a.Err() != nil {
		t.Error("the work was ended")
	}
	a.Give()
	c.Give()
	if err := b.Set(1000); err != nil {
		t.Errorf("nobody else asks, and it may not begin: %v", err)
	}
	if err := m.Share().Grow(25); err != nil {
		t.Error(err)
	}
}

// Two questions of which each has enough alone: the one that took more ends while it writes its rows, the other is
// answered, and so is a small one beside them.
func TestOfTwoLargeQuestionsTheGreedierEndsAndTheOtherIsAnswered(t *testing.T) {
	const pods = 100_000
	var text strings.Builder
	for i := range pods {
		fmt.Fprintf(&text, "Pod p%d name=n%d\n", i, i)
	}
	view := givenView(t, text.String())
	all := mustCompile(t, "MATCH (p:Pod) RETURN p.name ORDER BY p.name")
	m := NewMemory(48 << 20)
	with := func() Options { return Options{Limit: AllRows, Memory: m.Share()} }

	written, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first := true
		_, err := Stream(context.Background(), view, graph.Everything, all, with(), func([]Column) error { return nil },
			func([]Cell) bool {
				if first {
					first = false
					close(written)
					<-goOn
				}
				return true
			})
		ended <- err
	}()
	<-written
	res, err := Run(t.Context(), view, graph.Everything, all, with())
	if err != nil || len(res.Rows) != pods {
		t.Errorf("who took less is not answered: %v", err)
	}
	small := mustCompile(t, "MATCH (p:Pod) WHERE p.name = 'n7' RETURN p")
	if res, err := Run(t.Context(), view, graph.Everything, small, with()); err != nil || len(res.Rows) != 1 {
		t.Errorf("a small question is not answered: %v", err)
	}
	close(goOn)
	if err := <-ended; !errors.Is(err, ErrMemory) {
		t.Errorf("who took most ended with %v", err)
	}

	var csv strings.Builder
	cut, err := WriteCSV(t.Context(), &csv, view, graph.Everything, all, Options{Memory: NewMemory(4 << 20).Share()})
	if err != nil || cut.Partial != ErrMemory.Error() {
		t.Errorf("of a file that breaks off nobody is told: %v, %+v", err, cut)
	}
}
