// Package assess is images as work: clusters and registries say which images
// there are, a durable queue hands them to workers one after the other, and what
// is inside is held against the advisories. Assessments come out.
//
// It knows no cluster's facts and no graph, and not how an image is opened.
package assess

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Config says how images are looked into; nothing of it changes while it is used.
type Config struct {
	// Scan lists what is inside; nil means that images are not read.
	Scan func(ctx context.Context, ref image.Reference) (*image.Inventory, error)
	// Resolve asks a registry for the digest behind a reference; nil means that
	// nobody is asked.
	Resolve func(ctx context.Context, ref image.Reference) (string, error)
	// Quiet are registries that are to be left alone now where nothing is urgent; nil if there are none.
	Quiet func() []string
	// Advisories is the database of now.
	Advisories func() *vuln.DB
	// Records keeps what was read, and the queue; nil if nothing is kept.
	Records Records
	// Owner names this process among those that share Records, the same after a
	// restart. Workers are how many images it reads at once.
	Owner   string
	Workers int
	// Lease is how long an image stays this process's to read without a sign of
	// life; two minutes if it is zero.
	Lease time.Duration
	Log   *slog.Logger
}

// Records is what assess asks of the store, so that each image is read once also when
// a process ends meanwhile.
type Records interface {
	// ResumeImages gives up what the owner leased and wanted in an earlier run.
	ResumeImages(ctx context.Context, owner string) error
	// WantImages adds images that are not known, and sets how urgent the owner holds them.
	WantImages(ctx context.Context, owner string, images []Record) error
	// LeaseImage hands the most urgent image of those hosts to the owner until then, and
	// counts the reading that begins.
	LeaseImage(ctx context.Context, owner string, now, until time.Time, of Hosts) (r Record, ok bool, err error)
	// RenewImages prolongs the owner's leases.
	RenewImages(ctx context.Context, owner string, ids []string, until time.Time) error
	// NextImage is when the next image may be read.
	NextImage(context.Context) (at time.Time, ok bool, err error)
	// FinishImage writes what came of reading a leased image; it reports false, and
	// writes nothing, if the lease was lost.
	FinishImage(ctx context.Context, owner string, r Record, builds []Build) (bool, error)
	// PutImage writes what was read without a lease.
	PutImage(ctx context.Context, r Record, builds []Build) error
	// RequeueImage lets an image be read again at once; RequeueOutdated only if its
	// record is still the one that was seen.
	RequeueImage(ctx context.Context, id string) (bool, error)
	// RequeueFailed lets an image that could not be read be read once more, now.
	RequeueFailed(ctx context.Context, id string) error
	RequeueOutdated(ctx context.Context, seen Record) error
	Image(ctx context.Context, id string) (r Record, ok bool, err error)
	// Upload is what a build said of an image, with the inventory.
	Upload(ctx context.Context, id string) (u Upload, ok bool, err error)
	// SetImageStates writes what new advisories make of images that were read.
	SetImageStates(context.Context, []Record) error
	Builds(context.Context) ([]Build, error)
}

// Hosts are registries that may be asked: all but Not, and of them Only, unless that is nil. Those that are Quiet are asked for
// what a cluster wants and for what was just pushed, and for no other image.
type Hosts struct{ Not, Only, Quiet []string }

// Image is an image that a cluster uses or a registry lists.
type Image struct {
	ID, Reference string
	// State is a word of the schema's Image.scan; Why says why it is not done.
	State, Why string
}

// Assessor knows every image and how far its assessment is.
type Assessor struct {
	config Config
	// serving says that images are queued, not read at once.
	serving  bool
	batch    int // bounds how many assessments wait in memory to be told
	throttle *throttle
	prompt   *prompt
	patience time.Duration // after which a registry that holds a worker counts as slow
	resolver resolver
	wake     chan struct{} // workers look into the queue again
	changed  chan struct{} // there is something to reconcile
	leasing  sync.Mutex    // one worker takes an image, or a place, at a time, so that shares hold
	mu       struct {
		sync.Mutex
		demand demand
		images map[string]*known
		// dirty are names whose image may stand differently; those that a cluster
		// waits for come first.
		urgent, dirty map[string]bool
		dropped       []Key
		means         map[Key]string // as told
		telling       bool
		reading       map[string]string // images that are being read, and from which host
	}
}

// New prepares an Assessor; Run starts it, or Read uses it once.
func New(c Config) *Assessor {
	c.Workers = max(1, c.Workers)
	if c.Lease == 0 {
		c.Lease = 2 * time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &Assessor{config: c, batch: 200, throttle: newThrottle(), prompt: newPrompt(), patience: slowAfter,
		resolver: newResolver(c.Resolve), wake: make(chan struct{}, c.Workers), changed: make(chan struct{}, 1)}
	a.mu.demand, a.mu.images, a.mu.means, a.mu.reading = newDemand(), map[string]*known{}, map[Key]string{}, map[string]string{}
	a.mu.urgent, a.mu.dirty = map[string]bool{}, map[string]bool{}
	return a
}

// Run reads images and tells of changes until ctx ends, after Resume. tell may wait:
// then so does the next.
func (a *Assessor) Run(ctx context.Context, tell func(context.Context, Changes)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { a.follow(ctx, tell); return nil })
	g.Go(func() error { a.resolver.run(ctx, a.resolved); return nil })
	if a.config.Scan != nil && a.config.Records != nil {
		g.Go(func() error { a.renew(ctx); return nil })
		for range a.config.Workers {
			g.Go(func() error { a.work(ctx); return nil })
		}
	}
	return g.Wait()
}

// Resume takes up what an earlier run of this owner left, before Run.
func (a *Assessor) Resume(ctx context.Context) error {
	a.serving = true
	if a.config.Records == nil {
		return nil
	}
	if err := a.config.Records.ResumeImages(ctx, a.config.Owner); err != nil {
		return err
	}
	builds, err := a.config.Records.Builds(ctx)
	if err != nil {
		return fmt.Errorf("read which digests are one image: %w", err)
	}
	a.mu.Lock()
	a.touch(a.mu.demand.join(builds), false)
	a.mu.Unlock()
	return nil
}

// Want replaces what a cluster uses. It does not wait: what the uses mean, and what
// is known of their images, is told.
func (a *Assessor) Want(cluster string, uses []Use) {
	a.mu.Lock()
	defer a.mu.Unlock()
	touched, dropped := a.mu.demand.want(cluster, uses)
	a.mu.dropped = append(a.mu.dropped, dropped...)
	for _, u := range uses {
		if u.Resolve {
			a.resolver.want(u.ID)
		}
	}
	if len(touched)+len(dropped) > 0 {
		a.touch(touched, true)
	}
}

// Exposed replaces which images a cluster runs where the internet reaches them: they are read first.
func (a *Assessor) Exposed(cluster string, images []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if touched := a.mu.demand.expose(cluster, images); len(touched) > 0 {
		a.touch(touched, true)
	}
}

// List replaces what registries list: where each image is, by digest.
func (a *Assessor) List(places map[string][]Place) {
	a.mu.Lock()
	a.touch(a.mu.demand.list(places), false)
	a.mu.Unlock()
	a.Wake()
}

// resolved takes the digest behind a reference, or none if it is not to be had now.
func (a *Assessor) resolved(reference, digest string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	touched := []string{reference}
	if digest != "" {
		touched = append(touched, a.mu.demand.resolve(reference, digest)...)
	}
	a.touch(touched, true)
}

// touch is called with mu held.
func (a *Assessor) touch(names []string, urgent bool) {
	for name := range a.mu.demand.related(names) {
		if urgent {
			a.mu.urgent[name] = true
			delete(a.mu.dirty, name)
		} else if !a.mu.urgent[name] {
			a.mu.dirty[name] = true
		}
	}
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// Wake lets every worker look into the queue again.
func (a *Assessor) Wake() {
	for range a.config.Workers {
		select {
		case a.wake <- struct{}{}:
		default:
			return
		}
	}
}

// Pending says that something is known that was not told yet.
func (a *Assessor) Pending() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.telling || len(a.mu.urgent)+len(a.mu.dirty)+len(a.mu.dropped) > 0
}

// AdvisoriesChanged holds every image against the advisories of now.
func (a *Assessor) AdvisoriesChanged() {
	a.mu.Lock()
	defer a.mu.Unlock()
	names := make([]string, 0, len(a.mu.images))
	for id, k := range a.mu.images {
		k.recall = true
		names = append(names, id)
	}
	a.touch(names, false)
}

// Images lists where every image's assessment stands, by id.
func (a *Assessor) Images() map[string]Image {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make(map[string]Image, len(a.mu.images))
	for id, k := range a.mu.images {
		out[id] = k.Image
	}
	return out
}

// Assessment is what is known of an image; nil if nothing has it.
func (a *Assessor) Assessment(ctx context.Context, id string) *Assessment {
	a.mu.Lock()
	k := a.mu.images[id]
	var have *Assessment
	if k != nil {
		have = k.assessment
	}
	a.mu.Unlock()
	if k == nil || have != nil {
		return have
	}
	return a.remember(ctx, id).assessment
}

// Inventory is what was read of an image, or what a build told where it never was; nil if nothing is known.
func (a *Assessor) Inventory(ctx context.Context, id string) (*image.Inventory, error) {
	if a.config.Records == nil {
		return nil, nil
	}
	r, ok, err := a.config.Records.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	if ok && len(r.Inventory) > 0 {
		return inventoryOf(r)
	}
	u, _, err := a.config.Records.Upload(ctx, id)
	if err != nil {
		return nil, err
	}
	return inventoryOf(Record{Inventory: u.Inventory})
}

// Retry reads an image again now. It reports false if there is no such image, or
// it is being read.
func (a *Assessor) Retry(ctx context.Context, id string) (bool, error) {
	if a.config.Records == nil {
		return false, nil
	}
	ok, err := a.config.Records.RequeueImage(ctx, id)
	if !ok || err != nil {
		return false, err
	}
	a.mu.Lock()
	if k := a.mu.images[id]; k != nil && k.State != Scanning {
		k.State, k.Why = Queued, ""
	}
	a.mu.Unlock()
	a.Wake()
	return true, nil
}
