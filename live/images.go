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

	"github.com/breakwater-sec/breakwater/build"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
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

// retryAfter is how long a failed image is left alone, by number of failures.
var retryAfter = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}

// images assesses every image that some cluster uses: what was read before comes
// from the store, the rest is read from its registry, a few at a time.
type images struct {
	live   *Live
	config ImageConfig
	work   chan string // ids to read
	mu     struct {
		sync.Mutex
		known map[string]*knownImage
	}
	resolver resolver
}

type knownImage struct {
	Image
	assessment *build.Assessment
	users      map[*cluster]bool
	running    map[string]bool // clusters in which it runs
	failures   int
}

func newImages(l *Live, c ImageConfig) *images {
	i := &images{live: l, config: c, work: make(chan string, 1<<16), resolver: newResolver(c.Resolve)}
	i.mu.known = map[string]*knownImage{}
	return i
}

// run reads images until ctx ends.
func (i *images) run(ctx context.Context) error {
	var workers sync.WaitGroup
	for range max(1, i.config.Workers) {
		workers.Go(func() {
			for {
				select {
				case id := <-i.work:
					i.scan(ctx, id)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	workers.Wait()
	return nil
}

// known is the assessment of each image as far as it goes. Images met for the
// first time are taken from the store or queued. The user is noted before the
// assessment is taken: one that comes later pokes it.
func (i *images) known(ctx context.Context, uses []build.ImageUse, user *cluster) []*build.Assessment {
	out := make([]*build.Assessment, 0, len(uses))
	for _, u := range uses {
		i.mu.Lock()
		k := i.mu.known[u.ID]
		i.mu.Unlock()
		if k == nil {
			k = i.meet(ctx, u)
		}
		i.mu.Lock()
		if user != nil {
			k.users[user] = true
		}
		out = append(out, k.assessment)
		i.mu.Unlock()
	}
	return out
}

// meet makes a new image known.
func (i *images) meet(ctx context.Context, u build.ImageUse) *knownImage {
	k := &knownImage{Image: Image{ID: u.ID, Reference: u.Reference}, users: map[*cluster]bool{}, running: map[string]bool{}}
	inv, err := i.stored(ctx, u.ID)
	switch {
	case err == nil:
		k.assessment = i.assess(u.ID, inv)
	case i.config.Scan == nil:
		k.assessment = build.NotScanned(u.ID, "unknown", "images are not read here: nobody looked into it")
	default:
		k.assessment = build.NotScanned(u.ID, "queued", "it waits to be read")
	}
	k.State, k.Why = k.assessment.State, k.assessment.Why
	i.mu.Lock()
	defer i.mu.Unlock()
	if other := i.mu.known[u.ID]; other != nil {
		return other // another cluster was quicker
	}
	i.mu.known[u.ID] = k
	if k.State == "queued" {
		select {
		case i.work <- u.ID:
		default: // the queue of 65,536 is full: it is queued when it is next met
			delete(i.mu.known, u.ID)
		}
	}
	return k
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
func (i *images) assess(id string, inv *image.Inventory) *build.Assessment {
	db := i.config.Advisories()
	if db == nil {
		return build.NotScanned(id, "unsupported", "no advisories were imported: breakwater db import")
	}
	return build.Assess(id, inv, db)
}

// scan reads one image and tells the clusters that use it.
func (i *images) scan(ctx context.Context, id string) {
	i.mu.Lock()
	k := i.mu.known[id]
	k.State = "scanning"
	ref := k.Reference
	i.mu.Unlock()
	inv, err := i.config.Scan(ctx, ref)
	if ctx.Err() != nil {
		return
	}
	var a *build.Assessment
	record := store.ImageState{ID: id, Reference: ref, UpdatedAt: time.Now()}
	switch {
	case errors.Is(err, image.ErrUnsupported):
		a = build.NotScanned(id, "unsupported", err.Error())
	case err != nil:
		a = build.NotScanned(id, "failed", err.Error())
	default:
		a = i.assess(id, inv)
		record.Inventory, err = json.Marshal(inv)
		if err != nil {
			a = build.NotScanned(id, "failed", err.Error())
		}
	}
	record.State, record.Error = a.State, a.Why
	if i.live.config.Records != nil {
		if err := i.live.config.Records.PutImage(ctx, record); err != nil && ctx.Err() == nil {
			i.live.config.Log.Error("cannot store what is in an image; a restart will read it again", "image", ref, "error", err)
		}
	}
	i.done(ctx, id, a)
}

// done keeps an assessment and makes whoever uses the image dirty.
func (i *images) done(ctx context.Context, id string, a *build.Assessment) {
	i.mu.Lock()
	k := i.mu.known[id]
	k.assessment, k.State, k.Why = a, a.State, a.Why
	if a.State == "failed" {
		i.retry(ctx, k)
	} else {
		k.failures = 0
	}
	users := slices.Collect(maps.Keys(k.users))
	i.mu.Unlock()
	for _, c := range users {
		c.poked(ctx, "Image")
	}
}

// retry is called with mu held.
func (i *images) retry(ctx context.Context, k *knownImage) {
	wait := retryAfter[min(k.failures, len(retryAfter)-1)]
	k.failures++
	i.live.config.Log.Warn("cannot read an image; trying again", "image", k.Reference, "error", k.Why, "in", wait)
	id := k.ID
	time.AfterFunc(wait, func() {
		select {
		case i.work <- id:
		case <-ctx.Done():
		}
	})
}

// runs notes which images run in a cluster now, and says of every image it knows
// whether it runs anywhere.
func (i *images) runs(cluster string, uses []build.ImageUse) map[string]bool {
	here := map[string]bool{}
	for _, u := range uses {
		here[u.ID] = u.Running
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	out := make(map[string]bool, len(i.mu.known))
	for id, k := range i.mu.known {
		if here[id] {
			k.running[cluster] = true
		} else {
			delete(k.running, cluster)
		}
		out[id] = len(k.running) > 0
	}
	return out
}

// scanAll reads the queued ones of these images now and says if it did.
func (i *images) scanAll(ctx context.Context, uses []build.ImageUse) bool {
	did := false
	for _, u := range uses {
		i.mu.Lock()
		queued := i.mu.known[u.ID] != nil && i.mu.known[u.ID].State == "queued"
		i.mu.Unlock()
		if queued && ctx.Err() == nil {
			i.scan(ctx, u.ID)
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

// Assessment is what is known of an image; nil if no cluster uses it.
func (l *Live) Assessment(id string) *build.Assessment {
	l.images.mu.Lock()
	defer l.images.mu.Unlock()
	if k := l.images.mu.known[id]; k != nil {
		return k.assessment
	}
	return nil
}

// Inventory is what was read of an image.
func (l *Live) Inventory(ctx context.Context, id string) (*image.Inventory, error) {
	return l.images.stored(ctx, id)
}

// AdvisoriesChanged holds every image against the advisories of now.
func (l *Live) AdvisoriesChanged(ctx context.Context) error {
	for id := range l.Images() {
		inv, err := l.images.stored(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("assess image %s again: %w", id, err)
		}
		a := l.images.assess(id, inv)
		l.shared.change(func(s *graph.Shared) bool { a.Replace(s); return true })
		l.images.done(ctx, id, a)
	}
	return nil
}
