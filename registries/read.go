package registries

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// listEvery is how often a reading shows what it found so far.
const listEvery = 10 * time.Second

// watch reads a registry again and again until ctx ends.
func (w *Watcher) watch(ctx context.Context, g *watched) {
	for first := true; ctx.Err() == nil; first = false {
		w.mu.Lock()
		wait := time.Duration(0) // a reading that was interrupted is done again at once
		if g.State != Reading {
			wait = time.Until(g.NextReadAt)
		}
		if every := max(w.config.Every, time.Duration(g.Every)); first && g.State == Current {
			wait = min(wait, every) // it may have been stored when registries were read less often
		}
		wait = time.Until(g.Hours.Next(time.Now().Add(max(wait, 0))))
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-g.again:
		case <-time.After(wait):
		}
		w.read(ctx, g)
	}
}

// read is one reading, from the permission check to the queue.
func (w *Watcher) read(ctx context.Context, g *watched) {
	started := time.Now()
	w.set(ctx, g, func(g *Registry) { g.State, g.Why = Reading, "" })
	who, from, err := w.config.Account(ctx, g.Host)
	if err != nil {
		from = err.Error()
	}
	permissions := w.config.Check(ctx, g.Connection.Registry)
	if ctx.Err() != nil {
		return
	}
	w.set(ctx, g, func(g *Registry) {
		g.Account, g.AccountFrom, g.Permissions, g.CheckedAt = who, from, permissions, time.Now()
	})
	listing, err := w.walk(ctx, g)
	if ctx.Err() != nil {
		return
	}
	err = w.keep(ctx, g, listing, err)
	// What was found before a reading failed is held as well.
	if unlisted := w.list(ctx); err == nil {
		err = unlisted
	}
	w.set(ctx, g, func(now *Registry) { w.outcome(g, now, listing, err, time.Since(started)) })
}

// outcome is called with mu held. A registry is read at most a quarter of the time.
func (w *Watcher) outcome(g *watched, now *Registry, l collect.Listing, err error, took time.Duration) {
	at := time.Now()
	if err == nil {
		now.State, now.Why, now.LastReadAt, now.Seen = Current, "", at, l.Gaps
		now.NextReadAt = now.Hours.Next(at.Add(max(w.config.Every, time.Duration(now.Every), 3*took)))
		g.failures = 0
		return
	}
	now.State, now.Why = Unreachable, collect.Why(err)
	if errors.As(err, new(collect.Refusal)) {
		now.State = Refused
	}
	wait := min(assess.RetryAfter(g.failures), max(w.config.Every, time.Duration(now.Every), time.Minute))
	var busy *image.Busy
	if errors.As(err, &busy) {
		wait = assess.Busy(busy.For, 0)
	} else {
		g.failures++
	}
	now.NextReadAt = now.Hours.Next(at.Add(wait))
	w.config.Log.Warn("cannot read a registry; trying again", "registry", now.Host, "error", collect.Why(err), "in",
		time.Until(now.NextReadAt).Round(time.Second))
}

// set changes what is said of a registry, stores it and tells.
func (w *Watcher) set(ctx context.Context, g *watched, change func(*Registry)) {
	w.mu.Lock()
	change(&g.Registry)
	status, err := json.Marshal(g.Registry)
	host := g.Host
	w.mu.Unlock()
	if err == nil {
		err = w.config.Records.SetRegistryStatus(ctx, host, status)
	}
	if err != nil && ctx.Err() == nil {
		w.config.Log.Warn("cannot store how far a registry was read", "registry", host, "error", err)
	}
	w.config.Changed()
}

// walk reads the registry's list, writing down each repository as it comes.
func (w *Watcher) walk(ctx context.Context, g *watched) (collect.Listing, error) {
	what := g.Connection.Registry
	known, err := w.known(ctx, what.Host)
	if err != nil {
		return collect.Listing{}, err
	}
	listed := time.Now()
	listing, err := w.config.Read(ctx, what,
		func(repository string) (map[string]string, error) { return known[repository], nil },
		func(repository string, tags []collect.Tag) error {
			if same(known[repository], tags) {
				return nil
			}
			if err := w.found(ctx, what.Host, repository, tags, func(string) bool { return false }); err != nil || time.Since(listed) < listEvery {
				return err
			}
			listed = time.Now()
			return w.list(ctx)
		})
	return listing, err
}

// known is what was read of a registry before: digests by repository and tag.
func (w *Watcher) known(ctx context.Context, host string) (map[string]map[string]string, error) {
	tags, err := w.config.Records.Tags(ctx, host)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for _, t := range tags {
		if out[t.Repository] == nil {
			out[t.Repository] = map[string]string{}
		}
		out[t.Repository][t.Name] = t.Digest
	}
	return out, nil
}

func same(known map[string]string, tags []collect.Tag) bool {
	return len(known) == len(tags) && !slices.ContainsFunc(tags, func(t collect.Tag) bool { return known[t.Name] != t.Digest })
}

// found writes down a repository and queues what is new there, what was just pushed first.
func (w *Watcher) found(ctx context.Context, host, repository string, tags []collect.Tag, pushed func(digest string) bool) error {
	var tagged []Tag
	var images []assess.Record
	place := assess.Place{Registry: host, Repository: repository}
	for _, t := range tags {
		tagged = append(tagged, Tag{Name: t.Name, Digest: t.Digest})
		images = append(images, assess.Record{ID: t.Digest, Host: host, Reference: place.At(t.Digest),
			UpdatedAt: time.Now(), Pushed: pushed(t.Digest)})
	}
	if err := w.config.Records.PutRepository(ctx, host, repository, tagged, images); err != nil {
		return err
	}
	w.config.Images.Wake()
	return nil
}

// list tells what registries hold now, by the store.
func (w *Watcher) list(ctx context.Context) error {
	w.listing.Lock() // who read the store later tells later
	defer w.listing.Unlock()
	tags, err := w.config.Records.Tags(ctx, "")
	if err != nil {
		return err
	}
	w.config.Images.List(placesOf(tags))
	return nil
}

// placesOf groups tags by what they stand for.
func placesOf(tags []Tag) map[string][]assess.Place {
	out := map[string][]assess.Place{}
	for _, t := range tags { // by host, repository and tag
		places := out[t.Digest]
		if n := len(places); n > 0 && places[n-1].Registry == t.Host && places[n-1].Repository == t.Repository {
			places[n-1].Tags = append(places[n-1].Tags, t.Name)
			continue
		}
		out[t.Digest] = append(places, assess.Place{Registry: t.Host, Repository: t.Repository, Tags: []string{t.Name}})
	}
	return out
}
