package scope

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/store"
)

// ErrOutside is returned to an asker for what only those may do who see everything.
var ErrOutside = errors.New("only who sees everything may do this")

// Picture is where worlds come from.
type Picture interface {
	World() *live.World
	Subscribe(context.Context) <-chan live.Event
	Tell(kinds ...string)
	Facts(ctx context.Context, cluster string, look func(*collect.Facts)) (bool, error)
}

// Records is what the store knows.
type Records interface {
	Paths
	Alerts
	Queue
}

// Config is where everything comes from.
type Config struct {
	Picture    Picture
	Images     Images
	Registries Registries
	Records    Records
	// Sensors is what sensors say of themselves; nil if no events are taken.
	Sensors Sensors
	// Tokens are what senders of events show.
	Tokens Tokens
	// Exceptions are what people accepted in the portal or by command; nil if nothing is kept.
	Exceptions Exceptions
}

// Unscoped is everything there is. Nothing of it can be read but through For.
type Unscoped struct {
	config Config
	mu     struct {
		sync.Mutex
		of     *live.World
		worlds map[string]*World // by scope
	}
}

// New takes everything there is.
func New(c Config) *Unscoped { return &Unscoped{config: c} }

// For is what an asker with that scope may see.
func (d *Unscoped) For(s graph.Scope) *Reader { return &Reader{World: d.world(s), unscoped: d} }

// world is the world of now within a scope, made once for all who see the same.
func (d *Unscoped) world(s graph.Scope) *World {
	now := d.config.Picture.World()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mu.of != now {
		d.mu.of, d.mu.worlds = now, map[string]*World{}
	}
	key := s.String()
	w := d.mu.worlds[key]
	if w == nil {
		w = Of(now, s)
		d.mu.worlds[key] = w
	}
	return w
}

// Reader is everything that one asker may see: their World, and the records within it.
type Reader struct {
	*World
	unscoped *Unscoped
}

// admin is for what touches more than one asker's part.
func (r *Reader) admin() error {
	if !r.All() {
		return ErrOutside
	}
	return nil
}

// within is where the asker's records are: the clusters of the picture, or their
// namespaces.
func (r *Reader) within() []store.Tenancy {
	out := []store.Tenancy{}
	for _, c := range r.Ordered() {
		out = append(out, store.Tenancy{Cluster: c.Name, Namespaces: r.scope.Segments[c.Name]})
	}
	return out
}

// Facts lets look see what was read of a cluster, for who sees all of it.
func (r *Reader) Facts(ctx context.Context, cluster string, look func(*collect.Facts)) error {
	if !r.Whole(cluster) {
		return fmt.Errorf("cluster %s: %w", cluster, ErrOutside)
	}
	_, err := r.unscoped.config.Picture.Facts(ctx, cluster, look)
	return err
}
