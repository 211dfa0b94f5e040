package cage

import (
	"context"
	"io"
	"sync"
	"time"
)

// waitsFor is how long a child waits for work. The files that it may read were found when it
// started: one that was replaced since, such as how names are looked up, would be missing.
const waitsFor = time.Minute

// Ahead keeps one child started before there is work for it, since most of what a small piece
// of work costs is that start. Each child does one piece of work, as with Run: no two meet in
// its memory. It has limited itself before it waits, and is told nothing meanwhile. Where no
// work came for a minute none waits, and the next piece starts its own.
type Ahead struct {
	argument string
	limits   Limits
	waits    time.Duration
	starting sync.WaitGroup
	mu       struct {
		sync.Mutex
		child   *child      // that waits
		leaves  *time.Timer // when it does so no longer
		started bool        // one is about to
		ended   bool
	}
}

// NewAhead starts no child yet. End it.
func NewAhead(argument string, l Limits) *Ahead {
	return &Ahead{argument: argument, limits: l, waits: waitsFor}
}

// Run is Run with the child that waits, if there is one, and has the next started.
func (a *Ahead) Run(ctx context.Context, talk func(in io.Writer, out io.Reader) error) error {
	c := a.take()
	a.next()
	if c == nil {
		return Run(ctx, a.argument, a.limits, talk)
	}
	return c.run(ctx, talk)
}

// take gives the child that waits, or nil.
func (a *Ahead) take() *child {
	a.mu.Lock()
	c := a.mu.child
	if a.mu.child = nil; c != nil {
		a.mu.leaves.Stop()
	}
	a.mu.Unlock()
	if c == nil {
		return nil
	}
	select {
	case <-c.ended: // while it waited
		c.leave()
		return nil
	default:
		return c
	}
}

// next has a child started, if none waits.
func (a *Ahead) next() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.ended || a.mu.started || a.mu.child != nil {
		return
	}
	a.mu.started = true
	a.starting.Go(func() {
		c, err := start(a.argument, a.limits)
		if err == nil {
			stop := time.AfterFunc(a.waits, c.kill) // should it never enter
			if err = c.entered(); err != nil {
				c.leave()
			}
			stop.Stop()
		}
		a.keep(c, err) // who wants one next is told what is wrong
	})
}

// keep lets a child wait that was started.
func (a *Ahead) keep(c *child, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.started = false
	switch {
	case err != nil:
	case a.mu.ended:
		c.leave()
	default:
		a.mu.child, a.mu.leaves = c, time.AfterFunc(a.waits, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.mu.child == c {
				a.mu.child = nil
				c.leave()
			}
		})
	}
}

// End ends the child that waits, and lets none wait any more.
func (a *Ahead) End() {
	a.mu.Lock()
	a.mu.ended = true
	a.mu.Unlock()
	a.starting.Wait()
	if c := a.take(); c != nil {
		c.leave()
	}
}

// leave ends a child that did no work.
func (c *child) leave() {
	c.kill()
	<-c.ended
	_, _ = c.in.Close(), c.out.Close() // nothing was said in them
}
