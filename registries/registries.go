// Package registries is the connected registries: which there are, what each holds,
// how far that can be trusted, and what of it is not seen. Each is read again and
// again; the images that are new there are queued to be read.
package registries

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
)

// Config says how registries are read and which are connected from the start.
type Config struct {
	// Read tells what a registry holds; nil means that none can be connected.
	Read func(ctx context.Context, what collect.Registry, last func(repository string) (map[string]string, error),
		found func(repository string, tags []collect.Tag) error) (collect.Listing, error)
	// Check tries what reading it needs.
	Check func(context.Context, collect.Registry) []collect.Permission
	// Look tells what a repository holds now, asking for the named tags alone, or all if none is named; Wants says
	// whether it is one that is read.
	Look func(ctx context.Context, what collect.Registry, repository string, tags []string,
		known map[string]string) ([]collect.Tag, error)
	Wants func(what collect.Registry, repository string) bool
	// Account is whom we sign in as, and where that comes from.
	Account func(ctx context.Context, host string) (who, from string, err error)
	// Valid says what is wrong with a wish; nil takes what it is given. Preview tells what would be read of a registry.
	Valid   func(collect.Registry) (collect.Registry, error)
	Preview func(ctx context.Context, what collect.Registry, within time.Duration) (collect.Preview, error)
	// Every is the least time between two readings of a registry.
	Every   time.Duration
	Connect []Connection
	Records Records
	// Images is told what registries list.
	Images Images
	// Changed is called when something is said of a registry that was not said before.
	Changed func()
	Log     *slog.Logger
}

// Images is what registries tell of images.
type Images interface {
	// List replaces what registries list: where each image is, by digest.
	List(map[string][]assess.Place)
	// Wake says that images were queued.
	Wake()
}

// Connection is a registry and who connected it.
type Connection struct {
	collect.Registry
	From Origin
}

// Origin is who connected a registry.
type Origin string

const (
	FromFlag   Origin = "flag"
	FromFile   Origin = "file"
	FromPortal Origin = "portal"
)

// State is how far what is shown of a registry can be trusted.
type State string

const (
	Waiting     State = "waiting"
	Reading     State = "reading"
	Current     State = "current"
	Refused     State = "refused"
	Unreachable State = "unreachable"
)

// Registry is what is known of a connected registry. Its fields beyond the
// connection are stored as its status.
type Registry struct {
	Connection  `json:"-"`
	State       State                `json:"state"`
	Why         string               `json:"why"`
	CheckedAt   time.Time            `json:"checkedAt"`
	LastReadAt  time.Time            `json:"lastReadAt"`
	NextReadAt  time.Time            `json:"nextReadAt"`
	Account     string               `json:"account"`
	AccountFrom string               `json:"accountFrom"`
	Permissions []collect.Permission `json:"permissions"`
	// Seen are the gaps of the last reading.
	Seen []collect.Gap `json:"gaps"`
	// Pushes is what came of its notifications.
	Pushes Pushes `json:"pushes"`
}

// Gaps are what is not seen of the registry.
func (r *Registry) Gaps() []collect.Gap {
	g := collect.Gap{Source: "registry", What: "registry " + r.Host, Why: r.Why, Kinds: []string{"Image", "Repository", "STORED_IN"},
		Consequence: "What it holds is shown as of " + r.LastReadAt.UTC().Format(time.RFC3339) + "; what was pushed since is not seen."}
	if r.LastReadAt.IsZero() {
		g.Why = cmp.Or(r.Why, "it is being read for the first time")
		g.Consequence = "What it holds that nothing runs is not seen, or not whole."
	} else if r.State != Refused && r.State != Unreachable {
		return r.Seen
	}
	return append([]collect.Gap{g}, r.Seen...)
}

// Records is what is asked of the store about registries.
type Records interface {
	PutRegistry(context.Context, Record) error
	SetRegistryStatus(ctx context.Context, host string, status []byte) error
	DeleteRegistry(ctx context.Context, host string) error
	Registries(context.Context) ([]Record, error)
	// PutRepository replaces what is known of a repository's tags and queues the
	// images that are new, at once.
	PutRepository(ctx context.Context, host, repository string, tags []Tag, images []assess.Record) error
	KeepRepositories(ctx context.Context, host string, has map[string]bool) error
	// Tags lists every tag of a registry by repository and name; of all registries
	// if host is empty.
	Tags(ctx context.Context, host string) ([]Tag, error)
	// RepositoryTags lists those of one repository.
	RepositoryTags(ctx context.Context, host, repository string) ([]Tag, error)
}

// Record is what is stored of a connected registry. Body says what to read of it and
// Status how far that went, both as JSON.
type Record struct {
	Host         string
	Origin       Origin
	Body, Status []byte
}

// Tag is one tag of a registry, and the image it stands for.
type Tag struct{ Host, Repository, Name, Digest string }

// ErrRefused is what is wrong with a wish about a registry, in words for the asker;
// ErrNotConnected says that there is no such registry.
var (
	ErrRefused      = errors.New("registry")
	ErrNotConnected = errors.New("no such registry is connected")
)

// Watcher owns the connected registries; each is read by a goroutine of its own.
type Watcher struct {
	config Config
	// changing is held while a registry is connected or disconnected, listing while what all hold is told.
	changing, listing sync.Mutex
	mu                struct {
		sync.Mutex
		by      map[string]*watched
		ctx     context.Context // nil while nobody runs
		readers sync.WaitGroup
	}
}

type watched struct {
	Registry // guarded by Watcher.mu
	stop     context.CancelFunc
	ended    chan struct{}
	again    chan struct{}
	failures int
	pushed   pushed // guarded by Watcher.mu
	// keeping is held while a look writes what it found, and while it is forgotten what is gone.
	keeping sync.Mutex
}

// New prepares a Watcher; Run starts it.
func New(c Config) *Watcher {
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{config: c}
	w.mu.by = map[string]*watched{}
	for _, connection := range c.Connect {
		w.mu.by[connection.Host] = newWatched(connection)
	}
	return w
}

// Resume begins with what an earlier run knew, before Run: registries of the portal
// stay, those of flags and file are as they say now.
func (w *Watcher) Resume(ctx context.Context) error {
	for _, c := range w.config.Connect {
		if err := w.put(ctx, c); err != nil {
			return err
		}
	}
	stored, err := w.config.Records.Registries(ctx)
	if err != nil {
		return fmt.Errorf("read the connected registries: %w", err)
	}
	for _, s := range stored {
		c := Connection{From: s.Origin}
		if err := json.Unmarshal(s.Body, &c.Registry); err != nil {
			return fmt.Errorf("read what to read of registry %s: %w", s.Host, err)
		}
		if w.config.Read == nil || c.From != FromPortal &&
			!slices.ContainsFunc(w.config.Connect, func(o Connection) bool { return o.Host == c.Host }) {
			if err := w.config.Records.DeleteRegistry(ctx, s.Host); err != nil {
				return err
			}
			continue
		}
		g := newWatched(c)
		if len(s.Status) > 0 {
			if err := json.Unmarshal(s.Status, &g.Registry); err != nil {
				w.config.Log.Warn("the stored status of a registry cannot be used; reading it anew", "registry", s.Host, "error", err)
			}
		}
		w.mu.Lock()
		w.mu.by[c.Host] = g
		w.mu.Unlock()
	}
	if err := w.list(ctx); err != nil {
		return fmt.Errorf("remember what registries hold: %w", err)
	}
	return nil
}

func newWatched(c Connection) *watched {
	g := &watched{Registry: Registry{Connection: c, State: Waiting}, again: make(chan struct{}, 1), pushed: newPushed()}
	if now := time.Now(); !c.Hours.Within(now) {
		g.NextReadAt = c.Hours.Next(now)
	}
	return g
}

func (w *Watcher) put(ctx context.Context, c Connection) error {
	body, err := json.Marshal(c.Registry)
	if err != nil {
		return err
	}
	return w.config.Records.PutRegistry(ctx, Record{Host: c.Host, Origin: c.From, Body: body})
}

// Run reads the registries until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	w.config.Changed()
	w.mu.Lock()
	w.mu.ctx = ctx
	for _, g := range w.mu.by {
		w.start(g)
	}
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	w.mu.ctx = nil
	w.mu.Unlock()
	w.mu.readers.Wait()
	return nil
}

// start is called with mu held.
func (w *Watcher) start(g *watched) {
	if w.mu.ctx == nil {
		return
	}
	ctx, stop := context.WithCancel(w.mu.ctx)
	g.stop, g.ended = stop, make(chan struct{})
	w.mu.readers.Go(func() {
		defer close(g.ended)
		defer stop()
		var looks sync.WaitGroup
		if w.config.Look != nil {
			looks.Go(func() { w.lookAfter(ctx, g) })
		}
		w.watch(ctx, g)
		looks.Wait()
	})
}

// Registries lists the connected registries by host, as they are now.
func (w *Watcher) Registries() []Registry {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Registry
	for _, host := range slices.Sorted(maps.Keys(w.mu.by)) {
		out = append(out, w.mu.by[host].Registry)
	}
	return out
}

// Gaps are what is not seen of the connected registries.
func (w *Watcher) Gaps() (out []collect.Gap) {
	for _, r := range w.Registries() {
		out = append(out, r.Gaps()...)
	}
	return out
}

// Connect connects a registry for the portal, or changes what is read of it.
func (w *Watcher) Connect(ctx context.Context, what collect.Registry) error {
	w.changing.Lock()
	defer w.changing.Unlock()
	if w.config.Read == nil {
		return fmt.Errorf("%w: this server reads no images, so no registries", ErrRefused)
	}
	what, err := w.valid(what)
	if err != nil {
		return err
	}
	w.mu.Lock()
	old := w.mu.by[what.Host]
	w.mu.Unlock()
	if old != nil && old.From != FromPortal {
		return fmt.Errorf("%w: %s is connected by the server's %s: change it there", ErrRefused, what.Host, old.From)
	}
	c := Connection{what, FromPortal}
	if err := w.put(ctx, c); err != nil {
		return err
	}
	w.end(old)
	g := newWatched(c)
	if old != nil {
		g.LastReadAt = old.LastReadAt
	}
	w.mu.Lock()
	w.mu.by[what.Host] = g
	w.start(g)
	w.mu.Unlock()
	w.config.Changed()
	return nil
}

// valid is a wish as it is read, or what is wrong with it.
func (w *Watcher) valid(what collect.Registry) (collect.Registry, error) {
	if w.config.Valid == nil {
		return what, nil
	}
	valid, err := w.config.Valid(what)
	if err != nil {
		return what, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return valid, nil
}

// end waits until a registry is not read any more.
func (w *Watcher) end(g *watched) {
	if g == nil {
		return
	}
	w.mu.Lock()
	stop, ended := g.stop, g.ended
	w.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}

// Disconnect forgets a registry that the portal connected.
func (w *Watcher) Disconnect(ctx context.Context, host string) error {
	w.changing.Lock()
	defer w.changing.Unlock()
	w.mu.Lock()
	g := w.mu.by[host]
	w.mu.Unlock()
	switch {
	case g == nil:
		return ErrNotConnected
	case g.From != FromPortal:
		return fmt.Errorf("%w: %s is connected by the server's %s: take it away there", ErrRefused, host, g.From)
	}
	w.end(g)
	if err := w.config.Records.DeleteRegistry(ctx, host); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.mu.by, host)
	w.mu.Unlock()
	if err := w.list(ctx); err != nil {
		return err
	}
	w.config.Changed()
	return nil
}

// Check tries what reading a registry needs.
func (w *Watcher) Check(ctx context.Context, what collect.Registry) (p []collect.Permission, who, from string, err error) {
	c := w.config
	if c.Check == nil {
		return nil, "", "", fmt.Errorf("%w: this server reads no images, so no registries", ErrRefused)
	}
	if what, err = w.valid(what); err != nil {
		return nil, "", "", err
	}
	if who, from, err = c.Account(ctx, what.Host); err != nil {
		from = err.Error()
	}
	return c.Check(ctx, what), who, from, nil
}

// previewWithin bounds a preview: somebody waits for it.
const previewWithin = 45 * time.Second

// Preview tells what would be read of a registry, without connecting it.
func (w *Watcher) Preview(ctx context.Context, what collect.Registry) (p collect.Preview, err error) {
	if w.config.Preview == nil {
		return p, fmt.Errorf("%w: this server reads no images, so no registries", ErrRefused)
	}
	if what, err = w.valid(what); err != nil {
		return p, err
	}
	return w.config.Preview(ctx, what, previewWithin)
}

// Quiet are the registries whose hours are not now.
func (w *Watcher) Quiet() (hosts []string) {
	now := time.Now()
	for _, r := range w.Registries() {
		if !r.Hours.Within(now) {
			hosts = append(hosts, r.Host)
		}
	}
	return hosts
}

// Reread reads a registry again now.
func (w *Watcher) Reread(host string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.mu.by[host]
	if g == nil {
		return ErrNotConnected
	}
	select {
	case g.again <- struct{}{}:
	default:
	}
	return nil
}
