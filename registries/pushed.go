package registries

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

const (
	// mostPushed is how many repositories of a registry may wait to be looked at, and mostTags how many tags of one:
	// where more are told of, all tags of the repository are.
	mostPushed = 1000
	mostTags   = 100
	// lookPause is between two looks at one registry, at least.
	lookPause = time.Second
	// lookTries is how often a look is tried; then the next reading finds what was pushed.
	lookTries = 3
)

// Pushes is what came of the notifications of a registry since it was connected.
type Pushes struct {
	// LastAt is when the last one came, and Why what the last look at what it told of did not come to.
	LastAt time.Time `json:"lastAt"`
	Why    string    `json:"why"`
	// Taken are the pushes that were looked after, Elsewhere those of repositories that are not read, or of another
	// registry, Dropped those that were one too many or could not be looked after.
	Taken, Elsewhere, Dropped uint64
}

// pushed is what waits to be looked at.
type pushed struct {
	// waits and during are tags by repository; no tag at all stands for every one of them. What was looked at during a
	// reading is looked at again after it: the reading may have seen it before the push.
	waits, during map[string]map[string]bool
	tell          chan struct{}
}

func newPushed() pushed {
	return pushed{waits: map[string]map[string]bool{}, during: map[string]map[string]bool{}, tell: make(chan struct{}, 1)}
}

// Pushed takes what a registry tells of pushes, and says how many of them are looked after.
func (w *Watcher) Pushed(host string, told []Push) (taken int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.mu.by[host]
	if g == nil {
		return 0, ErrNotConnected
	}
	g.Pushes.LastAt = time.Now()
	for _, p := range told {
		switch {
		case p.Host != "" && p.Host != host, w.config.Wants == nil || !w.config.Wants(g.Connection.Registry, p.Repository):
			g.Pushes.Elsewhere++
		case !g.pushed.add(g.pushed.waits, p.Repository, []string{p.Tag}):
			g.Pushes.Dropped++
		default:
			g.Pushes.Taken++
			taken++
		}
	}
	g.pushed.wake()
	return taken, nil
}

func (p *pushed) wake() {
	select {
	case p.tell <- struct{}{}:
	default:
	}
}

// add reports false if too many repositories wait.
func (*pushed) add(to map[string]map[string]bool, repository string, tags []string) bool {
	have, there := to[repository]
	switch {
	case !there && len(to) >= mostPushed:
		return false
	case there && len(have) == 0:
		return true // all of it is looked at
	case !there:
		have = map[string]bool{}
		to[repository] = have
	}
	for _, t := range tags {
		have[t] = true
	}
	if len(tags) == 0 || have[""] || len(have) > mostTags {
		to[repository] = map[string]bool{}
	}
	return true
}

// next is a repository that waits to be looked at.
func (w *Watcher) next(g *watched) (repository string, tags []string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for repository, of := range g.pushed.waits { // any of them
		delete(g.pushed.waits, repository)
		return repository, slices.Sorted(maps.Keys(of)), true
	}
	return "", nil, false
}

// lookAfter looks at what a registry tells of, one repository after the other, until ctx ends.
func (w *Watcher) lookAfter(ctx context.Context, g *watched) {
	listed := time.Time{}
	for ctx.Err() == nil {
		repository, tags, ok := w.next(g)
		if !ok {
			select {
			case <-ctx.Done():
			case <-g.pushed.tell:
			}
			continue
		}
		changed, err := w.lookUntil(ctx, g, repository, tags)
		if ctx.Err() != nil {
			return
		}
		if changed && (time.Since(listed) >= listEvery || !w.waits(g)) {
			if e := w.list(ctx); e != nil {
				err = errors.Join(err, e)
			}
			listed = time.Now()
		}
		w.set(ctx, g, func(now *Registry) {
			now.Pushes.Why = ""
			if err != nil {
				now.Pushes.Why = collect.Why(err)
				now.Pushes.Dropped += uint64(max(1, len(tags)))
			}
		})
		backoff.Pause(ctx, lookPause)
	}
}

// waits says whether more is to be looked at.
func (w *Watcher) waits(g *watched) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(g.pushed.waits) > 0
}

// lookUntil looks at a repository, again after a while if that fails.
func (w *Watcher) lookUntil(ctx context.Context, g *watched, repository string, tags []string) (changed bool, err error) {
	for tried := range lookTries {
		if changed, err = w.look(ctx, g, repository, tags); err == nil || ctx.Err() != nil {
			return changed, err
		}
		wait := assess.RetryAfter(tried)
		if busy := new(image.Busy); errors.As(err, &busy) {
			wait = assess.Busy(busy.For, 0)
		}
		if tried+1 == lookTries || errors.As(err, new(collect.Refusal)) {
			break
		}
		w.config.Log.Warn("cannot look at what was pushed; trying again", "registry", g.Host, "repository", repository,
			"error", collect.Why(err), "in", wait.Round(time.Second))
		backoff.Pause(ctx, wait)
	}
	return false, err
}

// look asks the registry what tags of a repository stand for now, and queues what is new before what a reading found.
func (w *Watcher) look(ctx context.Context, g *watched, repository string, tags []string) (changed bool, err error) {
	what := g.Connection.Registry
	stored, err := w.config.Records.RepositoryTags(ctx, what.Host, repository)
	if err != nil {
		return false, err
	}
	known, digests := map[string]string{}, map[string]bool{}
	for _, t := range stored {
		known[t.Name], digests[t.Digest] = t.Digest, true
	}
	found, err := w.config.Look(ctx, what, repository, tags, known)
	if err != nil || same(known, found) {
		return false, err
	}
	g.keeping.Lock()
	defer g.keeping.Unlock()
	w.mu.Lock()
	if g.State == Reading {
		g.pushed.add(g.pushed.during, repository, tags)
	}
	w.mu.Unlock()
	return true, w.found(ctx, what.Host, repository, found, func(digest string) bool { return !digests[digest] })
}

// keep forgets the repositories that a registry was read not to have, but for those that were looked at meanwhile,
// which are looked at again.
func (w *Watcher) keep(ctx context.Context, g *watched, l collect.Listing, err error) error {
	g.keeping.Lock()
	defer g.keeping.Unlock()
	w.mu.Lock()
	for repository, tags := range g.pushed.during {
		if l.Repositories != nil {
			l.Repositories[repository] = true
		}
		g.pushed.add(g.pushed.waits, repository, slices.Collect(maps.Keys(tags)))
	}
	clear(g.pushed.during)
	g.pushed.wake()
	w.mu.Unlock()
	if err != nil || !l.Whole {
		return err
	}
	return w.config.Records.KeepRepositories(ctx, g.Host, l.Repositories)
}
