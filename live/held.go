package live

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/store"
)

// held is what registries hold, and which digests mean the same image.
type held struct {
	places map[string][]assess.Place // by image
	of     map[string][]string       // digest of a build → images it is a build of, sorted
	builds map[string][]string       // image → digests of its builds
}

func (h *held) has(id string) bool { return len(h.places[id]) > 0 }

// same is the id of the image that a digest means: its own where a registry holds
// it, else that of the image it is a build of.
func (h *held) same(digest string) string {
	if !h.has(digest) {
		for _, id := range h.of[digest] {
			if h.has(id) {
				return id
			}
		}
	}
	return digest
}

// relatives are all images that run where a node says it runs this digest.
func (h *held) relatives(digest string) []string {
	return slices.Concat([]string{digest}, h.of[digest], h.builds[digest])
}

func (h *held) add(builds []store.Build) (changed bool) {
	if h.of == nil {
		h.of, h.builds = map[string][]string{}, map[string][]string{}
	}
	for _, b := range builds {
		if at, known := slices.BinarySearch(h.of[b.Digest], b.ID); !known {
			h.of[b.Digest] = slices.Insert(h.of[b.Digest], at, b.ID)
			h.builds[b.ID] = append(h.builds[b.ID], b.Digest)
			changed = true
		}
	}
	return changed
}

// same is held.same for the builder of a cluster's graph.
func (i *images) same(digest string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.mu.held.same(digest)
}

// alike notes that digests mean one image, and lets clusters look again that use
// one under another name.
func (i *images) alike(ctx context.Context, builds []store.Build) {
	i.mu.Lock()
	if !i.mu.held.add(builds) {
		i.mu.Unlock()
		return
	}
	poke := map[*cluster]bool{}
	for _, b := range builds {
		for _, id := range []string{b.Digest, b.ID} {
			if k := i.mu.known[id]; k != nil {
				maps.Copy(poke, k.users)
			}
		}
	}
	i.mu.Unlock()
	for c := range poke {
		c.poked(ctx, "Image")
	}
}

// placesOf groups tags by what they stand for.
func placesOf(tags []store.Tagged) map[string][]assess.Place {
	out := map[string][]assess.Place{}
	for _, t := range tags { // by host, repository and tag
		places := out[t.Digest]
		if n := len(places); n > 0 && places[n-1].Registry == t.Host && places[n-1].Repository == t.Repository {
			places[n-1].Tags = append(places[n-1].Tags, t.Tag)
			continue
		}
		out[t.Digest] = append(places, assess.Place{Registry: t.Host, Repository: t.Repository, Tags: []string{t.Tag}})
	}
	return out
}

// hold shows what registries hold now, by the store: what is new is known and in
// the graph from then on, what is gone and not used leaves.
func (i *images) hold(ctx context.Context) error {
	tags, err := i.live.registries.records.Tags(ctx, "")
	if err != nil {
		return err
	}
	queued, err := i.queue.records.QueuedImages(ctx)
	if err != nil {
		return err
	}
	state := map[string]store.QueuedImage{}
	for _, q := range queued {
		state[q.ID] = q
	}
	now := placesOf(tags)
	changed, gone, recall, poke := i.replace(now, state)
	i.forget(gone)
	stored := slices.Sorted(maps.Keys(changed))
	i.live.shared.each(len(stored), func(s *graph.Shared, n int) {
		segment.PutStored(s, stored[n], changed[stored[n]], now[stored[n]] != nil)
	})
	if len(gone)+len(changed) > 0 {
		i.live.refresh([]string{"Image", "Registry"})
	}
	for c := range poke {
		c.poked(ctx, "Image")
	}
	i.queue.woken()
	return i.recallAll(ctx, recall)
}

// forget takes images out of the graph that nothing has any more.
func (i *images) forget(gone []string) {
	i.live.shared.each(len(gone), func(s *graph.Shared, n int) {
		if !i.knows(gone[n]) { // nothing came to have it meanwhile
			s.Remove("Image", gone[n])
		}
	})
}

// replace swaps what registries hold and says what is different: images to draw,
// images to forget, images to remember from earlier runs, clusters to tell.
func (i *images) replace(now map[string][]assess.Place, state map[string]store.QueuedImage) (changed map[string][]assess.Place, gone, recall []string, poke map[*cluster]bool) {
	changed, poke = map[string][]assess.Place{}, map[*cluster]bool{}
	i.mu.Lock()
	defer i.mu.Unlock()
	before := i.mu.held.places
	i.mu.held.places = now
	for id, places := range now {
		k := i.mu.known[id]
		if k == nil {
			q := state[id]
			k = newKnown(Image{ID: id, Reference: places[0].Name() + "@" + id, State: cmp.Or(q.State, store.Queued), Why: q.Error})
			k.wanted = 0 // as the reader of the registry queued it
			i.mu.known[id] = k
		}
		if before[id] == nil {
			if s := state[id].State; s != store.Queued && s != "" {
				recall = append(recall, id)
			}
			for _, digest := range i.mu.held.builds[id] {
				if b := i.mu.known[digest]; b != nil {
					maps.Copy(poke, b.users)
				}
			}
		}
		if !slices.EqualFunc(before[id], places, equalPlaces) {
			if len(k.users) > 0 && !slices.ContainsFunc(places, func(p assess.Place) bool { return p.Name() == k.place.Name() }) {
				places = append(slices.Clone(places), k.place)
			}
			changed[id] = places
		}
	}
	for id := range before {
		if k := i.mu.known[id]; now[id] == nil && k != nil {
			maps.Copy(poke, k.users)
			if k.urgency() == 0 {
				gone = append(gone, id)
				delete(i.mu.known, id)
				delete(i.mu.fresh, id)
			} else if changed[id] = before[id]; k.place.Registry != "" {
				changed[id] = []assess.Place{k.place} // no more than what the cluster says
			}
		}
	}
	return changed, gone, recall, poke
}

func equalPlaces(a, b assess.Place) bool {
	return a.Name() == b.Name() && slices.Equal(a.Tags, b.Tags)
}

// recallAll draws what earlier runs found inside of images.
func (i *images) recallAll(ctx context.Context, ids []string) error {
	for n, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		a := i.recall(ctx, id)
		if a.State == store.Queued { // it was read by an older Breakwater
			i.again(ctx, []store.QueuedImage{{ID: id, State: store.Queued, Reference: id}})
		}
		i.done(ctx, a)
		if n%recallBatch == recallBatch-1 {
			i.shown(ctx)
		}
	}
	return nil
}

// recallBatch bounds how many assessments wait in memory to be drawn.
const recallBatch = 200

// show lets the shared graph be brought up to date soon.
func (i *images) show() {
	select {
	case i.flush <- struct{}{}:
	default:
	}
}

// showing draws what was found in images that only registries hold, and rests
// after that as clusters do.
func (i *images) showing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.flush:
		}
		started := time.Now()
		i.shown(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(settle, rest*time.Since(started))):
		}
	}
}

func (i *images) shown(context.Context) {
	i.mu.Lock()
	fresh := i.mu.fresh
	i.mu.fresh = map[string]*assess.Assessment{}
	i.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	ids := slices.Sorted(maps.Keys(fresh))
	i.live.shared.each(len(ids), func(s *graph.Shared, n int) {
		if s.Has("Image", ids[n]) { // it may have left meanwhile
			segment.ReplaceAssessment(s, fresh[ids[n]])
		}
	})
	i.live.refresh([]string{"Image"})
}
