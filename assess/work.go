package assess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

const (
	// mostEnds is how often an image may end who reads it, and endedFor how long it is
	// left alone then.
	mostEnds = 3
	endedFor = 7 * 24 * time.Hour
	// scanWithin ends the reading of an image from a registry that sends a byte now
	// and then; layers that were read whole are not read again.
	scanWithin = 30 * time.Minute
	// unsupportedFor is when an image of a kind we cannot read is looked at again:
	// Breakwater may have learnt it.
	unsupportedFor = 7 * 24 * time.Hour
)

// RetryAfter is how long to wait after so many failures in a row.
func RetryAfter(failures int) time.Duration {
	waits := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour}
	return waits[min(failures, len(waits)-1)]
}

// work reads one image after the other until ctx ends.
func (a *Assessor) work(ctx context.Context) {
	for ctx.Err() == nil {
		r, ok, err := a.lease(ctx)
		if ok {
			a.read(ctx, r)
			continue
		}
		if err != nil && ctx.Err() == nil {
			a.config.Log.Error("cannot take an image from the queue; trying again", "error", err)
		}
		a.idle(ctx)
	}
}

// lease takes an image from the queue: none of a registry that is to be left alone, or that
// has no place among the workers.
func (a *Assessor) lease(ctx context.Context) (Record, bool, error) {
	a.leasing.Lock()
	defer a.leasing.Unlock()
	now := time.Now()
	r, ok, err := a.config.Records.LeaseImage(ctx, a.config.Owner, now, now.Add(a.config.Lease), a.open())
	if ok {
		a.begin(r.ID, r.Host)
	}
	return r, ok, err
}

// idle waits until there may be something to read.
func (a *Assessor) idle(ctx context.Context) {
	wait := time.Minute
	if next, ok, err := a.config.Records.NextImage(ctx); ok && err == nil {
		wait = min(max(time.Until(next), time.Second), wait)
	}
	select {
	case <-a.wake:
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// renew prolongs the leases of what is being read until ctx ends.
func (a *Assessor) renew(ctx context.Context) {
	tick := time.NewTicker(a.config.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a.mu.Lock()
		ids := slices.Sorted(maps.Keys(a.mu.reading))
		a.mu.Unlock()
		if len(ids) == 0 {
			continue
		}
		if err := a.config.Records.RenewImages(ctx, a.config.Owner, ids, time.Now().Add(a.config.Lease)); err != nil && ctx.Err() == nil {
			a.config.Log.Warn("cannot renew the leases of images that are being read", "error", err)
		}
	}
}

// read looks into one image that was leased, writes down what came of it, and tells.
func (a *Assessor) read(ctx context.Context, r Record) {
	defer a.ended(r.ID)
	inv, err := a.scan(ctx, &r)
	if ctx.Err() != nil {
		a.giveBack(ctx, r)
		return
	}
	found := a.outcome(&r, inv, err)
	if inv == nil {
		found = a.orUploaded(ctx, r.ID, found)
	}
	builds, mine, err := a.keep(ctx, r, inv)
	if err != nil && ctx.Err() == nil {
		a.config.Log.Error("cannot store what is in an image; it is read again when its lease ends", "image", r.Reference, "error", err)
	}
	if !mine {
		a.config.Log.Warn("another server reads the image: it took longer than this one's lease", "image", r.Reference)
		found = nil
	}
	a.finish(r.ID, found, builds)
}

// giveBack says of an image that nobody read it to the end and that this is not its fault.
func (a *Assessor) giveBack(ctx context.Context, r Record) {
	if a.config.Records == nil || !a.serving {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	r.State, r.NextTry, r.Attempts, r.Ended = Queued, time.Time{}, max(0, r.Attempts-1), max(0, r.Ended-1)
	if _, err := a.config.Records.FinishImage(ctx, a.config.Owner, r, nil); err != nil {
		a.config.Log.Warn("cannot give an image back; it is read again when its lease ends", "image", r.Reference, "error", err)
	}
}

// begin notes that an image is being read, and from where.
func (a *Assessor) begin(id, host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.reading[id] = host
	if k := a.mu.images[id]; k != nil {
		k.State, k.Why = Scanning, ""
	}
}

func (a *Assessor) ended(id string) {
	a.mu.Lock()
	delete(a.mu.reading, id)
	a.mu.Unlock()
	a.Wake() // the registry has room again
}

// outcome is what the reading of an image means, for the queue and for the graph.
func (a *Assessor) outcome(r *Record, inv *image.Inventory, err error) (found *Assessment) {
	now := time.Now()
	r.UpdatedAt, r.NextTry = now, time.Time{}
	ended := errors.Is(err, image.ErrEnded)
	if !ended {
		r.Ended = 0
	}
	var busy *image.Busy
	switch {
	case errors.As(err, &busy):
		r.Attempts, r.NextTry = max(0, r.Attempts-1), a.throttle.back(r.Host, busy.For)
		found = NotScanned(r.ID, Queued, fmt.Sprintf("registry %s asks to slow down", r.Host))
	case errors.Is(err, errSlow):
		r.Attempts, r.NextTry = max(0, r.Attempts-1), now.Add(placeAfter)
		found = NotScanned(r.ID, Queued, fmt.Sprintf("registry %s is slow: it waits for a place among those", r.Host))
		a.config.Log.Info("a slow registry leaves its worker to others; the image waits for a place", "image", r.Reference)
	case errors.Is(err, errNoPlace):
		r.Attempts, r.NextTry = max(0, r.Attempts-1), now.Add(placeAfter)
		found = NotScanned(r.ID, Queued, "its registries hold as many workers as they may: it waits for a place")
	case errors.Is(err, errElsewhere):
		r.Attempts, r.NextTry = max(0, r.Attempts-1), now
		found = NotScanned(r.ID, Queued, "it waits to be read from another registry")
	case ended && r.Ended >= mostEnds:
		r.NextTry, r.Ended = now.Add(endedFor), mostEnds-1 // one try then
		found = NotScanned(r.ID, Failed, fmt.Sprintf("it ended the reader %d times: %s", mostEnds, collect.Why(err)))
		a.config.Log.Error("an image ends who reads it: it is left alone", "image", r.Reference, "error", collect.Why(err), "for", endedFor)
	case errors.Is(err, image.ErrUnsupported):
		r.Attempts, r.NextTry = 0, now.Add(unsupportedFor)
		found = NotScanned(r.ID, Unsupported, collect.Why(err))
	case err != nil:
		wait := RetryAfter(max(0, r.Attempts-1))
		r.NextTry = now.Add(wait)
		found = NotScanned(r.ID, Failed, collect.Why(err))
		a.config.Log.Warn("cannot read an image; trying again", "image", r.Reference, "error", collect.Why(err), "in", wait)
	default:
		a.throttle.answered(r.Host)
		r.Attempts, r.Platform, r.Size = 0, inv.Platform, inv.Size()
		found = a.assess(r.ID, inv)
	}
	r.State, r.Error = found.State, found.Why
	return found
}

// keep writes down how far the image is, and what is inside if that is known. It
// reports whether the image was still this process's to read.
func (a *Assessor) keep(ctx context.Context, r Record, inv *image.Inventory) (builds []Build, mine bool, err error) {
	if inv != nil {
		builds = buildsOf(r.ID, inv)
		if r.Inventory, err = json.Marshal(inv); err != nil {
			return builds, true, err
		}
	}
	switch {
	case a.config.Records == nil:
		return builds, true, nil
	case a.serving:
		mine, err = a.config.Records.FinishImage(ctx, a.config.Owner, r, builds)
		return builds, mine || err != nil, err
	case inv != nil: // an analysis without a server
		return builds, true, a.config.Records.PutImage(ctx, r, builds)
	}
	return builds, true, nil
}

// finish takes what was found, nil if that is for another server to say.
func (a *Assessor) finish(id string, found *Assessment, builds []Build) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.mu.images[id]; k != nil {
		k.readings++
		if found != nil {
			k.State, k.Why, k.assessment, k.recall = found.State, found.Why, found, false
		} else {
			k.State, k.recall = Queued, true
		}
	}
	a.touch(append(a.mu.demand.join(builds), id), true)
}

// buildsOf is under which digests else an image is known.
func buildsOf(id string, inv *image.Inventory) []Build {
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
	var out []Build
	for _, d := range slices.Sorted(maps.Keys(platform)) {
		out = append(out, Build{Digest: d, ID: id, Platform: platform[d]})
	}
	return out
}
