package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// ImageConfig says how images are looked into.
type ImageConfig struct {
	// Scan lists what is inside; nil means that images are not read.
	Scan func(ctx context.Context, ref string) (*image.Inventory, error)
	// Resolve asks a registry for the digest behind a tag, for containers that
	// no node has resolved yet; nil means that nobody is asked.
	Resolve func(ctx context.Context, ref string) (string, error)
	// Advisories is the database of now.
	Advisories func() *vuln.DB
	Workers    int
}

// Image is where the assessment of one image stands.
type Image struct {
	ID, Reference string
	// State is a word of the schema's Image.scan; Why says why it is not done.
	State, Why string
}

// images knows every image that some cluster uses or some registry holds, and how
// far its assessment is. Those to read wait in the store (see queue.go).
type images struct {
	live   *Live
	config ImageConfig
	queue  queue
	mu     struct {
		sync.Mutex
		known map[string]*knownImage
		held  held
		// fresh are assessments that the shared graph does not have yet.
		fresh map[string]*assess.Assessment
	}
	resolver resolver
	flush    chan struct{}
}

type knownImage struct {
	Image
	// assessment is kept for clusters; nil where only a registry has the image.
	assessment *assess.Assessment
	users      map[*cluster]bool
	running    map[string]bool // clusters in which it runs
	place      assess.Place    // by the first use
	wanted     int             // as the store has it, -1 if it does not
}

// urgency is how much the image is wanted, as store.QueuedImage has it.
func (k *knownImage) urgency() int {
	switch {
	case len(k.running) > 0:
		return 2
	case len(k.users) > 0:
		return 1
	}
	return 0
}

func newImages(l *Live, c ImageConfig) *images {
	i := &images{live: l, config: c, resolver: newResolver(c.Resolve), flush: make(chan struct{}, 1)}
	i.queue = newQueue(max(1, c.Workers))
	i.mu.known, i.mu.fresh = map[string]*knownImage{}, map[string]*assess.Assessment{}
	return i
}

// known is the assessment of each image as far as it goes. Images met for the
// first time are taken from the store or queued. The user is noted before the
// assessment is taken: one that comes later pokes it.
func (i *images) known(ctx context.Context, uses []assess.Use, user *cluster) []*assess.Assessment {
	out := make([]*assess.Assessment, 0, len(uses))
	for _, u := range uses {
		i.mu.Lock()
		k := i.mu.known[u.ID]
		i.mu.Unlock()
		if k == nil || k.assessment == nil {
			k = i.meet(ctx, u)
		}
		i.mu.Lock()
		if user != nil {
			k.users[user] = true
			i.mu.known[u.ID] = k // another cluster may have dropped it meanwhile
		}
		out = append(out, k.assessment)
		i.mu.Unlock()
	}
	return out
}

// meet makes a new image known, or one that only a registry had.
func (i *images) meet(ctx context.Context, u assess.Use) *knownImage {
	a := i.recall(ctx, u.ID)
	i.mu.Lock()
	defer i.mu.Unlock()
	k := i.mu.known[u.ID]
	if k == nil {
		k = newKnown(Image{ID: u.ID, Reference: u.Reference})
		i.mu.known[u.ID] = k
	}
	if k.assessment == nil { // no other cluster was quicker
		k.place = u.Place()
		if k.State != store.Scanning {
			k.State, k.Why = a.State, a.Why
		}
		k.assessment = a
	}
	return k
}

func newKnown(i Image) *knownImage {
	return &knownImage{Image: i, users: map[*cluster]bool{}, running: map[string]bool{}, wanted: -1}
}

// recall is what earlier runs made of an image.
func (i *images) recall(ctx context.Context, id string) *assess.Assessment {
	inv, err := i.stored(ctx, id)
	if err == nil {
		return i.assess(id, inv)
	}
	if i.config.Scan == nil {
		return assess.NotScanned(id, "unknown", "images are not read here: nobody looked into it")
	}
	if q, err := i.queued(ctx, id); err == nil && (q.State == store.Failed || q.State == store.Unsupported && !q.NextTry.IsZero()) {
		return assess.NotScanned(id, q.State, q.Error)
	}
	return assess.NotScanned(id, "queued", "it waits to be read")
}

// queued is what the queue says of an image.
func (i *images) queued(ctx context.Context, id string) (store.QueuedImage, error) {
	if i.queue.records == nil {
		return store.QueuedImage{}, store.ErrNotFound
	}
	return i.queue.records.QueuedImage(ctx, id)
}

// stored is what an earlier run read.
func (i *images) stored(ctx context.Context, id string) (*image.Inventory, error) {
	if i.live.config.Records == nil {
		return nil, store.ErrNotFound
	}
	s, err := i.live.config.Records.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(s.Inventory) == 0 {
		return nil, store.ErrNotFound
	}
	inv := &image.Inventory{}
	if err := json.Unmarshal(s.Inventory, inv); err != nil {
		return nil, err
	}
	if inv.Version != image.InventoryVersion {
		return nil, store.ErrNotFound
	}
	return inv, nil
}

// assess joins an inventory with the advisories of now.
func (i *images) assess(id string, inv *image.Inventory) *assess.Assessment {
	db := i.config.Advisories()
	if db == nil {
		return assess.NotScanned(id, "unsupported", "no advisories were imported: breakwater db import")
	}
	return assess.Inventory(id, inv, db)
}

// done keeps an assessment and makes whoever uses the image dirty. What only a
// registry holds goes straight into the shared graph.
func (i *images) done(ctx context.Context, a *assess.Assessment) {
	i.mu.Lock()
	k := i.mu.known[a.ID]
	if k == nil {
		i.mu.Unlock()
		return // it is gone meanwhile
	}
	k.State, k.Why = a.State, a.Why
	if len(k.users) > 0 || k.assessment != nil {
		k.assessment = a
	}
	if i.mu.held.has(a.ID) {
		i.mu.fresh[a.ID] = a
	}
	users := slices.Collect(maps.Keys(k.users))
	i.mu.Unlock()
	i.show()
	for _, c := range users {
		c.poked(ctx, "Image")
	}
}

// runs notes which images a cluster uses and runs now. It says of those that this
// concerns whether they run anywhere, and which ones nothing has any more.
func (i *images) runs(cluster string, user *cluster, uses []assess.Use) (running map[string]bool, gone []string) {
	uses2, here := map[string]bool{}, map[string]bool{}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, u := range uses {
		uses2[u.ID] = true
		if u.Running {
			here[u.ID] = true
			for _, other := range i.mu.held.relatives(u.Digest) {
				here[other] = true
			}
		}
	}
	running = make(map[string]bool, len(uses))
	for id, k := range i.mu.known {
		used := k.users[user] || k.running[cluster] || uses2[id] || here[id]
		if here[id] {
			k.running[cluster] = true
		} else {
			delete(k.running, cluster)
		}
		if user != nil && !uses2[id] {
			delete(k.users, user)
		}
		if used {
			running[id] = len(k.running) > 0
		}
		if user != nil && used && k.urgency() == 0 && !i.mu.held.has(id) {
			gone = append(gone, id)
			delete(i.mu.known, id)
			delete(running, id)
		}
	}
	return running, gone
}

// knows says whether anything has the image.
func (i *images) knows(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.mu.known[id] != nil
}

// scanAll reads the queued ones of these images now and says if it did.
func (i *images) scanAll(ctx context.Context, uses []assess.Use) bool {
	did := false
	for _, u := range uses {
		i.mu.Lock()
		queued := i.mu.known[u.ID] != nil && i.mu.known[u.ID].State == store.Queued
		i.mu.Unlock()
		if queued && ctx.Err() == nil {
			i.read(ctx, store.QueuedImage{ID: u.ID, Reference: u.Reference})
			did = true
		}
	}
	return did
}

// Images lists where every image's assessment stands, by id.
func (l *Live) Images() map[string]Image {
	l.images.mu.Lock()
	defer l.images.mu.Unlock()
	out := make(map[string]Image, len(l.images.mu.known))
	for id, k := range l.images.mu.known {
		out[id] = k.Image
	}
	return out
}

// Assessment is what is known of an image; nil if nothing has it.
func (l *Live) Assessment(ctx context.Context, id string) *assess.Assessment {
	l.images.mu.Lock()
	k := l.images.mu.known[id]
	l.images.mu.Unlock()
	switch {
	case k == nil:
		return nil
	case k.assessment != nil:
		return k.assessment
	}
	return l.images.recall(ctx, id)
}

// Inventory is what was read of an image.
func (l *Live) Inventory(ctx context.Context, id string) (*image.Inventory, error) {
	return l.images.stored(ctx, id)
}

// AdvisoriesChanged holds every image against the advisories of now.
func (l *Live) AdvisoriesChanged(ctx context.Context) error {
	var states []store.QueuedImage
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(l.Images())), recallBatch) {
		var found []*assess.Assessment
		for _, id := range batch {
			inv, err := l.images.stored(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("assess image %s again: %w", id, err)
			}
			a := l.images.assess(id, inv)
			found = append(found, a)
			states = append(states, store.QueuedImage{ID: id, State: a.State, Error: a.Why})
		}
		l.shared.each(len(found), func(s *graph.Shared, n int) {
			if s.Has("Image", found[n].ID) { // it may have left meanwhile
				segment.ReplaceAssessment(s, found[n])
			}
		})
		for _, a := range found {
			l.images.done(ctx, a)
		}
	}
	return l.images.queue.records.SetImageStates(ctx, states)
}
