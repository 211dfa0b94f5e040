package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
)

// retryAfter is how long a failed image is left alone, by number of failures.
var retryAfter = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour}

const (
	// scanWithin ends the reading of an image from a registry that sends a byte now
	// and then; layers that were read whole are not read again.
	scanWithin = 30 * time.Minute
	// unsupportedFor is when an image of a kind we cannot read is looked at again:
	// Breakwater may have learnt it.
	unsupportedFor = 7 * 24 * time.Hour
	// busyFor is the first pause of a registry that asks to slow down and does not
	// say for how long; it doubles, up to busyMost.
	busyFor  = 2 * time.Second
	busyMost = time.Hour
)

// Queue is what live asks of the store to read each image once, whatever happens
// to the process meanwhile.
type Queue interface {
	ResumeQueue(context.Context) error
	Enqueue(context.Context, []store.QueuedImage) error
	TakeImage(ctx context.Context, now time.Time, quiet []string) (store.QueuedImage, error)
	NextImage(context.Context) (time.Time, error)
	FinishImage(context.Context, store.QueuedImage, []byte, []store.Build) error
	RetryImage(ctx context.Context, id string) error
	QueuedImage(ctx context.Context, id string) (store.QueuedImage, error)
	QueuedImages(context.Context) ([]store.QueuedImage, error)
	SetImageStates(context.Context, []store.QueuedImage) error
	Builds(context.Context) ([]store.Build, error)
}

// queue hands out images to read, the most urgent first.
type queue struct {
	records Queue // nil while nobody runs: then nothing is queued
	wake    chan struct{}
	workers int
	mu      *sync.Mutex
	quiet   map[string]pause // by host
}

// pause is what a registry asked for.
type pause struct {
	until time.Time
	times int
}

func newQueue(workers int) queue {
	return queue{wake: make(chan struct{}, workers), workers: workers, mu: &sync.Mutex{}, quiet: map[string]pause{}}
}

// woken lets every worker look again.
func (q *queue) woken() {
	for range q.workers {
		select {
		case q.wake <- struct{}{}:
		default:
			return
		}
	}
}

// hush notes that a registry wants a pause and says until when.
func (q *queue) hush(b *image.Busy, host string) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.quiet[host]
	wait := min(max(b.For, busyFor<<min(p.times, 10)), busyMost)
	q.quiet[host] = pause{time.Now().Add(wait), p.times + 1}
	return q.quiet[host].until
}

// answered ends the counting of a registry's pauses.
func (q *queue) answered(host string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.quiet, host)
}

func (q *queue) hushed() (hosts []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for host, p := range q.quiet {
		if time.Now().Before(p.until) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// run reads images until ctx ends.
func (i *images) run(ctx context.Context) error {
	var workers sync.WaitGroup
	workers.Go(func() { i.showing(ctx) })
	for range i.queue.workers {
		if i.config.Scan != nil {
			workers.Go(func() { i.work(ctx) })
		}
	}
	workers.Wait()
	return nil
}

func (i *images) work(ctx context.Context) {
	for ctx.Err() == nil {
		q, err := i.queue.records.TakeImage(ctx, time.Now(), i.queue.hushed())
		if err == nil {
			i.read(ctx, q)
			continue
		}
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			i.live.config.Log.Error("cannot take an image from the queue; trying again", "error", err)
		}
		i.rest(ctx)
	}
}

// rest waits until there may be something to read.
func (i *images) rest(ctx context.Context) {
	wait := time.Minute
	if next, err := i.queue.records.NextImage(ctx); err == nil {
		wait = min(max(time.Until(next), time.Second), wait)
	}
	select {
	case <-i.queue.wake:
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// enqueue tells the store how urgent images are now; those it does not know wait
// to be read from then on.
func (i *images) enqueue(ctx context.Context) {
	if i.queue.records == nil || i.config.Scan == nil {
		return
	}
	var changed []store.QueuedImage
	i.mu.Lock()
	for id, k := range i.mu.known {
		if u := k.urgency(); u != k.wanted {
			changed = append(changed, store.QueuedImage{ID: id, Reference: k.Reference, Host: k.place.Registry, Wanted: u, State: k.State})
		}
	}
	i.mu.Unlock()
	if len(changed) == 0 {
		return
	}
	if err := i.queue.records.Enqueue(ctx, changed); err != nil {
		if ctx.Err() == nil {
			i.live.config.Log.Error("cannot queue images; trying again with the next change", "error", err)
		}
		return
	}
	i.again(ctx, changed)
	i.mu.Lock()
	for _, c := range changed {
		if k := i.mu.known[c.ID]; k != nil {
			k.wanted = c.Wanted
		}
	}
	i.mu.Unlock()
	i.queue.woken()
}

// again queues images that the store takes for read and that are not known here:
// their inventory is of an older version.
func (i *images) again(ctx context.Context, images []store.QueuedImage) {
	for _, c := range images {
		if c.State != store.Queued {
			continue
		}
		if q, err := i.queue.records.QueuedImage(ctx, c.ID); err == nil && (q.State == store.Done || q.State == store.Unsupported && q.NextTry.IsZero()) {
			if err := i.queue.records.RetryImage(ctx, c.ID); err != nil && ctx.Err() == nil {
				i.live.config.Log.Error("cannot queue an image again", "image", c.Reference, "error", err)
			}
		}
	}
}

// read looks into one image, writes down what came of it, and tells who uses it.
func (i *images) read(ctx context.Context, q store.QueuedImage) {
	i.mu.Lock()
	if k := i.mu.known[q.ID]; k != nil {
		k.State, k.Why = store.Scanning, ""
	}
	i.mu.Unlock()
	within, cancel := context.WithTimeout(ctx, scanWithin)
	inv, err := i.config.Scan(within, q.Reference)
	cancel()
	if ctx.Err() != nil {
		return // it is queued again with the next start
	}
	a := i.outcome(&q, inv, err)
	if err := i.keep(ctx, q, inv); err != nil && ctx.Err() == nil {
		i.live.config.Log.Error("cannot store what is in an image; a restart will read it again", "image", q.Reference, "error", err)
	}
	i.done(ctx, a)
	if inv != nil {
		i.alike(ctx, buildsOf(q.ID, inv))
	}
}

// outcome is what the reading of an image means, for the queue and for the graph.
func (i *images) outcome(q *store.QueuedImage, inv *image.Inventory, err error) (a *assess.Assessment) {
	now := time.Now()
	q.UpdatedAt, q.NextTry = now, time.Time{}
	var busy *image.Busy
	switch {
	case errors.As(err, &busy):
		q.NextTry = i.queue.hush(busy, q.Host)
		a = assess.NotScanned(q.ID, store.Queued, fmt.Sprintf("registry %s asks to slow down", q.Host))
	case errors.Is(err, image.ErrUnsupported):
		q.Attempts, q.NextTry = 0, now.Add(unsupportedFor)
		a = assess.NotScanned(q.ID, store.Unsupported, collect.Why(err))
	case err != nil:
		wait := retryAfter[min(q.Attempts, len(retryAfter)-1)]
		q.Attempts, q.NextTry = q.Attempts+1, now.Add(wait)
		a = assess.NotScanned(q.ID, store.Failed, collect.Why(err))
		i.live.config.Log.Warn("cannot read an image; trying again", "image", q.Reference, "error", collect.Why(err), "in", wait)
	default:
		i.queue.answered(q.Host)
		q.Attempts, q.Platform, q.Size = 0, inv.Platform, inv.Size()
		a = i.assess(q.ID, inv)
	}
	q.State, q.Error = a.State, a.Why
	return a
}

// keep writes down where the image stands, and what is inside if that is known.
func (i *images) keep(ctx context.Context, q store.QueuedImage, inv *image.Inventory) error {
	var inventory []byte
	if inv != nil {
		var err error
		if inventory, err = json.Marshal(inv); err != nil {
			return err
		}
	}
	switch {
	case i.queue.records != nil:
		return i.queue.records.FinishImage(ctx, q, inventory, buildsOf(q.ID, inv))
	case i.live.config.Records != nil && inv != nil: // an analysis without a server
		return i.live.config.Records.PutImage(ctx, store.ImageState{ID: q.ID, Reference: q.Reference, State: q.State, Error: q.Error, Inventory: inventory, UpdatedAt: q.UpdatedAt})
	}
	return nil
}

// buildsOf is under which digests else an image is known.
func buildsOf(id string, inv *image.Inventory) []store.Build {
	if inv == nil {
		return nil
	}
	platform := map[string]string{}
	for _, b := range inv.Builds {
		platform[b.Digest] = b.Platform
	}
	for _, d := range []string{inv.Manifest, inv.Config} {
		if d != "" && platform[d] == "" {
			platform[d] = inv.Platform
		}
	}
	delete(platform, id)
	var out []store.Build
	for _, d := range slices.Sorted(maps.Keys(platform)) {
		out = append(out, store.Build{Digest: d, ID: id, Platform: platform[d]})
	}
	return out
}
