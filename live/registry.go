package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/store"
)

// RegistryConfig says how registries are read and which are connected from the start.
type RegistryConfig struct {
	// Read tells what a registry holds; nil means that none can be connected.
	Read func(ctx context.Context, what collect.Registry, last func(repository string) (map[string]string, error), found func(repository string, tags []collect.Tag) error) (collect.Listing, error)
	// Check tries what reading it needs.
	Check func(context.Context, collect.Registry) []collect.Permission
	// Account is whom we sign in as, and where that comes from.
	Account func(ctx context.Context, host string) (who, from string, err error)
	// Every is the least time between two readings of a registry.
	Every   time.Duration
	Connect []Connection
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

// RegistryState is how far what is shown of a registry can be trusted.
type RegistryState string

const (
	RegistryWaiting     RegistryState = "waiting"
	RegistryReading     RegistryState = "reading"
	RegistryCurrent     RegistryState = "current"
	RegistryRefused     RegistryState = "refused"
	RegistryUnreachable RegistryState = "unreachable"
)

// Registry is what is known of a connected registry. Its fields beyond the
// connection are stored as its status.
type Registry struct {
	Connection  `json:"-"`
	State       RegistryState        `json:"state"`
	Why         string               `json:"why"`
	CheckedAt   time.Time            `json:"checkedAt"`
	LastReadAt  time.Time            `json:"lastReadAt"`
	NextReadAt  time.Time            `json:"nextReadAt"`
	Account     string               `json:"account"`
	AccountFrom string               `json:"accountFrom"`
	Permissions []collect.Permission `json:"permissions"`
	// Seen are the gaps of the last reading.
	Seen []collect.Gap `json:"gaps"`
}

// Gaps are what is not seen of the registry.
func (r *Registry) Gaps() []collect.Gap {
	g := collect.Gap{Source: "registry", What: "registry " + r.Host, Why: r.Why, Kinds: []string{"Image", "Repository", "STORED_IN"},
		Consequence: "What it holds is shown as of " + r.LastReadAt.UTC().Format(time.RFC3339) + "; what was pushed since is not seen."}
	if r.LastReadAt.IsZero() {
		g.Why = cmp.Or(r.Why, "it is being read for the first time")
		g.Consequence = "What it holds that nothing runs is not seen, or not whole."
	} else if r.State != RegistryRefused && r.State != RegistryUnreachable {
		return r.Seen
	}
	return append([]collect.Gap{g}, r.Seen...)
}

// RegistryRecords is what live asks of the store about registries.
type RegistryRecords interface {
	PutRegistry(context.Context, store.Registry) error
	SetRegistryStatus(ctx context.Context, host string, status []byte) error
	DeleteRegistry(ctx context.Context, host string) error
	Registries(context.Context) ([]store.Registry, error)
	PutRepository(ctx context.Context, host, repository string, tags []store.Tagged, images []store.QueuedImage) error
	KeepRepositories(ctx context.Context, host string, has map[string]bool) error
	Tags(ctx context.Context, host string) ([]store.Tagged, error)
}

// ErrRegistry is what is wrong with a wish about a registry, for whoever has it.
var ErrRegistry = errors.New("registry")

// registries owns the connected registries; each is read by a goroutine of its own.
type registries struct {
	live    *Live
	config  RegistryConfig
	records RegistryRecords
	// changing is held while a registry is connected or disconnected.
	changing sync.Mutex
	mu       struct {
		sync.Mutex
		by      map[string]*registry
		ctx     context.Context // nil while nobody runs
		readers sync.WaitGroup
	}
}

type registry struct {
	Registry // guarded by registries.mu
	stop     context.CancelFunc
	ended    chan struct{}
	again    chan struct{}
	failures int
}

func newRegistries(l *Live, c RegistryConfig) *registries {
	r := &registries{live: l, config: c}
	r.mu.by = map[string]*registry{}
	for _, connection := range c.Connect {
		r.mu.by[connection.Host] = newRegistry(connection)
	}
	return r
}

// resume begins with what an earlier run knew: registries of the portal stay,
// those of flags and file are as they say now.
func (r *registries) resume(ctx context.Context) error {
	for _, c := range r.config.Connect {
		if err := r.put(ctx, c); err != nil {
			return err
		}
	}
	stored, err := r.records.Registries(ctx)
	if err != nil {
		return fmt.Errorf("read the connected registries: %w", err)
	}
	for _, s := range stored {
		c := Connection{From: Origin(s.Origin)}
		if err := json.Unmarshal(s.Body, &c.Registry); err != nil {
			return fmt.Errorf("read what to read of registry %s: %w", s.Host, err)
		}
		if r.config.Read == nil || c.From != FromPortal && !slices.ContainsFunc(r.config.Connect, func(o Connection) bool { return o.Host == c.Host }) {
			if err := r.records.DeleteRegistry(ctx, s.Host); err != nil {
				return err
			}
			continue
		}
		g := newRegistry(c)
		if len(s.Status) > 0 {
			if err := json.Unmarshal(s.Status, &g.Registry); err != nil {
				r.live.config.Log.Warn("the stored status of a registry cannot be used; reading it anew", "registry", s.Host, "error", err)
			}
		}
		r.mu.Lock()
		r.mu.by[c.Host] = g
		r.mu.Unlock()
	}
	return nil
}

func newRegistry(c Connection) *registry {
	return &registry{Registry: Registry{Connection: c, State: RegistryWaiting}, again: make(chan struct{}, 1)}
}

func (r *registries) put(ctx context.Context, c Connection) error {
	body, err := json.Marshal(c.Registry)
	if err != nil {
		return err
	}
	return r.records.PutRegistry(ctx, store.Registry{Host: c.Host, Origin: string(c.From), Body: body})
}

// run reads the registries until ctx ends.
func (r *registries) run(ctx context.Context) error {
	if err := r.live.images.hold(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("remember what registries hold: %w", err)
	}
	r.mu.Lock()
	r.mu.ctx = ctx
	for _, g := range r.mu.by {
		r.start(g)
	}
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock()
	r.mu.ctx = nil
	r.mu.Unlock()
	r.mu.readers.Wait()
	return nil
}

// start is called with mu held.
func (r *registries) start(g *registry) {
	if r.mu.ctx == nil {
		return
	}
	ctx, stop := context.WithCancel(r.mu.ctx)
	g.stop, g.ended = stop, make(chan struct{})
	r.mu.readers.Go(func() {
		defer close(g.ended)
		defer stop()
		r.watch(ctx, g)
	})
}

// list is every registry by host, as it is now.
func (r *registries) list() []Registry {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Registry
	for _, host := range slices.Sorted(maps.Keys(r.mu.by)) {
		out = append(out, r.mu.by[host].Registry)
	}
	return out
}

// Registries lists the connected registries by host.
func (l *Live) Registries() []Registry { return l.registries.list() }

// Connect connects a registry for the portal, or changes what is read of it.
func (l *Live) Connect(ctx context.Context, what collect.Registry) error {
	r := l.registries
	r.changing.Lock()
	defer r.changing.Unlock()
	if r.config.Read == nil {
		return fmt.Errorf("%w: this server reads no images, so no registries", ErrRegistry)
	}
	r.mu.Lock()
	old := r.mu.by[what.Host]
	r.mu.Unlock()
	if old != nil && old.From != FromPortal {
		return fmt.Errorf("%w: %s is connected by the server's %s: change it there", ErrRegistry, what.Host, old.From)
	}
	c := Connection{what, FromPortal}
	if err := r.put(ctx, c); err != nil {
		return err
	}
	r.end(old)
	g := newRegistry(c)
	if old != nil {
		g.LastReadAt = old.LastReadAt
	}
	r.mu.Lock()
	r.mu.by[what.Host] = g
	r.start(g)
	r.mu.Unlock()
	l.refresh([]string{"Registry"})
	return nil
}

// end waits until a registry is not read any more.
func (r *registries) end(g *registry) {
	if g == nil {
		return
	}
	r.mu.Lock()
	stop, ended := g.stop, g.ended
	r.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}

// Disconnect forgets a registry that the portal connected.
func (l *Live) Disconnect(ctx context.Context, host string) error {
	r := l.registries
	r.changing.Lock()
	defer r.changing.Unlock()
	r.mu.Lock()
	g := r.mu.by[host]
	r.mu.Unlock()
	switch {
	case g == nil:
		return store.ErrNotFound
	case g.From != FromPortal:
		return fmt.Errorf("%w: %s is connected by the server's %s: take it away there", ErrRegistry, host, g.From)
	}
	r.end(g)
	if err := r.records.DeleteRegistry(ctx, host); err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.mu.by, host)
	r.mu.Unlock()
	if err := l.images.hold(ctx); err != nil {
		return err
	}
	l.refresh([]string{"Registry"})
	return nil
}

// CheckRegistry tries what reading a registry needs.
func (l *Live) CheckRegistry(ctx context.Context, what collect.Registry) (p []collect.Permission, who, from string, err error) {
	c := l.registries.config
	if c.Check == nil {
		return nil, "", "", fmt.Errorf("%w: this server reads no images, so no registries", ErrRegistry)
	}
	if who, from, err = c.Account(ctx, what.Host); err != nil {
		from = err.Error()
	}
	return c.Check(ctx, what), who, from, nil
}

// Reread reads a registry again now.
func (l *Live) Reread(host string) error {
	r := l.registries
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.mu.by[host]
	if g == nil {
		return store.ErrNotFound
	}
	select {
	case g.again <- struct{}{}:
	default:
	}
	return nil
}

// Retry reads an image again now.
func (l *Live) Retry(ctx context.Context, id string) error {
	if err := l.images.queue.records.RetryImage(ctx, id); err != nil {
		return err
	}
	l.images.mu.Lock()
	if k := l.images.mu.known[id]; k != nil && k.State != store.Scanning {
		k.State, k.Why = store.Queued, ""
	}
	l.images.mu.Unlock()
	l.images.queue.woken()
	return nil
}
