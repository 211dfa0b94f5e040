package cli

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestWhatComputesEndsWhenItIsAskedToOnce: it does not look up from its work; what writes is let to end.
func TestWhatComputesEndsWhenItIsAskedToOnce(t *testing.T) {
	was := lastWords
	lastWords = 10 * time.Millisecond
	t.Cleanup(func() { lastWords = was })
	command := func(marks map[string]string, do func() error) *cobra.Command {
		root := &cobra.Command{Use: "breakwater", SilenceErrors: true, SilenceUsage: true}
		root.AddCommand(&cobra.Command{Use: "work", Annotations: marks, RunE: func(*cobra.Command, []string) error { return do() }})
		root.SetArgs([]string{"work"})
		return root
	}
	ctx, end := context.WithCancel(t.Context())
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	if err := execute(ctx, command(nil, func() error { end(); <-never; return nil })); !errors.Is(err, context.Canceled) {
		t.Errorf("what computes for ever: %v", err)
	}
	ctx, end = context.WithCancel(t.Context())
	ended := errors.New("ended")
	if err := execute(ctx, command(nil, func() error { end(); return ended })); !errors.Is(err, ended) {
		t.Errorf("what ends: %v", err)
	}
	ctx, end = context.WithCancel(t.Context())
	if err := execute(ctx, command(map[string]string{endsItself: "yes"}, func() error {
		end()
		time.Sleep(20 * lastWords)
		return ended
	})); !errors.Is(err, ended) {
		t.Errorf("what ends itself is not waited for: %v", err)
	}
	if c, _, err := newRoot(streams{}).Find([]string{"serve"}); err != nil || c.Annotations[endsItself] == "" {
		t.Error("a server is cut off")
	}
}
