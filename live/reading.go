package live

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
)

// holdEvery is how often a reading shows what it found so far.
const holdEvery = 10 * time.Second

// watch reads a registry again and again until ctx ends.
func (r *registries) watch(ctx context.Context, g *registry) {
	for first := true; ctx.Err() == nil; first = false {
		r.mu.Lock()
		wait := time.Duration(0) // a reading that was interrupted is done again at once
		if g.State != RegistryReading {
			wait = time.Until(g.NextReadAt)
		}
		if first && g.State == RegistryCurrent {
			wait = min(wait, r.config.Every) // it may have been stored when registries were read less often
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-g.again:
		case <-time.After(wait):
		}
		r.read(ctx, g)
	}
}

// read is one reading, from the permission check to the queue.
func (r *registries) read(ctx context.Context, g *registry) {
	started := time.Now()
	r.set(ctx, g, func(g *Registry) { g.State, g.Why = RegistryReading, "" })
	who, from, err := r.config.Account(ctx, g.Host)
	if err != nil {
		from = err.Error()
	}
	permissions := r.config.Check(ctx, g.Connection.Registry)
	if ctx.Err() != nil {
		return
	}
	r.set(ctx, g, func(g *Registry) {
		g.Account, g.AccountFrom, g.Permissions, g.CheckedAt = who, from, permissions, time.Now()
	})
	listing, err := r.walk(ctx, g)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = r.live.images.hold(ctx)
	}
	r.set(ctx, g, func(now *Registry) { r.outcome(g, now, listing, err, time.Since(started)) })
}

// outcome is called with mu held. A reading rests at least three times its length.
func (r *registries) outcome(g *registry, now *Registry, l collect.Listing, err error, took time.Duration) {
	at := time.Now()
	if err == nil {
		now.State, now.Why, now.LastReadAt, now.Seen = RegistryCurrent, "", at, l.Gaps
		now.NextReadAt = at.Add(max(r.config.Every, rest*took))
		g.failures = 0
		return
	}
	now.State, now.Why = RegistryUnreachable, collect.Why(err)
	if errors.As(err, new(collect.Refusal)) {
		now.State = RegistryRefused
	}
	wait := min(retryAfter[min(g.failures, len(retryAfter)-1)], max(r.config.Every, time.Minute))
	var busy *image.Busy
	if errors.As(err, &busy) {
		wait = min(max(busy.For, busyFor), busyMost)
	} else {
		g.failures++
	}
	now.NextReadAt = at.Add(wait)
	r.live.config.Log.Warn("cannot read a registry; trying again", "registry", now.Host, "error", collect.Why(err), "in", time.Until(now.NextReadAt).Round(time.Second))
}

// set changes what is said of a registry, stores it and tells.
func (r *registries) set(ctx context.Context, g *registry, change func(*Registry)) {
	r.mu.Lock()
	change(&g.Registry)
	status, err := json.Marshal(g.Registry)
	host := g.Host
	r.mu.Unlock()
	if err == nil {
		err = r.records.SetRegistryStatus(ctx, host, status)
	}
	if err != nil && ctx.Err() == nil {
		r.live.config.Log.Warn("cannot store how far a registry was read", "registry", host, "error", err)
	}
	r.live.refresh([]string{"Registry", "Gap"})
}

// walk reads the registry's list, writing down each repository as it comes.
func (r *registries) walk(ctx context.Context, g *registry) (collect.Listing, error) {
	what := g.Connection.Registry
	known, err := r.known(ctx, what.Host)
	if err != nil {
		return collect.Listing{}, err
	}
	shown := time.Now()
	listing, err := r.config.Read(ctx, what,
		func(repository string) (map[string]string, error) { return known[repository], nil },
		func(repository string, tags []collect.Tag) error {
			if same(known[repository], tags) {
				return nil
			}
			if err := r.found(ctx, what.Host, repository, tags); err != nil || time.Since(shown) < holdEvery {
				return err
			}
			shown = time.Now()
			return r.live.images.hold(ctx)
		})
	if err != nil {
		return listing, err
	}
	if listing.Whole {
		err = r.records.KeepRepositories(ctx, what.Host, listing.Repositories)
	}
	return listing, err
}

// known is what was read of a registry before: digests by repository and tag.
func (r *registries) known(ctx context.Context, host string) (map[string]map[string]string, error) {
	tags, err := r.records.Tags(ctx, host)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for _, t := range tags {
		if out[t.Repository] == nil {
			out[t.Repository] = map[string]string{}
		}
		out[t.Repository][t.Tag] = t.Digest
	}
	return out, nil
}

func same(known map[string]string, tags []collect.Tag) bool {
	return len(known) == len(tags) && !slices.ContainsFunc(tags, func(t collect.Tag) bool { return known[t.Name] != t.Digest })
}

// found writes down a repository and queues what is new there.
func (r *registries) found(ctx context.Context, host, repository string, tags []collect.Tag) error {
	var tagged []store.Tagged
	var images []store.QueuedImage
	for _, t := range tags {
		tagged = append(tagged, store.Tagged{Tag: t.Name, Digest: t.Digest})
		images = append(images, store.QueuedImage{ID: t.Digest, Host: host, Reference: host + "/" + repository + "@" + t.Digest, UpdatedAt: time.Now()})
	}
	if err := r.records.PutRepository(ctx, host, repository, tagged, images); err != nil {
		return err
	}
	r.live.images.queue.woken()
	return nil
}
