package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/collect"
)

const (
	// debounce is how long a burst of changes may go on before it is computed.
	debounce = 100 * time.Millisecond
	// aliveEvery is how often a sync without changes is written down.
	aliveEvery = time.Minute
)

// cluster owns one cluster's Facts; only its goroutine touches them.
type cluster struct {
	live    *Live
	source  Source
	log     *slog.Logger
	changes chan collect.Change
	// poke says that something outside the facts changed: an image's assessment.
	poke chan string
	// asks are read-only looks at the facts, done by their owner.
	asks chan func(*collect.Facts)

	facts   *collect.Facts
	state   State
	version uint64
	lives   lives
	memory  memory
	// dirty is what changed since the last computation.
	dirty map[string]bool
	// inherited are the gaps of a saved dump that the present run has not met.
	inherited map[collect.GapKey]bool
	pace      pace
	waiting   bool // for what is known of an image
	unsaved   bool
	savedAt   time.Time
	aliveAt   time.Time
	saving    sync.WaitGroup
}

func newCluster(l *Live, s Source) *cluster {
	return &cluster{live: l, source: s, log: l.config.Log.With("cluster", s.Name), changes: make(chan collect.Change, 1024),
		poke: make(chan string, 64), asks: make(chan func(*collect.Facts)), state: Loading, dirty: map[string]bool{},
		inherited: map[collect.GapKey]bool{}}
}

func (c *cluster) run(ctx context.Context) error {
	if c.remember(ctx) != nil {
		return nil // it was to end before the records could be read
	}
	c.facts = collect.NewFacts()
	c.facts.Cluster.Name = c.source.Name
	c.restore()
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(ctx) })
	c.loop(ctx)
	watching.Wait()
	c.saving.Wait()
	c.save()
	c.saving.Wait()
	return nil
}

// remember reads what is stored of the cluster. Records that do not answer may do so later: others are served meanwhile.
func (c *cluster) remember(ctx context.Context) error {
	passing := func(err error) bool {
		if ctx.Err() == nil {
			c.log.Error("cannot read what is stored of the cluster; trying on", "error", err)
		}
		return true
	}
	return backoff.Retry(ctx, passing, func() (err error) {
		if c.version, err = c.live.config.Records.ClusterVersion(ctx, c.source.Name); err != nil {
			return fmt.Errorf("read its version: %w", err)
		}
		if err = c.recall(ctx); err != nil {
			return fmt.Errorf("read its open paths: %w", err)
		}
		return nil
	})
}

// restore begins with what an earlier run saved; an unreadable dump is a gap,
// not an end: the cluster will be listed again anyway.
func (c *cluster) restore() {
	if c.source.Saved == nil {
		return
	}
	f, err := c.source.Saved()
	if err != nil {
		c.log.Warn("the saved facts cannot be used; reading the cluster anew", "error", err)
		return
	}
	if f == nil {
		return
	}
	f.Cluster.Name = c.source.Name
	c.facts, c.state = f, Saved
	for k := range f.Gaps {
		c.inherited[k] = true
	}
	c.dirty["Cluster"] = true
}

// watch calls the source until ctx ends, waiting longer after each failure.
func (c *cluster) watch(ctx context.Context) {
	emit := func(ch collect.Change) {
		select {
		case c.changes <- ch:
		case <-ctx.Done():
		}
	}
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		started := time.Now()
		err := c.source.Watch(ctx, emit)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the source ended")
		}
		emit(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "source", What: c.source.Name, Why: err.Error(), Since: started,
			Consequence: "what the cluster looks like now is not known; everything shown is as of the last sync"}})
		c.log.Warn("reading the cluster ended; trying again", "error", err, "in", wait)
		if time.Since(started) > 2*time.Minute {
			wait = time.Second
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// loop applies changes and recomputes after a burst of them.
func (c *cluster) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case ch := <-c.changes:
			c.apply(ctx, ch)
			c.drain(ctx)
		case kind := <-c.poke:
			c.changed(kind)
		case look := <-c.asks:
			look(c.facts)
		case <-timer.C:
			if c.due(time.Now()) {
				c.recompute(ctx)
			}
			c.saveIfDue()
		}
		timer.Reset(c.pause())
	}
}

// poked makes the cluster dirty from outside its goroutine.
func (c *cluster) poked(ctx context.Context, kind string) {
	select {
	case c.poke <- kind:
	case <-ctx.Done():
	}
}

// drain applies what is waiting, so that a burst is one computation.
func (c *cluster) drain(ctx context.Context) {
	for {
		select {
		case ch := <-c.changes:
			c.apply(ctx, ch)
		default:
			return
		}
	}
}

// ready says whether the facts may be shown: not while a first list is half done.
func (c *cluster) ready() bool { return c.state != Loading }

// changed makes the cluster dirty.
func (c *cluster) changed(kind string) {
	c.dirty[kind] = true
	c.waiting = false
}

// due says whether the cluster is to be computed now.
func (c *cluster) due(now time.Time) bool {
	return len(c.dirty) > 0 && !c.waiting && c.ready() && !now.Before(c.pace.after(c.dirty))
}

func (c *cluster) pause() time.Duration {
	if len(c.dirty) == 0 || c.waiting || !c.ready() {
		return 5 * time.Second
	}
	return max(debounce, time.Until(c.pace.after(c.dirty)))
}

func (c *cluster) apply(ctx context.Context, ch collect.Change) {
	changed := c.facts.Apply(ch)
	switch ch.Op {
	case collect.GapOpen:
		delete(c.inherited, ch.Gap.Key())
		if lost(*ch.Gap) {
			c.moved(Lost)
		}
	case collect.GapClosed:
		if lost(*ch.Gap) && c.state == Lost {
			c.moved(Current)
		}
	case collect.Synced:
		c.synced()
		changed = true
	case collect.Alive:
		c.alive(ctx, ch.Time)
	}
	if changed {
		c.changed(changedKind(ch))
		c.unsaved = true
	}
	if !c.ready() && ch.Op == collect.GapOpen {
		c.announce() // nothing can be computed yet, but why must be seen
	}
}

func changedKind(ch collect.Change) string {
	switch ch.Op {
	case collect.Put, collect.Gone, collect.Resynced:
		return ch.Kind
	case collect.GapOpen, collect.GapClosed:
		return "Gap"
	}
	return "Cluster"
}

// lost tells the gap that says the whole source does not answer from those of
// single kinds.
func lost(g collect.Gap) bool {
	return g.Source == "source" || g.Source == "api" && g.What == "connection"
}

// moved changes the state, but never from Loading: without any list there are
// no facts that could be "as of".
func (c *cluster) moved(s State) {
	if c.state != Loading && c.state != s {
		c.state = s
		c.changed("Cluster")
	}
}

// synced ends the first list of this run: gaps that only the dump knew are over.
func (c *cluster) synced() {
	for k := range c.inherited {
		delete(c.facts.Gaps, k)
	}
	clear(c.inherited)
	delete(c.facts.Gaps, collect.GapKey{Source: "source", What: c.source.Name})
	c.state = Current
}

// alive notes that nothing was missed; pages learn of it with their next question.
func (c *cluster) alive(ctx context.Context, at time.Time) {
	if !c.ready() || at.Sub(c.aliveAt) < aliveEvery {
		return
	}
	c.aliveAt = at
	if err := c.live.config.Records.Synced(ctx, c.source.Name, at); err != nil && ctx.Err() == nil {
		c.log.Warn("cannot store the time of the last sync", "error", err)
	}
	if len(c.dirty) == 0 {
		now := *c.live.World().Clusters[c.source.Name]
		now.AsOf = at
		c.live.put(&now, []string{"Cluster"})
	}
}

// announce shows a cluster of which nothing could be read so far.
func (c *cluster) announce() {
	now := *c.live.World().Clusters[c.source.Name]
	now.State, now.Info, now.Gaps = c.state, c.facts.Cluster, gapList(c.facts)
	c.live.put(&now, []string{"Gap"})
}

func gapList(f *collect.Facts) []collect.Gap {
	var out []collect.Gap
	for _, g := range f.Gaps {
		out = append(out, g)
	}
	slices.SortFunc(out, compareGaps)
	return out
}

func (c *cluster) saveIfDue() {
	if c.unsaved && c.state == Current && time.Since(c.savedAt) >= c.live.config.SaveEvery {
		c.save()
	}
}

// save writes a copy in the background: the owner goes on applying changes.
func (c *cluster) save() {
	if c.source.Save == nil || !c.unsaved || !c.ready() {
		return
	}
	c.unsaved, c.savedAt = false, time.Now()
	c.saving.Wait()
	facts := c.facts.Clone()
	c.saving.Go(func() {
		if err := c.source.Save(facts); err != nil {
			c.log.Error("cannot save the facts; a restart will have to read the cluster before it shows it", "error", err)
		}
	})
}
